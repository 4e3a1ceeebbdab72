"""The benchmarks' own sides still run, and say what the sides beside them say: a thousand rows each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import p03_plan_changed, p05_mapping, p07_fallback, p10_ledger, p17_database

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 1_000


def test_rows_of_which_a_tenth_has_changed_are_planned(tmp_path: Path) -> None:
    """P3: what goes out and what stays add up."""
    from benchmarks.workload import made

    made(ROWS, tmp_path, 2, ending="parquet")
    p03_plan_changed.confirm_all(ROWS, tmp_path)
    said = p03_plan_changed.ours(ROWS, tmp_path)
    assert 0 < said["records"] < said["unchanged"]
    p03_plan_changed.raw_hashes(ROWS, tmp_path)


def test_a_mapping_is_mapped_as_by_hand(tmp_path: Path) -> None:
    """P5: the same cells."""
    sides = [each(ROWS, tmp_path)["digest"] for each in (p05_mapping.ours, p05_mapping.by_hand)]
    assert sides[0] == sides[1]


def test_a_template_outside_sql_says_what_jinja_says(tmp_path: Path) -> None:
    """P7: the same cells."""
    sides = [each(ROWS, tmp_path)["digest"] for each in (p07_fallback.ours, p07_fallback.jinja)]
    assert sides[0] == sides[1]


def test_a_ledger_lives_as_by_hand(tmp_path: Path) -> None:
    """P10: as many unchanged, as many gone, the same keys and hashes after it."""
    p10_ledger.prepare(ROWS, tmp_path)
    sides = [each(ROWS, tmp_path)["digest"] for each in (p10_ledger.ours, p10_ledger.by_hand)]
    assert sides[0] == sides[1]


def test_a_table_is_read_whole(tmp_path: Path) -> None:
    """P17: every row of the database."""
    p17_database.database(ROWS, tmp_path)
    assert p17_database.ours(ROWS, tmp_path)["digest"] == ROWS
