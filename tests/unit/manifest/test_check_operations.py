"""Rules about operations."""

# ruff: noqa: E501 - golden text is as long as what people see

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from syncer.capability import Capabilities, JsonFormat, KeyLimit, PathCapability, PathKind, Repeat
from syncer.facts import Action, ObjectSchema, System

Schemas = Mapping[tuple[str, str], ObjectSchema]
Say = Callable[..., str]
Said = Callable[[str], str]
SYNC = PathCapability(
    name="sync",
    kind=PathKind.IMMEDIATE,
    actions=frozenset({Action.UPSERT}),
    format=JsonFormat(300, 1_000_000),
    allows_clear=True,
    key_rule="Any key field.",
    key_fields=None,
    max_key_fields=1,
    activity=False,
    options=frozenset(),
    required_options=frozenset(),
    calls_per_unit=1,
    polls_per_unit=0,
    poll_seconds=0,
    seconds_per_unit=1,
    records_per_second=100,
    units_at_once=5,
    units_queued=0,
    tells_created=True,
    server_timeout_seconds=90,
    repeat=Repeat.SAFE,
    page="Sync Leads",
)


def test_a_fixed_path_needs_a_reason(checked: Say, said: Said) -> None:
    """Whoever takes a choice from the planner says why; blanks are no reason, and a reason alone is a warning."""
    told = checked(
        "M212 M213 M214 M215 M220",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, path: bulk }
          b: { source: rows, mapping: row_to_lead, target: leads, path: bulk, because: " " }
          c: { source: rows, mapping: row_to_lead, target: leads, path: bulk, because: the vendor asked us to }
          d: { source: rows, mapping: row_to_lead, target: leads, because: just so }
    """,
    )
    assert told == said("""
        m.yaml:11:65: error M212: Fixed path and its reason
          The operation "a" fixes the path "bulk" and does not say why.
          Add "because", or write "path: auto".

        m.yaml:12:65: error M212: Fixed path and its reason
          The operation "b" fixes the path "bulk" and does not say why.
          Add "because", or write "path: auto".

        m.yaml:14:59: warning M212: Fixed path and its reason
          The operation "d" gives a reason, but its path is "auto".
          Remove "because", or name the path.
    """)


def test_salesforce_has_no_marketo_actions_and_options(checked: Say, said: Said) -> None:
    """What an org cannot do is told before anything is read."""
    told = checked(
        "M212 M213 M214 M215 M220",
        """
        version: 1
        connections:
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: s, object: Contact, key: Number__c }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, action: add }
          b: { source: rows, mapping: row_to_lead, target: leads, action: upsert, program: p, activity: allowed, list: l }
          c: { source: rows, mapping: row_to_lead, target: leads, action: delete }
    """,
    )
    assert told == said("""
        m.yaml:11:67: error M213: Option does not fit the operation
          Salesforce has no action "add".
          Use upsert, create, update or delete.

        m.yaml:12:75: error M213: Option does not fit the operation
          Salesforce has no option "program".
          Remove it.

        m.yaml:12:87: error M213: Option does not fit the operation
          Salesforce has no option "activity".
          Remove it.

        m.yaml:12:106: error M213: Option does not fit the operation
          Salesforce has no option "list".
          Remove it.
    """)


def test_an_option_that_the_action_cannot_use_is_told(checked: Say, said: Said) -> None:
    """Partition, list, program and status belong to certain actions."""
    told = checked(
        "M212 M213 M214 M215 M220",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, action: update, partition: p, list: l }
          b: { source: rows, mapping: row_to_lead, target: leads, action: add, list: l, program: p }
          c: { source: rows, mapping: row_to_lead, target: leads, action: create, activity: allowed, program: p }
          d: { source: rows, mapping: row_to_lead, target: leads, action: upsert, activity: required, program: p, status: Member, list: l, partition: x }
    """,
    )
    assert told == said("""
        m.yaml:11:75: error M213: Option does not fit the operation
          The action "update" has no use for "partition".
          Remove it, or change the action.

        m.yaml:11:89: error M213: Option does not fit the operation
          The action "update" has no use for "list".
          Remove it, or change the action.

        m.yaml:12:81: error M213: Option does not fit the operation
          The action "add" has no use for "program".
          Remove it, or change the action.

        m.yaml:13:85: error M213: Option does not fit the operation
          "activity" writes leads by Push Lead, which upserts; the action is "create".
          Use the action upsert.

        m.yaml:13:94: error M213: Option does not fit the operation
          The action "create" has no use for "program".
          Remove it, or change the action.
    """)


def test_a_marker_fits_whatever_writes_fields(checked: Say, said: Said) -> None:
    """Records of both vendors can be marked, where something is written into them."""
    told = checked(
        "M213",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
          people: { connection: s, object: Contact, key: Number__c }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, action: duplicate, run_marker: run }
          b: { source: rows, mapping: row_to_lead, target: leads, action: add, list: l, run_marker: run }
          c: { source: rows, mapping: row_to_lead, target: people, run_marker: Run__c }
          d: { source: rows, mapping: row_to_lead, target: people, action: delete, run_marker: Run__c }
    """,
    )
    assert told == said("""
        m.yaml:14:81: error M213: Option does not fit the operation
          The action "add" has no use for "run_marker".
          Remove it, or change the action.

        m.yaml:16:76: error M213: Option does not fit the operation
          The action "delete" has no use for "run_marker".
          Remove it, or change the action.
    """)


def test_an_action_without_what_it_needs_is_told(checked: Say, said: Said) -> None:
    """Lists, programs and statuses are named."""
    told = checked(
        "M212 M213 M214 M215 M220",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, action: remove }
          b: { source: rows, mapping: row_to_lead, target: leads, action: status, program: p }
          c: { source: rows, mapping: row_to_lead, target: leads, activity: allowed }
          d: { source: rows, mapping: row_to_lead, target: leads, status: Member }
          e: { source: rows, mapping: row_to_lead, target: leads, action: status, program: p, status: Member }
    """,
    )
    assert told == said("""
        m.yaml:11:3: error M214: Option is missing
          The action "remove" of "a" needs "list".
          Add "list".

        m.yaml:12:3: error M214: Option is missing
          The action "status" of "b" needs "status".
          Add "status".

        m.yaml:13:69: error M214: Option is missing
          Push Lead of "c" needs "program": the activity is attributed to it.
          Add "program".

        m.yaml:14:67: error M214: Option is missing
          "status" of "d" is a status in a program, and none is named.
          Add "program".
    """)


def test_deleting_what_left_needs_an_action_a_limit_and_a_whole_source(checked: Say, said: Said) -> None:
    """An incremental read would make every old record look gone."""
    told = checked(
        "M212 M213 M214 M215 M220",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, deletes: delete }
          b: { source: rows, mapping: row_to_lead, target: leads, deletes: remove, guards: { max_deletes: 10 } }
          c: { source: rows, mapping: row_to_lead, target: leads, deletes: delete, action: add, list: l, guards: { max_deletes: 1% } }
          d: { source: rows, mapping: row_to_lead, target: leads, deletes: delete, guards: { max_deletes: 5% } }
          e: { source: rows, mapping: row_to_lead, target: leads, deletes: remove, action: add, list: l, guards: { max_deletes: 5% } }
    """,
    )
    assert told == said("""
        m.yaml:11:68: error M215: Deleting needs a limit
          The operation "a" deletes what left the source, without a limit.
          Add "guards: { max_deletes: 5% }", or a count.

        m.yaml:12:68: error M215: Deleting needs a limit
          "remove" takes members out of a list, and the action of "b" is "upsert".
          Use the action add, or write delete.

        m.yaml:13:68: error M215: Deleting needs a limit
          "delete" deletes what an upsert wrote, and the action of "c" is "add".
          Remove it, or change the action.
    """)


def test_deleting_after_an_incremental_read_is_refused(checked: Say, said: Said) -> None:
    """A cursor shows what is new, never what is gone."""
    told = checked(
        "M212 M213 M214 M215 M220",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { connection: m, object: lead, cursor: updatedAt }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          a: { source: rows, mapping: row_to_lead, target: leads, deletes: delete, guards: { max_deletes: 5% } }
    """,
    )
    assert told == said("""
        m.yaml:11:68: error M215: Deleting needs a limit
          The source "rows" reads only what is new, so every older record would be deleted.
          Remove "deletes", or read a source without "cursor".
    """)


def test_a_path_that_the_object_lacks_is_told(checked: Say, said: Said) -> None:
    """Paths are judged where the object's capabilities are known."""
    text = """
        version: 1
        connections:
          m: { system: marketo, base_url: a, client_id: b, client_secret: "{{ secret.S }}" }
        targets:
          leads: { connection: m, object: lead, key: email }
          people: { connection: m, object: person, key: email }
        operations:
          a: { source: s, mapping: r, target: leads, path: snyc, because: it is quick }
          b: { source: s, mapping: r, target: leads }
          c: { source: s, mapping: r, target: people, path: any, because: it is not known }
          d: { source: s, mapping: r, target: leads, path: sync, because: it is quick }
    """
    capabilities = {("m", "lead"): Capabilities(System.MARKETO, "lead", (SYNC,))}
    assert checked("M220", text, capabilities=capabilities) == said("""
        m.yaml:8:52: error M220: Unknown path
          Marketo object "lead" has no path "snyc".
          Did you mean "sync"?
    """)


def test_a_key_that_no_path_takes_in_this_action_is_an_error(checked: Say, contact: Schemas) -> None:
    """An update by an external id would be refused for every record; an upsert by it, or an update by id, is not."""
    text = """
        version: 1
        connections:
          s: { system: salesforce, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          by_number: { connection: s, object: Contact, key: Number__c }
          by_id: { connection: s, object: Contact, key: Id }
          by_both: { connection: s, object: Contact, key: [Id, Number__c] }
        mappings:
          plain: { Number__c: "{{ number }}", LastName: "{{ name }}" }
        operations:
          changes: { source: rows, mapping: plain, target: by_number, action: update }
          right: { source: rows, mapping: plain, target: by_id, action: update }
          news: { source: rows, mapping: plain, target: by_number }
          both: { source: rows, mapping: plain, target: by_both, action: update }
    """
    limit = KeyLimit(frozenset({Action.UPDATE}), only=frozenset({"Id"}))
    path = replace(SYNC, actions=frozenset({Action.UPSERT, Action.UPDATE}), key_limits=(limit,))
    able = {("s", "Contact"): Capabilities(System.SALESFORCE, "Contact", (path, replace(path, name="bulk2")))}
    told = checked("M206", text, contact, capabilities=able)
    assert [line for line in told.splitlines() if "M206" in line] == [
        "m.yaml:9:51: error M206: Field is not a key",
        "m.yaml:13:3: error M206: Field is not a key",
    ]
    assert 'Operation "changes" cannot update records of "Contact" by "Number__c". Any key field.' in told
