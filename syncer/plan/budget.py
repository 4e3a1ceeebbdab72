"""What a plan takes of a connection's day, against the project's budget and the reserve that is left to everybody else.

Operations of one connection share one budget. The numbers are those that the person reviews; a refusal repeats them.
"""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

from syncer.diagnostics import Diagnostic
from syncer.facts import Fidelity, System, Usage
from syncer.plan.models import ConnectionPlan
from syncer.plan.words import count, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.manifest.models import Connection
    from syncer.plan.models import Node


MAX_DAYS = 366
"""A plan that would take longer is refused: its rows would be history before they are sent."""
SHOWN_DAYS = 5
"""Days after today whose calls are told one by one."""


def part_of(share: str, whole: int) -> Decimal:
    """Return a percentage such as `2.5%` of `whole`, exactly."""
    return Decimal(share.removesuffix("%")) * whole / 100


def connection_plan(
    name: str, connection: Connection, usage: Usage, nodes: Sequence[Node], others: int = 0
) -> ConnectionPlan:
    """Return what `nodes` take of the connection's day, and what is left for them.

    `others` are the calls that other connections of the plan make to the same instance: it has one day for all.
    """
    budget = connection.budget
    reserve = ceil(part_of(budget.reserve, usage.calls_quota or 0))
    rooms = []
    if budget.calls_per_day is not None:
        rooms.append(budget.calls_per_day - (usage.calls_by_project or 0))
    if usage.calls_quota is not None:
        rooms.append(usage.calls_quota - reserve - (usage.calls_used or 0))
    taken = others + usage.calls_kept
    polls = sum(node.polls for node in nodes)
    is_certain = not polls and all(node.is_exact for node in nodes)
    return ConnectionPlan(
        name=name,
        system=System(connection.system),
        calls=sum(node.calls for node in nodes),
        polls=polls,
        budget=budget.calls_per_day,
        quota=usage.calls_quota,
        used_today=usage.calls_used,
        reserve=reserve,
        concurrency=budget.concurrency,
        fidelity=Fidelity.CHECKED if is_certain else Fidelity.ESTIMATED,
        left=max(0, min(rooms) - taken) if rooms else None,
        reads=usage.calls_to_plan,
        kept=usage.calls_kept,
        used_by_project=usage.calls_by_project or 0,
    )


def over(plan: ConnectionPlan, spread: int) -> Diagnostic | None:
    """Return the refusal of a day that is too small; `spread` of the calls may take more days than one."""
    needed = plan.calls + plan.polls
    if plan.left is None or needed - spread <= plan.left:
        return None
    detail = f'Connection "{plan.name}" needs {count(needed, "call")} and {number(plan.left)} are left today.'
    if plan.budget is not None:
        detail += f" The budget is {count(plan.budget, 'call')} a day{_ours(plan)}."
    if plan.quota is not None:
        used = "an unknown number" if plan.used_today is None else number(plan.used_today)
        reserved = f" and {number(plan.reserve)} are reserved" if plan.reserve else ""
        detail += f" Of the quota of {number(plan.quota)}, {used} are used{reserved}."
    advice = (
        'Raise "budget.calls_per_day" or lower "budget.reserve", plan fewer operations at a time, wait for the next '
        'day, or say "spread: true" for operations that may take several days.'
    )
    return Diagnostic("P101", detail, advice=advice)


def _ours(plan: ConnectionPlan) -> str:
    return (
        f", and runs and plans that share this state have made {number(plan.used_by_project)}"
        if plan.used_by_project
        else ""
    )


def days(plan: ConnectionPlan) -> tuple[int, ...]:
    """Return the calls of each day, today first; () where today is enough, and where no number of days is.

    A later day is taken to be a whole one: the budget, or the quota less the reserve, whichever is smaller.
    """
    needed = plan.calls + plan.polls
    if plan.left is None or needed <= plan.left:
        return ()
    wholes = [plan.budget] if plan.budget is not None else []
    wholes += [plan.quota - plan.reserve] if plan.quota is not None else []
    whole = min(wholes)
    if whole <= 0 or needed - plan.left > whole * MAX_DAYS:
        return ()
    full, rest = divmod(needed - plan.left, whole)
    return (plan.left, *[whole] * full, *([rest] if rest else []))


def said_of_days(plan: ConnectionPlan) -> str:
    """Return the warning for a connection whose plan is spread over more than a day, or ""."""
    if not plan.days:
        return ""
    today, *later = plan.days
    shares = [f"{number(today)} today"]
    shares += [f"{number(calls)} on day {day}" for day, calls in enumerate(later[:SHOWN_DAYS], 2)]
    more = f" and so on to day {number(len(plan.days))}" if len(later) > SHOWN_DAYS else ""
    return (
        f'Connection "{plan.name}" needs {count(plan.calls + plan.polls, "call")}, spread over '
        f"{count(len(plan.days), 'day')}: {', '.join(shares)}{more}. Apply sends today's share and parks (exit 8); "
        "`syncer resume` sends the next day's."
    )
