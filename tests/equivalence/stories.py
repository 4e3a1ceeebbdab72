"""What a generated manifest says: object, key, action, rules for nulls and duplicates, rows, and what is there.

Values are texts as a source holds them. The pools are small on purpose, so that rows meet each other and the records
that are there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from syncer.facts import Action, System

TEXTS = ("Ada", "ada ", 'O\'Brien, "Q"', "two\nlines", "Zoë 🙂", "007", "null", "a,b;c", "true", "1e3", "", None, None)
POOLS: dict[str, tuple[str | None, ...]] = {
    "text": TEXTS,
    "integer": ("0", "7", "12345", None, None),
    "float": ("0.5", "-2", "1000", None, None),
    "boolean": ("true", "false", None),
    "date": ("2026-03-01", "1999-12-31", None),
    "datetime": ("2026-03-01T10:00:00Z", "2026-07-01T23:30:00+02:00", None),
    "picklist": ("Gold", "Silver", None),
    "parent": ("A1", "A2", "a1", "A9", None),
    "name": ("Ada", "Grace", "Mary", "Emmy", "Zoë", None),
}
TEMPLATES = {
    "integer": "{{{{ {0} | int }}}}",
    "float": "{{{{ {0} | float }}}}",
    "boolean": "{{{{ {0} | bool }}}}",
    "date": "{{{{ {0} | date }}}}",
}
"""A text stays what it is; every other field is made of it by the filter of its type."""

Cells = tuple[str | None, ...]


@dataclass(frozen=True)
class Kind:
    """An object of a sandbox: its keys with a pool of values each, and fields by the name of their pool."""

    system: System
    object: str
    keys: dict[tuple[str, ...], tuple[Cells, ...]]
    fields: dict[str, str]
    actions: tuple[Action, ...]
    needs: str = ""
    """A field that a new record must have."""
    beside: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    """Records of other objects that are there before."""


def _each(*values: str | None) -> tuple[Cells, ...]:
    return tuple((value,) for value in values)


EMAILS = _each(
    "ada@example.com", "Ada@Example.com", "grace@example.com", "mary@example.com", " emmy@example.com ", None
)
KEYS = _each("K1", "k1 ", "K2", "K3", "")
IDS = _each("@0", "@1", "@2", "@3")
"""Ids of the records that are there; they are the system's own, so they are asked for."""
UPSERTS = (Action.UPSERT, Action.UPSERT, Action.UPSERT, Action.UPDATE, Action.CREATE)

KINDS = (
    Kind(
        System.MARKETO,
        "lead",
        {
            ("email",): EMAILS,
            ("externalKey",): KEYS,
            ("customerNumber",): _each("1", "2", "3", None),
            ("id",): IDS,
        },
        {
            "firstName": "text",
            "textarea_field": "text",
            "company": "name",
            "priority": "integer",
            "float_field": "float",
            "boolean_field": "boolean",
            "date_field": "date",
            "datetime_field": "datetime",
        },
        (*UPSERTS, Action.DUPLICATE, Action.DELETE),
    ),
    Kind(
        System.MARKETO,
        "order_c",
        {("orderNumber",): KEYS, ("marketoGUID",): IDS},
        {"status": "text", "amount": "float", "quantity": "integer", "orderedAt": "datetime"},
        (*UPSERTS, Action.DELETE),
    ),
    Kind(
        System.MARKETO,
        "seat_c",
        {
            ("accountNumber", "seatNumber"): (("A1", "1"), ("a1", "1"), ("A1", "2"), ("A2", "1"), ("A2", None)),
        },
        {"label": "text"},
        (*UPSERTS, Action.DELETE),
    ),
    Kind(
        System.SALESFORCE,
        "Contact",
        {("Crm_Key__c",): KEYS, ("Badge_Code__c",): KEYS, ("Legacy_Key__c",): KEYS, ("Id",): IDS},
        {
            "LastName": "name",
            "FirstName": "text",
            "Notes__c": "text",
            "Score__c": "integer",
            "Is_Vip__c": "boolean",
            "Birthdate": "date",
            "Renewed_At__c": "datetime",
            "Tier__c": "picklist",
            "Account.Crm_Key__c": "parent",
        },
        (*UPSERTS, Action.DELETE),
        needs="LastName",
        beside={"Account": ({"Name": "Acme", "Crm_Key__c": "A1"}, {"Name": "Beta", "Crm_Key__c": "A2"})},
    ),
    Kind(
        System.SALESFORCE,
        "Account",
        {("Crm_Key__c",): KEYS, ("Id",): IDS},
        {"Name": "name", "Phone": "text", "NumberOfEmployees": "integer", "AnnualRevenue": "integer"},
        (*UPSERTS, Action.DELETE),
        needs="Name",
    ),
)


@dataclass(frozen=True)
class Story:
    """One generated manifest with its rows, and the records that are there before."""

    kind: Kind
    key: tuple[str, ...]
    action: Action
    clears: tuple[tuple[str, bool], ...]
    """The fields that are written beside the key, and whether a null empties each."""
    rows: tuple[dict[str, str | None], ...]
    there: tuple[dict[str, str | None], ...]
    duplicates: str = "serialize"
    activity: str = "none"
    options: tuple[tuple[str, str], ...] = ()
    blank_cells: str = "unknown"
    blank_clears: bool = True
    """What an empty cell really does in the pretended instance."""
    largest: int = 3
    """Records that a request or a file may hold, so that few rows make many."""
    only: tuple[str, ...] = ()
    """Paths to try, where not all."""


BLANKS = (("unknown", True), ("unknown", False), ("keep", False), ("clear", True))
"""What a connection says of empty cells, and what they really do: the two agree, or nothing is said."""


@st.composite
def stories(
    draw: st.DrawFn,
    kinds: tuple[Kind, ...] = KINDS,
    action: Action | None = None,
    blanks: tuple[tuple[str, bool], ...] = BLANKS,
) -> Story:
    """Draw a story in which rows meet each other and the records that are there."""
    kind = draw(st.sampled_from(kinds))
    action = action or draw(st.sampled_from(kind.actions))
    keys = [key for key in kind.keys if _suits(kind, key, action)]
    key = draw(st.sampled_from(keys))
    chosen = draw(st.lists(st.sampled_from(list(kind.fields)), unique=True, min_size=1, max_size=5))
    names = sorted({*chosen, *([kind.needs] if kind.needs else [])})
    clears = tuple((name, draw(st.integers(0, 3)) == 3) for name in names)
    row = _row(kind, key, names)
    there = draw(st.lists(_there(kind, key), min_size=2, max_size=5))
    activity, options = draw(_extras()) if kind.object == "lead" and action is Action.UPSERT else ("none", ())
    blank = draw(st.sampled_from(blanks))
    return Story(
        kind=kind,
        key=key,
        action=action,
        clears=clears,
        rows=(_keyed(kind, key, draw(row)), *draw(st.lists(row, min_size=3, max_size=9))),
        there=tuple(_once(kind, [_creatable(kind, each) for each in there])),
        duplicates=draw(st.sampled_from(("serialize", "serialize", "last", "first", "merge", "reject"))),
        activity=activity,
        options=options,
        blank_cells=blank[0],
        blank_clears=blank[1],
        largest=draw(st.sampled_from((1, 2, 3, 200))),
    )


def _suits(kind: Kind, key: tuple[str, ...], action: Action) -> bool:
    """Say whether the key makes sense with the action; what is refused is tried in tests of its own."""
    is_id = key[0] in {"id", "Id", "marketoGUID"}
    if kind.system is System.SALESFORCE or kind.object == "lead":
        if action is Action.DELETE or (action is Action.UPDATE and kind.system is System.SALESFORCE):
            return is_id
        return not is_id or action is Action.UPDATE
    return not is_id or action in {Action.UPDATE, Action.DELETE}


def _natural(kind: Kind) -> tuple[str, ...]:
    return next(iter(kind.keys))


def _row(
    kind: Kind, key: tuple[str, ...], names: list[str], *, known: bool = False
) -> st.SearchStrategy[dict[str, str | None]]:
    cells = st.fixed_dictionaries({name: st.sampled_from(_pool(kind, name, known=known)) for name in names})
    return st.builds(
        lambda keyed, rest: dict(zip(key, keyed, strict=True)) | rest, st.sampled_from(kind.keys[key]), cells
    )


def _pool(kind: Kind, name: str, *, known: bool) -> Cells:
    """Return the values of a field; records that are there have one in every field, so that a loss is seen."""
    pool = POOLS[kind.fields[name]]
    return tuple(value for value in pool if value) if known else pool


def _keyed(kind: Kind, key: tuple[str, ...], row: dict[str, str | None]) -> dict[str, str | None]:
    """Give the row a key: a source in which no row has one is refused as a whole."""
    return row | dict(zip(key, kind.keys[key][0], strict=True))


def _there(kind: Kind, key: tuple[str, ...]) -> st.SearchStrategy[dict[str, str | None]]:
    """Records that have values of the story's key, and of the object's usual one."""
    usual = _row(kind, _natural(kind), list(kind.fields), known=True)
    if key in {_natural(kind), ("id",), ("Id",), ("marketoGUID",)}:
        return usual
    return st.builds(lambda row, keyed: row | keyed, usual, _row(kind, key, []))


def _once(kind: Kind, rows: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    """Leave out records that a unique field forbids, or that lack the key of a custom object; leads may be twice."""
    if kind.object == "lead":
        return rows
    kept: list[dict[str, str | None]] = []
    taken: set[tuple[str, ...]] = set()
    for row in rows:
        keys = [key for key in kind.keys if key != ("Legacy_Key__c",) and any(map(row.get, key))]
        mine = {(*key, *((row.get(name) or "").casefold() for name in key)) for key in keys}
        is_whole = kind.system is System.SALESFORCE or all(map(row.get, _natural(kind)))
        if is_whole and not mine & taken:
            kept.append(row)
            taken |= mine
    return kept


def _creatable(kind: Kind, row: dict[str, str | None]) -> dict[str, str | None]:
    known = {name: value.strip() for name, value in row.items() if value and value.strip() and "." not in name}
    return {**({kind.needs: "Ada"} if kind.needs else {}), **known}


@st.composite
def _extras(draw: st.DrawFn) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Draw what an upsert of leads may say beside the rows."""
    activity = draw(st.sampled_from(("none", "none", "none", "allowed", "allowed", "required")))
    options: dict[str, str] = {}
    if activity != "none" or draw(st.integers(0, 9)) == 0:
        options["program"] = "Spring Webinar"
    if draw(st.booleans()) and draw(st.booleans()):
        options["partition"] = draw(st.sampled_from(("Default", "EMEA")))
    if activity == "none" and draw(st.integers(0, 5)) == 0:
        options["list"] = "1001"
    return activity, tuple(sorted(options.items()))
