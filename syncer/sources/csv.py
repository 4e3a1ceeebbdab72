"""Reads delimited files: strictly, in parallel, every cell as the text that stands there.

Hands on a scan in file order. Cells become typed later, by declaration; a row that does not fit the header is one
reject, a file that cannot be believed as a whole is one error. A delimiter after the last cell, with nothing behind it,
is no cell more: many programs end their rows so.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from syncer.errors import SourceError
from syncer.sources import decode, header, survey
from syncer.sources.column import fingerprint, source_column, text, unchanged, work_file
from syncer.sources.protocol import ReadAgain, Relation, SourceColumn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    import duckdb

    from syncer.manifest.models import Column
    from syncer.sources.survey import Signature, Survey

MAX_ROW_BYTES = 2_000_000
"""A row longer than this fits no path of any target."""
_HEAD_BYTES = header.MAX_HEADER_BYTES
_SCANS = itertools.count(1)
"""Numbers the tables of rejects, of which every scan needs its own."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """The declared form of the files; a quote or an encoding that is none is read off them."""

    delimiter: str
    quote: str | None = None
    encoding: str | None = None
    is_declared: bool = False
    null_values: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class CsvSource:
    """One or several delimited files with the same header."""

    name: str
    files: tuple[Path, ...]
    form: CsvForm
    declared: Mapping[str, Column]

    def columns(self) -> tuple[SourceColumn, ...]:
        """Return the header's columns; raises `SourceError`."""
        return self._columns(self._header())

    def open(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """Return the scan of all files, in order; raises `SourceError`."""
        signatures = tuple(survey.signature(each) for each in self.files)
        plain = self._plain_text(connection)
        heading = self._header(plain)
        columns = self._columns(heading)
        table = f"broken_{next(_SCANS)}"
        return _Scan(self, connection, signatures, plain, columns, heading, is_parallel=True, table=table).relation()

    def _header(self, plain: tuple[Path, ...] = ()) -> header.Header:
        """Read the header; several files must agree on it."""
        form = header.Form(self.form.delimiter, self.form.quote, self.form.is_declared)
        found: header.Header | None = None
        for place, path in enumerate(self.files):
            if plain:
                with plain[place].open("rb") as file:
                    head = file.read(_HEAD_BYTES)
            else:
                head = decode.head(path, self.form.encoding, _HEAD_BYTES)
            each = header.read(head, form, path.name)
            if found is not None and each != found:
                detail = f'"{path.name}" has another header than "{self.files[0].name}".'
                raise SourceError("S107", detail, "Files of one source need the same columns in the same order.")
            found = each
        if found is None:
            raise SourceError("S101", f'Source "{self.name}" names no file.')
        return found

    def _columns(self, heading: header.Header) -> tuple[SourceColumn, ...]:
        return tuple(source_column(name, self.declared, "VARCHAR") for name in heading.names)

    def _plain_text(self, connection: duckdb.DuckDBPyConnection) -> tuple[Path, ...]:
        """Return the files as UTF-8 with one kind of line end, unpacked and rewritten only where they are not."""
        plain = []
        for place, path in enumerate(self.files):
            text = path
            if path.stat().st_size == 0:
                raise SourceError(
                    "S101", f'"{path.name}" is empty: it has no header.', "A file of no rows still has a header."
                )
            if decode.is_needed(path, self.form.encoding):
                text = decode.to_utf8(path, self.form.encoding, work_file(connection, f"{self.name}-{place}.csv"))
            if text.stat().st_size and survey.holds(text, b"\r"):
                quote = self._quote(text)
                ends = survey.line_ends(text, quote)
                if ends.first_cr:
                    detail = f'Line {ends.first_cr} of "{path.name}" ends in a lone CR.'
                    raise SourceError(
                        "S108", detail, "Save the file with LF or CRLF line ends, and quote cells that hold a CR."
                    )
                if ends.crlf and ends.lf:
                    copy = work_file(connection, f"{self.name}-{place}-lf.csv")
                    survey.with_line_feeds(text, quote, copy)
                    text = copy
            plain.append(text)
        return tuple(plain)

    def _quote(self, plain: Path) -> bytes:
        with plain.open("rb") as file:
            return (self.form.quote or header.quote_of(file.read(_HEAD_BYTES))).encode()


@dataclass(frozen=True, slots=True)
class _Scan:
    """One opening of the source: what to scan, and what to check when it was scanned."""

    source: CsvSource
    connection: duckdb.DuckDBPyConnection
    signatures: tuple[Signature, ...]
    plain: tuple[Path, ...]
    columns: tuple[SourceColumn, ...]
    heading: header.Header
    is_parallel: bool
    table: str

    def relation(self) -> Relation:
        """Return the scan; the survey of the bytes runs beside it."""
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(1, thread_name_prefix="survey")
        surveys = pool.submit(self._survey)
        pool.shutdown(wait=False)
        return Relation(
            sql=self._sql(),
            columns=self.columns,
            finish=lambda rows: self._finish(rows, surveys),
            explain=self._explain,
            structural_rejects=f'SELECT "row", line, code, reason FROM {self.table}_rows',
            may_hold_nul=any(survey.holds(each, b"\0") for each in self.plain),
        )

    def _sql(self) -> str:
        options = {
            "delim": text(self.heading.delimiter),
            "quote": text(self.heading.quote),
            "escape": text(self.heading.quote),
            "header": "true",
            "auto_detect": "false",
            "strict_mode": "true",
            "columns": "{" + ", ".join(f"{text(each.name)}: 'VARCHAR'" for each in self.columns) + "}",
            "nullstr": "[" + ", ".join(text(each) for each in self.source.form.null_values) + "]",
            "max_line_size": str(MAX_ROW_BYTES),
            "store_rejects": "true",
            "rejects_table": text(self.table),
            "rejects_scan": text(f"{self.table}_scans"),
            "parallel": str(self.is_parallel).lower(),
        }
        files = "[" + ", ".join(text(str(each)) for each in self.plain) + "]"
        given = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"SELECT * FROM read_csv({files}, {given})"

    def _survey(self) -> tuple[tuple[Survey, ...], str]:
        """Look at every file's bytes; return what was found, and the digest of the files as they are on disk."""
        quote = self.heading.quote.encode()
        found = tuple(survey.survey(each, quote) for each in self.plain)
        digests = [
            each.sha256 if plain == path else survey.digest(path)
            for each, plain, path in zip(found, self.plain, self.source.files, strict=True)
        ]
        return found, fingerprint([path.name for path in self.source.files], digests)

    def _finish(self, rows: int, surveys: Future[tuple[tuple[Survey, ...], str]]) -> str:
        found, digest = surveys.result()
        unchanged(self.source.files, self.signatures)
        broken = self._count(f"SELECT count(DISTINCT (scan_id, file_id, line)) FROM {self.table}")
        is_single = len(self.columns) == 1
        expected = sum(each.records - 1 + (len(each.blanks) if is_single else 0) for each in found)
        if rows + broken != expected:
            if self.is_parallel:
                raise ReadAgain(replace(self, is_parallel=False, table=f"{self.table}_again").relation())
            raise self._misquoted()
        if broken:
            self._refuse_broken_files()
        self._number_rejects(found)
        return digest

    def _refuse_broken_files(self) -> None:
        """Raise for what makes the whole file doubtful; the first place is named."""
        rows = self.connection.execute(
            f"""
            SELECT error_type, file_path, byte_position
            FROM {self.table} JOIN {self.table}_scans USING (scan_id, file_id)
            WHERE error_type NOT IN ('MISSING COLUMNS', 'TOO MANY COLUMNS', 'LINE SIZE OVER MAXIMUM')
            ORDER BY file_id, byte_position LIMIT 1
            """
        ).fetchall()
        for kind, file, position in rows:
            path = Path(file)
            label = self.source.files[self.plain.index(path)].name
            line = survey.line_at(path, position - 1)
            if kind == "UNQUOTED VALUE":
                raise _quote_error(line, label)
            if kind == "INVALID ENCODING":
                invalid = survey.first_invalid(path)
                detail = (
                    f'"{label}" is not UTF-8 at byte {position - 1 if invalid is None else invalid}, in line {line}.'
                )
                raise SourceError("S103", detail, 'Declare "encoding", or save the file as UTF-8.')
            raise SourceError("S109", f'Line {line} of "{label}" cannot be read: {str(kind).lower()}.')

    def _misquoted(self) -> SourceError:
        """Return the error for a file whose quotes do not pair up: the slow reader passes over some of them."""
        for path, plain in zip(self.source.files, self.plain, strict=True):
            line = survey.first_misquoted(plain, self.heading.delimiter.encode(), self.heading.quote.encode())
            if line:
                return _quote_error(line, path.name)
        names = ", ".join(f'"{each.name}"' for each in self.source.files)
        return SourceError("S109", f"{names}: the rows read are not the rows in the file.")

    def _number_rejects(self, found: tuple[Survey, ...]) -> None:
        """Make the table of rows that do not fit the header, with their row numbers."""
        blanks = (
            [(place, ordinal) for place, each in enumerate(found) for ordinal in each.blanks]
            if len(self.columns) > 1
            else []
        )
        self.connection.execute(f"CREATE TEMP TABLE {self.table}_blanks (file BIGINT, ordinal BIGINT)")
        if blanks:
            self.connection.executemany(f"INSERT INTO {self.table}_blanks VALUES (?, ?)", blanks)
        before, offsets = 0, []
        for place, each in enumerate(found):
            offsets.append((place, str(self.plain[place]), before))
            before += each.records - 1
        self.connection.execute(f"CREATE TEMP TABLE {self.table}_files (file BIGINT, path VARCHAR, before BIGINT)")
        self.connection.executemany(f"INSERT INTO {self.table}_files VALUES (?, ?, ?)", offsets)
        self.connection.execute(
            f"""
            CREATE TEMP TABLE {self.table}_rows AS
            SELECT before + line - 1 - (SELECT count(*) FROM {self.table}_blanks AS blanks
                                        WHERE blanks.file = places.file AND blanks.ordinal < line) AS "row",
                   line,
                   CASE WHEN is_long THEN 'V221' ELSE 'V220' END AS code,
                   CASE WHEN is_long THEN 'The row is longer than {MAX_ROW_BYTES:,} bytes.'
                        WHEN is_short THEN 'The row has fewer cells than the header has columns.'
                        ELSE 'The row has more cells than the header has columns.' END AS reason
            FROM (SELECT file_path, CAST(line AS BIGINT) AS line,
                         bool_or(error_type = 'LINE SIZE OVER MAXIMUM') AS is_long,
                         bool_or(error_type = 'MISSING COLUMNS') AS is_short
                  FROM {self.table} JOIN {self.table}_scans USING (scan_id, file_id)
                  GROUP BY file_path, line) AS rejects
            JOIN {self.table}_files AS places ON places.path = rejects.file_path
            """
        )

    def _explain(self, problem: duckdb.Error) -> SourceError:
        """Return an error that names the files; the engine's own words would quote cells."""
        names = ", ".join(f'"{each.name}"' for each in self.source.files)
        return SourceError("S109", f"{names} cannot be read as declared ({type(problem).__name__}).")

    def _count(self, query: str) -> int:
        [(found,)] = self.connection.execute(query).fetchall()
        return int(found)


def _quote_error(line: int, label: str) -> SourceError:
    detail = f'A quote in line {line} of "{label}" is never closed, or stands beside other text of its cell.'
    return SourceError("S104", detail, "Close the quote, and double a quote inside quotes.")
