"""Bugs planted in the real code by patching it while seeds are played: each function is one, and says what it breaks.

The table of all bugs, and what catches each, is in `planted`; those that no seed can reach are edited in `edits`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncer.capability import Repeat
from syncer.errors import InDoubtError
from syncer.execution import closing, courier, doubt, executor, lanes, node, parts, report, resolve, resume, running
from syncer.execution.lanes import Claim
from syncer.facts import Action
from syncer.plan import graph
from syncer.state import lease as terms
from syncer.state import local
from syncer.state.protocol import Committing, Started, Unsent
from syncer.targets import call, pace, sign_in
from syncer.targets.exchange import Trouble
from syncer.targets.marketo import capabilities as marketo
from syncer.targets.marketo import codes
from tests.sim import staged

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

JOBS = ("/bulk", "/multipart", "/bulk2")


def _no_meetings(patch: pytest.MonkeyPatch) -> None:
    """Let the graph order operations by nothing but `after`."""
    patch.setattr(graph, "_meetings", lambda *_: {})


def no_lock(patch: pytest.MonkeyPatch) -> None:
    """Nothing keeps two requests with one key apart."""
    _no_meetings(patch)
    patch.setattr(lanes.Lanes, "claim", lambda *_: Claim.TAKEN)
    patch.setattr(lanes.Lanes, "hold", lambda *_: None)


def lock_per_endpoint(patch: pytest.MonkeyPatch) -> None:
    """A key is locked for its own path alone."""
    _no_meetings(patch)
    original = lanes.Lanes.claim

    def claim(self: lanes.Lanes, node: str, unit: str, wanted: Any) -> Claim:
        salt = sum(map(ord, node.rpartition("/")[2]))
        return original(self, node, unit, [lane ^ salt for lane in wanted])

    patch.setattr(lanes.Lanes, "claim", claim)


def common_keys_in_files(patch: pytest.MonkeyPatch) -> None:
    """Import files take no locks, neither in the plan nor in the run."""
    original, edges = lanes.Lanes.claim, graph.build_edges

    def claim(self: lanes.Lanes, node: str, unit: str, wanted: Any) -> Claim:
        return original(self, node, unit, [] if node.endswith(JOBS) else wanted)

    def build(steps: Any, nodes: Any, shared: Any) -> Any:
        order, found, warnings = edges(steps, nodes, shared)
        return order, tuple(each for each in found if not each.after.endswith(JOBS)), warnings

    patch.setattr(lanes.Lanes, "claim", claim)
    patch.setattr("tests.sim.play.build_edges", build)


def intent_after_send(patch: pytest.MonkeyPatch) -> None:
    """The note that a send begins is kept back until the next note."""
    original = running.Running.note

    async def note(self: running.Running, told: Any) -> None:
        kept = self.__dict__.setdefault("kept", [])
        if isinstance(told, Committing):
            self.past.add(told)
            kept.append(told)
            return
        while kept:
            await self._journal.append(kept.pop(0))
        await original(self, told)

    patch.setattr(running.Running, "note", note)


def two_transactions(patch: pytest.MonkeyPatch) -> None:
    """A note and the count of notes are written one after the other."""
    original = local.LocalStore._append

    async def append(self: Any, run: str, epoch: int, notes: Any) -> None:
        before = await self._end(run)
        await original(self, run, epoch, notes)
        after = await self._end(run)

        def count(end: tuple[int, str]) -> Callable[[Any], None]:
            return lambda db: db.execute("update run set notes = ?, checksum = ? where id = ?", (*end, run))

        await self._call(count(before))
        self.life.moment()
        await self._call(count(after))

    patch.setattr(local.LocalStore, "_append", append)


def retry_without_looking(patch: pytest.MonkeyPatch) -> None:
    """A lost answer is taken for a no."""

    async def resend(carrier: courier.Courier, unit: Any) -> None:
        await carrier.running.note(Unsent(unit=unit.id, reason="It is surely not there."))
        await carrier.carry(unit)

    patch.setattr(doubt, "settle", resend)


def look_at_once(patch: pytest.MonkeyPatch) -> None:
    """The read-back does not wait for the vendor's time-out."""

    async def go_on(*_: object) -> None:
        return

    patch.setattr(doubt, "_wait", go_on)


def upsert_after_looking(patch: pytest.MonkeyPatch) -> None:
    """What a read-back found absent is upserted instead of created."""
    key = (Repeat.SAFE, Action.UPSERT)
    step = resolve.Next
    patch.setattr(resolve, "TABLE", {**resolve.TABLE, key: (step.SETTLED, step.UPDATE_BY_ID, step.REPEAT)})


def transient_means_no(patch: pytest.MonkeyPatch) -> None:
    """713 is taken for `not executed`."""
    patch.setitem(codes.CALL_CODES, "713", replace(codes.CALL_CODES["713"], trouble=Trouble.BUSY))


def lost_import_sent_again(patch: pytest.MonkeyPatch) -> None:
    """An import whose start was not answered is started once more."""
    original = doubt.settle

    async def settle(carrier: courier.Courier, unit: Any) -> None:
        if carrier.is_job and not carrier.state(unit).was_accepted:
            await carrier.running.note(Unsent(unit=unit.id, reason="It was surely lost."))
            await carrier.carry(unit)
            return
        await original(carrier, unit)

    patch.setattr(doubt, "settle", settle)


def order_by_completion(patch: pytest.MonkeyPatch) -> None:
    """Waves and operations that share keys start as it comes; only the lanes keep them apart."""
    edges = graph.build_edges
    patch.setattr("tests.sim.play.build_edges", lambda *given: (edges(*given)[0], (), ()))


def unchanged_is_written(patch: pytest.MonkeyPatch) -> None:
    """Rows that did not go out count as written."""
    original = report.operation_report

    def count(facts: Any, tally: Any, **more: Any) -> Any:
        tally.letters["u"] += facts.unchanged
        told = replace(facts, outgoing=facts.outgoing + facts.unchanged, unchanged=0)
        return original(told, tally, **more)

    patch.setattr(report, "operation_report", count)


def unprocessed_is_written(patch: pytest.MonkeyPatch) -> None:
    """What a job left unprocessed counts as written."""
    original = courier.Courier.take

    async def take(self: courier.Courier, unit: Any, letters: str, rejects: Any, **more: Any) -> None:
        await original(self, unit, letters.replace(".", "u"), rejects, **more)

    patch.setattr(courier.Courier, "take", take)


def reject_without_line(patch: pytest.MonkeyPatch) -> None:
    """A rejected row is named by its place in the request."""
    original = closing._reject_lines

    def lines(operation: str, payload: Any, state: Any) -> Any:
        return (replace(each, row=place) for place, each in enumerate(original(operation, payload, state)))

    patch.setattr(closing, "_reject_lines", lines)


def one_too_many(patch: pytest.MonkeyPatch) -> None:
    """A request holds 301 records."""
    patch.setattr(marketo, "_JSON", replace(marketo._JSON, max_records=marketo.MAX_RECORDS + 1))


def count_answers(patch: pytest.MonkeyPatch) -> None:
    """The limiter counts a call when its answer is there."""

    def wait_seconds(self: pace.Pace, now: float) -> float:
        self._forget(now)
        calls = self.traffic.calls.values()
        if sum(each.is_running for each in calls) >= self.width:
            return float("inf")
        ended = [each.frees_at for each in calls if not each.is_running]
        surplus = len(ended) - self.allowed + 1
        return 0.0 if surplus <= 0 else sorted(ended)[surplus - 1] - now

    patch.setattr(pace.Pace, "wait_seconds", wait_seconds)


def forget_window(patch: pytest.MonkeyPatch) -> None:
    """A new process knows nothing of the calls just before it."""
    patch.setattr(pace.Pace, "remember", lambda *_: None)


def slot_not_freed(patch: pytest.MonkeyPatch) -> None:
    """A call that ends in an error keeps its place."""
    original = pace.Pace.end

    def end(self: pace.Pace, number: int, now: float, *, is_counted: bool) -> None:
        if is_counted:
            original(self, number, now, is_counted=True)

    patch.setattr(pace.Pace, "end", end)


def token_stampede(patch: pytest.MonkeyPatch) -> None:
    """Whoever meets a refused token asks for a new one."""

    async def renew(self: sign_in.SignIn, _refused: Any) -> Any:
        self._token = await self.fetch()
        return self._token

    patch.setattr(sign_in.SignIn, "renew", renew)


def lease_only_at_start(patch: pytest.MonkeyPatch) -> None:
    """The lease is looked at when the run begins and never again."""
    patch.setattr("tests.sim.play.fence", lambda *_: lambda: None)
    patch.setattr(terms, "safe_seconds", lambda *_: 1e9)
    patch.setattr(local, "_is_held", lambda *_: True)
    patch.setattr("syncer.execution.keeper.keep_lease", _do_nothing)


async def _do_nothing(*_: object) -> None:
    return


def append_without_epoch(patch: pytest.MonkeyPatch) -> None:
    """A note is taken whoever writes it."""
    patch.setattr(local, "_is_held", lambda *_: True)


def take_over_at_once(patch: pytest.MonkeyPatch) -> None:
    """A lease is taken from a holder that may still be at work."""
    patch.setattr(terms, "wait_seconds", lambda *_: 0.0)


def rendered_anew(patch: pytest.MonkeyPatch) -> None:
    """A resumed run renders its rows from a source that has changed since, and nobody compares the bytes."""
    original, built = staged.SimStaged._record, staged.SimStaged.__init__
    seen: Counter[Any] = Counter()

    def init(self: Any, op: Any) -> None:
        built(self, op)
        seen[op] += 1
        self.times = seen[op]

    def record(self: Any, row: Any) -> Any:
        is_resumed = self.times > 2  # The plan was made, and a process has begun.
        changed = replace(row, value=f"{row.value} changed") if is_resumed else row
        return original(self, changed)

    patch.setattr(staged.SimStaged, "__init__", init)
    patch.setattr(staged.SimStaged, "_record", record)
    patch.setattr(courier.Courier, "carry", _carry_unseen(courier.Courier.carry))


def _carry_unseen(original: Any) -> Any:
    async def carry(self: courier.Courier, unit: Any) -> bool:
        state = self.running.past.state(unit.id)
        if state is not None:
            self.running.past.units[unit.id] = replace(state, sha256=unit.payload.sha256)
        return await original(self, unit)

    return carry


def second_upload(patch: pytest.MonkeyPatch) -> None:
    """A job is given its data once more when the answer was lost."""
    original = call.Caller.call

    async def again(self: call.Caller, request: Any, read: Any, path: str) -> Any:
        try:
            return await original(self, request, read, path)
        except InDoubtError:
            if request.method != "PUT":
                raise
            return await original(self, request, read, path)

    patch.setattr(call.Caller, "call", again)


# Bugs beside the 32, of the executor's own design.


def resume_forgets_doubts(patch: pytest.MonkeyPatch) -> None:
    """A unit that was being sent when the process died counts as unsent."""
    original = resume.Past.add

    def add(self: resume.Past, note: Any) -> None:
        if isinstance(note, Started):
            for name, state in self.units.items():
                if state.stage is resume.Stage.DOUBTED:
                    self.units[name] = replace(state, stage=resume.Stage.UNSENT)
        original(self, note)

    patch.setattr(resume.Past, "add", add)


def doubt_is_done(patch: pytest.MonkeyPatch) -> None:
    """An outcome is noted that nobody gave."""

    async def settle(carrier: courier.Courier, unit: Any) -> None:
        await carrier.settled(unit, "u" * unit.payload.records, [])

    patch.setattr(doubt, "settle", settle)


def unknown_is_repeated(patch: pytest.MonkeyPatch) -> None:
    """What cannot be looked up is sent again, whatever the manifest says."""
    original = resolve.DoubtRule
    patch.setattr(node, "DoubtRule", lambda action, repeat, *_, **__: original(action, repeat, "resend"))


def waves_side_by_side(patch: pytest.MonkeyPatch) -> None:
    """Nodes do not wait for each other."""
    original = executor._Walk._perform

    async def perform(self: Any, step: Any) -> None:
        self._plan = self._plan.model_copy(update={"edges": ()})
        await original(self, step)

    patch.setattr(executor._Walk, "_perform", perform)


def rejects_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Rows of parts lose their place."""
    patch.setattr(parts, "_rejects", lambda *_: [])
    patch.setattr(closing, "_reject_lines", lambda *_: iter(()))
