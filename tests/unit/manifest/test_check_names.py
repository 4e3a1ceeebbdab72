"""Rules about names."""

from __future__ import annotations

from collections.abc import Callable

from syncer.manifest.known import cycles

Say = Callable[..., str]
Said = Callable[[str], str]


def test_a_reference_to_nothing_is_told_with_the_nearest_name(checked: Say, said: Said) -> None:
    """Every reference leads somewhere; a hint says where the nearest name is declared."""
    told = checked(
        "M201",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
          crm: { connection: mm, object: lead }
        targets:
          leads: { connection: marketo, object: lead, key: email }
        mappings:
          row_to_lead: { extends: [person], email: "{{ email }}" }
        operations:
          news: { source: row, mapping: row_to_leads, target: contacts, after: [newz] }
        tests:
          first: { operation: new, given: [] }
    """,
    )
    assert told == said("""
        m.yaml:6:22: error M201: Unknown name
          "sources.crm.connection" names the connection "mm", which is not declared.
          Did you mean "m", declared at m.yaml:3:3?

        m.yaml:8:24: error M201: Unknown name
          "targets.leads.connection" names the connection "marketo", which is not declared.
          There is: m.

        m.yaml:10:28: error M201: Unknown name
          "mappings.row_to_lead.extends[0]" names the mapping "person", which is not declared.
          There is: row_to_lead.

        m.yaml:12:19: error M201: Unknown name
          "operations.news.source" names the source "row", which is not declared.
          Did you mean "rows", declared at m.yaml:5:3?

        m.yaml:12:33: error M201: Unknown name
          "operations.news.mapping" names the mapping "row_to_leads", which is not declared.
          Did you mean "row_to_lead", declared at m.yaml:10:3?

        m.yaml:12:55: error M201: Unknown name
          "operations.news.target" names the target "contacts", which is not declared.
          There is: leads.

        m.yaml:12:73: error M201: Unknown name
          "operations.news.after[0]" names the operation "newz", which is not declared.
          Did you mean "news", declared at m.yaml:12:3?

        m.yaml:14:23: error M201: Unknown name
          "tests.first.operation" names the operation "new", which is not declared.
          Did you mean "news", declared at m.yaml:12:3?
    """)


def test_a_reference_into_an_empty_section_says_so(checked: Say, said: Said) -> None:
    """Where nothing is declared, nothing is near."""
    told = checked(
        "M201",
        """
        version: 1
        operations:
          news: { source: rows, mapping: m, target: t }
    """,
    )
    assert told == said("""
        m.yaml:3:19: error M201: Unknown name
          "operations.news.source" names the source "rows", which is not declared.
          There is no source yet.

        m.yaml:3:34: error M201: Unknown name
          "operations.news.mapping" names the mapping "m", which is not declared.
          There is no mapping yet.

        m.yaml:3:45: error M201: Unknown name
          "operations.news.target" names the target "t", which is not declared.
          There is no target yet.
    """)


def test_a_project_whose_names_all_lead_somewhere_has_no_findings(checked: Say) -> None:
    """Nothing is said of what is right."""
    told = checked(
        "M201 M202 M216 M217 M219",
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
          news: { source: rows, mapping: row_to_lead, target: leads }
    """,
    )
    assert told == ""


def test_operations_that_wait_for_each_other_are_printed_as_a_circle(checked: Say, said: Said) -> None:
    """The whole circle is shown, and an operation that waits for itself."""
    told = checked(
        "M202",
        """
        version: 1
        operations:
          a: { source: s, mapping: m, target: t, after: [c] }
          b: { source: s, mapping: m, target: t, after: [a, gone] }
          c: { source: s, mapping: m, target: t, after: [b] }
          d: { source: s, mapping: m, target: t, after: [a, d] }
    """,
    )
    assert told == said("""
        m.yaml:3:50: error M202: Operations wait for each other
          These operations wait for each other, so none can start: a → c → b → a.
          Remove one of the names from "after".

        m.yaml:6:53: error M202: Operations wait for each other
          These operations wait for each other, so none can start: d → d.
          Remove one of the names from "after".
    """)


def test_mappings_that_extend_each_other_are_printed_as_a_circle(checked: Say, said: Said) -> None:
    """The fields of a circle have no order."""
    told = checked(
        "M217",
        """
        version: 1
        mappings:
          a: { extends: [b], x: 1 }
          b: { extends: [a], y: 1 }
    """,
    )
    assert told == said("""
        m.yaml:3:18: error M217: Mappings extend each other
          These mappings extend each other: a → b → a.
          Remove one of the names from "extends".
    """)


def test_what_nothing_uses_is_a_warning(checked: Say, said: Said) -> None:
    """A leftover is told, a mention in a query or a template counts as use."""
    told = checked(
        "M216",
        """
        version: 1
        vars: { region: emea, season: spring, old: x }
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: "data/{{ var.region }}.csv" }
          all: { sql: select * from rows }
          more: { connection: m, object: lead }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          used: { email: "{{ var['season'] }}", score: 3 }
          person: { firstName: "{{ name }}" }
    """,
    )
    assert told == said("""
        m.yaml:2:39: warning M216: Not used
          Nothing uses the variable "old".
          Remove it, or name it where it is meant.

        m.yaml:7:3: warning M216: Not used
          Nothing uses the source "all".
          Remove it, or name it where it is meant.

        m.yaml:8:3: warning M216: Not used
          Nothing uses the source "more".
          Remove it, or name it where it is meant.

        m.yaml:10:3: warning M216: Not used
          Nothing uses the target "leads".
          Remove it, or name it where it is meant.

        m.yaml:12:3: warning M216: Not used
          Nothing uses the mapping "used".
          Remove it, or name it where it is meant.

        m.yaml:13:3: warning M216: Not used
          Nothing uses the mapping "person".
          Remove it, or name it where it is meant.
    """)


def test_a_test_of_an_unknown_field_or_column_is_told(checked: Say, said: Said) -> None:
    """A test cannot pass by expecting what nobody writes."""
    told = checked(
        "M219",
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
          news: { source: rows, mapping: row_to_lead, target: leads }
        tests:
          first:
            operation: news
            given: [{ emial: a, name: b }]
            expect: [{ email: a, fristName: b }]
          second: { operation: gone, given: [{ x: 1 }] }
    """,
        columns={"rows": ["email", "name"]},
    )
    assert told == said("""
        m.yaml:15:15: error M219: Test of something unknown
          The source "rows" has no column "emial".
          Did you mean "email"?

        m.yaml:16:26: error M219: Test of something unknown
          The mapping "row_to_lead" does not write the field "fristName".
          There is: email.
    """)


def test_rows_that_a_test_looks_up_in_are_told_alike(checked: Say, said: Said) -> None:
    """The rows under "lookups" belong to a source that is declared, and to its columns."""
    told = checked(
        "M201 M219",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
          plans: { file: b.csv }
        targets:
          leads: { connection: m, object: lead, key: email }
        mappings:
          row_to_lead: { email: "{{ email }}", company: "{{ plan | lookup('plans', 'code', 'name') }}" }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads }
        tests:
          first:
            operation: news
            given: [{ email: a }]
            lookups:
              plans: [{ code: team }, { cod: free }]
              plan: [{ code: team }]
    """,
        columns={"rows": ["email", "plan"], "plans": ["code", "name"]},
    )
    assert told == said("""
        m.yaml:18:33: error M219: Test of something unknown
          The source "plans" has no column "cod".
          Did you mean "code"?

        m.yaml:19:13: error M201: Unknown name
          "tests.first.lookups.plan" names the source "plan", which is not declared.
          Did you mean "plans", declared at m.yaml:6:3?
    """)


def test_a_test_of_a_source_whose_header_is_not_known_is_not_judged(checked: Say) -> None:
    """What is not known is not wrong."""
    told = checked(
        "M219",
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
          news: { source: rows, mapping: row_to_lead, target: leads }
        tests:
          first: { operation: news, given: [{ anything: 1 }] }
    """,
    )
    assert told == ""


def test_a_test_of_an_operation_without_its_mapping_is_not_judged(checked: Say) -> None:
    """One mistake gives one message."""
    told = checked(
        "M219",
        """
        version: 1
        operations:
          news: { source: rows, mapping: gone, target: leads }
        tests:
          first: { operation: news, given: [], expect: [{ a: 1 }] }
    """,
    )
    assert told == ""


def test_circles_are_found_from_any_node_and_told_once() -> None:
    """A walk meets each circle once, whatever leads into it."""
    edges = {"x": ["a"], "a": ["b", "b"], "b": ["a", "gone"], "y": ["y", "x"]}
    assert list(cycles(edges)) == [["a", "b", "a"], ["y", "y"]]


def test_a_circle_of_a_thousand_is_walked_without_depth() -> None:
    """Long chains end no process."""
    edges = {str(n): [str((n + 1) % 5_000)] for n in range(5_000)}
    assert [len(cycle) for cycle in cycles(edges)] == [5_001]
