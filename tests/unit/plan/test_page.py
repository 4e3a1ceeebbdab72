"""The plan's page for everybody: no script, nothing from elsewhere, named parts in order, enough contrast, keyboard."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from syncer.facts import SharedKeys, Usage
from syncer.plan.chart import dot, mermaid
from syncer.plan.drawing import folded
from syncer.plan.html import html
from syncer.plan.models import Plan
from syncer.plan.style import SHEET
from tests.fakes.capabilities import LEAD
from tests.fakes.projects import plan
from tests.fakes.rows import facts
from tests.unit.plan.test_render import FULL

LATER = plan(
    {"a": {"action": "create", "spread": True}},
    {"a": facts("a", LEAD, ((3_000,),))},
    budget={"calls_per_day": 4},
    usage={"marketo": Usage(90, 100)},
)
WAVES = plan(
    {"a": {}, "b": {}}, {"a": facts("a", LEAD, [(9,)] * 7), "b": facts("b", LEAD)}, shared=[SharedKeys("a", "b", 3)]
)
FORBIDDEN = {"script", "iframe", "object", "embed", "link", "base", "form", "input", "img", "image", "use"}
VOID = {"meta"}
PAIRS = (
    ("text", "ground"), ("text", "card"), ("soft", "ground"), ("soft", "card"), ("text", "warn-ground"),
    ("accent", "card"), ("accent", "ground"), ("accent", "accent-ground"), ("job", "job-ground"), ("bad", "bad-ground"),
    ("text", "job-ground"), ("soft", "job-ground"), ("text", "faint"), ("soft", "faint"),
    ("good", "card"), ("bad", "card"), ("text", "bad-ground"),
)  # fmt: skip
"""Text on its ground, as the sheet pairs them."""


@dataclass
class Page(HTMLParser):
    """What a page is made of, in its order."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin."""
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that ends itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Note an end that is not the end of what was begun last."""
        if not self.open or self.open.pop() != tag:
            self.unclosed.append(tag)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def page(text: str) -> Page:
    """Return a page, read."""
    found = Page()
    found.feed(text)
    return found


@pytest.mark.parametrize("made", [FULL, LATER, WAVES], ids=["full", "spread", "waves"])
def test_the_page_stands_alone(made: Plan) -> None:
    """No script, no address but its own parts, no style from elsewhere; browsers are told to load nothing."""
    text = html(made)
    read = page(text)
    assert not FORBIDDEN & {tag.lower() for tag, _ in read.tags}
    links = [each["href"] for each in read.all("a")]
    ids = Counter(each["id"] for _, each in read.tags if each.get("id"))
    assert all(link and link.startswith("#") and link[1:] in ids for link in links)
    assert set(ids.values()) == {1}
    assert not any("src" in each or any(name.startswith("on") for name in each) for _, each in read.tags)
    assert not re.search(r"@import|url\((?!#)|https?://", text)
    policy = next(each["content"] for each in read.all("meta") if each.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert read.unclosed == read.open == []


def test_the_parts_are_named_and_in_order() -> None:
    """One main part, one first heading, no level left out, a language, a title; pictures say what they show."""
    read = page(html(FULL))
    assert read.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert levels.count(1) == len(read.all("main")) == 1
    assert all(each.get("aria-label") for _, each in read.tags if each.get("role") in {"img", "group", "region"})


def test_the_keyboard_goes_where_the_mouse_does() -> None:
    """The way to the operations comes first; what folds is a summary, what scrolls can be focused, focus is seen."""
    read = page(html(FULL))
    reached = [(tag, each) for tag, each in read.tags if tag in {"a", "summary"} or each.get("tabindex") is not None]
    assert reached[0][1].get("href") == "#operations"
    assert all(each.get("tabindex") in {None, "0"} for _, each in reached)
    assert len(read.all("summary")) == len(read.all("details"))
    assert any("scroll" in (each.get("class") or "") and each.get("tabindex") == "0" for _, each in read.tags)
    assert ":focus-visible" in SHEET
    assert "prefers-reduced-motion" in SHEET


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_in_both_schemes(scheme: str, text: str, ground: str) -> None:
    """Contrast of at least 4.5 to 1, as WCAG 2.2 reckons it ("Contrast (Minimum)")."""
    light, _, dark = SHEET.partition("@media (prefers-color-scheme: dark)")
    known = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark))
    brighter, darker = sorted((luminance(known[text]), luminance(known[ground])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_plan_over_days_shows_what_today_takes() -> None:
    """The bar is of today, so no part of it runs over."""
    text = html(LATER)
    assert "this plan, today 4" in text
    widths = [float(each) for each in re.findall(r'class="(?:used|ours|gap|reserved)" style="width:([\d.]+)%', text)]
    assert sum(widths) <= 100.01


def test_many_small_waves_are_one_box() -> None:
    """What the text tells in one line, pictures show as one step; waits between them are not drawn."""
    boxes, edges = folded(WAVES)
    assert [box.id for box in boxes] == ["a/1/sync", "a/2/sync", "b/1/sync"]
    assert [(each.before, each.after) for each in edges] == [("a/1/sync", "a/2/sync"), ("a/2/sync", "b/1/sync")]
    assert "a, sync, waves 2 to 7, 54 records" in mermaid(WAVES)
    assert '"a/2/sync" -> "b/1/sync" [label="3 keys in common"];' in dot(WAVES)
    assert "sync, waves 2 to 7, 54" in html(WAVES)
