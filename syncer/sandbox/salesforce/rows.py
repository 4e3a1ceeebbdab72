"""Single records: create, read, change and delete by id, and upsert by an external id.

*REST API Developer Guide*, sObject Rows and sObject Rows by External ID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.faults import Action
from syncer.sandbox.salesforce.dml import Operation, Result, Row, Writer
from syncer.sandbox.salesforce.door import json_of, read, reply, version_of
from syncer.sandbox.salesforce.field import Field
from syncer.sandbox.salesforce.ids import parse_id
from syncer.sandbox.salesforce.recordio import RecordReader, show
from syncer.sandbox.salesforce.refusal import Refusal, RowError, no_such_key, not_found
from syncer.sandbox.salesforce.runner import locked_row
from syncer.sandbox.salesforce.store import Table
from syncer.sandbox.salesforce.value import stamp

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

UPDATED_IS_200_FROM = 46.0
BY_ID = "id"


def table_of(world: SalesforceWorld, exchange: Exchange) -> Table:
    """The object that the path names."""
    table = world.org.store.table(exchange.path_params["object"])
    if table is None:
        raise not_found()
    return table


def _id_of(world: SalesforceWorld, exchange: Exchange, table: Table) -> str:
    text = exchange.path_params["id"]
    record_id = parse_id(text)
    if record_id is None or world.org.store.object_of(record_id) != table.type.name:
        raise Refusal(400, "MALFORMED_ID", f"Record ID: id value of incorrect type: {text}", ("Id",))
    return record_id


async def _write(  # noqa: PLR0913, PLR0917 - what, where, how, by what key
    world: SalesforceWorld,
    exchange: Exchange,
    table: Table,
    operation: Operation,
    row: Row,
    key: Field | None = None,
) -> Result:
    """Look up and write one record as a transaction of its own."""
    writer = Writer(world.org.store, table, operation, key, world.org.user_id)
    if not table.type.is_writeable:
        row.error = RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    found = writer.find([row])

    def write(first: int | None) -> Result:
        world.settle()
        if first == 0:
            return Result(None)
        moment = stamp(world.org.timeline.moment)
        return writer.write([row], found if world.org.overlaps else writer.find([row]), moment)[0]

    if key is not None and row.key:
        keys = [f"{table.type.name}/{key.name}/{key.fold(row.key)}"]
    else:
        keys = [f"{table.type.name}/Id/{row.id}"] if row.id else []
    exchange.entry.operation, exchange.entry.keys = operation.value, tuple(keys)
    if exchange.world_fault(Action.LOCK_ROWS) is not None:
        raise locked_row(row).as_refusal()
    return await exchange.perform(operation.value, keys, 1, write)


def _refuse(result: Result) -> None:
    if result.error is not None:
        raise result.error.as_refusal()


async def create(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`POST /sobjects/{Object}`; and `POST /sobjects/{Object}/Id`, which inserts."""
    version, table = version_of(exchange), table_of(world, exchange)
    if exchange.path_params.get("id", BY_ID).lower() != BY_ID:
        raise Refusal(405, "METHOD_NOT_ALLOWED", "HTTP Method 'POST' not allowed. Allowed are HEAD,GET,PATCH,DELETE")
    row = RecordReader(world.org).read(table.type, json_of(exchange))
    result = await _write(world, exchange, table, Operation.INSERT, row)
    _refuse(result)
    location = f"/services/data/v{version}/sobjects/{table.type.name}/{result.id}"
    return reply(_success(result), 201, {"Location": location})


def _success(result: Result) -> dict[str, Any]:
    return {"id": result.id, "success": True, "errors": []}


async def read_one(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /sobjects/{Object}/{id}?fields=A,B`."""
    version, table = version_of(exchange), table_of(world, exchange)
    await read(world, exchange, "read")
    record = table.rows.get(_id_of(world, exchange, table))
    if record is None:
        raise not_found()
    return reply(show(table, record, _wanted(exchange, table), version))


def _wanted(exchange: Exchange, table: Table) -> list[Field]:
    names = exchange.query.get("fields")
    if names is None:
        return list(table.type.fields)
    wanted = {}
    for name in ["Id", *names.split(",")]:
        field = table.type.find(name.strip())
        if field is None:
            message = f"No such column '{name.strip()}' on sobject of type {table.type.name}"
            raise Refusal(400, "INVALID_FIELD", message)
        wanted[field.name] = field
    return list(wanted.values())


async def update(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PATCH /sobjects/{Object}/{id}`: 204 without a body."""
    version_of(exchange)
    table = table_of(world, exchange)
    row = RecordReader(world.org).read(table.type, json_of(exchange))
    if row.id:
        raise Refusal(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ("Id",))
    row.id = _id_of(world, exchange, table)
    result = await _write(world, exchange, table, Operation.UPDATE, row)
    if result.error is not None and result.error.code == "INVALID_CROSS_REFERENCE_KEY" and row.id not in table.rows:
        raise not_found()
    _refuse(result)
    return reply(status=204)


async def delete(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`DELETE /sobjects/{Object}/{id}`: 204; a second time the entity is deleted."""
    version_of(exchange)
    table = table_of(world, exchange)
    row = Row(id=_id_of(world, exchange, table))
    result = await _write(world, exchange, table, Operation.DELETE, row)
    if result.error is not None and result.error.code == "INVALID_CROSS_REFERENCE_KEY":
        raise not_found()
    _refuse(result)
    return reply(status=204)


def _key_of(world: SalesforceWorld, exchange: Exchange) -> tuple[Table, Field]:
    table = table_of(world, exchange)
    name = exchange.path_params["field"]
    key = table.type.find(name)
    if key is None or not key.is_key:
        raise no_such_key(name)
    return table, key


async def read_by_key(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /sobjects/{Object}/{ExtField}/{value}`."""
    version = version_of(exchange)
    table, key = _key_of(world, exchange)
    await read(world, exchange, "read")
    matches = table.find(key, exchange.path_params["value"])
    if len(matches) > 1:
        return reply(_urls(table, matches, version), 300)
    if not matches:
        raise not_found()
    return reply(show(table, table.rows[matches[0]], _wanted(exchange, table), version))


def _urls(table: Table, matches: list[str], version: float) -> list[str]:
    return [f"/services/data/v{version}/sobjects/{table.type.name}/{each}" for each in matches]


async def upsert(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`PATCH /sobjects/{Object}/{ExtField}/{value}`: 201, 200, or 300 if the key is ambiguous."""
    version = version_of(exchange)
    table, key = _key_of(world, exchange)
    value = exchange.path_params["value"]
    row = RecordReader(world.org).read(table.type, json_of(exchange))
    if key.kind == "id":
        row.id = value
    elif key.name in row.values:
        message = f"The {key.name} field should not be specified in the sobject data."
        raise Refusal(400, "INVALID_FIELD", message, (key.name,))
    else:
        row.key = row.values[key.name] = value
    matches = table.find(key, value)
    if len(matches) > 1:
        await read(world, exchange, Operation.UPSERT.value)
        return reply(_urls(table, matches, version), 300)
    if exchange.query.get("updateOnly") == "true" and not matches:
        raise not_found()
    result = await _write(world, exchange, table, Operation.UPSERT, row, key)
    _refuse(result)
    if version < UPDATED_IS_200_FROM:
        return reply(_success(result), 201) if result.is_created else reply(status=204)
    return reply(_success(result) | {"created": result.is_created}, 201 if result.is_created else 200)
