"""A Marketo connection at work: the four verbs, told apart by path, over one caller.

It holds nothing that a crash could lose but the token, the ids of lists that were looked up by name, and descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from syncer.errors import RefusedError
from syncer.facts import Action, Usage
from syncer.outcome import Outcome
from syncer.targets import failure
from syncer.targets.marketo import codes, request, wire
from syncer.targets.marketo.capabilities import DAILY_CALLS, MAX_RECORDS
from syncer.targets.marketo.describe import read_schema
from syncer.targets.marketo.job import Jobs
from syncer.targets.marketo.read_back import ReadBack
from syncer.targets.protocol import Answered, Found, Held, LookedUp, RecordResult, Remedy, Step
from syncer.targets.row import json_list, rows, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from syncer.facts import ObjectSchema
    from syncer.targets.call import Caller
    from syncer.targets.exchange import Problem, Response
    from syncer.targets.protocol import Accepted, JobSettled, Unit
    from syncer.targets.row import Row


@dataclass(slots=True)
class MarketoSession:
    """See `syncer.targets.protocol.Session`."""

    caller: Caller
    _list_ids: dict[str, str] = field(default_factory=dict)
    _schemas: dict[str, ObjectSchema] = field(default_factory=dict)

    async def describe(self, name: str) -> ObjectSchema:
        """Read the object's fields."""
        return await self.caller.call(request.describe(name), partial(read_schema, name=name), "describe")

    async def usage(self) -> Usage:
        """Read today's calls. No call tells the contract's quota, so the usual one is named."""
        used = await self.caller.call(request.usage(), _read_usage, "usage")
        self.caller.gate.pace.learn_usage(used, DAILY_CALLS)
        return Usage(used, DAILY_CALLS)

    async def prepare(self, unit: Unit) -> str:
        """Sign in and find the list: an import has no empty form to create."""
        await self.caller.sign_in.token()
        await self._ids(unit.step)
        return ""

    async def commit(self, unit: Unit, reference: str) -> Answered | Accepted:
        """Send the payload once."""
        del reference
        ids = await self._ids(unit.step)
        if not isinstance(unit.payload.body, bytes):
            return await Jobs(self.caller).start(unit, ids)
        return await self._write(unit.step, unit.payload.body, unit.payload.records, ids)

    async def settle(self, unit: Unit, reference: str, folder: Path) -> JobSettled:
        """Poll an import to its end and fetch its files."""
        return await Jobs(self.caller).settle(unit, reference, folder)

    async def look_up(self, unit: Unit, reference: str, seconds_ago: float = 0.0) -> LookedUp:
        """Read what Marketo holds for the unit's keys, or whether it knows the import."""
        read_back = ReadBack(self.caller, unit.step, await self._ids(unit.step), self._schemas)
        if not isinstance(unit.payload.body, bytes):
            return await Jobs(self.caller).look_up(unit, reference, read_back, seconds_ago)
        return LookedUp(records=await read_back.find(dict(enumerate(rows(unit.payload)))))

    async def read(
        self, name: str, key: Sequence[str], values: Sequence[tuple[str, ...]], fields: Sequence[str]
    ) -> Held:
        """Read records by filter, 300 values a call; fields that the instance does not have are left out."""
        caller = replace(self.caller, made=0)
        step = Step("", caller.connection, name, "sync", Action.UPSERT, tuple(key))
        read_back = ReadBack(caller, step, {}, self._schemas)
        try:
            found = await read_back.records(key, values, self._readable(name, fields))
        except RefusedError as error:
            if error.vendor_code != codes.UNKNOWN_FIELD or name in self._schemas:
                raise
            # One unknown name refuses the whole call, so that they are left out from now on.
            await read_back.described(name)
            found = await read_back.records(key, values, self._readable(name, fields))
        records = [each for some in found.values() for each in some]
        return Held(table(records, read_back.id_field, fields), caller.made)

    def _readable(self, name: str, fields: Sequence[str]) -> Sequence[str]:
        """Return the fields that may be asked for: all of them, until the instance was asked for those it has."""
        schema = self._schemas.get(name)
        return fields if schema is None else [each for each in fields if schema.field(each) is not None]

    async def remedy(self, unit: Unit, found: Sequence[Found], how: Remedy) -> Answered:
        """Send the records of `found` again by the immediate call of their object."""
        ids = await self._ids(unit.step)
        step = _remedied(unit.step, how)
        held = rows(unit.payload)
        sent = [(each.position, _addressed(held[each.position], each, unit.step, step)) for each in found]
        results: list[RecordResult] = []
        request_id = ""
        for start in range(0, len(sent), MAX_RECORDS):
            chunk = sent[start : start + MAX_RECORDS]
            answered = await self._write_late(step, [row for _, row in chunk], ids, unit.step)
            request_id = answered.request_id
            results += [
                RecordResult(position, each.outcome, each.target_id, each.code, each.message)
                for (position, _), each in zip(chunk, answered.results, strict=True)
            ]
        return Answered(request_id, tuple(results))

    def calls_made(self) -> int:
        """Return the calls that the gate has let through, but those that the vendor does not count."""
        return self.caller.gate.pace.calls_made

    async def close(self) -> None:
        """Release connections."""
        await self.caller.http.close()

    async def _write(self, step: Step, records: bytes, count: int, ids: Mapping[str, str]) -> Answered:
        read = partial(wire.read_results, step=step, count=count)
        return await self.caller.call(request.write(step, records, ids), read, step.path)

    async def _write_late(self, step: Step, records: Sequence[Row], ids: Mapping[str, str], original: Step) -> Answered:
        """Write, and update what a late first write has created in the meantime (1005, 1017)."""
        answered = await self._write(step, json_list(records), len(records), ids)
        late = [each.position for each in answered.results if each.code == "V503"]
        if not late or original.action is not Action.UPSERT or step.action is not Action.CREATE:
            return answered
        again = Step(step.operation, step.connection, step.object, step.path, Action.UPDATE, original.key, step.options)
        second = await self._write(again, json_list([records[place] for place in late]), len(late), ids)
        results = list(answered.results)
        for place, each in zip(late, second.results, strict=True):
            outcome = Outcome.CREATED if each.outcome is Outcome.UPDATED else each.outcome
            results[place] = RecordResult(place, outcome, each.target_id, each.code, each.message)
        return Answered(second.request_id, tuple(results))

    async def _ids(self, step: Step) -> Mapping[str, str]:
        """Return the ids of the step's list and program; a program is given by its id, but for push, which names it."""
        options = dict(step.options)
        ids: dict[str, str] = {}
        if "list" in options:
            ids["list"] = await self._list_id(options["list"])
        if "program" in options and step.object == request.PROGRAM_MEMBER:
            if not options["program"].isdecimal():
                raise failure.unknown_name(self.caller.connection, "program id", options["program"])
            ids["program"] = options["program"]
        return ids

    async def _list_id(self, name: str) -> str:
        if name.isdecimal():
            return name
        if name not in self._list_ids:
            envelope = await self.caller.call(request.list_by_name(name), wire.read_envelope, "list")
            matches = [each for each in envelope.result if isinstance(each, dict) and each.get("name") == name]
            if len(matches) != 1:
                raise failure.unknown_name(self.caller.connection, "list", name)
            self._list_ids[name] = str(matches[0].get("id"))
        return self._list_ids[name]


def _read_usage(response: Response) -> int | Problem:
    envelope = wire.read_envelope(response)
    if not isinstance(envelope, wire.Envelope):
        return envelope
    entry = envelope.result[0] if envelope.result else {}
    total = entry.get("total", 0) if isinstance(entry, dict) else 0
    return total if isinstance(total, int) else 0


def _remedied(step: Step, how: Remedy) -> Step:
    """Return the step by which part of a doubted unit is sent again: by calls, whatever path it first took."""
    is_custom = request.is_custom(step.object)
    path = "sync" if step.path == "bulk" and step.object != request.PROGRAM_MEMBER else step.path
    action, key = step.action, step.key
    if step.action is Action.UPSERT and path == "sync":
        if how is Remedy.CREATE_ONLY:
            action = Action.CREATE
        elif how is Remedy.UPDATE_BY_ID:
            action, key = Action.UPDATE, ("marketoGUID",) if is_custom else ("id",)
    options = tuple(pair for pair in step.options if pair[0] != "list" or path == "list")
    return Step(step.operation, step.connection, step.object, path, action, key, options)


def _addressed(row: Row, found: Found, original: Step, step: Step) -> Row:
    """Return the row with the id in place of its key, where it is updated by id; a custom object's key stays out."""
    if step.key == original.key or not found.target_ids:
        return row
    rest = {name: value for name, value in row.items() if step.key != ("marketoGUID",) or name not in original.key}
    return {step.key[0]: _id(found.target_ids[0]), **rest}


def _id(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
