"""What the renderings say of sample rows, which only `--reveal` brings: the words, and the mark that they are personal.

Samples stand beside a plan and are no part of it: the plan's file, its digest and what it is held against know nothing
of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, TypeAdapter

from syncer.plan.models import Plan
from syncer.plan.words import count, number
from syncer.sample import OperationSample, SampleKind, SampleRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.sample import SampleCell

BANNER = "Personal data: --reveal shows sample rows. Give this only to people who may see the records."
HEADING = "Sample rows, personal data"
MEMBER = "samples"
"""The member of the JSON print that holds the samples; no plan file has it."""
_ROWS = TypeAdapter(tuple[OperationSample, ...], config=ConfigDict(defer_build=True))


class RevealedPlan(Plan):
    """What `syncer plan --reveal --format json` prints: a plan to read. It cannot be applied."""

    model_config = ConfigDict(defer_build=True)

    samples: tuple[OperationSample, ...] = Field(
        default=(),
        description="Rows of people, shown by --reveal. The digest does not cover them, and no plan file has them.",
        exclude_if=lambda rows: not rows,
    )


def by_operation(samples: Sequence[OperationSample]) -> dict[str, tuple[SampleRow, ...]]:
    """Return the rows of each operation."""
    return {each.operation: each.rows for each in samples}


def members(samples: Sequence[OperationSample]) -> dict[str, Any]:
    """Return what the JSON print has besides the plan's own members."""
    return {MEMBER: _ROWS.dump_python(tuple(samples), mode="json")} if samples else {}


def counted(rows: Sequence[SampleRow]) -> str:
    """Return how many rows are shown of what kind."""
    kinds = [(kind, sum(row.kind is kind for row in rows)) for kind in SampleKind]
    return ", ".join(f"{number(found)} {kind}" for kind, found in kinds if found)


def told(row: SampleRow) -> str:
    """Return a row in one line, without its number."""
    cells = ", ".join(map(cell, row.cells))
    if row.kind is not SampleKind.REJECTED:
        return f"{row.kind}: {cells}"
    return f"{why(row)}{' ' if cells else ''}{cells}"


def why(row: SampleRow) -> str:
    """Return why a row is refused."""
    where = f' at "{row.field}"' if row.field else ""
    return f"rejected by {row.code}{where}: {row.reason}"


def cell(each: SampleCell) -> str:
    """Return a value under its name, with what it takes the place of."""
    value = quoted(each.value)
    return f"{each.name} {quoted(each.held)} \u2192 {value}" if each.is_changed else f"{each.name} {value}"


def quoted(value: str | None) -> str:
    """Return a value in quotes; a word for none."""
    return f'"{value}"' if value else "empty"


def title(rows: Sequence[SampleRow]) -> str:
    """Return the heading of an operation's rows."""
    return f"{HEADING}: {count(len(rows), 'row')}, {counted(rows)}"
