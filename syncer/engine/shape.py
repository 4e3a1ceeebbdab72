"""Groups outgoing records by the set of fields they carry, and measures waves and slices.

The most frequent shapes get numbers of their own, 0 upwards; the rest are pooled as `MIXED`. Counts and sums come
from one aggregation over masks; the exact number of units is arithmetic where that is enough and a pass over sizes
where not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from syncer.capability import CsvFormat, JsonFormat, PayloadFormat
from syncer.engine import csv_form, json_form, layout, sql
from syncer.engine.connection import stream
from syncer.engine.pack import Limits, unit_count
from syncer.engine.wire import BITS, Wire
from syncer.facts import CutFacts, SliceFacts, WaveFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

MIXED = -1
SHAPES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """One set of fields. `any_masks` and `all_masks` differ for the pool only."""

    id: int
    any_masks: tuple[int, ...]
    all_masks: tuple[int, ...]

    def fields(self, wire: Wire) -> tuple[str, ...]:
        """Return the fields carried with a value by some record."""
        return tuple(each.name for position, each in enumerate(wire.fields) if _has(self.any_masks, position))

    def clears(self, wire: Wire) -> tuple[str, ...]:
        """Return the fields emptied by some record."""
        return tuple(
            each.name for position, each in enumerate(wire.fields) if each.clears and not _has(self.all_masks, position)
        )


def _has(masks: Sequence[int], position: int) -> bool:
    return bool(masks[position // BITS] >> position % BITS & 1)


def number(connection: duckdb.DuckDBPyConnection, wire: Wire) -> tuple[Shape, ...]:
    """Make the table `shapes` (masks, shape) from `outgoing`; return the shapes, the pool last."""
    masks = sql.names(wire.masks)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE shapes AS
        SELECT {masks}, CASE WHEN place <= {SHAPES_KEPT} THEN place - 1 ELSE {MIXED} END AS shape
        FROM (SELECT {masks}, row_number() OVER (ORDER BY records DESC, {masks}) AS place
              FROM (SELECT {masks}, count(*) AS records FROM outgoing GROUP BY {masks}))
        """
    )
    either = ", ".join(f"bit_or({each}), bit_and({each})" for each in wire.masks)
    rows = connection.execute(
        f"SELECT shape, {either} FROM shapes GROUP BY shape ORDER BY shape = {MIXED}, shape"
    ).fetchall()
    return tuple(Shape(row[0], tuple(row[1::2]), tuple(row[2::2])) for row in rows)


def condition(shapes: Sequence[Shape], wanted: Sequence[int], wire: Wire) -> str:
    """Return the condition over masks that a record is of one of the `wanted` shapes."""
    own = {each.id: each for each in shapes if each.id != MIXED}
    chosen = [_equal(own[each], wire) for each in wanted if each in own]
    if MIXED in wanted:
        chosen.append(f"NOT ({sql.either(_equal(each, wire) for each in own.values())})")
    return sql.either(chosen)


def _equal(shape: Shape, wire: Wire) -> str:
    return " AND ".join(f"{name} = {mask}" for name, mask in zip(wire.masks, shape.any_masks, strict=True))


@dataclass(frozen=True, slots=True)
class _Group:
    """Records of one wave, of one shape or of all, and what measuring them in each format gave."""

    wave: int
    shape: int | None
    records: int
    sizes: tuple[tuple[int, int], ...]
    """(sum, maximum) of the record bytes, for each format in order."""


def _frame(wire: Wire, form: PayloadFormat) -> str:
    return json_form.frame_bytes(wire, form) if isinstance(form, JsonFormat) else csv_form.frame_bytes(wire, form)


def record_bytes(wire: Wire, form: PayloadFormat) -> str:
    """Return the bytes of a record in the format, over the staged columns."""
    match form:
        case JsonFormat():
            return f"(json_bytes + {_frame(wire, form)})"
        case CsvFormat():
            return f"(csv_bytes + {_frame(wire, form)})"


def limits(form: PayloadFormat, fields: Sequence[str]) -> tuple[Limits, int]:
    """Return what a unit may hold, as sums of record bytes, and the bytes each unit has besides."""
    match form:
        case JsonFormat():
            # "[" stands before the records and "]" in the place of the last comma.
            return Limits(form.max_records, form.max_bytes - form.overhead_bytes - 1), 1
        case CsvFormat():
            header = len(csv_form.header(form, fields))
            return Limits(form.max_records, form.max_bytes - header), header


def facts(
    connection: duckdb.DuckDBPyConnection, wire: Wire, shapes: Sequence[Shape], formats: Mapping[str, PayloadFormat]
) -> tuple[tuple[WaveFacts, ...], tuple[SliceFacts, ...]]:
    """Measure every wave and every slice of `outgoing`, cut for each path."""
    found = {each.id: each for each in shapes}
    slices = _groups(connection, wire, tuple(formats.values()))
    waves = _by_wave(slices)
    cutter = _Cutter(connection, wire, shapes)
    wave_facts = []
    for group in waves:
        members = [found[each.shape] for each in slices if each.wave == group.wave and each.shape is not None]
        cuts = [
            cut
            for place, (path, form) in enumerate(formats.items())
            if not (isinstance(form, CsvFormat) and form.needs_uniform_shape)
            for cut in cutter.cut(path, form, group, place, members)
        ]
        wave_facts.append(WaveFacts(group.wave, group.records, tuple(cuts)))
    slice_facts = []
    for group in slices:
        shape = found[group.shape if group.shape is not None else MIXED]
        cuts = [
            cut
            for place, (path, form) in enumerate(formats.items())
            for cut in cutter.cut(path, form, group, place, [shape])
        ]
        slice_facts.append(
            SliceFacts(group.wave, shape.id, shape.fields(wire), shape.clears(wire), group.records, tuple(cuts))
        )
    return tuple(wave_facts), tuple(slice_facts)


def _groups(connection: duckdb.DuckDBPyConnection, wire: Wire, formats: Sequence[PayloadFormat]) -> list[_Group]:
    masks = sql.names(wire.masks)
    sizes = "".join(
        f", sum({'json' if isinstance(form, JsonFormat) else 'csv'}_total + records * frame{place})"
        f", max({'json' if isinstance(form, JsonFormat) else 'csv'}_most + frame{place})"
        for place, form in enumerate(formats)
    )
    frames = "".join(f", {_frame(wire, form)} AS frame{place}" for place, form in enumerate(formats))
    rows = connection.execute(
        f"""
        SELECT wave, shape, sum(records){sizes} FROM (
            SELECT *{frames} FROM (
                SELECT wave, {masks}, count(*) AS records, sum(json_bytes) AS json_total, max(json_bytes) AS json_most,
                       sum(csv_bytes) AS csv_total, max(csv_bytes) AS csv_most
                FROM outgoing GROUP BY wave, {masks})
            JOIN shapes USING ({masks}))
        GROUP BY wave, shape ORDER BY wave, shape = {MIXED}, shape
        """
    ).fetchall()
    return [
        _Group(
            int(row[0]),
            int(row[1]),
            int(row[2]),
            tuple((int(row[at]), int(row[at + 1])) for at in range(3, len(row), 2)),
        )
        for row in rows
    ]


def _by_wave(slices: Sequence[_Group]) -> list[_Group]:
    waves: dict[int, list[_Group]] = {}
    for each in slices:
        waves.setdefault(each.wave, []).append(each)
    return [
        _Group(
            wave,
            None,
            sum(each.records for each in members),
            tuple(
                (sum(size[0] for size in column), max(size[1] for size in column))
                for column in zip(*(each.sizes for each in members), strict=True)
            ),
        )
        for wave, members in waves.items()
    ]


@dataclass(frozen=True, slots=True)
class _Cutter:
    connection: duckdb.DuckDBPyConnection
    wire: Wire
    shapes: Sequence[Shape]

    def cut(
        self, path: str, form: PayloadFormat, group: _Group, place: int, members: Sequence[Shape]
    ) -> Iterator[CutFacts]:
        """Yield the cut, or nothing where the format cannot hold the group."""
        clears = any(each.clears(self.wire) for each in members)
        if isinstance(form, CsvFormat):
            if clears and form.clear_text is None:
                return
            if form.needs_uniform_shape and any(each.id == MIXED for each in members):
                return
        fields = columns(form, members, self.wire)
        bounds, besides = limits(form, fields)
        total, most = group.sizes[place]
        if most > bounds.max_bytes:
            return
        units = _arithmetic(group.records, total, most, bounds)
        if units is None:
            units = unit_count(self._totals(form, group), bounds)
        yield CutFacts(path, units, total + units * besides, is_exact=True)

    def _totals(self, form: PayloadFormat, group: _Group) -> Iterator[memoryview]:
        import pyarrow.compute as pc

        wanted = "true" if group.shape is None else condition(self.shapes, [group.shape], self.wire)
        size = f"CAST({record_bytes(self.wire, form)} AS BIGINT) AS size"
        query = f"SELECT {size} FROM {layout.wave(group.wave)} WHERE {wanted}"
        for piece in stream(self.connection, query):
            sums = pc.cumulative_sum(piece.column(0))
            whole = pa.concat_arrays([pa.array([0], pa.int64()), sums])
            yield memoryview(whole.buffers()[1]).cast("q")[whole.offset : whole.offset + len(whole)]


def columns(form: PayloadFormat, members: Sequence[Shape], wire: Wire) -> tuple[str, ...]:
    """Return the fields that a payload of these shapes names: a mixed CSV has all of them, as they are staged."""
    if isinstance(form, CsvFormat) and not form.needs_uniform_shape:
        return tuple(each.name for each in wire.ordered)
    there = {name for each in members for name in (*each.fields(wire), *each.clears(wire))}
    return tuple(each.name for each in wire.fields if each.name in there)


def _arithmetic(records: int, total: int, most: int, bounds: Limits) -> int | None:
    """Return the number of units where no order of the records could change it."""
    whole = records if bounds.max_records is None else min(records, bounds.max_records)
    if whole * most <= bounds.max_bytes:
        return -(-records // whole)
    return 1 if whole == records and total <= bounds.max_bytes else None
