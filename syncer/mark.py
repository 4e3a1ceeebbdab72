"""The mark that a run leaves in each record it writes, in a text field that the operation names as `run_marker`.

One mark belongs to one step of one run, and a step writes a key once: a record that bears it was written by just that
request or import. The mark is no part of a row: it is put in where a payload is cut, so no hash or ledger knows it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from syncer.capability import JsonFormat, PayloadFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

RUN_MARKER: Final = "run_marker"
"""The option of an operation that names the field."""


def mark_of(run: str, step: int) -> str:
    """Return the mark of a run's step, by its place in the plan."""
    return f"{run}/{step:06d}"


STAND_IN: Final = mark_of("00000000-000000-000000", 0)
"""What a plan is measured with, before there is a run: as long as every mark, so that units are cut alike."""


def field_of(options: Iterable[tuple[str, str]]) -> str:
    """Return the field that an operation marks its records in, or ""."""
    return dict(options).get(RUN_MARKER, "")


def marked(form: PayloadFormat, options: Iterable[tuple[str, str]], mark: str) -> PayloadFormat:
    """Return the format with `mark` in every record, where the operation wants one."""
    field = field_of(options)
    if not field:
        return form
    constant = (field, json.dumps(mark) if isinstance(form, JsonFormat) else mark)
    return replace(form, constants=(*form.constants, constant))
