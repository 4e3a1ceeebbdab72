"""Random typed templates and nasty rows, as Hypothesis strategies."""
# ruff: noqa: DTZ001 - wall-clock times are the subject

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import strategies as st

from syncer.mapping.dialect.entry import Type, Value
from tests.unit.mapping.sides import COLUMNS

TEXTS = (
    "",
    " ",
    "a",
    "Ada",
    "A@Example.COM",
    " padded\t",
    "\u3000wide\u00a0",
    "0",
    "42",
    " 42.9 ",
    "-7",
    "1_000",
    "0x10",
    "1e3",
    "٣",
    "9223372036854775808",
    "NaN",
    "inf",
    "Straße",
    "ΟΔΟΣ ΣΑΣ",
    "İstanbul",
    "ǅ ﬁ",
    "e\u0301é",
    "😀👩‍💻",
    "a;b;;c",
    "x\ny",
    "it's",
    "\\1 %s {{ 7*7 }}",
    "true",
    "Yes",
    "2024-02-29",
    "2023-02-29",
    "0000-01-01",
    "2024-03-31 02:30:00",
    "31.12.2024",
    "#N/A",
    "foo bar baz qux",
)
INTEGERS = (0, 1, -1, 2, 7, -7, 10, 80, 2**31, 2**53 - 1, -(2**53), 2**63 - 1, -(2**63))
FLOATS = (0.0, 1.0, -1.5, 0.125, 2.5, 1.115, 2.675, 1e16, 1e22, -1e-7, 123456789.125, 1e308, 5e-324)
DECIMALS = tuple(
    map(Decimal, ("0", "1", "-1.5", "0.1", "12.50", "99999999999999999999", "0.000000000000000001", "2.675"))
)
DATES = (date(1, 1, 1), date(1970, 1, 1), date(2024, 2, 29), date(9999, 12, 31))
TIMES = (
    datetime(1970, 1, 1),
    datetime(2024, 2, 29, 23, 59, 59, 999999),
    datetime(2024, 3, 31, 2, 30),
    datetime(2024, 10, 27, 2, 30),
    datetime(2024, 10, 27, 3, 0),
    datetime(2000, 1, 1, 12, 0, 0, 120000),
)


def _or_null(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.one_of(values, values, values, st.none())


_CELLS: dict[Type, st.SearchStrategy[Value]] = {
    Type.TEXT: _or_null(st.one_of(st.sampled_from(TEXTS), st.text(max_size=8), st.text("aB1 -.,;ßΣ", max_size=8))),
    Type.INTEGER: _or_null(st.one_of(st.sampled_from(INTEGERS), st.integers(-1000, 1000))),
    Type.FLOAT: _or_null(st.one_of(st.sampled_from(FLOATS), st.floats(allow_nan=False, allow_infinity=False))),
    Type.DECIMAL: _or_null(st.one_of(st.sampled_from(DECIMALS), st.decimals(-1000, 1000, places=4))),
    Type.BOOLEAN: _or_null(st.booleans()),
    Type.DATE: _or_null(st.one_of(st.sampled_from(DATES), st.dates())),
    Type.DATETIME: _or_null(
        st.one_of(st.sampled_from(TIMES), st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)))
    ),
    Type.INSTANT: _or_null(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))),
}
ROW = st.fixed_dictionaries({name: _CELLS[kind] for name, kind in COLUMNS.items()})
ROWS_DRAWN = 32
CELLS_DRAWN = 2_000


def _cell(kind: Type, chance: Random) -> Value:  # noqa: PLR0911 - one line for each type
    """Return a nasty or a random value, or null."""
    if chance.random() < 0.2:
        return None
    whole = chance.choice((10, 1000, 2**33, 2**63))
    match kind:
        case Type.TEXT if chance.random() < 0.5:
            return "".join(chance.choices(_LETTERS, k=chance.randint(0, 8)))
        case Type.TEXT:
            return chance.choice((*TEXTS, str(chance.randint(-whole, whole)), str(chance.gauss(0, whole))))
        case Type.INTEGER:
            return chance.choice((*INTEGERS, chance.randint(-whole, whole - 1)))
        case Type.FLOAT:
            return chance.choice((*FLOATS, chance.gauss(0, whole), chance.uniform(-1, 1)))
        case Type.DECIMAL:
            return chance.choice((*DECIMALS, Decimal(chance.randint(-whole, whole)).scaleb(-chance.randint(0, 18))))
        case Type.BOOLEAN:
            return chance.random() < 0.5
        case Type.DATE:
            return chance.choice((*DATES, date.fromordinal(chance.randint(1, date.max.toordinal()))))
    time = chance.choice((*TIMES, datetime(1971, 1, 1) + timedelta(microseconds=chance.randint(0, 2 * 10**15))))
    return time.replace(tzinfo=UTC) if kind is Type.INSTANT else time


_LETTERS = (
    *"aB1 -.,;:/ßΣσİıǅ'\"\t\n%\\{}",
    "0",
    "2024-01-0",
    "é",
    "e\u0301",
    "\u00a0",
    "😀",
    "\u200d",
    "\U00010400",
    "ﬁ",
)


def _pool(kind: Type) -> list[Value]:
    chance = Random(kind)  # noqa: S311 - cells, not secrets
    return [_cell(kind, chance) for _ in range(CELLS_DRAWN)]


_POOLS = {kind: _pool(kind) for kind in dict.fromkeys(COLUMNS.values())}


def cells(kind: Type, chance: Random, count: int) -> list[Value]:
    """Return so many cells of the type."""
    return chance.choices(_POOLS[kind], k=count)


def rows_of(seed: int) -> list[dict[str, Value]]:
    """Return rows that the seed decides."""
    chance = Random(seed)  # noqa: S311 - cells, not secrets
    cells = [chance.choices(_POOLS[kind], k=ROWS_DRAWN) for kind in COLUMNS.values()]
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*cells, strict=True)]


ROWS = st.integers(0, 2**64 - 1).map(rows_of)

_WORDS = st.sampled_from(["''", "' '", "'a'", "'-'", "'Ada'", "'ß'", "'42'", "'é😀'", "';'"])
_SMALL = st.integers(0, 6)
_ANY = st.integers(-6, 6)
_FORMATS = st.sampled_from(["%Y-%m-%d", "%d.%m.%y", "%d %b %Y", "%A %B %j", "%H:%M:%S.%f", "%I %p %a %%"])


def _text(
    inner: st.SearchStrategy[str], number: st.SearchStrategy[str], test: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    pipe = ["trim", "lower", "upper", "title", "capitalize", "string", "first", "last", "hash", "hash('md5')"]
    call = [
        "strip()",
        "lstrip()",
        "rstrip()",
        "lower()",
        "upper()",
        "title()",
        "strip('.a')",
        "split()[0]",
        "split()[-1]",
    ]
    return st.one_of(
        st.builds("({} | {})".format, inner, st.sampled_from(pipe)),
        st.builds("({}).{}".format, inner, st.sampled_from(call)),
        st.builds("({} | replace({}, {}))".format, inner, _WORDS, inner),
        st.builds("({} ~ {})".format, inner, st.one_of(inner, number)),
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} | default({}))".format, inner, inner),
        st.builds("({} | default({}, true))".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, test, inner),
        st.builds("({})[{}]".format, inner, _ANY),
        st.builds("({})[:{}]".format, inner, _ANY),
        st.builds("({})[{}:]".format, inner, _ANY),
        st.builds("({})[{}:{}]".format, inner, _SMALL, _ANY),
        st.builds("({} | truncate({}, {}, '…', {}))".format, inner, _SMALL, st.sampled_from(["true", "false"]), _SMALL),
        st.builds("({}).removeprefix({})".format, inner, _WORDS),
        st.builds("({}).removesuffix({})".format, inner, _WORDS),
        st.builds(
            "({} | regex_replace('{}', '{}'))".format,
            inner,
            st.sampled_from(["[^0-9]", "x*", "(.)(.)", "^a|b$", "\\\\s+"]),
            st.sampled_from(["", "-", "\\\\0\\\\0"]),
        ),
        st.builds("({} | regex_search('{}'))".format, inner, st.sampled_from(["[0-9]+", "a.b", "(b)|c", "^$"])),
        st.builds("({} | split({}) | join('+'))".format, inner, st.sampled_from(["';'", "' '", "'ab'"])),
        st.builds("({}.split(';'))[{}]".format, inner, _ANY),
        st.builds("({}.split(' ')[{}:{}] | join('/'))".format, inner, _SMALL, _ANY),
        st.builds("{}.join({}.split()[{}:])".format, _WORDS, inner, _ANY),
        st.builds("({}).zfill({})".format, inner, _SMALL),
        st.builds("(day | format_date('{}'))".format, _FORMATS),
        st.builds("(t | format_date('{}'))".format, _FORMATS),
        st.builds(
            "({} | string)".format,
            st.one_of(number, st.sampled_from(["b", "day", "t", "m", "d", "f", "(t | timezone('Europe/Berlin'))"])),
        ),
    )


def _integer(
    inner: st.SearchStrategy[str], text: st.SearchStrategy[str], test: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner),
        st.builds("({} | {})".format, text, st.sampled_from(["length", "int", "int(3)"])),
        st.builds("({} | {})".format, inner, st.sampled_from(["abs", "int", "round", "default(4)"])),
        st.builds("(-{})".format, inner),
        st.builds("({}).count({})".format, text, st.sampled_from(["'a'", "' '", "'aa'", "'ß'"])),
        st.builds("({} | int if {}.isdigit() else {})".format, text, text, inner),
        st.builds("(f | {})".format, st.sampled_from(["int", "int(1)"])),
        st.builds("(d | int)".format),
        st.builds("(b | int)".format),
        st.builds("({} if {} else {})".format, inner, test, inner),
        st.builds("({} or {})".format, inner, inner),
    )


def _float(
    inner: st.SearchStrategy[str], number: st.SearchStrategy[str], text: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(
            "({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), st.one_of(inner, number)
        ),
        st.builds("({} / {})".format, number, number),
        st.builds("({} | round({}))".format, inner, st.integers(0, 6)),
        st.builds("({} | round({}, '{}'))".format, inner, st.integers(0, 6), st.sampled_from(["ceil", "floor"])),
        st.builds("({} | {})".format, text, st.sampled_from(["float", "float(0.5)"])),
        st.builds("({} | {})".format, inner, st.sampled_from(["abs", "float", "default(2.5)"])),
        st.builds("({} | float)".format, number),
    )


_DECIMAL = st.sampled_from(
    [
        "d",
        "(d + e)",
        "(d - e)",
        "(d | abs)",
        "(d + i)",
        "(x | decimal)",
        "(d | default(1.5))",
        "(d * e)",
        "(d / e)",
        "(d | round(1))",
        "(d + 0.5)",
    ]
)
_TEMPORAL = st.sampled_from(
    [
        "(x | date)",
        "(x | date('%d.%m.%Y'))",
        "(x | datetime)",
        "(x | datetime('%Y-%m-%d %H:%M:%S'))",
        "(t | date)",
        "(day | datetime)",
        "(t | timezone('Europe/Berlin'))",
        "(t | timezone('America/New_York'))",
        "(x | datetime | timezone('Australia/Lord_Howe'))",
        "(t | timezone('UTC'))",
        "(m | local('Europe/Berlin'))",
        "(m | local('America/New_York') | date)",
        "(m | local('Australia/Lord_Howe'))",
        "(m | default(t | timezone('UTC')))",
        "(m or (x | datetime | timezone('UTC')))",
        "day",
        "t",
        "m",
    ]
)


def _test(
    inner: st.SearchStrategy[str], text: st.SearchStrategy[str], number: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    order = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.builds("({} {} {})".format, text, order, text),
        st.builds("({} {} {})".format, number, order, st.one_of(number, st.sampled_from(["f", "d", "0.5"]))),
        st.builds("({} {} {} < 9)".format, number, st.sampled_from(["<", "=="]), number),
        st.builds(
            "({} {} {})".format,
            st.sampled_from(["day", "t", "m", "b"]),
            st.sampled_from(["==", "!="]),
            st.sampled_from(["day", "t", "m", "b", "none"]),
        ),
        st.builds("(m {} (t | timezone('Europe/Berlin')))".format, order),
        st.builds("({} {} {})".format, text, st.sampled_from(["==", "!="]), number),
        st.builds("({} {} none)".format, text, st.sampled_from(["==", "!="])),
        st.builds("({} in {})".format, text, text),
        st.builds("({} {} ['a', 'Ada', ''])".format, text, st.sampled_from(["in", "not in"])),
        st.builds("({} in [1, 80, none])".format, number),
        st.builds("({} in {}.split(';'))".format, text, text),
        st.builds(
            "({} is {})".format,
            st.one_of(text, number, st.sampled_from(["b", "f", "t"])),
            st.sampled_from(["defined", "undefined", "none", "string", "number", "integer", "float", "boolean"]),
        ),
        st.builds(
            "({} {} none)".format,
            st.sampled_from(["(x | date)", "(y | int)", "(x | datetime | timezone('UTC'))", "(f | int)"]),
            st.sampled_from(["is", "is not", "=="]),
        ),
        st.builds("({} is {})".format, number, st.sampled_from(["even", "odd", "not even"])),
        st.builds("({}).{}({})".format, text, st.sampled_from(["startswith", "endswith"]), text),
        st.builds("({}).isdigit()".format, text),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, st.one_of(inner, text, number)),
        st.builds("({} | bool)".format, st.one_of(text, inner)),
        st.builds("(x | bool('a', 'Ada'))".format),
    )


def _grow(depth: int) -> tuple[st.SearchStrategy[str], st.SearchStrategy[str], st.SearchStrategy[str]]:
    """Return strategies of text, integer and boolean expressions of at most this depth."""
    if depth == 0:
        return (
            st.one_of(st.sampled_from(["x", "y"]), _WORDS),
            st.one_of(st.sampled_from(["i", "k"]), _ANY.map(str)),
            st.sampled_from(["b", "true"]),
        )
    text, number, test = _grow(depth - 1)
    return (
        st.one_of(text, _text(text, number, test)),
        st.one_of(number, _integer(number, text, test)),
        st.one_of(test, _test(test, text, number)),
    )


_TEXT, _NUMBER, _BOOLEAN = _grow(2)
_FLOATS = _float(
    st.one_of(st.sampled_from(["f", "g"]), _float(st.sampled_from(["f", "g"]), st.just("i"), st.just("x"))),
    _NUMBER,
    _TEXT,
)
EXPRESSION = st.one_of(_TEXT, _TEXT, _NUMBER, _BOOLEAN, _FLOATS, _DECIMAL, _TEMPORAL)
_BLOCK = st.builds(
    "{{% if {} %}}<{{{{ {} }}}}>{{% elif {} %}}{{{{ {} }}}}{{% else %}}no{{% endif %}}".format,
    _BOOLEAN,
    EXPRESSION,
    _BOOLEAN,
    EXPRESSION,
)
TEMPLATE = st.one_of(
    st.builds("{{{{ {} }}}}".format, EXPRESSION),
    st.builds("{{{{ {} }}}} {{{{ {} }}}}!".format, EXPRESSION, EXPRESSION),
    st.builds("{{{{ {} if {} else {} }}}}".format, EXPRESSION, _BOOLEAN, EXPRESSION),
    _BLOCK,
)
