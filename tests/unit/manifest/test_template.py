"""Load-time templates give text or a secret, and say everything that is missing at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncer.errors import ManifestError
from syncer.manifest.read import Project
from syncer.manifest.template import check_template, resolve_connections, resolve_sources, resolve_template
from syncer.secret import Secret

Read = Callable[..., Project]

ENVIRONMENT = {"HOST": "example.com", "KEY": "hush", "LINE": "hush\r\n", "EMPTY": ""}
VARIABLES = {"region": "emea", "year": 2026}


def resolve(text: str) -> tuple[str, list[str]]:
    """Return the value, marked where it is secret, and the faults."""
    value, faults = resolve_template(text, ENVIRONMENT, VARIABLES)
    shown = f"secret {value.reveal()}" if isinstance(value, Secret) else value
    return shown, [f"{fault.code} at {fault.offset}: {fault.detail}" for fault in faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("https://{{ env.HOST }}/{{ var.region }}\n", "https://example.com/emea\n"),
        ("{{ env['HOST'] ~ '-' ~ var.year ~ 7 }}", "example.com-20267"),
        ("{{ env.GONE | default('other') }}", "other"),
        ("{{ env.EMPTY | d(env.HOST) }}", "example.com"),
        ("{{ env.HOST | default('other') }}", "example.com"),
        ("{{ secret.KEY }}", "secret hush"),
        ("Bearer {{ secret.KEY }}", "secret Bearer hush"),
        ("{{ secret.GONE | default(secret.KEY) }}", "secret hush"),
        ("{{ env.GONE | default(secret.KEY) }}", "secret hush"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_a_template_is_resolved(text: str, value: str) -> None:
    """Text stays text, and what touches a secret is one."""
    assert resolve(text) == (value, [])


def test_a_line_end_behind_a_value_is_left_out_with_a_warning() -> None:
    """A secret that was read from a file works, and its owner is told."""
    told = ['M134 at 3: The environment variable "LINE" ends with a line end, which is left out.']
    assert resolve("{{ secret.LINE }}") == ("secret hush", told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ env.GONE }}", 'M133 at 3: The environment variable "GONE" is not set.'),
        ("a {{ secret['EMPTY'] }}", 'M133 at 5: The environment variable "EMPTY" is empty.'),
        ("{{ env.GONE | default(env.EMPTY) }}", 'M133 at 22: The environment variable "EMPTY" is empty.'),
        ("{{ var.regoin }}", 'M132 at 3: The variable "regoin" is not declared in "vars".'),
        ("{{ secret.GONE | default('x') }}", 'M135 at 3: "secret.GONE" has a default that is written in the manifest.'),
    ],
)
def test_what_is_missing_is_told_with_its_name(text: str, told: str) -> None:
    """The variable is named at its place; its value, if any, is not."""
    assert resolve(text)[1] == [told]


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ env.HOST.__class__ }}",
        "{{ env|attr('__class__') }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum(n=100000) }}",
        "{{ self._TemplateReference__context }}",
        "{{ '{0.__class__}'.format(env) }}",
        "{{ 9**(9**9) }}",
        "{{ 'a'*10**9 }}",
        "{{ env.HOST | center(1000000000) }}",
        "{{ env.HOST | default }}",
        "{{ env.HOST | default('a', true) }}",
        "{{ var.region | default('a') }}",
        "{{ none }}",
        "{{ env }}",
        "{{ env[var.region] }}",
        "{{ row.email }}",
        "{% for x in range(99999) %}{{ x }}{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% set env = 1 %}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
    ],
)
def test_nothing_else_is_known(text: str) -> None:
    """No attribute of a Python object, no arithmetic, call, loop or file is in reach."""
    faults, _ = check_template(text, VARIABLES)
    assert {fault.code for fault in faults} == {"M131"}


@pytest.mark.parametrize(
    "text", ["{{", "{{ a b }}", "{% nonsense %}", "{{" + "(" * 3_000 + "}}", "{{ " + "1" * 5_000 + " }}"]
)
def test_a_broken_template_is_told_not_thrown(text: str) -> None:
    """Depth and digits beyond what the parser can do end in the same message."""
    faults, _ = check_template(f"\n{text}", VARIABLES)
    assert [fault.code for fault in faults] == ["M130"]


MANIFEST = """
    version: 1
    vars: { day: monday }
    connections:
      m:
        system: marketo
        base_url: "https://{{ env.HOST }}"
        client_id: "{{ env.ID }}"
        client_secret: "{{ secret.KEY }}"
      s: { system: salesforce, base_url: "{{ env.GONE }}", client_id: x, client_secret: "{{ secret.GONE_TOO }}" }
    sources:
      rows: { file: "data/{{ var.day }}.csv" }
      base: { database: "postgresql://{{ env.HOST }}/{{ secret.KEY }}", sql: select 1 }
      crm: { connection: m, object: lead }
"""


def test_a_connection_is_resolved_and_its_secret_stays_hidden(read: Read) -> None:
    """Whoever prints it sees three stars."""
    project = read(MANIFEST)
    environment = {**ENVIRONMENT, "ID": "client-7\n"}
    done, warnings = resolve_connections(project.manifest, project.positions, ["m"], environment)
    assert (done["m"].base_url, done["m"].client_id) == ("https://example.com", "client-7")
    assert done["m"].client_secret.reveal() == "hush"
    assert "hush" not in f"{done}{done['m']!r}"
    assert [each.code for each in warnings] == ["M134"]


def test_every_missing_variable_is_told_at_once(read: Read) -> None:
    """One round of setting variables is enough; the places are those of the names."""
    project = read(MANIFEST)
    with pytest.raises(ManifestError) as caught:
        resolve_connections(project.manifest, project.positions, ["m", "s"], ENVIRONMENT)
    told = [f"{each.place.line if each.place else 0} {each.detail} {each.advice}" for each in caught.value.diagnostics]
    shell = "Set it in the shell, or as a {} of the CI job."
    assert told == [
        f'7 In "connections.m.client_id": The environment variable "ID" is not set. {shell.format("variable")}',
        f'9 In "connections.s.base_url": The environment variable "GONE" is not set. {shell.format("variable")}',
        f'9 In "connections.s.client_secret": The environment variable "GONE_TOO" is not set. {shell.format("secret")}',
    ]


def test_sources_are_resolved_with_their_database_hidden(read: Read) -> None:
    """A database address may hold a password, so it is a secret whatever it is made of."""
    project = read(MANIFEST)
    done, warnings = resolve_sources(project.manifest, project.positions, ["rows", "base", "crm"], ENVIRONMENT)
    assert (done["rows"].file, done["rows"].database, warnings) == ("data/monday.csv", None, ())
    assert (done["crm"].file, done["crm"].database) == (None, None)
    database = done["base"].database
    assert database is not None
    assert (str(database), database.reveal()) == ("***", "postgresql://example.com/hush")
