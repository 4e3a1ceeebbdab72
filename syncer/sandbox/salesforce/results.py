"""The three result files of an ingest job.

*Bulk API 2.0*, Get Job Successful/Failed/Unprocessed Record Results: `sf__` columns quoted, then the header
as it was uploaded, every value quoted, delimiter and line ending of the job. Rows are not in the order of the
upload.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from syncer.sandbox.salesforce.csvfile import DELIMITERS
from syncer.sandbox.salesforce.field import DECIMAL_KINDS
from syncer.sandbox.salesforce.job import IngestJob, JobState
from syncer.sandbox.salesforce.value import java_double

LARGE = 1e7


def quote(value: str) -> str:
    """A value as result files carry it."""
    return '"' + value.replace('"', '""') + '"'


def _header_line(job: IngestJob) -> str:
    if job.file is not None:
        return job.file.header_line
    lines = (job.data or b"").decode("utf-8", errors="replace").split(job.line_ending.characters)
    return next((line for line in lines if line), "")


def _write(job: IngestJob, names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    delimiter, end = DELIMITERS[job.delimiter], job.line_ending.characters
    header = _header_line(job)
    first = delimiter.join([*map(quote, names), *([header] if header else [])])
    between = f'"{delimiter}"'
    lines = [first, *(_line(row, delimiter, between) for row in rows)]
    return end.join(lines) + end if first else ""


def _line(row: Sequence[str], delimiter: str, between: str) -> str:
    """Every value quoted; the quick way when none holds a quote."""
    joined = f'"{between.join(row)}"'
    return joined if joined.count('"') == 2 * len(row) else delimiter.join(map(quote, row))


def _places(job: IngestJob, seed: object) -> list[int]:
    places = list(range(len(job.results)))
    random.Random(f"{seed}/{job.number}").shuffle(places)
    return places


def successful(job: IngestJob, seed: object) -> str:
    """The rows that were written, with their ids."""
    if job.data is None and job.state is JobState.OPEN:
        return ""
    cells = job.file.rows if job.file else []
    numeric = _numeric_columns(job)
    rows = []
    for place in _places(job, seed):
        result = job.results[place]
        if result is not None and result.error is None:
            shown = [_respelt(text) if at in numeric else text for at, text in enumerate(cells[place])]
            rows.append([result.id or "", "true" if result.is_created else "false", *shown])
    return _write(job, ("sf__Id", "sf__Created"), rows)


def failed(job: IngestJob, seed: object) -> str:
    """The rows that were refused, with the reason; the id too where there was one to change."""
    if job.data is None and job.state is JobState.OPEN:
        return ""
    cells = job.file.rows if job.file else []
    rows = []
    for place in _places(job, seed):
        result = job.results[place]
        if result is not None and result.error is not None:
            rows.append([result.id or "", result.error.as_line(), *cells[place]])
    return _write(job, ("sf__Id", "sf__Error"), rows)


def unprocessed(job: IngestJob, seed: object) -> str:
    """The rows that a failed or aborted job never came to; a file that is no CSV comes back as it was."""
    if job.data is None and job.state is JobState.OPEN:
        return ""
    if job.file is None and job.state.is_final:
        return (job.data or b"").decode("utf-8", errors="replace")
    cells = job.file.rows if job.file and job.state.is_final else []
    rows = [
        cells[place]
        for place in _places(job, seed)
        if cells and job.results[place] is None and place not in job.unrecorded
    ]
    return _write(job, (), rows)


def _numeric_columns(job: IngestJob) -> frozenset[int]:
    header = job.file.header if job.file else ()
    fields = (job.type.find(name) for name in header)
    return frozenset(at for at, each in enumerate(fields) if each is not None and each.kind in DECIMAL_KINDS)


def _respelt(text: str) -> str:
    """Numbers are written again by the vendor, and large ones come back in scientific notation."""
    try:
        number = float(text)
    except ValueError:
        return text
    return java_double(number) if abs(number) >= LARGE else text
