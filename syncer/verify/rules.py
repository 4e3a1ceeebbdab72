"""The promises of a run as rules over its evidence: each holds, is broken, or cannot be told, and says why.

Pure. A rule never guesses: where what it needs is gone, it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from syncer.verify import doubts, files, keys, records
from syncer.verify.evidence import units
from syncer.verify.order import disorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from syncer.verify.evidence import Evidence, Unit

    Rule = Callable[[Evidence, Mapping[str, Unit]], Iterator[str] | None]
    """Yields a sentence a breach; None: it cannot be told."""


class Verdict(StrEnum):
    """What became of a promise."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise and how it stands."""

    rule: str
    promise: str
    verdict: Verdict
    breaches: tuple[str, ...] = ()
    missing: str = ""
    """What would have to be there to decide."""


def _belief(evidence: Evidence, _: Mapping[str, Unit]) -> Iterator[str]:
    if evidence.unbelievable:
        yield evidence.unbelievable


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise; `missing` is what would have to be there where it cannot be told."""

    name: str
    sentence: str
    rule: Rule
    missing: str = ""


PROMISES = (
    Promise(
        "journal",
        "Every note is the one that was written, in its place, under a lease not older than the one before.",
        _belief,
    ),
    Promise("order", "Each unit was announced, sent, and settled before it was sent again.", disorder),
    Promise(
        "plan",
        "What was sent is what was planned, in the planned units, with the same bytes each time.",
        records.as_planned,
        "the plan",
    ),
    Promise(
        "rows",
        "Every record has exactly one outcome, and every row that was read is counted once.",
        records.partition,
        "the plan",
    ),
    Promise("end", "A run that says it is finished has left nothing open.", records.ending),
    Promise("steps", "No step began before those before it were settled to the last record.", keys.steps, "the plan"),
    Promise(
        "keys",
        "No key had two writes under way at once.",
        keys.exclusive,
        "the staged rows, which a finished run deletes",
    ),
    Promise(
        "doubts",
        "After a lost answer nothing was sent again too early, or without a word where it could double.",
        doubts.settled_first,
    ),
    Promise(
        "rejects",
        "The rejects file has each refused row once, with code and reason.",
        files.rejects,
        "the end of the run, or its file",
    ),
    Promise("report", "The report says what the journal says.", files.report, "the end of the run, or its file"),
    Promise("ledger", "What a finished run confirmed is in the ledger.", files.ledger, "the plan, or the ledger"),
)


def judge(evidence: Evidence) -> tuple[Finding, ...]:
    """Return how each promise stands."""
    found = units(evidence)
    findings = []
    for each in PROMISES:
        told = each.rule(evidence, found)
        if told is None:
            findings.append(Finding(each.name, each.sentence, Verdict.UNKNOWN, missing=each.missing))
            continue
        breaches = tuple(told)
        findings.append(Finding(each.name, each.sentence, Verdict.BROKEN if breaches else Verdict.HOLDS, breaches))
    return tuple(findings)
