"""The vendor's ids of records that were written, noted beside their outcomes until the ledger takes them.

One line a record: its row number and its id. A line without its end is no line: half an id is another record's.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, assert_never

import pyarrow as pa

from syncer.engine.connection import private
from syncer.engine.ledger import Naming

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

    import duckdb

    from syncer.engine.protocol import Learnt
    from syncer.engine.staged import Form

_NOTES = "ids.csv"
_LONGEST_LINE = 256
IS_ID = "regexp_full_match(name, '[0-9A-Za-z-]{1,64}')"
"""A number (Marketo), a GUID (its custom objects), or 15 or 18 letters and digits (Salesforce)."""
_TYPES = {"row": pa.int64(), "name": pa.string()}


def note(learnt: Learnt, folder: Path) -> None:
    """Append ids to the folder's notes; the newest word on a row counts."""
    from pyarrow import csv

    table = pa.table({"row": pa.array(learnt.rows, pa.int64()), "name": pa.array(learnt.ids, pa.string())})
    lines = io.BytesIO()
    csv.write_csv(table, lines, csv.WriteOptions(include_header=False, quoting_style="needed"))
    handle = os.open(private(folder) / _NOTES, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "rb+") as file:
        file.truncate(_whole(file))
        file.seek(0, os.SEEK_END)
        file.write(lines.getvalue())


def noted(folders: Iterable[Path]) -> pa.Table:
    """Return all ids in the order of their notes, as (row, name, said)."""
    from pyarrow import csv

    pieces = []
    for path in (folder / _NOTES for folder in folders):
        if not path.exists():
            continue
        with path.open("rb") as file:
            size = _whole(file)
            file.seek(0)
            pieces.append(file.read(size))
    names = list(_TYPES)
    table = pa.Table.from_pydict({name: [] for name in names}, pa.schema(list(_TYPES.items())))
    if any(pieces):
        options = csv.ConvertOptions(column_types=_TYPES, strings_can_be_null=False)
        reading = csv.ReadOptions(column_names=names)
        table = csv.read_csv(io.BytesIO(b"".join(pieces)), reading, convert_options=options)
    return table.append_column("said", pa.array(range(len(table)), pa.int64()))


def relation(cursor: duckdb.DuckDBPyConnection, folders: Iterable[Path], form: Form) -> str:
    """Return the relation (row, name) of what the state calls the records that were sent; "" where it does not."""
    match form.naming:
        case Naming.NONE:
            return ""
        case Naming.KEY:
            key = form.wire.part(form.key.parts[0].field)
            return f'SELECT "row", {key} AS name FROM ({form.wire.parted("outgoing")})'
        case Naming.LEARNT | Naming.ONCE:
            # The table outlives the registration, and the last word on a row counts.
            cursor.register("ids", noted(folders))
            cursor.execute(
                f'CREATE OR REPLACE TEMP TABLE names AS SELECT "row", arg_max(name, said) AS name FROM ids '
                f'WHERE {IS_ID} GROUP BY "row"'
            )
            cursor.unregister("ids")
            return "FROM names"
        case _:
            assert_never(form.naming)


def _whole(file: BinaryIO) -> int:
    """Return how many bytes of the file are lines with their end."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _LONGEST_LINE)
    file.seek(start)
    return start + file.read().rfind(b"\n") + 1 if size else 0
