"""Rules about templates and secrets."""

# ruff: noqa: E501 - golden text is as long as what people see

from __future__ import annotations

from collections.abc import Callable

Say = Callable[..., str]
Said = Callable[[str], str]


def test_load_templates_are_read_before_any_environment_is(checked: Say, said: Said) -> None:
    """Grammar, scope and variables are told by validate."""
    told = checked(
        "M130 M131 M132",
        """
        version: 1
        vars: { region: emea }
        connections:
          m:
            system: marketo
            base_url: "https://{{ env.HOST"
            client_id: "{{ var.regoin }}-{{ email }}"
            client_secret: "{{ secret.S }}"
        sources:
          rows: { file: "{% for x in y %}{% endfor %}" }
          fine: { file: "data/{{ env.DAY | default('today') }}-{{ var.region }}.csv" }
          base: { database: "{{ secret.URL }}", sql: select 1 }
    """,
    )
    assert told == said("""
        m.yaml:6:16: error M130: Template cannot be read
          In "connections.m.base_url": The template cannot be read: a brace, a quote or an operator is not where Jinja wants it.

        m.yaml:7:20: error M132: Unknown variable
          In "connections.m.client_id": The variable "regoin" is not declared in "vars".
          Did you mean "region"?

        m.yaml:7:37: error M131: Not known when manifests are loaded
          In "connections.m.client_id": The template uses "email", which is not known when manifests are loaded.
          Use "env", "secret" and "var" with a name, text, "~" and the filter "default".

        m.yaml:10:25: error M131: Not known when manifests are loaded
          In "sources.rows.file": The template uses "x", which is not known when manifests are loaded.
          Use "env", "secret" and "var" with a name, text, "~" and the filter "default".
    """)


def test_a_secret_in_the_manifest_is_told_and_not_shown(checked: Say, said: Said) -> None:
    """A client secret comes from `secret`, with no default written beside it."""
    told = checked(
        "M135",
        """
        version: 1
        connections:
          a: { system: marketo, base_url: x, client_id: y, client_secret: hunter2hunter2 }
          b: { system: marketo, base_url: x, client_id: y, client_secret: "{{ env.SECRET }}" }
          c: { system: marketo, base_url: x, client_id: y, client_secret: "{{ secret.S | default('hunter2') }}" }
          d: { system: marketo, base_url: x, client_id: y, client_secret: "{{ secret.S | default(secret.T) }}" }
    """,
    )
    assert told == said("""
        m.yaml:3:67: error M135: Secret is written in the manifest
          "connections.a.client_secret" does not come from "secret".
          Write "{{ secret.NAME }}" and set the environment variable NAME. Renew a secret that was committed.

        m.yaml:4:67: error M135: Secret is written in the manifest
          "connections.b.client_secret" does not come from "secret".
          Write "{{ secret.NAME }}" and set the environment variable NAME. Renew a secret that was committed.

        m.yaml:5:71: error M135: Secret is written in the manifest
          In "connections.c.client_secret": "secret.S" has a default that is written in the manifest.
          Remove the default.
    """)


def test_what_looks_like_a_credential_is_told_wherever_it_stands(checked: Say, said: Said) -> None:
    """Session ids, keys, passwords in addresses and tokens."""
    told = checked(
        "M135",
        """
        version: 1
        vars:
          session: 00D000000000062!AQ4AQNRaM5YkYvY2gpLkxQyZ
          key: "-----BEGIN RSA PRIVATE KEY----- abc"
          token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc
        sources:
          a: { database: "postgresql://me:hunter2@db.example.com/x", sql: select 1 }
          b: { database: "postgresql://{{ env.U }}:{{ secret.P }}@db.example.com/x", sql: select 1 }
    """,
    )
    assert told == said("""
        m.yaml:3:12: error M135: Secret is written in the manifest
          "vars.session" looks like a session id of Salesforce.
          Take it from the environment, and renew it if it was committed.

        m.yaml:4:8: error M135: Secret is written in the manifest
          "vars.key" looks like a private key.
          Take it from the environment, and renew it if it was committed.

        m.yaml:5:10: error M135: Secret is written in the manifest
          "vars.token" looks like a token.
          Take it from the environment, and renew it if it was committed.

        m.yaml:7:18: error M135: Secret is written in the manifest
          "sources.a.database" looks like an address with a password.
          Take it from the environment, and renew it if it was committed.
    """)


def test_a_secret_keeps_to_where_it_is_hidden(checked: Say, said: Said) -> None:
    """Neither an address that is shown nor a file name may hold one."""
    told = checked(
        "M136",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ secret.URL }}", client_id: "{{ secret.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: "{{ secret.FOLDER }}/a.csv" }
    """,
    )
    assert told == said("""
        m.yaml:3:35: error M136: Secret or environment out of place
          "connections.m.base_url" holds a secret, and is shown in plans and reports.
          Use "env" for what is no secret.

        m.yaml:5:17: error M136: Secret or environment out of place
          "sources.rows.file" holds a secret, and is shown in plans and reports.
          Use "env" for what is no secret.
    """)


def test_a_mapping_reaches_neither_secrets_nor_the_environment(checked: Say, said: Said) -> None:
    """No row can carry them away; a column that is called so can still be used."""
    told = checked(
        "M136",
        """
        version: 1
        mappings:
          m:
            a: "{{ email | lower }} {{ secret.S }}"
            b: { value: "{{ env['HOME'] }}" }
            c: "{{ env.strip() }} {{ var.region }}"
            d: "{{ broken"
            e: 3
    """,
    )
    assert told == said("""
        m.yaml:4:32: error M136: Secret or environment out of place
          The mapping "m" reads "secret.S"; mappings read columns and "var" only.
          Use a column, or a variable of "vars".

        m.yaml:5:21: error M136: Secret or environment out of place
          The mapping "m" reads "env.HOME"; mappings read columns and "var" only.
          Use a column, or a variable of "vars".
    """)


def test_a_template_where_none_works_is_told(checked: Say, said: Said) -> None:
    """It would be taken for the name of a program."""
    told = checked(
        "M137",
        """
        version: 1
        connections:
          m: { system: marketo, base_url: "{{ env.U }}", client_id: "{{ env.I }}", client_secret: "{{ secret.S }}" }
        sources:
          rows: { file: a.csv }
        targets:
          leads: { connection: m, object: "{{ var.object }}", key: email }
        mappings:
          row_to_lead: { email: "{{ email }}" }
        operations:
          news: { source: rows, mapping: row_to_lead, target: leads, program: "{{ program }}", because: "{{ fine }}" }
    """,
    )
    assert told == said("""
        m.yaml:7:35: error M137: Templates do not work here
          "targets.leads.object" holds a template, and takes plain text.
          Templates work in connections, sources and mappings. Write the value out.

        m.yaml:11:71: error M137: Templates do not work here
          "operations.news.program" holds a template, and takes plain text.
          Templates work in connections, sources and mappings. Write the value out.
    """)
