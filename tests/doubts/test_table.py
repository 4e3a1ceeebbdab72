"""The page on reliability holds the very table by which the executor settles doubts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from syncer.execution.resolve import TABLE
from syncer.facts import Action
from tests.doubts.cells import OPERATIONS
from tests.doubts.table import BEGIN, END, MARKED, OBJECTS, rendered, rows

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def test_the_page_holds_the_table(request: pytest.FixtureRequest) -> None:
    """`pytest tests/doubts --golden` writes it anew; read the diff as code."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    told = f"{before}{rendered()}{after}"
    if request.config.getoption("--golden"):
        PAGE.write_text(told, encoding="utf-8")
    assert told == text


def test_every_path_and_action_is_played() -> None:
    """The matrix has a request for each action of each path of the table."""
    played = {(each.object, each.path + MARKED * each.is_marked, str(each.action)) for each in OPERATIONS}
    names = {f"{system.capitalize()} {words}": name for system, name, words in OBJECTS}
    told = {
        (names[place.partition(", ")[0]], place.partition(", ")[2], action)
        for place, actions, *_ in rows()
        for action in actions.split(", ")
    }
    # An import of program members is one request, whether it sets a status or writes members, and a marked one of leads
    # is looked for in the same way whether it may create or not.
    assert told - played == {
        ("program_member", "bulk", "upsert"),
        ("program_member", "bulk, marked", "upsert"),
        ("lead", "bulk, marked", "update"),
    }
    assert {action for _, action in TABLE} == set(Action)
