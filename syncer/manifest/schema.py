"""The JSON Schema of a manifest file, generated from the models: what editors check and complete while people type.

`python -m syncer.manifest.schema > schemas/manifest.schema.json` writes it; a test keeps the file fresh.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

from syncer.manifest.models import Manifest


@cache
def manifest_schema() -> dict[str, Any]:
    """Return the schema of one manifest file, JSON Schema 2020-12."""
    body = Manifest.model_json_schema()
    for definition in (body, *body["$defs"].values()):
        _tidy(definition)
        for form in definition.get("anyOf", ()):
            _tidy(form)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": "syncer manifest",
    }


def render_schema() -> str:
    """Return the schema as the text of `schemas/manifest.schema.json`."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(definition: dict[str, Any]) -> None:
    """Drop what helps nobody in an editor, such as made-up titles; say of names what the models say."""
    definition.pop("title", None)
    for member in definition.get("properties", {}).values():
        member.pop("title", None)
        if "anyOf" in member:
            member["anyOf"] = [form for form in member["anyOf"] if form != {"type": "null"}]
            if len(member["anyOf"]) == 1:
                member.update(member.pop("anyOf")[0])
        if not isinstance(member.get("default", ""), str | int):
            del member["default"]
        if "patternProperties" in member:
            ((pattern, value),) = member.pop("patternProperties").items()
            value.pop("discriminator", None)
            member |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}


if __name__ == "__main__":  # pragma: no cover - a test runs it as its own process
    sys.stdout.write(render_schema())
