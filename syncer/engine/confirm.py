"""Notes what became of sent rows, and turns it into what the ledger may believe.

A key is confirmed when every row of its sequence is. A key of which only a part arrived, or is in doubt, is
forgotten: what the target holds is then neither the old state nor the new one, and the next plan must send it again.
A key whose rows were all refused or never sent stays as it was.
"""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

import pyarrow as pa

from syncer.engine import ledger, sql
from syncer.engine.chain import KEY
from syncer.engine.connection import count, private, write_parquet
from syncer.engine.cursor import STAMP
from syncer.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import duckdb

_HELD = tuple(each.letter for each in (Outcome.CREATED, Outcome.UPDATED, Outcome.WRITTEN, Outcome.UNCHANGED))
_NOTES = "outcomes.words"
_WORD_BYTES = 8
_LETTER_ROOM = 256
_TOUCHED = (*_HELD, Outcome.IN_DOUBT.letter)


def note(rows: Sequence[int], letters: str, folder: Path) -> None:
    """Append the letters of rows to the folder's notes; the newest word on a row counts."""
    import pyarrow.compute as pc

    numbers = rows if isinstance(rows, array) else array("q", rows)
    positions = pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])
    codes = pa.Array.from_buffers(pa.uint8(), len(letters), [None, pa.py_buffer(letters.encode("ascii"))])
    # A row and its letter in one number: a note is one write, and a torn end is told by its length.
    words = pc.add(pc.multiply(positions, _LETTER_ROOM), codes.cast(pa.int64()))
    path = private(folder) / _NOTES
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.truncate(file.tell() // _WORD_BYTES * _WORD_BYTES)
        file.write(words.buffers()[1])


def _notes(folders: Iterable[Path]) -> pa.Table:
    """Return all notes in order, as (word, said)."""
    import pyarrow.compute as pc

    data = b"".join((folder / _NOTES).read_bytes() for folder in folders if (folder / _NOTES).exists())
    count = len(data) // _WORD_BYTES
    words = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(data)])
    return pa.table({"word": words, "said": pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count))})


def tell(cursor: duckdb.DuckDBPyConnection, folders: Iterable[Path]) -> None:
    """Make the table `outcomes` (row, letter) of the notes."""
    cursor.register("notes", _notes(folders))
    try:
        cursor.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE outcomes AS
            SELECT word // {_LETTER_ROOM} AS "row", chr(CAST(arg_max(word, said) % {_LETTER_ROOM} AS INTEGER)) AS letter
            FROM notes GROUP BY word // {_LETTER_ROOM}
            """
        )
    finally:
        cursor.unregister("notes")


def confirmed(  # noqa: PLR0913 - all that a ledger may be told
    cursor: duckdb.DuckDBPyConnection, named: str, reached: str, path: Path, *, has_hashes: bool, retold: Path
) -> int:
    """Write (kh_high, kh_low, rh) of written keys, `rh` null for a key to forget; return how many are confirmed.

    `has_hashes` says that the rows have hashes of their source rows, to be written beside; `retold` may be a file of
    keys that the ledger holds as they are and shall know by another one.
    `named` is a relation (row, name) of what the state calls the records; "" where it calls them nothing.
    `reached` is how far a source with a cursor is done, "" for one that is read whole.
    """
    name, last_name, names = (
        ("", "", "") if not named else (", name", ", arg_max(name, turn) AS name", f'LEFT JOIN ({named}) USING ("row")')
    )
    told, untold = (f", {ledger.HASH}", f", NULL::UBIGINT AS {ledger.HASH}") if has_hashes else ("", "")
    held, touched = (", ".join(sql.text(each) for each in letters) for letters in (_HELD, _TOUCHED))
    repeated = f'SELECT DISTINCT {KEY} FROM "later"'
    again = f"UNION ALL BY NAME SELECT {KEY}, rh{told} FROM {sql.parquet(retold)}" if retold.exists() else ""
    write_parquet(
        cursor,
        f"""
        SELECT {KEY}, CASE WHEN letter IN ({held}) THEN rh END AS rh{name}{told}
        FROM ("first" ANTI JOIN ({repeated}) USING ({KEY})) JOIN outcomes USING ("row") {names}
        WHERE letter IN ({touched})
        UNION ALL
        SELECT {KEY}, CASE WHEN bool_and(letter IN ({held})) THEN {ledger.SEQUENCE} END AS rh{last_name}{untold}
        FROM (SELECT {KEY}, rh, wave AS turn, coalesce(letter, '.') AS letter{name}
              FROM (outgoing SEMI JOIN ({repeated}) USING ({KEY})) LEFT JOIN outcomes USING ("row") {names})
        GROUP BY {KEY} HAVING bool_or(letter IN ({touched})) {again}
        """,
        path,
        f"{{{STAMP}: {sql.text(reached)}}}" if reached else "",
    )
    return count(cursor, f"SELECT count(rh) FROM {sql.parquet(path)}")
