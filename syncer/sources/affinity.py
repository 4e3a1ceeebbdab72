"""SQLite types values, not columns, and its driver makes one type of them: here nothing is lost by that.

Hands on a query in which a column of mixed values comes as text, each value with its own digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import SourceError
from syncer.sources.column import name

if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa

_EXACT_FLOAT = 2**53


def with_digits(query: str, schema: pa.Schema) -> str:
    """Return the query with its text columns made text by SQLite itself; the driver would write numbers in them short.

    Bytes stay bytes, so that they are refused.
    """
    import pyarrow as pa

    if not any(pa.types.is_string(each.type) for each in schema):
        return query
    cells = (
        f"CASE typeof({name(each.name)}) WHEN 'blob' THEN {name(each.name)} ELSE CAST({name(each.name)} AS TEXT) END "
        f"AS {name(each.name)}"
        if pa.types.is_string(each.type)
        else name(each.name)
        for each in schema
    )
    return f"SELECT {', '.join(cells)} FROM ({query}) AS asked"


def refuse_lost_digits(cursor: Any, query: str, schema: pa.Schema, source: str) -> None:
    """Raise where a column of fractions holds a whole number that no float can."""
    import pyarrow as pa

    for each in schema:
        if not pa.types.is_floating(each.type):
            continue
        column = name(each.name)
        cursor.execute(
            f"SELECT count(*) FROM ({query}) AS asked WHERE typeof({column}) = 'integer' "
            f"AND {column} NOT BETWEEN {-_EXACT_FLOAT} AND {_EXACT_FLOAT}"
        )
        [(found,)] = cursor.fetchall()
        if found:
            detail = (
                f'{found:,} rows of source "{source}" have a whole number of more than 15 digits in "{each.name}", '
                "which holds fractions too."
            )
            raise SourceError("S123", detail, "Convert the column in the query: CAST(... AS TEXT).")
