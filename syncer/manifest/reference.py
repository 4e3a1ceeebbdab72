"""Every member of a manifest as one Markdown page, written from the same models as the schema.

`python -m syncer.manifest.reference > docs/manifest.md` writes it; a test keeps the page fresh.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from syncer.manifest.schema import manifest_schema

_HEAD = """\
# A manifest, member by member

Every `.yaml` file of a project's folder is read, and their sections are one manifest. Editors that know YAML schemas
check and complete it while people type: start a file with
`# yaml-language-server: $schema=…/schemas/manifest.schema.json`.
This page is written from the same models as that schema: `python -m syncer.manifest.reference > docs/manifest.md`.
Templates are described in `mapping.md`; whole examples that are run by a test stand in `manifests/`.
"""
_ORDER = (
    "MarketoConnection",
    "SalesforceConnection",
    "Budget",
    "Source",
    "Column",
    "Target",
    "Mapping",
    "FieldMapping",
    "Operation",
    "Guards",
    "UnitTest",
)
"""The order in which people write them; what it does not name follows by name."""

_Node = Mapping[str, Any]


def render_reference() -> str:
    """Return the text of `docs/manifest.md`."""
    schema = manifest_schema()
    known: Mapping[str, _Node] = schema["$defs"]
    names = [*(each for each in _ORDER if each in known), *sorted(each for each in known if each not in _ORDER)]
    parts = [_HEAD, "## A file\n", *_members(schema)]
    for name in names:
        parts += [f"\n## {name}\n", f"{known[name].get('description', '')}\n", *_body(known[name])]
    return "\n".join(parts) + "\n"


def _body(node: _Node) -> Iterator[str]:
    """Yield the words of a closed set, or the members of an object, in each of its forms."""
    if "enum" in node:
        yield "One of " + ", ".join(f"`{each}`" for each in node["enum"]) + "."
    for form in (node, *node.get("anyOf", ())):
        if "properties" in form:
            yield from _members(form)


def _members(node: _Node) -> Iterator[str]:
    required = set(node.get("required", ()))
    yield "| member | what stands there | unless said | meaning |"
    yield "|---|---|---|---|"
    for name, member in node["properties"].items():
        unless = "required" if name in required else _default(member)
        yield f"| `{name}` | {_form(member)} | {unless} | {_meaning(member)} |"


def _default(member: _Node) -> str:
    default = member.get("default", "")
    return f"`{default if isinstance(default, str) else json.dumps(default)}`" if default != "" else ""


def _meaning(member: _Node) -> str:
    text = str(member.get("description", ""))
    if examples := member.get("examples"):
        text += " For example " + ", ".join(f"`{_example(each)}`" for each in examples) + "."
    return _cell(text)


def _example(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _form(member: _Node) -> str:
    """Return what may stand there, in words."""
    if "$ref" in member:
        name = str(member["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "enum" in member:
        return _cell(" or ".join(f"`{each}`" for each in member["enum"]))
    if forms := member.get("anyOf", member.get("oneOf")):
        return " or ".join(dict.fromkeys(map(_form, forms)))
    return f"`{member['const']}`" if "const" in member else _kind(member)


def _kind(member: _Node) -> str:
    kind = str(member.get("type", "anything"))
    if kind == "array":
        return f"list of {_form(member.get('items', {}))}"
    if kind == "object":
        values = member.get("additionalProperties")
        return f"names, each with {_form(values)}" if isinstance(values, Mapping) else "mapping"
    return _KINDS.get(kind, kind)


_KINDS = {"string": "text", "integer": "whole number", "boolean": "true or false"}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":  # pragma: no cover - a test runs it as its own process
    sys.stdout.write(render_reference())
