"""What does the org hold for these rows? The read-back that settles a doubt, by SOQL over one key field.

Reads only. It judges row by row: applied, differs, absent, ambiguous; `unknown` where a row has no key to ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from syncer.facts import Action, FieldType
from syncer.mark import field_of
from syncer.targets import marked
from syncer.targets.compare import folded, holds
from syncer.targets.endpoint import target_of
from syncer.targets.protocol import Found, Verdict
from syncer.targets.salesforce import request, wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from syncer.facts import ObjectSchema
    from syncer.targets.call import Caller
    from syncer.targets.protocol import Step
    from syncer.targets.row import Row

ATTRIBUTES = "attributes"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Reads for one step."""

    caller: Caller
    api: request.Api
    step: Step
    schema: ObjectSchema

    async def find(self, rows: Mapping[int, Row]) -> tuple[Found, ...]:
        """Return what is held for each row, by position."""
        key = self.step.key[0] if self.step.key else ""
        field = self.schema.field(key)
        if field is None:
            return tuple(Found(position, Verdict.UNKNOWN) for position in rows)
        literals = {position: request.literal(row[key], field.type) for position, row in rows.items() if row.get(key)}
        held: dict[str, list[Row]] = {}
        for record in await self.records(key, literals.values(), {name for row in rows.values() for name in row}):
            held.setdefault(self._folded(record, key, field.type), []).append(record)
        return tuple(
            self._judge(position, row, held.get(self._folded(row, key, field.type), []), is_asked=position in literals)
            for position, row in rows.items()
        )

    async def records(self, key: str, literals: Iterable[str | None], names: Iterable[str]) -> list[Row]:
        """Return the records that have one of these values in the key field, with the described ones of `names`."""
        fields = sorted({name for name in names if self.schema.field(name) is not None} | {"Id", key})
        wanted = list(dict.fromkeys(each for each in literals if each is not None))
        found: list[Row] = []
        for chunk in _chunks(self.step.object, fields, key, wanted):
            found += await self._read(request.soql(self.step.object, fields, key, chunk))
        return found

    def _judge(self, position: int, row: Row, held: Sequence[Row], *, is_asked: bool) -> Found:
        ids = tuple(str(each.get("Id", "")) for each in held)
        if not is_asked:
            return Found(position, Verdict.UNKNOWN)
        if self.step.action is Action.DELETE:
            return Found(position, Verdict.DIFFERS if held else Verdict.APPLIED, ids)
        if not held:
            return Found(position, Verdict.ABSENT)
        mark = field_of(self.step.options)
        if mark:
            mine = [at for at, each in zip(ids, held, strict=True) if each.get(mark) == row[mark]]
            return marked.judge(position, self.step.action, mine, [each for each in ids if each not in mine])
        if len(held) > 1:
            return Found(position, Verdict.AMBIGUOUS, ids)
        sent = {name: value for name, value in row.items() if self.schema.field(name) is not None}
        return Found(position, Verdict.APPLIED if holds(sent, held[0]) else Verdict.DIFFERS, ids)

    async def _read(self, soql: str) -> list[Row]:
        found: list[Row] = []
        ask = self.api.query(soql)
        while True:
            records, link = await self.caller.call(ask, wire.read_query, "read-back")
            found += records
            if not link:
                return found
            token = await self.caller.sign_in.token()
            ask = request.get(target_of(link, token.origin))

    def _folded(self, row: Mapping[str, Any], key: str, field_type: FieldType) -> str:
        """Return the key as the org compares it; an 18-character id and its 15-character form are one."""
        field = self.schema.field(key)
        if field is not None and field.is_case_sensitive:
            return str(row.get(key, ""))
        if field_type in {FieldType.DECIMAL, FieldType.FLOAT, FieldType.INTEGER}:
            return _number(row.get(key))
        return str(row.get(key, ""))[:15] if key == "Id" else folded(row.get(key, ""))


def _number(value: object) -> str:
    try:
        return repr(float(str(value)))
    except ValueError:
        return str(value)


def _chunks(object_name: str, fields: Sequence[str], key: str, literals: Sequence[str]) -> list[list[str]]:
    """Cut the literals so that no query is longer than an address may be."""
    room = request.QUERY_BYTES - len(quote(request.soql(object_name, fields, key, ()), safe=""))
    chunks: list[list[str]] = []
    used = 0
    for literal in literals:
        size = len(quote(f"{literal}, ", safe=""))
        if not chunks or used + size > room or len(chunks[-1]) >= request.VALUES_PER_QUERY:
            chunks.append([])
            used = 0
        chunks[-1].append(literal)
        used += size
    return chunks
