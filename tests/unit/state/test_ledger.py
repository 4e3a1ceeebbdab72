"""The local ledger: overlays, repeats, conflicts and what a crash may leave."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from syncer.errors import StateError
from syncer.state.ledger import MAX_OVERLAYS, LocalLedger

pytestmark = pytest.mark.anyio


def confirmed(path: Path, words: dict[int, int | None]) -> Path:
    """Write a confirmed file: key number to row hash, None to forget."""
    rows = ", ".join(
        f"({key}::UBIGINT, 0::UBIGINT, {'NULL' if rh is None else rh}::UBIGINT)" for key, rh in words.items()
    )
    values = f"VALUES {rows}" if rows else "SELECT 0::UBIGINT, 0::UBIGINT, 0::UBIGINT WHERE false"
    duckdb.execute(f"COPY (SELECT * FROM ({values}) AS t(kh_high, kh_low, rh)) TO '{path}' (FORMAT parquet)")
    return path


def content(path: Path | None) -> dict[int, int]:
    """Read a ledger file back."""
    assert path is not None
    return dict(duckdb.execute(f"SELECT kh_high, rh FROM '{path}'").fetchall())


async def test_overlays_are_folded_away(tmp_path: Path) -> None:
    """However often it is merged, few files are left, and all of them are private."""
    ledger = LocalLedger(tmp_path / "ledger")
    for serial in range(2 * MAX_OVERLAYS + 3):
        await ledger.merge("news", serial, confirmed(tmp_path / "w", {serial: serial, 1_000: serial}))
    files = list((tmp_path / "ledger" / "news").iterdir())
    assert len(files) <= MAX_OVERLAYS + 2
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    last = 2 * MAX_OVERLAYS + 2
    assert content(await ledger.fetch("news", tmp_path)) == {**{n: n for n in range(last + 1)}, 1_000: last}


async def test_a_broken_index_is_not_believed(tmp_path: Path) -> None:
    """Neither damaged nor newer files are half believed."""
    ledger = LocalLedger(tmp_path / "ledger")
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    index = tmp_path / "ledger" / "news" / "index.json"
    for text in ("{", index.read_text().replace('"serial"', '"later":1,"serial"')):
        index.write_text(text)
        with pytest.raises(StateError, match="R281"):
            await ledger.serial("news")


async def test_a_broken_layer_is_not_believed(tmp_path: Path) -> None:
    """A damaged file stops the fetch."""
    ledger = LocalLedger(tmp_path / "ledger")
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    await ledger.merge("news", 1, confirmed(tmp_path / "2", {2: 10}))
    (tmp_path / "ledger" / "news" / "00000002.parquet").write_bytes(b"PAR1")
    with pytest.raises(StateError, match="R281"):
        await ledger.fetch("news", tmp_path)


async def test_what_a_crash_left_behind_is_ignored(tmp_path: Path) -> None:
    """Files that the index does not name are no part of the ledger, and go with the next merge."""
    ledger = LocalLedger(tmp_path / "ledger")
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    confirmed(tmp_path / "ledger" / "news" / "00000002.parquet", {1: 99})
    assert content(await ledger.fetch("news", tmp_path)) == {1: 10}
    await ledger.merge("news", 1, confirmed(tmp_path / "2", {2: 20}))
    assert content(await ledger.fetch("news", tmp_path)) == {1: 10, 2: 20}
