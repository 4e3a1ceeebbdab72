"""Limits that a person set, held against the counts: pure arithmetic, every broken one reported.

A guard that cannot be held against anything is a warning, never silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic
from syncer.facts import Action, Fidelity
from syncer.manifest.gone import cleared_by
from syncer.manifest.models import Deletes
from syncer.plan.budget import part_of
from syncer.plan.words import count, number, quoted

if TYPE_CHECKING:
    from syncer.facts import GoneFacts, OperationFacts, ReadFacts
    from syncer.manifest.models import Limit, Operation

_CREATING = frozenset({Action.CREATE, Action.DUPLICATE})
_TAKING = frozenset({Action.DELETE, Action.REMOVE})
_DONE = {Deletes.DELETE: "deleted", Deletes.REMOVE: "removed"}


def split(operation: Operation, facts: OperationFacts) -> tuple[int | None, int | None, Fidelity]:
    """Return how many outgoing records are created and how many changed, and how sure that is."""
    looked = facts.looked
    if looked is not None and operation.action is Action.UPSERT:
        return looked.absent, facts.outgoing - looked.absent - looked.unasked, Fidelity.LOOKED_UP
    if operation.action in _CREATING:
        return facts.outgoing, 0, Fidelity.CHECKED
    if operation.action is not Action.UPSERT:
        return 0, facts.outgoing, Fidelity.CHECKED
    if facts.known_keys is None:
        return None, None, Fidelity.UNKNOWN
    # Every outgoing key stands once in the first wave; `keys` counts unchanged ones as well.
    creates = (facts.waves[0].records if facts.waves else 0) - facts.known_keys
    return creates, facts.outgoing - creates, Fidelity.ESTIMATED


def broken(name: str, operation: Operation, facts: OperationFacts) -> tuple[Diagnostic, ...]:
    """Return a refusal for every guard that the counts break."""
    guards = operation.guards
    creates, _, _ = split(operation, facts)
    deletes = facts.outgoing if operation.action in _TAKING else 0
    is_clearing_up = operation.deletes is not Deletes.IGNORE
    found = []
    for guard, limit, value, what in (
        ("max_rejected", guards.max_rejected, facts.rejected, "rejects"),
        ("max_creates", guards.max_creates, creates, "creates"),
        ("max_changes", guards.max_changes, facts.outgoing, "sends"),
        ("max_deletes", guards.max_deletes, deletes + (_cleared(facts) if is_clearing_up else 0), "deletes or removes"),
    ):
        if limit is not None and value is not None and value > most(limit, facts.read):
            detail = (
                f'Operation "{name}" {what} {count(value, "record")}, with {count(facts.read, "row")} read; '
                f'"{guard}" allows {_said(limit)}.'
            )
            advice = f'Look at the rows first. If they are right, raise "guards.{guard}" of "{name}".'
            found.append(Diagnostic("P102", detail, advice=advice))
    if guards.min_rows is not None and facts.read < guards.min_rows:
        detail = f'Operation "{name}" read {count(facts.read, "row")}; "min_rows" wants {number(guards.min_rows)}.'
        found.append(Diagnostic("P102", detail, advice=f'Check source "{facts.source}", or lower "guards.min_rows".'))
    elif not facts.read and is_clearing_up:
        detail = f'Source "{facts.source}" is empty, and operation "{name}" would {operation.deletes} all that left it.'
        found.append(Diagnostic("P103", detail, advice='Check the source, or say "deletes: ignore".'))
    if is_clearing_up and has_no_known_key(facts):
        detail = (
            f'None of the {count(facts.keys, "key")} of source "{facts.source}" was sent before, and operation '
            f'"{name}" would {operation.deletes} all {count(facts.gone, "record")} that were.'
        )
        advice = (
            'If the key of the target or its mapping changed, plan once with "deletes: ignore"; else check the source.'
        )
        found.append(Diagnostic("P126", detail, advice=advice))
    return tuple(found)


def has_no_known_key(facts: OperationFacts) -> bool:
    """Say whether the ledger holds keys and the source none of them, as after a change of the key."""
    return bool(facts.gone and facts.keys and facts.known_keys == 0 and not facts.unchanged)


def warnings(operation: Operation, facts: OperationFacts) -> tuple[str, ...]:
    """Return what a reviewer should know of the counts, one sentence each."""
    said = _gone(operation, facts.cleared) if facts.cleared else []
    is_news = not (facts.cursor and facts.cursor.since) and not cleared_by(facts.operation)
    if not facts.read and is_news:
        said.append(f'Source "{facts.source}" is empty.')
    if operation.guards.max_creates is not None and split(operation, facts)[0] is None:
        said.append('"max_creates" cannot be checked: without a ledger, how many are new is unknown until run.')
    if has_no_known_key(facts):
        keys = count(facts.gone, "key")
        said.append(
            f"No key of the source was sent before, and the state holds {keys}: did the key of the target change?"
        )
    said += _looked(operation, facts.looked) if facts.looked else []
    said += [facts.unlooked] if facts.unlooked else []
    if facts.folded:
        rows = count(facts.folded, "row has", "rows have")
        said.append(f"{rows} a key that equals another row's only after trimming and case folding.")
    if facts.interpreted:
        fields = ", ".join(sorted(facts.interpreted))
        said.append(f"Templates outside the compiled list run more slowly, with the same meaning: {fields}.")
    return tuple(said)


def _cleared(facts: OperationFacts) -> int:
    return facts.gone if facts.cleared is None else facts.cleared.deleted


def _gone(operation: Operation, cleared: GoneFacts) -> list[str]:
    """Return which keys left and what keeps their records, so that nobody wonders why they are still there."""
    left = "that left the source"
    stays = "stays" if operation.deletes is Deletes.DELETE else "stays in the list"
    said = []
    if cleared.unsure:
        rows = count(cleared.unreadable, "row has", "rows have")
        keys = count(cleared.unsure, "key that seems", "keys that seem")
        done = _DONE[operation.deletes]
        said.append(f"{rows} no key that can be read, and may be any {keys} to have left: nothing is {done}.")
    if cleared.unnamed:
        keys = count(cleared.unnamed, "key")
        said.append(f"{keys} {left}: the state holds no id of their records, which were last written without one.")
    if cleared.shared:
        keys = count(cleared.shared, "key")
        said.append(f"{keys} {left}: the record {stays}, for the source has it under another key.")
    said += [
        f'{count(keys, "key")} {left}: the record {stays}, for operation "{other}" still sends it.'
        for other, keys in cleared.held
    ]
    if cleared.blind:
        names = quoted(cleared.blind)
        said.append(f"Whether {names} still sends what is {_DONE[operation.deletes]} is not known: it has another key.")
    return said


def _looked(operation: Operation, looked: ReadFacts) -> list[str]:
    """Return what a look at the target tells that the counts do not show."""
    said = []
    found = looked.equal + looked.changed
    if looked.ambiguous:
        records = count(looked.ambiguous, "record has", "records have")
        said.append(f"{records} a key that several records of the target have: which of them is meant, nobody can say.")
    if operation.action is Action.CREATE and found:
        said.append(f"{count(found, 'record is', 'records are')} there already and will not be created.")
    if operation.action in {Action.UPDATE, Action.DELETE} and looked.absent:
        records = count(looked.absent, "record is", "records are")
        said.append(f"{records} not in the target, so that there is nothing to {operation.action}.")
    if looked.drifted:
        stay = "unchanged since last sent"
        records = count(looked.drifted, f"record that is {stay} differs", f"records that are {stay} differ")
        said.append(f'{records} in the target by now; "only: all" would send all again.')
    if looked.unasked:
        records = count(looked.unasked, "record has", "records have")
        said.append(f"{records} a key that the target cannot be asked for: whether they are new is unknown until run.")
    if looked.unread:
        said.append(f"These fields are written but cannot be read back: {', '.join(looked.unread)}.")
    return said


def most(limit: Limit, read: int) -> int:
    """Return the count that a limit allows, a share being one of the rows read."""
    return int(part_of(limit, read)) if isinstance(limit, str) else limit


def _said(limit: Limit) -> str:
    return limit if isinstance(limit, str) else number(limit)
