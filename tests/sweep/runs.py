"""One canonical run over four paths of two vendors, cut or broken somewhere, ended by `resume`, and compared.

Each point has a folder of its own and a sandbox that was reset; a person is played where only a person can say.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fast.shop import IN_DOUBT, REJECTS, Shop, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fast.served import Served

ROWS = {"contacts": 110, "guests": 60, "campaigns": 20}
"""110 contacts go to two targets, so 300 records: two imports and a second wave, two jobs, two requests."""
PATHS = {"leads": "bulk", "contacts": "bulk2"}
MOST_COMMANDS = 6
STRACE_DIED = -9


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit codes in the order of the commands, what both vendors hold, keys that stand twice, and what was said."""

    codes: tuple[int, ...]
    held: dict[str, Any]
    twice: tuple[str, ...]
    said: str
    ruled: int

    def differences(self, uncut: Ended) -> list[str]:
        """Say what is not as it is after a run that nobody cut."""
        found = [f"{name} differs" for name, records in uncut.held.items() if self.held.get(name) != records]
        if self.twice:
            found.append(f"{len(self.twice)} keys stand twice")
        if self.codes[-1] not in {REJECTS, 0}:
            found.append("it never came to its end")
        return found


@contextmanager
def shop(served: Served) -> Iterator[Shop]:
    """Yield a shop in a new folder, with both vendors as they were at first."""
    served.ask("reset", {})
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        yield lay_out(Path(folder), served, ROWS, PATHS)


def end(place: Shop, codes: list[int]) -> Ended:
    """Go on until the run is finished; apply anew where none had begun."""
    ruled = 0
    while not is_finished(place) and len(codes) < MOST_COMMANDS:
        codes.append(place.resume() if place.runs() else place.apply().wait())
        if codes[-1] == IN_DOUBT:
            place.decide_as_a_person()
            ruled += 1
    if codes[-1] == STRACE_DIED and is_finished(place):
        codes.append(REJECTS)  # Everything was done and noted; only the last words were cut.
    return Ended(tuple(codes), place.held(), tuple(place.twice()), place.said(), ruled)


def is_finished(place: Shop) -> bool:
    """Say whether the journal notes an end."""
    return any(each["kind"] == "finished" for each in place.notes())


def broken(served: Served, *under: Sequence[str]) -> Ended:
    """Apply under the first words, resume under the next ones, and go on undisturbed."""
    with shop(served) as place:
        codes: list[int] = []
        for each in under:
            if is_finished(place):
                break
            codes.append(place.resume(under=each) if place.runs() else place.apply(under=each).wait())
            if codes[-1] == IN_DOUBT:
                place.decide_as_a_person()
        return end(place, codes)
