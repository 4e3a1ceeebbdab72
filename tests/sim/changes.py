"""What a seed's scene is changed into where a bug shows in few scenes only; the rest of it stays as it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncer.sandbox.faults import FaultRule
from tests.sim.scene import Ending, Op, Row, Scene, Tight
from tests.sim.trouble import Meddling
from tests.sim.ways import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and in words which seeds it makes."""

    words: str
    apply: Callable[[Scene], Scene]


def _frozen(scene: Scene) -> Scene:
    at = 0.3 + scene.seed % 40 / 4
    return replace(scene, on_disk=True, endings=(Ending(freezes=(at, 600.0)),), has_person=False)


def _replaced(scene: Scene) -> Scene:
    """Many small requests under few calls, so that some always wait for their turn when the other process comes."""
    at = 1.0 + scene.seed % 40 / 4
    ops = tuple(replace(op, size=1) for op in scene.ops)
    tight = Tight(calls=5, at_once=4)
    return replace(scene, ops=ops, endings=(Ending(freezes=(at, 2.0)),), tight=tight, concurrency=6, latency=0.3)


def _pushing(scene: Scene) -> Scene:
    rule = {"action": "vendor_error", "code": "713", "when": "after", "endpoint": "*push.json", "count": 2}
    way = BY_NAME["lead push upsert lead upsert push"]
    ops = (replace(scene.ops[0], way=way, on_unknown="hold"),)
    return replace(scene, ops=ops, faults=(FaultRule.parse(rule),), twins=(), has_person=False)


def _with_jobs(scene: Scene, **rule: object) -> Scene:
    way = BY_NAME["Contact bulk2 upsert contact upsert"]
    fault = FaultRule.parse({"system": "salesforce", **rule})
    return replace(scene, ops=(replace(scene.ops[0], way=way),), faults=(fault,))


def _wide(scene: Scene) -> Scene:
    way = BY_NAME["lead sync upsert lead upsert"]
    rows = tuple(Row(at + 2, at, f"v0x{at}") for at in range(301 + scene.seed % 100))
    return replace(scene, ops=(Op("op0", way, rows, 1_000),), twins=(), lasting=())


def _tight(scene: Scene) -> Scene:
    return replace(scene, tight=Tight(calls=5 + scene.seed % 6, at_once=4), concurrency=6)


def _revoked(scene: Scene) -> Scene:
    when = 0.4 + scene.seed % 30 / 20
    ops = tuple(replace(op, size=1) for op in scene.ops)
    return replace(scene, ops=ops, concurrency=6, latency=0.3, meddling=(Meddling(when, "revoke tokens"),))


AS_IT_IS = Change("", lambda scene: scene)
ON_DISK = Change("on disk", lambda scene: replace(scene, on_disk=True))
FROZEN = Change("with a process frozen for ten minutes, on disk", _frozen)
REPLACED = Change("with few calls a window and a second process", _replaced)
PUSHING = Change("that push into a 713 after the effect", _pushing)
FAILING_JOBS = Change(
    "with jobs that fail in the middle",
    lambda scene: _with_jobs(scene, action="fail_job", endpoint="*ingest*", count=3),
)
LOST_UPLOADS = Change(
    "with uploads whose answers are lost",
    lambda scene: _with_jobs(scene, action="apply_then_lose", endpoint="PUT *ingest*", count=2),
)
WIDE = Change("of more than 300 rows", _wide)
TIGHT = Change("with few calls a window", _tight)
REVOKED = Change("whose token is revoked", _revoked)
