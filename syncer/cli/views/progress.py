"""What moves while something long runs: bars on a terminal, lines in CI, JSON lines for machines. All on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from syncer.capability import PathKind
from syncer.errors import UserError
from syncer.execution.events import Ended, Event, NodeSettled, NodeStarted, Noticed, UnitSent, UnitSettled, Waiting
from syncer.plan import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, TaskID

    from syncer.plan.models import Plan

LASTING = ("looking up", "not counting")
"""How phases begin that a person should be able to read afterwards: what a look costs, and calls that nobody counts."""
LINE_SECONDS = 5.0
"""In a log, a step that settles many requests speaks at most this often."""


def note(sentence: str) -> None:
    """Tell the person something, on stderr."""
    typer.echo(sentence, err=True)


def check_terminal() -> None:
    """Refuse to begin what will have to be asked about where nobody can be."""
    if not sys.stdin.isatty():
        detail = "This would ask before it sends, and there is no terminal to ask on."
        raise UserError("R908", detail, "Say --yes, or write the plan down with `syncer plan --out` and apply that.")


def ask(question: str) -> bool:
    """Ask for a yes."""
    return typer.confirm(question, err=True)


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _is_terminal() -> bool:
    return sys.stderr.isatty()


@contextmanager
def staging() -> Iterator[Callable[[str, str], None]]:
    """Show which operation is being read; the listener takes (operation, phase)."""
    if not _is_terminal():
        yield _cost
        return
    console = _console()
    with console.status("Reading manifests") as status:

        def listen(operation: str, phase: str) -> None:
            status.update(f"{operation}: {phase}")
            if phase.startswith(LASTING):
                console.print(f"{operation}: {phase}", markup=False)

        yield listen


def _cost(operation: str, phase: str) -> None:
    """In a log, only what costs calls is worth a line while a plan is made."""
    if phase.startswith(LASTING):
        note(f"{operation}: {phase}")


@contextmanager
def running(plan: Plan, log_format: str) -> Iterator[Callable[[Event], None]]:
    """Show a run. `auto` means bars on a terminal and lines elsewhere."""
    if log_format == "json":
        yield _json_line
    elif log_format == "text" or not _is_terminal():
        yield Lines(plan)
    else:
        with bars(_console()) as progress:
            yield Bars(plan, progress)


def _json_line(event: Event) -> None:
    members = {name: getattr(event, name) for name in event.__dataclass_fields__}
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"at": at, "event": type(event).__name__, **members}), file=sys.stderr, flush=True)


def bars(console: Console) -> Progress:
    """Return the display that `Bars` fills."""
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}", justify="right"),
        _time_column()(Column(min_width=len("0:00:00"))),
        TextColumn("{task.fields[tail]}", markup=False),
        console=console,
    )


def _time_column() -> type[ProgressColumn]:
    """Return the column of the time that is left by a step's own pace, or at first the plan's; or that was taken."""
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class TimeLeft(ProgressColumn):
        max_refresh = 0.5

        def render(self, task: Task) -> Text:
            planned = task.fields.get("minutes")
            if planned is None or task.elapsed is None:
                return Text("")
            if task.finished:
                return Text(_clock(task.finished_time or 0.0))
            left = task.time_remaining if task.completed else max(0.0, 60 * planned - task.elapsed)
            return Text("" if left is None else _clock(left))

    return TimeLeft


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


class Bars:
    """One bar a step: records settled of records planned; one a connection: calls made of those that the day leaves."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        """Draw every step of the plan, none begun."""
        self._progress = progress
        self._plan = {node.id: node for node in plan.nodes}
        names = {each.name: f"calls to {each.name}" for each in plan.connections}
        width = max((len(each) for each in [*self._plan, *names.values()]), default=0)
        self._tasks = {
            node.id: progress.add_task(
                f"{node.id:<{width}}", total=node.records, tail="", minutes=node.minutes, start=False
            )
            for node in plan.nodes
        }
        self._calls = {
            each.name: progress.add_task(
                f"{names[each.name]:<{width}}",
                total=each.calls + each.polls if each.left is None else each.left,
                tail="planned" if each.left is None else "left today",
                start=False,
            )
            for each in plan.connections
        }
        self._counts = {node.id: [0] * len(_WORDS) for node in plan.nodes}
        self._ended: Counter[str] = Counter()
        self._under_way: set[tuple[str, str]] = set()

    def __call__(self, event: Event) -> None:
        """Draw what happened."""
        if isinstance(event, Noticed):
            self._progress.console.print(event.sentence, markup=False)
        elif event.node in self._tasks:
            self._draw(event, self._tasks[event.node])

    def _draw(self, event: Event, task: TaskID) -> None:
        if isinstance(event, NodeStarted):
            self._progress.start_task(task)
        elif isinstance(event, UnitSettled):
            counts = self._counts[event.node]
            for index, count in enumerate(_parts(event)):
                counts[index] += count
            self._ended[event.node] += 1
            self._under_way.discard((event.node, event.unit))
            self._progress.update(task, advance=event.records)
            if event.connection in self._calls:
                self._progress.update(self._calls[event.connection], completed=event.calls)
        elif isinstance(event, UnitSent) and "[" not in event.unit:
            self._under_way.add((event.node, event.unit))
        reason = event.reason if isinstance(event, Waiting) else ""
        self._progress.update(task, tail=f"{self._tail(event.node)}{reason}")

    def _tail(self, node: str) -> str:
        planned = self._plan[node]
        word = "jobs" if planned.kind is PathKind.JOB else "requests"
        sent = sum(each == node for each, _ in self._under_way)
        under_way = f"{sent:,} under way  " if sent else ""
        return f"{self._ended[node]:,}/{planned.units:,} {word}  {under_way}{_tail(self._counts[node])}"


_WORDS = ("created", "updated", "written", "rejected", "in doubt")


def _parts(event: UnitSettled) -> tuple[int, ...]:
    return event.created, event.updated, event.written, event.rejected, event.in_doubt


def _tail(counts: list[int]) -> str:
    return "".join(f"{count:,} {word}  " for count, word in zip(counts, _WORDS, strict=False) if count)


class Lines:
    """One line when a step begins and ends, and now and then between."""

    def __init__(self, plan: Plan) -> None:
        """Nothing is said yet."""
        self._totals = {node.id: node.records for node in plan.nodes}
        self._words = {node.id: "job" if node.kind is PathKind.JOB else "request" for node in plan.nodes}
        self._done = dict.fromkeys(self._totals, 0)
        self._counts = {name: [0] * len(_WORDS) for name in self._totals}
        self._units = {node.id: node.units for node in plan.nodes}
        self._ended: Counter[str] = Counter()
        self._began: dict[str, float] = {}
        self._left = {each.name: each.left for each in plan.connections}
        self._spoke = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Say what happened, where it is worth a line."""
        if isinstance(event, NodeStarted):
            units = words.count(event.units, self._words[event.node])
            self._say(f"{event.node}: {words.count(event.records, 'record')} in {units}")
        elif isinstance(event, UnitSettled):
            counts = self._counts.setdefault(event.node, [0] * len(_WORDS))
            for index, count in enumerate(_parts(event)):
                counts[index] += count
            self._done[event.node] = self._done.get(event.node, 0) + event.records
            self._ended[event.node] += 1
            if time.monotonic() - self._spoke > LINE_SECONDS:
                self._say(self._so_far(event))
        elif isinstance(event, NodeSettled):
            told = _tail(self._counts.get(event.node, [])).strip() or "nothing sent"
            self._say(f"{event.node}: settled, {told}")
        elif isinstance(event, Waiting):
            if event.seconds >= 1:
                self._say(f"{event.node}: {event.reason} ({event.seconds:.0f} s)")
        elif isinstance(event, UnitSent):
            self._began.setdefault(event.node, time.monotonic())
        elif not isinstance(event, Ended):
            self._say(f"{event.node}: {event.sentence}" if event.node else event.sentence)

    def _so_far(self, event: UnitSettled) -> str:
        """Say how far a step is: records, requests or jobs, calls, and the time that is left at this pace."""
        node, done, total = event.node, self._done[event.node], self._totals.get(event.node, 0)
        parts = [f"{done:,} of {total:,} settled"]
        parts.append(
            f"{self._ended[node]:,} of {words.count(self._units.get(node, 0), self._words.get(node, 'request'))}"
        )
        left = self._left.get(event.connection)
        of = "" if left is None else f" of {left:,}"
        parts.append(f"{words.count(event.calls, 'call')}{of}")
        if node in self._began and 0 < done < total:
            minutes = (time.monotonic() - self._began[node]) * (total - done) / done / 60
            parts.append(f"about {max(minutes, 0.1):.1f} min left")
        return f"{node}: {', '.join(parts)}"

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        print(line, file=sys.stderr, flush=True)
