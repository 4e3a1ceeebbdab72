"""The mapping dialect: the whole finite list of what a template may say, by kind and name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from syncer.mapping.dialect import arithmetic, case, cut, date, logic, number, part, search, text
from syncer.mapping.dialect.entry import Entry, Kind

ENTRIES: tuple[Entry, ...] = (
    *case.FILTERS,
    *cut.FILTERS,
    *search.FILTERS,
    *part.FILTERS,
    *text.FILTERS,
    *number.FILTERS,
    *date.FILTERS,
    *logic.FILTERS,
    *case.METHODS,
    *cut.METHODS,
    *search.METHODS,
    *part.METHODS,
    *date.METHODS,
    *logic.TESTS,
    *cut.OPERATORS,
    *part.OPERATORS,
    *arithmetic.OPERATORS,
    *logic.OPERATORS,
)


def _index() -> Mapping[tuple[Kind, str], tuple[Entry, ...]]:
    found: dict[tuple[Kind, str], tuple[Entry, ...]] = {}
    for entry in ENTRIES:
        key = (entry.kind, entry.name)
        found[key] = (*found.get(key, ()), entry)
    return MappingProxyType(found)


BY_NAME = _index()


def names(kind: Kind) -> tuple[str, ...]:
    """Return the names of one kind, each once, in the order of the list."""
    return tuple(dict.fromkeys(entry.name for entry in ENTRIES if entry.kind is kind))
