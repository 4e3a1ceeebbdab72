"""The JSON Schema of a plan file and of its print in JSON, generated from the models: what other programs may rely on.

`python -m syncer.plan.schema > schemas/plan.schema.json` writes it; a test keeps the file fresh.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from syncer.plan.revealed import RevealedPlan


def plan_schema() -> dict[str, Any]:
    """Return the schema of a plan file, JSON Schema 2020-12."""
    body = RevealedPlan.model_json_schema(mode="serialization")
    for definition in (body, *body["$defs"].values()):
        definition.pop("title", None)
        for member in definition.get("properties", {}).values():
            member.pop("title", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body, "title": "syncer plan"}


def render_schema() -> str:
    """Return the schema as the text of `schemas/plan.schema.json`."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_schema())
