"""The plan in text, Markdown and HTML: the same facts, safe to show, within their bounds."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from syncer.facts import RejectFacts, SharedKeys, Usage
from syncer.plan import phrases
from syncer.plan.drawing import MAX_STEPS, draw, needed
from syncer.plan.explain import NARROWEST, explain
from syncer.plan.html import html
from syncer.plan.layout import BOX_HEIGHT, BOX_WIDTH, lay_out
from syncer.plan.markdown import MAX_BYTES, markdown, safe
from syncer.plan.models import Inputs, Plan, RejectLine
from syncer.plan.phrases import steps_by_operation, summary
from tests.fakes.capabilities import LEAD, LIST_MEMBER
from tests.fakes.projects import INPUTS, plan
from tests.fakes.rows import facts

if TYPE_CHECKING:
    from collections.abc import Callable

SPLIT = facts(
    "newsletter", LEAD, ((40_000, 8_000, 210), (212,)), rejected=12, unchanged=1_500, skipped=3, known_keys=40
)
FULL = plan(
    {"newsletter": {}, "scores": {"after": ["newsletter"]}, "lists": {"target": "lists", "action": "add", "list": "L"},
     "quiet": {}},
    {
        "newsletter": replace(
            SPLIT, folded=12, rejects=(RejectFacts("V203", "email", 11, (3,)), RejectFacts("V299", "", 1))
        ),
        "scores": facts("scores", LEAD, gone=4),
        "lists": facts("lists", LIST_MEMBER),
        "quiet": facts("quiet", LEAD, ()),
    },
    shared=[SharedKeys("newsletter", "scores", 1204)],
    usage={"marketo": Usage(21_000, 50_000)},
    budget={"calls_per_day": 20_000, "reserve": "30%"},
)  # fmt: skip
RENDERINGS: list[Callable[[Plan], str]] = [explain, markdown, html]


def shown(text: str) -> str:
    """Return a rendering as a person sees it: markup gone, entities read, lines joined."""
    import html as entities

    return " ".join(entities.unescape(re.sub(r"<[^>]*>|\*\*", "", text)).split())


@pytest.mark.parametrize("render", RENDERINGS)
@pytest.mark.parametrize(
    "said",
    [
        "upsert lead by email",
        "48,000 records of 2 shapes in 2 jobs, 6.2 MB, 6 calls and 40 polls",
        '46 calls, the least; path "sync" is next and needs 160.',
        "One request can carry all 210 records, and no job is started for that.",
        'It needs "program", which the operation does not set.',
        "1,204 keys in common.",
        "quota 50,000, 21,000 used, 15,000 reserved for others",
        "in the ledger, no longer in the source",
        "skipped by duplicates: serialize",
        "to be added",
        "estimated",
        "looked up",
        "unknown until run",
        "V203",
        "12 rows have a key",
        FULL.digest,
    ],
)
def test_every_rendering_tells_the_same(render: Callable[[Plan], str], said: str) -> None:
    """Counts, choices, losers, order, budget, rejects and notes."""
    assert said in shown(render(FULL))


@pytest.mark.parametrize("width", [20, NARROWEST, 60, 80, 100, 160])
def test_text_keeps_to_its_width(width: int) -> None:
    """Lines wrap at words; only what cannot be broken runs over."""
    lines = explain(FULL, width).splitlines()
    limit = max(width, NARROWEST)
    assert all(len(line) <= limit or " " not in line.strip() or len(line.split()[-1]) > limit - 24 for line in lines)
    assert not any(line != line.rstrip() for line in lines)


def test_a_single_step_needs_no_wave_and_no_order() -> None:
    """What says nothing is left out."""
    text = explain(plan({"a": {}}, {"a": facts("a", LEAD)}))
    assert "Wave" not in text
    assert "Order" not in text
    assert "Warnings" not in text


def test_a_label_too_long_for_its_column_stands_above() -> None:
    """The text keeps its column."""
    step = FULL.nodes[0].model_copy(update={"path": "a_path_with_a_long_name"})
    text = explain(FULL.model_copy(update={"nodes": (step,), "edges": ()}))
    assert "     a_path_with_a_long_name\n                         " in text


def test_a_plan_without_steps_has_nothing_to_do() -> None:
    """In every rendering."""
    idle = plan({"a": {}}, {"a": facts("a", LEAD, (), unchanged=5)})
    assert summary(idle) == "nothing to do"
    for render in RENDERINGS:
        assert "nothing to do" in render(idle)


def test_a_plan_of_nothing_has_no_empty_parts() -> None:
    """Where nothing was modified, no heading stands over nothing."""
    nothing = plan({}, {})
    assert not nothing.connections
    assert "Budget" not in explain(nothing)
    assert "Budget" not in html(nothing)
    assert "No operation is chosen" in html(nothing)
    assert "nothing to do" in markdown(nothing)


def test_the_longest_chain_is_what_a_reviewer_waits_for() -> None:
    """Steps that run side by side do not add up."""
    made = plan({"a": {}, "b": {}}, {n: facts(n, LEAD, ((40_000,),)) for n in "ab"}, shared=[SharedKeys("a", "b", 0)])
    chained = plan(
        {"a": {}, "b": {}}, {n: facts(n, LEAD, ((40_000,),)) for n in "ab"}, shared=[SharedKeys("a", "b", 1)]
    )
    assert phrases.longest(chained) == 2 * phrases.longest(made) > 0


def test_a_quota_with_unknown_use_says_so() -> None:
    """No number is made up."""
    made = plan({"a": {}}, {"a": facts("a", LEAD)}, usage={"marketo": Usage(None, 50_000)})
    for render in RENDERINGS:
        assert "quota 50,000, an unknown number used" in shown(render(made))


HOSTILE = "x\x1b[2J</style><script>alert(1)</script>|`@everyone`\n::set-output::![i](https://evil.example/)"


@pytest.mark.parametrize("render", RENDERINGS)
def test_no_name_can_break_out(render: Callable[[Plan], str]) -> None:
    """Escapes, markup, mentions, links and workflow commands are shown as characters, wherever a name stands."""
    operation = {"path": "sync", "because": HOSTILE, "partition": HOSTILE}
    known = replace(facts("a", LEAD, rejected=1), rejects=(RejectFacts("V1", HOSTILE, 1),), interpreted=(HOSTILE,))
    targets = {"leads": {"connection": "marketo", "object": HOSTILE, "key": HOSTILE}}
    made = plan({"a": operation}, {"a": known}, targets=targets, able={("marketo", HOSTILE): LEAD},
                inputs=Inputs(tool=HOSTILE, manifest=HOSTILE))  # fmt: skip
    text = render(made.model_copy(update={"project": HOSTILE, "warnings": (HOSTILE,)}))
    assert "\x1b" not in text
    assert "::" not in text.replace("summary::", "").replace("details::", "")
    if render is not explain:
        assert "<script" not in text
    if render is markdown:
        assert not re.search(r"@everyone|https:|!\[i\]", text)
    if render is html:
        assert text.count("</style>") == 1


def many(count: int, *, targets: dict[str, str] | None = None) -> Plan:
    """Return a plan of many operations that do not meet."""
    names = [f"operation_{index:04d}" for index in range(count)]
    pairs = [SharedKeys(a, b, 0) for i, a in enumerate(names) for b in names[i + 1 :]]
    return plan(dict.fromkeys(names, targets or {}), {name: facts(name, LEAD) for name in names}, shared=pairs)


@pytest.mark.parametrize("count", [1, 60, 300])
def test_markdown_fits_a_comment_and_names_what_it_leaves_out(count: int) -> None:
    """Whole operations are left out, never half of one."""
    text = markdown(many(count))
    assert len(text.encode()) <= MAX_BYTES
    assert ("are not shown here" in text) == (count == 300)
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("`\n")


def test_markdown_keeps_to_any_bound_that_holds_its_head() -> None:
    """Warnings and the order give way too."""
    chatty = FULL.model_copy(update={"warnings": tuple(f"Warning {index}." for index in range(500))})
    for bound in (2_000, 4_000, 8_000, 16_000):
        assert len(markdown(chatty, bound).encode()) <= bound
    assert "of 497 more warnings are not shown here" in markdown(chatty, 4_000)
    wordy = FULL.model_copy(update={"warnings": ("w" * 2_000,) * 500})
    assert "500 of 500 warnings are not shown here" in markdown(wordy, 2_000)


def test_markdown_keeps_a_few_warnings_in_sight_and_folds_the_others() -> None:
    """A reviewer reads the table first, however many warnings there are."""
    for number, folded in ((3, ""), (4, "1 more warning<"), (500, "497 more warnings<")):
        warned = FULL.model_copy(update={"warnings": tuple(f"Warning {index}." for index in range(number))})
        before, mark, after = markdown(warned).partition(f"<summary>{folded}" if folded else "\x00")
        assert bool(mark) is bool(folded)
        assert before.count("- Warning ") == 3
        assert after.count("- Warning ") == number - 3


def test_markdown_of_many_operations_with_many_reasons_is_bounded_in_bytes() -> None:
    """200 operations with 50 kinds of rejects, and names whose letters take more bytes than one."""
    base = many(200)
    kinds = tuple(RejectLine(code=f"V{kind}", field="größe", records=3, first_rows=(1, 2)) for kind in range(50))
    plan_of_all = base.model_copy(
        update={"operations": tuple(each.model_copy(update={"rejects": kinds}) for each in base.operations)}
    )
    text = markdown(plan_of_all)
    assert len(text.encode()) <= MAX_BYTES
    assert "of 200 operations in detail are not shown here: read the plan file." in text
    assert text.count("<details>") == text.count("</details>") >= 5
    assert "<details open" not in text


def test_markdown_shows_characters_as_characters() -> None:
    """Markup is written as entities."""
    assert safe("a|b <c> *d* #1") == "a&#124;b &#60;c&#62; &#42;d&#42; &#35;1"


class Page(HTMLParser):
    """Counts tags, and notes what a page would fetch."""

    VOID = ("meta", "rect", "path")

    def __init__(self) -> None:
        """Start with nothing open."""
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that must be closed, its id and where it leads."""
        self.tags.add(tag)
        self.open += [tag] if tag not in self.VOID else []
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "srcset", "action"}]

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag, which must be the last one opened, or a path with a title."""
        if tag == "path" and self.open[-1] != "path":
            return
        assert self.open.pop() == tag


@pytest.mark.parametrize("made", [FULL, many(4)], ids=["full", "many"])
def test_the_page_stands_alone(made: Plan) -> None:
    """Well formed, without script, and every link leads to a place in the page itself."""
    page = Page()
    page.feed(html(made))
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "form"}
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))


def test_many_warnings_and_operations_are_folded() -> None:
    """A page opens on what a person can take in."""
    loud = FULL.model_copy(update={"warnings": tuple("abcde")})
    assert "2 more warnings" in html(loud)
    assert " open>" in html(plan({"a": {}}, {"a": facts("a", LEAD)}))
    assert " open>" not in html(many(4))


def test_a_graph_of_too_many_steps_is_a_list() -> None:
    """Nobody reads a picture of hundreds of boxes."""
    node = FULL.nodes[0]
    crowd = FULL.model_copy(
        update={"nodes": tuple(node.model_copy(update={"id": str(n)}) for n in range(MAX_STEPS + 1))}
    )
    assert draw(crowd) == ""
    assert "401 steps are too many to draw" in html(crowd)


def test_a_line_that_follows_from_others_is_not_drawn() -> None:
    """The list still tells it."""
    names = ["a", "b", "c"]
    made = plan({name: {} for name in names}, {name: facts(name, LEAD) for name in names})
    assert len(made.edges) == 3
    assert [(edge.before, edge.after) for edge in needed(made)] == [("a/1/sync", "b/1/sync"), ("b/1/sync", "c/1/sync")]


def test_a_long_name_is_shortened_in_its_box_and_whole_in_its_title() -> None:
    """The box keeps its size."""
    name = "customers_with_a_very_long_name_indeed"
    drawn = draw(plan({name: {}}, {name: facts(name, LEAD)}))
    assert f"<title>{name}, sync" in drawn
    assert ">customers_with_a_very_l\u2026</text>" in drawn


@pytest.mark.parametrize("width", [0.0, 500.0, 1200.0])
def test_boxes_never_overlap_and_lines_go_forward(width: float) -> None:
    """A diamond with a long line around it, a chain, and singles."""
    names = list("abcdefgh")
    pairs = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "d"), ("e", "f"), ("e", "f")]
    drawing = lay_out(names, pairs, width)
    boxes = list(drawing.boxes.values())
    for index, (left, top) in enumerate(boxes):
        assert 0 <= left <= drawing.width - BOX_WIDTH
        assert -0.01 <= top <= drawing.height - BOX_HEIGHT + 0.01
        for other_left, other_top in boxes[index + 1 :]:
            assert abs(left - other_left) >= BOX_WIDTH or abs(top - other_top) >= BOX_HEIGHT
    assert all(points[0][0] < points[-1][0] for points in drawing.edges.values())
    assert len(drawing.edges["a", "d"]) == 4


def test_operations_stand_in_the_order_of_their_steps() -> None:
    """Those with nothing to do come last."""
    assert list(steps_by_operation(FULL)) == ["newsletter", "scores", "lists", "quiet"]
    assert FULL.inputs == INPUTS
