"""The plan as plain data: what will be done, in which order, by which path and why, at what cost.

The executor walks exactly this and decides nothing. JSON round trip, byte-identical for the same inputs, no personal
data.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from syncer.capability import PathKind
from syncer.facts import Action, Fidelity, System


class PlanModel(BaseModel):
    """Frozen; unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Digest(PlanModel):
    """A named digest that the plan is bound to."""

    name: str
    digest: str


class Inputs(PlanModel):
    """What the plan was made of. A difference at apply makes it stale."""

    tool: str
    manifest: str
    describe: tuple[Digest, ...] = ()
    sources: tuple[Digest, ...] = ()
    rows: tuple[Digest, ...] = ()
    ledger: tuple[Digest, ...] = ()


def _is_unset(value: object) -> bool:
    """Whether a plan says nothing by this member, so that its file leaves it out."""
    return not value


def _is_exact(value: object) -> bool:
    """Whether a source stands still, as a file does: the usual case needs no word."""
    return value == "exact"


class ConnectionPlan(PlanModel):
    """Calls of one connection against its budget. None: unknown.

    `left` is what this plan may use. `fidelity` says how sure `calls` and `polls` are; `used_today` and `quota` are
    looked up or None.
    """

    name: str
    system: System
    calls: int
    polls: int
    budget: int | None
    quota: int | None
    used_today: int | None
    reserve: int
    concurrency: int
    fidelity: Fidelity
    left: int | None = None
    reads: int = Field(default=0, exclude_if=_is_unset)
    """Calls that were made for this plan, to ask for usage and to look records up; they are spent."""
    kept: int = Field(default=0, exclude_if=_is_unset)
    """Calls that are left over for the question with which apply begins."""
    used_by_project: int = Field(default=0, exclude_if=_is_unset)
    """Calls of today by runs and plans that share the state, of this project or another."""
    days: tuple[int, ...] = Field(default=(), exclude_if=_is_unset)
    """Calls a day, today first, where the plan takes more days than one."""


class Losing(PlanModel):
    """A path that was not chosen, with a full sentence why."""

    path: str
    reason: str
    calls: int | None = None
    minutes: float | None = None


class RejectLine(PlanModel):
    """Rows refused at plan time, by reason."""

    code: str
    field: str
    records: int
    first_rows: tuple[int, ...] = ()


class FieldLine(PlanModel):
    """A field whose value the target holds otherwise, and in how many records."""

    field: str
    records: int


class LookedUp(PlanModel):
    """What the target held when the plan was made: outgoing = absent + equal + changed + ambiguous + unasked.

    `unasked` records have a key that cannot be asked for. Of the `drifted`, `vanished` are not there any more.
    """

    keys: int
    calls: int
    absent: int
    equal: int
    changed: int
    ambiguous: int
    drifted: int
    fields: tuple[FieldLine, ...] = ()
    unread: tuple[str, ...] = ()
    unasked: int = Field(default=0, exclude_if=_is_unset)
    vanished: int = Field(default=0, exclude_if=_is_unset)
    drifted_fields: tuple[FieldLine, ...] = Field(default=(), exclude_if=_is_unset)


class CursorLine(PlanModel):
    """An incremental read: rows at `since` of a column and after it. `until` is where the next read may begin.

    `since` "": from the start. `is_held`: a row that is refused keeps the cursor from passing it.
    """

    column: str
    since: str
    until: str
    is_held: bool = False


Moves = Literal["exact", "within", "pinned"]
"""What a source may do between review and apply: nothing, stray within the envelope, or anything: its rows are kept."""


class Span(PlanModel):
    """The least and the most that a count may be."""

    least: int
    most: int


class Envelope(PlanModel):
    """The counts at apply that the reviewer allows. None: a count that was unknown."""

    read: Span
    outgoing: Span
    creates: Span | None = None
    updates: Span | None = None
    rejected: Span


class OperationPlan(PlanModel):
    """One operation: its rows told apart. read = outgoing + unchanged + skipped + rejected.

    `creates` and `updates` None: unknown until run. `fidelity` says how sure that split is; the other counts are
    checked.
    """

    name: str
    source: str
    mapping: str
    connection: str
    object: str
    action: Action
    key: tuple[str, ...]
    duplicates: str
    options: tuple[tuple[str, str], ...] = ()
    on_unknown: Literal["hold", "resend"] = "hold"
    read: int
    outgoing: int
    creates: int | None
    updates: int | None
    unchanged: int
    skipped: int
    rejected: int
    folded: int
    gone: int = 0
    fidelity: Fidelity
    rejects: tuple[RejectLine, ...] = ()
    interpreted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    learns: bool = Field(default=False, exclude_if=_is_unset)
    """The state keeps the vendor's ids of its records, so that those that leave the source can be deleted."""
    gone_from: str = Field(default="", exclude_if=_is_unset)
    """The operation whose leavings it clears up: what is deleted is forgotten in that operation's ledger."""
    cursor: CursorLine | None = Field(default=None, exclude_if=_is_unset)
    looked: LookedUp | None = Field(default=None, exclude_if=_is_unset)
    moves: Moves = Field(default="exact", exclude_if=_is_exact)
    envelope: Envelope | None = Field(default=None, exclude_if=_is_unset)


class Node(PlanModel):
    """One step: a wave of an operation by one path. `shapes` None: all rows of the wave, mixed.

    `units` requests or jobs; `calls` quota calls without polls, `polls` the planned polls.
    """

    id: str
    operation: str
    wave: int
    path: str
    kind: PathKind
    shapes: tuple[int, ...] | None
    records: int
    units: int
    bytes: int
    calls: int
    polls: int
    minutes: float
    is_exact: bool
    reason: str
    losing: tuple[Losing, ...] = ()


class Edge(PlanModel):
    """`after` starts when every unit of `before` is settled."""

    before: str
    after: str
    reason: str
    keys: int | None = None


class Plan(PlanModel):
    """A reviewed artifact. `digest` covers everything else in it."""

    format: Literal[1] = 1
    project: str
    inputs: Inputs
    connections: tuple[ConnectionPlan, ...]
    operations: tuple[OperationPlan, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    warnings: tuple[str, ...] = ()
    reviewed: str = Field(default="", exclude_if=_is_unset)
    """Digest of the reviewed plan that this one carries out with rows that moved within its envelope."""
    digest: str = ""
