"""What all kinds of sources share: declared columns, fingerprints, SQL literals and files to work in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from syncer.errors import SourceError
from syncer.manifest.models import Column
from syncer.sources import survey
from syncer.sources.protocol import SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from syncer.sources.survey import Signature

TEXT = Column()


def source_column(name: str, declared: Mapping[str, Column], raw: str) -> SourceColumn:
    """Return the column as declared; text where nothing is declared."""
    given = declared.get(name, TEXT)
    return SourceColumn(name, given.type, raw, given.format, given.required, given.unique)


def fingerprint(names: Sequence[str], digests: Sequence[str]) -> str:
    """Return the digest of one file as it is, or of the names and digests of several."""
    if len(digests) == 1:
        return digests[0]
    lines = "".join(f"{digest}  {name}\n" for name, digest in zip(names, digests, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def unchanged(files: Sequence[Path], before: Sequence[Signature]) -> None:
    """Raise where a file was written to since its signature was taken."""
    for path, signature in zip(files, before, strict=True):
        if survey.signature(path) != signature:
            detail = f'"{path.name}" changed while it was read.'
            raise SourceError("S105", detail, "Run the command again when nothing writes to the file.")


def text(value: str) -> str:
    """Return a text literal of DuckDB."""
    return "'" + value.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """Return a quoted identifier of DuckDB."""
    return '"' + identifier.replace('"', '""') + '"'


def work_file(connection: duckdb.DuckDBPyConnection, label: str) -> Path:
    """Return the path of a file in the engine's own spill folder, which is private and goes with the staged rows."""
    [(setting,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    folder = Path(str(setting))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / label
