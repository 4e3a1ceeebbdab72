"""Rules about fields and keys."""

# ruff: noqa: E501 - golden text is as long as what people see

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from syncer.capability import Capabilities
from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from tests.fakes.capabilities import SYNC

Schemas = Mapping[tuple[str, str], ObjectSchema]
Say = Callable[..., str]
Said = Callable[[str], str]


def test_an_object_without_a_snapshot_is_told_with_the_command(checked: Say, said: Said) -> None:
    """Once an object, and only where an operation writes to it."""
    told = checked(
        "M208",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
          again: { connection: m, object: lead, key: id }
          unused: { connection: m, object: x, key: id }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
          more: { source: rows, mapping: row_to_lead, target: again }
    """,
    )
    assert told == said("""
        m.yaml:7:35: error M208: Object is not described
          There is no snapshot of object "lead" of connection "m".
          Types, lengths and keys come from it. To fetch it, and commit it, run:
              syncer describe pull
    """)


def test_a_field_that_the_object_lacks_is_told_with_the_nearest(checked: Say, said: Said, lead: Schemas) -> None:
    """The place is that of the mapping that wrote it, extended or not."""
    told = checked(
        "M203",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { extends: [person], email: "{{ email }}", frstName: x }
          person: { emial: x }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
        lead,
    )
    assert told == said("""
        m.yaml:9:59: error M203: Unknown target field
          Operation "news" writes "frstName", which Marketo object "lead" does not have.
          Did you mean "firstName"?

        m.yaml:10:13: error M203: Unknown target field
          Operation "news" writes "emial", which Marketo object "lead" does not have.
          Did you mean "email"?
    """)


def test_a_parent_can_be_named_by_its_own_key(checked: Say, said: Said, contact: Schemas) -> None:
    """Salesforce takes `Site__r.Code__c` and `Account.Number__c` for reference fields."""
    told = checked(
        "M203",
        """
        version: 1
        connections:
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: s, object: Contact, key: Number__c }
        mappings:
          row_to_lead: { Number__c: "{{ a }}", Site__r.Code__c: b, Account.Number__c: c, Owner.Code__c: d, Plain: e }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
        contact,
    )
    assert told == said("""
        m.yaml:9:82: error M203: Unknown target field
          Operation "news" writes "Owner.Code__c", which Salesforce object "Contact" does not have.
          There is: AccountId, Closed__c, Id, LastName, Number__c, Origin__c, Site__c.

        m.yaml:9:100: error M203: Unknown target field
          Operation "news" writes "Plain", which Salesforce object "Contact" does not have.
          There is: AccountId, Closed__c, Id, LastName, Number__c, Origin__c, Site__c.
    """)


def test_marketo_has_no_parents_by_key(checked: Say, said: Said, lead: Schemas) -> None:
    """A dot is part of the name there."""
    told = checked(
        "M203",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ a }}", company.name: b }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
        lead,
    )
    assert told == said("""
        m.yaml:9:36: error M203: Unknown target field
          Operation "news" writes "company.name", which Marketo object "lead" does not have.
          There is: createdAt, email, firstName, id.
    """)


def test_a_field_that_cannot_be_written_is_told_with_the_reason(checked: Say, said: Said, lead: Schemas) -> None:
    """Read-only, and read-only for this action."""
    told = checked(
        "M204",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}", createdAt: x, unknown: y }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
        lead,
    )
    assert told == said("""
        m.yaml:9:40: error M204: Field cannot be written
          Operation "news" writes "createdAt" of Marketo object "lead", which can only be read.
          Remove it from the mapping.
    """)


def test_a_field_may_be_writable_for_one_action_only(checked: Say, said: Said, contact: Schemas) -> None:
    """Creating and updating are judged apart; the key only finds the record."""
    told = checked(
        "M204",
        """
        version: 1
        connections:
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: s, object: Contact, key: Id }
        mappings:
          row_to_lead: { Id: "{{ id }}", Origin__c: a, Closed__c: b }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads, action: update }
          fresh: { source: rows, mapping: row_to_lead, target: leads, action: create }
          gone: { source: rows, mapping: row_to_lead, target: leads, action: delete }
    """,
        contact,
    )
    assert told == said("""
        m.yaml:9:34: error M204: Field cannot be written
          Operation "news" writes "Origin__c" of Salesforce object "Contact", which can only be set when a record is created.
          Remove it from the mapping.

        m.yaml:9:48: error M204: Field cannot be written
          Operation "fresh" writes "Closed__c" of Salesforce object "Contact", which cannot be set when a record is created.
          Remove it from the mapping.
    """)


def test_a_key_that_is_not_mapped_is_told(checked: Say, said: Said) -> None:
    """A record without a key has no place to go."""
    told = checked(
        "M205",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: [email, company] }
        mappings:
          row_to_lead: { firstName: x }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
          lost: { source: rows, mapping: gone, target: leads }
    """,
    )
    assert told == said("""
        m.yaml:11:34: error M205: Key is not mapped
          The target "leads" finds records by "company", which the mapping "row_to_lead" does not write.
          Add "company" to the mapping, or change the key.

        m.yaml:11:34: error M205: Key is not mapped
          The target "leads" finds records by "email", which the mapping "row_to_lead" does not write.
          Add "email" to the mapping, or change the key.
    """)


def test_a_marketo_key_that_is_not_described_as_one_is_a_warning(checked: Say, said: Said, lead: Schemas) -> None:
    """Which fields can be searched changes with the instance's setup."""
    told = checked(
        "M206",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: firstName }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
        lead,
    )
    assert told == said("""
        m.yaml:7:41: warning M206: Field is not a key
          "firstName" of object "lead" is not described as a key.
          There is: email, id.
    """)


def test_a_salesforce_key_must_be_an_external_id_and_only_one(checked: Say, said: Said, contact: Schemas) -> None:
    """The vendor refuses anything else."""
    told = checked(
        "M206",
        """
        version: 1
        connections:
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: s, object: Contact, key: [LastName, Numbr__c] }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
        contact,
    )
    assert told == said("""
        m.yaml:7:49: error M206: Field is not a key
          "LastName" of object "Contact" is not described as a key.
          There is: Id, Number__c.

        m.yaml:7:49: error M206: Field is not a key
          The target "leads" has 2 key fields; Salesforce finds records by one.
          Use one external id field.

        m.yaml:7:49: error M206: Field is not a key
          The target "leads" has the key "Numbr__c", which the object "Contact" does not have.
          Did you mean "Number__c"?
    """)


def test_a_key_of_a_target_without_connection_or_snapshot_is_not_judged(checked: Say) -> None:
    """What is not known is not wrong."""
    told = checked(
        "M206",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: gone, object: lead, key: x }
          fine: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
    )
    assert told == ""


def test_new_records_need_their_required_fields(checked: Say, said: Said, contact: Schemas) -> None:
    """An error where records are created, a warning where they may exist; a parent by its key counts."""
    told = checked(
        "M207",
        """
        version: 1
        connections:
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: s, object: Contact, key: Number__c }
        mappings:
          row_to_lead: { Number__c: "{{ a }}", Site__r.Code__c: b }
          whole: { LastName: x, Site__c: y }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
          fresh: { source: rows, mapping: row_to_lead, target: leads, action: create }
          old: { source: rows, mapping: row_to_lead, target: leads, action: update }
          lost: { source: rows, mapping: gone, target: leads }
          whole: { source: rows, mapping: whole, target: leads }
    """,
        contact,
    )
    assert told == said("""
        m.yaml:12:25: warning M207: Required field is not mapped
          New records of Salesforce object "Contact" need "LastName", which operation "news" does not write.
          Add to the mapping what new records need.

        m.yaml:13:35: error M207: Required field is not mapped
          New records of Salesforce object "Contact" need "LastName", which operation "fresh" does not write.
          Add to the mapping what new records need.
    """)


def test_two_spellings_of_a_field_are_one_field(checked: Say, said: Said) -> None:
    """Told where they meet: in one mapping, or through one it extends."""
    told = checked(
        "M209",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ a }}", Email: b }
          more: { extends: [row_to_lead], EMAIL: c }
          last: { extends: [row_to_lead] }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
    )
    assert told == said("""
        m.yaml:9:36: error M209: Field is mapped twice
          "Email" and "email", written at m.yaml:9:18, are one field to the target.
          Keep one of the two.

        m.yaml:10:35: error M209: Field is mapped twice
          "EMAIL" and "email", written at m.yaml:9:18, are one field to the target.
          Keep one of the two.
    """)


def test_records_are_marked_in_a_field_of_its_own(checked: Say, said: Said) -> None:
    """It is there, plain text, long enough, writable at any time, not unique, and nothing else writes it."""
    text = FieldType.TEXT
    lead = ObjectSchema(
        System.MARKETO,
        "lead",
        (
            FieldSchema("email", text, "email", is_key=True),
            FieldSchema("run", text, "string", max_length=29),
            FieldSchema("area", text, "textarea"),
            FieldSchema("code", text, "string", max_length=28),
            FieldSchema("site", text, "url", max_length=255),
            FieldSchema("count", FieldType.INTEGER, "integer"),
            FieldSchema("made", text, "string", is_updatable=False),
            FieldSchema("own", text, "string", is_unique=True),
            FieldSchema("pick", text, "string", picklist=("a",), is_restricted=True),
            FieldSchema("company", text, "string", max_length=255),
        ),
    )
    names = ["run", "area", "gone", "code", "site", "count", "made", "own", "pick", "company", "EMAIL", "email"]
    operations = "".join(
        f"          o{number}: {{ source: rows, mapping: row_to_lead, target: leads, run_marker: {name} }}\n"
        for number, name in enumerate(names)
    )
    able = Capabilities(System.MARKETO, "lead", (replace(SYNC, refused_fields=frozenset({"company"})),))
    told = checked(
        "M224",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ a }}" }
        operations:
"""
        + operations,
        {("m", "lead"): lead},
        None,
        {("m", "lead"): able},
    )
    lines = [line.strip() for line in told.splitlines()]
    assert [line for line in lines if line.startswith("Operation")] == [
        'Operation "o2" marks its records in "gone", which Marketo object "lead" does not have.',
        'Operation "o3" marks its records in "code", which holds 28 characters, and a mark has 29.',
        'Operation "o4" marks its records in "site", which is no plain text.',
        'Operation "o5" marks its records in "count", which is no plain text.',
        'Operation "o6" marks its records in "made", which cannot be written at any time.',
        'Operation "o7" marks its records in "own", which is unique, while many records bear one mark.',
        'Operation "o8" marks its records in "pick", which is no plain text.',
        'Operation "o9" marks its records in "company", which some path does not write.',
        'Operation "o10" marks its records in "EMAIL", which Marketo object "lead" does not have.',
        'Operation "o11" marks its records in "email", which its mapping or its key uses.',
    ]
    assert told.startswith(
        said("""
        m.yaml:13:72: error M224: Records cannot be marked in this field
          Operation "o2" marks its records in "gone", which Marketo object "lead" does not have.
          Make a text field for it in the target, of 29 characters or more, and fetch it with:
              syncer describe pull
    """)
    )
