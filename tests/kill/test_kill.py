"""`kill -9` at ten places of a run: what `syncer resume` leaves at the vendors is what an uncut run leaves.

Real processes, real servers, real files. Both sides share one clock that jumps over idle waits, so that the honest wait
of a doubt, which is the vendor's own time-out, costs no minutes.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.fast.served import Served, serving
from tests.fast.shop import IN_DOUBT, PATIENCE_SECONDS, REJECTS, Shop, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTACTS = 1_500
SIDE_BY_SIDE = 2
RESUMABLE = {1, 8, 10}
MOST_RESUMES = 5
LOOK_SECONDS = 0.003

PLACES = {
    "the run has just started": ("started", ""),
    "a request is cut but not sent": ("intended", "season_campaigns/1/"),
    "a request is on its way": ("committing", "crm_contacts/1/"),
    "a file is cut but not sent": ("intended", "newsletter/1/bulk/"),
    "some requests are settled": ("settled", "crm_contacts/1/"),
    "an import runs": ("accepted", "newsletter/1/bulk/"),
    "one operation is in the ledger, others are not": ("merged", "season_campaigns"),
    "the second wave of a key is on its way": ("committing", "crm_contacts/2/"),
    "an import is settled": ("settled", "newsletter/1/bulk/"),
    "an import is on its way, so that no one knows its number": ("committing", "newsletter/2/bulk/"),
}
"""What the journal said last: the kind of a note, and of which unit or operation."""


def _shop(folder: Path, served: Served) -> Shop:
    """Lay out the demo with fewer contacts, and with an import where so few would go by requests."""
    rows = dict.fromkeys(("campaigns", "contacts", "guests"), CONTACTS)
    return lay_out(folder, served, rows, {"leads": "bulk"})


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left: exit codes from the kill on, records, keys that stand twice, and units a person ruled on."""

    codes: tuple[int, ...]
    held: dict[str, Any]
    twice: list[str]
    ruled: tuple[str, ...] = ()


def _uncut(folder: Path) -> Left:
    with serving() as served:
        shop = _shop(folder, served)
        code = shop.apply().wait(PATIENCE_SECONDS)
        return Left((code,), shop.served.held(), shop.served.twice())


def _killed(folder: Path, kind: str, what: str) -> Left:
    with serving() as served:
        shop = _shop(folder, served)
        process = shop.apply()
        while not shop.has_come_to(kind, what) and process.poll() is None:
            time.sleep(LOOK_SECONDS)
        process.kill()
        codes = [process.wait(PATIENCE_SECONDS)]
        while codes[-1] != REJECTS and len(codes) <= MOST_RESUMES:
            codes.append(shop.resume())
            if codes[-1] == IN_DOUBT:
                shop.decide_as_a_person()
        ruled = tuple(each["unit"] for each in shop.notes() if each["kind"] == "ruled")
        return Left(tuple(codes), shop.served.held(), shop.served.twice(), ruled)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Left]]]:
    """All runs, several at a time."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        folders = {name: tmp_path_factory.mktemp("run") for name in ("uncut", *PLACES)}
        uncut = {"uncut": pool.submit(_uncut, folders["uncut"])}
        yield uncut | {name: pool.submit(_killed, folders[name], *note) for name, note in PLACES.items()}


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_is_resumed_to_the_same_end(place: str, runs: dict[str, Future[Left]]) -> None:
    """Killed there and resumed, a run leaves the same records, and no key twice."""
    uncut, left = runs["uncut"].result(), runs[place].result()
    assert uncut.codes == (REJECTS,)
    assert left.codes[0] < 0, "the run was over before it could be killed"
    assert left.codes[-1] == REJECTS, left.codes
    assert set(left.codes[1:-1]) <= RESUMABLE | {IN_DOUBT}
    assert left.twice == []
    assert left.held == uncut.held


@pytest.mark.parametrize("place", PLACES)
def test_only_the_start_of_an_import_needs_a_person(place: str, runs: dict[str, Future[Left]]) -> None:
    """Operations run side by side, so that one may start at any place; Marketo keeps no list to look it up in."""
    left = runs[place].result()
    assert bool(left.ruled) == (IN_DOUBT in left.codes)
    assert [unit for unit in left.ruled if "/bulk/" not in unit] == []
