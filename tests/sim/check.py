"""The invariants as functions over what a play left: the sandbox's log and records, the journal, the report.

Shares no code with the executor: it reads the plan's rows itself and believes the sandbox.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from syncer.facts import System
from syncer.outcome import Outcome
from tests.sim.scene import PATHS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sim.play import Played

_DONE = "cuw"
_RATE_CODES = ("606", "615", "1016")
_LIMITS = {"email": 300, "Crm_Key__c": 200}


@dataclass(frozen=True)
class Row:
    """One planned row and what the journal says of it: a letter, or "" while nothing final is said."""

    system: System
    operation: str
    number: int
    key: str
    value: str
    letter: str


def violations(played: Played) -> list[str]:
    """Return every broken invariant, in a sentence each."""
    rows = list(_rows(played))
    return [
        *_ends(played),
        *_exclusive_keys(played),
        *_one_record_a_key(played),
        *_last_write_wins(played, rows),
        *_nothing_lost(played, rows),
        *_quotas(played),
        *_only_what_was_planned(played, rows),
        *_one_activity(played, rows),
        *_honest(played, rows),
        *_one_epoch_at_a_time(played),
    ]


def _rows(played: Played) -> Iterator[Row]:
    """Yield the rows in planned order with their outcome, by cutting the scene once more."""
    letters = {note.unit: note.outcomes for note in played.notes if note.kind == "settled"}
    for op in played.scene.ops:
        system, _, _ = PATHS[op.path]
        size = played.scene.sizes[op.path]
        seen: Counter[str] = Counter()
        places: Counter[int] = Counter()
        for number, (key, value) in enumerate(op.rows, start=2):
            seen[key] += 1
            wave = seen[key]
            index, position = divmod(places[wave], size)
            places[wave] += 1
            told = letters.get(f"{op.name}/{wave}/{op.path}/{index:04d}", "")
            yield Row(system, op.name, number, key, value, told[position] if told else "")


def _ends(played: Played) -> Iterator[str]:
    """I17: when faults stop, every run ends, or says what needs a person."""
    if played.result is None or played.result.exit_code not in {0, 7, 9}:
        code = played.result.exit_code if played.result else None
        why = played.result.ending if played.result else ""
        yield f"I17: after {played.lives} lives and {played.seconds / 3600:.1f} h the run ended with {code}: {why}"


def _exclusive_keys(played: Played) -> Iterator[str]:
    """I1: no two writes with one key are under way at once, and no request holds a key twice."""
    for entry in played.sandbox.traffic.entries:
        if len(set(entry.keys)) != len(entry.keys):
            yield f"I1: call {entry.number} holds a key twice"
    for key, found in _spans(played).items():
        found.sort()
        for (_, ended, first), (began, _, second) in pairwise(found):
            if began < ended:
                yield f"I1: {first} and {second} wrote {key} at once"


def _spans(played: Played) -> dict[str, list[tuple[float, float, str]]]:
    """Return, by key, from when to when each write of it was under way; a job is, from its queue to its end."""
    spans: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for entry in played.sandbox.traffic.entries:
        if entry.applied_at is None or entry.job_id is not None:
            continue
        ended = max(entry.applied_at, entry.last_byte_at or entry.applied_at)
        for key in entry.keys:
            spans[f"{entry.system}/{key}"].append((entry.arrived_at, ended, f"{entry.operation} {entry.number}"))
    for job in played.sandbox.traffic.jobs:
        if job.started_at is None:
            continue
        for key in job.keys:
            end = job.finished_at if job.finished_at is not None else float("inf")
            spans[f"{job.system}/{key}"].append((job.queued_at, end, f"job {job.job_id}"))
    return spans


def _by_key(played: Played) -> dict[tuple[System, str], list[str]]:
    names = {System.MARKETO: ("email", "firstName"), System.SALESFORCE: ("Crm_Key__c", "FirstName")}
    found: dict[tuple[System, str], list[str]] = defaultdict(list)
    for system, records in played.held.items():
        key, value = names[system]
        for record in records:
            found[system, record[key]].append(record.get(value, ""))
    return found


def _one_record_a_key(played: Played) -> Iterator[str]:
    """I5: whatever was lost, late or doubled on its way, a key has one record."""
    for (system, key), values in _by_key(played).items():
        if len(values) > 1:
            yield f"I5: {system} holds {key} {len(values)} times"


def _last_write_wins(played: Played, rows: list[Row]) -> Iterator[str]:
    """I2: the target holds, for each key, the last planned row that was written."""
    found = _by_key(played)
    planned: dict[tuple[System, str], list[Row]] = defaultdict(list)
    for row in rows:
        planned[row.system, row.key].append(row)
    for place, mine in planned.items():
        if any(row.letter == "" for row in mine):
            continue
        written = [row.value for row in mine if row.letter in _DONE]
        # A key is looked at only where nothing of it is open: held for a person, or behind what is held.
        if written and found.get(place) != [written[-1]]:
            yield f"I2: {place} holds {found.get(place)}, planned was {written[-1]}"
        if not written and place in found:
            yield f"I2: {place} is there, and every row of it was rejected"


def _nothing_lost(played: Played, rows: list[Row]) -> Iterator[str]:
    """I3: rejected rows are in the file with number, code and reason, and no others."""
    if played.result is None:
        return
    said = [json.loads(line) for line in played.rejects]
    wanted = {(row.operation, row.number) for row in rows if row.letter == "x"}
    found = {(each["operation"], each["row"]) for each in said}
    if wanted != found or len(said) != len(found):
        yield f"I3: rejected are {sorted(wanted)}, the file says {sorted(found)}"
    if any(not each["code"] for each in said):
        yield "I3: a reject has no code"
    if played.result.exit_code != 9 and any(row.letter == "" for row in rows):
        yield f"I3: the run ended with {played.result.exit_code} and some rows have no outcome"


def _quotas(played: Played) -> Iterator[str]:
    """I6: nobody else calls, so the vendor never says that there were too many."""
    planted = {rule.code for rule in played.scene.faults if rule.action == "vendor_error"}
    for code in _RATE_CODES:
        count = played.sandbox.traffic.errors["marketo", code]
        if count and code not in planted:
            yield f"I6: {count} calls were refused with {code}"
    for entry in played.sandbox.traffic.entries:
        limit = _LIMITS["email" if entry.system == "marketo" else "Crm_Key__c"]
        if entry.job_id is None and (entry.record_count or 0) > limit and "/jobs/" not in entry.endpoint:
            yield f"I6: call {entry.number} holds {entry.record_count} records"


def _only_what_was_planned(played: Played, rows: list[Row]) -> Iterator[str]:
    """I10: the target holds planned keys with planned values and nothing else."""
    values: dict[tuple[System, str], set[str]] = defaultdict(set)
    for row in rows:
        values[row.system, row.key].add(row.value)
    for place, found in _by_key(played).items():
        if not set(found) <= values.get(place, set()):
            yield f"I10: {place} holds {found}, which nobody planned"


def _one_activity(played: Played, rows: list[Row]) -> Iterator[str]:
    """I4: a push writes one activity, unless it was reported in doubt."""
    pushes = Counter(
        key
        for entry in played.sandbox.traffic.entries
        if entry.applied_at is not None and "push" in entry.endpoint
        for key in entry.keys
    )
    names = {op.name for op in played.scene.ops if op.path == "push"}
    planned = Counter(f"lead/email/{row.key}" for row in rows if row.operation in names)
    for key, count in pushes.items():
        if count > planned[key]:
            yield f"I4: {key} was pushed {count} times, planned were {planned[key]}"


def _honest(played: Played, rows: list[Row]) -> Iterator[str]:
    """I18: the report says what the journal says, and 0 only when every row arrived."""
    result = played.result
    if result is None:
        return
    for report in result.operations:
        mine = Counter(row.letter for row in rows if row.operation == report.operation)
        told = {
            "c": report.count(Outcome.CREATED),
            "u": report.count(Outcome.UPDATED),
            "w": report.count(Outcome.WRITTEN),
            "x": report.count(Outcome.REJECTED),
        }
        said = {letter: mine[letter] for letter in told}
        if result.exit_code != 9 and told != said:
            yield f"I18: the report of {report.operation} says {told}, the journal {said}"
        if sum(report.outcomes.values()) != report.read:
            yield f"I18: the report of {report.operation} does not add up"
    if result.exit_code == 0 and any(row.letter not in set(_DONE) for row in rows):
        yield "I18: exit 0, and a row did not arrive"


def _one_epoch_at_a_time(played: Played) -> Iterator[str]:
    """I8: what an older lease sent is settled before a newer one sends: each send is announced and ended once."""
    announced: set[str] = set()
    for note in played.notes:
        if note.kind == "committing":
            if note.unit in announced:
                yield f"I8: {note.unit} was sent again before its first sending was settled"
            announced.add(note.unit)
        elif note.kind in {"settled", "unsent", "doubted", "split", "held"}:
            announced.discard(note.unit)
