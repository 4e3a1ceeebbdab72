"""Load-time templates: `env`, `secret` and `var` in connections and sources, and nothing else.

Jinja's sandboxed parser reads them and this module walks the tree, so no code is made and no attribute of a Python
object is in reach. Allowed are the three scopes' members, constants, `~` and `default`. What touches `secret` becomes a
`Secret`. Nothing here reads the environment: it is handed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncer.diagnostics import Diagnostic, Severity, in_order
from syncer.errors import ManifestError
from syncer.facts import System
from syncer.manifest.nearest import did_you_mean
from syncer.manifest.positions import written
from syncer.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from syncer.manifest.models import Connection, Manifest, Source
    from syncer.manifest.positions import Path, Positions

SCOPES = ("env", "secret", "var")
_PARSER = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
_ALLOWED = 'Use "env", "secret" and "var" with a name, text, "~" and the filter "default".'


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a template, at an offset of its text."""

    code: str
    offset: int
    detail: str
    advice: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class _Value:
    """The value of an expression; None where a variable is not set."""

    text: str | None
    is_secret: bool = False


@dataclass(slots=True)
class _Walk:
    """One walk over a template. Without `environment`, variables are taken as set: only the form is looked at."""

    source: str
    variables: Mapping[str, object]
    environment: Mapping[str, str] | None
    found: list[Fault] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)

    def render(self) -> _Value:
        tree = _parse(self.source)
        if isinstance(tree, int):
            detail = "The template cannot be read: a brace, a quote or an operator is not where Jinja wants it."
            self.found.append(Fault("M130", tree, detail))
            return _Value("")
        parts: list[_Value] = []
        for output in tree.body:
            if isinstance(output, nodes.Output):
                parts += [self.value(each) for each in output.nodes]
            else:
                self.refuse(output)
        return self.joined(parts)

    def joined(self, parts: Iterable[_Value]) -> _Value:
        parts = list(parts)
        return _Value("".join(part.text or "" for part in parts), any(part.is_secret for part in parts))

    def value(self, node: nodes.Node) -> _Value:
        if isinstance(node, nodes.TemplateData):
            return _Value(node.data)
        if isinstance(node, nodes.Const) and isinstance(node.value, str | int | float):
            return _Value(str(node.value))
        if isinstance(node, nodes.Concat):
            return self.joined(self.value(each) for each in node.nodes)
        if isinstance(node, nodes.Filter) and node.name in {"default", "d"} and len(node.args) == 1 and not node.kwargs:
            return self.with_default(node.node, node.args[0])
        member = scope_member(node)
        if member is None:
            return self.refuse(node)
        value = self.member(*member)
        if value.text is None:
            self.report_unset(*member)
        return value

    def with_default(self, node: nodes.Node | None, instead: nodes.Node) -> _Value:
        """Take the default where a variable is not set or is empty; a secret's default must be a secret too."""
        member = scope_member(node)
        if node is None or member is None or member[0] == "var":
            return self.refuse(node or instead)
        value = self.member(*member)
        if value.text:
            return value
        default = self.value(instead)
        if value.is_secret and not default.is_secret:
            detail = f'"secret.{member[1]}" has a default that is written in the manifest.'
            self.found.append(Fault("M135", self.offset(*member), detail, "Remove the default."))
        return _Value(default.text, value.is_secret or default.is_secret)

    def member(self, scope: str, name: str) -> _Value:
        self.scopes.add(scope)
        if scope == "var":
            if name not in self.variables:
                detail = f'The variable "{name}" is not declared in "vars".'
                self.found.append(
                    Fault("M132", self.offset(scope, name), detail, did_you_mean(name, self.variables, "variable"))
                )
            return _Value(str(self.variables.get(name, "")))
        if self.environment is None:
            return _Value("", is_secret=scope == "secret")
        text = self.environment.get(name, "")
        stripped = text.rstrip("\r\n")
        if stripped != text:
            detail = f'The environment variable "{name}" ends with a line end, which is left out.'
            advice = "Set it without the line end."
            self.found.append(Fault("M134", self.offset(scope, name), detail, advice, Severity.WARNING))
        return _Value(stripped or None, is_secret=scope == "secret")

    def report_unset(self, scope: str, name: str) -> None:
        is_empty = self.environment is not None and name in self.environment
        detail = f'The environment variable "{name}" is {"empty" if is_empty else "not set"}.'
        kind = "secret" if scope == "secret" else "variable"
        advice = f"Set it in the shell, or as a {kind} of the CI job."
        self.found.append(Fault("M133", self.offset(scope, name), detail, advice))

    def refuse(self, node: nodes.Node) -> _Value:
        names = [each.name for each in (node, *node.find_all(nodes.Name)) if isinstance(each, nodes.Name)]
        unknown = next((name for name in names if name not in SCOPES), None)
        detail = "The template uses something that is not known when manifests are loaded."
        if unknown:
            detail = f'The template uses "{unknown}", which is not known when manifests are loaded.'
        offset = max(self.source.find(unknown), 0) if unknown else 0
        self.found.append(Fault("M131", offset, detail, _ALLOWED))
        return _Value("")

    def offset(self, scope: str, name: str) -> int:
        found = re.search(rf"\b{scope}\s*[.\[]\s*['\"]?{re.escape(name)}\b", self.source)
        return found.start() if found else 0


def _parse(text: str) -> nodes.Template | int:
    """Return the tree of a template, or the offset of the line where it cannot be read."""
    try:
        return _PARSER.parse(text)
    except TemplateSyntaxError as error:
        return sum(len(line) + 1 for line in text.split("\n")[: error.lineno - 1])
    except (RecursionError, ValueError):
        return 0


def scope_member(node: nodes.Node | None) -> tuple[str, str] | None:
    """Return scope and name of `env.NAME` or `env["NAME"]`, None for everything else."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        scope, name = node.node.name, node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
        scope, name = node.node.name, str(node.arg.value)
    else:
        return None
    return (scope, name) if scope in SCOPES else None


def scope_members(text: str) -> set[tuple[str, str]]:
    """Return every member of a load-time scope that any template names; none where it cannot be parsed.

    A method of a column that happens to be called like a scope is no member: `env.strip()`.
    """
    tree = _parse(text)
    if isinstance(tree, int):
        return set()
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    found = {scope_member(node) for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if id(node) not in called}
    return {member for member in found if member is not None}


def check_template(text: str, variables: Mapping[str, object]) -> tuple[list[Fault], set[str]]:
    """Return what is wrong with a template whatever the environment holds, and the scopes that it uses."""
    walk = _Walk(text, variables, None)
    walk.render()
    return walk.found, walk.scopes


def resolve_template(
    text: str, environment: Mapping[str, str], variables: Mapping[str, object]
) -> tuple[str | Secret, list[Fault]]:
    """Return a template's value, a `Secret` where it touches one, and the faults; after an error it means nothing."""
    walk = _Walk(text, variables, environment)
    value = walk.render()
    resolved = value.text or ""
    return (Secret(resolved) if value.is_secret else resolved), walk.found


@dataclass(frozen=True, slots=True)
class ResolvedConnection:
    """A connection with its values. `declared` keeps what needs no template: the budget, versions, habits."""

    name: str
    system: System
    base_url: str
    client_id: str = field(repr=False)
    client_secret: Secret
    declared: Connection


@dataclass(frozen=True, slots=True)
class ResolvedSource:
    """A source with its values. A database address is a secret whatever it is made of."""

    name: str
    file: str | None
    database: Secret | None
    declared: Source


def resolve_connections(
    manifest: Manifest, positions: Positions, names: Iterable[str], environment: Mapping[str, str]
) -> tuple[dict[str, ResolvedConnection], tuple[Diagnostic, ...]]:
    """Return the connections of these names, and warnings; raises `ManifestError` with all that is missing."""
    resolve = _Resolver(manifest, positions, environment)
    done = {}
    for name in names:
        connection = manifest.connections[name]
        done[name] = ResolvedConnection(
            name,
            System(connection.system),
            resolve.text(("connections", name, "base_url"), connection.base_url),
            resolve.text(("connections", name, "client_id"), connection.client_id),
            Secret(resolve.text(("connections", name, "client_secret"), connection.client_secret)),
            connection,
        )
    return done, resolve.finish()


def resolve_sources(
    manifest: Manifest, positions: Positions, names: Iterable[str], environment: Mapping[str, str]
) -> tuple[dict[str, ResolvedSource], tuple[Diagnostic, ...]]:
    """Return the sources of these names, and warnings; raises `ManifestError` with all that is missing."""
    resolve = _Resolver(manifest, positions, environment)
    done = {}
    for name in names:
        source = manifest.sources[name]
        file = None if source.file is None else resolve.text(("sources", name, "file"), source.file)
        database = None if source.database is None else resolve.text(("sources", name, "database"), source.database)
        done[name] = ResolvedSource(name, file, None if database is None else Secret(database), source)
    return done, resolve.finish()


@dataclass(slots=True)
class _Resolver:
    manifest: Manifest
    positions: Positions
    environment: Mapping[str, str]
    found: list[Diagnostic] = field(default_factory=list)

    def text(self, path: Path, template: str) -> str:
        value, faults = resolve_template(template, self.environment, self.manifest.vars)
        self.found += placed(path, faults, self.positions)
        return value.reveal() if isinstance(value, Secret) else value

    def finish(self) -> tuple[Diagnostic, ...]:
        """Return the warnings, or raise everything."""
        found = in_order(self.found)
        if any(each.severity is Severity.ERROR for each in found):
            raise ManifestError(found)
        return found


def placed(path: Path, faults: Iterable[Fault], positions: Positions) -> Iterator[Diagnostic]:
    """Yield the faults of the template at `path` as diagnostics."""
    for fault in faults:
        yield Diagnostic(
            fault.code,
            f'In "{written(path)}": {fault.detail}',
            positions.inside(path, fault.offset),
            fault.advice,
            severity=fault.severity,
        )
