"""Usage and error statistics of today and of the last seven days (Adobe, "Usage"). They count as calls themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from syncer.sandbox.marketo.gate import Answer, Call, Operation

WEEK = 7


def _usage(days: int) -> Callable[[Call], Awaitable[Answer]]:
    async def handle(call: Call) -> Answer:
        meter = call.world.meter
        return Answer(
            [
                {
                    "date": day,
                    "total": meter.usage[day].total(),
                    "users": [{"userId": user, "count": count} for user, count in sorted(meter.usage[day].items())],
                }
                for day in meter.last_days(days)
                if days == 1 or day in meter.usage
            ]
        )

    return handle


def _errors(days: int) -> Callable[[Call], Awaitable[Answer]]:
    async def handle(call: Call) -> Answer:
        meter = call.world.meter
        result: list[dict[str, Any]] = [
            {
                "date": day,
                "total": meter.errors[day].total(),
                "errors": [{"errorCode": code, "count": count} for code, count in sorted(meter.errors[day].items())],
            }
            for day in meter.last_days(days)
            if days == 1 or day in meter.errors
        ]
        return Answer(result)

    return handle


OPERATIONS = (
    Operation("GET", "/rest/v1/stats/usage.json", _usage(1)),
    Operation("GET", "/rest/v1/stats/usage/last7days.json", _usage(WEEK)),
    Operation("GET", "/rest/v1/stats/errors.json", _errors(1)),
    Operation("GET", "/rest/v1/stats/errors/last7days.json", _errors(WEEK)),
)
