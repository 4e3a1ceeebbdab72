"""The part of SOQL that a loader reads with: SELECT of fields and parents, WHERE, ORDER BY, LIMIT, OFFSET and COUNT().

*SOQL and SOSL Reference*. The parser turns text into a `Query`; nothing here knows HTTP or pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncer.sandbox.salesforce.field import DECIMAL_KINDS, TEXT_KINDS, Field
from syncer.sandbox.salesforce.ids import parse_id
from syncer.sandbox.salesforce.recordio import value_of
from syncer.sandbox.salesforce.refusal import Refusal
from syncer.sandbox.salesforce.store import Record, Store, Table
from syncer.sandbox.salesforce.value import reader

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*')
    |(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)
    |(?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_][\w.]*)
    |(?P<sign><=|>=|!=|<>|[=<>(),]))""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_HINT = (
    " If you are attempting to use a custom {what}, be sure to append the '__c' after the {name} name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
Test = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or a field of a parent: `Email`, `Account.Crm_Key__c`."""

    text: str
    field: Field
    via: Field | None = None
    parent: Table | None = None


@dataclass(slots=True)
class Query:
    """A query that is ready to run."""

    table: Table
    paths: list[Path]
    is_count: bool = False
    test: Test | None = None
    candidates: Callable[[], Iterable[str]] | None = None
    order: list[tuple[Path, bool, bool]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    def run(self, *, with_deleted: bool = False) -> list[Record]:
        """The records that match, in order."""
        rows = self.table.rows
        records: Iterable[Record] = rows.values()
        if with_deleted:
            records = [*rows.values(), *self.table.deleted.values()]
        elif self.candidates is not None:
            records = [rows[each] for each in dict.fromkeys(self.candidates()) if each in rows]
        chosen = [record for record in records if self.test is None or self.test(record)]
        for path, is_descending, nulls_last in reversed(self.order):
            chosen.sort(key=lambda record, path=path: _sort_key(self.get(record, path)), reverse=is_descending)  # type: ignore[misc]
            chosen.sort(
                key=lambda record, path=path, last=nulls_last: (self.get(record, path) is None) == last  # type: ignore[misc]
            )
        end = None if self.limit is None else self.offset + self.limit
        return chosen[self.offset : end]

    def get(self, record: Record, path: Path) -> Any:
        """The value at a path, through the parent if there is one."""
        return get(self.table, record, path)


def get(table: Table, record: Record, path: Path) -> Any:
    """The value at a path of a record."""
    if path.via is None:
        return value_of(table, record, path.field)
    parent = path.parent.rows.get(record.get(path.via.name, "")) if path.parent else None
    return None if parent is None or path.parent is None else value_of(path.parent, parent, path.field)


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value.lower() if isinstance(value, str) else value)


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the tokens of one query."""

    store: Store
    text: str
    tokens: list[tuple[str, str, int]] = field(default_factory=list)
    at: int = 0
    table: Table | None = None
    indexed: list[tuple[Field, list[str]]] = field(default_factory=list)

    def tokenize(self) -> None:
        position = 0
        text = self.text.rstrip()
        while position < len(text):
            matched = _TOKEN.match(text, position)
            if matched is None:
                raise _malformed(text[position:].split()[0])
            kind = matched.lastgroup or ""
            self.tokens.append((kind, matched[kind], matched.start(kind)))
            position = matched.end()

    def peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def take(self) -> tuple[str, str, int]:
        if self.at >= len(self.tokens):
            raise _malformed("<EOF>")
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Step over these words if they come next."""
        coming = [token[1].upper() for token in self.tokens[self.at : self.at + len(words)]]
        if coming != list(words):
            return False
        self.at += len(words)
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise _malformed(self.tokens[self.at][1] if self.at < len(self.tokens) else "<EOF>")

    def parse(self) -> Query:
        self.tokenize()
        self.expect("SELECT")
        is_count = self.accept("COUNT", "(", ")")
        named = [] if is_count else self.names()
        self.expect("FROM")
        _, object_name, position = self.take()
        table = self.store.table(object_name)
        if table is None:
            message = f"sObject type '{object_name}' is not supported."
            hint = _HINT.format(what="object", name="entity")
            raise Refusal(400, "INVALID_TYPE", self._excerpt(position, message + hint))
        self.table = table
        query = Query(table, [self.path(name, position) for name, position in named], is_count)
        if self.accept("WHERE"):
            query.test = self.any_of(is_top=True)
            if self.indexed:
                key, values = self.indexed[0]
                query.candidates = lambda: (each for value in values for each in table.find(key, value))
        if self.accept("ORDER", "BY"):
            query.order = self.ordering()
        if self.accept("LIMIT"):
            query.limit = self.count()
        if self.accept("OFFSET"):
            query.offset = self.count()
        if self.at < len(self.tokens):
            raise _malformed(self.tokens[self.at][1])
        return query

    def names(self) -> list[tuple[str, int]]:
        named = []
        while True:
            kind, name, position = self.take()
            if kind != "name":
                raise _malformed(name)
            named.append((name, position))
            if not self.accept(","):
                return named

    def count(self) -> int:
        kind, number, _ = self.take()
        if kind != "number" or not number.isdigit():
            raise _malformed(number)
        return int(number)

    def _excerpt(self, position: int, message: str) -> str:
        return f"\n{self.text}\n{' ' * position}^\nERROR at Row:1:Column:{position + 1}\n{message}"

    def path(self, name: str, position: int) -> Path:
        """Match a name to a field of the object or of a parent."""
        table = self.table
        if table is None:
            raise _malformed(name)
        head, dot, tail = name.partition(".")
        if dot and head.lower() == table.type.name.lower() and head.lower() not in table.type.by_relation:
            return self.path(tail, position)
        via = table.type.by_relation.get(head.lower()) if dot else None
        parent = self.store.table(via.parents[-1]) if via else None
        found = (parent.type.find(tail) if parent else None) if dot else table.type.find(name)
        if found is None:
            column = tail if parent else name
            entity = parent.type.name if parent else table.type.name
            message = f"No such column '{column}' on entity '{entity}'."
            hint = _HINT.format(what="field", name="custom field")
            raise Refusal(400, "INVALID_FIELD", self._excerpt(position, message + hint))
        text = f"{via.relation}.{found.name}" if via else found.name
        return Path(text, found, via, parent)

    def ordering(self) -> list[tuple[Path, bool, bool]]:
        order = []
        while True:
            _, name, position = self.take()
            path = self.path(name, position)
            is_descending = self.accept("DESC")
            if not is_descending:
                self.accept("ASC")
            nulls_last = is_descending
            if self.accept("NULLS", "LAST"):
                nulls_last = True
            elif self.accept("NULLS", "FIRST"):
                nulls_last = False
            order.append((path, is_descending, nulls_last))
            if not self.accept(","):
                return order

    def any_of(self, *, is_top: bool = False) -> Test:
        start = len(self.indexed)
        tests = [self.all_of()]
        while self.accept("OR"):
            tests.append(self.all_of())
        if len(tests) == 1 and is_top:
            return tests[0]
        if len(tests) > 1:
            del self.indexed[start:]
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def all_of(self) -> Test:
        tests = [self.one()]
        while self.accept("AND"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def one(self) -> Test:
        if self.accept("NOT"):
            start = len(self.indexed)
            inner = self.one()
            del self.indexed[start:]
            return lambda record: not inner(record)
        if self.accept("("):
            nested = self.any_of()
            self.expect(")")
            return nested
        return self.comparison()

    def comparison(self) -> Test:
        kind, name, position = self.take()
        if kind != "name":
            raise _malformed(name)
        path = self.path(name, position)
        if self.accept("NOT", "IN"):
            values = frozenset(self.values(path))
            return self._test(path, lambda value: value not in values)
        if self.accept("IN"):
            listed = self.values(path)
            self._note(path, listed)
            members = frozenset(listed)
            return self._test(path, lambda value: value in members)
        if self.accept("LIKE"):
            pattern = _like(str(self.literal(path) or ""))
            return self._test(path, lambda value: value is not None and pattern.fullmatch(str(value)) is not None)
        _, sign, _ = self.take()
        if sign not in {"=", "!=", "<>", "<", "<=", ">", ">="}:
            raise _malformed(sign)
        wanted = self.literal(path)
        if sign == "=":
            self._note(path, [wanted])
            return self._test(path, lambda value: value == wanted)
        if sign in {"!=", "<>"}:
            return self._test(path, lambda value: value != wanted)
        return self._test(path, _ORDERED[sign](wanted))

    def _note(self, path: Path, values: Sequence[Any]) -> None:
        """Remember a comparison that an index can answer."""
        is_indexed = path.field.kind == "id" or path.field.is_key or path.field.is_unique
        if path.via is None and is_indexed and all(isinstance(value, str) for value in values):
            self.indexed.append((path.field, list(values)))

    def _test(self, path: Path, holds: Callable[[Any], bool]) -> Test:
        table = self.table
        fold = path.field.kind in TEXT_KINDS and not path.field.is_case_sensitive

        def test(record: Record) -> bool:
            if table is None:
                return False
            value = get(table, record, path)
            return holds(value.lower() if fold and value is not None else value)

        return test

    def values(self, path: Path) -> list[Any]:
        self.expect("(")
        values = [self.literal(path)]
        while self.accept(","):
            values.append(self.literal(path))
        self.expect(")")
        return values

    def literal(self, path: Path) -> Any:
        """A literal in the form in which the field's values are compared."""
        kind, text, _ = self.take()
        own = path.field
        if kind == "name" and text.upper() == "NULL":
            return None
        if kind == "name" and text.upper() in {"TRUE", "FALSE"} and own.kind == "boolean":
            return text.upper() == "TRUE"
        if kind == "number" and (own.kind in DECIMAL_KINDS or own.kind == "int"):
            return float(text)
        if kind == "moment" and own.kind in {"date", "datetime"}:
            try:
                return reader(own)(text)
            except ValueError:
                pass
        if kind == "text" and (own.kind in TEXT_KINDS or own.kind in {"id", "reference"}):
            plain = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
            if own.kind in {"id", "reference"}:
                return parse_id(plain) or plain
            return plain if own.is_case_sensitive else plain.lower()
        message = f"value of filter criterion for field '{own.name}' must be of type {own.kind} and should "
        message += "not be enclosed in quotes" if kind == "text" else "be enclosed in quotes"
        raise Refusal(400, "INVALID_FIELD", message)


_ORDERED: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "<": lambda wanted: lambda value: value is not None and wanted is not None and value < wanted,
    "<=": lambda wanted: lambda value: value is not None and wanted is not None and value <= wanted,
    ">": lambda wanted: lambda value: value is not None and wanted is not None and value > wanted,
    ">=": lambda wanted: lambda value: value is not None and wanted is not None and value >= wanted,
}


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(character, re.escape(character)) for character in pattern), re.DOTALL)


def _malformed(token: str) -> Refusal:
    return Refusal(400, "MALFORMED_QUERY", f"unexpected token: {token}")


def parse_query(store: Store, text: str) -> Query:
    """Read a query; Refusal says what the vendor says of one that it cannot run."""
    return _Parser(store, text).parse()
