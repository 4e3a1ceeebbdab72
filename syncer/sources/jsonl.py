"""Reads files of one JSON object a line: digits are kept, nested values stay JSON, a missing member is null."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.errors import SourceError
from syncer.sources import decode, digits, header, survey
from syncer.sources.column import fingerprint, source_column, text, unchanged, work_file
from syncer.sources.protocol import Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

    from syncer.manifest.models import Column

_UNPACKED = "compression = 'uncompressed'"
SAMPLE_BYTES = 1 << 20
"""Members are looked for in so much of each file; one that first stands later has to be declared."""


@dataclass(frozen=True, slots=True)
class JsonLinesSource:
    """One or several files of JSON lines; their members together are the columns."""

    name: str
    files: tuple[Path, ...]
    encoding: str | None
    declared: Mapping[str, Column]

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the declared columns and the members seen in the sample; raises `SourceError`."""
        names = dict.fromkeys(self.declared)
        for path in self.files:
            names.update(dict.fromkeys(self._members(path)))
        if not names:
            raise SourceError("S101", f'Source "{self.name}" holds no rows and declares no columns.')
        header.check_names(list(names), self.files[0].name)
        return tuple(source_column(name, self.declared, "VARCHAR") for name in names)

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Return the scan of all files, in order; raises `SourceError`."""
        columns = self.columns()
        before = [survey.signature(each) for each in self.files]
        plain = [
            decode.to_utf8(each, self.encoding, work_file(connection, f"{self.name}-{place}.jsonl"))
            if decode.is_needed(each, self.encoding)
            else each
            for place, each in enumerate(self.files)
        ]
        types = "{" + ", ".join(f"{text(each.name)}: 'VARCHAR'" for each in columns) + "}"
        files = "[" + ", ".join(text(str(each)) for each in plain) + "]"
        scan = f"SELECT * FROM read_json({files}, format = 'newline_delimited', columns = {types}, {_UNPACKED})"
        if any(map(digits.are_at_risk, plain)):
            scan = digits.scan(files, [each.name for each in columns])

        def finish(_rows: int) -> str:
            unchanged(self.files, before)
            return fingerprint([each.name for each in self.files], [survey.digest(each) for each in self.files])

        return Relation(scan, columns, finish, self._explain)

    def _members(self, path: Path) -> list[str]:
        """Return the members of the objects in the file's first bytes."""
        head = decode.head(path, self.encoding, SAMPLE_BYTES)
        lines = head.removeprefix(header.UTF8_MARK).split(b"\n")
        found: dict[str, None] = {}
        for number, line in enumerate(lines if len(head) < SAMPLE_BYTES else lines[:-1], 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as problem:
                detail = f'Line {number} of "{path.name}" is no JSON.'
                raise self._broken(detail) from problem
            if not isinstance(value, dict):
                detail = f'Line {number} of "{path.name}" is no JSON object.'
                raise self._broken(detail)
            found.update(dict.fromkeys(value))
        return list(found)

    def _explain(self, problem: duckdb.Error) -> SourceError:
        """Return an error that names the place; the engine's own words could quote values."""
        place = re.search(r"in line (\d+)", str(problem))
        where = f"Line {place[1]}" if place else "A line"
        return self._broken(f"{where} of {', '.join(each.name for each in self.files)} is no JSON object.")

    def _broken(self, detail: str) -> SourceError:
        return SourceError("S112", detail, "Every line has to be one JSON object.")
