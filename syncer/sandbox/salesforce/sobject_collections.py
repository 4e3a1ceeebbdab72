"""sObject Collections: up to 200 records in one call, each with its own outcome, in the order of the request.

*REST API Developer Guide*, sObject Collections. The answer is 200 even when every record was refused;
all-or-none calls undo what they had written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.faults import Action
from syncer.sandbox.salesforce.dml import Operation, Result, Row, Writer
from syncer.sandbox.salesforce.door import json_of, reply, since
from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.ids import parse_id
from syncer.sandbox.salesforce.recordio import RecordReader
from syncer.sandbox.salesforce.refusal import Refusal, RowError, no_such_key, not_found
from syncer.sandbox.salesforce.runner import locked_row
from syncer.sandbox.salesforce.store import Table
from syncer.sandbox.salesforce.trouble import locked_places
from syncer.sandbox.salesforce.value import stamp

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

FIRST_VERSION = 42.0
UPSERT_VERSION = 46.0
ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


@dataclass(slots=True)
class _Group:
    """The records of one object in a call, with their places in it."""

    table: Table
    writer: Writer
    places: list[int]
    rows: list[Row]


async def create(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /composite/sobjects`."""
    since(exchange, FIRST_VERSION)
    return await _write_json(world, exchange, Operation.INSERT, None, None)


async def update(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PATCH /composite/sobjects`."""
    since(exchange, FIRST_VERSION)
    return await _write_json(world, exchange, Operation.UPDATE, None, None)


async def upsert(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PATCH /composite/sobjects/{Object}/{ExtField}`."""
    since(exchange, UPSERT_VERSION)
    table = world.org.store.table(exchange.path_params["object"])
    if table is None:
        raise not_found()
    name = exchange.path_params["field"]
    key = table.type.find(name)
    if key is None or not key.is_key:
        raise no_such_key(name)
    return await _write_json(world, exchange, Operation.UPSERT, table, key)


async def delete(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`DELETE /composite/sobjects?ids=…&allOrNone=…`."""
    since(exchange, FIRST_VERSION)
    ids = [each for each in exchange.query.get("ids", "").split(",") if each]
    _check_count(world, len(ids))
    all_or_none = exchange.query.get("allOrNone", "false").lower() == "true"
    records = [(world.org.store.table_of(parse_id(each) or ""), Row(id=each)) for each in ids]
    return await _perform(world, exchange, Operation.DELETE, None, records, all_or_none=all_or_none)


def _check_count(world: SalesforceWorld, count: int) -> None:
    if not count:
        raise Refusal(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
    limit = world.limits.collection_records
    if count > limit:
        message = f"record limit reached. cannot submit more than {limit} records into this call"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)


async def _write_json(
    world: SalesforceWorld, exchange: Exchange, operation: Operation, table: Table | None, key: Field | None
) -> Response:
    request = json_of(exchange)
    given = request.get("records")
    if given is not None and not (isinstance(given, list) and all(isinstance(each, dict) for each in given)):
        raise Refusal(400, "JSON_PARSER_ERROR", "records must be a list of objects")
    _check_count(world, len(given or ()))
    reader = RecordReader(world.org)
    records: list[tuple[Table | None, Row]] = []
    for record in given or ():
        attributes = record.get("attributes")
        named = attributes.get("type") if isinstance(attributes, dict) else None
        own = world.org.store.table(str(named)) if named else None
        if own is None or (table is not None and own is not table):
            message = f"sObject type '{named}' is not supported." if named else "Entity type is not specified"
            records.append((None, Row(error=RowError("INVALID_TYPE", message))))
        else:
            records.append((own, reader.read(own.type, record, key)))
    return await _perform(world, exchange, operation, key, records, all_or_none=request.get("allOrNone") is True)


async def _perform(  # noqa: PLR0913 - a call, what it does, and its records
    world: SalesforceWorld,
    exchange: Exchange,
    operation: Operation,
    key: Field | None,
    records: Sequence[tuple[Table | None, Row]],
    *,
    all_or_none: bool,
) -> Response:
    groups = _group(world, operation, key, records)
    results: list[Result] = [_unplaced(row) for _, row in records]
    keys = _keys(groups, operation, key)
    entry = exchange.entry
    entry.operation, entry.keys = operation.value, tuple(keys)
    _lock(world, exchange, records)
    found = [group.writer.find(group.rows) for group in groups]

    def write(first: int | None) -> None:
        world.settle()
        moment = stamp(world.org.timeline.moment)
        undo: list[Callable[[], None]] = []
        for group, looked_up in zip(groups, found, strict=True):
            group.table.undo = undo if all_or_none else None
            current = looked_up if world.org.overlaps else group.writer.find(group.rows)
            chosen = [at for at, place in enumerate(group.places) if first is None or place < first]
            written = group.writer.write([group.rows[at] for at in chosen], [current[at] for at in chosen], moment)
            for at, result in zip(chosen, written, strict=True):
                results[group.places[at]] = result
            group.table.undo = None
        if all_or_none and any(result.error is not None for result in results):
            for step in reversed(undo):
                step()
            results[:] = [each if each.error is not None else Result(None, error=ROLLED_BACK) for each in results]

    await exchange.perform(operation.value, keys, len(records), write)
    shown = [_show(result, operation) for result in results]
    if exchange.world_fault(Action.SHUFFLE_RESULTS) is not None:
        shown.reverse()
    return reply(shown)


def _unplaced(row: Row) -> Result:
    """The outcome of a record whose object cannot be told."""
    error = RowError("MALFORMED_ID", f"malformed id {row.id}") if row.id else None
    return Result(None, error=row.error or error)


def _group(
    world: SalesforceWorld, operation: Operation, key: Field | None, records: Sequence[tuple[Table | None, Row]]
) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for place, (table, row) in enumerate(records):
        if table is None:
            continue
        name = table.type.name
        if name not in groups:
            writer = Writer(world.org.store, table, operation, key, world.org.user_id)
            groups[name] = _Group(table, writer, [], [])
        if not table.type.is_writeable:
            row.error = RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        groups[name].places.append(place)
        groups[name].rows.append(row)
    return list(groups.values())


def _keys(groups: Sequence[_Group], operation: Operation, key: Field | None) -> list[str]:
    """The keys that a call touches: those it matches on, or for an insert those it sets."""
    if operation is Operation.UPSERT and key is not None and key.kind != "id":
        return [
            f"{group.table.type.name}/{key.name}/{key.fold(row.key)}"
            for group in groups
            for row in group.rows
            if row.key
        ]
    keys = []
    for group in groups:
        unique = next((each for each in group.table.type.fields if each.is_unique), None)
        for row in group.rows:
            value = row.values.get(unique.name) if unique and operation is Operation.INSERT else None
            if unique is not None and isinstance(value, str):
                keys.append(f"{group.table.type.name}/{unique.name}/{unique.fold(value)}")
            elif row.id:
                keys.append(f"{group.table.type.name}/Id/{parse_id(row.id) or row.id}")
    return keys


def _lock(world: SalesforceWorld, exchange: Exchange, records: Sequence[tuple[Table | None, Row]]) -> None:
    rule = exchange.world_fault(Action.LOCK_ROWS)
    if rule is None:
        return
    texts = [[str(value) for value in (row.id, *row.values.values()) if value] for _, row in records]
    for place in locked_places(rule, texts, f"{world.options.seed}/{exchange.entry.number}"):
        row = records[place][1]
        row.error = row.error or locked_row(row)


def _show(result: Result, operation: Operation) -> dict[str, Any]:
    """A failed item has no id; only upserts say whether they created."""
    if result.error is not None:
        return {"success": False, "errors": [result.error.as_item()]}
    shown: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    if operation is Operation.UPSERT:
        shown["created"] = result.is_created
    return shown
