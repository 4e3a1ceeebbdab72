"""Which types of value a target field may take at all: what is known of a template before any row is."""

from __future__ import annotations

from syncer.facts import FieldSchema, FieldType
from syncer.mapping.dialect.entry import Type

_ACCEPTS = {
    FieldType.TEXT: frozenset(Type) - {Type.LIST, Type.MIXED},
    FieldType.INTEGER: frozenset({Type.TEXT, Type.INTEGER, Type.DECIMAL, Type.FLOAT, Type.NULL}),
    FieldType.DECIMAL: frozenset({Type.TEXT, Type.INTEGER, Type.DECIMAL, Type.FLOAT, Type.NULL}),
    FieldType.FLOAT: frozenset({Type.TEXT, Type.INTEGER, Type.DECIMAL, Type.FLOAT, Type.NULL}),
    FieldType.BOOLEAN: frozenset({Type.TEXT, Type.BOOLEAN, Type.NULL}),
    FieldType.DATE: frozenset({Type.TEXT, Type.DATE, Type.NULL}),
    FieldType.DATETIME: frozenset({Type.TEXT, Type.INSTANT, Type.NULL}),
    FieldType.TIME: frozenset({Type.TEXT, Type.NULL}),
}
_ADVICE = {
    (
        FieldType.DATETIME,
        Type.DATETIME,
    ): "Say in which zone the clock stood, for example \"| timezone('Europe/Berlin')\".",
    (
        FieldType.DATETIME,
        Type.DATE,
    ): "Say the time and its zone, for example \"| datetime | timezone('Europe/Berlin')\".",
    (FieldType.DATE, Type.DATETIME): 'Take the day of it: "| date".',
    (
        FieldType.DATE,
        Type.INSTANT,
    ): "Say in which zone the day is meant, for example \"| local('Europe/Berlin') | date\".",
    (FieldType.BOOLEAN, Type.INTEGER): 'Convert it: "| bool".',
    (FieldType.TEXT, Type.LIST): "Put the parts together: \"| join(';')\".",
}


def misfit(field: FieldSchema, kind: Type) -> tuple[str, str] | None:
    """Return why a value of this type can never go into the field, with advice; None where rows decide."""
    if kind in _ACCEPTS[field.type]:
        return None
    advice = _ADVICE.get((field.type, kind), "")
    return f'The template gives {kind}, and field "{field.name}" takes {field.type} ({field.vendor_type}).', advice
