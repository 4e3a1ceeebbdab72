"""The JSON Schema of a run's report, generated from the models: what other programs may rely on.

`python -m syncer.execution.schema > schemas/report.schema.json` writes it; a test keeps the file fresh.
"""

from __future__ import annotations

import json
import sys

from syncer.execution.account import RunAccount


def render_schema() -> str:
    """Return the schema as the text of `schemas/report.schema.json`, JSON Schema 2020-12."""
    body = RunAccount.model_json_schema(mode="serialization")
    for definition in (body, *body["$defs"].values()):
        definition.pop("title", None)
        for member in definition.get("properties", {}).values():
            member.pop("title", None)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body, "title": "syncer report"}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_schema())
