"""README tells the truth: its commands, verbs, manifest and plan; and every code that can be printed is explained."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from syncer import catalogue
from syncer.cli import main
from syncer.cli.exits import MEANING, Exit
from syncer.sources.registry import source as _source  # noqa: F401 - read before output is captured: it is slow

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GOLDEN = ROOT / "tests" / "golden" / "readme"
CODE = re.compile(r"""["']([MSPRV]\d{3})["']""")
REJECTS_OF_SQL = re.compile(r"""'([MSPRV]\d{3})'""")


def _verbs() -> dict[str, click.Command]:
    """Return every verb by its words: `plan`, `describe pull`."""
    root = typer.main.get_command(main.app)
    found: dict[str, click.Command] = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined] - a group has them
        inner = getattr(command, "commands", {})
        found |= {f"{name} {each}": below for each, below in inner.items()} if inner else {name: command}
    return found


VERBS = _verbs()


def _sources() -> str:
    files = sorted((ROOT / "syncer").rglob("*.py"))
    return "\n".join(each.read_text(encoding="utf-8") for each in files if "sandbox" not in each.parts[-3:])


def _told_commands() -> list[str]:
    text = "\n".join(
        each.read_text(encoding="utf-8") for each in (README, ROOT / "scripts" / "demo.py") if each.suffix == ".md"
    )
    return [
        line.split("#")[0].strip()
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("syncer ")
    ]


@pytest.mark.parametrize("line", _told_commands())
def test_a_command_of_readme_is_one_that_the_program_takes(line: str) -> None:
    """Its verb and all its options exist."""
    words = shlex.split(line)[1:]
    verb = " ".join(words[:2]) if " ".join(words[:2]) in VERBS else words[0]
    options = {word for parameter in VERBS[verb].params for word in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_stands_in_the_table_of_readme(verb: str) -> None:
    """Whoever reads README knows all that can be done."""
    table = README.read_text(encoding="utf-8").partition("## The verbs")[2].partition("\n## ")[0]
    told = {part.removeprefix("syncer ") for row in table.splitlines() for part in re.findall(r"`([^`]+)`", row)}
    assert verb in told


def test_every_exit_code_stands_in_readme() -> None:
    """Scripts rely on the codes, so README lists them."""
    said = README.read_text(encoding="utf-8").partition("Exit codes:")[2].partition("\n\n")[0]
    assert [each.value for each in MEANING if str(each.value) not in re.findall(r"\d+", said)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_has_examples(verb: str) -> None:
    """A line to copy says more than a list of options."""
    epilog = VERBS[verb].epilog or ""
    assert "Examples:" in epilog
    assert f"syncer {verb}" in epilog


def test_the_list_of_verbs_fits_a_terminal() -> None:
    """In 80 columns each verb says in one whole line what it is for, and the way from manifests to records is shown."""
    from typer.testing import CliRunner

    said = CliRunner().invoke(main.app, ["--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).output
    assert "..." not in said.partition("\n")[2]
    assert all(len(line) <= 80 for line in said.splitlines())
    assert "syncer apply changes.plan" in said.partition("Examples:")[2]


def test_every_code_in_the_source_is_explained() -> None:
    """No message ever names a code that `syncer explain` does not know."""
    assert sorted(set(CODE.findall(_sources())) - set(catalogue.entries())) == []


def test_every_explained_code_is_in_the_source() -> None:
    """The catalogue holds nothing that cannot come up."""
    assert sorted(set(catalogue.entries()) - set(CODE.findall(_sources()))) == []


def test_every_code_is_a_title_a_cause_and_a_cure() -> None:
    """Titles are short and end without a stop; causes and cures are sentences."""
    for entry in catalogue.entries().values():
        assert 3 <= len(entry.title) <= 60, entry.code
        assert entry.title[-1].isalnum(), entry.code
        assert entry.cause.endswith((".", "`")), entry.code
        assert entry.cure.endswith((".", "`")), entry.code


def test_every_exit_code_has_a_cause_and_a_cure() -> None:
    """Whatever a script is told by a number, a person can look up."""
    assert set(catalogue.exits()) == {each.value for each in MEANING} == {each.value for each in Exit}
    assert all(text.endswith(".") for told in catalogue.exits().values() for text in told)


def test_the_plan_of_readme_is_the_program_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """The golden plan is what `syncer plan --offline` prints for the golden manifest."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    for each in ("manifest.yaml", "contacts.csv"):
        shutil.copy(GOLDEN / each, folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.argv", ["syncer", "plan", "manifests", "--offline"])
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert not ended.value.code
    told = capsys.readouterr().out
    if request.config.getoption("--golden"):
        (GOLDEN / "plan.txt").write_text(told, encoding="utf-8")
        README.write_text(_filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    assert told == (GOLDEN / "plan.txt").read_text(encoding="utf-8")


def _filled(text: str) -> str:
    """Return README's text with each marked block replaced by the file that its mark names."""

    def fill(found: re.Match[str]) -> str:
        content = (ROOT / found["path"]).read_text(encoding="utf-8").rstrip("\n")
        return f"{found['mark']}\n```{found['kind']}\n{content}\n```"

    mark = re.compile(r"(?P<mark><!-- \w+: (?P<path>\S+) -->)\n```(?P<kind>\w+)\n.*?```", re.DOTALL)
    return mark.sub(fill, text)


def test_the_blocks_of_readme_are_the_golden_files() -> None:
    """What README shows is a file that a test plays."""
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- manifest: ") == text.count("<!-- plan: ") == 1
    assert text == _filled(text)
