"""Rules about operations: options that fit the action and the system, reasons that are given, limits on deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.facts import Action
from syncer.manifest.models import Deletes
from syncer.manifest.nearest import did_you_mean
from syncer.mark import RUN_MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.diagnostics import Diagnostic
    from syncer.manifest.known import Joined, Known
    from syncer.manifest.models import Operation

_MARKETO_ACTIONS = frozenset({Action.DUPLICATE, Action.ADD, Action.REMOVE, Action.STATUS})
_CREATING = frozenset({Action.UPSERT, Action.CREATE, Action.DUPLICATE})
_NAMEABLE = frozenset({Action.UPSERT, Action.CREATE, Action.UPDATE})
"""Actions after which a key is one record: `duplicate` makes several."""
_ACTIONS_OF = {
    "program": frozenset({Action.UPSERT, Action.STATUS}),
    "list": frozenset({Action.UPSERT, Action.ADD, Action.REMOVE}),
    "partition": _CREATING,
    "status": frozenset({Action.UPSERT, Action.STATUS}),
    RUN_MARKER: frozenset({Action.UPSERT, Action.CREATE, Action.UPDATE, Action.DUPLICATE, Action.STATUS}),
}
"""Marketo, "Sync Leads", "Push Lead to Marketo", "Add to List", "Sync Program Member Status", "Bulk Lead Import"."""
_NEEDED = {Action.ADD: ("list",), Action.REMOVE: ("list",), Action.STATUS: ("program", "status")}


def fixed_paths_have_reasons(known: Known) -> Iterator[Diagnostic]:
    """M212: a path by name needs `because`, and `because` needs a path by name."""
    for name, operation in known.manifest.operations.items():
        path = ("operations", name)
        is_blank = not (operation.because or "").strip()
        if operation.path != "auto" and is_blank:
            detail = f'The operation "{name}" fixes the path "{operation.path}" and does not say why.'
            yield known.finding("M212", (*path, "path"), detail, 'Add "because", or write "path: auto".')
        elif operation.path == "auto" and operation.because is not None:
            detail = f'The operation "{name}" gives a reason, but its path is "auto".'
            yield known.warning("M212", (*path, "because"), detail, 'Remove "because", or name the path.')


def paths_exist(known: Known) -> Iterator[Diagnostic]:
    """M220: a path by name is one of the object's paths."""
    for each in known.joined():
        capabilities = known.capabilities.get((each.target.connection, each.target.object))
        if capabilities is None or each.operation.path == "auto":
            continue
        names = ["auto", *(path.name for path in capabilities.paths)]
        if each.operation.path not in names:
            detail = f'{_object(each)} has no path "{each.operation.path}".'
            yield known.finding("M220", (*each.path, "path"), detail, did_you_mean(each.operation.path, names, "path"))


def options_fit(known: Known) -> Iterator[Diagnostic]:
    """M213: an action or option that the system, or the action, has no meaning for."""
    for each in known.joined():
        operation = each.operation
        if each.is_salesforce and operation.action in _MARKETO_ACTIONS:
            detail = f'Salesforce has no action "{operation.action}".'
            yield known.finding("M213", (*each.path, "action"), detail, "Use upsert, create, update or delete.")
        given = [*operation.options, *(["activity"] if operation.activity != "none" else [])]
        for option in given:
            if each.is_salesforce and option != RUN_MARKER:
                yield known.named("M213", (*each.path, option), f'Salesforce has no option "{option}".', "Remove it.")
            elif option in _ACTIONS_OF and operation.action not in _ACTIONS_OF[option]:
                detail = f'The action "{operation.action}" has no use for "{option}".'
                yield known.named("M213", (*each.path, option), detail, "Remove it, or change the action.")
            elif option == "activity" and operation.action is not Action.UPSERT:
                detail = f'"activity" writes leads by Push Lead, which upserts; the action is "{operation.action}".'
                yield known.finding("M213", (*each.path, "activity"), detail, "Use the action upsert.")


def needed_options(known: Known) -> Iterator[Diagnostic]:
    """M214: an action that lacks what it needs."""
    for each in known.joined():
        operation = each.operation
        if each.is_salesforce:
            continue
        for option in _NEEDED.get(operation.action, ()):
            if option not in operation.options:
                detail = f'The action "{operation.action}" of "{each.name}" needs "{option}".'
                yield known.named("M214", each.path, detail, f'Add "{option}".')
        if operation.activity != "none" and operation.program is None:
            detail = f'Push Lead of "{each.name}" needs "program": the activity is attributed to it.'
            yield known.finding("M214", (*each.path, "activity"), detail, 'Add "program".')
        if operation.status is not None and operation.program is None and operation.action is not Action.STATUS:
            detail = f'"status" of "{each.name}" is a status in a program, and none is named.'
            yield known.finding("M214", (*each.path, "status"), detail, 'Add "program".')


def deleting_is_limited(known: Known) -> Iterator[Diagnostic]:
    """M215: what left the source is deleted only where that can be known, and only up to a limit."""
    for name, operation in known.manifest.operations.items():
        if operation.deletes is Deletes.IGNORE:
            continue
        path = ("operations", name, "deletes")
        if operation.deletes is Deletes.REMOVE and operation.action is not Action.ADD:
            detail = f'"remove" takes members out of a list, and the action of "{name}" is "{operation.action}".'
            yield known.finding("M215", path, detail, "Use the action add, or write delete.")
        elif operation.deletes is Deletes.DELETE and operation.action not in _NAMEABLE:
            detail = f'"delete" deletes what an upsert wrote, and the action of "{name}" is "{operation.action}".'
            yield known.finding("M215", path, detail, "Remove it, or change the action.")
        yield from _records_have_ids(known, name, operation)
        source = known.manifest.sources.get(operation.source)
        if source is not None and source.cursor is not None:
            detail = f'The source "{operation.source}" reads only what is new, so every older record would be deleted.'
            yield known.finding("M215", path, detail, 'Remove "deletes", or read a source without "cursor".')
        if operation.guards.max_deletes is None:
            detail = f'The operation "{name}" deletes what left the source, without a limit.'
            advice = 'Add "guards: { max_deletes: 5% }", or a count.'
            yield known.finding("M215", path, detail, advice)


def _records_have_ids(known: Known, name: str, operation: Operation) -> Iterator[Diagnostic]:
    """M215: what is deleted is named by the vendor's id, which the object's description must have."""
    target = known.manifest.targets.get(operation.target)
    at = (target.connection, target.object) if target else ("", "")
    schema, able = known.schemas.get(at), known.capabilities.get(at)
    if schema is not None and able is not None and schema.field(able.id_field) is None:
        detail = f'The snapshot of object "{schema.name}" lacks "{able.id_field}", by which records are deleted.'
        advice = "To fetch the description again, run:"
        yield known.finding("M215", ("operations", name, "deletes"), detail, advice, "syncer describe pull")


def _object(each: Joined) -> str:
    return f'{each.connection.system.capitalize()} object "{each.target.object}"'
