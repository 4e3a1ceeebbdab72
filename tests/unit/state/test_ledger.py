"""The local ledger: overlays, repeats, conflicts and what a crash may leave."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from syncer.errors import StateError
from syncer.state import ledger as module
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


def told(path: Path, columns: str, words: str) -> Path:
    """Write a confirmed file with more than row hashes: `words` are the VALUES of a key and the columns."""
    types = {"rh": "UBIGINT", "sh": "UBIGINT", "name": "VARCHAR"}
    names = columns.split()
    cells = ", ".join(f"{each}::{types[each]} AS {each}" for each in names)
    values = f"(VALUES {words}) AS t(key, {', '.join(names)})"
    rows = f"SELECT key::UBIGINT AS kh_high, 0::UBIGINT AS kh_low, {cells} FROM {values}"
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize("more", ["", " name"])
def test_a_source_hash_goes_with_its_row_hash(tmp_path: Path, more: str) -> None:
    """The hash of a source row is the one beside the newest row hash, null where that has none; never an older one."""
    name = ", 'id'" if more else ""
    old = told(tmp_path / "1", "rh sh" + more, ", ".join(f"({key}, 10, 100{name})" for key in range(1, 6)))
    plain = told(tmp_path / "2", "rh", "(2, 20)")
    new = told(tmp_path / "3", "rh sh", "(3, 30, 300), (4, 40, NULL), (5, NULL, NULL)")
    module.fold([old, plain, new], tmp_path / "whole.parquet")
    rows = duckdb.execute(
        f"SELECT kh_high, rh, sh{',' if more else ''}{more} FROM '{tmp_path}/whole.parquet' ORDER BY 1"
    )
    named = ("id",) if more else ()
    expected = [(1, 10, 100, *named), (2, 20, None, *named), (3, 30, 300, *named), (4, 40, None, *named)]
    assert rows.fetchall() == expected


def test_a_ledger_without_source_hashes_gets_none(tmp_path: Path) -> None:
    """Where no layer tells of source rows, the whole does not either."""
    layers = [confirmed(tmp_path / each, {1: 10}) for each in "ab"]
    module.fold(layers, tmp_path / "whole.parquet")
    columns = [each[0] for each in duckdb.execute(f"DESCRIBE SELECT * FROM '{tmp_path}/whole.parquet'").fetchall()]
    assert columns == ["kh_high", "kh_low", "rh"]


async def test_a_broken_index_is_not_believed(tmp_path: Path) -> None:
    """Neither damaged nor newer files are half believed."""
    ledger = LocalLedger(tmp_path / "ledger")
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    index = tmp_path / "ledger" / "news" / "index-00000001.json"
    for text in ("{", index.read_text().replace('"serial"', '"later":1,"serial"')):
        index.write_text(text)
        with pytest.raises(StateError, match="R281"):
            await ledger.serial("news")


async def test_a_broken_layer_is_not_believed(tmp_path: Path) -> None:
    """A damaged file stops the fetch."""
    ledger = LocalLedger(tmp_path / "ledger")
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    await ledger.merge("news", 1, confirmed(tmp_path / "2", {2: 10}))
    [layer] = (tmp_path / "ledger" / "news").glob("00000002-*.parquet")
    layer.write_bytes(b"PAR1")
    with pytest.raises(StateError, match="R281"):
        await ledger.fetch("news", tmp_path)


async def test_what_a_crash_left_behind_is_ignored(tmp_path: Path) -> None:
    """Files that the index does not name are no part of the ledger and go with the next merge; later ones stay."""
    ledger = LocalLedger(tmp_path / "ledger")
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    home = tmp_path / "ledger" / "news"
    left = [confirmed(home / f"0000000{n}-0.parquet", {1: 99}) for n in (1, 2)]
    left += [confirmed(home / "00000002-0.parquet.abcd.part", {1: 99})]
    assert content(await ledger.fetch("news", tmp_path)) == {1: 10}
    later = confirmed(home / "00000003-0.parquet", {1: 99})
    await ledger.merge("news", 1, confirmed(tmp_path / "2", {2: 20}))
    assert content(await ledger.fetch("news", tmp_path)) == {1: 10, 2: 20}
    assert not any(each.exists() for each in left)
    assert later.exists()


async def test_a_ledger_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """It had one index for all serials, and its files bore no digest: it is read, and the next merge replaces it."""
    home = tmp_path / "ledger" / "news"
    home.mkdir(parents=True)
    confirmed(home / "00000001.parquet", {1: 10})
    confirmed(home / "00000002.parquet", {2: 20})
    index = {"serial": 2, "base": "00000001.parquet", "overlays": ["00000002.parquet"], "merged": "abc"}
    (home / "index.json").write_text(json.dumps(index))
    ledger = LocalLedger(tmp_path / "ledger")
    assert content(await ledger.fetch("news", tmp_path)) == {1: 10, 2: 20}
    assert await ledger.merge("news", 2, confirmed(tmp_path / "3", {2: None, 3: 30})) == 3
    assert content(await ledger.fetch("news", tmp_path)) == {1: 10, 3: 30}
    assert not (home / "index.json").exists()


@pytest.mark.parametrize("others", [1, 2])
@pytest.mark.parametrize("at", ["before its draft", "before its rows", "after its rows", "before its index"])
async def test_a_process_that_stood_still_takes_no_serial_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, others: int
) -> None:
    """One that is stopped on its way finds, when it wakes, that others went on, and changes nothing."""
    ledger = LocalLedger(tmp_path / "ledger")
    settle, fold, stopped = module._settle, module.fold, []

    def go_on() -> None:
        if not stopped:
            stopped.append(at)
            for serial in range(others):
                ledger._merge("news", serial, confirmed(tmp_path / f"other{serial}", {serial: 70}))

    def stop_once(draft: Path, path: Path, *, is_new: bool = False) -> None:
        if at == ("before its index" if is_new else "before its rows"):
            go_on()
        settle(draft, path, is_new=is_new)
        if at == "after its rows" and not is_new:
            go_on()

    def stop_before_folding(layers: list[Path], target: Path, memory_limit: str) -> None:
        if at == "before its draft":
            go_on()
        fold(layers, target, memory_limit)

    monkeypatch.setattr(module, "_settle", stop_once)
    monkeypatch.setattr(module, "fold", stop_before_folding)
    with pytest.raises(StateError, match="R280"):
        await ledger.merge("news", 0, confirmed(tmp_path / "mine", {1: 10}))
    assert await ledger.serial("news") == others
    assert content(await ledger.fetch("news", tmp_path)) == dict.fromkeys(range(others), 70)


def test_no_two_drafts_share_a_name(tmp_path: Path) -> None:
    """A process that is stopped within a write keeps its file locked, and whoever takes over writes one of its own."""
    path = tmp_path / "00000001-0.parquet"
    assert module._draft(path) != module._draft(path)
