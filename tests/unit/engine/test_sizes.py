"""What staging measures is what cutting writes, to the byte, on hostile text too."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.capability import CsvFormat, JsonFormat, PayloadFormat
from syncer.engine.protocol import Cut
from syncer.manifest.models import WhenNull
from tests.fakes.pipelines import Stage, field, pipeline

HOSTILE = st.text(st.sampled_from(list('a",\n\r\t;\\/\x01\x1f\x7f\x85é😀\u2028 #=+')), max_size=6)
CELLS = st.one_of(st.just(""), HOSTILE)
FORMATS: dict[str, PayloadFormat] = {
    "sync": JsonFormat(3, 400, overhead_bytes=7),
    "collections": JsonFormat(200, 500, overhead_bytes=0, constants=(("attributes", '{"type":"Lead"}'),)),
    "bulk": CsvFormat(None, 200, clear_text="#N/A"),
    "few": CsvFormat(2, 300, clear_text="x,y"),
    "marked": CsvFormat(None, 200, clear_text="#N/A", constants=(("run", "a,b"), ("at", "1"))),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.booleans()), min_size=1, max_size=12))
def test_payloads_hold_what_facts_say(staged: Stage, tmp_path: Path, rows: list[tuple[str, str, bool]]) -> None:
    """Units and bytes of every cut are exact, no unit is over its limit, and every value arrives."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["email", "a", "b", "n"])
    writer.writerows([f"{number}@x", a, b, number * 1000 if has else ""] for number, (a, b, has) in enumerate(rows))
    made = pipeline(
        "email", "a", field("b", when_null=WhenNull.CLEAR), field("n", 'CAST("n" AS BIGINT)'), columns=["email"]
    )
    result = staged(made, text.getvalue(), FORMATS)
    wanted = [
        (f"{number}@x", a or None, b or None, number * 1000 if has else None) for number, (a, b, has) in enumerate(rows)
    ]
    (wave,) = result.facts.waves
    assert {each.path for each in wave.cuts} == set(FORMATS)
    for cut in wave.cuts:
        form = FORMATS[cut.path]
        units = list(result.payloads(Cut(1, None, form), tmp_path / "out"))
        assert (len(units), sum(each.byte_count for each in units)) == (cut.units, cut.bytes)
        assert sum(each.records for each in units) == len(rows)
        found = []
        for each in units:
            body = each.body if isinstance(each.body, bytes) else each.body.read_bytes()
            assert len(body) == each.byte_count <= form.max_bytes - getattr(form, "overhead_bytes", 0)
            assert form.max_records is None or each.records <= form.max_records
            if isinstance(form, JsonFormat):
                found += [(r["email"], r.get("a"), r["b"], r.get("n")) for r in json.loads(body)]
            else:
                table = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
                marks = len(form.constants)
                assert table[0] == [*(name for name, _ in form.constants), "a", "b", "email", "n"]
                assert all(r[:marks] == [text for _, text in form.constants] for r in table[1:])
                found += [
                    (email, a or None, None if b == form.clear_text else b, int(n) if n else None)
                    for a, b, email, n in (r[marks:] for r in table[1:])
                ]
        assert found == wanted


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 30), st.integers(0, 4), st.integers(1, 4))
def test_cutting_can_start_anywhere(staged: Stage, tmp_path: Path, count: int, start: int, most: int) -> None:
    """From any index the payloads are those of an uncut run: same rows, same bytes, same digest."""
    result = staged(pipeline("email"), "email\n" + "".join(f"{n}@x\n" for n in range(count)))
    for form in (JsonFormat(most, 1_000), CsvFormat(most, 1_000)):
        whole = list(result.payloads(Cut(1, None, form), tmp_path / "a"))
        rest = list(result.payloads(Cut(1, None, form), tmp_path / "b", start))
        assert [(x.index, x.sha256, list(x.rows)) for x in rest] == [
            (x.index, x.sha256, list(x.rows)) for x in whole[start:]
        ]
