"""What is known of the world, as values: described objects, measured rows, usage.

Targets, the engine and the planner exchange these. A fact holds counts, names and digests, never a record value.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class System(StrEnum):
    """A vendor's API family."""

    MARKETO = "marketo"
    SALESFORCE = "salesforce"


class Action(StrEnum):
    """The verb of an operation."""

    UPSERT = "upsert"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DUPLICATE = "duplicate"
    """Marketo `createDuplicate`: a new record whatever exists."""
    ADD = "add"
    """Into a list."""
    REMOVE = "remove"
    """Out of a list."""
    STATUS = "status"
    """Program membership with a status."""


class Fidelity(StrEnum):
    """How sure a number of the plan is."""

    CHECKED = "checked"
    LOOKED_UP = "looked up"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown until run"


class FieldType(StrEnum):
    """The meaning of a target field, shared by both vendors; `FieldSchema.vendor_type` keeps the vendor's word."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field as the target describes it."""

    name: str
    type: FieldType
    vendor_type: str
    label: str = ""
    max_length: int | None = None
    """In characters; None where the vendor states none."""
    precision: int | None = None
    scale: int | None = None
    is_required: bool = False
    """Must have a value when a record is created and no default exists."""
    is_creatable: bool = True
    is_updatable: bool = True
    is_key: bool = False
    """The target accepts it as a lookup, external-id or dedupe field."""
    is_unique: bool = False
    is_case_sensitive: bool = False
    picklist: tuple[str, ...] | None = None
    is_restricted: bool = False
    """Values outside `picklist` are refused."""
    reference_to: tuple[str, ...] = ()

    @property
    def is_read_only(self) -> bool:
        """Neither creatable nor updatable."""
        return not (self.is_creatable or self.is_updatable)


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One target object as described; `digest` binds the plan to it."""

    system: System
    name: str
    fields: tuple[FieldSchema, ...]
    digest: str = ""

    def field(self, name: str) -> FieldSchema | None:
        """Return the field of exactly this name."""
        return next((each for each in self.fields if each.name == name), None)

    def written(self, name: str) -> FieldSchema | None:
        """Return the field of this name, or the text that finds a parent: `Account.Number__c` or `Site__r.Code__c`.

        Salesforce, "Relationship Fields in a Header Row".
        """
        relation, dot, key = name.partition(".")
        if not dot or self.system is not System.SALESFORCE:
            return self.field(name)
        reference = self.field(f"{relation[:-1]}c" if relation.endswith("__r") else f"{relation}Id")
        if reference is None or not reference.reference_to or not key:
            return None
        parent = replace(reference, name=name, type=FieldType.TEXT, vendor_type="relationship", max_length=None)
        return replace(parent, is_key=False, is_unique=False, reference_to=())

    def tells_apart(self, names: Sequence[str]) -> bool:
        """Say whether no two records have the same values of these fields: one is unique, or all required ones."""
        wanted = [each for each in self.fields if each.name in names]
        required = {each.name for each in self.fields if each.is_required}
        return len(wanted) < len(names) or set(names) == required or (len(wanted) == 1 and wanted[0].is_unique)


# Payload formats: how rows become bytes. A format belongs to a path and is obeyed to the byte by the engine.


@dataclass(frozen=True, slots=True)
class Usage:
    """Today's calls of a connection: used by everybody, and the vendor's quota; None where not asked."""

    calls_used: int | None = None
    calls_quota: int | None = None
    calls_by_project: int | None = None
    """The part of `calls_used` that this project's own runs and plans made, where the state counts it."""
    calls_to_plan: int = 0
    """The part of those that was made for this plan: for its usage, and to look records up."""
    calls_kept: int = 0
    """Calls that will be made before the plan is carried out, to ask for usage again."""


# Measured rows.


@dataclass(frozen=True, slots=True)
class CutFacts:
    """What cutting a slice for one path gives: units, and whether the count is exact."""

    path: str
    units: int
    bytes: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """The outgoing rows of one wave and one shape. `fields` are carried with a value, `clears` with a null to clear."""

    wave: int
    shape: int
    fields: tuple[str, ...]
    clears: tuple[str, ...]
    records: int
    cuts: tuple[CutFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class WaveFacts:
    """The outgoing rows of one wave, all shapes together, cut for each path that takes mixed shapes."""

    wave: int
    records: int
    cuts: tuple[CutFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectFacts:
    """How many rows were refused at plan time, by code and field."""

    code: str
    field: str
    records: int
    first_rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """What a look at the target found for an operation's keys, before anything is sent.

    Of the outgoing records: outgoing = absent + equal + changed + ambiguous + unasked, where `absent` counts a new key
    once and its later rows as changed. `drifted` are unchanged rows that the target no longer holds as they were
    confirmed; of these, `vanished` are not there at all.
    """

    keys: int
    calls: int
    absent: int
    equal: int
    changed: int
    ambiguous: int
    """Records whose key stands in several records of the target."""
    drifted: int
    fields: tuple[tuple[str, int], ...] = ()
    """Fields that differ, and in how many of the records found; the most frequent first."""
    unread: tuple[str, ...] = ()
    """Fields that are written but cannot be read back, so that nothing is said of them."""
    unasked: int = 0
    """Records whose key cannot be asked for."""
    vanished: int = 0
    drifted_fields: tuple[tuple[str, int], ...] = ()
    """Fields of drifted records that differ, as `fields`."""


@dataclass(frozen=True, slots=True)
class CursorFacts:
    """An incremental read: from which value of a column on, and how far the next read may begin. "": from the start."""

    column: str
    since: str
    until: str
    is_held: bool
    """A row that is refused keeps the cursor from passing it."""
    stamp: str
    """Digest of what the cursor is true of: the source as declared, and what is made of its rows."""


@dataclass(frozen=True, slots=True)
class GoneFacts:
    """What becomes of the keys that left a source: deleted, or kept for one of four reasons."""

    deleted: int = 0
    """Records, each by its id: what the operation that clears up sends."""
    unnamed: int = 0
    """Keys whose id the state does not hold."""
    shared: int = 0
    """Keys of a record that the source still holds under another key."""
    held: tuple[tuple[str, int], ...] = ()
    """Keys that another operation of the same key space still sends: its name, and how many."""
    unsure: int = 0
    """Keys that may not have left at all, because some row's key cannot be read."""
    unreadable: int = 0
    """Rows whose key cannot be read."""
    blind: tuple[str, ...] = ()
    """Operations that write the object by another key: whether they still send a record is not known."""


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """Everything the planner may know of one operation's rows. read = outgoing + unchanged + skipped + rejected."""

    operation: str
    source: str
    source_digest: str
    """Fingerprint of the source's bytes or query result."""
    rows_digest: str
    """Digest of the staged outgoing rows, independent of machine, thread count and ledger place."""
    read: int
    outgoing: int
    unchanged: int
    skipped: int
    rejected: int
    folded: int
    """Rows whose key met another row's only after canonical folding."""
    keys: int
    known_keys: int | None
    """Outgoing keys that the ledger has seen: updates for sure; None without a ledger."""
    gone: int
    """Keys in the ledger that left the source."""
    waves: tuple[WaveFacts, ...] = ()
    slices: tuple[SliceFacts, ...] = ()
    rejects: tuple[RejectFacts, ...] = ()
    interpreted: tuple[str, ...] = ()
    """Fields whose template is not compiled and runs over Arrow record groups."""
    looked: ReadFacts | None = None
    """What the target holds for the keys; None where it was not asked."""
    unlooked: str = ""
    """Why it was not asked, though a look was wanted, as a sentence."""
    cursor: CursorFacts | None = None
    """From where on the source was read; None for a source that is read whole."""
    cleared: GoneFacts | None = None
    """What becomes of the keys that left; None where nobody asked for anything to be done."""


@dataclass(frozen=True, slots=True)
class SharedKeys:
    """How many canonical keys two operations of one key space have in common; None: cannot be known."""

    first: str
    second: str
    keys: int | None


@dataclass(frozen=True, slots=True)
class Binding:
    """Digests that a plan is made of; any difference makes the plan stale."""

    manifest: str
    tool: str
    describe: tuple[tuple[str, str], ...] = ()
    """Pairs of `system/object` and schema digest."""
    ledger: tuple[tuple[str, int], ...] = ()
    """Pairs of operation and ledger serial."""
    extra: tuple[tuple[str, str], ...] = field(default=())
