"""Scripted trouble: rules that match calls and say what goes wrong with them.

A rule is data (JSON over the control routes, or a value in a test) and fires by count, place and seeded chance, so a
run can be repeated exactly. Rules only say; `exchange` and the worlds carry them out.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from syncer.sandbox.traffic import Entry


class Action(StrEnum):
    """What a rule does to the call that it matches."""

    APPLY_THEN_LOSE = "apply_then_lose"
    LOSE_BEFORE_APPLY = "lose_before_apply"
    APPLY_LATE = "apply_late"
    APPLY_TWICE = "apply_twice"
    APPLY_FIRST_K = "apply_first_k"
    STATUS = "status"
    VENDOR_ERROR = "vendor_error"
    TRUNCATE_BODY = "truncate_body"
    GARBAGE_BODY = "garbage_body"
    EMPTY_BODY = "empty_body"
    DELAY = "delay"
    SLOW_JOB = "slow_job"
    STALL_JOB = "stall_job"
    FAIL_JOB = "fail_job"
    LOCK_ROWS = "lock_rows"
    SHUFFLE_RESULTS = "shuffle_results"
    WRONG_COUNTS = "wrong_counts"
    MISSING_FAILURE_FILE = "missing_failure_file"


WORLD_ACTIONS = frozenset(
    {
        Action.SLOW_JOB,
        Action.STALL_JOB,
        Action.FAIL_JOB,
        Action.LOCK_ROWS,
        Action.SHUFFLE_RESULTS,
        Action.WRONG_COUNTS,
        Action.MISSING_FAILURE_FILE,
    }
)
"""Actions that mean something only where a world asks for them, and are not spent on other calls."""


class When(StrEnum):
    """Whether an answer is replaced before anything was done or after it was."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One line of a fault script. What is left out of the match matches everything."""

    action: Action
    system: str | None = None
    endpoint: str = "*"
    operation: str | None = None
    key: str | None = None
    nth: int = 1
    count: int | None = 1
    probability: float = 1.0
    when: When = When.BEFORE
    seconds: float = 0.0
    first: int = 0
    status: int = 502
    code: str = "611"
    message: str | None = None
    body: str | None = None
    share: float = 0.5
    cut: bool = False

    @classmethod
    def parse(cls, rule: Mapping[str, Any]) -> FaultRule:
        """Reads a rule from JSON; an unknown member or word is a ValueError that names it."""
        known = {member.name for member in fields(cls)}
        if unknown := sorted(set(rule) - known):
            message = f"unknown members of a fault rule: {', '.join(unknown)}"
            raise ValueError(message)
        if "action" not in rule:
            message = "a fault rule needs an action"
            raise ValueError(message)
        values = dict(rule) | {"action": Action(rule["action"])}
        if "when" in values:
            values["when"] = When(values["when"])
        if "code" in values:
            values["code"] = str(values["code"])
        return cls(**values)

    @property
    def needs_contents(self) -> bool:
        """Whether the match waits until the request was understood."""
        return self.key is not None or self.operation is not None

    def matches_place(self, system: str, method: str, endpoint: str) -> bool:
        """Whether the rule speaks of this endpoint: a pattern over `POST /path`, or over the path alone."""
        if self.system is not None and self.system != system:
            return False
        return fnmatchcase(endpoint, self.endpoint) or fnmatchcase(f"{method} {endpoint}", self.endpoint)

    def matches_contents(self, operation: str | None, keys: Collection[str]) -> bool:
        """Whether the rule speaks of this operation and of one of these canonical keys (`object/field/value`)."""
        if self.operation is not None and self.operation != operation:
            return False
        return self.key is None or any(key == self.key or key.endswith(f"/{self.key}") for key in keys)


@dataclass(slots=True)
class _Armed:
    """A rule with what it has seen so far."""

    rule: FaultRule
    chance: random.Random
    seen: int = 0
    fired: int = 0

    def fires(self) -> bool:
        """Counts a matching call and says whether this is one to spoil."""
        self.seen += 1
        if self.seen < self.rule.nth:
            return False
        if self.rule.count is not None and self.fired >= self.rule.count:
            return False
        if self.rule.probability < 1 and self.chance.random() >= self.rule.probability:
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force, in the order in which they were given."""

    seed: int = 0
    _armed: list[_Armed] = field(default_factory=list)
    _added: int = 0

    def add(self, *rules: FaultRule) -> None:
        """Arms rules; each draws its chances from its own seeded sequence."""
        for rule in rules:
            self._armed.append(_Armed(rule, random.Random(f"{self.seed}/{self._added}")))
            self._added += 1

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._armed.clear()
        self._added = 0

    def on_arrival(self, entry: Entry) -> list[FaultRule]:
        """The rules that fire for a request by its place alone."""
        return self._fire(
            armed
            for armed in self._armed
            if armed.rule.action not in WORLD_ACTIONS
            and not armed.rule.needs_contents
            and armed.rule.matches_place(entry.system, entry.method, entry.endpoint)
        )

    def on_contents(self, entry: Entry) -> list[FaultRule]:
        """The rules that fire once the entry's operation and keys are known."""
        return self._fire(
            armed
            for armed in self._armed
            if armed.rule.action not in WORLD_ACTIONS
            and armed.rule.needs_contents
            and armed.rule.matches_place(entry.system, entry.method, entry.endpoint)
            and armed.rule.matches_contents(entry.operation, entry.keys)
        )

    def for_world(self, action: Action, entry: Entry) -> FaultRule | None:
        """The first rule of one job or record action that fires for this request; asking spends it."""
        fired = self._fire(
            armed
            for armed in self._armed
            if armed.rule.action is action
            and armed.rule.matches_place(entry.system, entry.method, entry.endpoint)
            and armed.rule.matches_contents(entry.operation, entry.keys)
        )
        return fired[0] if fired else None

    def listing(self) -> list[dict[str, Any]]:
        """The rules with how often each matched and fired."""
        return [asdict(armed.rule) | {"seen": armed.seen, "fired": armed.fired} for armed in self._armed]

    @staticmethod
    def _fire(candidates: Iterable[_Armed]) -> list[FaultRule]:
        return [armed.rule for armed in candidates if armed.fires()]
