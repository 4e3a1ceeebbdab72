"""State in a bucket when things go wrong: lost answers, late writes, clocks that disagree, foreign objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import duckdb
import pytest

from syncer.errors import LeaseLostError, LockedError, StateError
from syncer.state import registry
from syncer.state.ledger import MAX_OVERLAYS
from syncer.state.protocol import Committing, Finished, Note, Parked, Started
from tests.fakes.hand import HandClock
from tests.fakes.s3 import BUCKET, KEY, SECRET, S3Server, Trouble
from tests.fakes.world import directly

T = TypeVar("T")

pytestmark = pytest.mark.anyio
STARTED = Started(plan="p", tool="1")
PREFIX = "team/syncer"
HOUR = 3_600.0


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the command line uses."""
    return "asyncio"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server of its own for each test, whose lists come in pages of three."""
    with S3Server(page=3) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def store(clock: HandClock | None = None, offload: Any = directly) -> Any:
    """Open the state as a process of its own does, with a clock of its own."""
    return registry.open_store(f"s3://{BUCKET}/{PREFIX}", clock or HandClock(), offload=offload)


async def told(place: Any, run: str = "run1") -> list[Note]:
    """Return the notes of a run."""
    journal = await place.journal(run, None)
    return [note async for note in journal.notes()]


def words(path: Path, *keys: int) -> Path:
    """Write a confirmed file."""
    values = ", ".join(f"({key}::UBIGINT, 0::UBIGINT, {key * 10}::UBIGINT)" for key in keys)
    duckdb.execute(f"COPY (SELECT * FROM (VALUES {values}) AS t(kh_high, kh_low, rh)) TO '{path}' (FORMAT parquet)")
    return path


async def life(place: Any, folder: Path) -> list[object]:
    """Do once all that a run does with its state, and return what is seen of it."""
    lease = await place.acquire(("leads",), "ada", "run1")
    await place.spend("plan", "run1")
    journal = await place.journal("run1", lease)
    await journal.append(STARTED)
    await lease.renew()
    await journal.append(Committing(unit="u", at=1.0))
    await place.ledger().merge("news", 0, words(folder / "w", 1, 2))
    await journal.append(Parked(reason="quota"))
    await lease.release()
    return await seen(place, folder)


async def seen(place: Any, folder: Path) -> list[object]:
    """Return everything that a state tells."""
    known = await place.ledger().fetch("news", folder)
    content = known and sorted(duckdb.execute(f"SELECT kh_high, rh FROM '{known}'").fetchall())
    serial = await place.ledger().serial("news")
    return [await told(place), await place.runs(), await place.spent_by("plan"), serial, content, await place.held()]


@pytest.mark.parametrize("kind", ["lose", "cut", "refuse", "meet"])
async def test_a_failure_in_passing_changes_nothing(s3: S3Server, tmp_path: Path, kind: Any) -> None:
    """Whichever write loses its answer, is cut, refused or meets another: it is done once, and known to be done."""
    place = store()
    wanted = await life(place, tmp_path)
    writes = sum(method == "PUT" for method, _ in s3.log)
    for number in range(writes):
        s3.objects.clear()
        s3.troubles = [Trouble("hold", times=number), Trouble(kind)]
        s3.troubles[0].gate.set()
        assert await life(place, tmp_path) == wanted
        assert s3.troubles[1].times == 0


@pytest.mark.parametrize("kind", ["lose", "cut", "refuse"])
async def test_reads_are_tried_again(s3: S3Server, tmp_path: Path, kind: Any) -> None:
    """A read that fails in passing is no news."""
    place = store()
    wanted = await life(place, tmp_path)
    s3.log.clear()
    await seen(place, tmp_path)
    for number in range(sum(method == "GET" for method, _ in s3.log)):
        s3.troubles = [Trouble("hold", "GET", times=number), Trouble(kind, "GET")]
        s3.troubles[0].gate.set()
        assert await seen(place, tmp_path) == wanted


@asynccontextmanager
async def refused_late(s3: S3Server) -> AsyncIterator[None]:
    """Hold a note on its way to the disk past its lease's life; what is done meanwhile makes the store refuse it."""
    victim = store(offload=in_thread)
    lease = await victim.acquire(("leads",), "ada", "run1")
    journal = await victim.journal("run1", lease)
    await journal.append(STARTED)
    late = Trouble("hold", part="journal/")
    s3.troubles = [late]
    caught: list[BaseException] = []

    async def append() -> None:
        try:
            await journal.append(Parked(reason="late"))
        except LeaseLostError as error:
            caught.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(append)
        await in_thread(late.came.wait)
        s3.ahead_seconds = 540
        yield
        late.gate.set()
    assert len(caught) == 1


async def test_a_note_that_stayed_on_its_way_is_refused_after_a_take_over(s3: S3Server) -> None:
    """Frozen between the network and the disk for as long as it likes: the store itself refuses it then."""
    async with refused_late(s3):
        await store().acquire(("leads",), "bob", "run2")
    assert await told(store()) == [STARTED]


async def finished(place: Any, *, notes: int = 20) -> None:
    """Do a run to its end."""
    lease = await place.acquire(("leads",), "ada", "run1")
    journal = await place.journal("run1", lease)
    for note in (STARTED, *(Committing(unit=f"u{number}", at=1.0) for number in range(notes)), Finished(exit_code=0)):
        await journal.append(note)
    await lease.release()


def journal_of(s3: S3Server) -> list[str]:
    """Return the names of the objects that hold notes."""
    return sorted(name for name in s3.objects if "/journal/" in name or "/packed/" in name)


async def test_few_objects_are_left_of_a_finished_run(s3: S3Server) -> None:
    """All lines in one, the fence and the last segment; a run that only parked keeps its segments."""
    await finished(store())
    assert len(journal_of(s3)) == 3
    assert len(await told(store())) == 22
    place = store()
    lease = await place.acquire(("leads",), "bob", "run2")
    journal = await place.journal("run2", lease)
    for note in (STARTED, Committing(unit="u", at=1.0), Parked(reason="quota")):
        await journal.append(note)
    await lease.release()
    assert len(journal_of(s3)) == 3 + 4


async def test_a_late_note_is_kept_out_of_a_finished_run_too(s3: S3Server) -> None:
    """Frozen on its way until another process has ended the run and packed its lines: its number stays taken."""
    async with refused_late(s3):
        await finished(store(), notes=3)
    assert [note.kind for note in await told(store())] == ["started", "started", *["committing"] * 3, "finished"]


async def test_a_reader_under_whose_eyes_a_run_is_packed_reads_on(s3: S3Server) -> None:
    """Segments that it was about to read are gone: it finds their lines in the one object that has them all."""
    await finished(store())
    packed = {name: each for name, each in s3.objects.items() if "/packed/" in name}
    reads = 0
    journal = await store().journal("run1", None)
    get = journal._bucket.get

    async def packing(path: str) -> Any:
        nonlocal reads
        reads += path.startswith("packed/")
        return None if path.startswith("packed/") and reads == 1 else await get(path)

    journal._bucket.get = packing
    assert len([note async for note in journal.notes()]) == 22
    assert (reads, len(packed)) == (2, 1)


@pytest.mark.parametrize("spoil", [lambda body: body[:-9], lambda body: body.replace(b'"u3\\"', b'"u4\\"'), None])
async def test_packed_lines_that_are_damaged_are_not_believed(s3: S3Server, spoil: Any) -> None:
    """Cut, changed or gone: nothing of the run is told."""
    await finished(store())
    [name] = [each for each in journal_of(s3) if "/packed/" in each]
    if spoil is None:
        del s3.objects[name]
    else:
        s3.put(name, spoil(s3.objects[name].body))
    with pytest.raises(StateError, match=r"R201|R223"):
        await told(store())


async def test_a_death_while_a_run_is_packed_loses_nothing(s3: S3Server) -> None:
    """Once the lines are in one object, it does not matter how many of the segments are still there."""
    await finished(store())
    gone = [name for name in s3.objects if "/journal/" in name]
    s3.objects.update({f"{gone[0][:-8]}{number:08}": s3.objects[gone[0]] for number in range(2, 9)})
    assert len(await told(store())) == 22


async def test_a_note_that_was_given_up_is_kept_out_by_the_next_holder(s3: S3Server) -> None:
    """The process died with a note on its way; the run was taken up, and the note arrives only now."""
    first = store()
    lease = await first.acquire(("leads",), "ada", "run1")
    await first.journal("run1", lease)
    await lease.release()
    second = store()
    again = await second.acquire(("leads",), "ada", "run1")
    journal = await second.journal("run1", again)
    numbers = sorted(name for name in s3.objects if "/journal/" in name)
    assert [name.rpartition("/")[2] for name in numbers] == ["00000001", "00000002"]
    await journal.append(STARTED)
    assert await told(second) == [STARTED]


async def test_a_note_whose_fate_is_unknown_is_settled_before_the_next(s3: S3Server) -> None:
    """What was told to have failed may be there or not, but never after a later note, never twice."""
    place = store()
    journal = await place.journal("run1", await place.acquire(("leads",), "ada", "run1"))
    s3.troubles = [Trouble("lose", part="journal/", times=1), Trouble("refuse", "GET"), Trouble("cut", times=50)]
    with pytest.raises(StateError, match="R220"):
        await journal.append(STARTED)
    s3.troubles = []
    await journal.append(Parked(reason="after"))
    assert await told(place) == [STARTED, Parked(reason="after")]


@pytest.mark.parametrize("skew", [-HOUR, 0.0, HOUR])
async def test_clocks_that_disagree_by_an_hour_harm_nobody(s3: S3Server, skew: float) -> None:
    """The server's dates decide: a fresh process waits as long as it must, whatever time it believes it is."""
    here, there = HandClock(), HandClock(start=HandClock().wall + skew)
    lease = await store(here).acquire(("leads",), "ada", "run1")
    for ahead in (0, 60, 430):
        s3.ahead_seconds = ahead
        with pytest.raises(LockedError):
            await store(there).acquire(("leads",), "bob", "run2")
    s3.ahead_seconds = 440
    await store(there).acquire(("leads",), "bob", "run2")
    with pytest.raises(LeaseLostError):
        await lease.renew()


async def test_a_contender_that_died_half_way_hinders_nobody(s3: S3Server) -> None:
    """It ended the silent holder's beat and got no further; the next one goes on from there."""
    old = await store().acquire(("leads",), "ada", "run1")
    s3.ahead_seconds = 440
    s3.troubles = [Trouble("deny", part="leases", times=1)]
    with pytest.raises(StateError, match="R221"):
        await store().acquire(("leads",), "bob", "run2")
    await store().acquire(("leads",), "eve", "run3")
    with pytest.raises(LeaseLostError):
        await old.renew()


async def test_a_silent_holder_cannot_open_a_journal_any_more(s3: S3Server) -> None:
    """Taken over before it had written a single note."""
    first = store()
    old = await first.acquire(("leads",), "ada", "run1")
    s3.ahead_seconds = 440
    await store().acquire(("leads",), "bob", "run2")
    with pytest.raises(LeaseLostError):
        await first.journal("run1", old)
    assert await told(store()) == []


async def test_a_lease_is_for_its_own_run(s3: S3Server) -> None:
    """Another run's journal would not be fenced with it, nor would another process's."""
    assert s3
    first, second = store(), store()
    lease = await first.acquire(("leads",), "ada", "run1")
    for place, run in ((first, "run2"), (second, "run1")):
        with pytest.raises(StateError, match="R211"):
            await place.journal(run, lease)


async def test_a_beat_that_somebody_deleted_is_begun_again(s3: S3Server) -> None:
    """Its holder goes on; were it gone, it would be waited for."""
    lease = await store().acquire(("leads",), "ada", "run1")
    for name in [name for name in s3.objects if "/beats/" in name]:
        del s3.objects[name]
    with pytest.raises(LockedError):
        await store().acquire(("leads",), "bob", "run2")
    await lease.renew()
    s3.ahead_seconds = 440
    await store().acquire(("leads",), "bob", "run2")


async def test_a_lease_whose_beat_is_gone_can_be_broken(s3: S3Server) -> None:
    """A person's word needs nothing of the holder's."""
    lease = await store().acquire(("leads",), "ada", "run1")
    for name in [name for name in s3.objects if "/beats/" in name]:
        del s3.objects[name]
    await store().unlock(lease.epoch, "bob")
    with pytest.raises(LeaseLostError):
        await lease.renew()


async def test_who_broke_a_lease_is_kept(s3: S3Server) -> None:
    """With the epoch."""
    lease = await store().acquire(("leads",), "ada", "run1")
    await store().unlock(lease.epoch, "bob@desk")
    assert b"bob@desk" in s3.objects[f"{PREFIX}/leases"].body


async def test_no_object_is_believed_that_is_cut_changed_or_foreign(s3: S3Server, tmp_path: Path) -> None:
    """Each object in turn, spoilt in each way: what is read is what was written, or a state error, never a part."""
    place = store()
    wanted = await life(place, tmp_path)
    kept = dict(s3.objects)
    refused = 0
    for name, stored in kept.items():
        body = stored.body
        ways = [b"", body[:-1], body[: len(body) // 2], body[:3], b"{}", body + b"x", kept[f"{PREFIX}/leases"].body]
        ways += [body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] for at in range(0, len(body), 1 + len(body) // 7)]
        for way in ways:
            s3.put(name, way)
            try:
                assert await seen(place, tmp_path) == wanted
            except StateError as error:
                assert error.code in {"R201", "R202", "R223", "R281"}  # noqa: PT017 - either is right
                refused += 1
        s3.put(name, body)
    assert refused > 50
    assert await seen(store(), tmp_path) == wanted


@pytest.mark.parametrize(("segment", "code"), [("00000001", "R201"), ("00000002", "R201"), ("00000004", "R201")])
async def test_a_segment_that_is_missing_is_noticed(s3: S3Server, tmp_path: Path, segment: str, code: str) -> None:
    """The first, one in the middle, and the last, which the mark of the last holder tells of."""
    await life(store(), tmp_path)
    del s3.objects[f"{PREFIX}/journal/run1/{segment}"]
    with pytest.raises(StateError, match=code):
        await told(store())


async def test_a_damaged_journal_stops_only_its_own_run(s3: S3Server) -> None:
    """Another run that takes over the key space still fences it, and goes on."""
    first = store()
    lease = await first.acquire(("leads",), "ada", "run1")
    journal = await first.journal("run1", lease)
    await journal.append(STARTED)
    s3.put(f"{PREFIX}/journal/run1/00000002", b"spoilt")
    s3.ahead_seconds = 440
    await store().acquire(("leads",), "bob", "run2")
    with pytest.raises(LeaseLostError):
        await journal.append(STARTED)
    with pytest.raises(StateError, match="R223"):
        await told(store())


async def test_a_place_of_something_else_is_left_alone(s3: S3Server) -> None:
    """Nothing is written where other objects are, nor where the table of leases was lost: epochs would begin anew."""
    s3.put(f"{PREFIX}/holiday.jpg", b"x")
    with pytest.raises(StateError, match="R203"):
        await store().acquire(("leads",), "ada", "run1")
    assert list(s3.objects) == [f"{PREFIX}/holiday.jpg"]


async def test_a_newer_state_is_refused(s3: S3Server) -> None:
    """An older syncer reads nothing of it."""
    await store().acquire(("leads",), "ada", "run1")
    s3.put(f"{PREFIX}/leases", s3.objects[f"{PREFIX}/leases"].body.replace(b" 1 ", b" 2 ", 1))
    with pytest.raises(StateError, match="R202"):
        await store().acquire(("accounts",), "ada", "run2")


@pytest.mark.parametrize(("kind", "code"), [("deny", "R221"), ("refuse", "R220"), ("cut", "R220"), ("meet", "R220")])
async def test_a_bucket_that_refuses_is_told_without_its_words(s3: S3Server, kind: Any, code: str) -> None:
    """What to do is said; neither key nor secret nor the vendor's text is, not even as the error's cause."""
    s3.troubles = [Trouble(kind, "GET", times=99), Trouble(kind, "PUT", times=99)]
    with pytest.raises(StateError, match=code) as caught:
        await store().spend("plan", "run1")
    text = f"{caught.value!s} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__
    assert KEY not in text
    assert SECRET not in text
    assert f"s3://{BUCKET}/{PREFIX}" in text


@pytest.mark.parametrize("kind", ["unable", "ignore"])
async def test_a_store_without_conditional_writes_is_refused(s3: S3Server, kind: Any) -> None:
    """Whether it says so or passes conditions over in silence: nothing of a state is left there."""
    s3.troubles = [Trouble(kind, times=1_000)]
    for _ in range(2):
        with pytest.raises(StateError, match="R222"):
            await store().acquire(("leads",), "ada", "run1")
        assert s3.objects == {}


async def test_conditions_are_proved_once(s3: S3Server) -> None:
    """The first process that ever comes sees to it; nothing of the proof is left."""
    for _ in range(2):
        await (await store().acquire(("leads",), "ada", "run1")).release()
    assert [method for method, key in s3.log if "/probe/" in key].count("PUT") == 4
    assert not any("probe" in name for name in s3.objects)


async def test_a_bucket_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the endpoint; the tries end."""
    with S3Server() as gone:
        environment = gone.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StateError, match="R220"):
        await store().runs()


async def test_few_objects_are_left_of_a_ledger(s3: S3Server, tmp_path: Path) -> None:
    """Layers are folded away, and what a crash left behind goes with them."""
    ledger = store().ledger()
    s3.put(f"{PREFIX}/ledger/news/00000001-left-by-a-crash", b"x")
    for serial in range(2 * MAX_OVERLAYS + 3):
        await ledger.merge("news", serial, words(tmp_path / "w", serial + 1))
    assert sum("/ledger/" in name for name in s3.objects) <= MAX_OVERLAYS + 2


async def test_a_large_layer_goes_in_parts(s3: S3Server, tmp_path: Path) -> None:
    """Up and down again, whole."""
    path = tmp_path / "w.parquet"
    rows = "SELECT (range * 7919)::UBIGINT kh_high, hash(range) kh_low, hash(range + 1) rh FROM range(900000)"
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION uncompressed)")
    await store().ledger().merge("news", 0, path)
    found = await store().ledger().fetch("news", tmp_path)
    assert duckdb.execute(f"SELECT count(*) FROM ((FROM '{found}') EXCEPT (FROM '{path}'))").fetchall() == [(0,)]
    assert any(method == "POST" for method, _ in s3.log)


async def test_a_layer_that_is_missing_or_another_one_is_noticed(s3: S3Server, tmp_path: Path) -> None:
    """The index says what it must be."""
    await store().ledger().merge("news", 0, words(tmp_path / "1", 1))
    (name,) = [name for name in s3.objects if "/ledger/news/0" in name]
    s3.put(name, words(tmp_path / "2", 2).read_bytes())
    with pytest.raises(StateError, match="R281"):
        await store().ledger().fetch("news", tmp_path)
    del s3.objects[name]
    with pytest.raises(StateError, match="R281"):
        await store().ledger().fetch("news", tmp_path)


async def test_an_index_of_another_operation_is_not_believed(s3: S3Server, tmp_path: Path) -> None:
    """A copy under another name is no ledger."""
    await store().ledger().merge("news", 0, words(tmp_path / "1", 1))
    s3.put(f"{PREFIX}/ledger/trials/index", s3.objects[f"{PREFIX}/ledger/news/index"].body)
    with pytest.raises(StateError, match="R281"):
        await store().ledger().serial("trials")


# Interleavings, on a store in memory.


def interleaved(random: Random) -> Callable[[Callable[[], T]], Awaitable[T]]:
    """Return an `Offload` that lets others go first at random, before and after each call of the store."""

    async def offload(work: Callable[[], T]) -> T:
        for _ in range(random.randrange(4)):
            await anyio.lowlevel.checkpoint()
        try:
            return work()
        finally:
            for _ in range(random.randrange(4)):
                await anyio.lowlevel.cancel_shielded_checkpoint()

    return offload


async def in_thread(work: Callable[[], T]) -> T:
    """Run in a thread."""
    return await anyio.to_thread.run_sync(work)


@pytest.mark.parametrize("seed", range(200))
async def test_one_of_three_wins_in_any_order(seed: int) -> None:
    """Whatever the order of their calls, exactly one of three takes the lease."""
    random = Random(seed)  # noqa: S311 - an order of calls
    clock = HandClock()
    winners: list[Any] = []

    async def take(name: str) -> None:
        place = registry.open_store(f"memory://race-{seed}", clock, offload=interleaved(random))
        try:
            winners.append(await place.acquire(("leads", name), name, f"run {name}"))
        except LockedError:
            return

    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(take, name)
    assert len(winners) == 1
    await winners[0].renew()


@pytest.mark.parametrize("seed", range(200))
async def test_a_holder_that_wakes_up_and_its_heirs_never_write_both(seed: int) -> None:
    """Two take over while the silent holder beats and writes again: one of the three holds it, as the journal tells."""
    random = Random(seed)  # noqa: S311 - an order of calls
    clock = HandClock()
    places = [registry.open_store(f"memory://heirs-{seed}", clock, offload=interleaved(random)) for _ in range(3)]
    lease = await places[0].acquire(("leads",), "old", "run1")
    journal = await places[0].journal("run1", lease)
    for place in places[1:]:
        with pytest.raises(LockedError):
            await place.acquire(("leads",), "heir", "run2")
    clock.pass_by(440)
    kept: list[str] = []
    heirs: list[Any] = []

    async def wake() -> None:
        for number in range(4):
            try:
                if number == seed % 4:
                    await lease.renew()
                await journal.append(Parked(reason=str(number)))
            except LeaseLostError:
                return
            kept.append(str(number))

    async def inherit(place: Any, run: str) -> None:
        try:
            heirs.append(await place.acquire(("leads",), "heir", run))
        except LockedError:
            return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wake)
        tasks.start_soon(inherit, places[1], "run1")
        tasks.start_soon(inherit, places[2], "run2")
    assert [note.reason for note in await told(places[1]) if isinstance(note, Parked)] == kept
    assert len(heirs) <= 1
    if heirs:
        for refused in (lease.renew(), journal.append(Parked(reason="late"))):
            with pytest.raises(LeaseLostError):
                await refused
    else:
        await lease.renew()
        assert kept == ["0", "1", "2", "3"]
