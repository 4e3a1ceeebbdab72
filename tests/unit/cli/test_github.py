"""A plan in a workflow: annotations that stay annotations, worst first, and outputs that no name can forge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from syncer.cli.views import github
from syncer.cli.views.github import Annotation, annotated, command, of_diagnostic, of_plan, of_refusals, outputs
from syncer.diagnostics import Diagnostic, Place, Severity
from syncer.errors import ManifestError, PlanRefusedError
from tests.fakes import projects
from tests.fakes.capabilities import LEAD
from tests.fakes.rows import facts

if TYPE_CHECKING:
    from syncer.facts import OperationFacts
    from syncer.plan.models import Plan

PLACE = Place("leads.yaml", 14, 3)


def rows(name: str, records: int, **counts: Any) -> OperationFacts:
    """Return leads in one wave and one shape."""
    return facts(name, LEAD, ((records,),) if records else (), **counts)


def plan_of(**operations: OperationFacts) -> Plan:
    """Return a plan of these operations."""
    return projects.plan({name: {} for name in operations}, operations)


@pytest.fixture(autouse=True)
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a step of a workflow, whose checkout holds this project in a folder."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    return tmp_path


def test_an_annotation_names_the_file_as_the_pull_request_does(workflow: Path) -> None:
    """A project may stand in any folder of the checkout."""
    line = command(Annotation("warning", "T", "text", Place(str(workflow / "crm" / "leads.yaml"), 14, 3)))
    assert line == "::warning file=crm/leads.yaml,line=14,col=3,title=T::text"


def test_a_file_as_a_whole_is_annotated_at_its_top() -> None:
    """Line 0 is the whole file; the first line shows it."""
    assert "line=1,col=1" in command(Annotation("error", "T", "text", Place("a.yaml")))


def test_no_text_can_start_a_command() -> None:
    """Line ends, percent signs, colons and commas are escaped where they would mean something."""
    spoilt = "50%, a:b\r\n::set-output name=digest::x\x1b[0m"
    line = command(Annotation("error", spoilt, spoilt, Place("a,b:c.yaml", 1, 1)))
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    assert line.startswith("::error file=a%2Cb%3Ac.yaml,line=1,col=1,title=50%25%2C a%3Ab")
    assert line.endswith("::50%25, a:b\\x0d%0A::set-output name=digest::x\\x1b[0m")


def test_the_worst_come_first_and_the_rest_is_counted() -> None:
    """GitHub shows ten of a kind; the tenth says how many are missing."""
    found = [Annotation("warning", f"W{weight}", "text", weight=weight) for weight in range(12)]
    lines = annotated([*found, Annotation("error", "E", "text")]).splitlines()
    assert lines[0] == "::error title=E::text"
    assert lines[1:3] == ["::warning title=W11::text", "::warning title=W10::text"]
    assert len(lines) == 11
    assert lines[-1].endswith("::3 more are not shown here: see the step's log and summary.")


def test_ten_of_a_kind_are_all_shown() -> None:
    """The limit itself is no reason to leave one out."""
    found = [Annotation("notice", str(number), "text") for number in range(10)]
    assert "And more" not in annotated(found)


def test_a_plan_is_annotated_where_its_operations_stand() -> None:
    """Rejects and notes warn, what would be sent is a notice, and quiet operations say nothing."""
    plan = plan_of(
        news=rows("news", 100, rejected=3), quiet=rows("quiet", 0, unchanged=5), new=rows("new", 5, known_keys=1)
    )
    found = [each for each in of_plan(plan, {"news": PLACE}) if each.title != "Note on the plan"]
    assert [(each.kind, each.title.split(":")[0], each.place) for each in found] == [
        ("notice", "new", None),
        ("warning", "news", PLACE),
        ("notice", "news", PLACE),
    ]
    assert "? new or changed (unknown until run)" in found[2].text


def test_notes_of_the_plan_are_shown_without_a_place() -> None:
    """An empty source is a note at its operation, an order that is not kept a note on the plan."""
    plan = projects.plan({"news": {"after": ["other"]}, "other": {}}, {"news": rows("news", 0)})
    titles = [each.title for each in of_plan(plan, {})]
    assert "news: note" in titles
    assert "Note on the plan" in titles


def test_a_refusal_is_shown_at_its_operation() -> None:
    """A guard has no place of its own, but it names its operation."""
    refusals = [Diagnostic("P102", 'Operation "news" creates 9 records.'), Diagnostic("P101", "Too many calls.")]
    found = list(of_refusals(refusals, {"news": PLACE}))
    assert [(each.kind, each.place) for each in found] == [("error", PLACE), ("error", None)]


def test_a_finding_keeps_its_severity_and_advice() -> None:
    """Warnings stay warnings; advice and the line to copy are part of the text."""
    made = of_diagnostic(Diagnostic("M203", "What.", PLACE, "Do this.", "syncer x", Severity.WARNING))
    assert (made.kind, made.text, made.place) == ("warning", "What.\nDo this.\nsyncer x", PLACE)


def test_outputs_are_single_words() -> None:
    """Numbers, a digest that `--approved` takes, and nothing where a number is unknown."""
    plan = plan_of(news=rows("news", 100, rejected=3, unchanged=2), new=rows("new", 5, known_keys=1))
    found = outputs(plan)
    assert found == {
        "digest": f"sha256:{plan.digest}",
        "has_changes": "true",
        "to_send": "105",
        "creates": "",
        "updates": "",
        "unchanged": "2",
        "rejected": "3",
        "calls": "2",
    }
    assert outputs(plan_of(quiet=rows("quiet", 0)))["has_changes"] == "false"


def test_a_step_gets_its_summary_and_outputs(workflow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What earlier steps wrote stays; the plan's own text cannot be taken for commands."""
    (workflow / "outputs").write_text("before=1\n", encoding="utf-8")
    plan = plan_of(news=rows("news", 100))
    github.show(plan, {"news": PLACE}, "  ::error::not one\n")
    out = capsys.readouterr().out
    before, _, after = out.partition(f"::stop-commands::{plan.digest}\n")
    assert before.startswith("::notice file=leads.yaml,line=14")
    assert after == f"  ::error::not one\n::{plan.digest}::\n"
    assert (workflow / "summary.md").read_text(encoding="utf-8").startswith("### Plan ")
    assert (workflow / "outputs").read_text(encoding="utf-8").startswith(f"before=1\ndigest=sha256:{plan.digest}\n")


def test_outside_of_a_workflow_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trying it on a desk prints, and that is all."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    github.show(plan_of(news=rows("news", 1)), {"news": PLACE}, "text\n")
    assert "file=leads.yaml" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        ManifestError([Diagnostic("M203", 'Operation "news" writes "x".', PLACE)]),
        PlanRefusedError.of([Diagnostic("P102", 'Operation "news" creates 9 records.')]),
    ],
)
@pytest.mark.parametrize("is_wanted", [True, False])
def test_what_refuses_a_plan_is_annotated_and_passed_on(
    error: Exception, capsys: pytest.CaptureFixture[str], *, is_wanted: bool
) -> None:
    """The command still fails as it would; other formats print nothing more."""

    def fail() -> None:
        with github.explaining(is_wanted=is_wanted) as places:
            places["news"] = PLACE
            raise error

    with pytest.raises(type(error)):
        fail()
    out = capsys.readouterr().out
    assert out.startswith("::error file=leads.yaml,line=14,col=3,title=") == is_wanted
    assert bool(out) == is_wanted
