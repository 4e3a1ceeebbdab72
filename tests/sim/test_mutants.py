"""The checker is seen to catch what it is for: each planted bug breaks an invariant within its bound of seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from syncer.execution import courier, doubt, executor, lanes, parts, resolve, resume
from syncer.execution.lanes import Claim
from syncer.facts import Action, Repeat
from syncer.state.protocol import Unsent
from tests.fakes.store import MemoryJournal
from tests.sim.check import violations
from tests.sim.play import play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syncer.execution.courier import Courier
    from syncer.targets.protocol import Unit
    from tests.sim.scene import Scene


def _unordered(scene: Scene) -> Scene:
    """Forget which operation comes after which."""
    return replace(scene, ops=tuple(replace(op, after=()) for op in scene.ops))


def _first_broken(folder: Path, bound: int, change: Callable[[Scene], Scene]) -> tuple[int, list[str]]:
    for seed in range(bound):
        (folder / str(seed)).mkdir()
        try:
            found = violations(play(seed, folder / str(seed), change))
        except Exception as error:  # noqa: BLE001 - a planted bug may also be caught by the executor's own guards
            found = [f"stopped: {error!r}"]
        if found:
            return seed, found
    return bound, []


def no_lanes(patch: pytest.MonkeyPatch) -> None:
    """Nothing but the graph keeps keys apart, and the graph is gone."""
    patch.setattr(lanes.Lanes, "claim", lambda *_: Claim.TAKEN)
    patch.setattr(lanes.Lanes, "hold", lambda *_: None)


def retry_without_looking(patch: pytest.MonkeyPatch) -> None:
    """A lost answer is taken for a no."""

    async def resend(carrier: Courier, unit: Unit) -> None:
        await carrier.running.note(Unsent(unit=unit.id, reason="It is surely not there."))
        await carrier.carry(unit)

    patch.setattr(doubt, "settle", resend)


def look_at_once(patch: pytest.MonkeyPatch) -> None:
    """The read-back does not wait for the vendor's time-out."""
    patch.setattr(doubt, "_wait", _do_nothing)


async def _do_nothing(*_: object) -> None:
    return


def resume_forgets_doubts(patch: pytest.MonkeyPatch) -> None:
    """A unit that was being sent when the process died counts as unsent."""
    original = resume.Past.add

    def add(self: resume.Past, note: object) -> None:
        if getattr(note, "kind", "") == "started":
            for name, state in self.units.items():
                if state.stage is resume.Stage.DOUBTED:
                    self.units[name] = replace(state, stage=resume.Stage.UNSENT)
        original(self, note)  # type: ignore[arg-type]

    patch.setattr(resume.Past, "add", add)


def intent_after_send(patch: pytest.MonkeyPatch) -> None:
    """The note that a send begins is kept back until the next note."""
    original = MemoryJournal.append
    kept: list[object] = []

    async def append(self: MemoryJournal, note: object) -> None:
        if getattr(note, "kind", "") == "committing":
            kept.append(note)
            if self.store.is_dead:
                kept.clear()
            return
        if getattr(note, "kind", "") == "started":
            kept.clear()
        while kept:
            await original(self, kept.pop(0))  # type: ignore[arg-type]
        await original(self, note)  # type: ignore[arg-type]

    patch.setattr(MemoryJournal, "append", append)


def unprocessed_taken_for_done(patch: pytest.MonkeyPatch) -> None:
    """What a job left unprocessed counts as written."""
    original = courier.Courier.take

    async def take(self: Courier, unit: Unit, letters: str, rejects: object, **more: object) -> None:
        await original(self, unit, letters.replace(".", "u"), rejects, **more)  # type: ignore[arg-type]

    patch.setattr(courier.Courier, "take", take)


def doubt_taken_for_done(patch: pytest.MonkeyPatch) -> None:
    """An outcome is noted that nobody gave."""

    async def settle(carrier: Courier, unit: Unit) -> None:
        await carrier.settled(unit, "u" * unit.payload.records, [])

    patch.setattr(doubt, "settle", settle)


def push_is_repeated(patch: pytest.MonkeyPatch) -> None:
    """A write that cannot be looked up is sent again."""
    rows = {key: row for key, row in resolve.TABLE.items() if key[0] is Repeat.SAFE}
    changed = {(repeat, action): rows[Repeat.SAFE, action] for repeat in Repeat for action in Action}
    patch.setattr(resolve, "TABLE", changed)
    original = resolve.DoubtRule
    patch.setattr(executor, "DoubtRule", lambda action, repeat, _: original(action, repeat, "resend"), raising=True)


def steps_do_not_wait(patch: pytest.MonkeyPatch) -> None:
    """Waves go side by side, lanes or not."""
    original = executor._Walk._perform

    async def perform(self: executor._Walk, step: executor._Step) -> None:
        self._plan = self._plan.model_copy(update={"edges": ()})
        await original(self, step)

    patch.setattr(executor._Walk, "_perform", perform)


def rejects_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Rows of parts lose their place."""
    patch.setattr(parts, "_rejects", lambda *_: [])
    patch.setattr(executor, "_reject_lines", lambda *_: iter(()))


MUTANTS = {
    no_lanes: (40, _unordered),
    retry_without_looking: (150, None),
    look_at_once: (300, None),
    resume_forgets_doubts: (300, None),
    intent_after_send: (300, None),
    unprocessed_taken_for_done: (300, None),
    doubt_taken_for_done: (60, None),
    push_is_repeated: (300, None),
    steps_do_not_wait: (40, None),
    rejects_forgotten: (150, None),
}


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_caught(plant: Callable[[pytest.MonkeyPatch], None], tmp_path: Path) -> None:
    """The bug is in, and an invariant breaks."""
    bound, change = MUTANTS[plant]
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        seed, found = _first_broken(tmp_path, bound, change or (lambda scene: scene))
    assert found, f"{plant.__name__} went unseen for {bound} seeds"
    print(f"{plant.__name__}: seed {seed}: {found[0]}")  # noqa: T201 - how soon it is caught is worth knowing


def test_lanes_alone_keep_writers_of_a_key_apart(tmp_path: Path) -> None:
    """Without an order between operations the last writer is anybody, but no two write at once and none is doubled."""
    for seed in range(30):
        (tmp_path / str(seed)).mkdir()
        found = violations(play(seed, tmp_path / str(seed), _unordered))
        assert [each for each in found if each.startswith(("I1", "I5"))] == []
