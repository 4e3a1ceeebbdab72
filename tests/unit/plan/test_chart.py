"""The plan's graph for other programs: every step, the lines that are needed, and names that stay names."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from syncer.facts import SharedKeys
from syncer.plan.chart import dot, mermaid, svg
from syncer.plan.drawing import MAX_STEPS
from tests.fakes import projects
from tests.fakes.capabilities import LEAD
from tests.fakes.rows import facts


def plan_of(names: tuple[str, ...] = ("news", "trial"), keys: int | None = 7) -> object:
    """Return a plan of operations of one key space that meet."""
    shared = [SharedKeys(first, second, keys) for first, second in pairwise(names)]
    return projects.plan(
        {name: {} for name in names}, {name: facts(name, LEAD, ((5,),)) for name in names}, shared=shared
    )


def test_mermaid_names_steps_and_why_they_wait() -> None:
    """A box a step, a line where one waits, labelled with the keys they share."""
    assert mermaid(plan_of()).splitlines() == [
        "flowchart LR",
        '  n0["news, sync, wave 1, 5 records"]',
        '  n1["trial, sync, wave 1, 5 records"]',
        '  n0 -->|"7 keys in common"| n1',
    ]


def test_dot_is_quoted() -> None:
    """Names are strings of Graphviz's language."""
    text = dot(plan_of())
    assert '  "news/1/sync" -> "trial/1/sync" [label="7 keys in common"];' in text
    assert text.startswith("digraph plan {\n")
    assert text.endswith("}\n")


def test_a_name_cannot_be_code() -> None:
    """Quotes, brackets and backslashes of a name do not end it."""
    plan = projects.plan({"news": {}}, {"news": facts("news", LEAD, ((5,),))})
    spoilt = plan.nodes[0].model_copy(update={"operation": 'a"] --> b["\\x', "id": 'a"\\b'})
    plan = plan.model_copy(update={"nodes": (spoilt,)})
    assert '"]' not in mermaid(plan).splitlines()[1].removesuffix('"]')
    assert '"a\\"\\\\b" [label=' in dot(plan)


def test_a_line_without_shared_keys_waits() -> None:
    """An order that a person asked for has no keys to count."""
    plan = projects.plan(
        {"news": {}, "trial": {"after": ["news"]}}, {name: facts(name, LEAD, ((5,),)) for name in ("news", "trial")}
    )
    assert '-->|"waits"|' in mermaid(plan)


def test_svg_stands_alone() -> None:
    """It is XML of its own, with a name space and a style, and nothing is fetched for it."""
    text = svg(plan_of())
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<style>" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("steps", [MAX_STEPS, MAX_STEPS + 1])
def test_too_many_steps_are_no_picture(steps: int) -> None:
    """Above the limit there is nothing to see, and the text forms are still whole."""
    plan = projects.plan({"news": {}}, {"news": facts("news", LEAD, ((5,),))})
    nodes = tuple(plan.nodes[0].model_copy(update={"id": f"n{number}"}) for number in range(steps))
    plan = plan.model_copy(update={"nodes": nodes})
    assert bool(svg(plan)) == (steps <= MAX_STEPS)
    assert mermaid(plan).count("\n") == steps + 1
