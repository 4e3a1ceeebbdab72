"""Tells the rows of a job apart by the files of its results.

Result rows come in another order, with values the server has rewritten, and a file may lack columns, so rows are
matched by their canonical key and by nothing else. What cannot be matched makes no row a success.
"""

from __future__ import annotations

import csv
import io
from array import array
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
_CREATED, _UPDATED, _FAILED, _UNPROCESSED, _DONE = (1 << bit for bit in range(5))
"""What a result row says. A key of several rows says all of it, which is one bit or a contradiction."""
_LETTERS = {_CREATED: "c", _CREATED | _UPDATED: "c", _UPDATED: "u", _FAILED: "x", _UNPROCESSED: ".", _DONE: "s"}
_HEAD_BYTES = 1 << 20
_SHORTEST_VALUE = 3
"""Values of fewer characters stay in a vendor's sentence: they would be found inside words."""
_NO_ROWS = (
    "SELECT NULL::UBIGINT AS lane, NULL::UTINYINT AS said, NULL::VARCHAR AS reason, NULL::VARCHAR AS id WHERE false"
)


def reconcile(  # noqa: PLR0913 - a job, its rows and its files
    cursor: duckdb.DuckDBPyConnection,
    key: Key,
    payload: Payload,
    files: Sequence[ResultFile],
    succeeded: str,
    *,
    learns: bool,
) -> Reconciled:
    """Return a letter for each row of the payload, the refused rows with their reasons, and ids if it `learns`."""
    results = [each for each in (_rows(key, file, learns=learns) for file in files) if each]
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE results AS {' UNION ALL '.join(results) or _NO_ROWS}")
    cursor.register("sent", _sent(payload))
    try:
        other = f"FROM results WHERE said NOT IN ({_CREATED}, {_UPDATED})"
        lost = count(cursor, f"SELECT count(*) FROM ({other}) ANTI JOIN sent USING (lane)")
        silent = IN_DOUBT if lost else succeeded
        known = " ".join(f"WHEN {said} THEN {ord(letter)}" for said, letter in _LETTERS.items())
        cursor.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE told AS
            SELECT place, "row", lane, CAST(CASE coalesce(said, 0)
                WHEN 0 THEN {ord(silent)} {known} ELSE {ord(IN_DOUBT)} END AS UTINYINT) AS letter
            FROM sent LEFT JOIN (SELECT lane, bit_or(said) AS said FROM results GROUP BY lane) USING (lane)
            """
        )
    finally:
        cursor.unregister("sent")
    letters = cursor.sql("SELECT letter FROM told ORDER BY place").to_arrow_table()["letter"].combine_chunks()
    return Reconciled(_text(letters), _refused(cursor), _learnt(cursor) if learns else None)


def _sent(payload: Payload) -> pa.Table:
    """Return the payload's rows as columns, seen where they lie where they are numbers side by side."""
    return pa.table(
        {
            "place": pa.arange(0, payload.records),
            "row": _column(payload.rows, "q", pa.int64()),
            "lane": _column(payload.lanes, "Q", pa.uint64()),
        }
    )


def _column(numbers: Sequence[int], code: str, kind: pa.DataType) -> pa.Array:
    held = numbers if isinstance(numbers, array) else array(code, numbers)
    return pa.Array.from_buffers(kind, len(held), [None, pa.py_buffer(held)])


def _text(letters: pa.UInt8Array) -> str:
    return bytes(memoryview(letters.buffers()[1])[letters.offset : letters.offset + len(letters)]).decode("ascii")


def _refused(cursor: duckdb.DuckDBPyConnection) -> tuple[RowReject, ...]:
    """Return the refused rows in the payload's order; of two reasons for one row, the first by the alphabet."""
    rows = cursor.execute(
        f"""
        SELECT "row", coalesce(min(reason), '')
        FROM (FROM told WHERE letter = {ord(_LETTERS[_FAILED])}) JOIN results USING (lane)
        GROUP BY place, "row" ORDER BY place
        """
    ).fetchall()
    return tuple(RowReject(row, REFUSED, reason) for row, reason in rows)


def _learnt(cursor: duckdb.DuckDBPyConnection) -> Learnt | None:
    written = ", ".join(str(ord(_LETTERS[each])) for each in (_CREATED, _UPDATED))
    ids = cursor.sql(
        f"""
        SELECT "row", min(id) AS id FROM (FROM told WHERE letter IN ({written})) JOIN results USING (lane)
        WHERE id IS NOT NULL GROUP BY place, "row" ORDER BY place
        """
    ).to_arrow_table()
    return Learnt(ids["row"].combine_chunks(), ids["id"].combine_chunks()) if ids.num_rows else None


def _rows(key: Key, file: ResultFile, *, learns: bool) -> str:
    """Return the SELECT of a result file's rows: lane (null where the key is not there), what is said, reason, id."""
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
    reason = "NULL::VARCHAR"
    if file.error_column:
        reason = (
            f"list_reduce([{own}], lambda told, cell: CASE WHEN length(cell) >= {_SHORTEST_VALUE} "
            f"THEN replace(told, cell, '…') ELSE told END, {column(file.error_column)})"
        )
    match file.kind:
        case "succeeded":
            said = f"CASE WHEN lower({column(file.created_column)}) = 'true' THEN {_CREATED} ELSE {_UPDATED} END"
        case "unprocessed":
            said = str(_UNPROCESSED)
        case _:
            said = str(_FAILED)
    if file.nothing_to_do:
        is_done = f"starts_with({column(file.error_column)}, {sql.text(file.nothing_to_do)})"
        said = f"CASE WHEN {is_done} THEN {_DONE} ELSE {said} END"
    return (
        f"SELECT CAST({kh} >> 64 AS UBIGINT) AS lane, CAST({said} AS UTINYINT) AS said, {reason} AS reason, "
        f"{column(file.id_column) if learns else 'NULL::VARCHAR'} AS id FROM (SELECT *, {fields} FROM {scan})"
    )


def _header(path: Path) -> list[str]:
    """Return the names of a result file, none where it is empty: vendors send nothing instead of a header."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace")
    return next((row for row in csv.reader(io.StringIO(head, newline="")) if row), [])
