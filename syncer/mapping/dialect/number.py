"""Numbers: read out of text by a stated grammar, and rounded. SQL and Python side by side; `arithmetic` has operators.

An integer has 64 bits, a decimal 20 digits before the point and 18 after. Beyond that, or divided by zero, is null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

from syncer.mapping.dialect.entry import SQL_TYPE, Entry, Example, Kind, Parameter, Type, Value, fill

if TYPE_CHECKING:
    from sqlglot import exp

_I, _D, _F = Type.INTEGER, Type.DECIMAL, Type.FLOAT
_SCALE = Decimal(1).scaleb(-18)
_LIMIT = Decimal(10) ** 20
CONTEXT = Context(prec=100)
"""More digits than any sum or product of two decimals has."""
_DECIMAL = SQL_TYPE[_D]

_SPACE = "[ \\t\\n\\v\\f\\r]*"
INTEGER_TEXT = f"{_SPACE}[+-]?[0-9]+{_SPACE}"
_CUT_TEXT = f"{_SPACE}[+-]?[0-9]+\\.[0-9]*{_SPACE}"
FLOAT_TEXT = f"{_SPACE}[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?{_SPACE}"
_DECIMAL_TEXT = f"{_SPACE}[+-]?[0-9]+(\\.[0-9]{{0,18}}0*)?{_SPACE}"
_CUT = re.compile(f"{_SPACE}([+-]?[0-9]+)(\\.[0-9]*)?{_SPACE}")
_FLOAT = re.compile(FLOAT_TEXT)
_EXACT = re.compile(_DECIMAL_TEXT)


def bounded(value: int) -> int | None:
    """Return the integer, or null where it needs more than 64 bits."""
    return value if -(2**63) <= value < 2**63 else None


def exact(value: Decimal) -> Decimal | None:
    """Return the decimal with 18 digits after the point, half to even, or null where it has more than 20 before."""
    rounded = value.quantize(_SCALE, ROUND_HALF_EVEN, CONTEXT)
    return rounded if abs(rounded) < _LIMIT else None


def _int_of_text(x: str) -> int | None:
    found = _CUT.fullmatch(x)
    return bounded(int(found[1])) if found and len(found[1]) < _LONGEST else None


_LONGEST = 4000
"""Python refuses longer integers; nothing of this length has 64 bits but leading zeros."""


def _int_of_float(x: float) -> int | None:
    return bounded(math.trunc(x)) if math.isfinite(x) else None


def _float_of_text(x: str) -> float | None:
    value = float(x) if _FLOAT.fullmatch(x) else math.nan
    return value if math.isfinite(value) else None


def _decimal_of_text(x: str) -> Decimal | None:
    return exact(Decimal(x.strip())) if _EXACT.fullmatch(x) else None


def _or(convert: Callable[..., Value]) -> Callable[[Value, Value], Value]:
    def converted(x: Value, default: Value) -> Value:
        value = convert(x)
        return default if value is None else value

    return converted


_INT_OF_TEXT = (
    f"CASE WHEN regexp_full_match(:x, '{INTEGER_TEXT}') THEN TRY_CAST(:x AS BIGINT) "
    f"WHEN regexp_full_match(:x, '{_CUT_TEXT}') THEN TRY_CAST(split_part(:x, '.', 1) AS BIGINT) END"
)
_FLOAT_OF_TEXT = (
    f"CASE WHEN regexp_full_match(:x, '{FLOAT_TEXT}') AND isfinite(TRY_CAST(:x AS DOUBLE)) "
    "THEN TRY_CAST(:x AS DOUBLE) END"
)
_DECIMAL_OF_TEXT = f"CASE WHEN regexp_full_match(:x, '{_DECIMAL_TEXT}') THEN TRY_CAST(:x AS {_DECIMAL}) END"
_INT_OF_FLOAT = "CASE WHEN isfinite(:x) THEN TRY_CAST(trunc(:x) AS BIGINT) END"


def _conversion(  # noqa: PLR0913, PLR0917 - the parts of two entries that differ in one
    name: str, takes: Type, gives: Type, sql: str, python: Callable[..., Value], doc: str, examples: tuple[Example, ...]
) -> tuple[Entry, Entry]:
    """Return the conversion, and the same with a default for what cannot be converted."""
    return (
        Entry(
            Kind.FILTER,
            name,
            takes,
            gives,
            python,
            sql,
            doc,
            is_partial=True,
            converts=True,
            like_jinja=False,
            examples=examples,
        ),
        Entry(
            Kind.FILTER,
            name,
            takes,
            gives,
            _or(python),
            f"CASE WHEN :x IS NOT NULL THEN coalesce({sql}, :default) END",
            f"{doc[:-1]}; `default` for what is not.",
            parameters=(Parameter("default", (gives,)),),
            like_jinja=False,
        ),
    )


def _x(template: str, x: Value, value: Value) -> Example:
    return Example(template, {"x": x}, value)


def _plain(  # noqa: PLR0913, PLR0917 - the columns of a table
    name: str,
    takes: Type,
    gives: Type,
    sql: str | None,
    python: Callable[..., Value],
    doc: str,
    *,
    is_partial: bool = False,
) -> Entry:
    return Entry(Kind.FILTER, name, takes, gives, python, sql, doc, is_partial=is_partial)


def _digits(value: Value) -> str:
    return "" if isinstance(value, int) and 0 <= value <= 15 else "It is a whole number from 0 to 15."  # noqa: PLR2004


def _way(value: Value) -> str:
    return "" if value in ("common", "ceil", "floor") else 'It is "common", "ceil" or "floor".'


_ROUND = (
    Parameter("precision", (_I,), 0, is_literal=True, problem=_digits),
    Parameter("method", (Type.TEXT,), "common", is_literal=True, problem=_way),
)


def _round_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    digits, way = values["precision"], values["method"]
    if way == "common":
        return fill(f"CAST(format('{{:.{digits}f}}', :x) AS DOUBLE)", at)
    return fill(f"({way}(:x * CAST('1e{digits}' AS DOUBLE)) + CAST(0 AS DOUBLE)) / CAST('1e{digits}' AS DOUBLE)", at)


def _round_float(x: float, precision: int, method: str) -> float:
    if method == "common":
        return round(x, precision) if math.isfinite(x) else x
    power = float(10**precision)
    scaled = x * power
    if not math.isfinite(scaled):
        return scaled / power
    return (math.ceil(scaled) if method == "ceil" else math.floor(scaled)) / power


_ROUNDING = {"common": ROUND_HALF_EVEN, "ceil": "ROUND_CEILING", "floor": "ROUND_FLOOR"}


def _round_decimal(x: Decimal, precision: int, method: str) -> Decimal | None:
    return exact(x.quantize(Decimal(1).scaleb(-precision), _ROUNDING[method], CONTEXT))


FILTERS = (
    *_conversion(
        "int",
        Type.TEXT,
        _I,
        _INT_OF_TEXT,
        _int_of_text,
        "A whole number: a sign or none, digits, a fraction that is cut off; ASCII white space may stand around it.",
        (
            _x("{{ x | int }}", "42", 42),
            _x("{{ x | int }}", " -42.9 ", -42),
            _x("{{ x | int }}", "1_000", None),
            _x("{{ x | int }}", "0x10", None),
            _x("{{ x | int }}", "9223372036854775808", None),
            _x("{{ x | int(7) }}", "1e3", 7),
            _x("{{ x | int(7) }}", None, None),
        ),
    ),
    *_conversion(
        "int",
        _F,
        _I,
        _INT_OF_FLOAT,
        _int_of_float,
        "The number without its fraction.",
        (Example("{{ f | int }}", {"f": -2.7}, -2),),
    ),
    *_conversion(
        "int",
        _D,
        _I,
        "TRY_CAST(trunc(:x) AS BIGINT)",
        lambda x: bounded(int(x.to_integral_value(ROUND_DOWN))),
        "The number without its fraction.",
        (Example("{{ d | int }}", {"d": Decimal("-2.7")}, -2),),
    ),
    _plain("int", _I, _I, ":x", int, "The number itself."),
    _plain("int", Type.BOOLEAN, _I, "CAST(:x AS BIGINT)", int, "1 for true, 0 for false."),
    *_conversion(
        "float",
        Type.TEXT,
        _F,
        _FLOAT_OF_TEXT,
        _float_of_text,
        "A number with or without fraction and exponent; ASCII white space around it is allowed.",
        (
            _x("{{ x | float }}", " 1.5e3 ", 1500.0),
            _x("{{ x | float }}", "nan", None),
            _x("{{ x | float(0.5) }}", "1,5", 0.5),
        ),
    ),
    _plain("float", _F, _F, ":x", float, "The number itself."),
    _plain("float", _I, _F, "CAST(:x AS DOUBLE)", float, "The number as a float."),
    _plain("float", _D, _F, "CAST(:x AS DOUBLE)", float, "The nearest float."),
    *_conversion(
        "decimal",
        Type.TEXT,
        _D,
        _DECIMAL_OF_TEXT,
        _decimal_of_text,
        "An exact number: digits and up to 18 digits after the point.",
        (_x("{{ x | decimal }}", "0.10", Decimal("0.1")), _x("{{ x | decimal }}", "1e3", None)),
    ),
    _plain("decimal", _D, _D, ":x", lambda x: x, "The number itself."),
    _plain("decimal", _I, _D, f"CAST(:x AS {_DECIMAL})", Decimal, "The number as an exact decimal."),
    Entry(
        Kind.FILTER,
        "round",
        _F,
        _F,
        _round_float,
        _round_sql,
        "Rounded to `precision` digits: `common` is half to even, or `ceil`, or `floor`.",
        parameters=_ROUND,
        examples=(
            Example("{{ f | round }}", {"f": 2.5}, 2.0),
            Example("{{ f | round(2) }}", {"f": 1.115}, 1.11),
            Example("{{ f | round(1, 'ceil') }}", {"f": 0.11}, 0.2),
        ),
    ),
    Entry(
        Kind.FILTER,
        "round",
        _I,
        _I,
        lambda x, _precision, _method: x,
        ":x",
        "A whole number is round already.",
        parameters=_ROUND,
    ),
    Entry(
        Kind.FILTER,
        "round",
        _D,
        _D,
        _round_decimal,
        None,
        "Rounded exactly to `precision` digits: `common` is half to even, or `ceil`, or `floor`.",
        parameters=_ROUND,
        like_jinja=False,
        examples=(Example("{{ d | round(2) }}", {"d": Decimal("2.675")}, Decimal("2.68")),),
    ),
    _plain("abs", _I, _I, "TRY(abs(:x))", lambda x: bounded(abs(x)), "Without its sign.", is_partial=True),
    _plain("abs", _F, _F, "abs(:x)", abs, "Without its sign."),
    _plain("abs", _D, _D, "abs(:x)", Decimal.copy_abs, "Without its sign."),
)
