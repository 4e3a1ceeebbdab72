"""Facts in, one plan out: the only door of this room that makes a plan.

It collects every refusal before it raises, so a person sees all of them at once. It reads nothing and knows no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncer.capability import Repeat
from syncer.diagnostics import Diagnostic
from syncer.errors import PlanRefusedError
from syncer.facts import Action, Usage
from syncer.manifest.gone import cleared_by
from syncer.manifest.models import Deletes
from syncer.plan import guard
from syncer.plan.budget import connection_plan, days, over, said_of_days
from syncer.plan.choose import Contest, Part, choose, refusal
from syncer.plan.cost import is_uniform, waves
from syncer.plan.digest import sealed
from syncer.plan.envelope import envelope, fewer, moves
from syncer.plan.graph import CircleError, Step, build_edges
from syncer.plan.meaning import objection
from syncer.plan.models import (
    ConnectionPlan,
    CursorLine,
    Edge,
    Envelope,
    FieldLine,
    Inputs,
    LookedUp,
    Node,
    OperationPlan,
    Plan,
    RejectLine,
)
from syncer.plan.words import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from syncer.capability import Capabilities
    from syncer.facts import CursorFacts, ObjectSchema, OperationFacts, ReadFacts, SharedKeys
    from syncer.manifest.models import Manifest, Operation, Source, Target

    At = tuple[str, str]
    """A connection and an object in it."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """One operation on its way into the plan."""

    name: str
    operation: Operation
    target: Target
    facts: OperationFacts
    nodes: tuple[tuple[Node, ...], ...]
    warnings: tuple[str, ...]
    refusals: tuple[Diagnostic, ...]
    learns: bool = False


def build_plan(  # noqa: PLR0913, PLR0917 - a plan is made of exactly these, and each is a value of its own
    project: str,
    manifest: Manifest,
    facts: Mapping[str, OperationFacts],
    capabilities: Mapping[At, Capabilities],
    usage: Mapping[str, Usage],
    inputs: Inputs,
    shared: Sequence[SharedKeys],
    schemas: Mapping[At, ObjectSchema],
    reviewed: Plan | None = None,
    instances: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan of the operations in `facts`; raises `PlanRefusedError` with every reason there is.

    With a `reviewed` plan, each operation goes by the paths that it has there, whatever its rows are now. `instances`
    tell, by connection, which are one vendor instance; without them the address as it is written does.
    """
    places = {name: f"{each.system} {each.base_url}" for name, each in manifest.connections.items()}
    places |= instances or {}
    kept = {name: _paths_of(name, reviewed) for name in facts}
    drafts = [_draft(name, manifest, facts[name], capabilities, schemas, kept[name]) for name in sorted(facts)]
    refusals = [each for draft in drafts for each in draft.refusals]
    connections, warnings, spent = _connections(manifest, drafts, usage, places)
    spread = frozenset(each.name for each in connections if each.days)
    refusals += spent
    order: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    try:
        urgent = _urgent(drafts)
        steps = [_step(draft, urgent, schemas, places, spread) for draft in drafts]
        order, edges, said = build_edges(steps, {draft.name: draft.nodes for draft in drafts}, shared)
        warnings += _absent(drafts) + list(said)
    except CircleError as circle:
        refusals.append(_circle(circle))
    if refusals:
        raise PlanRefusedError.of(refusals)
    nodes = {draft.name: [node for wave in draft.nodes for node in wave] for draft in drafts}
    return sealed(
        Plan(
            project=project,
            inputs=_sorted(inputs),
            connections=connections,
            operations=tuple(_operation_plan(draft, manifest.sources) for draft in drafts),
            nodes=tuple(node for name in order for node in nodes[name]),
            edges=edges,
            warnings=tuple(warnings),
            reviewed=reviewed.digest if reviewed else "",
        )
    )


def _draft(  # noqa: PLR0913, PLR0917 - all of them decide
    name: str,
    manifest: Manifest,
    facts: OperationFacts,
    capabilities: Mapping[At, Capabilities],
    schemas: Mapping[At, ObjectSchema],
    kept: frozenset[str] | None,
) -> _Draft:
    operation = manifest.operations[name]
    target = manifest.targets[operation.target]
    at = (target.connection, target.object)
    able = capabilities.get(at)
    concurrency = manifest.connections[target.connection].budget.concurrency
    refusals = list(guard.broken(name, operation, facts))
    warnings = list(guard.warnings(operation, facts))
    nodes: list[tuple[Node, ...]] = []
    if able is None:
        detail = f'Operation "{name}" writes "{target.object}", and connection "{target.connection}" has no path to it.'
        refusals.append(Diagnostic("P104", detail, advice="Check the name of the target's object."))
        return _Draft(name, operation, target, facts, (), tuple(warnings), tuple(refusals))
    contest, impossible = _contest(name, operation, target, able, schemas.get(at), concurrency)
    contest = contest if kept is None else _narrowed(contest, kept)
    refusals += impossible
    for wave in waves(facts) if not impossible else ():
        parts = choose(wave, contest)
        if not parts:
            code = "P105" if contest.because else "P104"
            said = tuple(each for each in refusal(wave, contest) if each[0] == operation.path or not contest.because)
            refusals.append(_no_path(code, name, said, wave.number))
        nodes.append(tuple(_node(name, wave.number, part) for part in parts))
        if operation.run_marker is None:
            warnings += [_doubtful(part) for part in parts if part.path.repeat is Repeat.NEVER]
        if operation.guards.max_creates is not None and operation.action is Action.UPSERT:
            warnings += [_untold(part) for part in parts if not part.path.tells_created]
    learns = operation.deletes is not Deletes.IGNORE and target.key_fields != (able.id_field,)
    warned = tuple(dict.fromkeys(warnings))
    return _Draft(name, operation, target, facts, tuple(nodes), warned, tuple(refusals), learns)


def _doubtful(part: Part) -> str:
    return f'By path "{part.path.name}" a lost answer cannot be settled by reading back: such records end in doubt.'


def _untold(part: Part) -> str:
    return (
        f'By path "{part.path.name}" the answers do not tell new records from changed ones: "max_creates" is held '
        "against the plan and not again during the run."
    )


def _contest(  # noqa: PLR0913, PLR0917 - all of them decide
    name: str,
    operation: Operation,
    target: Target,
    able: Capabilities,
    schema: ObjectSchema | None,
    concurrency: int,
) -> tuple[Contest, list[Diagnostic]]:
    objections = {path.name: objection(operation, target, path, able, schema) for path in able.paths}
    refusals = []
    if operation.path == "auto":
        if all(objections.values()):
            refusals.append(_no_path("P104", name, tuple(objections.items())))
    elif operation.path not in objections:
        paths = quoted([path.name for path in able.paths])
        detail = f'Operation "{name}" fixes path "{operation.path}", but object "{target.object}" has {paths}.'
        refusals.append(Diagnostic("P105", detail, advice='Name one of these, or say "path: auto".'))
    else:
        if objections[operation.path]:
            refusals.append(_no_path("P105", name, ((operation.path, objections[operation.path]),)))
        fixed = f'The manifest fixes path "{operation.path}".'
        objections |= {path: said or fixed for path, said in objections.items() if path != operation.path}
    because = "" if operation.path == "auto" else operation.because or "no reason is given."
    said = {path: sentence for path, sentence in objections.items() if sentence}
    return Contest(able.paths, said, concurrency, because), refusals


def _paths_of(name: str, reviewed: Plan | None) -> frozenset[str] | None:
    """Return the paths of an operation in a reviewed plan; None where there is none, and all may be chosen."""
    return None if reviewed is None else frozenset(node.path for node in reviewed.nodes if node.operation == name)


def _narrowed(contest: Contest, kept: frozenset[str]) -> Contest:
    said = {each.name: "The reviewed plan does not use it." for each in contest.paths if each.name not in kept}
    return replace(contest, objections={**said, **contest.objections})


def _no_path(code: str, name: str, sentences: Sequence[tuple[str, str]], wave: int = 0) -> Diagnostic:
    what = f'Operation "{name}"' + (f", wave {wave}," if wave else "")
    which = "the path that the manifest fixes" if code == "P105" else "any path of its object"
    lines = [f"{what} cannot go by {which}:", *(f'"{path}": {said}' for path, said in sentences)]
    advice = "Change what the operation asks for, or move the rows that ask for more into an operation of their own."
    return Diagnostic(code, "\n".join(lines), advice=advice)


def _node(name: str, wave: int, part: Part) -> Node:
    measure = part.price.measure
    is_mixed = part.is_whole and not is_uniform(part.path)
    return Node(
        id=f"{name}/{wave}/{part.path.name}",
        operation=name,
        wave=wave,
        path=part.path.name,
        kind=part.path.kind,
        shapes=None if is_mixed else tuple(each.shape for each in part.slices),
        records=measure.records,
        units=measure.units,
        bytes=measure.bytes,
        calls=part.price.calls,
        polls=part.price.polls,
        minutes=part.price.minutes,
        is_exact=measure.is_exact,
        reason=part.reason,
        losing=part.losing,
    )


def _connections(
    manifest: Manifest, drafts: Sequence[_Draft], usage: Mapping[str, Usage], places: Mapping[str, str]
) -> tuple[tuple[ConnectionPlan, ...], list[str], list[Diagnostic]]:
    plans, warnings, refusals = [], [], []
    mine: dict[str, list[_Draft]] = {}
    for draft in drafts:
        mine.setdefault(draft.target.connection, []).append(draft)
    needed = {name: sum(node.calls + node.polls for node in _nodes(found)) for name, found in mine.items()}
    for name in sorted(mine):
        nodes = _nodes(mine[name])
        used = usage.get(name, Usage())
        others = sum(calls for other, calls in needed.items() if other != name and places[other] == places[name])
        plan = connection_plan(name, manifest.connections[name], used, nodes, others)
        patient = {draft.name for draft in mine[name] if draft.operation.spread}
        spread = sum(node.calls + node.polls for node in nodes if node.operation in patient)
        plan = plan.model_copy(update={"days": days(plan) if spread else ()})
        refused = over(plan, spread if plan.days else 0)
        refusals += [refused] if refused else []
        warnings += [said_of_days(plan)] if plan.days and not refused else []
        if used.calls_quota is None and manifest.connections[name].budget.reserve != "0%":
            warnings.append(f'The reserve of connection "{name}" cannot be kept: its quota was not looked up.')
        plans.append(plan)
    return tuple(plans), warnings, refusals


def _nodes(drafts: Sequence[_Draft]) -> list[Node]:
    return [node for draft in drafts for wave in draft.nodes for node in wave]


def _urgent(drafts: Sequence[_Draft]) -> dict[str, list[str]]:
    """Return by connection the operations that must be done today."""
    found: dict[str, list[str]] = {}
    for draft in drafts:
        if not draft.operation.spread:
            found.setdefault(draft.target.connection, []).append(draft.name)
    return found


def _step(
    draft: _Draft,
    urgent: Mapping[str, Sequence[str]],
    schemas: Mapping[At, ObjectSchema],
    places: Mapping[str, str],
    spread: Collection[str],
) -> Step:
    """Return an operation for the graph; one that takes several days lets those go first that must be done today."""
    connection = draft.target.connection
    schema = schemas.get((draft.target.connection, draft.target.object))
    carried = {field for each in draft.facts.slices for field in each.fields}
    return Step(
        name=draft.name,
        # Two connections may name one instance; the same address is the same instance.
        instance=places[connection],
        object=draft.target.object,
        key=draft.target.key_fields,
        action=draft.operation.action,
        after=draft.operation.after,
        yields=tuple(urgent.get(connection, ())) if draft.operation.spread and connection in spread else (),
        parents=frozenset(parent for name in carried for parent in _parents(schema, name)),
    )


def _parents(schema: ObjectSchema | None, name: str) -> tuple[str, ...]:
    """Return the objects that a written field points to; `Account.Key__c` is written through the field `AccountId`."""
    relation, dot, _ = name.partition(".")
    own = name
    if dot:
        own = f"{relation.removesuffix('__r')}__c" if relation.endswith("__r") else f"{relation}Id"
    described = schema.field(own) if schema else None
    return described.reference_to if described else ()


def _absent(drafts: Sequence[_Draft]) -> list[str]:
    names = {draft.name for draft in drafts}
    return [
        f'"{draft.name}" runs after "{name}", which is not part of this plan.'
        for draft in drafts
        for name in draft.operation.after
        if name not in names
    ]


def _circle(circle: CircleError) -> Diagnostic:
    names = [name for name, _ in circle.path]
    lines = [" → ".join(f'"{name}"' for name in reversed(names)), *(reason for _, reason in circle.path[:-1])]
    advice = 'Remove one "after", or write the fields that point back in an operation of their own.'
    return Diagnostic("P106", "\n".join(lines), advice=advice)


def _operation_plan(draft: _Draft, sources: Mapping[str, Source]) -> OperationPlan:
    creates, updates, fidelity = guard.split(draft.operation, draft.facts)
    how = moves(sources[draft.operation.source])
    rejects = sorted(draft.facts.rejects, key=lambda each: (-each.records, each.code, each.field))
    facts = draft.facts
    return OperationPlan(
        name=draft.name,
        source=draft.operation.source,
        mapping=draft.operation.mapping,
        connection=draft.target.connection,
        object=draft.target.object,
        action=draft.operation.action,
        key=draft.target.key_fields,
        duplicates=draft.operation.duplicates,
        options=tuple(sorted(draft.operation.options.items())),
        on_unknown=draft.operation.on_unknown,
        read=facts.read,
        outgoing=facts.outgoing,
        creates=creates,
        updates=updates,
        unchanged=facts.unchanged,
        skipped=facts.skipped,
        rejected=facts.rejected,
        folded=facts.folded,
        gone=facts.gone,
        fidelity=fidelity,
        rejects=tuple(
            RejectLine(code=each.code, field=each.field, records=each.records, first_rows=each.first_rows)
            for each in rejects
        ),
        interpreted=tuple(sorted(facts.interpreted)),
        warnings=draft.warnings,
        learns=draft.learns,
        cursor=_cursor(facts.cursor) if facts.cursor else None,
        gone_from=cleared_by(draft.name),
        looked=_looked_up(facts.looked) if facts.looked else None,
        moves=how,
        envelope=_envelope(draft, creates, updates) if how == "within" else None,
    )


def _cursor(known: CursorFacts) -> CursorLine:
    return CursorLine(column=known.column, since=known.since, until=known.until, is_held=known.is_held)


def _envelope(draft: _Draft, creates: int | None, updates: int | None) -> Envelope:
    facts = draft.facts
    if cleared_by(draft.name):
        return fewer(facts.read, facts.outgoing)
    return envelope(facts.read, facts.outgoing, creates, updates, facts.rejected)


def _looked_up(looked: ReadFacts) -> LookedUp:
    return LookedUp(
        keys=looked.keys,
        calls=looked.calls,
        absent=looked.absent,
        equal=looked.equal,
        changed=looked.changed,
        ambiguous=looked.ambiguous,
        drifted=looked.drifted,
        fields=tuple(FieldLine(field=field, records=records) for field, records in looked.fields),
        unread=looked.unread,
        unasked=looked.unasked,
        vanished=looked.vanished,
        drifted_fields=tuple(FieldLine(field=field, records=records) for field, records in looked.drifted_fields),
    )


def _sorted(inputs: Inputs) -> Inputs:
    return inputs.model_copy(
        update={
            part: tuple(sorted(getattr(inputs, part), key=lambda each: each.name))
            for part in ("describe", "sources", "rows", "ledger")
        }
    )
