"""Golden plans: each folder of `plans/` holds a manifest and measured facts, and the plan that must come out.

Nothing here decides: it reads a folder and asks the planner, with the targets' own capabilities.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from syncer.errors import PlanRefusedError
from syncer.facts import ObjectSchema, OperationFacts, SharedKeys, System, Usage
from syncer.manifest.read import read_project
from syncer.plan.build import build_plan
from syncer.plan.digest import dump
from syncer.plan.explain import explain
from syncer.plan.models import Inputs
from syncer.secret import Secret
from syncer.targets.endpoint import Endpoint
from syncer.targets.marketo.capabilities import capabilities as marketo_capabilities
from syncer.targets.salesforce.capabilities import capabilities as salesforce_capabilities

if TYPE_CHECKING:
    from syncer.capability import Capabilities
    from syncer.manifest.models import Manifest
    from syncer.plan.models import Plan

FOLDERS = sorted(path for path in (Path(__file__).parent / "plans").iterdir() if path.is_dir())
INPUTS = Inputs(tool="0.1.0", manifest="3f9c" * 16)


def able_of(system: str, name: str) -> Capabilities:
    """Return the target's own word on the paths of an object."""
    read = salesforce_capabilities if system == System.SALESFORCE else marketo_capabilities
    return read(name, Endpoint("any", System(system), "", "", Secret("")))


@dataclass(frozen=True)
class Known:
    """What `facts.json` holds beside the operations' rows."""

    operations: dict[str, OperationFacts]
    usage: dict[str, Usage]
    shared: tuple[SharedKeys, ...] = ()
    schemas: tuple[ObjectSchema, ...] = ()


@dataclass(frozen=True)
class Case:
    """One folder of `plans/`."""

    folder: Path
    manifest: Manifest
    known: Known

    def able(self) -> dict[tuple[str, str], Capabilities]:
        """Return the paths of every target of the manifest."""
        return {
            (target.connection, target.object): able_of(
                self.manifest.connections[target.connection].system, target.object
            )
            for target in self.manifest.targets.values()
        }

    def plan(self) -> Plan:
        """Return the plan of the case."""
        described = {schema.name: schema for schema in self.known.schemas}
        at = [(target.connection, target.object) for target in self.manifest.targets.values()]
        schemas = {place: described[place[1]] for place in at if place[1] in described}
        known = self.known
        return build_plan(
            "acme", self.manifest, known.operations, self.able(), known.usage, INPUTS, known.shared, schemas
        )

    def texts(self) -> dict[str, str]:
        """Return the files that must stand in the folder beside its two inputs."""
        try:
            plan = self.plan()
        except PlanRefusedError as error:
            return {"refusal.txt": f"{error}\n"}
        return {"plan.txt": explain(plan), "plan.json": dump(plan)}


def load_case(folder: Path) -> Case:
    """Return the case of a folder."""
    members = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    known = TypeAdapter(Known).validate_python(members)
    return Case(folder, read_project(folder / "manifest.yaml").manifest, known)
