"""A payload's records as values, for the few moments when Python must look at single rows: read-backs and remedies.

A request's records are its JSON list; a job's are its CSV lines, where an empty cell says nothing about the field.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from syncer.targets.protocol import RECORD_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from syncer.engine.protocol import Payload

Row = dict[str, Any]
BLANK = "#N/A"
"""The cell that empties a field in a Salesforce file; a record holds null there."""


def rows(payload: Payload) -> list[Row]:
    """Return the payload's records in its order."""
    if isinstance(payload.body, bytes):
        return [dict(each) for each in json.loads(payload.body)]
    with payload.body.open(encoding="utf-8", newline="") as file:
        return [
            {name: None if cell == BLANK else cell for name, cell in record.items() if cell}
            for record in csv.DictReader(file, strict=True)
        ]


def table(records: Sequence[Mapping[str, Any]], id_field: str, fields: Sequence[str]) -> pa.Table:
    """Return records as the target gave them as a table of texts, `fields` that it knows beside the record's id."""
    import pyarrow as pa

    by_name = [{name.lower(): value for name, value in each.items()} for each in records]
    columns: dict[str, list[str | None]] = {RECORD_ID: [str(each.get(id_field.lower(), "")) for each in by_name]}
    known = {name for each in by_name for name in each}
    for name in fields:
        if name.lower() in known or not records:
            columns[name] = [_text(each.get(name.lower())) for each in by_name]
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def _text(value: object) -> str | None:
    """Return a JSON value as one text, null as null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def json_list(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Return records as the JSON list that a request carries."""
    return json.dumps(list(records), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
