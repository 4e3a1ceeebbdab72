"""The 32 planted bugs, and five of syncer's own design: what catches each of them, and how many seeds that takes.

`python -m tests.sim.planted` plants them one after the other and prints the table that `docs/reliability.md` holds; a
bug that is caught otherwise than the table says, or not at all, ends it with 1. A bug is caught when a seed breaks an
invariant or the executor's own guards stop the run, or, where the simulation does not reach, when a named test fails.
"""

# ruff: noqa: BLE001, T201 - the code may catch a bug by any failure, and a command speaks

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.store import Crash
from tests.sim import bugs, changes
from tests.sim.changes import AS_IT_IS, Change
from tests.sim.check import violations
from tests.sim.edits import Edit
from tests.sim.play import play

if TYPE_CHECKING:
    from collections.abc import Callable

    Plant = Callable[[pytest.MonkeyPatch], None]

MOST_SEEDS = 300
SENTENCES = {
    "I1": "two writes of one key at once",
    "I2": "a record is not what was planned",
    "I3": "rows without an outcome, or named wrongly",
    "I4": "an activity or a record too many",
    "I5": "a key upserted again, or a job given its data twice",
    "I6": "refused for too many calls",
    "I8": "sent by a process that had been replaced, or before the first sending was settled",
    "I11": "the ledger holds what is not there",
    "I13": "outcomes differ from those of an undisturbed run",
    "I17": "the run does not end",
    "I18": "the report is not what the journal says",
    "T15": "two token calls within a minute",
    "stopped": "the code's own guards stop the run",
}


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug: patched in and played, or edited in and tested. `seed` catches it first, by `caught`."""

    number: int
    words: str
    plant: Plant | None = None
    seed: int = 0
    caught: str = ""
    change: Change = AS_IT_IS
    edit: Edit | None = None


BUGS = (
    Bug(1, "no key lock between requests", bugs.no_lock, 2, "I1"),
    Bug(2, "lock per endpoint, not per lead", bugs.lock_per_endpoint, 2, "I1"),
    Bug(
        3,
        "lock compares exact text, not folded",
        edit=Edit(
            "syncer/mapping/key.py", "if is_folded else", "if False else",
            "tests/unit/mapping/test_compile.py::test_everyday_mapping_end_to_end",
        ),
    ),
    Bug(
        4,
        "duplicate key inside one request",
        edit=Edit(
            "syncer/engine/duplicates.py", "row_number() OVER (PARTITION BY {chain.KEY} ORDER BY position) AS turn",
            "CAST(1 AS BIGINT) AS turn",
            "tests/unit/engine/test_duplicates.py::test_serialize_sends_the_nth_occurrence_in_wave_n",
        ),
    ),
    Bug(5, "bulk files with common keys in flight", bugs.common_keys_in_files, 2, "I1"),
    Bug(6, "intent written after the send", bugs.intent_after_send, 27, "I1"),
    Bug(7, "outcome and row states in two transactions", bugs.two_transactions, 4, "I17", change=changes.ON_DISK),
    Bug(
        8,
        "no fsync before rename",
        edit=Edit(
            "syncer/state/place.py", "            os.fsync(file.fileno())\n        beside.replace(path)",
            "        beside.replace(path)",
            "tests/unit/state/test_place.py::test_content_is_durable_before_it_has_its_name",
        ),
    ),
    Bug(9, "retry of an unknown outcome without read-back", bugs.retry_without_looking, 7, "I1"),
    Bug(10, "read-back before the server's time-out", bugs.look_at_once, 7, "I1"),
    Bug(11, "after read-back createOrUpdate instead of createOnly", bugs.upsert_after_looking, 114, "I5"),
    Bug(12, "713 taken as not executed on push", bugs.transient_means_no, 0, "I4", change=changes.PUSHING),
    Bug(13, "bulk POST sent again after a lost answer", bugs.lost_import_sent_again, 18, "I1"),
    Bug(14, "order by completion, not by source", bugs.order_by_completion, 2, "I1"),
    Bug(15, "unchanged rows counted as ok", bugs.unchanged_is_written, 5, "I18"),
    Bug(16, "`unprocessedrecords` ignored", bugs.unprocessed_is_written, 0, "I2", change=changes.FAILING_JOBS),
    Bug(17, "rejected row loses its line number", bugs.reject_without_line, 2, "I3"),
    Bug(18, "off by one at 300 records", bugs.one_too_many, 0, "I3", change=changes.WIDE),
    Bug(
        19,
        "size limit counted in characters, not bytes",
        edit=Edit(
            "syncer/engine/chain.py", "strlen(text) + 1 AS csv_bytes", "length(text) + 1 AS csv_bytes",
            "tests/unit/engine/test_sizes.py::test_payloads_hold_what_facts_say",
        ),
    ),
    Bug(20, "limiter counts answers, not sends", bugs.count_answers, 5, "I6", change=changes.TIGHT),
    Bug(21, "limiter forgets its window on restart", bugs.forget_window, 54, "I6", change=changes.TIGHT),
    Bug(22, "concurrency slot not freed on error", bugs.slot_not_freed, 1, "I17", change=changes.REVOKED),
    Bug(
        23,
        "wall clock for token life",
        edit=Edit(
            "syncer/targets/sign_in.py", "self.clock.monotonic()", "self.clock.now()",
            "tests/unit/targets/test_sign_in.py::test_a_wall_clock_that_is_set_back_keeps_no_token_alive",
        ),
    ),
    Bug(24, "token refresh stampede of all workers", bugs.token_stampede, 0, "T15", change=changes.REVOKED),
    Bug(25, "lease checked only at start", bugs.lease_only_at_start, 0, "stopped", change=changes.FROZEN),
    Bug(26, "append does not check the epoch", bugs.append_without_epoch, 1, "stopped", change=changes.FROZEN),
    Bug(27, "take-over without waiting", bugs.take_over_at_once, 0, "I8", change=changes.REPLACED),
    Bug(28, "resume re-renders a chunk from changed source", bugs.rendered_anew, 0, "I2"),
    Bug(29, "second PUT to one job", bugs.second_upload, 0, "I5", change=changes.LOST_UPLOADS),
    Bug(
        30,
        "results matched by position",
        edit=Edit(
            "syncer/engine/reconcile.py", "CAST({kh} >> 64 AS UBIGINT) AS lane",
            "(SELECT list(lane ORDER BY place) FROM sent)[row_number() OVER ()] AS lane",
            "tests/unit/engine/test_reconcile.py::test_salesforce_results_come_in_any_order",
        ),
    ),
    Bug(
        31,
        "secret in an exception's repr",
        edit=Edit(
            "syncer/secret.py", "        return HIDDEN\n\n    def __format__",
            "        return self.__text\n\n    def __format__",
            "tests/unit/test_secret.py::test_text_forms_show_nothing",
        ),
    ),
    Bug(
        32,
        'template undefined renders as ""',
        edit=Edit(
            "syncer/mapping/scope.py",
            """raise Misfit("M302", f'The source has no column "{name}".', nearest(name, tuple(self.columns)), name)""",
            'return literal("")  # type: ignore[return-value]',
            "tests/unit/mapping/test_parse.py::test_problem_with_place",
        ),
    ),
    Bug(101, "a unit being sent at a crash counts as unsent", bugs.resume_forgets_doubts, 20, "I8"),
    Bug(102, "an outcome is noted that nobody gave", bugs.doubt_is_done, 0, "I2"),
    Bug(103, "what cannot be looked up is sent again", bugs.unknown_is_repeated, 33, "I5"),
    Bug(104, "nodes do not wait for each other", bugs.waves_side_by_side, 2, "I1"),
    Bug(105, "rows of parts lose their place among the rejects", bugs.rejects_forgotten, 2, "I3"),
)  # fmt: skip


def first_broken(bug: Bug, seeds: range) -> tuple[int, list[str]] | None:
    """Return the first seed that catches the planted bug, and what it broke."""
    with pytest.MonkeyPatch.context() as patch:
        assert bug.plant is not None
        bug.plant(patch)
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    found = violations(play(seed, Path(folder), bug.change.apply))
                except (Exception, Crash) as error:
                    found = [f"stopped: {error!r}"]
            if found:
                return seed, found
    return None


def row(bug: Bug) -> str:
    """Return the bug's line of the table."""
    if bug.edit is not None:
        place, _, name = bug.edit.test.partition("::")
        return f"| {bug.number} | {bug.words} | | `{place.rpartition('/')[2]}::{name}` |"
    seeds = f"{bug.seed + 1}, of seeds {bug.change.words}" if bug.change.words else f"{bug.seed + 1}"
    return f"| {bug.number} | {bug.words} | {seeds} | {bug.caught}: {SENTENCES.get(bug.caught, '?')} |"


def table() -> str:
    """Return the whole table."""
    return "\n".join(["| # | bug | seeds | caught by |", "| ---: | --- | ---: | --- |", *map(row, BUGS)])


def _verdict(bug: Bug, first: int) -> str:
    """Plant the bug; return what is wrong with its line, or ""."""
    if bug.edit is not None:
        return "" if bug.edit.is_caught() else f"{bug.edit.test} does not catch it"
    caught = first_broken(bug, range(first, first + MOST_SEEDS))
    if caught is None:
        return f"nothing catches it in {MOST_SEEDS} seeds"
    how = caught[1][0].partition(":")[0]
    is_as_said = first or (caught[0], how) == (bug.seed, bug.caught)
    return "" if is_as_said else f"seed {caught[0]} catches it, by {caught[1][0][:200]}"


def main() -> int:
    """Plant one bug after the other and print its line, and below it what is not as the line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.planted", description=__doc__)
    parser.add_argument("--only", default="", help="numbers, with commas")
    parser.add_argument("--first", type=int, default=0, help="begin with another seed; then only being caught counts")
    options = parser.parse_args()
    only = {int(each) for each in options.only.split(",") if each}
    wrong = 0
    for line in table().splitlines()[:2]:
        print(line)
    for bug in BUGS:
        if only and bug.number not in only:
            continue
        verdict = _verdict(bug, options.first)
        wrong += bool(verdict)
        print(f"{row(bug)}{f' **{verdict}**' if verdict else ''}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
