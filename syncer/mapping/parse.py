"""A template's text becomes a typed tree, or a list of problems with their places inside the text.

Jinja's own parser reads it; this file gives each piece its meaning from the dialect's list, and refuses the rest.
It evaluates nothing: no attribute is looked up, no function is called, nothing comes from the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syncer.mapping import compare, resolve
from syncer.mapping.dialect import names
from syncer.mapping.dialect.entry import Kind, Type
from syncer.mapping.failure import FALSE, failure, forgiven
from syncer.mapping.interpret import ALLOWED, FORGIVING_TESTS, LONGEST
from syncer.mapping.resolve import Misfit
from syncer.mapping.scope import LookupUse, Scope, literal
from syncer.mapping.tree import (
    BROKEN,
    NULL,
    Both,
    Choose,
    Column,
    Concat,
    Constant,
    Interpreted,
    Node,
    Not,
    is_nullable,
)

ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
"""Only its parser is used here; block tags on a line of their own leave no line behind."""
DEEPEST = 60
_CLOCKS = ("now", "today", "utcnow", "random", "uuid", "uuid4", "time")
_ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%"}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
_TEST_WORDS = {
    **{symbol: symbol for symbol in _COMPARISONS.values()},
    "eq": "==",
    "equalto": "==",
    "ne": "!=",
    "lt": "<",
    "lessthan": "<",
    "le": "<=",
    "gt": ">",
    "greaterthan": ">",
    "ge": ">=",
}
_STATEMENTS = {
    "For": "for",
    "CallBlock": "call",
    "FilterBlock": "filter",
    "FromImport": "from",
    "Assign": "set",
    "AssignBlock": "set",
}
"""Jinja's names of statements, where they are not the word itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at an offset of the template's text."""

    code: str
    detail: str
    offset: int
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree, what it looks up elsewhere, and the problems; with problems the tree means nothing."""

    tree: Node
    lookups: tuple[LookupUse, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse(template: str, scope: Scope) -> Parsed:
    """Return the template's meaning. A template that is one expression keeps its type, any other is text."""
    reader = _Reader(template, scope)
    try:
        tree = reader.whole(ENVIRONMENT.parse(template).body)
    except TemplateSyntaxError as error:
        detail = f"Jinja cannot read the template: {(error.message or '').rstrip('.')}."
        return Parsed(BROKEN, problems=(Problem("M301", detail, reader.line_start(error.lineno)),))
    except RecursionError:
        return Parsed(BROKEN, problems=(Problem("M312", f"The template is nested deeper than {DEEPEST} levels.", 0),))
    if reader.is_interpreted and reader.contains is not None:
        reader.guarded(reader.contains, reader.not_beside_jinja)
    if reader.is_interpreted and reader.waits is not None:
        reader.guarded(reader.waits, reader.no_conversion_as_default)
    if reader.is_interpreted and not reader.problems:
        tree = Interpreted(template, tuple(reader.columns), tuple(scope.variables.items()))
    return Parsed(tree, tuple(reader.lookups.values()), tuple(reader.problems))


class _Reader:
    """Reads one template; collects problems, columns and lookups as it goes."""

    def __init__(self, template: str, scope: Scope) -> None:
        self.template = template
        self.scope = scope
        self.problems: list[Problem] = []
        self.columns: dict[Column, None] = {}
        self.lookups: dict[tuple[Node, tuple[str, str, str]], LookupUse] = {}
        self.is_interpreted = False
        self.contains: nodes.Node | None = None
        self.waits: nodes.Node | None = None
        """A default that is a conversion, which only some rows need."""
        self.depth = 0

    def line_start(self, line: int) -> int:
        """Return the offset of a line's first character."""
        return sum(map(len, self.template.splitlines(keepends=True)[: line - 1]))

    def guarded(self, part: nodes.Node, read: Callable[[], Node]) -> Node:
        """Return what is read; a misfit becomes a problem at its word, and whatever is built on it stays silent."""
        try:
            return read()
        except Misfit as misfit:
            start = self.line_start(part.lineno)
            offset = self.template.find(misfit.word, start) if misfit.word else start
            self.problems.append(Problem(misfit.code, misfit.detail, max(offset, start), misfit.advice))
            return BROKEN

    def whole(self, body: Sequence[nodes.Node]) -> Node:
        """Return the template: one expression alone keeps its type."""
        match body:
            case [nodes.Output(nodes=[nodes.Expr() as only])] if not isinstance(only, nodes.TemplateData):
                return self.value(only)
        return self.body(body)

    def body(self, parts: Sequence[nodes.Node]) -> Node:
        """Return output and `if` blocks put together as text."""
        pieces: list[Node] = []
        for part in parts:
            match part:
                case nodes.Output():
                    pieces += map(self.piece, part.nodes)
                case nodes.If():
                    pieces.append(self.block(part))
                case _:
                    pieces.append(self.guarded(part, lambda part=part: self.statement(part)))  # type: ignore[misc]
        match pieces:
            case []:
                return Constant("", Type.TEXT)
            case [(Constant(type=Type.TEXT) | Choose(type=Type.TEXT)) as only] if not is_nullable(only):
                return only
        return Concat(tuple(pieces))

    def piece(self, part: nodes.Node) -> Node:
        """Return one piece of mixed text."""
        if isinstance(part, nodes.TemplateData):
            return self.guarded(part, lambda: literal(part.data))
        return self.printed(part)

    def printed(self, part: nodes.Node) -> Node:
        """Return an expression as text."""
        return self.guarded(part, lambda: resolve.printed(self.value(part)))

    def block(self, part: nodes.If) -> Node:
        """Return an `if` block: text, whatever its branches hold."""
        branches = [(self.condition(each.test), self.body(each.body)) for each in (part, *part.elif_)]
        return resolve.choose(branches, self.body(part.else_))

    def statement(self, part: nodes.Node) -> Node:
        """Refuse everything that is neither output nor `if`."""
        kind = type(part).__name__
        word = _STATEMENTS.get(kind, kind.lower())
        advice = "Mappings know expressions and if blocks; shape rows with SQL in the source where more is needed."
        raise Misfit("M306", f'"{word}" is not allowed in a mapping.', advice, word)

    def condition(self, part: nodes.Node) -> Node:
        """Return whether an expression counts as true: boolean and never null."""
        match part:
            case nodes.And() | nodes.Or():
                return Both(self.condition(part.left), self.condition(part.right), isinstance(part, nodes.And))
            case nodes.Not():
                return Not(self.condition(part.node))
        return compare.truth(self.value(part))

    def value(self, part: nodes.Node) -> Node:
        """Return the meaning of an expression."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise RecursionError
        found = self.guarded(part, lambda: self.meaning(part))
        self.depth -= 1
        return found

    def meaning(self, part: nodes.Node) -> Node:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of expression
        """Return the meaning of an expression, or raise the misfit."""
        match part:
            case nodes.Const():
                return literal(part.value)
            case nodes.Name():
                return self.column(part.name)
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
                return compare.either(self.value(part.left), self.value(part.right), is_and=isinstance(part, nodes.And))
            case nodes.CondExpr():
                otherwise = NULL if part.expr2 is None else self.value(part.expr2)
                return resolve.choose([(self.condition(part.test), self.value(part.expr1))], otherwise)
            case nodes.Concat():
                return Concat(tuple(map(self.printed, part.nodes)))
            case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                symbol = _ARITHMETIC[type(part).__name__]
                return compare.arithmetic(symbol, self.value(part.left), self.value(part.right))
            case nodes.Neg():
                return compare.negative(self.value(part.node))
            case nodes.Pos():
                return self.value(part.node)
            case nodes.List() | nodes.Tuple():
                raise Misfit("M305", 'A list has its place after "in" only.', word="[")
        raise Misfit("M306", f'"{_written(part)}" is not allowed in a mapping.', word=_written(part))

    def column(self, name: str) -> Column:
        """Return a column of the row and remember it."""
        found = self.scope.column(name)
        self.columns[found] = None
        return found

    def attribute(self, part: nodes.Getattr) -> Node:
        """Return a member of a name space; values have no attributes."""
        found = self.member(part, part.attr)
        if found is None:
            detail = f'A value has no attribute "{part.attr}" in a mapping.'
            raise Misfit("M303", detail, resolve.nearest(part.attr, names(Kind.METHOD)), part.attr)
        return found

    def member(self, part: nodes.Getattr | nodes.Getitem, name: str) -> Node | None:
        """Return `row.x` or `var.x`; None where the subject is a value."""
        if not isinstance(part.node, nodes.Name) or part.node.name not in ("row", "var", "env", "secret"):
            return None
        found = self.scope.member(part.node.name, name)
        if isinstance(found, Column):
            self.columns[found] = None
        return found

    def item(self, part: nodes.Getitem) -> Node:
        """Return `row["x"]`, `x[0]` or `x[1:3]`."""
        if isinstance(part.arg, nodes.Const) and isinstance(part.arg.value, str):
            found = self.member(part, part.arg.value)
            if found is not None:
                return found
        subject = self.value(part.node)
        if not isinstance(part.arg, nodes.Slice):
            return resolve.apply(Kind.OPERATOR, "[index]", subject, [self.value(part.arg)])
        if part.arg.step is not None:
            raise Misfit("M304", "A slice has no step in a mapping.", word=":")
        start, stop = (NULL if each is None else self.value(each) for each in (part.arg.start, part.arg.stop))
        match start, stop:
            case Constant(value=int(low)), Constant(value=int(high)) if low < 0 < high:
                raise Misfit(
                    "M304", "A slice cannot count its start from the end and its stop from the start.", word=":"
                )
        return resolve.apply(Kind.OPERATOR, "[start:stop]", subject, [start, stop])

    def arguments(self, part: nodes.Filter | nodes.Test | nodes.Call) -> tuple[list[Node], dict[str, Node]]:
        """Return the arguments by place and by name."""
        if part.dyn_args is not None or part.dyn_kwargs is not None:
            raise Misfit("M306", "Arguments cannot be unpacked in a mapping.", word="*")
        return [self.value(each) for each in part.args], {str(each.key): self.value(each.value) for each in part.kwargs}

    def filter(self, part: nodes.Filter) -> Node:
        """Return a filter applied."""
        assert part.node is not None  # noqa: S101 - only a filter block has none, and those are refused
        subject = self.value(part.node)
        arguments, options = self.arguments(part)
        match part.name:
            case "default" | "d":
                return self.default(part, subject, arguments, options)
            case "lookup":
                return self.lookup(subject, arguments, options)
            case name if name in ALLOWED:
                return self.interpreted(name, [*arguments, *options.values()])
        return resolve.apply(Kind.FILTER, part.name, subject, arguments, options)

    def interpreted(self, name: str, arguments: list[Node]) -> Node:
        """Return what stands for a filter that only Jinja has; from here on Jinja renders the template as a whole."""
        self.is_interpreted = True
        for each in arguments:
            if not isinstance(each, Constant) or (isinstance(each.value, int) and each.value > LONGEST):
                raise Misfit("M304", f'The filter "{name}" needs small arguments that are written out.', word=name)
        return Column(name, ALLOWED[name])

    def not_beside_jinja(self) -> Node:
        """Refuse `in` where Jinja renders: it would stop at a null."""
        raise Misfit("M306", '"in" cannot stand in one template with a filter that only Jinja has.', word="in")

    def no_conversion_as_default(self) -> Node:
        """Refuse a conversion as a default where Jinja renders: it would be made for every row."""
        detail = 'A "default" that converts cannot stand in one template with a filter that only Jinja has.'
        raise Misfit("M306", detail, word="default")

    def default(self, part: nodes.Filter, subject: Node, arguments: list[Node], options: dict[str, Node]) -> Node:
        """Return the value or its stand-in, with the arguments that Jinja's `default` has."""
        known = ("default_value", "boolean")
        given = dict(zip(known, arguments, strict=False)) | options
        match given.get("default_value", Constant("", Type.TEXT)), given.get("boolean", FALSE):
            case value, Constant(value=bool(flag)) if len(arguments) <= len(known) and not set(given) - set(known):
                if failure(value) is not FALSE:
                    self.waits = part
                return compare.default(subject, value, for_false=flag)
        detail = 'The filter "default" takes a value, and true where it stands for empty text and zero too.'
        raise Misfit("M304", detail, word="default")

    def lookup(self, subject: Node, arguments: list[Node], options: dict[str, Node]) -> Node:
        """Return a column of another source's row."""
        match arguments:
            case [Constant(value=str(source)), Constant(value=str(match)), Constant(value=str(take))] if not options:
                if subject.type is Type.BROKEN:
                    return BROKEN
                key = (subject, (source, match, take))
                use = self.scope.lookup(len(self.lookups), subject, key[1])
                return self.scope.taken(self.lookups.setdefault(key, use))
        detail = 'The filter "lookup" takes a source, the column to match and the column to take, each written out.'
        raise Misfit("M304", detail, word="lookup")

    def test(self, part: nodes.Test) -> Node:
        """Return `is …`."""
        subject = self.value(part.node)
        if part.name == "in" and len(part.args) == 1:
            return self.contained(subject, part.args[0])
        arguments, options = self.arguments(part)
        match arguments:
            case [other] if part.name in _TEST_WORDS:
                return compare.compared(_TEST_WORDS[part.name], subject, other)
            case [] if part.name in ("true", "false"):
                return compare.compared("==", subject, Constant(part.name == "true", Type.BOOLEAN))
        if part.name in FORGIVING_TESTS:
            subject = forgiven(resolve.printed(subject) if subject.type is Type.MIXED else subject)
        return resolve.apply(Kind.TEST, part.name, subject, arguments, options)

    def call(self, part: nodes.Call) -> Node:
        """Return a method applied; there are no functions."""
        arguments, options = self.arguments(part)
        if isinstance(part.node, nodes.Getattr):
            return resolve.apply(Kind.METHOD, part.node.attr, self.value(part.node.node), arguments, options)
        name = part.node.name if isinstance(part.node, nodes.Name) else ""
        if name in _CLOCKS:
            detail = f'"{name}()" gives another value each time, so a plan could not be repeated.'
            raise Misfit("M308", detail, 'Bring the value in as a column, or under "vars".', name)
        if name in ("env", "secret"):
            self.scope.column(name)
        advice = "Filters and methods are listed in docs/mapping.md."
        raise Misfit("M303", f'There is no function "{name}" in mappings.', advice, name)

    def comparison(self, part: nodes.Compare) -> Node:
        """Return a chain of comparisons, each joined to the next by and."""
        left, found = self.value(part.expr), list[Node]()
        for operand in part.ops:
            if operand.op in _COMPARISONS:
                right = self.value(operand.expr)
                found.append(compare.compared(_COMPARISONS[operand.op], left, right))
                left = right
            else:
                within = self.contained(left, operand.expr)
                found.append(within if operand.op == "in" else Not(within))
                left = BROKEN
        if BROKEN in found:
            return BROKEN
        result = found[0]
        for each in found[1:]:
            result = Both(result, each, is_and=True)
        return result

    def contained(self, left: Node, right: nodes.Node) -> Node:
        """Return `x in …`: part of a text, of a list of text, or one of the values written out."""
        self.contains = right
        if isinstance(right, nodes.List | nodes.Tuple):
            return compare.among(left, [self.value(each) for each in right.items])
        return resolve.apply(Kind.OPERATOR, "in", left, [self.value(right)])


def _written(part: nodes.Node) -> str:
    return {"Pow": "**", "Dict": "{"}.get(type(part).__name__, type(part).__name__)
