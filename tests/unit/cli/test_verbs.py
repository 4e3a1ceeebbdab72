"""The command line builds and imports only what it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from syncer.cli.verbs import Root, Verbs

if TYPE_CHECKING:
    from collections.abc import Callable

HEAVY = (
    "anyio",
    "duckdb",
    "httpx",
    "jinja2",
    "jsonschema",
    "pyarrow",
    "pydantic",
    "rich",
    "ruamel",
    "sqlglot",
    "starlette",
)
"""Packages that cost a start more than a millisecond each."""


ROOT = Path(__file__).parents[3]
MANIFEST = """
version: 1
connections:
  marketo:
    system: marketo
    base_url: "{{ env.MARKETO_BASE_URL }}"
    client_id: "{{ env.MARKETO_CLIENT_ID }}"
    client_secret: "{{ secret.MARKETO_CLIENT_SECRET }}"
sources:
  people: { file: people.csv }
targets:
  leads: { connection: marketo, object: lead, key: email }
mappings:
  leads: { email: "{{ email | trim | lower }}", firstName: "{{ name }}" }
operations:
  leads: { source: people, mapping: leads, target: leads }
"""


def imported(*arguments: str) -> set[str]:
    """Return which of the heavy packages a command leaves imported in a process of its own."""
    code = (
        "import sys; from syncer.cli.main import run; sys.argv = sys.argv[:1] + sys.argv[2:]\n"
        "try: run()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "-", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    return set(done.stderr.split()) & set(HEAVY)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_imports_no_heavy_package(arguments: tuple[str, ...]) -> None:
    """Whoever asks what there is waits for nothing that only a run needs."""
    assert imported(*arguments) == set()


def test_validating_files_imports_no_engine(tmp_path: Path) -> None:
    """Manifests over delimited files are checked without an engine, a writer of SQL, or anything that sends."""
    (tmp_path / "people.csv").write_text("email,name\na@b.com,Ada\n", encoding="utf-8")
    (tmp_path / "syncer.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    assert imported("validate", str(tmp_path)) == {"jinja2", "pydantic", "ruamel"}


@pytest.fixture
def call() -> Callable[..., Any]:
    """A command line with a verb that works, one that cannot be built, and a group."""
    registered = typer.Typer()

    def fine() -> None:
        typer.echo("done")

    def broken(_of: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821 - what cannot be built
        """Never."""

    def inner() -> None:
        typer.echo("inner done")

    group = typer.Typer()
    group.command()(inner)
    group.callback()(lambda: None)
    registered.add_typer(group, name="grouped", short_help="A group")
    registered.command(short_help="Works")(fine)
    registered.command(short_help="Cannot be built")(broken)

    class Line(Root):
        """The command line under test."""

        verbs = Verbs(registered)

    app = typer.Typer(cls=Line, rich_markup_mode=None)
    app.callback()(lambda: None)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_help_lists_every_verb_and_builds_none(call: Callable[..., Any]) -> None:
    """The list has a line for each verb, groups last, whatever stands behind it."""
    lines = call("--help").output.splitlines()
    listed = [line.split(maxsplit=1) for line in lines[lines.index("Commands:") + 1 :] if line]
    assert listed == [["fine", "Works"], ["broken", "Cannot be built"], ["grouped", "A group"]]


def test_a_verb_runs_beside_one_that_cannot_be_built(call: Callable[..., Any]) -> None:
    """Only the verb that is named is built, alone or in its group."""
    assert call("fine").output == "done\n"
    assert call("grouped", "inner").output == "inner done\n"
    assert isinstance(call("broken").exception, NameError)


def test_a_slip_is_told_from_the_names_alone(call: Callable[..., Any]) -> None:
    """A misspelt verb gets the nearest ones."""
    assert "Did you mean 'broken'?" in call("brokn").output
    assert call("brokn").exit_code == 2
