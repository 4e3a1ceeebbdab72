"""Sample rows in a plan's renderings: shown when they are given, marked as what they are, and no part of the plan."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from jsonschema import Draft202012Validator

from syncer.errors import UserError
from syncer.plan import digest
from syncer.plan.explain import explain
from syncer.plan.html import html
from syncer.plan.markdown import MAX_BYTES, markdown
from syncer.plan.revealed import BANNER, HEADING, RevealedPlan
from syncer.plan.schema import plan_schema
from syncer.sample import OperationSample, SampleCell, SampleKind, SampleRow
from tests.unit.plan.test_render import FULL, HOSTILE, shown

SENT = SampleRow(1, SampleKind.SENT, (SampleCell("email", "ada@example.com"), SampleCell("phone", None)))
CHANGED = SampleRow(
    1_204,
    SampleKind.CHANGED,
    (SampleCell("email", "alan@example.com"), SampleCell("rating", "Hot", None, is_changed=True)),
)
EMPTIED = SampleRow(9, SampleKind.CHANGED, (SampleCell("rating", None, "Cold", is_changed=True),))
REFUSED = SampleRow(7, SampleKind.REJECTED, (SampleCell("born", "kein"),), "V107", "born", "It is no date.")
TORN = SampleRow(8, SampleKind.REJECTED, (), "V220", "", "The row has 2 cells.")
SAMPLES = (OperationSample("newsletter", (SENT, CHANGED, EMPTIED, REFUSED, TORN)),)


def rendered(samples: tuple[OperationSample, ...]) -> dict[str, str]:
    """Return every rendering, as a person sees it."""
    return {
        "text": explain(FULL, 400, samples),
        "Markdown": shown(markdown(FULL, samples=samples)),
        "HTML": shown(html(FULL, samples)),
    }


@pytest.mark.parametrize("form", ["text", "Markdown", "HTML"])
@pytest.mark.parametrize(
    "said",
    [
        BANNER,
        f"{HEADING}: 5 rows, 1 to send, 2 to change, 2 rejected",
        "ada@example.com",
        "1,204",
        'rejected by V107 at "born": It is no date.',
        "rejected by V220: The row has 2 cells.",
        "kein",
        "empty",
    ],
)
def test_every_rendering_shows_the_rows(form: str, said: str) -> None:
    """What is sent, what changes, what is refused and why, under a banner that says what it is."""
    assert said in rendered(SAMPLES)[form]


def test_a_change_stands_beside_what_it_replaces() -> None:
    """Before and after, and a word where one of them is nothing."""
    for form in ("text", "Markdown"):
        assert 'rating empty → "Hot"' in rendered(SAMPLES)[form]
        assert 'rating "Cold" → empty' in rendered(SAMPLES)[form]
    assert "<del><i>empty</i></del> <ins>Hot</ins>" in html(FULL, SAMPLES)
    assert "<del>Cold</del> <ins><i>empty</i></ins>" in html(FULL, SAMPLES)


@pytest.mark.parametrize("form", ["text", "Markdown", "HTML"])
def test_without_rows_nothing_speaks_of_them(form: str) -> None:
    """A plan that reveals nothing looks as it always did."""
    assert BANNER not in rendered(())[form]
    assert HEADING not in rendered(())[form]
    assert rendered(()) == {"text": explain(FULL, 400), "Markdown": shown(markdown(FULL)), "HTML": shown(html(FULL))}


def test_kinds_have_tables_of_their_own() -> None:
    """Refused rows have the columns of their source, and no table stands empty."""
    assert html(FULL, SAMPLES).count("<table class=samples>") == 2
    for row in (SENT, REFUSED):
        assert html(FULL, (OperationSample("newsletter", (row,)),)).count("<table class=samples>") == 1


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        """Note a tag."""
        self.found.append(tag)


def test_no_value_can_break_out() -> None:
    """A record's value is shown as characters: no markup, no mention, no terminal code, no line of its own."""
    cells = (SampleCell(HOSTILE, HOSTILE), SampleCell("n", HOSTILE, HOSTILE, is_changed=True))
    kinds = (SampleKind.SENT, SampleKind.CHANGED, SampleKind.REJECTED)
    hostile = (OperationSample("quiet", tuple(SampleRow(1, kind, cells, "V1", HOSTILE, HOSTILE) for kind in kinds)),)
    page = html(FULL, hostile)
    assert "script" not in Tags(page).found
    for text in (explain(FULL, 100, hostile), markdown(FULL, samples=hostile), page):
        assert "\x1b" not in text
        assert "::set-output" not in text
    written = markdown(FULL, samples=hostile)
    assert not any(each in written for each in ("`@everyone`", "![i]", "<script"))


def test_markdown_keeps_its_bound_with_rows() -> None:
    """However large the values are; what is left out is counted."""
    huge = SampleRow(1, SampleKind.SENT, (SampleCell("bio", "ä" * 60_000),))
    text = markdown(FULL, samples=(OperationSample("newsletter", (huge,)),))
    assert len(text.encode()) <= MAX_BYTES
    assert "operations in detail are not shown here" in text


def test_the_print_in_json_has_its_schema() -> None:
    """The plan's own members, its own digest, and the rows beside them."""
    text = digest.dump(FULL, SAMPLES)
    Draft202012Validator(plan_schema()).validate(json.loads(text))
    assert RevealedPlan.model_validate_json(text).samples == SAMPLES
    assert RevealedPlan.model_validate_json(digest.dump(FULL)).model_dump(mode="json") == json.loads(digest.dump(FULL))
    assert json.loads(text)["digest"] == FULL.digest
    assert text == digest.dump(FULL, SAMPLES)


def test_a_print_with_rows_is_no_plan_file() -> None:
    """Its rows are bound to nothing, so nobody applies or shows it as the plan."""
    with pytest.raises(UserError) as caught:
        digest.load(digest.dump(FULL, SAMPLES))
    assert caught.value.code == "P131"
    assert digest.load(digest.dump(FULL)) == FULL
