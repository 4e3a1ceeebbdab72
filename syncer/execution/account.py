"""The report of a run as a file: counts, reasons, doubts, calls and times, for people and for programs.

Pure but for `write`. It holds names, numbers, codes and sentences, never a value of a record, so it may be shown where
the run may be shown.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from syncer import catalogue
from syncer.capability import PathKind
from syncer.execution.page import render
from syncer.execution.resume import Stage
from syncer.facts import Action, System
from syncer.outcome import Outcome
from syncer.state.place import write_durably

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from syncer.execution.history import History
    from syncer.execution.report import OperationReport, RunResult
    from syncer.execution.resume import Past
    from syncer.plan.models import Node, OperationPlan, Plan

JSON, MARKDOWN = "report.json", "report.md"


class AccountModel(BaseModel):
    """Frozen; unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeAccount(AccountModel):
    """One step. `sends` are requests or jobs that left, repetitions among them; `refused` of them did nothing."""

    id: str
    path: str
    kind: PathKind
    wave: int
    records: int
    settled: int
    sends: int
    refused: int


class RejectAccount(AccountModel):
    """Refused rows by code and field, with the words of one of them."""

    code: str
    title: str
    field: str
    records: int
    reason: str = ""


class OperationAccount(AccountModel):
    """One operation: `rows` were read, and each has one of `outcomes`.

    `looked_up` were decided by a read-back, `repeated` went out again after one; of `unconfirmed` the fields were found
    and the activity cannot be seen.
    """

    name: str
    connection: str
    object: str
    action: Action
    rows: int
    outcomes: dict[Outcome, int]
    looked_up: int
    repeated: int
    unconfirmed: int
    rejects: tuple[RejectAccount, ...]
    nodes: tuple[NodeAccount, ...]


class ConnectionAccount(AccountModel):
    """Calls of one connection: made by this run, planned for it, and the day's budget. None: unknown or without one."""

    name: str
    system: System
    calls: int
    planned: int
    budget: int | None
    quota: int | None


class DoubtAccount(AccountModel):
    """A request or job whose answer was lost, and what became of it. `ruled` is a person's word."""

    unit: str
    records: int
    since: str
    times: int
    reason: str
    ended: Literal["settled", "unsent", "waits for a person", "open"]
    ruled: str = ""


class RunAccount(AccountModel):
    """A run, as far as it came. Moments are ISO 8601 in UTC; `processes` worked on it one after the other."""

    format: Literal[1] = 1
    run: str
    plan: str
    project: str
    tool: str
    exit_code: int
    reason: str
    began: str
    ended: str
    seconds: float
    processes: int
    operations: tuple[OperationAccount, ...]
    connections: tuple[ConnectionAccount, ...]
    doubts: tuple[DoubtAccount, ...]


def build(  # noqa: PLR0913, PLR0917 - what a run is told from, each by its name
    plan: Plan, past: Past, history: History, result: RunResult, calls: Mapping[str, int], now: float
) -> RunAccount:
    """Return the account of a run that ended at `now` with `result`; `calls` are by connection."""
    counts = {each.operation: each for each in result.operations}
    began = history.began or now
    return RunAccount(
        run=result.run,
        plan=plan.digest,
        project=plan.project,
        tool=plan.inputs.tool,
        exit_code=result.exit_code,
        reason="" if result.is_finished else result.reason,
        began=_moment(began),
        ended=_moment(now),
        seconds=round(max(0.0, now - began), 3),
        processes=history.lives,
        operations=tuple(
            _operation(each, counts[each.name], plan, past, history) for each in plan.operations if each.name in counts
        ),
        connections=tuple(
            ConnectionAccount(
                name=each.name,
                system=each.system,
                calls=calls[each.name],
                planned=each.calls + each.polls,
                budget=each.budget,
                quota=each.quota,
            )
            for each in plan.connections
        ),
        doubts=tuple(_doubts(past, history)),
    )


def write(told: RunAccount, folder: Path) -> None:
    """Write the report in both forms, each whole or not at all."""
    for name, text in ((JSON, told.model_dump_json(indent=2) + "\n"), (MARKDOWN, render(told))):
        write_durably(folder / name, text.encode())


def _operation(
    operation: OperationPlan, counted: OperationReport, plan: Plan, past: Past, history: History
) -> OperationAccount:
    nodes = [each for each in plan.nodes if each.operation == operation.name]
    return OperationAccount(
        name=operation.name,
        connection=operation.connection,
        object=operation.object,
        action=operation.action,
        rows=counted.read,
        outcomes={outcome: counted.count(outcome) for outcome in Outcome},
        looked_up=counted.looked_up,
        repeated=counted.repeated,
        unconfirmed=counted.unconfirmed,
        rejects=tuple(_rejects(operation, nodes, past)),
        nodes=tuple(_node(each, past, history) for each in nodes),
    )


def _node(node: Node, past: Past, history: History) -> NodeAccount:
    settled = sum(
        state.records
        for name, state in past.units.items()
        if state.stage is Stage.SETTLED and "[" not in name and name.startswith(f"{node.id}/")
    )
    return NodeAccount(
        id=node.id,
        path=node.path,
        kind=node.kind,
        wave=node.wave,
        records=node.records,
        settled=settled,
        sends=history.sends[node.id],
        refused=history.refused[node.id],
    )


def _rejects(operation: OperationPlan, nodes: list[Node], past: Past) -> Iterator[RejectAccount]:
    """Yield refused rows by code and field, the plan's and the target's together, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    words: dict[tuple[str, str], Counter[str]] = {}
    for planned in operation.rejects:
        counts[planned.code, planned.field] += planned.records
    prefixes = tuple(f"{each.id}/" for each in nodes)
    for name, state in past.units.items():
        if "[" in name or state.stage is not Stage.SETTLED or not name.startswith(prefixes):
            continue
        for note in state.rejects:
            counts[note.code, note.field] += 1
            words.setdefault((note.code, note.field), Counter())[note.reason] += 1
    known = catalogue.entries()
    for (code, field), records in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        said = words.get((code, field))
        yield RejectAccount(
            code=code,
            title=known[code].title if code in known else "",
            field=field,
            records=records,
            reason=said.most_common(1)[0][0] if said else "",
        )


_ENDED: dict[Stage, Literal["settled", "unsent", "waits for a person"]] = {
    Stage.SETTLED: "settled",
    Stage.UNSENT: "unsent",
    Stage.HELD: "waits for a person",
}


def _doubts(past: Past, history: History) -> Iterator[DoubtAccount]:
    for each in history.doubts.values():
        state = past.units[each.unit]
        yield DoubtAccount(
            unit=each.unit,
            records=state.records,
            since=_moment(each.at),
            times=each.times,
            reason=each.reason,
            ended=_ENDED.get(state.stage, "open"),
            ruled=each.ruled,
        )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
