"""SOQL over REST: `query` and `queryAll`, in pages that are reached by `nextRecordsUrl`."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.salesforce.door import read, reply, version_of
from syncer.sandbox.salesforce.ids import make_id
from syncer.sandbox.salesforce.refusal import Refusal
from syncer.sandbox.salesforce.soql import Query, parse_query
from syncer.sandbox.salesforce.store import Record

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

KEPT_CURSORS = 50
SMALLEST_PAGE = 200
_LOCATOR = re.compile(r"(01g\w+)-(\d+)")
_PAGE_SIZE = re.compile(r"batchSize=(\d+)")


@dataclass(slots=True)
class Cursors:
    """Answers that were longer than a page, the newest few; a cursor shows the org as it stood when it was opened."""

    _open: OrderedDict[str, tuple[Query, list[Record], int]] = field(default_factory=OrderedDict)
    _count: int = 0

    def open(self, query: Query, records: list[Record], page: int) -> str:
        """Keep an answer under a new cursor."""
        self._count += 1
        cursor = make_id("01g", self._count)
        self._open[cursor] = (query, records, page)
        while len(self._open) > KEPT_CURSORS:
            self._open.popitem(last=False)
        return cursor

    def find(self, cursor: str) -> tuple[Query, list[Record], int]:
        """The answer under a cursor; Refusal if it is closed."""
        if cursor not in self._open:
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._open[cursor]


async def query(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /query?q=…`, and `queryAll` with the deleted records too."""
    version = version_of(exchange)
    text = exchange.query.get("q")
    if text is None:
        raise Refusal(400, "MALFORMED_QUERY", "Missing required parameter 'q'")
    await read(world, exchange, "query")
    parsed = parse_query(world.org.store, text)
    records = parsed.run(with_deleted=exchange.entry.endpoint.endswith("queryAll"))
    if parsed.is_count:
        return reply({"totalSize": len(records), "done": True, "records": []})
    page = _page_size(world, exchange)
    cursor = world.cursors.open(parsed, [dict(record) for record in records], page) if len(records) > page else ""
    return reply(_page(parsed, records, cursor, 0, page, version))


def _page_size(world: SalesforceWorld, exchange: Exchange) -> int:
    """*Query Options Header*: `Sforce-Query-Options: batchSize=500` asks for 200 to 2,000 records a page."""
    matched = _PAGE_SIZE.search(exchange.headers.get("sforce-query-options", ""))
    if matched is None:
        return world.limits.query_page
    return max(SMALLEST_PAGE, min(int(matched[1]), world.limits.query_page))


async def more(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET` of a `nextRecordsUrl`."""
    version = version_of(exchange)
    await read(world, exchange, "query")
    matched = _LOCATOR.fullmatch(exchange.path_params["locator"])
    if matched is None:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    parsed, records, page = world.cursors.find(matched[1])
    return reply(_page(parsed, records, matched[1], int(matched[2]), page, version))


def _page(  # noqa: PLR0913, PLR0917 - an answer and the part of it that is wanted
    parsed: Query, records: list[Record], cursor: str, start: int, page: int, version: float
) -> dict[str, Any]:
    is_last = start + page >= len(records)
    answer: dict[str, Any] = {"totalSize": len(records), "done": is_last}
    if not is_last:
        answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{cursor}-{start + page}"
    answer["records"] = [_show(parsed, record, version) for record in records[start : start + page]]
    return answer


def _show(parsed: Query, record: Record, version: float) -> dict[str, Any]:
    shown: dict[str, Any] = {"attributes": _attributes(parsed.table.type.name, record["Id"], version)}
    for path in parsed.paths:
        if path.via is None:
            shown[path.text] = parsed.get(record, path)
            continue
        relation = path.via.relation or ""
        parent_id = record.get(path.via.name)
        if path.parent is None or parent_id not in path.parent.rows:
            shown[relation] = None
            continue
        parent = shown.setdefault(relation, {"attributes": _attributes(path.parent.type.name, parent_id, version)})
        parent[path.field.name] = parsed.get(record, path)
    return shown


def _attributes(name: str, record_id: str, version: float) -> dict[str, str]:
    return {"type": name, "url": f"/services/data/v{version}/sobjects/{name}/{record_id}"}
