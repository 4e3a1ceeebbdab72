"""What follows a lost answer, path by path, as the Markdown table that `docs/reliability.md` holds.

Made of the values that the executor itself reads: the paths' capabilities and the table of `execution.resolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.execution.resolve import LATE_SECONDS, DoubtRule, Next, next_step
from syncer.facts import Action, PathKind, System
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.protocol import Verdict
from syncer.targets.registry import capabilities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.facts import PathCapability

BEGIN, END = "<!-- doubts: begin -->", "<!-- doubts: end -->"
OBJECTS = (
    (System.MARKETO, "lead", "lead"),
    (System.MARKETO, "program_member", "program member"),
    (System.MARKETO, "order_c", "custom object"),
    (System.SALESFORCE, "Contact", "any object"),
)
HEAD = ("path", "action", "waits", "looks at", "as sent", "otherwise", "absent", "cannot be told")
WORDS = {
    Next.SETTLED: "done",
    Next.CREATE_ONLY: "create only",
    Next.UPDATE_BY_ID: "update by id",
    Next.REPEAT: "again",
    Next.HOLD: "**a person**",
}
LOOKS = {
    (System.MARKETO, PathKind.JOB): "the import by its number; without one, a sample of rows for 30 min, then all rows",
    (System.SALESFORCE, "multipart"): "the user's jobs until none is under way, then the rows",
    (System.SALESFORCE, "bulk2"): "the job by its number: open ones are aborted, living ones adopted",
}
VERDICTS = (Verdict.APPLIED, Verdict.DIFFERS, Verdict.ABSENT, Verdict.UNKNOWN)


def rendered() -> str:
    """Return the table between its marks."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}", *(f"| {' | '.join(each)} |" for each in rows())]
    return "\n".join((BEGIN, *lines, END))


def rows() -> Iterator[tuple[str, ...]]:
    """Yield a row a path and action; actions of which the same follows share one."""
    for system, name, words in OBJECTS:
        endpoint = Endpoint("x", system, "https://x", "", Secret(""))
        for path in capabilities(name, endpoint).paths:
            same: dict[tuple[str, ...], list[str]] = {}
            for action in sorted(path.actions):
                same.setdefault(_follows(path, action), []).append(action)
            for follows, actions in same.items():
                waits = f"{path.server_timeout_seconds + LATE_SECONDS:.0f} s"
                place = f"{system.capitalize()} {words}, {path.name}"
                yield place, ", ".join(actions), waits, _looks(system, path), *follows


def _follows(path: PathCapability, action: Action) -> tuple[str, ...]:
    rule = DoubtRule(action, path.repeat, "hold")
    return tuple(WORDS[next_step(rule, verdict)] for verdict in VERDICTS)


def _looks(system: System, path: PathCapability) -> str:
    return LOOKS.get((system, path.name), LOOKS.get((system, path.kind), "the records by key"))
