"""What one seed means: operations over few keys, the limits they run under, and the trouble that they meet."""

# ruff: noqa: S311 - a story, not a secret

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from syncer.facts import Action, System
from tests.sim.trouble import Meddling, add_late_rests, draw_faults, draw_meddling, draw_snags, poison, shorten_queues
from tests.sim.ways import UNKNOWN, WAYS

if TYPE_CHECKING:
    from typing import Literal

    from syncer.sandbox.faults import FaultRule
    from tests.sim.ways import Way
    from tests.sim.wire import Snag


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the source, whom it is about, what it says, whether its key is in capitals."""

    number: int
    whom: int
    value: str
    is_loud: bool = False
    is_spoilt: bool = False


@dataclass(frozen=True, slots=True)
class Op:
    """One operation."""

    name: str
    way: Way
    rows: tuple[Row, ...]
    size: int
    """Records a unit, where the path's own limit is not smaller."""
    unchanged: int = 0
    """Rows that the ledger knows as they are, so that they do not go out."""
    refused: int = 0
    """Rows that were refused when the plan was made; they stand after all others in the source."""
    on_unknown: Literal["hold", "resend"] = "hold"
    max_rejected: int | None = None
    max_creates: int | None = None


@dataclass(frozen=True, slots=True)
class Tight:
    """Limits of the instance that a small scene can reach."""

    calls: int = 100
    at_once: int = 10
    imports: int = 10
    calls_a_day: int = 50_000
    neighbours: float = 0.0
    """Share of the window that others use."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one process is to end before its time: at its n-th touch of the world, or after one or two wishes to stop.

    `outage` is a span of its life in which the state is out of reach, `sleeps` when its machine sleeps for how long.
    """

    dies_at: int | None = None
    signals: tuple[float, ...] = ()
    outage: tuple[float, float] = (0.0, 0.0)
    sleeps: tuple[float, float] | None = None
    unlocked_at: float | None = None
    """When a person breaks its lease."""
    freezes: tuple[float, float] | None = None
    """When the process is stopped from outside, and for how long; meanwhile another one tries to take the run over."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One seed, unfolded."""

    seed: int
    ops: tuple[Op, ...]
    people: int
    """How many leads, orders and contacts are there at the start, by number from 0."""
    twins: tuple[int, ...]
    """Leads that are there twice, so that no key tells them apart."""
    concurrency: int
    faults: tuple[FaultRule, ...] = ()
    lasting: tuple[FaultRule, ...] = ()
    """Faults of the records themselves, which stay when the trouble is over."""
    snags: tuple[Snag, ...] = ()
    meddling: tuple[Meddling, ...] = ()
    endings: tuple[Ending, ...] = ()
    offsets: tuple[float, ...] = ()
    """How wrong each process's wall clock is."""
    clock_is_set: tuple[float, float] | None = None
    """When somebody sets the first process's wall clock, and how far forward or back."""
    latency: float = 0.0
    tight: Tight = field(default_factory=Tight)
    on_disk: bool = False
    """Whether state is the real store of a folder."""
    has_person: bool = False
    """Whether somebody looks what became of writes in doubt, and says so."""
    token_seconds: float = 3_600.0

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems written to."""
        return tuple(sorted({op.way.system for op in self.ops}))


def unfold(seed: int) -> Scene:
    """Return what happens under `seed`; the same for ever. One scene in 25 is large."""
    chance = random.Random(f"syncer scene {seed}")
    is_large = chance.random() < 1 / 25
    people = chance.choice((0, 2, 5, 12))
    twins = tuple(UNKNOWN // 2 + each for each in range(chance.choice((0, 0, 0, 1, 2))))
    ops = _ops(chance, people, twins, is_large=is_large)
    ways = tuple({op.way.name: op.way for op in ops}.values())
    endings = tuple(_ending(chance) for _ in range(chance.choice((0, 0, 1, 1, 2, 3))))
    wrong = chance.choice((0.0, 0.0, 0.0, 600.0, 3_600.0))
    more = random.Random(f"more of scene {seed}")  # What is drawn beside, so that old seeds are still what they were.
    scene = Scene(
        seed=seed,
        ops=ops,
        people=people,
        twins=twins,
        concurrency=chance.randint(1, 12 if is_large else 6),
        faults=add_late_rests(
            more,
            ways,
            draw_faults(chance, ways, chance.randint(3, 40) if is_large else chance.choice((0, 1, 2, 3, 5, 8))),
        ),
        lasting=_poison(chance, ops) if chance.random() < 1 / 8 else (),
        snags=draw_snags(chance, ways, chance.choice((0, 0, 1, 2, 4))),
        meddling=draw_meddling(chance, chance.choice((0, 0, 0, 1, 2))),
        endings=endings,
        # A clock that was set back may not shorten a wait. One that is set forward between processes can (T15).
        offsets=tuple(sorted((chance.uniform(-wrong, wrong) for _ in range(len(endings) + 1)), reverse=True)),
        clock_is_set=_set_clock(more, endings),
        latency=chance.choice((0.0, 0.05, 0.3, 2.0)),
        tight=_tight(chance) if chance.random() < 1 / 5 else Tight(),
        on_disk=chance.random() < 1 / 14,
        has_person=chance.random() < 1 / 2,
        token_seconds=chance.choice((3_600.0, 3_600.0, 3_600.0, 90.0, 30.0)),
    )
    if any(op.on_unknown == "resend" and op.way.path == "bulk" for op in ops):
        scene = replace(scene, faults=shorten_queues(scene.faults))
    return scene


def _set_clock(chance: random.Random, endings: tuple[Ending, ...]) -> tuple[float, float] | None:
    """Now and then; not under a process that stands still, whose silence is told by that clock alone."""
    step = (chance.uniform(0.2, 90), chance.uniform(-7_200, 7_200)) if chance.random() < 1 / 10 else None
    return None if endings and endings[0].freezes else step


def _ops(chance: random.Random, people: int, twins: tuple[int, ...], *, is_large: bool) -> tuple[Op, ...]:
    """Draw operations that write to one or two objects, so that their keys meet."""
    objects = sorted({way.object for way in WAYS})
    chosen = {chance.choice(objects) for _ in range(chance.randint(1, 2))}
    if "program_member" in chosen:
        chosen.add("lead")
    ways = [way for way in WAYS if way.object in chosen]
    keys = chance.randint(1, 60 if is_large else 12)
    ops = []
    for number in range(chance.randint(3, 8) if is_large else chance.randint(1, 3)):
        way = chance.choice(ways)
        rows = _rows(chance, number, way, keys, people, twins, chance.randint(1, 120 if is_large else 16))
        op = Op(
            name=f"op{number}",
            way=way,
            rows=rows,
            size=1_000 if chance.random() < 1 / 10 else chance.randint(1, 12),
            unchanged=chance.choice((0, 0, 3)),
            refused=chance.choice((0, 0, 0, 2)),
            on_unknown="resend" if chance.random() < 1 / 8 else "hold",
            max_rejected=chance.randint(0, 3) if chance.random() < 1 / 25 else None,
            max_creates=chance.randint(0, 8) if chance.random() < 1 / 25 else None,
        )
        ops.append(op)
    return tuple(ops)


def _rows(  # noqa: PLR0917 - what the lot is drawn from
    chance: random.Random, op: int, way: Way, keys: int, people: int, twins: tuple[int, ...], count: int
) -> tuple[Row, ...]:
    """Draw rows about few people, some of them very often; at most four rows about one."""
    spoilt = chance.choice((0.0, 0.0, 0.1))
    waves = 1 if way.action is Action.DUPLICATE else chance.randint(1, 4)
    if not way.by_id and not way.is_job and chance.random() < 1 / 60:
        count, keys, waves = way.largest + chance.randint(1, 60), 10**9, 1  # more than one request holds
    seen: dict[int, int] = {}
    rows: list[Row] = []
    for number in range(count):
        whom = number if way.action is Action.DUPLICATE or keys > count * 1_000 else int(keys * chance.random() ** 2)
        if way.by_id:
            whom = whom % people if people else UNKNOWN + whom
        elif way.object == "lead" and twins and chance.random() < 1 / 20:
            whom = chance.choice(twins)
        is_spoilt = chance.random() < spoilt
        if way.by_id and is_spoilt:
            whom = UNKNOWN + number
        seen[whom] = seen.get(whom, 0) + 1
        if seen[whom] <= waves:
            rows.append(Row(len(rows) + 2, whom, f"v{op}x{number}", chance.random() < 1 / 4, is_spoilt))
    return tuple(rows)


def _ending(chance: random.Random) -> Ending:
    match chance.choice(("die", "die", "die", "die", "signal", "signal", "outage", "sleep", "unlock", "freeze")):
        case "die":
            return Ending(dies_at=int(3 * 60 ** chance.random()))
        case "signal":
            first = chance.uniform(0.2, 150)
            return Ending(signals=(first, first + chance.uniform(0.01, 12)) if chance.random() < 1 / 3 else (first,))
        case "outage":
            begins = chance.uniform(0.0, 60)
            return Ending(outage=(begins, begins + chance.uniform(1, 120)))
        case "sleep":
            return Ending(sleeps=(chance.uniform(0.2, 100), chance.uniform(30, 4_000)))
        case "freeze":
            return Ending(freezes=(chance.uniform(0.2, 60), chance.choice((20.0, 300.0, 500.0, 900.0))))
        case _:
            return Ending(unlocked_at=chance.uniform(0.2, 100))


def _tight(chance: random.Random) -> Tight:
    neighbours = chance.choice((0.0, 0.0, 0.5, 0.9))
    return Tight(
        calls=chance.randint(5, 20),
        at_once=chance.randint(1, 4),
        imports=chance.randint(1, 3),
        calls_a_day=50_000 if neighbours else chance.choice((50_000, 40)),
        neighbours=neighbours,
    )


def _poison(chance: random.Random, ops: tuple[Op, ...]) -> tuple[FaultRule, ...]:
    """Let one record spoil every request that holds it."""
    able = [op for op in ops if not op.way.is_job and not op.way.by_id and op.way.action is not Action.DUPLICATE]
    if not able:
        return ()
    op = chance.choice(able)
    return (poison(op.way, chance.choice(op.rows).whom),)
