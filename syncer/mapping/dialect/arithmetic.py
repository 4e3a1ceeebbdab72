"""Arithmetic that cannot fail: what cannot be said, or is divided by zero, is null. SQL and Python side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

from syncer.mapping.dialect.entry import SQL_TYPE, Entry, Kind, Parameter, Type, Value
from syncer.mapping.dialect.number import CONTEXT, bounded, exact

_I, _D, _F = Type.INTEGER, Type.DECIMAL, Type.FLOAT
_DECIMAL = SQL_TYPE[_D]


def _operator(  # noqa: PLR0913, PLR0917 - the columns of a table
    symbol: str,
    kind: Type,
    gives: Type,
    sql: str | None,
    python: Callable[..., Value],
    doc: str,
    *,
    like_jinja: bool = True,
) -> Entry:
    return Entry(
        Kind.OPERATOR,
        symbol,
        kind,
        gives,
        python,
        sql,
        doc,
        parameters=(Parameter("y", (kind,)),),
        is_partial=True,
        like_jinja=like_jinja,
    )


def _floored(x: float, y: float) -> float | None:
    return _floor(x / y) if y else None


def _floor(x: float) -> float:
    return math.floor(x) + 0.0 if math.isfinite(x) else x


def _modulo(x: float, y: float) -> float | None:
    if not y or not math.isfinite(x):
        return None
    rest = math.fmod(x, y)
    return (rest + y if rest and (rest < 0) != (y < 0) else rest) + 0.0


_MODULO = "CASE WHEN {0} % {1} <> 0 AND ({0} % {1} < 0) <> ({1} < 0) THEN {0} % {1} + {1} ELSE {0} % {1} END"
_OPPOSITE = ":x % nullif(:y, 0) <> 0 AND (:x < 0) <> (:y < 0)"
_RANGE = "null beyond 64 bits"

OPERATORS = (
    _operator("+", _I, _I, "TRY(:x + :y)", lambda x, y: bounded(x + y), f"Sum; {_RANGE}."),
    _operator("-", _I, _I, "TRY(:x - :y)", lambda x, y: bounded(x - y), f"Difference; {_RANGE}."),
    _operator("*", _I, _I, "TRY(:x * :y)", lambda x, y: bounded(x * y), f"Product; {_RANGE}."),
    _operator(
        "/",
        _I,
        _F,
        "CAST(:x AS DOUBLE) / nullif(CAST(:y AS DOUBLE), 0)",
        lambda x, y: float(x) / float(y) if y else None,
        "Quotient, always a float; null by zero.",
    ),
    _operator(
        "//",
        _I,
        _I,
        f"TRY(CASE WHEN {_OPPOSITE} THEN :x // nullif(:y, 0) - 1 ELSE :x // nullif(:y, 0) END)",
        lambda x, y: bounded(x // y) if y else None,
        "Quotient rounded down; null by zero.",
    ),
    _operator(
        "%",
        _I,
        _I,
        f"CASE WHEN :y = -1 THEN :x * 0 WHEN {_OPPOSITE} THEN :x % nullif(:y, 0) + :y ELSE :x % nullif(:y, 0) END",
        lambda x, y: x % y if y else None,
        "Rest, with the sign of the divisor; null by zero.",
    ),
    _operator("+", _F, _F, ":x + :y", lambda x, y: x + y, "Sum."),
    _operator("-", _F, _F, ":x - :y", lambda x, y: x - y, "Difference."),
    _operator("*", _F, _F, ":x * :y", lambda x, y: x * y, "Product."),
    _operator("/", _F, _F, ":x / nullif(:y, 0)", lambda x, y: x / y if y else None, "Quotient; null by zero."),
    _operator(
        "//",
        _F,
        _F,
        "floor(:x / nullif(:y, 0)) + CAST(0 AS DOUBLE)",
        _floored,
        "Quotient rounded down; null by zero.",
        like_jinja=False,
    ),
    _operator(
        "%",
        _F,
        _F,
        f"CASE WHEN isfinite(:x) THEN ({_MODULO.format(':x', 'nullif(:y, 0)')}) + CAST(0 AS DOUBLE) END",
        _modulo,
        "Rest, with the sign of the divisor; null by zero.",
        like_jinja=False,
    ),
    _operator("+", _D, _D, f"CAST(TRY(:x + :y) AS {_DECIMAL})", lambda x, y: exact(CONTEXT.add(x, y)), "Exact sum."),
    _operator(
        "-",
        _D,
        _D,
        f"CAST(TRY(:x - :y) AS {_DECIMAL})",
        lambda x, y: exact(CONTEXT.subtract(x, y)),
        "Exact difference.",
    ),
    _operator(
        "*",
        _D,
        _D,
        None,
        lambda x, y: exact(CONTEXT.multiply(x, y)),
        "Product, rounded half to even at 18 digits.",
        like_jinja=False,
    ),
    _operator(
        "/",
        _D,
        _D,
        None,
        lambda x, y: exact(CONTEXT.divide(x, y)) if y else None,
        "Quotient, rounded half to even at 18 digits; null by zero.",
        like_jinja=False,
    ),
)
