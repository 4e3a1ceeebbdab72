"""A template's text becomes a typed tree, or a list of problems with their places inside the text.

Jinja's own parser reads it; this file gives each piece its meaning from the finite list of the dialect, and refuses the rest.
It evaluates nothing: no attribute is looked up, no function is called, nothing comes from the environment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncer.mapping import resolve
from syncer.mapping.dialect import names
from syncer.mapping.dialect.entry import NUMBERS, Kind, Type, Value
from syncer.mapping.resolve import Misfit
from syncer.mapping.tree import (
    BROKEN,
    NULL,
    Both,
    Choose,
    Column,
    Concat,
    Constant,
    Node,
    Not,
    Truth,
    is_nullable,
    walk,
)

ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
"""Only its parser is used here; block tags on a line of their own leave no line behind."""
DEEPEST = 60
_LAST_SURROGATE = 0xDFFF
_FIRST_SURROGATE = 0xD800
_CLOCKS = ("now", "today", "utcnow", "random", "uuid", "uuid4", "time")
_OPERATORS = {
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
    "FloorDiv": "//",
    "Mod": "%",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
}
_ORDER = ("<", "<=", ">", ">=")
_TESTS = {
    "eq": "==",
    "equalto": "==",
    "==": "==",
    "ne": "!=",
    "!=": "!=",
    "lt": "<",
    "lessthan": "<",
    "<": "<",
    "le": "<=",
    "<=": "<=",
    "gt": ">",
    "greaterthan": ">",
    ">": ">",
    "ge": ">=",
    ">=": ">=",
}
_STATEMENTS = {
    nodes.For: "for",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.With: "with",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at an offset of the template's text."""

    code: str
    detail: str
    offset: int
    advice: str = ""


@dataclass(frozen=True, slots=True)
class LookupUse:
    """A column that another source gives: `take` of the row whose `match` equals the value."""

    alias: str
    source: str
    match: str
    take: str
    value: Node


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of a row template: the source's columns, the project's `var`, and the sources that `lookup` may read."""

    columns: Mapping[str, Type]
    variables: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Type]] = dataclasses.field(default_factory=dict)
    field: str = ""
    """The field that the template is for: lookups are named after it."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree, what it looks up elsewhere, and the problems; with problems the tree means nothing."""

    tree: Node
    lookups: tuple[LookupUse, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse(template: str, scope: Scope) -> Parsed:
    """Return the template's meaning in this scope. A template that is one expression keeps its type, any other is text."""
    try:
        body = ENVIRONMENT.parse(template).body
    except TemplateSyntaxError as error:
        offset = _line_start(template, error.lineno)
        return Parsed(
            BROKEN,
            problems=(Problem("M301", f"Jinja cannot read the template: {error.message}.".replace("..", "."), offset),),
        )
    except RecursionError:
        return Parsed(BROKEN, problems=(_too_deep(),))
    reader = _Reader(template, scope)
    try:
        tree = reader.body(body, is_whole=True)
    except RecursionError:
        return Parsed(BROKEN, problems=(_too_deep(),))
    return Parsed(tree, tuple(reader.lookups.values()), tuple(reader.problems))


def _too_deep() -> Problem:
    return Problem("M312", f"The template is nested deeper than {DEEPEST} levels.", 0)


def _line_start(template: str, line: int) -> int:
    return sum(map(len, template.splitlines(keepends=True)[: line - 1]))


class _Reader:
    """Reads one template; collects problems as it goes."""

    def __init__(self, template: str, scope: Scope) -> None:
        self.template = template
        self.scope = scope
        self.problems: list[Problem] = []
        self.lookups: dict[tuple[Node, str, str, str], LookupUse] = {}
        self.depth = 0

    def broken(self, code: str, node: nodes.Node, detail: str, advice: str = "", word: str = "") -> Node:
        """Note a problem; whatever is built on it stays silent."""
        start = _line_start(self.template, node.lineno)
        found = self.template.find(word, start) if word else start
        self.problems.append(Problem(code, detail, max(found, start), advice))
        return BROKEN

    def guarded(
        self, node: nodes.Node, word: str, kind: Kind, subject: Node, *arguments: Node, **options: Node
    ) -> Node:
        """Apply an entry; a misfit becomes a problem at the word."""
        try:
            return resolve.apply(kind, word, subject, arguments, options)
        except Misfit as misfit:
            return self.broken(misfit.code, node, misfit.detail, misfit.advice, word.strip("[]"))

    def body(self, parts: Sequence[nodes.Node], *, is_whole: bool = False) -> Node:
        """Return output and `if` blocks put together."""
        pieces: list[Node] = []
        for part in parts:
            if isinstance(part, nodes.Output):
                if (
                    is_whole
                    and len(parts) == 1
                    and len(part.nodes) == 1
                    and not isinstance(part.nodes[0], nodes.TemplateData)
                ):
                    return self.value(part.nodes[0])
                pieces += [self.piece(each) for each in part.nodes]
            elif isinstance(part, nodes.If):
                pieces.append(self.block(part))
            else:
                word = _STATEMENTS.get(type(part), "this statement")
                advice = (
                    "Mappings know expressions and if blocks; shape rows with SQL in the source where more is needed."
                )
                pieces.append(self.broken("M306", part, f'"{word}" is not allowed in a mapping.', advice, word))
        if len(pieces) == 1 and isinstance(pieces[0], Constant | Choose) and pieces[0].type is Type.TEXT:
            return pieces[0]
        return Concat(tuple(pieces)) if pieces else Constant("", Type.TEXT)

    def piece(self, part: nodes.Node) -> Node:
        """Return one piece of mixed text."""
        if isinstance(part, nodes.TemplateData):
            return self.literal(part, part.data)
        return self.printed(part, self.value(part))

    def printed(self, part: nodes.Node, node: Node) -> Node:
        """Return the node as text."""
        try:
            return resolve.printed(node)
        except Misfit as misfit:
            return self.broken(misfit.code, part, misfit.detail, misfit.advice)

    def block(self, part: nodes.If) -> Node:
        """Return an `if` block: text, whatever its branches hold."""
        branches = [(self.condition(each.test), self.body(each.body)) for each in (part, *part.elif_)]
        return resolve.choose(branches, self.body(part.else_))

    def condition(self, part: nodes.Node) -> Node:
        """Return whether the part counts as true: boolean and never null."""
        match part:
            case nodes.And() | nodes.Or():
                return Both(self.condition(part.left), self.condition(part.right), isinstance(part, nodes.And))
            case nodes.Not():
                return Not(self.condition(part.node))
        return self.truth(self.value(part))

    def truth(self, node: Node) -> Node:
        """Return the truth of a value."""
        if isinstance(node, Choose) and node.type is Type.MIXED:
            branches = tuple((test, self.truth(value)) for test, value in node.branches)
            return Choose(branches, self.truth(node.otherwise), Type.BOOLEAN)
        return node if node.type is Type.BOOLEAN and not is_nullable(node) else Truth(node)

    def value(self, part: nodes.Node) -> Node:
        """Return the meaning of an expression."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise RecursionError
            return self._value(part)
        finally:
            self.depth -= 1

    def _value(self, part: nodes.Node) -> Node:  # noqa: C901, PLR0911 - one line for each kind of expression
        match part:
            case nodes.Const():
                return self.literal(part, part.value)
            case nodes.Name():
                return self.name(part)
            case nodes.Getattr():
                return self.attribute(part)
            case nodes.Getitem():
                return self.item(part)
            case nodes.Filter():
                return self.filter(part)
            case nodes.Test():
                return self.test(part)
            case nodes.Call():
                return self.call(part)
            case nodes.Compare():
                return self.comparison(part)
            case nodes.Not():
                return self.condition(part)
            case nodes.And() | nodes.Or():
                return self.either(part)
            case nodes.CondExpr():
                otherwise = NULL if part.expr2 is None else self.value(part.expr2)
                return resolve.choose([(self.condition(part.test), self.value(part.expr1))], otherwise)
            case nodes.Concat():
                return Concat(tuple(self.printed(each, self.value(each)) for each in part.nodes))
            case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                return self.operator(
                    part, _OPERATORS[type(part).__name__], self.value(part.left), self.value(part.right)
                )
            case nodes.Neg():
                return self.negative(part)
            case nodes.Pos():
                return self.value(part.node)
            case nodes.List() | nodes.Tuple():
                return self.listed(part)
            case nodes.Pow():
                return self.broken("M306", part, '"**" is not allowed in a mapping.', word="**")
        return self.broken(
            "M306", part, f"An expression of the kind {type(part).__name__} is not allowed in a mapping."
        )

    def literal(self, part: nodes.Node, value: object) -> Node:
        """Return a constant; text must be sendable, a whole number must have 64 bits."""
        match value:
            case None:
                return NULL
            case bool():
                return Constant(value, Type.BOOLEAN)
            case int() if -(2**63) <= value < 2**63:
                return Constant(value, Type.INTEGER)
            case float() if value - value == 0:
                return Constant(value, Type.FLOAT)
            case str() if not any(c == "\0" or _FIRST_SURROGATE <= ord(c) <= _LAST_SURROGATE for c in value):
                return Constant(value, Type.TEXT)
            case str():
                return self.broken("M305", part, "A text of the template holds NUL or a half of a surrogate pair.")
        return self.broken("M305", part, "A number of the template is too large.")

    def name(self, part: nodes.Name) -> Node:
        """Return a column by its bare name."""
        return self.column(part, part.name)

    def column(self, part: nodes.Node, name: str) -> Node:
        """Return a column of the row."""
        if name in self.scope.columns:
            return Column(name, self.scope.columns[name])
        if name in ("env", "secret"):
            return self.secret(part, name)
        detail = f'The source has no column "{name}".'
        return self.broken("M302", part, detail, resolve.nearest(name, tuple(self.scope.columns)), name)

    def secret(self, part: nodes.Node, name: str) -> Node:
        """Refuse what belongs to connections."""
        return self.broken(
            "M307",
            part,
            f'"{name}" exists in connections and sources only; a mapping sees columns and "var".',
            word=name,
        )

    def variable(self, part: nodes.Node, name: str) -> Node:
        """Return a project variable as a constant."""
        if name not in self.scope.variables:
            detail = f'"vars" has no "{name}".'
            return self.broken("M310", part, detail, resolve.nearest(name, tuple(self.scope.variables)), name)
        return self.literal(part, self.scope.variables[name])

    def member(self, part: nodes.Getattr | nodes.Getitem, name: str) -> Node | None:
        """Return `row.x`, `var.x`, or the refusal of `env.x`; None where the subject is a value."""
        if not isinstance(part.node, nodes.Name):
            return None
        match part.node.name:
            case "row" if "row" not in self.scope.columns:
                return self.column(part, name)
            case "var" if "var" not in self.scope.columns:
                return self.variable(part, name)
            case ("env" | "secret") as space if space not in self.scope.columns:
                return self.secret(part, space)
        return None

    def attribute(self, part: nodes.Getattr) -> Node:
        """Return a member of a name space; values have no attributes."""
        found = self.member(part, part.attr)
        if found is not None:
            return found
        detail = f'A value has no attribute "{part.attr}" in a mapping.'
        return self.broken("M303", part, detail, resolve.nearest(part.attr, names(Kind.METHOD)), part.attr)

    def item(self, part: nodes.Getitem) -> Node:
        """Return `row["x"]`, `x[0]` or `x[1:3]`."""
        if isinstance(part.arg, nodes.Const) and isinstance(part.arg.value, str):
            found = self.member(part, part.arg.value)
            if found is not None:
                return found
        subject = self.value(part.node)
        if not isinstance(part.arg, nodes.Slice):
            return self.guarded(part, "[index]", Kind.OPERATOR, subject, self.value(part.arg))
        if part.arg.step is not None:
            return self.broken("M304", part, "A slice has no step in a mapping.")
        start, stop = (NULL if each is None else self.value(each) for each in (part.arg.start, part.arg.stop))
        low, high = (each.value if isinstance(each, Constant) else None for each in (start, stop))
        if isinstance(low, int) and isinstance(high, int) and low < 0 < high:
            return self.broken("M304", part, "A slice cannot count its start from the end and its stop from the start.")
        return self.guarded(part, "[start:stop]", Kind.OPERATOR, subject, start, stop)

    def negative(self, part: nodes.Neg) -> Node:
        """Return a number with its sign turned; a literal stays a literal."""
        if isinstance(part.node, nodes.Const) and type(part.node.value) in (int, float):
            return self.literal(part, -part.node.value)
        number = self.value(part.node)
        zero = resolve.coerced(Constant(0, Type.INTEGER), number.type) if number.type in NUMBERS else NULL
        return self.operator(part, "-", zero, number)

    def arguments(self, part: nodes.Filter | nodes.Test | nodes.Call) -> tuple[list[Node], dict[str, Node]]:
        """Return the arguments; unpacking has no meaning here."""
        if part.dyn_args is not None or part.dyn_kwargs is not None:
            self.broken("M306", part, "Arguments cannot be unpacked in a mapping.", word="*")
        return [self.value(each) for each in part.args], {each.key: self.value(each.value) for each in part.kwargs}

    def filter(self, part: nodes.Filter) -> Node:
        """Return a filter applied."""
        if part.node is None:
            return self.broken("M306", part, "A filter needs a value in front of it.")
        subject = self.value(part.node)
        arguments, options = self.arguments(part)
        match part.name:
            case "default" | "d":
                return self.default(part, subject, arguments, options)
            case "lookup":
                return self.lookup(part, subject, arguments)
        return self.guarded(part, part.name, Kind.FILTER, subject, *arguments, **options)

    def default(self, part: nodes.Filter, subject: Node, arguments: list[Node], options: dict[str, Node]) -> Node:
        """Return the value or what stands for null; with `true` as second argument also for what counts as false."""
        names = ("default_value", "boolean")
        given = dict(zip(names, arguments, strict=False)) | options
        flag = given.get("boolean", Constant(value=False, type=Type.BOOLEAN))
        if (
            not 1 <= len(arguments) + len(options) <= len(names)
            or set(given) - set(names)
            or not isinstance(flag, Constant)
        ):
            return self.broken(
                "M304",
                part,
                'The filter "default" takes a value, and true where it stands for empty text and zero too.',
                word=part.name,
            )
        value = given.get("default_value", Constant("", Type.TEXT))
        if Type.BROKEN in (subject.type, value.type):
            return BROKEN
        if flag.value:
            return resolve.choose([(self.truth(subject), subject)], value)
        kind = resolve.unified((subject.type, value.type))
        if kind in (Type.MIXED, Type.NULL) or Type.NULL in (subject.type, value.type):
            tested = subject if subject.type is not Type.NULL else Constant(None, Type.TEXT)
            return resolve.choose([(self.known(part, tested), subject)], value)
        return resolve.apply(Kind.FILTER, "default", resolve.coerced(subject, kind), [resolve.coerced(value, kind)])

    def known(self, part: nodes.Node, node: Node) -> Node:
        """Return whether the value is not null."""
        if node.type is Type.MIXED:
            node = self.printed(part, node)
        return BROKEN if node.type is Type.BROKEN else resolve.apply(Kind.TEST, "defined", node)

    def lookup(self, part: nodes.Filter, subject: Node, arguments: list[Node]) -> Node:
        """Return a column of another source's row."""
        words = [each.value for each in arguments if isinstance(each, Constant) and isinstance(each.value, str)]
        if len(words) != 3 or len(arguments) != 3 or part.kwargs:  # noqa: PLR2004 - source, match, take
            detail = 'The filter "lookup" takes a source, the column to match and the column to take, each written out.'
            return self.broken("M304", part, detail, word="lookup")
        if subject.type in (Type.BROKEN, Type.MIXED, Type.LIST):
            return (
                BROKEN
                if subject.type is Type.BROKEN
                else self.broken("M305", part, f"A lookup cannot match {subject.type}.", word="lookup")
            )
        source, match, take = words
        if source not in self.scope.sources:
            detail = f'The filter "lookup" reads source "{source}", which does not exist.'
            return self.broken("M311", part, detail, resolve.nearest(source, tuple(self.scope.sources)), source)
        if any(isinstance(each, Column) and each.name.startswith("lookup:") for each in walk(subject)):
            return self.broken("M311", part, "A lookup cannot match what another lookup gave.", word="lookup")
        columns = self.scope.sources[source]
        if columns.get(match, Type.TEXT) is not subject.type and subject.type is not Type.NULL:
            subject = self.printed(part, subject)
        key = (subject, source, match, take)
        use = self.lookups.setdefault(
            key, LookupUse(f"{self.scope.field}.{len(self.lookups)}", source, match, take, subject)
        )
        return Column(f"lookup:{use.alias}", columns.get(take, Type.TEXT))

    def test(self, part: nodes.Test) -> Node:
        """Return `is …`."""
        subject = self.value(part.node)
        arguments, options = self.arguments(part)
        if part.name in _TESTS and len(arguments) == 1 and not options:
            return self.compared(part, _TESTS[part.name], subject, arguments[0])
        if part.name == "in" and len(arguments) == 1 and not options:
            return self.contained(part, subject, part.args[0])
        if part.name in ("true", "false") and not arguments and not options:
            return self.compared(part, "==", subject, Constant(part.name == "true", Type.BOOLEAN))
        if subject.type is Type.MIXED and part.name in ("defined", "undefined", "none"):
            subject = self.printed(part, subject)
        return self.guarded(part, part.name, Kind.TEST, subject, *arguments, **options)

    def call(self, part: nodes.Call) -> Node:
        """Return a method applied; there are no functions."""
        arguments, options = self.arguments(part)
        if isinstance(part.node, nodes.Getattr):
            return self.guarded(part, part.node.attr, Kind.METHOD, self.value(part.node.node), *arguments, **options)
        name = part.node.name if isinstance(part.node, nodes.Name) else ""
        if name in _CLOCKS:
            return self.broken(
                "M308", part, f'"{name}()" gives another value each time, so a plan could not be repeated.', word=name
            )
        if name in ("env", "secret"):
            return self.secret(part, name)
        return self.broken(
            "M303",
            part,
            f'There is no function "{name}" in mappings.',
            "Filters and methods are listed in docs/mapping.md.",
            name,
        )

    def operator(self, part: nodes.Node, symbol: str, left: Node, right: Node) -> Node:
        """Return arithmetic: both sides are brought to one type of number."""
        kind = resolve.unified((left.type, right.type))
        if kind in NUMBERS and Type.NULL not in (left.type, right.type):
            if {left.type, right.type} == {Type.DECIMAL, Type.FLOAT} and any(
                isinstance(each, Constant) for each in (left, right)
            ):
                kind = Type.DECIMAL
            left, right = resolve.coerced(left, kind), resolve.coerced(right, kind)
        return self.guarded(part, symbol, Kind.OPERATOR, left, right)

    def comparison(self, part: nodes.Compare) -> Node:
        """Return a chain of comparisons, each joined to the next by and."""
        left, result = self.value(part.expr), None
        for operand in part.ops:
            if operand.op in ("in", "notin"):
                found = self.contained(part, left, operand.expr)
                found = Not(found) if operand.op == "notin" else found
                left = BROKEN
            else:
                right = self.value(operand.expr)
                found, left = self.compared(part, _OPERATORS[operand.op], left, right), right
            result = found if result is None else Both(result, found, is_and=True)
        assert result is not None
        return result

    def compared(self, part: nodes.Node, symbol: str, left: Node, right: Node) -> Node:
        """Return a typed comparison: values of unlike types are never equal and have no order; null equals null."""
        kind = resolve.unified((left.type, right.type))
        if kind is Type.BROKEN:
            return BROKEN
        if kind in (Type.MIXED, Type.LIST):
            if symbol in _ORDER or Type.MIXED in (left.type, right.type) or Type.LIST in (left.type, right.type):
                return self.broken(
                    "M305",
                    part,
                    f'"{symbol}" cannot compare {left.type} with {right.type}.',
                    "Bring both to one type.",
                    symbol,
                )
            both = Both(Not(self.known(part, left)), Not(self.known(part, right)), is_and=True)
            return both if symbol == "==" else Not(both)
        if kind is Type.NULL:
            return Constant(symbol in ("==", "!=") and symbol == "==", Type.BOOLEAN)
        return self.guarded(part, symbol, Kind.OPERATOR, resolve.coerced(left, kind), resolve.coerced(right, kind))

    def contained(self, part: nodes.Node, left: Node, right: nodes.Node) -> Node:
        """Return `x in …`: part of a text, of a list of text, or one of the values written out."""
        if not isinstance(right, nodes.List | nodes.Tuple):
            return self.guarded(part, "in", Kind.OPERATOR, left, self.value(right))
        values = [self.value(each) for each in right.items]
        if all(isinstance(each, Constant) and each.type is Type.TEXT for each in values) and left.type is Type.TEXT:
            texts = tuple(str(each.value) for each in values if isinstance(each, Constant))
            return self.guarded(part, "in", Kind.OPERATOR, left, Constant(texts, Type.LIST))
        result: Node = Constant(value=False, type=Type.BOOLEAN)
        for each in values:
            result = Both(result, self.compared(part, "==", left, each), is_and=False)
        return result

    def listed(self, part: nodes.List | nodes.Tuple) -> Node:
        """Refuse a list as a value; lists stand after `in`, or come out of `split`."""
        return self.broken("M305", part, 'A list has its place after "in" only.')

    def either(self, part: nodes.And | nodes.Or) -> Node:
        """Return `a or b`, `a and b` as Python gives them: one of the two values."""
        left, right = self.value(part.left), self.value(part.right)
        is_and = isinstance(part, nodes.And)
        if left.type is right.type is Type.BOOLEAN and not is_nullable(left) and not is_nullable(right):
            return Both(left, right, is_and)
        if is_and:
            return resolve.choose([(self.truth(left), right)], left)
        return resolve.choose([(self.truth(left), left)], right)
