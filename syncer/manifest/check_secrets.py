"""Rules about templates and secrets: none is written down, none is in reach of a row, each scope keeps to its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic
from syncer.manifest.positions import written
from syncer.manifest.template import check_template, placed, scope_members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.manifest.known import Known
    from syncer.manifest.positions import Path

_MAY_BE_SECRET = ("client_id", "client_secret", "database")
_LOOKS_SECRET = {
    "a session id of Salesforce": re.compile(r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?![A-Za-z0-9._]{16,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an address with a password": re.compile(r"://[^/\s:@{}]*:[^/\s@{}]+@"),
    "a token": re.compile(r"\b(?:Bearer\s+[A-Za-z0-9._~+/=-]{16,}|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.)"),
}
_WITHOUT_TEMPLATES = ("targets", "operations")


def _load_templates(known: Known) -> Iterator[tuple[Path, str]]:
    for name, connection in known.manifest.connections.items():
        yield ("connections", name, "base_url"), connection.base_url
        yield ("connections", name, "client_id"), connection.client_id
        yield ("connections", name, "client_secret"), connection.client_secret
    for name, source in known.manifest.sources.items():
        for member, text in (("file", source.file), ("database", source.database)):
            if text is not None:
                yield ("sources", name, member), text


def load_templates_are_sound(known: Known) -> Iterator[Diagnostic]:
    """M130 M131 M132 M135: templates of connections and sources can be read, whatever the environment holds."""
    for path, text in _load_templates(known):
        faults, scopes = check_template(text, known.manifest.vars)
        yield from placed(path, faults, known.positions)
        if "secret" in scopes and path[-1] not in _MAY_BE_SECRET:
            detail = f'"{written(path)}" holds a secret, and is shown in plans and reports.'
            yield known.finding("M136", path, detail, 'Use "env" for what is no secret.')


def secrets_are_not_written(known: Known) -> Iterator[Diagnostic]:
    """M135: no secret stands in a manifest. The value is never shown."""
    path: Path
    for name, connection in known.manifest.connections.items():
        _, scopes = check_template(connection.client_secret, known.manifest.vars)
        if "secret" not in scopes:
            path = ("connections", name, "client_secret")
            detail = f'"{written(path)}" does not come from "secret".'
            advice = (
                'Write "{{ secret.NAME }}" and set the environment variable NAME. Renew a secret that was committed.'
            )
            yield known.finding("M135", path, detail, advice)
    for path, node in known.positions.scalars():
        for kind, shape in _LOOKS_SECRET.items():
            if isinstance(node.value, str) and shape.search(node.value):
                detail = f'"{written(path)}" looks like {kind}.'
                advice = "Take it from the environment, and renew it if it was committed."
                yield known.finding("M135", path, detail, advice)


def rows_reach_no_secret(known: Known) -> Iterator[Diagnostic]:
    """M136: `env` and `secret` are unknown to mappings."""
    for name, mapping in known.manifest.mappings.items():
        for field, value in mapping.fields.items():
            text = value.value if isinstance(value.value, str) else ""
            for scope, member in sorted(scope_members(text)):
                if scope != "var":
                    path = ("mappings", name, field, "value")
                    detail = f'The mapping "{name}" reads "{scope}.{member}"; mappings read columns and "var" only.'
                    place = known.positions.inside(path, max(text.find(scope), 0))
                    yield Diagnostic("M136", detail, place, 'Use a column, or a variable of "vars".')


def templates_stand_where_they_work(known: Known) -> Iterator[Diagnostic]:
    """M137: a template in a member that takes none would be sent as it is."""
    for path, node in known.positions.scalars():
        if path[0] in _WITHOUT_TEMPLATES and path[-1] != "because" and "{{" in str(node.value):
            detail = f'"{written(path)}" holds a template, and takes plain text.'
            advice = "Templates work in connections, sources and mappings. Write the value out."
            yield known.finding("M137", path, detail, advice)
