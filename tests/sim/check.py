"""The invariants as functions over what a play left: the sandbox's log and records, the journal, the report.

Shares no code with the executor: it reads the scene's rows itself, and believes the sandbox and a plain model of it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, log2
from typing import TYPE_CHECKING, Any

from syncer.outcome import Outcome
from tests.sim.model import Model
from tests.sim.ways import UNKNOWN, email

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sim.play import Played
    from tests.sim.scene import Op, Row

_DONE = set("cuw")
_CLASS = {"c": "done", "u": "done", "w": "done", "s": "nothing", "x": "refused"}
_GRACE_SECONDS = 10.0
_TAKES = {
    "/rest/v1/leads.json": 300,
    "/services/data/vXX.X/composite/sobjects": 200,
}


@dataclass(frozen=True, slots=True)
class Told:
    """One planned row and what the journal says of it: a letter, or "" while nothing final is said."""

    op: Op
    row: Row
    letter: str
    unit: str


def violations(played: Played) -> list[str]:
    """Return every broken invariant, in a sentence each."""
    rows = list(_told(played))
    return [
        *_ends(played),
        *_exclusive_keys(played),
        *_as_undisturbed(played, rows),
        *_nothing_lost(played, rows),
        *_quotas(played),
        *_signs_in_seldom(played),
        *_safe_remedies(played, rows),
        *_only_what_was_planned(played),
        *_one_activity(played, rows),
        *_once_created(played, rows),
        *_converges(played, rows),
        *_few_calls_for_the_spoilt(played),
        *_stops_politely(played),
        *_one_applier(played),
        *_honest(played, rows),
    ]


def _told(played: Played) -> Iterator[Told]:
    """Yield the rows in the plan's order with their outcome, by cutting the scene once more."""
    letters = {note.unit: note.outcomes for note in played.notes if note.kind == "settled"}
    ops = {op.name: op for op in played.scene.ops}
    for name in (each.name for each in played.plan.operations):
        op = ops[name]
        seen: Counter[int] = Counter()
        places: Counter[int] = Counter()
        size = op.size if op.way.is_job else min(op.size, op.way.largest)
        for row in op.rows:
            seen[row.whom] += 1
            wave = seen[row.whom]
            index, position = divmod(places[wave], size)
            places[wave] += 1
            unit = f"{op.name}/{wave}/{op.way.path}/{index:04d}"
            told = letters.get(unit, "")
            yield Told(op, row, told[position] if told else "", unit)


def _ends(played: Played) -> Iterator[str]:
    """I17: when the trouble is over, every run ends, or says what needs a person."""
    guards = any(op.max_creates is not None or op.max_rejected is not None for op in played.scene.ops)
    allowed = {0, 7, 9} | ({5} if guards else set())
    code = played.result.exit_code if played.result else None
    if code not in allowed:
        why = played.result.ending if played.result else ""
        yield f"I17: after {len(played.lives)} lives and {played.seconds / 3600:.1f} h the run ended with {code}: {why}"


def _exclusive_keys(played: Played) -> Iterator[str]:
    """I1: no two writes with one key are under way at once, and no request holds a key twice."""
    for entry in played.entries:
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
    for entry in played.entries:
        if entry.applied_at is None or entry.job_id is not None or "{jobId}" in entry.endpoint:
            continue
        ended = max(entry.applied_at, entry.last_byte_at or entry.applied_at)
        for key in entry.keys:
            spans[f"{entry.system}/{key}"].append((entry.arrived_at, ended, f"{entry.operation} {entry.number}"))
    for job in played.jobs:
        if job.started_at is None:
            continue
        for key in job.keys:
            end = job.finished_at if job.finished_at is not None else inf
            spans[f"{job.system}/{key}"].append((job.queued_at, end, f"job {job.job_id}"))
    return spans


def _as_undisturbed(played: Played, rows: list[Told]) -> Iterator[str]:
    """I2, I4, I5, I13: outcomes and records are those of a run that nothing disturbed, row after row in order."""
    model = Model.of(played.scene)
    open_: set[tuple[str, int]] = set()
    excused = _excused(played)
    for told in rows:
        op, row = told.op, told.row
        thing = {"list": "lead", "member": "lead"}.get(op.way.writes.split(" ")[0], op.way.writes.split(" ")[0])
        place = (thing, row.whom)
        if op.way.writes == "lead duplicate":
            continue
        if told.letter not in _CLASS:
            open_.add(place)
        if place in open_:
            continue
        wanted, said = model.would(op, row), _CLASS[told.letter]
        if (
            not _agree(wanted, said, op)
            and not (said == "refused" and excused(op, row))
            and told.unit not in played.ruled
        ):
            where = f"row {row.number} of {op.name} ({op.way.name}, {row.whom})"
            yield f"I13: {where} was {said}, undisturbed it is {wanted}"
        if said == "done" and wanted != "nothing":
            model.do(op, row)
    yield from _same_records(played, model, open_)


def _agree(wanted: str, said: str, op: Op) -> bool:
    """Whether an outcome may stand for the undisturbed one: what is gone is gone, however that was learnt."""
    if wanted == said:
        return True
    can_be_done_before = op.way.writes.split(" ")[1] in {"delete", "remove", "status", "add"}
    return (can_be_done_before and {wanted, said} <= {"done", "nothing"}) or (
        op.way.writes == "contact delete" and wanted in {"nothing", "refused"}
    )


def _excused(played: Played) -> Any:
    """Return what tells whether a row may be refused for the vendor's own reasons: a lock, a spoilt request."""
    locks = {entry.system for entry in played.entries if "lock_rows" in entry.faults}
    locks |= {rule.system for rule in played.scene.faults if rule.action == "lock_rows"}
    poisoned = [rule.key for rule in played.scene.lasting]

    def excuse(op: Op, row: Row) -> bool:
        return op.way.system in locks or bool(
            poisoned
            and op.way.system in {rule.system for rule in played.scene.lasting}
            and _is_poisoned(op, row, poisoned)
        )

    return excuse


def _is_poisoned(op: Op, row: Row, keys: list[str | None]) -> bool:
    from tests.sim.trouble import poison

    return poison(op.way, row.whom).key in keys


def _same_records(played: Played, model: Model, open_: set[tuple[str, int]]) -> Iterator[str]:
    contents = played.contents
    numbers = {row.whom for op in played.scene.ops for row in op.rows} | set(range(played.scene.people))
    for number in sorted(each for each in numbers if each < UNKNOWN):
        mail = email(number)
        if ("lead", number) not in open_ and number not in played.scene.twins:
            yield from _same("lead", mail, model.leads.get(number), contents.leads.get(mail, []))
            if (number in model.listed) != (mail in contents.listed):
                yield f"I2: whether {mail} is in the list is {mail in contents.listed}, wanted {number in model.listed}"
            if model.members.get(number) != contents.members.get(mail):
                yield f"I2: {mail} is a member as {contents.members.get(mail)}, wanted {model.members.get(number)}"
        for thing, wanted, key, held in (
            ("order", model.orders, f"o-{number}", contents.orders),
            ("seat", model.seats, str(number), contents.seats),
            ("contact", model.contacts, f"key-{number}", contents.contacts),
        ):
            if (thing, number) not in open_:
                yield from _same(thing, key, wanted.get(number), held.get(key, []))
    for thing, held in (("order", contents.orders), ("contact", contents.contacts), ("lead", contents.leads)):
        twins = {email(number) for number in played.scene.twins}
        for key, values in held.items():
            if len(values) > 1 and key not in twins and not key.startswith("twin"):
                yield f"I5: {thing} {key} is there {len(values)} times"


def _same(thing: str, key: str, wanted: str | None, held: list[str]) -> Iterator[str]:
    if held != ([] if wanted is None else [wanted]):
        yield f"I2: {thing} {key} holds {held}, wanted {wanted}"


def _nothing_lost(played: Played, rows: list[Told]) -> Iterator[str]:
    """I3: rejected rows are in the file with number, code and reason, and no others."""
    if played.result is None:
        return
    said = [json.loads(line) for line in played.rejects]
    found = {(each["operation"], each["row"]) for each in said}
    wanted = {(told.op.name, told.row.number) for told in rows if told.letter == "x"}
    for op in played.scene.ops:
        last = len(op.rows) + op.unchanged + 1
        wanted |= {(op.name, last + each) for each in range(1, op.refused + 1)}
    if played.result.exit_code in {0, 7} and (wanted != found or len(said) != len(found)):
        yield f"I3: rejected are {sorted(wanted)}, the file says {sorted(found)}"
    if any(not each["code"] for each in said):
        yield "I3: a reject has no code"
    if played.result.exit_code in {0, 7} and any(told.letter == "" for told in rows):
        yield f"I3: the run ended with {played.result.exit_code} and some rows have no outcome"


def _quotas(played: Played) -> Iterator[str]:
    """I6: nobody else calls, so the vendor never says that there were too many; no request is too large."""
    scene = played.scene
    planted = {rule.code for rule in scene.faults if rule.action == "vendor_error"}
    if not scene.tight.neighbours:
        # A call that was given up goes on at the vendor's, so only a calm scene proves the count of calls at once.
        slow = {"delay", "apply_late", "slow_job", "stall_job"} & {rule.action for rule in scene.faults}
        restless = slow or scene.endings or any(snag.kind == "dripping answer" for snag in scene.snags)
        codes = ({"606"} if "apply_twice" not in {rule.action for rule in scene.faults} else set()) | (
            set() if restless else {"615", "1016"}
        )
        for code in sorted(codes - planted):
            if count := played.errors.get(("marketo", code), 0):
                yield f"I6: {count} calls were refused with {code}"
    if count := played.errors.get(("salesforce", "BULK_API_ERROR"), 0):
        yield f"I5: {count} jobs were given their data twice"
    poisoned = played.scene.lasting or any(op.rows and any(row.is_spoilt for row in op.rows) for op in scene.ops)
    refused = {"1003", "EXCEEDED_ID_LIMIT"} & {entry.error_code for entry in played.entries if entry.method != "GET"}
    if refused and not poisoned:
        yield f"I6: a request was refused whole with {sorted(refused)}"
    for entry in played.entries:
        limit = next((most for place, most in _TAKES.items() if entry.endpoint.startswith(place)), 300)
        is_job = entry.job_id is not None or "{jobId}" in entry.endpoint or "import" in (entry.operation or "")
        if entry.keys and not is_job and (entry.record_count or 0) > limit:
            yield f"I6: call {entry.number} holds {entry.record_count} records"
        if entry.system == "marketo" and entry.body_bytes > (
            10_000_000 if entry.endpoint.startswith("/bulk") else 1_000_000
        ):
            yield f"I6: call {entry.number} has {entry.body_bytes} bytes"


def _signs_in_seldom(played: Played) -> Iterator[str]:
    """T15: no process asks for a token twice within a minute, unless it was told at once to come later (429)."""
    asked: dict[tuple[int, str], list[float]] = defaultdict(list)
    for sent in played.sent:
        if "oauth" in sent.target and sent.arrived_at is not None and sent.status != 429:
            asked[sent.life, sent.target].append(sent.arrived_at)
    for (life, target), moments in asked.items():
        for before, after in pairwise(moments):
            if after - before < 59.0:
                yield f"T15: process {life} asked {target} for a token twice within {after - before:.0f} s"


def _safe_remedies(played: Played, rows: list[Told]) -> Iterator[str]:
    """I5: after a read-back a key is never upserted again as if nothing had been sent: created, or updated by id."""
    sent: Counter[str] = Counter()
    for note in played.notes:
        if note.kind == "committing":
            sent[note.unit] += 1
    allowed: Counter[str] = Counter()
    for told in rows:
        if told.op.way.writes == "lead upsert" and told.op.way.path == "sync":
            units = [unit for unit in sent if unit == told.unit or unit.startswith(f"{told.unit}[")]
            allowed[f"lead/email/{email(told.row.whom)}"] += sum(sent[unit] for unit in units)
    done = Counter(
        key
        for entry in played.entries
        if entry.operation == "createOrUpdate"
        and entry.applied_at is not None
        and entry.endpoint == "/rest/v1/leads.json"
        for key in entry.keys
    )
    if any(op.way.writes.startswith("lead upsert") and op.on_unknown == "resend" for op in played.scene.ops):
        return
    for key, count in done.items():
        if count > allowed[key]:
            yield f"I5: {key} was upserted {count} times, {allowed[key]} of them planned: a doubt ended in an upsert"


def _only_what_was_planned(played: Played) -> Iterator[str]:
    """I10: the target holds planned values and what was there before, and nothing else."""
    values = {row.value for op in played.scene.ops for row in op.rows} | {"old", ""}
    contents = played.contents
    for held in (contents.leads, contents.orders, contents.seats, contents.contacts):
        for key, found in held.items():
            if not set(found) <= values:
                yield f"I10: {key} holds {found}, which nobody planned"


def _one_activity(played: Played, rows: list[Told]) -> Iterator[str]:
    """I4: a push writes one activity a row, unless a person, or the manifest, wished it sent again."""
    if any(op.way.path == "push" and op.on_unknown == "resend" for op in played.scene.ops):
        return
    pushes = [told for told in rows if told.op.way.path == "push"]
    planned = Counter(email(told.row.whom) for told in pushes)
    done = Counter(email(told.row.whom) for told in pushes if told.letter in _DONE)
    for key in (played.contents.pushes.keys() | done.keys()) - {""}:
        count = played.contents.pushes[key]
        if count > planned[key] or count < done[key]:
            yield f"I4: {key} was pushed {count} times, planned were {planned[key]}, said to be done {done[key]}"


def _once_created(played: Played, rows: list[Told]) -> Iterator[str]:
    """I4: a record that is created whatever exists is created once, unless it was wished sent again."""
    for told in rows:
        if told.op.way.writes != "lead duplicate":
            continue
        others = [op for op in played.scene.ops if op.way.writes == "lead duplicate"]
        there = played.contents.leads.get(f"twin{told.row.whom}@example.com", []).count(told.row.value)
        wanted = 1 if told.letter in _DONE else 0
        if (
            told.op.on_unknown == "hold"
            and (there > 1 or (told.letter in {*_DONE, "x"} and there != wanted))
            and others
        ):
            where = f"row {told.row.number} of {told.op.name}"
            yield f"I4: {where} was created {there} times and is said to be {told.letter!r}"


def _converges(played: Played, rows: list[Told]) -> Iterator[str]:
    """I11: what the ledger holds of a finished run is each key's last value, where all of its rows arrived."""
    if played.result is None or played.result.exit_code not in {0, 7}:
        return
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for told in rows:
        key = str(told.row.whom)
        before = wanted[told.op.name].get(key)
        is_kept = told.letter in _DONE and before != ""
        wanted[told.op.name][key] = told.row.value if is_kept else ""
    for name, held in wanted.items():
        if played.ledger.get(name) != held:
            yield f"I11: the ledger of {name} holds {played.ledger.get(name)}, wanted {held}"


def _few_calls_for_the_spoilt(played: Played) -> Iterator[str]:
    """I13: one record that spoils its request costs few calls to find."""
    if not played.scene.lasting or played.scene.faults or played.scene.snags or played.scene.endings:
        return
    parts: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    for note in played.notes:
        if note.kind == "intended":
            sizes[note.unit] = max(note.records, sizes.get(note.unit, 0))
            if "[" in note.unit:
                parts[note.unit.partition("[")[0]] += 1
    for unit, count in parts.items():
        if count > 2 * ceil(log2(max(2, sizes[unit]))) + 3:
            yield f"I13: {unit} of {sizes[unit]} records took {count} calls to find one"


def _stops_politely(played: Played) -> Iterator[str]:
    """I16: after a signal nothing new is sent for longer than a second, and the process ends within its grace."""
    for life in played.lives:
        if not life.signals or life.ended is None:
            continue
        first = life.signals[0]
        mine = [sent for sent in played.sent if sent.life == life.number]
        late = [each.target for each in mine if each.began > first + 1.0 and _is_new_write(each)]
        if late:
            yield f"I16: {late[0]} was sent more than a second after the signal"
        if life.ended > first + _GRACE_SECONDS + 1.0 and not life.is_dead:
            yield f"I16: process {life.number} ended {life.ended - first:.0f} s after the signal"
        if len(life.signals) > 1 and life.ended > max(life.signals[1], life.began) + 1.0:
            yield f"I16: process {life.number} did not end at once at the second signal"


def _is_new_write(sent: Any) -> bool:
    """Whether a call begins a write: jobs under way may still be polled, and those that hold nothing aborted."""
    if "_method=GET" in sent.target or sent.method == "GET" or "oauth" in sent.target:
        return False
    return sent.method != "PATCH" or "/jobs/ingest/" not in sent.target


def _one_applier(played: Played) -> Iterator[str]:
    """I8: once a newer process has the lease, an older one sends nothing more and its notes are not taken."""
    taken = [(life.leased_at, life.number) for life in played.lives if life.leased_at is not None]
    for sent in played.sent:
        if sent.method == "GET" or "_method=GET" in sent.target or "oauth" in sent.target:
            continue
        after = [at for at, number in taken if number > sent.life and at < sent.began]
        if after:
            yield f"I8: process {sent.life} sent {sent.target} {sent.began - after[0]:.0f} s after it had been replaced"
    announced: set[str] = set()
    for note in played.notes:
        if note.kind == "committing":
            if note.unit in announced:
                yield f"I8: {note.unit} was sent again before its first sending was settled"
            announced.add(note.unit)
        elif note.kind in {"settled", "unsent", "doubted", "split", "held"}:
            announced.discard(note.unit)


def _honest(played: Played, rows: list[Told]) -> Iterator[str]:
    """I18: the report says what the journal says, and 0 only when every row arrived."""
    result = played.result
    if result is None:
        return
    for report in result.operations:
        mine = Counter(told.letter for told in rows if told.op.name == report.operation)
        told = {
            "c": report.count(Outcome.CREATED),
            "u": report.count(Outcome.UPDATED),
            "w": report.count(Outcome.WRITTEN),
            "s": report.count(Outcome.SKIPPED),
            "x": report.count(Outcome.REJECTED),
        }
        op = next(each for each in played.scene.ops if each.name == report.operation)
        told["n"] = report.count(Outcome.UNCHANGED)
        said = {letter: mine[letter] for letter in told} | {"x": mine["x"] + op.refused, "n": op.unchanged}
        if result.exit_code in {0, 7} and told != said:
            yield f"I18: the report of {report.operation} says {told}, the journal {said}"
        if sum(report.outcomes.values()) != report.read:
            yield f"I18: the report of {report.operation} does not add up"
        if result.exit_code in {0, 7} and _is_beyond(op, mine):
            yield f"I18: {op.name} is beyond its guard and the run ended with {result.exit_code}"
    is_short = any(told.letter not in {*_DONE, "s"} for told in rows) or any(op.refused for op in played.scene.ops)
    if result.exit_code == 0 and is_short:
        yield "I18: exit 0, and a row did not arrive"


def _is_beyond(op: Op, letters: Counter[str]) -> bool:
    created = op.max_creates is not None and letters["c"] > op.max_creates
    return created or (op.max_rejected is not None and letters["x"] + op.refused > op.max_rejected)
