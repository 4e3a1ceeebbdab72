"""What a person sees of a run while it works: bars on a terminal, lines in a log."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from syncer.capability import PathKind
from syncer.cli.views.progress import Bars, Lines, bars
from syncer.execution.events import Event, NodeSettled, NodeStarted, Noticed, UnitSent, UnitSettled, Waiting
from syncer.facts import Fidelity, System
from syncer.plan.models import ConnectionPlan, Inputs, Node, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

NOW = "syncer.cli.views.progress.time.monotonic"


def _node(name: str, kind: PathKind, records: int, units: int, minutes: float) -> Node:
    return Node(
        id=name, operation="news", wave=1, path=name.rpartition("/")[2], kind=kind, shapes=None, records=records,
        units=units, bytes=0, calls=units, polls=0, minutes=minutes, is_exact=True, reason="It is a test.",
    )  # fmt: skip


def _plan(left: int | None = 4_998) -> Plan:
    return Plan(
        project="shop",
        inputs=Inputs(tool="t", manifest="m"),
        connections=(
            ConnectionPlan(
                name="marketo",
                system=System.MARKETO,
                calls=42,
                polls=9,
                budget=5_000,
                quota=50_000,
                used_today=2,
                reserve=0,
                concurrency=5,
                fidelity=Fidelity.CHECKED,
                left=left,
            ),
        ),
        operations=(),
        nodes=(
            _node("news/1/sync", PathKind.IMMEDIATE, 12_000, 40, 0.4),
            _node("old/1/bulk", PathKind.JOB, 20_000, 1, 2.5),
            _node("late/1/sync", PathKind.IMMEDIATE, 300, 1, 0.1),
        ),
        edges=(),
    )


def _settled(node: str, number: int, records: int, rejected: int = 0) -> UnitSettled:
    return UnitSettled(
        node, f"{node}/{number:04}", records, records - rejected, 0, 0, rejected, 0, connection="marketo", calls=16
    )


EVENTS: Sequence[Event] = (
    NodeStarted("news/1/sync", 12_000, 40),
    NodeStarted("old/1/bulk", 20_000, 1),
    *(UnitSent("news/1/sync", f"news/1/sync/{number:04}", 300) for number in range(3)),
    UnitSent("old/1/bulk", "old/1/bulk/0000", 20_000),
    _settled("news/1/sync", 0, 3_000, rejected=1),
)


def test_a_terminal_shows_each_step_and_the_day() -> None:
    """Records, requests or jobs, outcomes, the time left by pace or by plan, and calls of those that the day leaves."""
    now = 100.0
    out = io.StringIO()
    console = Console(file=out, width=110, force_terminal=False, color_system=None, legacy_windows=False)
    progress = bars(console)
    progress.get_time = lambda: now
    view = Bars(_plan(), progress)
    for event in EVENTS[:-1]:
        view(event)
    now += 10
    view(EVENTS[-1])
    now += 10
    view(_settled("news/1/sync", 1, 3_000))
    view(Waiting("old/1/bulk", "The queue is full.", 45.0))
    console.print(progress.get_renderable())
    lines = [
        line.replace("\u2501", "").replace("\u2578", "").replace("\u257a", "") for line in out.getvalue().splitlines()
    ]
    assert [" ".join(line.split()) for line in lines] == [
        "news/1/sync 6,000/12,000 0:00:20 2/40 requests 1 under way 5,999 created 1 rejected",
        "old/1/bulk 0/20,000 0:02:10 0/1 jobs 1 under way The queue is full.",
        "late/1/sync 0/300",
        "calls to marketo 16/4,998 left today",
    ]


def test_a_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """When a step begins and ends, when it waits, and every few seconds how far it is and how long it will take."""
    now = 100.0
    monkeypatch.setattr(NOW, lambda: now)
    view = Lines(_plan())
    for event in EVENTS[:-1]:
        view(event)
    now += 4
    view(EVENTS[-1])
    now += 116
    view(_settled("news/1/sync", 1, 3_000))
    view(Waiting("old/1/bulk", "The queue is full.", 45.0))
    view(Waiting("old/1/bulk", "It is over at once.", 0.2))
    view(Noticed("", "The lease is renewed late."))
    view(NodeSettled("late/1/sync"))
    view(NodeSettled("news/1/sync"))
    assert capsys.readouterr().err.splitlines() == [
        "news/1/sync: 12,000 records in 40 requests",
        "old/1/bulk: 20,000 records in 1 job",
        "news/1/sync: 6,000 of 12,000 settled, 2 of 40 requests, 16 calls of 4,998, about 2.0 min left",
        "old/1/bulk: The queue is full. (45 s)",
        "The lease is renewed late.",
        "late/1/sync: settled, nothing sent",
        "news/1/sync: settled, 5,999 created  1 rejected",
    ]
