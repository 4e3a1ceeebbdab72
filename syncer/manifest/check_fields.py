"""Rules about fields and keys, against the object as the target describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.facts import Action, FieldType
from syncer.manifest.models import SalesforceConnection
from syncer.manifest.nearest import did_you_mean
from syncer.mark import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from syncer.diagnostics import Diagnostic
    from syncer.facts import FieldSchema, ObjectSchema
    from syncer.manifest.known import Joined, Known
    from syncer.manifest.positions import Path

_BY_PRESENCE = frozenset({Action.DELETE, Action.ADD, Action.REMOVE})
"""Actions that write no field: the key says which record."""
_CREATING = frozenset({Action.UPSERT, Action.CREATE, Action.DUPLICATE})
_FREE_TEXT = frozenset({"string", "text", "textarea"})
"""Vendors' types of text that may say anything, unlike an e-mail address or a picklist."""


def _described(known: Known) -> Iterator[tuple[Joined, ObjectSchema]]:
    for each in known.joined():
        schema = known.schemas.get((each.target.connection, each.target.object))
        if schema is not None:
            yield each, schema


def _title(schema: ObjectSchema) -> str:
    return f'{schema.system.capitalize()} object "{schema.name}"'


def snapshots_exist(known: Known) -> Iterator[Diagnostic]:
    """M208: the object of a target is described in the project."""
    used = {each.operation.target for each in known.joined()}
    told: set[tuple[str, str]] = set()
    for name, target in known.manifest.targets.items():
        wanted = (target.connection, target.object)
        if name in used and wanted not in known.schemas and wanted not in told:
            told.add(wanted)
            path = ("targets", name, "object")
            detail = f'There is no snapshot of object "{target.object}" of connection "{target.connection}".'
            advice = "Types, lengths and keys come from it. To fetch it, and commit it, run:"
            yield known.finding("M208", path, detail, advice, "syncer describe pull")


def fields_exist(known: Known) -> Iterator[Diagnostic]:
    """M203: every mapped field is a field of the object."""
    for each, schema in _described(known):
        names = [field.name for field in schema.fields]
        for field, (mapping, _) in known.fields(each.operation.mapping).items():
            if schema.written(field) is None:
                detail = f'Operation "{each.name}" writes "{field}", which {_title(schema)} does not have.'
                advice = did_you_mean(field, names, "field")
                yield known.named("M203", ("mappings", mapping, field), detail, advice)


def fields_can_be_written(known: Known) -> Iterator[Diagnostic]:
    """M204: no mapped field is read-only for the action; a key may be, as it only finds the record."""
    for each, schema in _described(known):
        if each.operation.action in _BY_PRESENCE:
            continue
        for name, (mapping, _) in known.fields(each.operation.mapping).items():
            field = schema.written(name)
            if field is None or name in each.target.key_fields:
                continue
            if field.is_read_only:
                why = "which can only be read"
            elif each.operation.action is Action.UPDATE and not field.is_updatable:
                why = "which can only be set when a record is created"
            elif each.operation.action in {Action.CREATE, Action.DUPLICATE} and not field.is_creatable:
                why = "which cannot be set when a record is created"
            else:
                continue
            detail = f'Operation "{each.name}" writes "{name}" of {_title(schema)}, {why}.'
            yield known.named("M204", ("mappings", mapping, name), detail, "Remove it from the mapping.")


def keys_are_mapped(known: Known) -> Iterator[Diagnostic]:
    """M205: the mapping writes the key."""
    for each in known.joined():
        if each.operation.mapping not in known.manifest.mappings:
            continue
        fields = known.fields(each.operation.mapping)
        for key in each.target.key_fields:
            if key not in fields:
                detail = (
                    f'The target "{each.operation.target}" finds records by "{key}", which the mapping '
                    f'"{each.operation.mapping}" does not write.'
                )
                path: Path = ("operations", each.name, "mapping")
                yield known.finding("M205", path, detail, f'Add "{key}" to the mapping, or change the key.')


def keys_are_keys(known: Known) -> Iterator[Diagnostic]:
    """M206: the target finds records by the key: an error where the vendor says so, a warning where it may change."""
    for name, target in known.manifest.targets.items():
        connection = known.manifest.connections.get(target.connection)
        schema = known.schemas.get((target.connection, target.object))
        path: Path = ("targets", name, "key")
        if connection is None:
            continue
        is_salesforce = isinstance(connection, SalesforceConnection)
        if is_salesforce and len(target.key_fields) > 1:
            detail = f'The target "{name}" has {len(target.key_fields)} key fields; Salesforce finds records by one.'
            yield known.finding("M206", path, detail, "Use one external id field.")
        for key in target.key_fields if schema else ():
            field = schema.field(key) if schema else None
            keys = [each.name for each in schema.fields if each.is_key] if schema else []
            if field is not None and field.is_key:
                continue
            if field is None:
                detail = f'The target "{name}" has the key "{key}", which the object "{target.object}" does not have.'
                yield known.finding("M206", path, detail, did_you_mean(key, keys, "key field"))
                continue
            detail = f'"{key}" of object "{target.object}" is not described as a key.'
            advice = did_you_mean(key, keys, "key field")
            make = known.finding if is_salesforce else known.warning
            yield make("M206", path, detail, advice)


def keys_suit_the_action(known: Known) -> Iterator[Diagnostic]:
    """M206: some path finds records by the key in this action, as an update by id alone does not by another field."""
    for each in known.joined():
        at = (each.target.connection, each.target.object)
        able, schema, key = known.capabilities.get(at), known.schemas.get(at), each.target.key_fields
        if able is None or (each.is_salesforce and len(key) > 1) or (schema and not all(map(schema.field, key))):
            continue
        action = each.operation.action
        rules = {path.key_rule: path.takes_key(action, key, schema) for path in able.paths if action in path.actions}
        if rules and not any(rules.values()):
            fields = " and ".join(f'"{field}"' for field in key)
            detail = f'Operation "{each.name}" cannot {action} records of "{each.target.object}" by {fields}.'
            yield known.named("M206", each.path, f"{detail} {' '.join(rules)}", "Use another key, or another action.")


def required_fields_are_mapped(known: Known) -> Iterator[Diagnostic]:
    """M207: what a new record needs is mapped; a warning for upsert, which may meet only known records."""
    for each, schema in _described(known):
        if each.operation.action not in _CREATING or each.operation.mapping not in known.manifest.mappings:
            continue
        fields = known.fields(each.operation.mapping)
        missing = [field.name for field in schema.fields if field.is_required and field.is_creatable]
        missing = [name for name in missing if name not in fields and not _is_set_by_parent(name, fields)]
        if missing:
            names = ", ".join(f'"{name}"' for name in missing)
            detail = f'New records of {_title(schema)} need {names}, which operation "{each.name}" does not write.'
            make = known.warning if each.operation.action is Action.UPSERT else known.finding
            yield make("M207", (*each.path, "mapping"), detail, "Add to the mapping what new records need.")


def _is_set_by_parent(name: str, fields: Iterable[str]) -> bool:
    relation = f"{name[:-1]}r" if name.endswith("__c") else name.removesuffix("Id")
    return any(field.startswith(f"{relation}.") for field in fields)


def fields_are_mapped_once(known: Known) -> Iterator[Diagnostic]:
    """M209: no two members of a mapping are one field, as names that differ only in case are."""
    for mapping in known.manifest.mappings:
        seen: dict[str, tuple[str, str]] = {}
        for field, (writer, _) in known.fields(mapping).items():
            other, other_writer = seen.setdefault(field.casefold(), (field, writer))
            if other != field and mapping in {writer, other_writer}:
                first = known.positions.name("mappings", other_writer, other)
                detail = f'"{field}" and "{other}", written at {first}, are one field to the target.'
                yield known.named("M209", ("mappings", writer, field), detail, "Keep one of the two.")


def marks_have_a_field(known: Known) -> Iterator[Diagnostic]:
    """M224: the field that records are marked in can hold the mark, and nothing else writes it."""
    for each, schema in _described(known):
        name = each.operation.run_marker
        if name is None:
            continue
        field = schema.field(name)
        able = known.capabilities.get((each.target.connection, each.target.object))
        if field is None:
            problem = f"which {_title(schema)} does not have"
        elif name.casefold() in {
            one.casefold() for one in (*known.fields(each.operation.mapping), *each.target.key_fields)
        }:
            problem = "which its mapping or its key uses"
        elif able is not None and any(name in path.refused_fields for path in able.paths):
            problem = "which some path does not write"
        else:
            problem = _cannot_be_marked(field)
        if problem:
            detail = f'Operation "{each.name}" marks its records in "{name}", {problem}.'
            advice = (
                f"Make a text field for it in the target, of {len(STAND_IN)} characters or more, and fetch it with:"
            )
            yield known.finding("M224", (*each.path, "run_marker"), detail, advice, "syncer describe pull")


def _cannot_be_marked(field: FieldSchema) -> str:
    """Return why the field cannot hold a mark, or ""."""
    if field.type is not FieldType.TEXT or field.vendor_type not in _FREE_TEXT or field.is_restricted:
        return "which is no plain text"
    if not (field.is_creatable and field.is_updatable):
        return "which cannot be written at any time"
    if field.is_unique:
        return "which is unique, while many records bear one mark"
    if field.max_length is not None and field.max_length < len(STAND_IN):
        return f"which holds {field.max_length} characters, and a mark has {len(STAND_IN)}"
    return ""
