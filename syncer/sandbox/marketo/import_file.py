"""Files of bulk imports: out of a multipart request, into rows, and back as failure and warning files.

Rules: Adobe, "Bulk Import" and "Bulk Lead Import". The parser knows nothing of leads.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from syncer.sandbox.marketo.gate import MarketoError

DELIMITERS = {"csv": ",", "tsv": "\t", "ssv": ";"}
"""`ssv` is separated by semicolons in imports."""
_NAME = re.compile(rb'\bname="((?:[^"\\]|\\.)*)"|\bname=([^\s;"]+)', re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """A parsed file: its format, header and rows of text."""

    format: str
    header: list[str]
    rows: list[list[str]]


def parse_multipart(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts by name; anything that is not well formed is 613."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise MarketoError("613", "Invalid Multipart Request")
    mark = b"--" + (found[1] or found[2]).encode("latin-1")
    sections = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(sections) < 3 or not sections[-1].startswith(b"--"):  # noqa: PLR2004 - preamble, one part, end
        raise MarketoError("613", "Invalid Multipart Request")
    parts: dict[str, bytes] = {}
    for section in sections[1:-1]:
        head, separator, content = section.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not separator or name is None:
            raise MarketoError("613", "Invalid Multipart Request")
        parts[(name[1] or name[2]).decode("utf-8", "replace")] = content
    return parts


def parse_table(text_format: str, content: bytes) -> Table:
    """Header and rows; blank lines are skipped, and a file without a header is empty."""
    delimiter = DELIMITERS.get(text_format.lower())
    if delimiter is None:
        raise MarketoError("1003", f"Invalid file format '{text_format}'")
    text = content.decode("utf-8", "replace")
    lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    if not lines:
        raise MarketoError("1003", "Empty file")
    return Table(text_format.lower(), lines[0], lines[1:])


def reason_file(table: Table, title: str, reasons: Sequence[tuple[int, str]]) -> bytes:
    """The rows with their reasons in a last column; columns that are empty in all of them are left out."""
    if not reasons:
        return b""
    width = len(table.header)
    rows = [(table.rows[index] + [""] * width)[:width] for index, _ in reasons]
    kept = [column for column in range(width) if any(row[column] for row in rows)]
    output = io.StringIO()
    writer = csv.writer(output, delimiter=DELIMITERS[table.format], lineterminator="\n")
    writer.writerow([table.header[column] for column in kept] + [title])
    for row, (_, reason) in zip(rows, reasons, strict=True):
        writer.writerow([row[column] for column in kept] + [reason])
    return output.getvalue().encode()
