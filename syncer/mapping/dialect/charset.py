"""The few places where Python and the engine know different Unicode, and the SQL macros that close the gap.

Each set was found by comparing every code point on both sides; a test compares them all again.
"""

from __future__ import annotations

SPACES = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)
"""What `str.strip` strips."""
SPACE = r"\x{9}-\x{D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
"""The same as the inside of an RE2 class, whose own `\\s` is ASCII."""

_INK = "{0} BETWEEN '!' AND '~' AND ({0})[-1] BETWEEN '!' AND '~'"
"""The text begins and ends with a visible ASCII character; the cheapest test that the engine has for it."""
TRIM = (
    f"CASE WHEN {_INK.format(':x')} THEN :x WHEN {_INK.format('trim(:x)')} THEN trim(:x) "
    f"ELSE regexp_replace(:x, '^[{SPACE}]+|[{SPACE}]+$', '', 'g') END"
)
"""A text without white space at its ends, written so that most rows are only looked at."""

_EXPANDING = (
    (0xDF, 0xDF),
    (0x149, 0x149),
    (0x1F0, 0x1F0),
    (0x390, 0x390),
    (0x3B0, 0x3B0),
    (0x587, 0x587),
    (0x1E96, 0x1E9A),
    (0x1F50, 0x1F50),
    (0x1F52, 0x1F52),
    (0x1F54, 0x1F54),
    (0x1F56, 0x1F56),
    (0x1F80, 0x1FAF),
    (0x1FB2, 0x1FB4),
    (0x1FB6, 0x1FB7),
    (0x1FBC, 0x1FBC),
    (0x1FC2, 0x1FC4),
    (0x1FC6, 0x1FC7),
    (0x1FCC, 0x1FCC),
    (0x1FD2, 0x1FD3),
    (0x1FD6, 0x1FD7),
    (0x1FE2, 0x1FE4),
    (0x1FE6, 0x1FE7),
    (0x1FF2, 0x1FF4),
    (0x1FF6, 0x1FF7),
    (0x1FFC, 0x1FFC),
    (0xFB00, 0xFB06),
    (0xFB13, 0xFB17),
)
EXPANDING = tuple(chr(code) for low, high in _EXPANDING for code in range(low, high + 1))
"""Characters whose upper case is several characters (Unicode SpecialCasing); the engine maps one to one."""

_CASED = (
    r"[\p{Lu}\p{Ll}\p{Lt}\x{AA}\x{BA}\x{2160}-\x{217F}\x{24B6}-\x{24E9}"
    r"\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}]"
)
_THROUGH = (
    r"[\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:\x{B7}\x{387}\x{55F}\x{5F4}\x{2018}\x{2019}\x{2024}\x{2027}"
    r"\x{FE13}\x{FE52}\x{FE55}\x{FF07}\x{FF0E}\x{FF1A}]*"
)
_OTHER = _CASED[:1] + "^" + _CASED[1:-1] + _THROUGH[1:-2] + "]"
_FINAL_SIGMA = f"({_CASED}{_THROUGH})Σ({_THROUGH}(?:{_OTHER}|$))"
"""A capital sigma after a cased letter and not before one ends a word (Unicode, Final_Sigma)."""


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _replaced(subject: str) -> str:
    for each in EXPANDING:
        subject = f"replace({subject}, '{each}', '{each.upper()}')"
    return subject


MACROS = {
    "syncer_lower": (
        "CREATE OR REPLACE TEMP MACRO syncer_lower(x) AS CASE WHEN NOT regexp_matches(x, '[İΣ]') THEN lower(x) ELSE "
        rf"lower(regexp_replace(replace(x, 'İ', 'i̇'), {_quoted(_FINAL_SIGMA)}, '\1ς\2', 'g')) END"
    ),
    "syncer_upper": (
        "CREATE OR REPLACE TEMP MACRO syncer_upper(x) AS "
        f"CASE WHEN NOT regexp_matches(x, '[{''.join(EXPANDING)}]') THEN upper(x) ELSE upper({_replaced('x')}) END"
    ),
    "syncer_instant": (
        "CREATE OR REPLACE TEMP MACRO syncer_instant(x, zone) AS CASE "
        "WHEN x < TIMESTAMP '0001-01-04' OR x >= TIMESTAMP '9999-12-29' THEN NULL "
        "WHEN syncer_utc(x, zone, -1) = syncer_utc(x, zone, 1) THEN syncer_utc(x, zone, 1) "
        "WHEN (timezone(zone, timezone('UTC', syncer_utc(x, zone, -1))) = x) = "
        "(timezone(zone, timezone('UTC', syncer_utc(x, zone, 1))) = x) THEN NULL "
        "WHEN timezone(zone, timezone('UTC', syncer_utc(x, zone, -1))) = x THEN syncer_utc(x, zone, -1) "
        "ELSE syncer_utc(x, zone, 1) END"
    ),
    "syncer_utc": (
        "CREATE OR REPLACE TEMP MACRO syncer_utc(x, zone, days) AS "
        "timezone('UTC', timezone(zone, x + to_days(days))) - to_days(days)"
    ),
}
"""Macros that expressions may call, by name."""
NEEDS = {"syncer_instant": ("syncer_utc",)}
"""Macros that a macro calls."""
