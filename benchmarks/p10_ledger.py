"""P10: the ledger's life in one run: what has changed, what is gone, what is now believed; beside SQLite and SQL by hand."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Row, faster, slower, within

ID = "P10"
SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)


def results(bench: Bench) -> Iterator[Row]:
    """One key in a hundred has other values, one in two hundred has left, as many are new."""
    for size in bench.chosen(SIZES) if bench.sizes else SIZES[:3]:
        prepare(size, bench.folder)
        if size == SIZES[-1]:
            sides = bench.turns(__name__, size, "ours", rounds=1)
            yield within(
                "P10",
                "ledger of 100 M keys",
                size,
                sides["ours"].seconds,
                "s",
                "≤ 1,280 MB",
                is_reached=sides["ours"].peak_mb <= 1_280,
                memory=sides["ours"].peak_mb,
            )
            continue
        sides = bench.turns(__name__, size, "ours", "by_hand", "sqlite")
        assert sides["sqlite"].said["same_and_gone"] == " ".join(sides["ours"].said["digest"].split()[:2])
        is_reach = size == 10_000_000
        yield faster(
            "P10",
            "ledger diff and update against SQLite",
            size,
            sides,
            "sqlite",
            10 if is_reach else None,
            note="counts equal",
        )
        yield slower(
            "P10", "ledger diff and update against SQL by hand", size, sides, "by_hand", 1.15 if is_reach else None
        )


def prepare(size: int, folder: Path) -> None:
    """Write the ledger, and the keys and hashes of today's source."""
    import duckdb

    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")}) as connection:
        for name, first, value in (
            ("ledger", 0, "CAST(i AS VARCHAR)"),
            ("source", size // 200, "CAST(i AS VARCHAR) || CASE WHEN i % 100 = 0 THEN 'new' ELSE '' END"),
        ):
            path = folder / f"{name}-{size}.parquet"
            if path.exists():
                continue
            connection.execute(
                f"""
                COPY (SELECT i - {first} AS position, CAST(kh >> 64 AS UBIGINT) AS kh_high,
                             CAST(kh & 18446744073709551615::UHUGEINT AS UBIGINT) AS kh_low, rh
                      FROM (SELECT i, md5_number('key' || i) AS kh, CAST(md5_number({value}) >> 64 AS UBIGINT) AS rh
                            FROM range({first}, {size + first}) t(i)))
                TO '{path}' (FORMAT parquet)
                """
            )


def ours(size: int, folder: Path) -> dict[str, Any]:
    """Compare as a plan does, note what was sent as a run does, and merge it into the ledger."""
    import anyio

    from syncer.engine import ledger
    from syncer.engine.connection import connect, count, write_parquet
    from syncer.state.ledger import LocalLedger

    home = folder / "ledger-home"
    shutil.rmtree(home, ignore_errors=True)
    state = LocalLedger(home)
    anyio.run(state.merge, "leads", 0, folder / f"ledger-{size}.parquet")
    start, used = time.perf_counter(), time.process_time()
    connection = connect(home / "engine")
    source = f"SELECT position, position + 1 AS \"row\", kh_high, kh_low, rh, 0 AS flaw FROM '{folder / f'source-{size}.parquet'}'"
    connection.execute(f"CREATE TEMP VIEW rows AS {source}")
    connection.execute("CREATE TEMP VIEW accepted AS SELECT * FROM rows WHERE flaw = 0")
    for each in (
        "again (position BIGINT, kh_high UBIGINT, kh_low UBIGINT, rh UBIGINT, turn BIGINT)",
        "skipped (position BIGINT)",
        "refused (position BIGINT)",
    ):
        connection.execute(f"CREATE TEMP TABLE {each}")
    known = anyio.run(state.fetch, "leads", home)
    assert known is not None
    ledger.compare(connection, ledger.view(connection, known), only_changed=True)
    gone = count(connection, "SELECT count(*) FROM gone")
    same = count(connection, "SELECT count(*) FROM unchanged")
    sent = home / "confirmed.parquet"
    connection.execute(
        f"SET VARIABLE dropped = (SELECT bitstring_agg(CAST(position AS INTEGER), 0, {size}) FROM unchanged)"
    )
    is_sent = "get_bit(getvariable('dropped'), CAST(position AS INTEGER)) = 0"
    write_parquet(connection, f"SELECT kh_high, kh_low, rh FROM rows WHERE {is_sent}", sent)
    anyio.run(state.merge, "leads", 1, sent)
    after = anyio.run(state.fetch, "leads", home)
    taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
    return {**taken, "digest": f"{same} {gone} {_digest(after)}"}


def _digest(path: Path | None) -> str:
    import duckdb

    with duckdb.connect() as connection:
        return str(connection.execute(f"SELECT count(*), bit_xor(kh_high), bit_xor(rh) FROM '{path}'").fetchone())


def by_hand(size: int, folder: Path) -> dict[str, Any]:
    """Write the same four statements by hand."""
    import duckdb

    old, new = folder / f"ledger-{size}.parquet", folder / f"source-{size}.parquet"
    target = folder / "by-hand.parquet"
    start, used = time.perf_counter(), time.process_time()
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder / "spill")}) as connection:
        connection.execute(
            f"CREATE TEMP TABLE sent AS SELECT kh_high, kh_low, rh FROM '{new}' ANTI JOIN '{old}' AS old USING (kh_high, kh_low, rh)"
        )
        [(sent,)] = connection.execute("SELECT count(*) FROM sent").fetchall()
        [(gone,)] = connection.execute(
            f"SELECT count(*) FROM '{old}' ANTI JOIN '{new}' AS new USING (kh_high, kh_low)"
        ).fetchall()
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"""
            COPY (SELECT kh_high, kh_low, rh FROM '{old}' ANTI JOIN sent USING (kh_high, kh_low) UNION ALL FROM sent)
            TO '{target}' (FORMAT parquet)
            """
        )
    taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
    return {**taken, "digest": f"{size - sent} {gone} {_digest(target)}"}


def sqlite(size: int, folder: Path) -> dict[str, Any]:
    """Keep the ledger in SQLite, keyed; today's snapshot is loaded, compared and laid over it."""
    import sqlite3

    place = folder / "ledger.sqlite"
    kept = folder / f"ledger-{size}.sqlite"
    if not kept.exists():
        with sqlite3.connect(kept) as made:
            made.execute("CREATE TABLE ledger (kh BLOB PRIMARY KEY, rh INTEGER) WITHOUT ROWID")
            made.executemany(
                "INSERT INTO ledger VALUES (?, ?)", _pairs(folder / f"ledger-{size}.parquet", "ORDER BY 1")
            )
        made.close()
    shutil.copyfile(kept, place)
    start, used = time.perf_counter(), time.process_time()
    with sqlite3.connect(place) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.execute("PRAGMA cache_size = -500000")
        store.execute("CREATE TEMP TABLE now (kh BLOB PRIMARY KEY, rh INTEGER) WITHOUT ROWID")
        store.executemany("INSERT INTO now VALUES (?, ?)", _pairs(folder / f"source-{size}.parquet", ""))
        [(same,)] = store.execute("SELECT count(*) FROM now JOIN ledger USING (kh) WHERE now.rh = ledger.rh").fetchall()
        [(gone,)] = store.execute("SELECT count(*) FROM ledger WHERE kh NOT IN (SELECT kh FROM now)").fetchall()
        store.execute(
            "INSERT INTO ledger SELECT kh, rh FROM now WHERE true ON CONFLICT (kh) DO UPDATE SET rh = excluded.rh "
            "WHERE excluded.rh <> ledger.rh"
        )
    taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
    return {**taken, "same_and_gone": f"{same} {gone}"}


def _pairs(path: Path, order: str) -> Iterator[tuple[bytes, int]]:
    import duckdb

    with duckdb.connect() as connection:
        cursor = connection.execute(
            f"SELECT unhex(printf('%016x%016x', kh_high, kh_low)) AS kh, CAST(rh >> 1 AS BIGINT) FROM '{path}' {order}"
        )
        while found := cursor.fetchmany(50_000):
            yield from found
