"""The only place where the engine turns names, texts and trees into DuckDB's SQL.

Everything that is not a constant of this room passes through here, quoted; nothing else may glue SQL together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlglot import expressions as exp


def name(identifier: str) -> str:
    """Return a quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def names(identifiers: Iterable[str]) -> str:
    """Return quoted identifiers, separated by commas."""
    return ", ".join(name(each) for each in identifiers)


def text(value: str | Path) -> str:
    """Return a text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def tree(expression: exp.Expression) -> str:
    """Return the expression in DuckDB's dialect."""
    return expression.sql(dialect="duckdb")


def parquet(path: Path, *, numbered: bool = False) -> str:
    """Return a scan of a Parquet file; `numbered` adds `file_row_number`, which costs nothing."""
    return f"read_parquet({text(path)}, file_row_number = {str(numbered).lower()})"


def scan(path: Path) -> str:
    """Return a Parquet file as a relation that can be joined: behind a bare function, `ANTI` would be its alias."""
    return f"(FROM {parquet(path)})"


def total(terms: Iterable[str]) -> str:
    """Return the sum of the terms, 0 when there is none."""
    return " + ".join(terms) or "0"


def either(terms: Iterable[str]) -> str:
    """Return the disjunction of the terms, false when there is none."""
    return " OR ".join(f"({each})" for each in terms) or "false"
