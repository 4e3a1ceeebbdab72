"""Dates and times: read by a stated format, never shifted; only `timezone` makes a moment of a wall-clock time.

Only `local` makes a wall-clock time of a moment: both name the zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syncer.mapping.dialect.entry import Entry, Example, Kind, Parameter, Type, Value, fill, text

if TYPE_CHECKING:
    from sqlglot import exp

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_READ = {
    "Y": "([0-9]{4})",
    "m": "([0-9]{1,2})",
    "d": "([0-9]{1,2})",
    "H": "([0-9]{1,2})",
    "M": "([0-9]{1,2})",
    "S": "([0-9]{1,2})",
}
_WRITE = "YymdHIMSfpjBbAa%"
_ISO_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?"
_DATE = re.compile(_ISO_DATE)
_LOCAL = re.compile(f"{_ISO_DATE}[T ]{_ISO_TIME}")
_PIECE = re.compile("%(.)|([^%]+)", re.DOTALL)


@cache
def _reading(form: str) -> tuple[str, tuple[str, ...]]:
    """Return the pattern of a format, and which part each group is."""
    pattern, parts = "", list[str]()
    for code, plain in _PIECE.findall(form):
        pattern += _READ[code] if code else re.sub(r"([^\w\s])", r"\\\1", plain)
        parts += [code] if code else []
    return pattern, tuple(parts)


def _read_problem(value: Value, *, with_time: bool) -> str:
    form = str(value)
    codes = [code for code, _ in _PIECE.findall(form) if code]
    known = "YmdHMS" if with_time else "Ymd"
    if "".join(plain or "%" + code for code, plain in _PIECE.findall(form)) != form or set(codes) - set(known):
        return f"The format is made of {', '.join('%' + each for each in known)} and plain characters."
    if len(codes) != len(set(codes)) or not set("Ymd") <= set(codes):
        return "The format names each of %Y, %m and %d once; years have four digits."
    return ""


def _write_problem(value: Value) -> str:
    form = str(value)
    pieces = _PIECE.findall(form)
    if "".join(plain or "%" + code for code, plain in pieces) == form and all(code in _WRITE for code, _ in pieces):
        return ""
    return f"The format is made of {', '.join('%' + each for each in _WRITE)} and plain characters."


def _read(x: str, form: str) -> datetime | None:
    pattern, parts = _reading(form)
    found = re.fullmatch(pattern, x)
    if not found:
        return None
    at = dict(zip(parts, map(int, found.groups()), strict=True))
    try:
        return datetime(at["Y"], at["m"], at["d"], at.get("H", 0), at.get("M", 0), at.get("S", 0))  # noqa: DTZ001 - wall-clock
    except ValueError:
        return None


def _read_date(x: str, form: str) -> date | None:
    found = _read(x, form)
    return found and found.date()


def _iso_date(x: str) -> date | None:
    try:
        return date.fromisoformat(x) if _DATE.fullmatch(x) else None
    except ValueError:
        return None


def _iso_local(x: str) -> datetime | None:
    try:
        return datetime.fromisoformat(x) if _LOCAL.fullmatch(x) else None
    except ValueError:
        return None


def write(x: date, form: str) -> str:
    """Return the date or time in the format; names are English, years have four digits."""
    hour, minute, second, fraction = (
        (x.hour, x.minute, x.second, x.microsecond) if isinstance(x, datetime) else (0, 0, 0, 0)
    )
    at = {
        "Y": f"{x.year:04}",
        "y": f"{x.year % 100:02}",
        "m": f"{x.month:02}",
        "d": f"{x.day:02}",
        "H": f"{hour:02}",
        "I": f"{(hour + 11) % 12 + 1:02}",
        "M": f"{minute:02}",
        "S": f"{second:02}",
        "f": f"{fraction:06}",
        "p": "PM" if hour > 11 else "AM",  # noqa: PLR2004 - noon
        "j": f"{x.timetuple().tm_yday:03}",
        "B": MONTHS[x.month - 1],
        "b": MONTHS[x.month - 1][:3],
        "A": DAYS[x.weekday()],
        "a": DAYS[x.weekday()][:3],
        "%": "%",
    }
    return "".join(at[code] if code else plain for code, plain in _PIECE.findall(form))


@cache
def zone(name: str) -> ZoneInfo:
    """Return the time zone; raises `ValueError` for one that is not known."""
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError) as unknown:
        raise ValueError(name) from unknown


def _zone_problem(value: Value) -> str:
    try:
        zone(str(value))
    except ValueError:
        return 'It is a name of the IANA time zone list, for example "Europe/Berlin".'
    return ""


def _instant(x: datetime, name: str) -> datetime | None:
    """Return the moment; null for a wall-clock time that the zone skips or has twice."""
    if not _is_far_from_ends(x):
        return None
    early, late = (x.replace(tzinfo=zone(name), fold=fold).astimezone(UTC) for fold in (0, 1))
    return early if early == late else None


def _local(x: datetime, name: str) -> datetime | None:
    """Return the wall-clock time of a moment."""
    return x.astimezone(zone(name)).replace(tzinfo=None) if _is_far_from_ends(x) else None


def _is_far_from_ends(x: datetime) -> bool:
    """Return whether no zone moves the time out of the years that there are."""
    return date.min + timedelta(2) < x.date() < date.max - timedelta(2)


def _read_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    form = str(values["format"])
    read = (
        "CASE WHEN regexp_full_match(:x, :pattern) AND try_strptime(:x, :format) >= TIMESTAMP '0001-01-01' "
        "THEN try_strptime(:x, :format) END"
    )
    return fill(read, {"x": at["x"], "pattern": text(_reading(form)[0]), "format": text(form)})


def _read_date_sql(at: Mapping[str, exp.Expression], values: Mapping[str, Value]) -> exp.Expression:
    return fill("CAST(:x AS DATE)", {"x": _read_sql(at, values)})


def _entry(name: str, takes: Type, gives: Type, **members: object) -> Entry:
    return Entry(**{"kind": Kind.FILTER, "name": name, "takes": takes, "gives": gives, "like_jinja": False, **members})  # type: ignore[arg-type]


def _x(template: str, x: Value, value: Value) -> Example:
    return Example(template, {"x": x}, value)


_FORMAT_DATE = (
    Parameter("format", (Type.TEXT,), is_literal=True, problem=lambda v: _read_problem(v, with_time=False)),
)
_FORMAT_TIME = (Parameter("format", (Type.TEXT,), is_literal=True, problem=lambda v: _read_problem(v, with_time=True)),)
_FORMAT = (Parameter("format", (Type.TEXT,), is_literal=True, problem=_write_problem),)
_WHEN = datetime(2024, 3, 9, 15, 4, 5)  # noqa: DTZ001 - wall-clock
_WRITE_DOC = "In this form: `%Y %m %d %H %M %S` and the like; names are English."

FILTERS = (
    _entry(
        "date",
        Type.TEXT,
        Type.DATE,
        sql=f"CASE WHEN regexp_full_match(:x, '{_ISO_DATE}') AND left(:x, 4) <> '0000' THEN TRY_CAST(:x AS DATE) END",
        python=_iso_date,
        is_partial=True,
        converts=True,
        doc="A date written `YYYY-MM-DD`.",
        examples=(
            _x("{{ x | date }}", "2024-02-29", date(2024, 2, 29)),
            _x("{{ x | date }}", "2023-02-29", None),
            _x("{{ x | date }}", "0000-00-00", None),
        ),
    ),
    _entry(
        "date",
        Type.TEXT,
        Type.DATE,
        parameters=_FORMAT_DATE,
        sql=_read_date_sql,
        python=_read_date,
        is_partial=True,
        converts=True,
        doc="A date written in this format.",
        examples=(
            _x("{{ x | date('%d.%m.%Y') }}", "31.12.2024", date(2024, 12, 31)),
            _x("{{ x | date('%m/%d/%Y') }}", "31/12/2024", None),
        ),
    ),
    _entry("date", Type.DATE, Type.DATE, sql=":x", python=lambda x: x, doc="The date itself."),
    _entry(
        "date",
        Type.DATETIME,
        Type.DATE,
        sql="CAST(:x AS DATE)",
        python=datetime.date,
        doc="The day of a wall-clock time.",
        examples=(Example("{{ t | date }}", {"t": _WHEN}, date(2024, 3, 9)),),
    ),
    _entry(
        "datetime",
        Type.TEXT,
        Type.DATETIME,
        sql=f"CASE WHEN regexp_full_match(:x, '{_ISO_DATE}[T ]{_ISO_TIME}') AND left(:x, 4) <> '0000' "
        "THEN TRY_CAST(:x AS TIMESTAMP) END",
        python=_iso_local,
        is_partial=True,
        converts=True,
        doc="A wall-clock time written `YYYY-MM-DDThh:mm:ss`, a blank for the T or a fraction allowed, no zone.",
        examples=(
            _x("{{ x | datetime }}", "2024-03-09 15:04:05", _WHEN),
            _x("{{ x | datetime }}", "2024-03-09T15:04:05Z", None),
        ),
    ),
    _entry(
        "datetime",
        Type.TEXT,
        Type.DATETIME,
        parameters=_FORMAT_TIME,
        sql=_read_sql,
        python=_read,
        is_partial=True,
        converts=True,
        doc="A wall-clock time written in this format.",
        examples=(_x("{{ x | datetime('%d.%m.%Y %H:%M:%S') }}", "9.3.2024 15:04:05", _WHEN),),
    ),
    _entry("datetime", Type.DATETIME, Type.DATETIME, sql=":x", python=lambda x: x, doc="The time itself."),
    _entry(
        "datetime",
        Type.DATE,
        Type.DATETIME,
        sql="CAST(:x AS TIMESTAMP)",
        python=lambda x: datetime(x.year, x.month, x.day),  # noqa: DTZ001 - wall-clock
        doc="Midnight of the date.",
    ),
    _entry(
        "timezone",
        Type.DATETIME,
        Type.INSTANT,
        parameters=(Parameter("zone", (Type.TEXT,), is_literal=True, problem=_zone_problem),),
        sql="syncer_instant(:x, :zone)",
        python=_instant,
        is_partial=True,
        converts=True,
        doc="The moment of a wall-clock time in this zone; null for a time that the zone skips or has twice.",
        examples=(
            Example("{{ t | timezone('Europe/Berlin') }}", {"t": _WHEN}, _WHEN.replace(hour=14, tzinfo=UTC)),
            Example("{{ x | datetime | timezone('Europe/Berlin') }}", {"x": "2024-03-31 02:30:00"}, None),
            Example("{{ x | datetime | timezone('Europe/Berlin') }}", {"x": "2024-10-27 02:30:00"}, None),
        ),
    ),
    _entry(
        "local",
        Type.INSTANT,
        Type.DATETIME,
        parameters=(Parameter("zone", (Type.TEXT,), is_literal=True, problem=_zone_problem),),
        sql="CASE WHEN :x >= TIMESTAMP '0001-01-04' AND :x < TIMESTAMP '9999-12-29' "
        "THEN timezone(:zone, timezone('UTC', :x)) END",
        python=_local,
        is_partial=True,
        converts=True,
        doc="The wall-clock time of a moment in this zone, which has a day and an hour to read.",
        examples=(
            Example("{{ m | local('Europe/Berlin') }}", {"m": datetime(2024, 3, 9, 14, 4, 5, tzinfo=UTC)}, _WHEN),
            Example(
                "{{ m | local('Asia/Tokyo') | date }}", {"m": datetime(2024, 3, 9, 15, tzinfo=UTC)}, date(2024, 3, 10)
            ),
        ),
    ),
    *(
        _entry(
            "format_date",
            kind,
            Type.TEXT,
            parameters=_FORMAT,
            sql="strftime(:x, :format)",
            python=write,
            doc=_WRITE_DOC,
            examples=(Example("{{ t | format_date('%d %b %Y') }}", {"t": _WHEN}, "09 Mar 2024"),),
        )
        for kind in (Type.DATE, Type.DATETIME)
    ),
)

METHODS = tuple(
    _entry(
        "strftime",
        kind,
        Type.TEXT,
        kind=Kind.METHOD,
        parameters=_FORMAT,
        sql="strftime(:x, :format)",
        python=write,
        doc=_WRITE_DOC,
    )
    for kind in (Type.DATE, Type.DATETIME)
)
