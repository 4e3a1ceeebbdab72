"""The dialect as the tables of `docs/mapping.md`; a test holds the page to it."""

from __future__ import annotations

from collections.abc import Iterator

from syncer.mapping.dialect import ENTRIES
from syncer.mapping.dialect.entry import REQUIRED, Entry, Kind, Parameter

_TITLES = {Kind.FILTER: "Filters", Kind.METHOD: "Methods", Kind.TEST: "Tests", Kind.OPERATOR: "Operators"}


def listing() -> str:
    """Return every entry, in one table a kind: how it is written, on what, what it gives, and what it means."""
    return "\n".join(line for kind in Kind for line in _table(kind))


def _table(kind: Kind) -> Iterator[str]:
    yield f"### {_TITLES[kind]}\n"
    yield "| written | on | gives | meaning | example |"
    yield "|---|---|---|---|---|"
    rows: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in ENTRIES:
        if entry.kind is kind:
            rows.setdefault((_written(entry), entry.doc, _runs(entry)), []).append(entry)
    for (written, doc, runs), entries in rows.items():
        takes = ", ".join(dict.fromkeys(each.takes for each in entries))
        gives = ", ".join(dict.fromkeys(each.gives for each in entries))
        example = next((_example(each) for each in entries if each.examples), "")
        yield f"| `{written}` | {takes} | {gives} | {_cell(doc + runs)} | {example} |"
    yield ""


def _written(entry: Entry) -> str:
    match entry.kind:
        case Kind.FILTER:
            return f"{entry.name}{_arguments(entry)}"
        case Kind.METHOD:
            return f".{entry.name}{_arguments(entry) or '()'}"
        case Kind.TEST:
            return f"is {entry.name}"
    return entry.name


def _arguments(entry: Entry) -> str:
    return f"({', '.join(map(_argument, entry.parameters))})" if entry.parameters else ""


def _argument(parameter: Parameter) -> str:
    return parameter.name if parameter.default is REQUIRED else f"{parameter.name}={parameter.default!r}"


def _runs(entry: Entry) -> str:
    return "" if entry.sql is not None else " Runs as Python."


def _example(entry: Entry) -> str:
    example = entry.examples[0]
    (given,) = example.row.values()
    return f"`{_cell(example.template)}` on `{_cell(repr(given))}` is `{_cell(repr(example.value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
