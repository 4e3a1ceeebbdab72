"""What follows a lost answer, path by path, as the Markdown table that `docs/reliability.md` holds.

Made of the values that the executor itself reads: the paths' capabilities and the table of `execution.resolve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.capability import PathKind
from syncer.execution.resolve import LATE_SECONDS, DoubtRule, Next, next_step
from syncer.facts import Action, System
from syncer.mark import RUN_MARKER
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.protocol import Verdict
from syncer.targets.registry import capabilities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.capability import PathCapability

BEGIN, END = "<!-- doubts: begin -->", "<!-- doubts: end -->"
OBJECTS = (
    (System.MARKETO, "lead", "lead"),
    (System.MARKETO, "program_member", "program member"),
    (System.MARKETO, "order_c", "custom object"),
    (System.SALESFORCE, "Contact", "any object"),
)
MARKED = ", marked"
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
    """Yield a row a path and action; actions of which the same follows share one, and a mark has one where it helps."""
    for system, name, words in OBJECTS:
        endpoint = Endpoint("x", system, "https://x", "", Secret(""))
        for path in capabilities(name, endpoint).paths:
            yield from _rows(system, f"{system.capitalize()} {words}, {path.name}", path, is_marked=False)
            if RUN_MARKER in path.options:
                yield from _rows(system, f"{system.capitalize()} {words}, {path.name}{MARKED}", path, is_marked=True)


def _rows(system: System, place: str, path: PathCapability, *, is_marked: bool) -> Iterator[tuple[str, ...]]:
    same: dict[tuple[str, ...], list[str]] = {}
    looks = _looks(system, path, is_marked=is_marked)
    for action in sorted(path.actions):
        follows = _follows(path, action, is_marked=is_marked)
        is_lost_import = (system, path.kind) == (System.MARKETO, PathKind.JOB)
        if not is_marked or is_lost_import or follows != _follows(path, action, is_marked=False):
            same.setdefault(follows, []).append(action)
    for follows, actions in same.items():
        yield place, ", ".join(actions), f"{path.server_timeout_seconds + LATE_SECONDS:.0f} s", looks, *follows


def _follows(path: PathCapability, action: Action, *, is_marked: bool) -> tuple[str, ...]:
    rule = DoubtRule(action, path.repeat, "hold", is_marked=is_marked)
    return tuple(WORDS[next_step(rule, verdict)] for verdict in VERDICTS)


def _looks(system: System, path: PathCapability, *, is_marked: bool) -> str:
    looks = LOOKS.get((system, path.name), LOOKS.get((system, path.kind), "the records by key"))
    if not is_marked:
        return looks
    if (system, path.kind) != (System.MARKETO, PathKind.JOB):
        return f"{looks}, at their marks"
    return looks.replace("all rows", "all rows, at their marks; where none has one, the file goes out again")
