"""Templates without an SQL form are computed over Arrow columns, in order, beside those that have one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest

from syncer.manifest.models import ColumnType
from syncer.mapping.pipeline import ArrowFunction
from tests.fakes.pipelines import Stage, field, pipeline

Bodies = Callable[..., list[str]]


def _joined(first: pa.Array, last: pa.Array) -> pa.Array:
    return pa.array([f"{a}+{b}" for a, b in zip(first.to_pylist(), last.to_pylist(), strict=True)], pa.string())


OUTSIDE = ArrowFunction("outside", "name", (ColumnType.TEXT, ColumnType.TEXT), "VARCHAR", _joined)


@pytest.mark.parametrize("rows", [0, 1, 40_000])
def test_a_function_of_several_columns_gives_a_field(staged: Stage, bodies: Bodies, rows: int) -> None:
    """Each row keeps the value that was computed of its own cells, for any number of rows."""
    made = replace(
        pipeline("email", field("name", "outside(first, last)"), columns=("email", "first", "last")),
        functions=(OUTSIDE,),
    )
    text = "email,first,last\n" + "".join(f"p{i}@example.com,f{i},l{i}\n" for i in range(rows))
    found = "".join(bodies(staged(made, text)))
    expected = [f'{{"email":"p{i}@example.com","name":"f{i}+l{i}"}}' for i in range(rows)]
    assert found.replace("][", ",") == (f"[{','.join(expected)}]" if expected else "")
