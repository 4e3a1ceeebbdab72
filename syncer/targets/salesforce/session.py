"""A Salesforce connection at work: the four verbs, told apart by path, over one caller.

It holds nothing that a crash could lose but the token and the descriptions it has read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from syncer.facts import Action, Usage
from syncer.targets import failure
from syncer.targets.protocol import Answered, Found, Held, LookedUp, RecordResult, Remedy, Step
from syncer.targets.row import json_list, rows, table
from syncer.targets.salesforce import codes, wire
from syncer.targets.salesforce.capabilities import COLLECTION_RECORDS
from syncer.targets.salesforce.describe import read_schema
from syncer.targets.salesforce.job import Jobs
from syncer.targets.salesforce.read_back import ATTRIBUTES, ReadBack
from syncer.targets.salesforce.request import literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from syncer.facts import ObjectSchema
    from syncer.targets.call import Caller
    from syncer.targets.protocol import Accepted, JobSettled, Unit
    from syncer.targets.row import Row
    from syncer.targets.salesforce.request import Api

LOCK_ROUNDS = 4
"""Times that locked records are sent again, after 1, 2, 4 and 8 seconds: nothing of them was written."""


@dataclass(slots=True)
class SalesforceSession:
    """See `syncer.targets.protocol.Session`."""

    caller: Caller
    api: Api
    _schemas: dict[str, ObjectSchema] = field(default_factory=dict)

    async def describe(self, name: str) -> ObjectSchema:
        """Read the object's fields."""
        return await self.caller.call(self.api.describe(name), partial(read_schema, name=name), "describe")

    async def usage(self) -> Usage:
        """Read the calls of the rolling day and their limit."""
        used, quota = await self.caller.call(self.api.limits(), wire.read_limits, "limits")
        self.caller.gate.pace.learn_usage(used, quota)
        return Usage(used, quota)

    async def prepare(self, unit: Unit) -> str:
        """Sign in, and create the empty job of a `bulk2` unit."""
        await self.caller.sign_in.token()
        return await self._jobs().create(unit) if unit.step.path == "bulk2" else ""

    async def commit(self, unit: Unit, reference: str) -> Answered | Accepted:
        """Send the payload once."""
        if isinstance(unit.payload.body, bytes):
            return await self._write(unit.step, unit.payload.body, unit.payload.records)
        return await self._jobs().start(unit, reference)

    async def settle(self, unit: Unit, reference: str, folder: Path) -> JobSettled:
        """Poll a job to its end and fetch its files."""
        return await self._jobs().settle(unit, reference, folder)

    async def look_up(self, unit: Unit, reference: str, seconds_ago: float = 0.0) -> LookedUp:
        """Read what the org holds for the unit's keys, or what became of its job, which can be found at any time."""
        del seconds_ago
        read_back = ReadBack(self.caller, self.api, unit.step, await self._schema(unit.step.object))
        if not isinstance(unit.payload.body, bytes):
            return await self._jobs().look_up(unit, reference, read_back)
        return LookedUp(records=await read_back.find(dict(enumerate(rows(unit.payload)))))

    async def read(
        self, name: str, key: Sequence[str], values: Sequence[tuple[str, ...]], fields: Sequence[str]
    ) -> Held:
        """Read records by SOQL over the one key field; fields of other objects are not read."""
        calls = 0 if name in self._schemas else 1
        schema = await self._schema(name)
        described = schema.field(key[0])
        if described is None:
            raise failure.unknown_name(self.caller.connection, "key field", key[0])
        caller = replace(self.caller, made=0)
        read_back = ReadBack(caller, self.api, Step("", caller.connection, name, "", Action.UPSERT, tuple(key)), schema)
        literals = [literal(each[0], described.type) for each in values]
        found = await read_back.records(key[0], literals, fields)
        return Held(table(found, "Id", fields), calls + caller.made)

    async def remedy(self, unit: Unit, found: Sequence[Found], how: Remedy) -> Answered:
        """Send the records of `found` again by Collections."""
        step = await self._remedied(unit.step, how)
        held = rows(unit.payload)
        sent = [(each.position, _addressed(unit.step.object, held[each.position], each, step)) for each in found]
        results: list[RecordResult] = []
        for start in range(0, len(sent), COLLECTION_RECORDS):
            chunk = sent[start : start + COLLECTION_RECORDS]
            answered = await self._write(step, json_list([row for _, row in chunk]), len(chunk))
            results += [
                each._replace(position=position) for (position, _), each in zip(chunk, answered.results, strict=True)
            ]
        return Answered("", tuple(results))

    def calls_made(self) -> int:
        """Return the calls that the gate has let through, but those that the vendor does not count."""
        return self.caller.gate.pace.calls_made

    async def close(self) -> None:
        """Release connections."""
        await self.caller.http.close()

    def _jobs(self) -> Jobs:
        return Jobs(self.caller, self.api)

    async def _schema(self, name: str) -> ObjectSchema:
        if name not in self._schemas:
            self._schemas[name] = await self.describe(name)
        return self._schemas[name]

    async def _write(self, step: Step, records: bytes, count: int) -> Answered:
        """Write, then send those records again that others had locked."""
        answered = await self._call(step, records, count)
        results = list(answered.results)
        for again in range(LOCK_ROUNDS):
            locked = [place for place, each in enumerate(results) if each.code == codes.LOCKED.code]
            if not locked:
                break
            await self.caller.clock.sleep(2.0**again)
            parts = rows_of(records, locked)
            for place, each in zip(locked, (await self._call(step, parts, len(locked))).results, strict=True):
                results[place] = each._replace(position=place)
        return Answered(answered.request_id, tuple(results))

    async def _call(self, step: Step, records: bytes, count: int) -> Answered:
        read = partial(wire.read_results, step=step, count=count)
        return await self.caller.call(self.api.collections(step, records), read, step.path)

    async def _remedied(self, step: Step, how: Remedy) -> Step:
        """Return the step by which part of a doubted unit is sent again.

        A unique key makes an upsert safe to repeat; without one, only a plain create cannot touch a stranger's record.
        """
        if step.action is not Action.UPSERT or how is Remedy.REPEAT:
            return replace(step, path="collections")
        if how is Remedy.UPDATE_BY_ID:
            return replace(step, path="collections", action=Action.UPDATE, key=("Id",))
        key = (await self._schema(step.object)).field(step.key[0])
        is_unique = key is not None and key.is_unique
        return replace(step, path="collections", action=Action.UPSERT if is_unique else Action.CREATE)


def rows_of(records: bytes, places: Sequence[int]) -> bytes:
    """Return some records of a JSON list."""
    held = json.loads(records)
    return json_list([held[place] for place in places])


def _addressed(object_name: str, row: Row, found: Found, step: Step) -> Row:
    """Return the row as Collections take it, with its id where it is updated by id."""
    members = {ATTRIBUTES: {"type": object_name}, **_nested(row)}
    if step.key == ("Id",) and found.target_ids:
        members["Id"] = found.target_ids[0]
    return members


def _nested(row: Row) -> Row:
    """Return a job's row with parents as members of their own, as Collections take them; a null empties the lookup."""
    found: Row = {}
    for name, value in row.items():
        parent, dot, key = name.partition(".")
        found[parent if dot else name] = {key: value} if dot and value is not None else value
    return found
