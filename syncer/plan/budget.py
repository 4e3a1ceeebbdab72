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


def part_of(share: str, whole: int) -> Decimal:
    """Return a percentage such as `2.5%` of `whole`, exactly."""
    return Decimal(share.removesuffix("%")) * whole / 100


def connection_plan(name: str, connection: Connection, usage: Usage, nodes: Sequence[Node]) -> ConnectionPlan:
    """Return what `nodes` take of the connection's day, and what is left for them."""
    budget = connection.budget
    reserve = ceil(part_of(budget.reserve, usage.calls_quota or 0))
    rooms = []
    if budget.calls_per_day is not None:
        rooms.append(budget.calls_per_day - (usage.calls_by_project or 0))
    if usage.calls_quota is not None:
        rooms.append(usage.calls_quota - reserve - (usage.calls_used or 0))
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
        left=max(0, min(rooms)) if rooms else None,
    )


def over(plan: ConnectionPlan, spread: int) -> Diagnostic | None:
    """Return the refusal of a day that is too small; `spread` of the calls may take more days than one."""
    needed = plan.calls + plan.polls
    if plan.left is None or needed - spread <= plan.left:
        return None
    detail = f'Connection "{plan.name}" needs {count(needed, "call")} and {number(plan.left)} are left today.'
    if plan.budget is not None:
        detail += f" The budget is {count(plan.budget, 'call')} a day."
    if plan.quota is not None:
        used = "an unknown number" if plan.used_today is None else number(plan.used_today)
        reserved = f" and {number(plan.reserve)} are reserved" if plan.reserve else ""
        detail += f" Of the quota of {number(plan.quota)}, {used} are used{reserved}."
    advice = (
        'Raise "budget.calls_per_day" or lower "budget.reserve", plan fewer operations at a time, wait for the next '
        'day, or say "spread: true" for operations that may take several days.'
    )
    return Diagnostic("P101", detail, advice=advice)


def days(plan: ConnectionPlan) -> str:
    """Return the warning for a connection whose plan is spread over more than a day, or ""."""
    needed = plan.calls + plan.polls
    if plan.left is None or needed <= plan.left:
        return ""
    return (
        f'Connection "{plan.name}" needs {count(needed, "call")} and {number(plan.left)} are left today: the run parks '
        "when they are spent, and goes on by resume on the next day."
    )
