"""What has not the manifest's shape is told all at once, with place, path and what may stand there."""

# ruff: noqa: E501 - golden text is as long as what people see

from __future__ import annotations

from collections.abc import Callable

Say = Callable[..., str]
Said = Callable[[str], str]


def test_an_unknown_member_is_told_with_the_nearest_name(findings: Say, said: Said) -> None:
    """A misspelt member does not pass in silence."""
    told = findings(
        """
        version: 1
        targets:
          leads: { connection: m, objcet: lead, key: email }
    """,
    )
    assert told == said("""
        m.yaml:3:3: error M121: Member is missing
          "targets.leads" has no "object".
          Add "object". The object, spelled as the vendor spells it.

        m.yaml:3:27: error M120: Unknown member
          "targets.leads" has no member "objcet".
          Did you mean "object"?
    """)


def test_an_unknown_section_is_told_with_what_there_is(findings: Say, said: Said) -> None:
    """Nothing at the top passes either."""
    told = findings(
        """
        version: 1
        resources: {}
    """,
    )
    assert told == said("""
        m.yaml:2:1: error M120: Unknown member
          A manifest has no member "resources".
          Did you mean "sources"?
    """)


def test_a_missing_version_is_told(findings: Say, said: Said) -> None:
    """Every file says which format it has."""
    told = findings(
        """
        vars: { a: 1 }
    """,
    )
    assert told == said("""
        m.yaml:1:1: error M121: Member is missing
          The manifest has no "version".
          Add "version". Version of the manifest format.
    """)


def test_a_version_is_the_number_one(findings: Say, said: Said) -> None:
    """Neither a truth value nor a fraction counts as 1."""
    told = findings(
        files={
            "a.yaml": "version: true\n",
            "b.yaml": "version: 1.0\n",
            "c.yaml": "version: 2\n",
            "d.yaml": "version: '1'\n",
        },
    )
    assert told == said("""
        a.yaml:1:10: error M122: Wrong kind of value
          "version" must be the number 1, but is true or false.

        b.yaml:1:10: error M122: Wrong kind of value
          "version" must be the number 1, but is a number with a fraction.

        c.yaml:1:10: error M123: Value is not allowed
          "version" must be the number 1, but is "2".

        d.yaml:1:10: error M122: Wrong kind of value
          "version" must be the number 1, but is text.
    """)


def test_a_wrong_kind_is_told_with_the_path(findings: Say, said: Said) -> None:
    """A list for text says which member, what it may be and what it is."""
    told = findings(
        """
        version: 1
        operations:
          news:
            source: [a]
            mapping: 3
            target: true
            after: other
            guards: { max_rejected: 1.5, min_rows: '3' }
    """,
    )
    assert told == said("""
        m.yaml:4:13: error M122: Wrong kind of value
          "operations.news.source" must be a name, but is a list.

        m.yaml:5:14: error M122: Wrong kind of value
          "operations.news.mapping" must be a name, but is a whole number.

        m.yaml:6:13: error M122: Wrong kind of value
          "operations.news.target" must be a name, but is true or false.

        m.yaml:7:12: error M122: Wrong kind of value
          "operations.news.after" must be a list of names, but is text.

        m.yaml:8:29: error M122: Wrong kind of value
          "operations.news.guards.max_rejected" must be a whole number or text such as "1%", but is a number with a fraction.

        m.yaml:8:44: error M122: Wrong kind of value
          "operations.news.guards.min_rows" must be a whole number, but is text.
    """)


def test_a_value_outside_the_list_is_told_with_the_nearest(findings: Say, said: Said) -> None:
    """An action that does not exist is shown beside those that do."""
    told = findings(
        """
        version: 1
        operations:
          news: { source: a, mapping: b, target: c, action: upsrt, only: "" }
    """,
    )
    assert told == said("""
        m.yaml:3:53: error M123: Value is not allowed
          "operations.news.action" must be one of upsert, create, update, delete, duplicate, add, remove, status, but is "upsrt".
          Did you mean "upsert"?

        m.yaml:3:66: error M123: Value is not allowed
          "operations.news.only" must be one of changed, all, but is "".
    """)


def test_limits_are_told_in_words(findings: Say, said: Said) -> None:
    """Ranges, percentages and lengths are said, not printed as patterns."""
    told = findings(
        """
        version: 1
        connections:
          m: { system: marketo, base_url: a, client_id: b, client_secret: c, budget: { concurrency: 99, reserve: lots, calls_per_day: 0 } }
        targets:
          t: { connection: m, object: '', key: [] }
    """,
    )
    assert told == said("""
        m.yaml:3:93: error M123: Value is not allowed
          "connections.m.budget.concurrency" must be a whole number from 1 to 50.

        m.yaml:3:106: error M123: Value is not allowed
          "connections.m.budget.reserve" must be text such as "1%".

        m.yaml:3:127: error M123: Value is not allowed
          "connections.m.budget.calls_per_day" must be a whole number from 1 up.

        m.yaml:5:31: error M123: Value is not allowed
          "targets.t.object" must be text that is not empty.

        m.yaml:5:40: error M123: Value is not allowed
          "targets.t.key" must be a list of text that is not empty.
    """)


def test_a_connection_is_judged_by_its_system(findings: Say, said: Said) -> None:
    """A member of the other system is unknown, and the advice lists this one's."""
    told = findings(
        """
        version: 1
        connections:
          a: { system: marketo, base_url: a, client_id: b, client_secret: c, api_version: '61.0' }
          b: { system: marketto }
          c: { base_url: a }
          d: 3
          e: { system: salesforce, base_url: a, client_id: b, client_secret: c, api_version: '61' }
    """,
    )
    assert told == said("""
        m.yaml:3:70: error M120: Unknown member
          "connections.a" has no member "api_version".
          There is: base_url, blank_cells, budget, client_id, client_secret, company_fields, system.

        m.yaml:4:16: error M123: Value is not allowed
          "connections.b.system" must be "marketo" or "salesforce", but is "marketto".
          Did you mean "marketo"?

        m.yaml:5:3: error M121: Member is missing
          "connections.c" has no "system".
          Add "system". The vendor's API family.

        m.yaml:6:6: error M122: Wrong kind of value
          "connections.d" must be a mapping, but is a whole number.

        m.yaml:7:86: error M123: Value is not allowed
          "connections.e.api_version" must be text such as "61.0".
    """)


def test_a_column_is_a_type_or_a_contract(findings: Say, said: Said) -> None:
    """Both forms are tried, and the one that was meant is judged."""
    told = findings(
        """
        version: 1
        sources:
          s: { file: a.csv, columns: { a: integr, b: { type: date, uniqe: true }, c: [1], d: { type: 3 } } }
    """,
    )
    assert told == said("""
        m.yaml:3:35: error M123: Value is not allowed
          "sources.s.columns.a" must be one of text, integer, decimal, float, boolean, date, datetime, moment, but is "integr".
          Did you mean "integer"?

        m.yaml:3:60: error M120: Unknown member
          "sources.s.columns.b" has no member "uniqe".
          Did you mean "unique"?

        m.yaml:3:78: error M122: Wrong kind of value
          "sources.s.columns.c" must be one of text, integer, decimal, float, boolean, date, datetime, moment or a mapping, but is a list.

        m.yaml:3:94: error M122: Wrong kind of value
          "sources.s.columns.d.type" must be one of text, integer, decimal, float, boolean, date, datetime, moment, but is a whole number.
    """)


def test_a_field_is_a_template_a_constant_or_a_long_form(findings: Say, said: Said) -> None:
    """Short and long forms are judged alike."""
    told = findings(
        """
        version: 1
        mappings:
          m:
            a: [1]
            b: { value: x, when_null: erase }
            c: { when_null: clear }
            d:
            "": x
          n: []
    """,
    )
    assert told == said("""
        m.yaml:4:8: error M122: Wrong kind of value
          "mappings.m.a" must be text, a number, true or false or a mapping, but is a list.

        m.yaml:5:31: error M123: Value is not allowed
          "mappings.m.b.when_null" must be one of omit, clear, but is "erase".

        m.yaml:6:5: error M121: Member is missing
          "mappings.m.c" has no "value".
          Add "value". A template over the row's columns, or a constant.

        m.yaml:7:5: error M122: Wrong kind of value
          "mappings.m.d" is empty.
          Give it a value, or remove the member.

        m.yaml:8:5: error M126: Name cannot be used
          "" cannot be a name in "mappings.m".
          Write the field's name, 1 to 255 characters.

        m.yaml:9:6: error M122: Wrong kind of value
          "mappings.n" must be a mapping, but is a list.
    """)


def test_an_unsafe_name_is_refused(findings: Say, said: Said) -> None:
    """A name cannot climb out of a folder."""
    told = findings(
        """
        version: 1
        vars: { ../../x: 1 }
        operations:
          nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: { source: a b, mapping: c, target: d }
    """,
    )
    assert told == said("""
        m.yaml:2:9: error M126: Name cannot be used
          "../../x" cannot be a name in "vars".
          Write a name: letters, digits, "_" and "-", starting with a letter, at most 64 characters.

        m.yaml:4:80: error M123: Value is not allowed
          "operations.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.source" must be a name: letters, digits, "_" and "-", starting with a letter, at most 64 characters.
    """)


def test_nothing_is_not_a_value(findings: Say, said: Said) -> None:
    """An empty member is told, and null stays a value in the rows of a test."""
    told = findings(
        """
        version: 1
        sources:
        tests:
          t: { operation: o, given: [{ a: ~ }], expect: [{ b: null }] }
    """,
    )
    assert told == said("""
        m.yaml:2:1: error M122: Wrong kind of value
          "sources" is empty.
          Give it a value, or remove the member.
    """)


def test_the_rows_of_a_test_are_flat(findings: Say, said: Said) -> None:
    """A cell is one value."""
    told = findings(
        """
        version: 1
        tests:
          t: { operation: o, given: [{ a: [1] }], rejects: [3] }
    """,
    )
    assert told == said("""
        m.yaml:3:35: error M122: Wrong kind of value
          "tests.t.given[0].a" must be text, a number or true or false, but is a list.

        m.yaml:3:53: error M122: Wrong kind of value
          "tests.t.rejects[0]" must be a mapping, but is a whole number.
    """)


def test_a_value_already_told_is_told_once(findings: Say, said: Said) -> None:
    """A finding of the YAML itself is not repeated by the shape."""
    told = findings(
        """
        version: 1
        sources:
          s: { file: a.csv, columns: { a: { required: yes } } }
    """,
    )
    assert told == said("""
        m.yaml:3:47: error M113: Readers of YAML disagree
          "yes" is text in YAML 1.2 and true in YAML 1.1, so readers disagree.
          Write "yes" in quotes for text, or true for a truth value.
    """)


def test_texts_and_names_have_a_longest_length(findings: Say, said: Said) -> None:
    """A template of more than 64 KB, and a field's name of more than 255 characters, are no accident of YAML."""
    told = findings(f"version: 1\nmappings:\n  m:\n    a: {'x' * 65_537}\n    {'y' * 256}: b\n")
    assert told == said(f"""
        m.yaml:4:8: error M123: Value is not allowed
          "mappings.m.a" must be text of at most 65,536 characters.

        m.yaml:5:5: error M126: Name cannot be used
          "{"y" * 61}..." cannot be a name in "mappings.m".
          Write the field's name, 1 to 255 characters.
    """)


def test_a_value_that_is_no_slip_of_a_word_is_not_repeated(findings: Say) -> None:
    """It may be a secret in the wrong place."""
    told = findings(f"version: 1\nconnections: {{ m: {{ system: {'x' * 25} }} }}\n")
    assert '"connections.m.system" must be "marketo" or "salesforce".' in told
    assert 'but is "sap"' in findings("version: 1\nconnections: { m: { system: sap } }\n")


def test_a_list_of_mappings_is_called_so(findings: Say) -> None:
    """The rows of a test are a list of mappings."""
    told = findings("version: 1\ntests: { t: { operation: o, given: x } }\n")
    assert '"tests.t.given" must be a list of mappings, but is text.' in told
