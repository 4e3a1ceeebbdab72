"""An uploaded file into its header and rows, by the vendor's rules, or into the reason why the whole job fails.

*Bulk API 2.0*, Prepare CSV Files and Valid CSV Record Rows: delimiter and line ending are those of the job
everywhere, also inside quotes; a quote is special only at the start of a value; blanks are data.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import StrEnum


class LineEnding(StrEnum):
    """The two line endings that a job may declare."""

    LF = "LF"
    CRLF = "CRLF"

    @property
    def characters(self) -> str:
        """What ends a line."""
        return "\n" if self is LineEnding.LF else "\r\n"


DELIMITERS = {"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
UNESCAPED_QUOTE = (
    "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"
)


class JobFailure(Exception):  # noqa: N818 - it is the job that failed
    """The job as a whole ends as Failed, with this message."""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """What an upload holds: the header as it was written, its cells, and the rows with as many cells as they have."""

    header_line: str
    header: tuple[str, ...]
    rows: list[list[str]]


def parse_csv(data: bytes, delimiter: str, line_ending: LineEnding) -> CsvFile:
    """Read an upload; JobFailure says what the vendor says about a file that it cannot use."""
    text = data.decode("utf-8", errors="replace")
    _check_line_endings(text, line_ending)
    end = line_ending.characters
    lines = text.split(end)
    if '"' not in text:
        cells = [line.split(delimiter) for line in lines if line]
        header_line = next((line for line in lines if line), "")
    else:
        cells, header_line = _split_quoted(lines, delimiter, end)
    if not cells:
        return CsvFile("", (), [])
    return CsvFile(header_line, tuple(cells[0]), cells[1:])


def _check_line_endings(text: str, line_ending: LineEnding) -> None:
    returns = text.count("\r\n")
    is_wrong = returns > 0 if line_ending is LineEnding.LF else returns < text.count("\n")
    if is_wrong:
        message = f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
        raise JobFailure(message)


def _split_quoted(lines: list[str], delimiter: str, end: str) -> tuple[list[list[str]], str]:
    """Cut lines into cells, joining those lines that a quoted value runs over."""
    escaped = re.escape(delimiter)
    cell = re.compile(rf'"((?:[^"]|"")*)"|([^"{escaped}]*)')
    one = rf'(?:"(?:[^"]|"")*"|[^"{escaped}]*)'
    is_clean = re.compile(f"{one}(?:{escaped}{one})*").fullmatch
    rows: list[list[str]] = []
    header_line = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        while line.count('"') % 2 and position < len(lines):
            line = f"{line}{end}{lines[position]}"
            position += 1
        if not line:
            continue
        if not rows:
            header_line = line
        if '"' not in line:
            rows.append(line.split(delimiter))
        elif len(line) < csv.field_size_limit() and is_clean(line):
            rows.append(next(csv.reader([line], delimiter=delimiter, strict=True)))
        else:
            rows.append(_cut(line, cell, delimiter))
    return rows, header_line


def _cut(line: str, cell: re.Pattern[str], delimiter: str) -> list[str]:
    """The cells of a line; a line with blanks around a quoted value comes back whole, and will not fit the header."""
    cells = []
    position = 0
    while True:
        matched = cell.match(line, position)
        if matched is None:
            raise JobFailure(UNESCAPED_QUOTE)
        quoted, plain = matched.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        position = matched.end()
        if position == len(line):
            return cells
        if line[position] != delimiter:
            if (plain and plain.isspace()) or line[position].isspace():
                return [line]
            raise JobFailure(UNESCAPED_QUOTE)
        position += 1
