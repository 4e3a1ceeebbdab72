"""Tells the rows of a job apart by the files of its results.

Result rows come in another order, with values the server has rewritten, and a file may lack columns, so rows are
matched by their canonical key and by nothing else. What cannot be matched makes no row a success.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pyarrow as pa

from syncer.engine import chain, sql
from syncer.engine.connection import count
from syncer.engine.protocol import Learnt, Reconciled, RowReject
from syncer.mapping.pipeline import conformed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from syncer.engine.chain import Key
    from syncer.engine.protocol import Payload, ResultFile

REFUSED = "V500"
IN_DOUBT = "?"
_HEAD_BYTES = 1 << 20
_SHORTEST_VALUE = 3
"""Values of fewer characters stay in a vendor's sentence: they would be found inside words."""
_NO_ROWS = (
    "SELECT NULL::UBIGINT AS lane, NULL::VARCHAR AS kind, NULL::BOOLEAN AS created, NULL::VARCHAR AS reason, "
    "NULL::VARCHAR AS id WHERE false"
)


def reconcile(
    cursor: duckdb.DuckDBPyConnection, key: Key, payload: Payload, files: Sequence[ResultFile], succeeded: str
) -> Reconciled:
    """Return a letter for each row of the payload, and the refused rows with the vendor's reason."""
    results = [each for each in (_rows(key, file) for file in files) if each]
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE results AS {' UNION ALL '.join(results) or _NO_ROWS}")
    sent = pa.table(
        {
            "place": pa.array(range(payload.records), pa.int64()),
            "row": pa.array(payload.rows, pa.int64()),
            "lane": pa.array(payload.lanes, pa.uint64()),
        }
    )
    cursor.register("sent", sent)
    try:
        lost = count(cursor, "SELECT count(*) FROM results ANTI JOIN sent USING (lane) WHERE kind <> 'succeeded'")
        silent = IN_DOUBT if lost else succeeded
        cursor.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE told AS
            SELECT place, "row", CASE
                WHEN kinds IS NULL THEN {sql.text(silent)}
                WHEN len(kinds) > 1 THEN '{IN_DOUBT}'
                WHEN kinds[1] = 'failed' THEN 'x'
                WHEN kinds[1] = 'unprocessed' THEN '.'
                WHEN kinds[1] = 'done' THEN 's'
                WHEN created THEN 'c' ELSE 'u' END AS letter, reason, id
            FROM sent LEFT JOIN (
                SELECT lane, list(DISTINCT kind) AS kinds, bool_or(created) AS created, min(reason) AS reason,
                       min(id) AS id
                FROM results WHERE lane IS NOT NULL GROUP BY lane) USING (lane)
            """
        )
    finally:
        cursor.unregister("sent")
    [(letters,)] = cursor.execute("SELECT coalesce(string_agg(letter, '' ORDER BY place), '') FROM told").fetchall()
    refused = cursor.execute(
        "SELECT \"row\", coalesce(reason, '') FROM told WHERE letter = 'x' ORDER BY place"
    ).fetchall()
    ids = cursor.sql(
        "SELECT \"row\", id FROM told WHERE letter IN ('c', 'u') AND id IS NOT NULL ORDER BY place"
    ).to_arrow_table()
    learnt = Learnt(ids["row"].combine_chunks(), ids["id"].combine_chunks()) if ids.num_rows else None
    return Reconciled(letters, tuple(RowReject(row, REFUSED, reason) for row, reason in refused), learnt)


def _rows(key: Key, file: ResultFile) -> str:
    """Return the SELECT of a result file's rows: lane (null where the key is not there), kind, created, reason."""
    names = _header(file.path)
    if not names:
        return ""
    places = {name.casefold(): place for place, name in reversed(list(enumerate(names)))}

    def column(name: str) -> str:
        place = places.get(name.casefold())
        return "NULL::VARCHAR" if place is None else sql.name(f"c{place}")

    fields = ", ".join(
        f"TRY_CAST({column(each.field)} AS {each.engine_type}) AS {sql.name(conformed(each.field))}"
        for each in key.parts
    )
    kh = chain.key_hash(key)
    vendor = {name.casefold() for name in (file.error_column, file.id_column, file.created_column)}
    own = (
        ", ".join(sql.name(f"c{place}") for place, name in enumerate(names) if name.casefold() not in vendor)
        or "NULL::VARCHAR"
    )
    types = "{" + ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names))) + "}"
    scan = (
        f"read_csv({sql.text(file.path)}, delim = ',', quote = '\"', escape = '\"', header = true, "
        f"auto_detect = false, strict_mode = false, null_padding = true, parallel = false, columns = {types})"
    )
    reason = (
        f"list_reduce([{own}], lambda told, cell: CASE WHEN length(cell) >= {_SHORTEST_VALUE} "
        f"THEN replace(told, cell, '…') ELSE told END, {column(file.error_column)})"
    )
    created = f"lower({column(file.created_column)}) = 'true'"
    kind = sql.text(file.kind)
    if file.nothing_to_do:
        is_done = f"starts_with({column(file.error_column)}, {sql.text(file.nothing_to_do)})"
        kind = f"CASE WHEN {is_done} THEN 'done' ELSE {kind} END"
    return (
        f"SELECT CAST({kh} >> 64 AS UBIGINT) AS lane, {kind} AS kind, "
        f"{created} AS created, {reason} AS reason, {column(file.id_column)} AS id "
        f"FROM (SELECT *, {fields} FROM {scan})"
    )


def _header(path: Path) -> list[str]:
    """Return the names of a result file, none where it is empty: vendors send nothing instead of a header."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace")
    return next((row for row in csv.reader(io.StringIO(head, newline="")) if row), [])
