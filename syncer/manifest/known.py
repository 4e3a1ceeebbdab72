"""What the rules of `check` look at: the manifest, where it stands, and what is known of the world around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic, Severity
from syncer.manifest.models import SalesforceConnection
from syncer.manifest.nearest import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from syncer.capability import Capabilities
    from syncer.facts import ObjectSchema
    from syncer.manifest.models import Connection, FieldMapping, Manifest, Operation, Target
    from syncer.manifest.positions import Path, Positions


@dataclass(frozen=True, slots=True)
class Joined:
    """One operation whose target and connection exist."""

    name: str
    operation: Operation
    target: Target
    connection: Connection

    @property
    def is_salesforce(self) -> bool:
        """Whether the connection is a Salesforce org."""
        return isinstance(self.connection, SalesforceConnection)

    @property
    def path(self) -> Path:
        """Where the operation is written."""
        return ("operations", self.name)


@dataclass(frozen=True, slots=True)
class Known:
    """A project and its surroundings. An object, header or path that is missing here is not known, not wrong."""

    manifest: Manifest
    positions: Positions
    schemas: Mapping[tuple[str, str], ObjectSchema]
    columns: Mapping[str, Sequence[str]]
    capabilities: Mapping[tuple[str, str], Capabilities]

    def finding(self, code: str, path: Path, detail: str, advice: str = "", command: str = "") -> Diagnostic:
        """Return an error at a member's value."""
        return Diagnostic(code, detail, self.positions.at(*path), advice, command)

    def named(self, code: str, path: Path, detail: str, advice: str = "") -> Diagnostic:
        """Return an error at a member's name."""
        return Diagnostic(code, detail, self.positions.name(*path), advice)

    def warning(self, code: str, path: Path, detail: str, advice: str = "") -> Diagnostic:
        """Return a warning at a member's name."""
        return Diagnostic(code, detail, self.positions.name(*path), advice, severity=Severity.WARNING)

    def hint(self, name: str, section: str, known: Iterable[str], kind: str) -> str:
        """Return the nearest name with the place of its declaration, or what there is."""
        names = list(known)
        close = nearest(name, names)
        if close:
            return f'Did you mean "{close}", declared at {self.positions.name(section, close)}?'
        return did_you_mean(name, names, kind)

    def joined(self) -> Iterator[Joined]:
        """Yield the operations whose target and connection exist."""
        for name, operation in self.manifest.operations.items():
            target = self.manifest.targets.get(operation.target)
            connection = self.manifest.connections.get(target.connection) if target else None
            if target and connection:
                yield Joined(name, operation, target, connection)

    def fields(self, mapping: str) -> dict[str, tuple[str, FieldMapping]]:
        """Return a mapping's fields, those it extends first, each with the mapping that wrote it."""
        found: dict[str, tuple[str, FieldMapping]] = {}
        self._gather(mapping, found, ())
        return found

    def _gather(self, name: str, found: dict[str, tuple[str, FieldMapping]], above: tuple[str, ...]) -> None:
        mapping = self.manifest.mappings.get(name)
        if mapping is None or name in above:
            return
        for base in mapping.extends:
            self._gather(base, found, (*above, name))
        found |= {field: (name, value) for field, value in mapping.fields.items()}


def cycles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield each cycle that a walk over `edges` meets, from its first node back to it."""
    done: set[str] = set()
    for start in edges:
        trail: list[str] = []
        waiting = [(start, iter(edges[start]))] if start not in done else []
        trail += [start for _ in waiting]
        while waiting:
            node, below = waiting[-1]
            following = next(below, None)
            if following is None:
                waiting.pop()
                trail.pop()
                done.add(node)
            elif following in trail:
                yield [*trail[trail.index(following) :], following]
            elif following in edges and following not in done:
                waiting.append((following, iter(edges[following])))
                trail.append(following)
