"""Computes the templates that have no SQL form, over Arrow columns, and writes their values down beside the source's.

The engine's own Python functions are not used: they need a package of arrays for nothing, and leave references behind.
Hands on a SELECT in which each such template is a column.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from syncer.engine import sql
from syncer.engine.connection import RECORDS_PER_ARROW_PIECE

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from syncer.mapping.pipeline import ArrowFunction, Pipeline


def named(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with each call replaced by the column that holds its values."""
    outside = {each.name for each in pipeline.functions}

    def held(tree: exp.Expression) -> exp.Expression:
        is_call = isinstance(tree, exp.Anonymous) and tree.name in outside
        return exp.column(exp.to_identifier(_result(tree.name), quoted=True)) if is_call else tree

    fields = (replace(f, value=held(f.value), unread=f.unread and held(f.unread)) for f in pipeline.fields)
    return replace(pipeline, fields=tuple(fields))


def write(connection: duckdb.DuckDBPyConnection, pipeline: Pipeline, typed: str, path: Path) -> None:
    """Write the typed source rows with a column for each function's values, in their order."""
    import pyarrow.parquet as pq

    trees = (tree for each in pipeline.fields for tree in (each.value, each.unread))
    calls = {tree.name: tree for tree in trees if isinstance(tree, exp.Anonymous)}
    arguments = [
        f"{sql.tree(argument)} AS {sql.name(_argument(function, place))}"
        for function in pipeline.functions
        for place, argument in enumerate(calls[function.name].args["expressions"])
    ]
    path.touch(mode=0o600)
    reader = connection.sql(f"SELECT *, {', '.join(arguments)} FROM ({typed})").to_arrow_reader(RECORDS_PER_ARROW_PIECE)
    schema = _applied(pa.Table.from_batches([], reader.schema), pipeline.functions).schema
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for piece in reader:
            writer.write_table(_applied(pa.Table.from_batches([piece]), pipeline.functions))


def _applied(table: pa.Table, functions: tuple[ArrowFunction, ...]) -> pa.Table:
    """Return the table with the functions' values in the place of their arguments."""
    for each in functions:
        names = [_argument(each, place) for place in range(len(each.parameters))]
        values = each.call(*(table.column(name).combine_chunks() for name in names))
        table = table.append_column(_result(each.name), values).drop_columns(names)
    return table


def _argument(function: ArrowFunction, place: int) -> str:
    return f" argument:{function.name}:{place}"


def _result(name: str) -> str:
    return f" value:{name}"
