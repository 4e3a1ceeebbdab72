"""What every store of state promises, be it a folder, a bucket in memory or a bucket behind S3's protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.errors import LeaseLostError, LockedError, StalePlanError, StateError, UserError
from syncer.state import registry
from syncer.state.lease import TTL_SECONDS
from syncer.state.ledger import MAX_OVERLAYS
from syncer.state.protocol import KEPT_SECONDS, Committing, Finished, Note, Parked, Settled, Started
from tests.fakes.hand import HandClock
from tests.fakes.s3 import BUCKET, S3Server
from tests.fakes.world import directly

pytestmark = pytest.mark.anyio
STARTED = Started(plan="p", tool="1")
Opener = Callable[[], Any]


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the command line uses."""
    return "asyncio"


@pytest.fixture
def clock() -> HandClock:
    """Time stands still until it is moved."""
    return HandClock()


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """One server for all tests here; each has a prefix of its own."""
    with S3Server(page=7) as server:
        yield server


@pytest.fixture(params=["folder", "memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for state, as the command line names it."""
    if request.param == "folder":
        return str(tmp_path / "state")
    if request.param == "memory":
        return f"memory://{tmp_path.name}"
    for name, value in request.getfixturevalue("s3").environment().items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture
def opened(place: str, clock: HandClock) -> Iterator[Opener]:
    """Open the same place as another process would; all are closed in the end."""
    stores: list[Any] = []

    def opener() -> Any:
        stores.append(registry.open_store(place, clock, offload=directly))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()


async def told(store: Any, run: str = "run1") -> list[Note]:
    """Return the notes of a run."""
    journal = await store.journal(run, None)
    return [note async for note in journal.notes()]


async def test_notes_outlive_the_process(opened: Opener, clock: HandClock) -> None:
    """What was appended is read by the next process, in order, over many pages."""
    first = opened()
    lease = await first.acquire(("leads",), "ada", "run1")
    journal = await first.journal("run1", lease)
    notes: list[Note] = [STARTED]
    notes += [Committing(unit=f"a/1/sync/{number:04d}", at=clock.now()) for number in range(60)]
    for note in notes:
        await journal.append(note)
    assert [note async for note in journal.notes()] == notes
    first.close()
    assert await told(opened()) == notes


async def test_notes_of_many_tasks_are_each_kept_once(opened: Opener) -> None:
    """However many append at once, nothing is lost, doubled or interleaved."""
    store = opened()
    journal = await store.journal("run1", await store.acquire(("leads",), "ada", "run1"))
    notes = [Settled(unit=f"a/1/sync/{number:04d}", letters="cu" * number) for number in range(40)]
    async with anyio.create_task_group() as tasks:
        for note in notes:
            tasks.start_soon(journal.append, note)
    assert sorted(note.unit for note in await told(store) if isinstance(note, Settled)) == [each.unit for each in notes]


async def test_a_run_goes_on_where_the_one_before_stopped(opened: Opener) -> None:
    """A second holder of the same run reads the notes of the first and writes on after them."""
    for number in range(3):
        store = opened()
        lease = await store.acquire(("leads",), "ada", "run1")
        journal = await store.journal("run1", lease)
        assert len([note async for note in journal.notes()]) == number
        await journal.append(Parked(reason=str(number)))
        await lease.release()
    assert [note.reason for note in await told(opened()) if isinstance(note, Parked)] == ["0", "1", "2"]


async def test_a_finished_run_is_told_as_ever(opened: Opener) -> None:
    """However a store keeps what is complete: notes, list and spent plan stay, and a word more can be added."""
    store = opened()
    lease = await store.acquire(("leads",), "ada", "run1")
    await store.spend("p", "run1")
    journal = await store.journal("run1", lease)
    written: list[Note] = [STARTED, *(Committing(unit=f"u{number}", at=1.0) for number in range(40))]
    written.append(Finished(exit_code=0))
    for note in written:
        await journal.append(note)
    await lease.release()
    other = opened()
    assert await told(other) == written
    assert (await other.runs(), await other.spent_by("p")) == (("run1",), "run1")
    again = await other.acquire(("leads",), "bob", "run1")
    await (await other.journal("run1", again)).append(Parked(reason="a word more"))
    await again.release()
    assert await told(opened()) == [*written, Parked(reason="a word more")]


async def test_runs_are_listed_oldest_first(opened: Opener) -> None:
    """A run is known once its journal was opened for writing; taking it up again does not move it."""
    store = opened()
    for run in ("b", "a/../é", "c", "b"):
        lease = await store.acquire(("leads",), "ada", run)
        await store.journal(run, lease)
        await lease.release()
    await store.journal("never", None)
    assert await store.runs() == ("b", "a/../é", "c")


async def test_only_a_holder_may_append(opened: Opener) -> None:
    """A journal that was opened to look at cannot be written, and one whose lease was given back neither."""
    store = opened()
    journal = await store.journal("run1", None)
    with pytest.raises(StateError):
        await journal.append(STARTED)
    lease = await store.acquire(("leads",), "ada", "run1")
    journal = await store.journal("run1", lease)
    await lease.release()
    with pytest.raises(LeaseLostError):
        await journal.append(STARTED)
    assert await told(store) == []


async def test_a_key_space_has_one_holder(opened: Opener, clock: HandClock) -> None:
    """The second one is told who holds it; other key spaces are free."""
    store, other = opened(), opened()
    lease = await store.acquire(("leads", "contacts"), "ada", "run1")
    clock.pass_by(20)
    with pytest.raises(LockedError, match="ada has held the lease for 20 s"):
        await other.acquire(("contacts",), "bob", "run2")
    await other.acquire(("accounts",), "bob", "run2")
    await lease.release()
    await other.acquire(("contacts",), "bob", "run3")
    assert [record.run for record in await store.held()] == ["run2", "run3"]


async def test_all_or_none(opened: Opener) -> None:
    """Who cannot have one of two key spaces holds the other back from nobody."""
    await opened().acquire(("contacts",), "ada", "run1")
    with pytest.raises(LockedError):
        await opened().acquire(("accounts", "contacts", "leads"), "bob", "run2")
    await opened().acquire(("accounts", "leads"), "eve", "run3")


async def test_one_run_is_resumed_by_one_process(opened: Opener) -> None:
    """Even without a key space in common."""
    await opened().acquire(("leads",), "ada", "run1")
    with pytest.raises(LockedError):
        await opened().acquire(("accounts",), "bob", "run1")


async def test_a_silent_holder_is_replaced_when_its_last_request_must_be_over(opened: Opener, clock: HandClock) -> None:
    """Not at expiry, but after the longest request on top; and then its notes are refused."""
    first, second = opened(), opened()
    old = await first.acquire(("leads",), "ada", "run1")
    journal = await first.journal("run1", old)
    await journal.append(STARTED)
    for wait in (0, TTL_SECONDS, 370):
        clock.pass_by(wait)
        with pytest.raises(LockedError):
            await second.acquire(("leads",), "bob", "run2")
    clock.pass_by(6)
    new = await second.acquire(("leads",), "bob", "run2")
    assert new.epoch > old.epoch
    with pytest.raises(LeaseLostError):
        await journal.append(STARTED)
    with pytest.raises(LeaseLostError):
        await old.renew()
    await old.release()
    await (await second.journal("run2", new)).append(STARTED)
    assert await told(second) == [STARTED]


async def test_a_holder_that_beats_is_never_replaced(opened: Opener, clock: HandClock) -> None:
    """However long it takes."""
    first, second = opened(), opened()
    lease = await first.acquire(("leads",), "ada", "run1")
    for _ in range(20):
        clock.pass_by(50)
        await lease.renew()
        with pytest.raises(LockedError):
            await second.acquire(("leads",), "bob", "run2")


async def test_a_renewed_lease_is_safe_again(opened: Opener, clock: HandClock) -> None:
    """Time is counted from before the renewal began."""
    lease = await opened().acquire(("leads",), "ada", "run1")
    clock.pass_by(50)
    assert lease.remaining_seconds() == 5
    await lease.renew()
    assert lease.remaining_seconds() == 55


async def test_a_person_breaks_a_lease_by_its_epoch(opened: Opener) -> None:
    """A wrong epoch breaks nothing; the right one lets the next run begin and the old one write no more."""
    store = opened()
    lease = await store.acquire(("leads",), "ada", "run1")
    journal = await store.journal("run1", lease)
    with pytest.raises(UserError, match="R212"):
        await store.unlock(lease.epoch + 1, "bob")
    await opened().unlock(lease.epoch, "bob")
    with pytest.raises(LeaseLostError):
        await journal.append(STARTED)
    with pytest.raises(LeaseLostError):
        await lease.renew()
    await opened().acquire(("leads",), "bob", "run1")


async def test_calls_outside_of_runs_add_up(opened: Opener, clock: HandClock) -> None:
    """Every process counts its own, by instance; what was counted before a moment is not of the day after it."""
    store = opened()
    assert dict(await store.calls_since(0.0)) == {}
    await store.count_calls({"marketo a": 2, "salesforce b": 1})
    clock.pass_by(100)
    began = clock.now()
    await store.count_calls({"marketo a": 3})
    await opened().count_calls({"marketo a": 4})
    assert dict(await opened().calls_since(0.0)) == {"marketo a": 9, "salesforce b": 1}
    assert dict(await opened().calls_since(began)) == {"marketo a": 7}


async def test_a_plan_may_be_the_first_to_come(opened: Opener) -> None:
    """Calls that are counted in an empty place make it a place of state; a run goes on from there."""
    await opened().count_calls({"marketo a": 2})
    await opened().acquire(("leads",), "ada", "run1")
    assert dict(await opened().calls_since(0.0)) == {"marketo a": 2}


async def test_calls_of_days_gone_by_are_forgotten(opened: Opener, clock: HandClock) -> None:
    """The state does not grow with every plan that is ever made."""
    store = opened()
    await store.count_calls({"marketo a": 2})
    clock.pass_by(KEPT_SECONDS + 1)
    await store.count_calls({"marketo a": 3})
    assert dict(await store.calls_since(0.0)) == {"marketo a": 3}


async def test_a_plan_is_spent_once(opened: Opener) -> None:
    """By its own run as often as it is resumed, by no other."""
    store = opened()
    assert await store.spent_by("p") is None
    await store.spend("p", "run1")
    await store.spend("p", "run1")
    assert await opened().spent_by("p") == "run1"
    with pytest.raises(StalePlanError, match="syncer resume run1"):
        await opened().spend("p", "run2")


async def test_a_journal_that_was_never_written_is_empty(opened: Opener) -> None:
    """Looking creates nothing."""
    store = opened()
    assert await told(store) == []
    assert await store.runs() == ()


async def test_races_have_one_winner(place: str, clock: HandClock) -> None:
    """Four stores at once in four threads: exactly one takes the lease, again and again."""
    for attempt in range(20):
        winners: list[Any] = []
        stores = [registry.open_store(place, clock) for _ in range(4)]

        async def take(store: Any, attempt: int = attempt, winners: list[Any] = winners) -> None:
            try:
                winners.append(await store.acquire(("leads",), "x", f"run{attempt}"))
            except LockedError:
                return

        async with anyio.create_task_group() as tasks:
            for store in stores:
                tasks.start_soon(take, store)
        assert len(winners) == 1
        await winners[0].release()
        for store in stores:
            store.close()


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


async def test_a_new_operation_has_no_ledger(opened: Opener, tmp_path: Path) -> None:
    """Serial 0 and no file."""
    ledger = opened().ledger()
    assert await ledger.serial("news") == 0
    assert await ledger.fetch("news", tmp_path) is None


async def test_the_newest_word_on_a_key_holds(opened: Opener, tmp_path: Path) -> None:
    """Later merges overlay earlier ones, and a key without a hash is forgotten."""
    ledger = opened().ledger()
    assert await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10, 2: 20, 4: None})) == 1
    assert await ledger.merge("news", 1, confirmed(tmp_path / "2", {2: 21, 3: 30})) == 2
    assert await ledger.merge("news", 2, confirmed(tmp_path / "3", {1: None})) == 3
    assert content(await opened().ledger().fetch("news", tmp_path)) == {2: 21, 3: 30}
    assert await ledger.serial("other") == 0


async def test_a_merge_may_be_repeated(opened: Opener, tmp_path: Path) -> None:
    """A process that died after the merge merges again to no effect."""
    words = confirmed(tmp_path / "1", {1: 10})
    assert await opened().ledger().merge("news", 0, words) == 1
    assert await opened().ledger().merge("news", 0, words) == 1
    assert content(await opened().ledger().fetch("news", tmp_path)) == {1: 10}


async def test_a_ledger_that_moved_on_is_a_conflict(opened: Opener, tmp_path: Path) -> None:
    """Other words on a serial that is past, or not yet come, are refused."""
    ledger = opened().ledger()
    await ledger.merge("news", 0, confirmed(tmp_path / "1", {1: 10}))
    for serial, name in ((0, "2"), (7, "3")):
        with pytest.raises(StateError, match="R280"):
            await ledger.merge("news", serial, confirmed(tmp_path / name, {1: 11}))


async def test_overlays_are_folded_away(opened: Opener, tmp_path: Path) -> None:
    """However often it is merged, what is fetched is the newest word on every key."""
    ledger = opened().ledger()
    for serial in range(2 * MAX_OVERLAYS + 3):
        await ledger.merge("news", serial, confirmed(tmp_path / "w", {serial: serial, 1_000: serial}))
    last = 2 * MAX_OVERLAYS + 2
    found = await ledger.fetch("news", tmp_path)
    assert content(found) == {**{n: n for n in range(last + 1)}, 1_000: last}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 3))), max_size=12))
async def test_the_ledger_is_a_dictionary(
    opened: Opener, tmp_path_factory: pytest.TempPathFactory, merges: list[dict[int, int | None]]
) -> None:
    """After any merges it holds what a dictionary would."""
    folder = tmp_path_factory.mktemp("words")
    ledger, wanted = opened().ledger(), dict[int, int]()
    for serial, words in enumerate(merges):
        await ledger.merge(folder.name, serial, confirmed(folder / "w", words))
        for key, rh in words.items():
            if rh is None:
                wanted.pop(key, None)
            else:
                wanted[key] = rh
    assert content(await ledger.fetch(folder.name, folder)) == wanted if merges else True
