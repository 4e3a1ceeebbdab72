"""What does Marketo hold for these rows? The read-back that settles a doubt, by lookup field, id, list or program.

Reads only. It judges row by row: applied, differs, absent, ambiguous; `unknown` where Marketo cannot be asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from syncer.errors import RefusedError
from syncer.facts import Action
from syncer.mark import field_of
from syncer.targets import marked
from syncer.targets.compare import folded, holds
from syncer.targets.marketo import codes, request, wire
from syncer.targets.marketo.capabilities import VALUES_PER_READ
from syncer.targets.marketo.describe import read_schema
from syncer.targets.protocol import Found, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.facts import ObjectSchema
    from syncer.targets.call import Caller
    from syncer.targets.exchange import Request
    from syncer.targets.protocol import Step
    from syncer.targets.row import Row


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Reads for one step. `ids` are its list and program, by option; `schemas` keeps what describe said."""

    caller: Caller
    step: Step
    ids: Mapping[str, str]
    schemas: dict[str, ObjectSchema] = field(default_factory=dict)

    async def find(self, rows: Mapping[int, Row]) -> tuple[Found, ...]:
        """Return what is held for each row, by position."""
        if self.step.action is Action.DUPLICATE and not self.mark:
            return tuple(Found(position, Verdict.UNKNOWN) for position in rows)
        if self.step.path == "list":
            return await self._find_in_list(rows)
        if self.step.object == request.PROGRAM_MEMBER:
            return await self._find_members(rows)
        key = self.step.key
        fields = sorted({name for row in rows.values() for name in row} | set(key))
        held = await self.records(key, [tuple(row.get(name) for name in key) for row in rows.values()], fields)
        found = tuple(self._judge(position, row, held.get(_folded(key, row), [])) for position, row in rows.items())
        return await self._listed(found) if self.step.path == "bulk" and "list" in self.ids else found

    async def _listed(self, found: Sequence[Found]) -> tuple[Found, ...]:
        """An import into a list is applied where the list has the lead too."""
        ids = [each.target_ids[0] for each in found if each.verdict is Verdict.APPLIED]
        members = await self._members_among(ids)
        return tuple(
            replace(each, verdict=Verdict.DIFFERS)
            if each.verdict is Verdict.APPLIED and each.target_ids[0] not in members
            else each
            for each in found
        )

    async def _members_among(self, ids: Sequence[str]) -> set[str]:
        members: set[str] = set()
        for chunk in _chunks([(each,) for each in ids]):
            ask = request.list_members(self.ids["list"], [str(each[0]) for each in chunk])
            envelope = await self.caller.call(ask, wire.read_envelope, "read-back")
            members |= {str(each.get("id")) for each in envelope.result if each.get("status") == "memberof"}
        return members

    async def records(
        self, key: Sequence[str], values: Sequence[tuple[Any, ...]], fields: Sequence[str]
    ) -> dict[tuple[str, ...], list[Row]]:
        """Return the records held under these key values, by folded key."""
        found: dict[tuple[str, ...], dict[str, Row]] = {}
        for chunk in _chunks(values):
            for record in await self._read(key, chunk, fields):
                found.setdefault(_folded(key, record), {})[str(record.get(self.id_field))] = record
        return {each: list(by_id.values()) for each, by_id in found.items()}

    @property
    def mark(self) -> str:
        """The field that says which run wrote a record, or ""."""
        return field_of(self.step.options)

    @property
    def id_field(self) -> str:
        """The field that tells records of the object apart."""
        if self.step.object == request.PROGRAM_MEMBER:
            return "leadId"
        return "marketoGUID" if request.is_custom(self.step.object) else "id"

    def _judge(self, position: int, row: Row, held: Sequence[Row]) -> Found:
        ids = tuple(str(each.get(self.id_field, "")) for each in held)
        if self.step.action is Action.DELETE:
            return Found(position, Verdict.DIFFERS if held else Verdict.APPLIED, ids)
        if not held:
            is_askable = not any("," in str(row.get(name, "")) for name in self.step.key)
            return Found(position, Verdict.ABSENT if is_askable or len(self.step.key) > 1 else Verdict.UNKNOWN)
        if self.mark:
            mine = [at for at, each in zip(ids, held, strict=True) if each.get(self.mark) == row[self.mark]]
            return marked.judge(position, self.step.action, mine, [each for each in ids if each not in mine])
        if len(held) > 1:
            return Found(position, Verdict.AMBIGUOUS, ids)
        return Found(position, Verdict.APPLIED if holds(row, held[0]) else Verdict.DIFFERS, ids)

    async def _read(self, key: Sequence[str], values: Sequence[tuple[Any, ...]], fields: Sequence[str]) -> list[Row]:
        """Read one chunk with all its pages; where too many records match, halve it ("Leads", by filter)."""
        wanted = sorted({*fields, *key, self.id_field})
        found: list[Row] = []
        page = ""
        while True:
            try:
                envelope = await self.caller.call(
                    self._request(key, values, wanted, page), wire.read_envelope, "read-back"
                )
            except RefusedError as error:
                if error.is_about_caller or len(values) == 1 or error.vendor_code == codes.UNKNOWN_FIELD:
                    raise
                half = len(values) // 2
                return [
                    *await self._read(key, values[:half], fields),
                    *await self._read(key, values[half:], fields),
                ]
            found += [each for each in envelope.result if isinstance(each, dict)]
            page = envelope.next_page
            if not page:
                return found

    def _request(
        self, key: Sequence[str], values: Sequence[tuple[Any, ...]], fields: Sequence[str], page: str
    ) -> Request:
        if len(key) > 1:
            keys = [dict(zip(key, each, strict=True)) for each in values]
            return request.find_compound(self.step.object, keys, fields, page)
        path = request.record_path(self.step.object, self.ids.get("program", ""))
        return request.find(path, key[0], [str(each[0]).strip() for each in values], fields, page)

    async def _find_in_list(self, rows: Mapping[int, Row]) -> tuple[Found, ...]:
        wanted = "memberof" if self.step.action is Action.ADD else "notmemberof"
        status: dict[str, str] = {}
        for chunk in _chunks([(row.get("id"),) for row in rows.values()]):
            ask = request.list_members(self.ids["list"], [str(each[0]) for each in chunk])
            envelope = await self.caller.call(ask, wire.read_envelope, "read-back")
            status |= {str(each.get("id")): str(each.get("status")) for each in envelope.result}
        return tuple(
            Found(position, Verdict.APPLIED if status.get(str(row.get("id"))) == wanted else Verdict.DIFFERS)
            for position, row in rows.items()
        )

    async def _find_members(self, rows: Mapping[int, Row]) -> tuple[Found, ...]:
        """Members are held by lead id. An import names e-mail addresses; only those found in the program are sure."""
        if self.step.path == "bulk":
            find = self._find_marked_members if self.mark else self._find_imported_members
            return await find(rows)
        fields = sorted({name for row in rows.values() for name in row} | {"leadId", "statusName"})
        held = await self.records(("leadId",), [(row.get("leadId"),) for row in rows.values()], fields)
        return tuple(
            self._judge_member(position, row, held.get(_folded(("leadId",), row), [])) for position, row in rows.items()
        )

    def _judge_member(self, position: int, row: Row, held: Sequence[Row]) -> Found:
        if self.step.action is Action.DELETE:
            return Found(position, Verdict.DIFFERS if held else Verdict.APPLIED)
        if not held:
            return Found(position, Verdict.ABSENT)
        if self.mark:
            row = {self.mark: row[self.mark]}
        status = {"statusName": dict(self.step.options)["status"]} if self.step.path == "status" else {}
        is_held = holds({**row, **status}, held[0])
        return Found(position, Verdict.APPLIED if is_held else Verdict.DIFFERS, (str(held[0].get("leadId", "")),))

    async def _find_marked_members(self, rows: Mapping[int, Row]) -> tuple[Found, ...]:
        """A row is applied when a membership of one of its leads bears the mark."""
        leads = ReadBack(self.caller, replace(self.step, object=request.LEAD, key=("email",)), {})
        people = await leads.records(("email",), [(row.get("email"),) for row in rows.values()], ())
        ids = {key: [str(each.get("id")) for each in some] for key, some in people.items()}
        members = await self.records(("leadId",), [(each,) for some in ids.values() for each in some], (self.mark,))
        found = []
        for position, row in rows.items():
            mine = tuple(
                lead
                for lead in ids.get(_folded(("email",), row), ())
                if any(each.get(self.mark) == row[self.mark] for each in members.get((lead,), ()))
            )
            found.append(Found(position, Verdict.APPLIED if mine else Verdict.ABSENT, mine))
        return tuple(found)

    async def _find_imported_members(self, rows: Mapping[int, Row]) -> tuple[Found, ...]:
        """A row is applied when its lead holds the lead's columns, and the membership the status and the others."""
        names = {name for row in rows.values() for name in row}
        lead = await self.described(request.LEAD)
        of_lead = sorted(name for name in names if lead.field(name) is not None)
        of_member = sorted(names - set(of_lead))
        leads = ReadBack(self.caller, replace(self.step, object=request.LEAD, key=("email",)), {})
        people = await leads.records(("email",), [(row.get("email"),) for row in rows.values()], of_lead)
        by_email = {key: each[0] for key, each in people.items() if len(each) == 1}
        ids = [(str(each.get("id")),) for each in by_email.values()]
        members = await self.records(("leadId",), ids, ("leadId", "statusName", *of_member))
        status = dict(self.step.options)["status"]
        found = []
        for position, row in rows.items():
            person = by_email.get(_folded(("email",), row), {})
            held = members.get((str(person.get("id", "")),), [])
            wanted = {"statusName": status, **{name: row[name] for name in of_member if name in row}}
            is_sure = (
                bool(held)
                and holds(wanted, held[0])
                and holds({name: row[name] for name in of_lead if name in row}, person)
            )
            found.append(Found(position, Verdict.APPLIED if is_sure else Verdict.UNKNOWN))
        return tuple(found)

    async def described(self, name: str) -> ObjectSchema:
        """Ask once: a search reads the same rows again and again, and each call is of the day's quota."""
        if name not in self.schemas:
            read = partial(read_schema, name=name)
            self.schemas[name] = await self.caller.call(request.describe(name), read, "read-back")
        return self.schemas[name]


def _folded(key: Sequence[str], row: Row) -> tuple[str, ...]:
    return tuple(folded(row.get(name, "")) for name in key)


def _chunks(values: Sequence[tuple[Any, ...]]) -> list[Sequence[tuple[Any, ...]]]:
    """Cut into reads of 300 distinct values; one with a comma, which no escape exists for, is asked alone."""
    distinct = list(dict.fromkeys(values))
    plain = [each for each in distinct if len(each) > 1 or "," not in str(each[0])]
    alone = [each for each in distinct if not (len(each) > 1 or "," not in str(each[0]))]
    chunks: list[Sequence[tuple[Any, ...]]] = [
        plain[start : start + VALUES_PER_READ] for start in range(0, len(plain), VALUES_PER_READ)
    ]
    return chunks + [[each] for each in alone]
