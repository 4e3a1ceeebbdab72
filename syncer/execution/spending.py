"""How many calls of today the runs of one state made, by vendor instance: what is left of a budget that they share.

Pure: folds the notes of one run at a time, as `history` does. Counts belong to a process, so that each `Started` begins
anew; calls that a killed process made after its last note are not known.
"""

from __future__ import annotations

from collections import Counter

from syncer.state import protocol as notes


class Spending:
    """Calls since the vendor's day began, over any number of runs."""

    def __init__(self, day_began: float) -> None:
        """Nothing is counted yet; `day_began` is epoch seconds."""
        self.calls: Counter[str] = Counter()
        """By instance."""
        self._day_began = day_began

    def add_run(self, run: list[notes.Note]) -> None:
        """Count the notes of one run, in their order."""
        life: list[notes.Note] = []
        for note in run:
            if isinstance(note, notes.Started) and life:
                self._add_life(life)
                life = []
            life.append(note)
        self._add_life(life)

    def _add_life(self, life: list[notes.Note]) -> None:
        """Count one process: what it had made by its end, less what it had made when the day began."""
        started = life[0] if life else None
        if not isinstance(started, notes.Started):
            return
        writes, made, before = dict(started.writes), Counter[str](), Counter[str]()
        is_today = False
        for note in life:
            if not is_today and getattr(note, "at", 0.0) >= self._day_began:
                is_today, before = True, Counter(made)
            if isinstance(note, notes.Settled):
                connection = writes.get(note.unit.partition("/")[0], "")
                made[connection] = max(made[connection], note.calls)
            elif isinstance(note, notes.Parked | notes.Finished):
                for connection, calls in note.calls:
                    made[connection] = max(made[connection], calls)
        instances = dict(started.instances)
        for connection, calls in (made - before).items() if is_today else ():
            if connection in instances:
                self.calls[instances[connection]] += calls
