"""What a plan says, item by item: the sentences that text, Markdown and HTML lay out.

All renderings read these, so no two of them can tell a reviewer different things. Names are not made safe here: a
rendering does that for its own medium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.facts import Fidelity, PathKind
from syncer.plan.words import count, done, minutes, number, quoted, size

if TYPE_CHECKING:
    from syncer.plan.models import ConnectionPlan, LookedUp, Node, OperationPlan, Plan, RejectLine

SHORT = 12
"""Characters of a digest that people compare by eye."""


FIELDS = 8
"""Fields that are named with their counts; the plan's file has all of them."""


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
    return f"{operation.source} through {operation.mapping} into {operation.connection}{options}"


def rows(operation: OperationPlan) -> tuple[Row, ...]:
    """Return the operation's rows told apart; lines of 0 are left out, except for the rows read."""
    checked = Fidelity.CHECKED
    found = [Row(operation.read, "read", checked), Row(operation.outgoing, "to send", checked)]
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
        Row(operation.unchanged, "unchanged since last sent", checked),
        Row(operation.looked.drifted if operation.looked else 0, "changed in the target since", Fidelity.LOOKED_UP, 1),
        Row(operation.skipped, f"skipped by duplicates: {operation.duplicates}", checked),
        Row(operation.rejected, "rejected", checked),
        Row(operation.gone, "in the ledger, no longer in the source", checked),
    ]
    return tuple(row for row in found if row.records != 0 or row.what == "read")


def _looked(looked: LookedUp) -> list[Row]:
    """Return what the target held for the outgoing records, and for those that stay at home."""
    known = Fidelity.LOOKED_UP
    return [
        Row(looked.equal, "held just so already", known, 2),
        Row(looked.ambiguous, "with a key of several records", known, 2),
        *(Row(line.records, f"with another {line.field}", known, 2) for line in looked.fields[:FIELDS]),
    ]


def step(node: Node) -> str:
    """Return what a step sends and costs."""
    units = count(node.units, "job" if node.kind is PathKind.JOB else "request")
    polls = f" and {count(node.polls, 'poll')}" if node.polls else ""
    shapes = "" if node.shapes is None else f" of {count(len(node.shapes), 'shape')}"
    records = count(node.records, "record")
    return (
        f"{records}{shapes} in {units}, {size(node.bytes)}, {count(node.calls, 'call')}{polls}, {minutes(node.minutes)}"
    )


def step_fidelity(node: Node) -> Fidelity:
    """Return how sure the cost of a step is: polls are planned, never certain."""
    return Fidelity.CHECKED if node.is_exact and not node.polls else Fidelity.ESTIMATED


def losers(node: Node) -> list[tuple[str, str]]:
    """Return the paths that lost, with why; those that lost for one reason stand together."""
    found: dict[str, list[str]] = {}
    for losing in node.losing:
        found.setdefault(losing.reason, []).append(losing.path)
    return [(", ".join(paths), reason) for reason, paths in found.items()]


def reject(line: RejectLine) -> str:
    """Return one reason of rejected rows, by code and field, with the first places to look."""
    where = f" at {quoted([line.field])}" if line.field else ""
    first = ", ".join(number(row) for row in line.first_rows)
    seen = f", first in {'row' if len(line.first_rows) == 1 else 'rows'} {first}" if first else ""
    return f"{count(line.records, 'row')}{where}{seen}"


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
    if connection.reads:
        found.append((f"{count(connection.reads, 'call')} made to look records up", Fidelity.CHECKED))
    if connection.budget is not None:
        found.append((f"budget {number(connection.budget)} a day", Fidelity.CHECKED))
    if connection.quota is None:
        found.append(("quota and calls of today", Fidelity.UNKNOWN))
    else:
        used = "an unknown number" if connection.used_today is None else number(connection.used_today)
        reserve = f", {number(connection.reserve)} reserved for others" if connection.reserve else ""
        found.append((f"quota {number(connection.quota)}, {used} used{reserve}", Fidelity.LOOKED_UP))
    return tuple(found)


def made_of(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return the names and digests that the plan is bound to."""
    inputs = plan.inputs
    found = [("syncer", inputs.tool), ("manifest", inputs.manifest)]
    for what, digests in (
        ("describe", inputs.describe),
        ("source", inputs.sources),
        ("rows", inputs.rows),
        ("ledger", inputs.ledger),
    ):
        found += [(f"{what} {each.name}", each.digest) for each in digests]
    return tuple(found)
