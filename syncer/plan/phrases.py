"""What a plan says, item by item: the sentences that text, Markdown and HTML lay out.

All renderings read these, so no two of them can tell a reviewer different things. Names are not made safe here: a
rendering does that for its own medium.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from syncer import catalogue
from syncer.capability import PathKind
from syncer.facts import Fidelity
from syncer.plan.words import count, done, minutes, number, quoted, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncer.plan.models import (
        ConnectionPlan,
        CursorLine,
        Digest,
        Edge,
        LookedUp,
        Node,
        OperationPlan,
        Plan,
        RejectLine,
    )

SHORT = 12
"""Characters of a digest that people compare by eye."""


FIELDS = 8
"""Fields that are named with their counts; the plan's file has all of them."""

FEW = 3
"""So many small waves, or waits between them, are told one by one; more are one line."""

NAMED = 8
"""Digests of one kind that are listed; the plan's file has all of them, and its own digest covers them."""


_SPREAD = Fidelity.ESTIMATED
"""What others use tomorrow is not known today."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an operation's rows. `depth` 1 is a part of the line above, 2 a part of that."""

    records: int | None
    what: str
    fidelity: Fidelity
    depth: int = 0


def steps_by_operation(plan: Plan) -> dict[str, list[Node]]:
    """Return the steps of each operation, operations in the order in which they may start, those without steps last."""
    found: dict[str, list[Node]] = {}
    for node in plan.nodes:
        found.setdefault(node.operation, []).append(node)
    return found | {each.name: [] for each in plan.operations if each.name not in found}


def longest(plan: Plan) -> float:
    """Return the minutes of the longest chain of steps."""
    starts: dict[str, float] = {}
    followers: dict[str, list[str]] = {}
    for edge in plan.edges:
        followers.setdefault(edge.before, []).append(edge.after)
    end = 0.0
    for node in plan.nodes:
        ready = starts.get(node.id, 0.0) + node.minutes
        end = max(end, ready)
        for follower in followers.get(node.id, ()):
            starts[follower] = max(starts.get(follower, 0.0), ready)
    return end


def summary(plan: Plan) -> str:
    """Return the whole plan in one line."""
    requests = sum(node.units for node in plan.nodes if node.kind is PathKind.IMMEDIATE)
    jobs = sum(node.units for node in plan.nodes if node.kind is PathKind.JOB)
    if not plan.nodes:
        return "nothing to do"
    calls = sum(node.calls + node.polls for node in plan.nodes)
    parts = [count(len(plan.nodes), "step")]
    parts += [count(requests, "request")] if requests else []
    parts += [count(jobs, "job")] if jobs else []
    is_certain = all(node.is_exact and not node.polls for node in plan.nodes)
    return " · ".join([*parts, ("" if is_certain else "about ") + count(calls, "call"), minutes(longest(plan))])


def target(operation: OperationPlan) -> str:
    """Return the verb and where it goes."""
    return f"{operation.action} {operation.object} by {', '.join(operation.key)}"


def origin(operation: OperationPlan) -> str:
    """Return where the rows come from and go to, with what the operation carries besides."""
    options = "".join(f", {name} {value}" for name, value in operation.options)
    if operation.gone_from:
        left = f"what left {operation.source}, by ids that {operation.gone_from} learnt"
        return f"{left}, into {operation.connection}{options}"
    if operation.learns:
        options += "; the state keeps the ids of its records"
    source = operation.source + (_cursor(operation.cursor) if operation.cursor else "")
    return f"{source} through {operation.mapping} into {operation.connection}{options}"


def _cursor(line: CursorLine) -> str:
    """Return from where on a source is read, and to where."""
    start = f"from {line.since} on" if line.since else "from the start"
    end = f", to {line.until}" if line.until else ""
    held = ", the first row that is refused" if line.is_held else ""
    return f" by {line.column} {start}{end}{held},"


def rows(operation: OperationPlan) -> tuple[Row, ...]:
    """Return the operation's rows told apart; lines of 0 are left out, except for the rows read."""
    checked = Fidelity.CHECKED
    read = "left the source" if operation.gone_from else "read"
    found = [Row(operation.read, read, checked), Row(operation.outgoing, "to send", checked)]
    verb = done(operation.action)
    if not operation.outgoing:
        pass
    elif verb:
        found.append(Row(operation.outgoing, f"to be {verb}", checked, 1))
    elif operation.creates is None or operation.updates is None:
        found.append(Row(None, "new or changed", operation.fidelity, 1))
    else:
        found += [
            Row(operation.creates, "new", operation.fidelity, 1),
            Row(operation.updates, "to change", operation.fidelity, 1),
        ]
    found += _looked(operation.looked) if operation.looked else []
    found += [
        Row(operation.looked.unasked if operation.looked else 0, "new or changed", Fidelity.UNKNOWN, 1),
        Row(operation.unchanged, "unchanged since last sent", checked),
        *(_drifted(operation.looked) if operation.looked else ()),
        Row(operation.skipped, f"skipped by duplicates: {operation.duplicates}", checked),
        Row(operation.rejected, "rejected", checked),
        Row(operation.gone, "in the ledger, no longer in the source", checked),
    ]
    return tuple(row for row in found if row.records != 0 or row.what == read)


def _looked(looked: LookedUp) -> list[Row]:
    """Return what the target held for the outgoing records, and for those that stay at home."""
    known = Fidelity.LOOKED_UP
    return [
        Row(looked.equal, "held just so already", known, 2),
        Row(looked.ambiguous, "with a key of several records", known, 2),
        *(Row(line.records, f"with another {line.field}", known, 2) for line in looked.fields[:FIELDS]),
    ]


def _drifted(looked: LookedUp) -> list[Row]:
    """Return what others made, since we sent it, of records that stay at home."""
    known = Fidelity.LOOKED_UP
    return [
        Row(looked.drifted, "changed in the target since", known, 1),
        Row(looked.vanished, "not there any more", known, 2),
        *(Row(line.records, f"with another {line.field}", known, 2) for line in looked.drifted_fields[:FIELDS]),
    ]


@dataclass(frozen=True, slots=True)
class Stride:
    """A step, or several small waves of an operation that go one after the other by one path, told as one."""

    nodes: tuple[Node, ...]

    @property
    def path(self) -> str:
        """The path that carries them."""
        return self.nodes[0].path

    @property
    def kind(self) -> PathKind:
        """Whether by requests or by jobs."""
        return self.nodes[0].kind

    @property
    def waves(self) -> str:
        """Which waves these are."""
        first, last = self.nodes[0].wave, self.nodes[-1].wave
        return f"wave {first}" if first == last else f"waves {number(first)} to {number(last)}"

    @property
    def text(self) -> str:
        """What is sent and what it costs."""
        return _cost(self.nodes)

    @property
    def fidelity(self) -> Fidelity:
        """How sure the cost is: polls are planned, never certain."""
        certain = all(node.is_exact and not node.polls for node in self.nodes)
        return Fidelity.CHECKED if certain else Fidelity.ESTIMATED

    @property
    def reason(self) -> str:
        """Why by this path."""
        reasons = {node.reason for node in self.nodes}
        return reasons.pop() if len(reasons) == 1 else "One request carries each of these waves."

    @property
    def losers(self) -> list[tuple[str, str]]:
        """The paths that lost, with why; those that lost for one reason stand together."""
        found: dict[str, list[str]] = {}
        for losing in self.nodes[0].losing:
            is_told = all(losing in node.losing for node in self.nodes)
            reason = losing.reason if is_told else "It is cheaper for none of these waves."
            found.setdefault(reason, []).append(losing.path)
        return [(", ".join(paths), reason) for reason, paths in found.items()]


def strides(nodes: Sequence[Node]) -> tuple[Stride, ...]:
    """Return the steps of one operation as they are told: many waves of one request each are one line."""
    found: list[Stride] = []
    for is_small, group in groupby(nodes, key=_small):
        some = tuple(group)
        found += [Stride(some)] if is_small and len(some) > FEW else [Stride((node,)) for node in some]
    return tuple(found)


def _small(node: Node) -> tuple[str, frozenset[str]] | None:
    """Return what neighbours must share to be told as one; None for a step that stands alone."""
    if node.wave == 1 or node.units != 1 or node.kind is not PathKind.IMMEDIATE:
        return None
    return node.path, frozenset(losing.path for losing in node.losing)


def _cost(nodes: Sequence[Node]) -> str:
    units = count(sum(node.units for node in nodes), "job" if nodes[0].kind is PathKind.JOB else "request")
    planned = sum(node.polls for node in nodes)
    polls = f" and {count(planned, 'poll')}" if planned else ""
    known = nodes[0].shapes
    shapes = "" if known is None or len(nodes) > 1 else f" of {count(len(known), 'shape')}"
    records = count(sum(node.records for node in nodes), "record")
    calls = count(sum(node.calls for node in nodes), "call")
    took = minutes(sum(node.minutes for node in nodes))
    return f"{records}{shapes} in {units}, {size(sum(node.bytes for node in nodes))}, {calls}{polls}, {took}"


@dataclass(frozen=True, slots=True)
class Wait:
    """One step that waits for another, or many waves that each wait for the one before."""

    after: str
    before: str
    reason: str


def waits(plan: Plan) -> Iterator[Wait]:
    """Yield who waits for whom and why; the many waves of an operation that only follow one another are one line."""
    chains: dict[str, list[int]] = {}
    for edge in plan.edges:
        if _is_wave(edge):
            operation, wave, _ = edge.after.split("/", 2)
            chains.setdefault(operation, []).append(int(wave))
    told = set()
    for edge in plan.edges:
        operation = edge.after.partition("/")[0]
        waves = chains.get(operation, ())
        if not _is_wave(edge) or len(waves) <= FEW:
            yield Wait(edge.after, edge.before, edge.reason)
        elif operation not in told:
            told.add(operation)
            what = f"{operation}, waves {number(min(waves))} to {number(max(waves))}"
            yield Wait(what, "the wave before", "Each is sent when the one before it is settled.")


def _is_wave(edge: Edge) -> bool:
    """Say whether an operation waits for itself."""
    return edge.before.partition("/")[0] == edge.after.partition("/")[0]


def reject(line: RejectLine) -> str:
    """Return one reason of rejected rows: what it is, at which field, and the first places to look."""
    where = f" at {quoted([line.field])}" if line.field else ""
    first = ", ".join(number(row) for row in line.first_rows)
    seen = f", first in {'row' if len(line.first_rows) == 1 else 'rows'} {first}" if first else ""
    title = reject_title(line)
    return f"{title}{': ' if title else ''}{count(line.records, 'row')}{where}{seen}"


def reject_title(line: RejectLine) -> str:
    """Return what the code of a reject means, in its constant words; "" for a code of another version."""
    entry = catalogue.entries().get(line.code)
    return entry.title if entry else ""


def movement(operation: OperationPlan) -> str:
    """Return what the source may do between review and apply; "" for one that must stand still, as files do."""
    if operation.moves == "pinned":
        return "The source may move: apply sends just the rows that are kept, encrypted, beside the plan."
    spans = operation.envelope
    if spans is None:
        return ""
    named = (
        ("read", spans.read),
        ("to send", spans.outgoing),
        ("new", spans.creates),
        ("to change", spans.updates),
        ("rejected", spans.rejected),
    )
    counts = ", ".join(f"{number(each.least)} to {number(each.most)} {what}" for what, each in named if each)
    return f"The source may move: apply goes on, by the same paths, with {counts}."


def budget(connection: ConnectionPlan) -> tuple[tuple[str, Fidelity], ...]:
    """Return what the plan takes of the connection's day, then the numbers that say what is left."""
    needed = f"{count(connection.calls, 'call')} and {count(connection.polls, 'poll')}"
    needed = needed if connection.polls else count(connection.calls, "call")
    left = "" if connection.left is None else f", {number(connection.left)} left today"
    found = [(f"{needed}{left}", connection.fidelity)]
    if connection.days:
        found.append((f"spread over {count(len(connection.days), 'day')}, {number(connection.days[0])} today", _SPREAD))
    if connection.reads:
        kept = f", {number(connection.kept)} kept for apply" if connection.kept else ""
        found.append((f"{count(connection.reads, 'call')} made for this plan{kept}", Fidelity.CHECKED))
    if connection.budget is not None:
        ours = f", {number(connection.used_by_project)} used from here" if connection.used_by_project else ""
        found.append((f"budget {number(connection.budget)} a day{ours}", Fidelity.CHECKED))
    if connection.quota is None:
        found.append(("quota and calls of today", Fidelity.UNKNOWN))
    else:
        used = "an unknown number" if connection.used_today is None else number(connection.used_today)
        reserve = f", {number(connection.reserve)} reserved for others" if connection.reserve else ""
        found.append((f"quota {number(connection.quota)}, {used} used{reserve}", Fidelity.LOOKED_UP))
    return tuple(found)


def made_of(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return the names and digests that the plan is bound to; of many of one kind, how many there are."""
    inputs = plan.inputs
    found = [("syncer", inputs.tool), ("manifest", inputs.manifest)]
    found += _digests("describe", inputs.describe, "objects")
    found += _digests("source", inputs.sources, "sources")
    found += _digests("rows", inputs.rows, "operations")
    found += _digests("ledger", inputs.ledger, "operations")
    return tuple(found)


def _digests(what: str, digests: Sequence[Digest], plural: str) -> list[tuple[str, str]]:
    if len(digests) > NAMED:
        return [(f"{what} of {number(len(digests))} {plural}", "in the plan file, each with its digest")]
    return [(f"{what} {each.name}", each.digest) for each in digests]
