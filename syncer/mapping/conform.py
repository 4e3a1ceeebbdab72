"""From a mapped value to the form that a target field takes, and the checks that reject a row whose value has none.

Rules come from the described field and, where describe is silent, from the vendor's pages named beside them. Nothing is
rounded, shortened or guessed: a value that would lose something is rejected. Empty text counts as null, because neither
vendor's file can tell the two apart and size must not choose a meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from syncer.facts import Action, FieldSchema, FieldType, System
from syncer.manifest.models import WhenNull
from syncer.mapping.dialect.entry import Type, fill, text
from syncer.mapping.dialect.number import FLOAT_TEXT
from syncer.mapping.pipeline import Check, conformed, mapped
from syncer.mapping.sql import column

WHOLE = "[+-]?[0-9]+"
PLAIN = "[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
MOMENT = f"{_DAY}[T ]{_CLOCK}(\\.[0-9]{{1,9}})?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
TIME = f"{_CLOCK}(\\.[0-9]{{1,3}})?Z?"
EMAIL = {
    System.MARKETO: "[!-?A-~]+@[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)+",
    System.SALESFORCE: "[^@\\s]+@[^@\\s.]+(\\.[^@\\s.]+)+",
}
"""Marketo takes ASCII only (REST API, field types); Salesforce asks for a name, an @ and a host with a dot."""
URL = "[A-Za-z][A-Za-z0-9+.-]*://.*"
"""Marketo wants the protocol in a URL (REST API, field types)."""
MARKETO_TEXT_BYTES = 30_000
"""A Marketo text area of a lead holds bytes, not characters (REST API, field types)."""
_INT32 = 2**31 - 1
_EXACT_FLOAT = 2**53
_WIDEST = 38
_CLEARS = "#N/A"
"""Bulk API 2.0 reads this text as an order to empty the field (Bulk API 2.0, CSV rules)."""


@dataclass(frozen=True, slots=True)
class Conformed:
    """The `f:` expression over `m:` columns, and the checks over both."""

    expression: exp.Expression
    checks: tuple[Check, ...]


def conform(system: System, field: FieldSchema, kind: Type, action: Action, when_null: WhenNull) -> Conformed:
    """Return the conformed value of a field and its checks."""
    given = (
        fill("nullif(:x, '')", {"x": column(mapped(field.name))}) if kind is Type.TEXT else column(mapped(field.name))
    )
    builder = _Builder(system, field, kind, given)
    expression = builder.expression()
    checks = [*builder.checks()]
    if field.is_required and (action in (Action.CREATE, Action.DUPLICATE) or when_null is WhenNull.CLEAR):
        checks.append(builder.check("V112", ":f IS NULL", "The target needs a value here, and the row has none."))
    return Conformed(expression, tuple(checks))


@dataclass(frozen=True, slots=True)
class _Builder:
    """The rules of one field for values of one type."""

    system: System
    field: FieldSchema
    kind: Type
    given: exp.Expression

    def form(self, sql: str) -> exp.Expression:
        return fill(sql, {"x": self.given})

    def check(self, code: str, sql: str, reason: str) -> Check:
        name = self.field.name
        return Check(code, name, fill(sql, {"m": self.given, "f": column(conformed(name))}), reason)

    def is_lost(self, code: str, reason: str) -> Check:
        """Return the check that a value became nothing."""
        return self.check(code, ":f IS NULL AND :m IS NOT NULL", reason)

    def matching(self, pattern: str, value: str) -> exp.Expression:
        return fill(
            f"CASE WHEN regexp_full_match(:x, :pattern) THEN {value} END", {"x": self.given, "pattern": text(pattern)}
        )

    def expression(self) -> exp.Expression:  # noqa: PLR0911 - one line for each type
        """Return the conformed value."""
        match self.field.type:
            case FieldType.TEXT:
                return self.given
            case FieldType.INTEGER:
                return self.integer()
            case FieldType.DECIMAL:
                return self.decimal()
            case FieldType.FLOAT:
                return (
                    self.matching(FLOAT_TEXT, "TRY_CAST(:x AS DOUBLE)")
                    if self.kind is Type.TEXT
                    else self.form("CAST(:x AS DOUBLE)")
                )
            case FieldType.BOOLEAN:
                return (
                    self.form("CASE WHEN :x = 'true' THEN TRUE WHEN :x = 'false' THEN FALSE END")
                    if self.kind is Type.TEXT
                    else self.form("CAST(:x AS BOOLEAN)")
                )
            case FieldType.DATE:
                return self.day()
            case FieldType.DATETIME:
                return self.moment()
            case _:
                return self.matching(TIME, ":x")

    def integer(self) -> exp.Expression:
        match self.kind:
            case Type.TEXT:
                return self.matching(WHOLE, "TRY_CAST(:x AS BIGINT)")
            case Type.FLOAT | Type.DECIMAL:
                return self.form("CASE WHEN trunc(:x) = :x THEN TRY_CAST(:x AS BIGINT) END")
        return self.form("CAST(:x AS BIGINT)")

    def digits(self) -> tuple[int, int]:
        """Return precision and scale; a field that states none gets the widest."""
        precision, scale = self.field.precision, self.field.scale
        if precision is None:
            return _WIDEST, 18 if scale is None else scale
        return min(precision, _WIDEST), min(scale or 0, precision, _WIDEST)

    def decimal(self) -> exp.Expression:
        precision, scale = self.digits()
        cast = f"TRY_CAST({{}} AS DECIMAL({precision}, {scale}))"
        match self.kind:
            case Type.TEXT:
                exact = f"[+-]?([0-9]+(\\.[0-9]{{0,{scale}}}0*)?|\\.[0-9]{{0,{scale}}}0*)"
                return fill(
                    "CASE WHEN regexp_full_match(:x, :plain) AND regexp_full_match(:x, :exact) "
                    f"THEN {cast.format(':x')} END",
                    {"x": self.given, "plain": text(PLAIN), "exact": text(exact)},
                )
            case Type.FLOAT:
                whole = cast.format("CAST(:x AS VARCHAR)")
                # The engine's reader of exponents lets one digit too many pass.
                fits = f"isfinite(:x) AND abs(:x) < CAST('1e{precision - scale}' AS DOUBLE)"
                return self.form(f"CASE WHEN {fits} AND CAST({whole} AS DOUBLE) = :x THEN {whole} END")
            case Type.DECIMAL:
                return self.form(f"CASE WHEN {cast.format(':x')} = :x THEN {cast.format(':x')} END")
        return self.form(cast.format(":x"))

    def day(self) -> exp.Expression:
        if self.kind is Type.TEXT:
            return self.matching(_DAY, "CASE WHEN TRY_CAST(:x AS DATE) >= DATE '0001-01-01' THEN :x END")
        return self.form(
            "CASE WHEN :x BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' "
            "THEN strftime(CAST(:x AS DATE), '%Y-%m-%d') END"
        )

    def moment(self) -> exp.Expression:
        # Marketo keeps seconds, Salesforce milliseconds (REST API, field types; Bulk API 2.0, valid date formats).
        written = "%Y-%m-%dT%H:%M:%SZ" if self.system is System.MARKETO else "%Y-%m-%dT%H:%M:%S.%gZ"
        moment = self.given
        if self.kind is Type.TEXT:
            moment = self.matching(MOMENT, "timezone('UTC', TRY_CAST(:x AS TIMESTAMPTZ))")
        limits = "TIMESTAMP '0001-01-02 00:00:00' AND TIMESTAMP '9999-12-30 00:00:00'"
        return fill(
            f"CASE WHEN :x BETWEEN {limits} THEN strftime(CAST(:x AS TIMESTAMP), :form) END",
            {"x": moment, "form": text(written)},
        )

    def checks(self) -> Iterator[Check]:  # noqa: C901 - one case for each type
        """Yield the field's checks."""
        match self.field.type:
            case FieldType.TEXT:
                yield from self.text_checks()
            case FieldType.INTEGER:
                yield self.is_lost("V101", "The value is no whole number of at most 64 bits.")
                if self.system is System.SALESFORCE and self.field.vendor_type != "long":
                    limit = min(_INT32, 10**self.field.precision - 1) if self.field.precision else _INT32
                    yield self.check("V102", f":f NOT BETWEEN {-limit} AND {limit}", f"The number is beyond {limit}.")
            case FieldType.DECIMAL:
                if self.kind is Type.TEXT:
                    yield fill_check(
                        self, "V103", "NOT regexp_full_match(:m, :pattern)", PLAIN, "The value is no decimal number."
                    )
                precision, scale = self.digits()
                yield self.is_lost(
                    "V104",
                    f"The field holds {precision - scale} digits before the point and {scale} after it.",
                )
            case FieldType.FLOAT:
                yield self.is_lost("V103", "The value is no number.")
                yield self.check("V105", "NOT isfinite(:f)", "The number is not finite.")
                if self.kind is Type.INTEGER:
                    yield self.check(
                        "V104",
                        f":m NOT BETWEEN {-_EXACT_FLOAT} AND {_EXACT_FLOAT}",
                        "The number has more digits than a float can hold.",
                    )
            case FieldType.BOOLEAN:
                yield self.is_lost("V106", 'The value is neither "true" nor "false".')
            case FieldType.DATE:
                yield self.is_lost("V107", "The value is no date of the form YYYY-MM-DD.")
            case FieldType.DATETIME:
                yield self.is_lost(
                    "V108", "The value is no date and time with a zone, of the form YYYY-MM-DDThh:mm:ssZ."
                )
            case _:
                yield self.is_lost("V109", "The value is no time of the form hh:mm:ss.sssZ.")

    def text_checks(self) -> Iterator[Check]:
        field = self.field
        is_area = (
            self.system is System.MARKETO
            and field.vendor_type == "text"
            and (field.max_length or MARKETO_TEXT_BYTES) >= MARKETO_TEXT_BYTES
        )
        if is_area:
            limit = field.max_length or MARKETO_TEXT_BYTES
            yield self.check("V110", f"strlen(:f) > {limit}", f"The text is longer than {limit} bytes of UTF-8.")
        elif field.max_length:
            yield self.check(
                "V110", f"length(:f) > {field.max_length}", f"The text is longer than {field.max_length} characters."
            )
        if field.is_restricted and field.picklist is not None:
            yield self.picklist(field.picklist)
        if field.vendor_type == "email":
            yield fill_check(
                self,
                "V113",
                "NOT regexp_full_match(:f, :pattern)",
                EMAIL[self.system],
                "The text has not the form of an e-mail address.",
            )
        if field.vendor_type == "url" and self.system is System.MARKETO:
            yield fill_check(
                self,
                "V115",
                "NOT regexp_full_match(:f, :pattern)",
                f"(?s){URL}",
                "The URL does not begin with its protocol.",
            )
        if self.system is System.SALESFORCE:
            yield self.check("V114", f":f = '{_CLEARS}'", "The text #N/A would empty the field.")

    def picklist(self, values: tuple[str, ...]) -> Check:
        listed = [text(each) for each in values]
        here = column(conformed(self.field.name))
        if self.field.vendor_type == "multipicklist":
            is_bad = fill(
                "NOT list_has_all(:listed, string_split(:f, ';'))", {"f": here, "listed": exp.Array(expressions=listed)}
            )
        elif listed:
            is_bad = exp.not_(exp.In(this=here, expressions=listed))
        else:
            is_bad = fill(":f IS NOT NULL", {"f": here})
        return Check("V111", self.field.name, is_bad, "The picklist is restricted and does not have this value.")


def fill_check(builder: _Builder, code: str, sql: str, pattern: str, reason: str) -> Check:
    """Return a check with a pattern in it."""
    here = {"m": builder.given, "f": column(conformed(builder.field.name)), "pattern": text(pattern)}
    return Check(code, builder.field.name, fill(sql, here), reason)
