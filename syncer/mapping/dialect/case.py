"""Text in lower case, upper case and between: Python's case for every character. SQL and Python side by side."""

from __future__ import annotations

import re

from syncer.mapping.dialect.charset import SPACE
from syncer.mapping.dialect.text import example, line, method


def _capitalize(x: str) -> str:
    return x[:1].upper() + x[1:].lower()


_WORDS = re.compile(r"([-\s({\[<]+)")


def _title(x: str) -> str:
    return "".join(each[0].upper() + each[1:].lower() for each in _WORDS.split(x) if each)


_LOWER = line(
    "lower",
    sql="syncer_lower(:x)",
    ascii_sql="lower(:x)",
    python=str.lower,
    doc="In lower case.",
    examples=(example("{{ x | lower }}", "ΟΔΟΣ İ", "οδος i̇"),),
)
_UPPER = line(
    "upper",
    sql="syncer_upper(:x)",
    ascii_sql="upper(:x)",
    python=str.upper,
    doc="In upper case.",
    examples=(example("{{ x | upper }}", "straße", "STRASSE"),),
)
_TITLE_SQL = (
    "array_to_string(list_transform(regexp_extract_all(:x, '[{0}({{\\[<-]+|[^{0}({{\\[<-]+'), "
    "lambda w: concat({1}upper(left(w, 1)), {1}lower(substr(w, 2)))), '')"
)
_TITLE = line(
    "title",
    sql=_TITLE_SQL.format(SPACE, "syncer_"),
    ascii_sql=_TITLE_SQL.format(SPACE, ""),
    python=_title,
    doc="Each word with a capital first letter and the rest small; words end at white space and `- ( { [ <`.",
    examples=(example("{{ x | title }}", "ada o'NEIL-smith", "Ada O'neil-Smith"),),
)
_CAPITALIZE = line(
    "capitalize",
    sql="syncer_upper(left(:x, 1)) || syncer_lower(substr(:x, 2))",
    ascii_sql="upper(left(:x, 1)) || lower(substr(:x, 2))",
    python=_capitalize,
    doc="The first letter in upper case, the rest in lower case.",
    like_jinja=False,
    examples=(example("{{ x | capitalize }}", "aDA", "Ada"),),
)

FILTERS = (_LOWER, _UPPER, _TITLE, _CAPITALIZE)

METHODS = (
    method(_LOWER, "", "{{ x.lower() }}", "A", "a"),
    method(_UPPER, "", "{{ x.upper() }}", "a", "A"),
    method(_TITLE, "", "{{ x.title() }}", "o'neil", "O'neil"),
    method(_CAPITALIZE, "", "{{ x.capitalize() }}", "ada", "Ada"),
)
