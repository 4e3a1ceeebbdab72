"""Holds what a target gave back against the staged rows: new, equal, changed, ambiguous, drifted, field by field.

Keys leave as Arrow pages, answers come back as Arrow tables, and the comparison is one statement. It changes no staged
row, and hands on counts and field names only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.engine import chain, sample, sql
from syncer.engine.chain import KEY
from syncer.engine.connection import stream
from syncer.facts import ReadFacts
from syncer.mapping.pipeline import conformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb
    import pyarrow as pa

    from syncer.engine.chain import Key
    from syncer.engine.wire import Wire, WireField
    from syncer.sample import SampleRow


@dataclass(slots=True)
class Drift:
    """One operation's answers, gathered page by page; used by one thread at a time."""

    cursor: duckdb.DuckDBPyConnection
    asking: duckdb.DuckDBPyConnection
    """A second cursor: keys are still read while answers come in."""
    wire: Wire
    key: Key
    still: str | None
    """The rows that are unchanged since they were last confirmed, as a relation; None where there are none."""
    record_id: str
    unaskable: str = ""
    """Keys with this character are not asked for."""
    calls: int = 0
    _read: dict[str, None] = field(default_factory=dict)
    _compared: tuple[WireField, ...] = ()
    """The fields that were held against each other, after `facts`."""

    def __post_init__(self) -> None:
        """Make the empty table of answers."""
        columns = ", ".join(f"{sql.name(each.name)} VARCHAR" for each in self.wire.fields)
        self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE held ({sql.name(self.record_id)} VARCHAR, {columns})")

    @property
    def names(self) -> tuple[str, ...]:
        """The fields to read, key fields included."""
        return tuple(each.name for each in self.wire.fields)

    def count(self) -> int:
        """Return how many keys are to be asked for."""
        [(found,)] = self.cursor.execute(f"SELECT count(*) FROM ({self._asked()})").fetchall()
        return int(found)

    def questions(self) -> Iterator[pa.RecordBatch]:
        """Yield the texts of every key once, a column for each key field."""
        yield from stream(self.asking, self._asked())

    def take(self, records: pa.Table, calls: int) -> None:
        """Add a page of answers."""
        self.calls += calls
        if not records.num_rows:
            return
        known = [each for each in self.names if each in records.column_names]
        self._read.update(dict.fromkeys(known))
        columns = sql.names((self.record_id, *known))
        self.cursor.register("page", records.select([self.record_id, *known]))
        try:
            self.cursor.execute(f"INSERT INTO held ({columns}) SELECT {columns} FROM page")
        finally:
            self.cursor.unregister("page")

    def facts(self, *, compares_values: bool) -> ReadFacts:
        """Return the counts; a deletion compares no values: a record that is there will change."""
        keys = self.count()
        parts = {each.field for each in self.key.parts}
        compared = [each for each in self.wire.fields if each.name in self._read and each.name not in parts]
        self._match(compared)
        self._compared = tuple(compared)
        is_equal = " AND ".join(f"same{place}" for place in range(len(compared))) or "true"
        if not compares_values:
            is_equal = "false"
        [(absent, equal, changed, ambiguous, unasked, drifted, vanished)] = self.cursor.execute(
            f"""
            SELECT count(*) FILTER (is_outgoing AND records = 0 AND wave = 1),
                   count(*) FILTER (is_outgoing AND records = 1 AND NOT repeats AND is_equal),
                   count(*) FILTER (
                       is_outgoing AND (records = 0 AND wave > 1 OR records = 1 AND (repeats OR NOT is_equal))),
                   count(*) FILTER (is_outgoing AND records > 1),
                   count(*) FILTER (is_outgoing AND records IS NULL),
                   count(*) FILTER (NOT is_outgoing AND (records = 0 OR records = 1 AND NOT is_equal)),
                   count(*) FILTER (NOT is_outgoing AND records = 0)
            FROM (SELECT *, {is_equal} AS is_equal FROM matched)
            """
        ).fetchall()
        return ReadFacts(
            keys=keys,
            calls=self.calls,
            absent=absent,
            equal=equal,
            changed=changed,
            ambiguous=ambiguous,
            drifted=drifted,
            fields=self._differing(compared, "is_outgoing") if compares_values else (),
            unasked=unasked,
            vanished=vanished,
            drifted_fields=self._differing(compared, "NOT is_outgoing") if compares_values else (),
            unread=tuple(each.name for each in self.wire.fields if each.name not in self._read) if self._read else (),
        )

    def sample(self) -> tuple[SampleRow, ...]:
        """Return the first new rows whole, and of the first changed ones what differs, after `facts`."""
        keys = frozenset(each.field for each in self.key.parts)
        compared = tuple(each.name for each in self._compared)
        return sample.held_against(self.cursor, self.wire, keys, compared, self._hashed(self._compared))

    def close(self) -> None:
        """Forget the answers: they are personal data."""
        self.cursor.execute("DROP TABLE IF EXISTS matched")
        self.cursor.execute("DROP TABLE IF EXISTS held")
        self.cursor.close()
        self.asking.close()

    def _asked(self) -> str:
        cells = {each.name: each.cell for each in self.wire.fields}
        texts = ", ".join(f"{cells[part.field]} AS {sql.name(part.field)}" for part in self.key.parts)
        rows = self.wire.values('"first"')
        first = f"SELECT {texts} FROM ({rows}) WHERE {self._is_askable}"
        if self.still is None:
            return first
        # A key whose rows come in a sequence stands several times among the unchanged rows.
        once = f"SELECT DISTINCT ON ({KEY}) * FROM {self.still}"
        return f"{first} UNION ALL SELECT {texts} FROM ({self.wire.values('(' + once + ')')}) WHERE {self._is_askable}"

    @property
    def _is_askable(self) -> str:
        """The condition, over values, that a row's key can be asked for."""
        first, *more = self.key.parts
        if not self.unaskable or more:
            return "true"
        return f"NOT contains(CAST({sql.name(conformed(first.field))} AS VARCHAR), {sql.text(self.unaskable)})"

    def _match(self, compared: Sequence[WireField]) -> None:
        """Make the table `matched`: each row beside how many records its key has, and which fields are the same."""
        values = "".join(f", any_value(value{place}) AS value{place}" for place in range(len(compared)))
        hashed = self._hashed(compared)
        found = f"SELECT {KEY}, count(*) AS records{values} FROM ({hashed}) WHERE kh_high IS NOT NULL GROUP BY {KEY}"
        same = "".join(f", {_same(each, f'value{place}')} AS same{place}" for place, each in enumerate(compared))
        fields = sql.names(conformed(each.name) for each in self.wire.fields)
        rows = f'SELECT {KEY}, "row", wave, true AS is_outgoing, {fields} FROM ({self.wire.values("outgoing")})'
        repeated = f'SELECT DISTINCT {KEY} FROM "later"'
        if self.still is not None:
            # What the target holds of a sequence is its result, which no single row tells.
            alone = f"SELECT * FROM {self.still} QUALIFY count(*) OVER (PARTITION BY {KEY}) = 1"
            rows += f' UNION ALL SELECT {KEY}, "row", 1, false, {fields} FROM ({self.wire.values("(" + alone + ")")})'
        self.cursor.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE matched AS
            SELECT {KEY}, "row", wave, is_outgoing,
                   CASE WHEN {self._is_askable} THEN coalesce(records, 0) END AS records,
                   repeated.kh_high IS NOT NULL AS repeats{same}
            FROM ({rows}) AS sent LEFT JOIN ({found}) AS found USING ({KEY})
            LEFT JOIN ({repeated}) AS repeated USING ({KEY})
            """
        )

    def _hashed(self, compared: Sequence[WireField]) -> str:
        """Return the SELECT of the answers, each record once: the hash of its key, and the compared fields' texts."""
        forms = ", ".join(
            f"TRY_CAST(trim({sql.name(part.field)}) AS {part.engine_type}) AS {sql.name(conformed(part.field))}"
            for part in self.key.parts
        )
        taken = "".join(f", {sql.name(each.name)} AS value{place}" for place, each in enumerate(compared))
        records = f"SELECT DISTINCT ON ({sql.name(self.record_id)}) *, {forms} FROM held"
        hashed = f"SELECT {chain.key_hash(self.key)} AS kh{taken} FROM ({records})"
        return f"SELECT * EXCLUDE (kh), {chain.halves('kh')} FROM ({hashed})"

    def _differing(self, compared: Sequence[WireField], which: str) -> tuple[tuple[str, int], ...]:
        if not compared:
            return ()
        counts = ", ".join(f"count(*) FILTER (NOT same{place})" for place in range(len(compared)))
        [found] = self.cursor.execute(f"SELECT {counts} FROM matched WHERE {which} AND records = 1").fetchall()
        differing = [(each.name, int(count)) for each, count in zip(compared, found, strict=True) if count]
        return tuple(sorted(differing, key=lambda each: (-each[1], each[0])))


def _same(each: WireField, held: str) -> str:
    """Return the condition that the target holds what would be sent; vendors rewrite numbers, moments and booleans."""
    sent = sql.name(conformed(each.name))
    text = f"trim({held})"
    is_blank = f"coalesce({text}, '') = ''"
    if each.engine_type == "BOOLEAN":
        value = f"coalesce(lower({text}), '') IN ('true', '1')"
        return f"CASE WHEN {sent} IS NULL THEN {f'NOT {value}' if each.clears else 'true'} ELSE {sent} = {value} END"
    if each.is_text:
        is_moment = f"regexp_matches({sent}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T')"
        equal = (
            f"coalesce(trim({sent}) = {text}, false) OR "
            f"({is_moment} AND coalesce({_moment(sent)} = {_moment(held)}, false))"
        )
    else:
        equal = f"coalesce(TRY_CAST({text} AS DOUBLE) = CAST({sent} AS DOUBLE), false)"
        if each.engine_type != "BIGINT":
            # Marketo keeps floats in single precision ("Field Types").
            equal += f" OR coalesce(TRY_CAST({text} AS FLOAT) = TRY_CAST({sent} AS FLOAT), false)"
    return f"CASE WHEN {sent} IS NULL THEN {is_blank if each.clears else 'true'} ELSE {equal} END"


def _moment(value: str) -> str:
    """Return a moment to the second; the offset may lack its colon, as Salesforce writes it."""
    written = f"regexp_replace({value}, '([+-][0-9]{{2}})([0-9]{{2}})$', '\\1:\\2')"
    return f"date_trunc('second', TRY_CAST({written} AS TIMESTAMPTZ))"
