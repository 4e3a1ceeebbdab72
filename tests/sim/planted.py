"""The 32 planted bugs: each a small patch of the real code, and what must catch it within so many seeds.

`python -m tests.sim.planted` plants them one after the other and prints the table. A bug is caught when a seed breaks
an invariant, when the executor's own guards stop the run, or, where the simulation does not reach, by a named test.
"""

# ruff: noqa: BLE001, T201 - the code may catch a bug by any failure, and a command speaks

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from syncer.execution import closing, courier, doubt, executor, lanes, parts, resolve, resume, running
from syncer.execution.lanes import Claim
from syncer.facts import Action, Repeat
from syncer.plan import graph
from syncer.sandbox.faults import FaultRule
from syncer.state import lease as terms
from syncer.state import local
from syncer.state.protocol import Committing, Started, Unsent
from syncer.targets import call, gate, pace, sign_in
from syncer.targets.exchange import Trouble
from syncer.targets.marketo import capabilities as marketo
from syncer.targets.marketo import codes
from syncer.targets.salesforce import job as salesforce_job
from tests.fakes.store import Crash
from tests.sim import staged
from tests.sim.check import violations
from tests.sim.play import play
from tests.sim.scene import Ending, Op, Row, Tight
from tests.sim.trouble import Meddling
from tests.sim.ways import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sim.scene import Scene

    Plant = Callable[[pytest.MonkeyPatch], None]
    Change = Callable[[Scene], Scene]

JOBS = ("/bulk", "/multipart", "/bulk2")


def _as_it_is(scene: Scene) -> Scene:
    return scene


def _on_disk(scene: Scene) -> Scene:
    return replace(scene, on_disk=True)


def _frozen_on_disk(scene: Scene) -> Scene:
    """A process that stands still for longer than its lease, and another one that takes the run over."""
    at = 0.3 + scene.seed % 40 / 4
    return replace(scene, on_disk=True, endings=(Ending(freezes=(at, 600.0)),), has_person=False)


def _pushing(scene: Scene) -> Scene:
    """Pushes whose first answers are 713, after they were carried out."""
    rule = {"action": "vendor_error", "code": "713", "when": "after", "endpoint": "*push.json", "count": 2}
    way = BY_NAME["lead push upsert lead upsert push"]
    ops = (replace(scene.ops[0], way=way, on_unknown="hold"),)
    return replace(scene, ops=ops, faults=(FaultRule.parse(rule),), twins=(), has_person=False)


def _failing_jobs(scene: Scene) -> Scene:
    """Salesforce jobs that fail in the middle."""
    rule = {"action": "fail_job", "system": "salesforce", "endpoint": "*ingest*", "first": 0, "count": 3}
    way = BY_NAME["Contact bulk2 upsert contact upsert"]
    return replace(scene, ops=(replace(scene.ops[0], way=way),), faults=(FaultRule.parse(rule),))


def _wide(scene: Scene) -> Scene:
    """More records than one request holds."""
    way = BY_NAME["lead sync upsert lead upsert"]
    rows = tuple(Row(at + 2, at, f"v0x{at}") for at in range(301 + scene.seed % 100))
    return replace(scene, ops=(Op("op0", way, rows, 1_000),), twins=(), lasting=())


def _tight(scene: Scene) -> Scene:
    """Limits that a few calls reach."""
    tight = Tight(calls=5 + scene.seed % 6, at_once=4)
    return replace(scene, tight=tight, concurrency=6)


def _revoked(scene: Scene) -> Scene:
    """Many workers, and a token that is taken away from all of them."""
    when = 0.4 + scene.seed % 30 / 20
    ops = tuple(replace(op, size=1) for op in scene.ops)
    return replace(scene, ops=ops, concurrency=6, latency=0.3, meddling=(Meddling(when, "revoke tokens"),))


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

    async def append(self: Any, run: str, epoch: int, note: Any) -> None:
        before = await self._end(run)
        await original(self, run, epoch, note)
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
    from syncer.execution import report

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
        if sum(each.is_running for each in self._calls.values()) >= self.width:
            return float("inf")
        ended = [each.frees_at for each in self._calls.values() if not each.is_running]
        surplus = len(ended) - self.allowed + 1
        return 0.0 if surplus <= 0 else sorted(ended)[surplus - 1] - now

    patch.setattr(pace.Pace, "wait_seconds", wait_seconds)


def forget_window(patch: pytest.MonkeyPatch) -> None:
    """A new process knows nothing of the calls just before it."""
    patch.setattr(pace.Pace, "remember", lambda *_: None)


def slot_not_freed(patch: pytest.MonkeyPatch) -> None:
    """A call that ends in an error keeps its place."""
    original = gate.Gate.call

    @contextlib.asynccontextmanager
    async def take(self: gate.Gate) -> Any:
        async with original(self) as ticket:
            yield ticket
            if not ticket.is_counted or self.pace.traffic.calls[ticket.number].is_refused:
                self.pace.traffic.width -= 1

    patch.setattr(gate.Gate, "call", take)


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
    seen: dict[tuple[int, str], int] = {}

    def init(self: Any, op: Any) -> None:
        built(self, op)
        seen[id(op), op.name] = seen.get((id(op), op.name), 0) + 1
        self.times = seen[id(op), op.name]

    def record(self: Any, row: Any) -> Any:
        changed = replace(row, value=f"{row.value} changed") if self.times > 4 else row
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
    from syncer.errors import InDoubtError

    original = call.Caller.call

    async def again(self: call.Caller, request: Any, read: Any, path: str) -> Any:
        try:
            return await original(self, request, read, path)
        except InDoubtError:
            if request.method != "PUT":
                raise
            return await original(self, request, read, path)

    patch.setattr(call.Caller, "call", again)
    assert salesforce_job.Jobs


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


def push_is_repeated(patch: pytest.MonkeyPatch) -> None:
    """A write that cannot be looked up is sent again."""
    rows = {action: row for (repeat, action), row in resolve.TABLE.items() if repeat is Repeat.SAFE}
    patch.setattr(resolve, "TABLE", {(repeat, action): rows[action] for repeat in Repeat for action in Action})
    original = resolve.DoubtRule
    for module in (executor, courier):
        if hasattr(module, "DoubtRule"):
            patch.setattr(module, "DoubtRule", lambda action, repeat, *_: original(action, repeat, "resend"))


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


@dataclass(frozen=True)
class Bug:
    """A planted bug. `seed` is one that catches it, played in every run; `bound` the seeds within which one must."""

    number: int
    words: str
    plant: Plant | None = None
    bound: int = 0
    seed: int | None = None
    change: Change = _as_it_is
    test: str = ""
    """The named test that catches it where no seed can, or why it cannot be planted."""


BUGS = (
    Bug(1, "no key lock between requests", no_lock, 50, seed=2),
    Bug(2, "lock per endpoint, not per lead", lock_per_endpoint, 200, seed=2),
    Bug(5, "bulk files with common keys in flight", common_keys_in_files, 200, seed=2),
    Bug(6, "intent written after the send", intent_after_send, 200, seed=27),
    Bug(7, "outcome and row states in two transactions", two_transactions, 2_000, seed=2, change=_on_disk),
    Bug(9, "retry of an unknown outcome without read-back", retry_without_looking, 100, seed=7),
    Bug(10, "read-back before the server's time-out", look_at_once, 300, seed=7),
    Bug(11, "after read-back createOrUpdate instead of createOnly", upsert_after_looking, 2_000, seed=114),
    Bug(12, "713 taken as not executed on push", transient_means_no, 100, seed=0, change=_pushing),
    Bug(13, "bulk POST sent again after a lost answer", lost_import_sent_again, 100, seed=18),
    Bug(14, "order by completion, not by source", order_by_completion, 100, seed=2),
    Bug(15, "unchanged rows counted as ok", unchanged_is_written, 20, seed=5),
    Bug(16, "unprocessedrecords ignored", unprocessed_is_written, 100, seed=0, change=_failing_jobs),
    Bug(17, "rejected row loses its line number", reject_without_line, 50, seed=2),
    Bug(18, "off by one at 300 records", one_too_many, 20, seed=0, change=_wide),
    Bug(20, "limiter counts answers, not sends", count_answers, 300, seed=5, change=_tight),
    Bug(21, "limiter forgets its window on restart", forget_window, 300, seed=54, change=_tight),
    Bug(22, "concurrency slot not freed on error", slot_not_freed, 200),
    Bug(24, "token refresh stampede of all workers", token_stampede, 200, change=_revoked),
    Bug(25, "lease checked only at start", lease_only_at_start, 200, seed=0, change=_frozen_on_disk),
    Bug(26, "append does not check the epoch", append_without_epoch, 200, seed=1, change=_frozen_on_disk),
    Bug(27, "take-over without waiting", take_over_at_once, 300, change=_frozen_on_disk),
    Bug(28, "resume re-renders a chunk from changed source", rendered_anew, 200),
    Bug(29, "second PUT to one job", second_upload, 300),
    Bug(101, "a unit being sent at a crash counts as unsent", resume_forgets_doubts, 300),
    Bug(102, "an outcome is noted that nobody gave", doubt_is_done, 100),
    Bug(103, "what cannot be looked up is sent again", push_is_repeated, 200),
    Bug(104, "nodes do not wait for each other", waves_side_by_side, 100),
    Bug(105, "rows of parts lose their place among the rejects", rejects_forgotten, 100),
)


def first_broken(bug: Bug, seeds: range) -> tuple[int, list[str]] | None:
    """Return the first seed that catches the planted bug, and what it broke."""
    with pytest.MonkeyPatch.context() as patch:
        assert bug.plant is not None
        bug.plant(patch)
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    found = violations(play(seed, Path(folder), bug.change))
                except (Exception, Crash) as error:
                    found = [f"stopped: {error!r}"]
            if found:
                return seed, found
    return None


def main() -> int:
    """Plant one bug after the other and print how soon each was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.planted", description=__doc__)
    parser.add_argument("--only", default="", help="numbers, with commas")
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    options = parser.parse_args()
    only = {int(each) for each in options.only.split(",") if each}
    missed = 0
    print("| # | bug | seeds | caught by | bound |\n| ---: | --- | ---: | --- | ---: |")
    for bug in BUGS:
        if (only and bug.number not in only) or bug.plant is None:
            continue
        began = time.process_time()
        caught = first_broken(bug, range(options.first, options.first + bug.bound))
        took = time.process_time() - began
        missed += caught is None
        seeds = "-" if caught is None else str(caught[0] - options.first + 1)
        how = "**nothing**" if caught is None else f"seed {caught[0]}: {caught[1][0][:110]}"
        print(f"| {bug.number} | {bug.words} | {seeds} | {how} | {bug.bound} | {took:.0f} s", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
