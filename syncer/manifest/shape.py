"""One file's tree → a `Manifest`, or a located finding for everything that has not the manifest's shape.

The models find what is wrong; the words come from the generated schema at the same path, so that the message and the
editor say the same. A value is shown only where the schema lists the allowed ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from syncer.diagnostics import Diagnostic
from syncer.facts import System
from syncer.manifest.models import NAME_PATTERN, Manifest
from syncer.manifest.nearest import did_you_mean, nearest
from syncer.manifest.positions import MappingNode, Positions, child, plain_data, scalars, written
from syncer.manifest.schema import manifest_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from syncer.diagnostics import Place
    from syncer.manifest.positions import Node, Path

_NAME_WORDS = 'a name: letters, digits, "_" and "-", starting with a letter, at most 64 characters'
_SHOWN = 64
_SLIP = 24
"""A longer value is no slip of a word, and it may be a secret in the wrong place."""
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems")
_ROWS = ("given", "expect", "rejects")
_KINDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


def shape(root: MappingNode) -> tuple[Manifest | None, list[Diagnostic]]:
    """Return the manifest of one file, None where it has findings, and the findings."""
    positions = Positions(root)
    found = [_empty(path, node.place) for path, node in scalars(root) if node.value is None and not _in_rows(path)]
    try:
        manifest = Manifest.model_validate(plain_data(root))
    except ValidationError as error:
        known = {each.place for each in found}
        found += [each for each in _findings(error, root, positions) if each.place not in known]
        return None, found
    return (None if found else manifest), found


def _in_rows(path: Path) -> bool:
    """Null is a value in the rows of a test, and nowhere else."""
    return len(path) > 4 and path[0] == "tests" and path[2] in _ROWS  # noqa: PLR2004 - tests, name, rows, index, column


def _empty(path: Path, place: Place) -> Diagnostic:
    return Diagnostic("M122", f'"{written(path)}" is empty.', place, "Give it a value, or remove the member.")


def _findings(error: ValidationError, root: MappingNode, positions: Positions) -> Iterator[Diagnostic]:
    """Yield one finding a path; where a union was tried, the form that got deepest speaks."""
    by_path: dict[Path, ErrorDetails] = {}
    for each in error.errors(include_url=False, include_context=False):
        by_path.setdefault(_path(each, root), each)
    for path, each in by_path.items():
        if not any(other[: len(path)] == path for other in by_path if len(other) > len(path)):
            yield _finding(path, each, positions)


def _path(error: ErrorDetails, root: MappingNode) -> Path:
    """Translate the models' location to the path that is written: without union tags and the normalised `fields`."""
    path: list[str | int] = []
    node: Node = root
    location = error["loc"]
    for index, step in enumerate(location):
        is_tag = index == 2 and (  # noqa: PLR2004 - section, name, tag
            (location[0] == "connections" and step in set(System)) or (location[0] == "mappings" and step == "fields")
        )
        below = None if is_tag else child(node, step)
        if below is not None:
            path.append(step)
            node = below
        elif error["type"] == "missing" and index == len(location) - 1 and not is_tag:
            path.append(step)
    if error["type"].startswith("union_tag_"):
        path.append("system")
    return tuple(path)


def _finding(path: Path, error: ErrorDetails, positions: Positions) -> Diagnostic:
    parent, last = path[:-1], path[-1] if path else ""
    around = f'"{written(parent)}"' if parent else "The manifest"
    if error["loc"] and error["loc"][-1] == "[key]":
        detail = f'"{_short(last)}" cannot be a name in {around}.'
        return Diagnostic("M126", detail, positions.name(*path), f"Write {_name_words(parent)}.")
    if error["type"] == "extra_forbidden":
        known = _members(parent, positions)
        return Diagnostic(
            "M120",
            f'{around if parent else "A manifest"} has no member "{_short(last)}".',
            positions.name(*path),
            did_you_mean(str(last), known, "member"),
        )
    if path and not positions.has(*path):
        meaning = _schema_at(path, positions).get("description", "")
        place = positions.name(*parent) if parent else positions.at()
        return Diagnostic("M121", f'{around} has no "{last}".', place, f'Add "{last}". {meaning}'.rstrip())
    return _wrong_value(path, positions)


def _wrong_value(path: Path, positions: Positions) -> Diagnostic:
    """Say what stands there and what may stand there: the wrong kind of value, or a value that is not allowed."""
    place = positions.at(*path)
    value = positions.data(*path)
    forms = _forms(path, positions)
    name = f'"{written(path)}"' if path else "A manifest"
    kinds = {form["type"] for form in forms}
    if _kind(value) not in kinds and not (kinds == {"number"} and _kind(value) == "integer"):
        loose = [{part: form[part] for part in form if part not in _LIMITS} for form in forms]
        return Diagnostic(
            "M122",
            f"{name} must be {_words(loose).replace(_NAME_WORDS, 'a name')}, but is {_found_words(value)}.",
            place,
        )
    choices = [choice for form in forms for choice in form.get("enum", [form["const"]] if "const" in form else [])]
    shown = f', but is "{value}"' if choices and isinstance(value, str | int) and len(str(value)) <= _SLIP else ""
    close = nearest(str(value), [str(choice) for choice in choices]) if shown else ""
    fitting = [form for form in forms if form["type"] == _kind(value)] or forms
    return Diagnostic(
        "M123", f"{name} must be {_words(fitting)}{shown}.", place, f'Did you mean "{close}"?' if close else ""
    )


def _kind(value: object) -> str:
    """Return the JSON Schema word for the kind of a value."""
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return kinds.get(type(value), "null")


def _found_words(value: object) -> str:
    words = {"object": "a mapping", "array": "a list", "null": "empty", "number": "a number with a fraction"}
    return words.get(_kind(value)) or _KINDS[_kind(value)]


def _words(forms: list[dict[str, Any]]) -> str:
    """Return what may stand there, in words; a whole number is a number where both are told."""
    types = {form["type"] for form in forms}
    told = [form for form in forms if form["type"] != "null" and not (form["type"] == "integer" and "number" in types)]
    *first, last = dict.fromkeys(_form_words(form) for form in told)
    return f"{', '.join(first)} or {last}" if first else last


def _form_words(form: dict[str, Any]) -> str:
    if "const" in form:
        return f'"{form["const"]}"' if isinstance(form["const"], str) else f"the number {form['const']}"
    if "enum" in form:
        return f"one of {', '.join(form['enum'])}"
    if form.get("pattern") == NAME_PATTERN:
        return _NAME_WORDS
    if form["type"] == "array":
        inner = " or ".join(dict.fromkeys(_plural(each) for each in _resolved(form["items"])))
        return f"a list of {inner}{' that is not empty' if 'minItems' in form else ''}"
    if form["type"] == "object":
        return "a mapping"
    words = _KINDS[form["type"]]
    low, high, longest = form.get("minimum"), form.get("maximum"), form.get("maxLength")
    if low is not None:
        words += f" from {low} to {high}" if high is not None else f" from {low} up"
    if form.get("minLength"):
        words += " that is not empty"
    if longest:
        words += f" of at most {longest:,} characters"
    if "pattern" in form:
        words += f' such as "{form["examples"][0]}"'
    return words


def _short(name: object) -> str:
    text = str(name)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _plural(form: dict[str, Any]) -> str:
    if form["type"] == "object":
        return "mappings"
    return "names" if form.get("pattern") == NAME_PATTERN else _KINDS[form["type"]]


def _name_words(parent: Path) -> str:
    """Return what a member's name must be; target fields have freer names than everything else."""
    return "the field's name, 1 to 255 characters" if parent[0] == "mappings" and parent[1:] else _NAME_WORDS


def _members(path: Path, positions: Positions) -> set[str]:
    return {name for form in _forms(path, positions) for name in form.get("properties", ())}


def _schema_at(path: Path, positions: Positions) -> dict[str, Any]:
    """Return the description of one member as the member's parent gives it."""
    around = (form.get("properties", {}) for form in _forms(path[:-1], positions))
    return next(dict(members[path[-1]]) for members in around if path[-1] in members)


def _forms(path: Path, positions: Positions) -> list[dict[str, Any]]:
    """Return the alternatives that the schema allows at `path`; where `system` is written, those of that system."""
    forms = [manifest_schema()]
    for index, step in enumerate(path):
        below = [inner for form in forms if (inner := _below(form, step))]
        forms = [form for inner in below for form in _resolved(inner)]
        system = positions.data(*path[: index + 1], "system")
        own = [form for form in forms if form.get("properties", {}).get("system", {}).get("const") == system]
        forms = own or forms
    return forms


def _below(form: dict[str, Any], step: str | int) -> dict[str, Any]:
    if isinstance(step, int):
        return dict(form.get("items", {}))
    return dict(form.get("properties", {}).get(step) or form.get("additionalProperties") or {})


def _resolved(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the forms of a schema: references followed, alternatives apart."""
    if "$ref" in schema:
        return _resolved(manifest_schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]])
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    return [form for each in alternatives for form in _resolved(each)] if alternatives else [schema]
