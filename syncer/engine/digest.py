"""Digests the staged rows: the same on every machine, for every thread count and file layout.

Each column is hashed on its own over little-endian 64-bit values in row order, so it does not matter how the engine
happens to split the stream.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

from syncer.engine.connection import stream

if TYPE_CHECKING:
    import duckdb

_PARTS = (
    ('SELECT CAST("row" AS BIGINT), kh_high, kh_low, rh FROM "first"', 4),
    ('SELECT CAST(wave AS BIGINT), CAST("row" AS BIGINT), kh_high, kh_low, rh FROM "later"', 5),
    ('SELECT CAST("row" AS BIGINT), CAST(md5_number(code) >> 64 AS UBIGINT) FROM rejected ORDER BY "row"', 2),
)


def rows_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the digest over outgoing rows (number, key, values, wave) and refused rows (number, code)."""
    whole = hashlib.sha256()
    for query, width in _PARTS:
        columns = [hashlib.sha256() for _ in range(width)]
        for piece in stream(connection, query):
            for digest, column in zip(columns, piece.columns, strict=True):
                digest.update(values(column))
        for digest in columns:
            whole.update(digest.digest())
    return whole.hexdigest()


def values(column: pa.Array) -> memoryview:
    """Return the bytes of a 64-bit column without nulls."""
    start = column.offset * 8
    return memoryview(column.buffers()[1])[start : start + len(column) * 8]
