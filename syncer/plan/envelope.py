"""How far the rows of a moving source may stray from what was reviewed, and whether they did.

A reviewer sees the envelope beside the counts; apply holds today's counts against it. Pure arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from syncer.plan.models import Envelope, Span
from syncer.plan.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.manifest.models import Source
    from syncer.plan.models import Moves, OperationPlan

SHARE = 10
"""Percent by which a count may move."""
RECORDS = 10
"""What a small count may move by: a tenth of nine rows would be a source that may not move at all."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One count of an operation, as reviewed and as it is; `span` None is a count that may be anything."""

    operation: str
    what: str
    reviewed: int | None
    now: int | None
    span: Span | None

    @property
    def is_inside(self) -> bool:
        """Whether the reviewer has seen that it may be so."""
        return self.span is None or (self.now is not None and self.span.least <= self.now <= self.span.most)

    def __str__(self) -> str:
        """Return the comparison as a person reads it."""
        before, after = ("unknown" if each is None else number(each) for each in (self.reviewed, self.now))
        seen = f"{number(self.span.least)} to {number(self.span.most)}" if self.span else "any number"
        return f"{self.operation}, {self.what}: {before} reviewed, {after} now, {seen} allowed"


def moves(source: Source) -> Moves:
    """Return how apply treats the source: a file is taken to stand still, what is asked anew is not."""
    return source.moves or ("exact" if source.database is None and source.connection is None else "within")


def envelope(read: int, outgoing: int, creates: int | None, updates: int | None, rejected: int) -> Envelope:
    """Return what the counts may be at apply; fewer rejects are never a surprise."""
    return Envelope(
        read=_around(read),
        outgoing=_around(outgoing),
        creates=None if creates is None else _around(creates),
        updates=None if updates is None else _around(updates),
        rejected=Span(least=0, most=_around(rejected).most),
    )


def moved(reviewed: OperationPlan, now: OperationPlan) -> Iterator[Moved]:
    """Yield each count that the envelope speaks of, in the order of a plan."""
    spans = reviewed.envelope
    if spans is None:
        return
    name = reviewed.name
    yield Moved(name, "rows read", reviewed.read, now.read, spans.read)
    yield Moved(name, "to send", reviewed.outgoing, now.outgoing, spans.outgoing)
    # A look at the target is not repeated by apply; without one the split may be unknown, before or now.
    if spans.creates is not None and now.creates is not None and reviewed.fidelity is now.fidelity:
        yield Moved(name, "new", reviewed.creates, now.creates, spans.creates)
        yield Moved(name, "to change", reviewed.updates, now.updates, spans.updates)
    yield Moved(name, "rejected", reviewed.rejected, now.rejected, spans.rejected)


def fewer(read: int, outgoing: int) -> Envelope:
    """Return what deletions may be at apply: never one more than the reviewer saw."""
    nothing = Span(least=0, most=0)
    return Envelope(read=Span(least=0, most=read), outgoing=Span(least=0, most=outgoing), rejected=nothing)


def _around(count: int) -> Span:
    margin = max(RECORDS, ceil(count * SHARE / 100))
    return Span(least=max(0, count - margin), most=count + margin)
