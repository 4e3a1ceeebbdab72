"""Which step waits for which: waves, `after`, parents before children, and operations whose keys meet.

Operations are put in one order first, so every edge points forward and a circle is found before a step exists. Work
grows with the operations and the reasons given, never with all pairs: where many wait for many, one gathers the rest.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from syncer.facts import Action
from syncer.manifest.gone import cleared_by
from syncer.plan.models import Edge, Node
from syncer.plan.words import count, number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from syncer.facts import SharedKeys

GATHER = 8
"""More operations than this do not each get an edge to every follower: the last of them gathers the others."""

_CLEARING = "What left is cleared up after what stays is written."
_MEMBERSHIP = frozenset({Action.ADD, Action.REMOVE, Action.STATUS})
_LEAD, _PROGRAM_MEMBER = "lead", "program_member"


@dataclass(frozen=True, slots=True)
class Step:
    """What the graph needs to know of one operation."""

    name: str
    instance: str
    """The vendor's instance or org, however many connections name it."""
    object: str
    key: tuple[str, ...]
    action: Action
    after: tuple[str, ...] = ()
    yields: tuple[str, ...] = ()
    """Operations that share the day's calls with this one, and must have theirs today."""
    parents: frozenset[str] = frozenset()
    """Objects that the written fields point to."""

    @property
    def key_space(self) -> tuple[str, str, tuple[str, ...]]:
        """Where two equal keys are one record: instance, object and lookup fields."""
        return self.instance, self.object.casefold(), tuple(sorted(name.casefold() for name in self.key))


@dataclass(slots=True)
class Joins:
    """Edges between operations with their reasons; exact repeats fall together."""

    reasons: dict[tuple[str, str], dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    keys: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, before: str, after: str, reason: str) -> None:
        """Note one more reason for `after` to wait for `before`."""
        self.reasons[before, after][reason] = None


class CircleError(Exception):
    """Operations wait for each other. `path` ends where it starts; each stands with why it waits for the next one."""

    def __init__(self, path: Sequence[tuple[str, str]]) -> None:
        """Keep the circle."""
        super().__init__(path)
        self.path = tuple(path)


def build_edges(
    steps: Sequence[Step], nodes: Mapping[str, Sequence[Sequence[Node]]], shared: Iterable[SharedKeys]
) -> tuple[tuple[str, ...], tuple[Edge, ...], tuple[str, ...]]:
    """Return the order of operations, edges between `nodes` (per operation, per wave), and warnings.

    Raises `CircleError`.
    """
    waits = _waits(steps)
    order = _order([step.name for step in steps], waits)
    real = {name for name, found in nodes.items() if found}
    joins = _contract(order, waits, real)
    place = {name: index for index, name in enumerate(order)}
    meetings = _meetings([step for step in steps if step.name in real], shared, place)
    warnings = _meet(meetings, order, waits, joins)
    edges = [
        Edge(before=before.id, after=after.id, reason=f"Wave {after.wave} follows wave {before.wave}.")
        for found in nodes.values()
        for earlier, later in pairwise(found)
        for before in earlier
        for after in later
    ]
    edges += [
        Edge(before=before.id, after=after.id, reason=" ".join(reasons), keys=joins.keys.get((first, second)))
        for (first, second), reasons in joins.reasons.items()
        for before in nodes[first][-1]
        for after in nodes[second][0]
    ]
    names = tuple(name for name in order if name in nodes)
    return names, tuple(sorted(edges, key=lambda edge: (edge.before, edge.after))), warnings


_Pair = tuple[str, str]
_Waits = dict[str, dict[str, str]]
"""Per follower, whom it waits for and why. A name with a space is a hub: it stands for many and is no operation."""


def _waits(steps: Sequence[Step]) -> _Waits:
    waits: _Waits = {step.name: {} for step in steps}
    for step in steps:
        for name in step.after:
            if name in waits:
                is_clearing_up = cleared_by(step.name) == name
                waits[step.name][name] = _CLEARING if is_clearing_up else f'"{step.name}" says "after: [{name}]".'
        for name in step.yields:
            waits[step.name].setdefault(name, f'"{step.name}" takes several days, and "{name}" must be done today.')
    objects: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        objects[step.instance, step.object.casefold()].append(step)
    for child in steps:
        parents = {name.casefold() for name in child.parents} - {child.object.casefold()}
        if _is_member(child):
            parents.add(_LEAD)
        for parent in sorted(parents):
            if (child.instance, parent) in objects:
                _relate(child, objects[child.instance, parent], waits)
    return waits


def _is_member(step: Step) -> bool:
    """Say whether a step puts leads into lists or programs, which by e-mail address may create them too."""
    return step.action in _MEMBERSHIP or step.object == _PROGRAM_MEMBER


def _relate(child: Step, parents: Sequence[Step], waits: _Waits) -> None:
    """Put writes of the parents before the child, and deletes of them after it.

    A hub each way keeps the edges few. What the manifest says in so many words outranks the description.
    """
    named = parents[0].object
    place = f"{parents[0].instance} {named.casefold()}"
    before = f'"{named}" records are written before those that point to them.'
    after = f'"{named}" records are deleted after those that point to them are done.'
    writers = [step for step in parents if step.action is not Action.DELETE and not _is_member(step)]
    deleters = [step for step in parents if step.action is Action.DELETE]
    if any(child.name in step.after for step in writers):
        for step in writers:
            if child.name not in step.after:
                waits[child.name].setdefault(step.name, before)
    elif writers:
        hub = f"parents {place}"
        waits.setdefault(hub, {step.name: before for step in writers})
        waits[child.name][hub] = before
    if any(step.name in child.after for step in deleters):
        for step in deleters:
            if step.name not in child.after:
                waits[step.name].setdefault(child.name, after)
    elif deleters:
        hub = f"children {place}"
        waits.setdefault(hub, {})[child.name] = after
        for step in deleters:
            waits[step.name][hub] = after


def _order(names: Sequence[str], waits: _Waits) -> list[str]:
    """Return operations and hubs so that everybody stands after those it waits for; among equals by name."""
    followers: dict[str, list[str]] = defaultdict(list)
    missing = {name: len(befores) for name, befores in waits.items()}
    for name, befores in waits.items():
        for before in befores:
            followers[before].append(name)
    ready = [name for name, left in missing.items() if not left]
    heapify(ready)
    order: list[str] = []
    while ready:
        name = heappop(ready)
        order.append(name)
        for follower in followers[name]:
            missing[follower] -= 1
            if not missing[follower]:
                heappush(ready, follower)
    if len(order) < len(waits):
        raise CircleError(_circle(waits, set(waits) - set(order), set(names)))
    return order


def _circle(waits: _Waits, stuck: Collection[str], names: Collection[str]) -> list[tuple[str, str]]:
    """Walk back from the first stuck name until one comes twice."""
    name = min(stuck)
    seen: dict[str, int] = {}
    path: list[tuple[str, str]] = []
    while name not in seen:
        seen[name] = len(path)
        before = min(each for each in waits[name] if each in stuck)
        path.append((name, waits[name][before]))
        name = before
    circle = [(each, reason) for each, reason in path[seen[name] :] if each in names]
    return [*circle, circle[0]]


def _contract(order: Sequence[str], waits: _Waits, real: Collection[str]) -> Joins:
    """Join operations that have steps; hubs and operations without steps pass their befores on."""
    joins = Joins()
    place = {name: index for index, name in enumerate(order)}
    passed: dict[str, dict[str, str]] = {}
    for name in order:
        befores: dict[str, str] = {}
        for before, reason in waits[name].items():
            for each in (before,) if before in real else passed[before]:
                befores.setdefault(each, reason)
        if name not in real:
            passed[name] = _gathered(befores, place, joins)
            continue
        for before, reason in befores.items():
            joins.add(before, name, reason)
    return joins


def _gathered(befores: dict[str, str], place: Mapping[str, int], joins: Joins) -> dict[str, str]:
    if len(befores) <= GATHER:
        return befores
    last = max(befores, key=place.__getitem__)
    for each in befores:
        if each != last:
            joins.add(each, last, f"It gathers {count(len(befores), 'operation')} that others wait for.")
    return {last: befores[last]}


def _ancestors(order: Sequence[str], waits: _Waits) -> dict[str, int]:
    """Return, per name, the set of those it waits for directly or not, as bits at their place."""
    place = {name: index for index, name in enumerate(order)}
    found: dict[str, int] = {}
    for name in order:
        bits = 0
        for before in waits[name]:
            bits |= found[before] | 1 << place[before]
        found[name] = bits
    return found


def _meetings(steps: Sequence[Step], shared: Iterable[SharedKeys], place: Mapping[str, int]) -> dict[_Pair, int | None]:
    """Return pairs of operations of one key space with the count of their common keys; None where it is not known."""
    spaces: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for step in steps:
        spaces[step.key_space].append(step.name)
    home = {name: space for space, names in spaces.items() for name in names}
    known: dict[_Pair, int | None] = {}
    for each in shared:
        if each.first in home and home[each.first] == home.get(each.second):
            first, second = sorted((each.first, each.second), key=place.__getitem__)
            known[first, second] = each.keys
    counted: dict[tuple[str, str, tuple[str, ...]], int] = defaultdict(int)
    for first, _ in known:
        counted[home[first]] += 1
    for space, names in spaces.items():
        if counted[space] == len(names) * (len(names) - 1) // 2:
            continue
        names.sort(key=place.__getitem__)
        # Of a few, each pair that was not counted is joined. Of many, one after the other is as safe, and linear.
        pairs = combinations(names, 2) if len(names) <= GATHER else pairwise(names)
        known.update({pair: None for pair in pairs if not (pair in known and len(names) <= GATHER)})
    known.update(_by_other_keys(steps, place))
    return known


def _by_other_keys(steps: Sequence[Step], place: Mapping[str, int]) -> dict[_Pair, None]:
    """Return pairs that write one object by different lookup fields: no key tells whether they find one record."""
    objects: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        objects[step.instance, step.object.casefold()].append(step)
    found: dict[_Pair, None] = {}
    for mine in objects.values():
        if len({step.key_space for step in mine}) == 1:
            continue
        ordered = sorted(mine, key=lambda step: place[step.name])
        pairs = combinations(ordered, 2) if len(ordered) <= GATHER else pairwise(ordered)
        found |= {(a.name, b.name): None for a, b in pairs if len(ordered) > GATHER or a.key_space != b.key_space}
    return found


def _meet(meetings: Mapping[_Pair, int | None], order: Sequence[str], waits: _Waits, joins: Joins) -> tuple[str, ...]:
    """Join operations whose keys meet, or may; return a warning where nothing but names says who writes last."""
    place = {name: index for index, name in enumerate(order)}
    ancestors = _ancestors(order, waits) if any(meetings.values()) else {}
    by_name: dict[str, list[str]] = defaultdict(list)
    for (first, second), keys in sorted(meetings.items(), key=lambda item: (place[item[0][0]], place[item[0][1]])):
        if keys == 0:
            continue
        if keys is None:
            joins.add(first, second, "Whether their keys meet is not known.")
            continue
        joins.add(first, second, f"{count(keys, 'key')} in common.")
        joins.keys[first, second] = keys
        if not ancestors[second] >> place[first] & 1:
            by_name[second].append(f'"{first}" ({number(keys)})')
    return tuple(
        f'"{second}" writes keys after {" and ".join(firsts)} only by the order of names: '
        'say "after" in one of them to fix who writes last.'
        for second, firsts in by_name.items()
    )
