"""The plan as an artifact: its digest, its file, and the refusal of a file that is not what was reviewed.

The digest covers everything else in the plan, in one canonical JSON text. Whatever a file holds, only our own errors
are raised.
"""

from __future__ import annotations

import json
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from syncer.errors import StalePlanError, UserError
from syncer.plan.models import Inputs, Plan
from syncer.plan.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncer.plan.models import Digest
    from syncer.sample import OperationSample

FORMAT = 1
"""The plan format that this version reads and writes."""

_UNREADABLE, _EDITED, _OTHER_FORMAT, _STALE, _REVEALED = "P108", "P109", "P110", "P111", "P131"
_AGAIN = "Make the plan again and have it reviewed."


def digest_of(plan: Plan) -> str:
    """Return the SHA-256 of everything in the plan but its digest."""
    members = plan.model_dump(mode="json", exclude={"digest"})
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(text.encode()).hexdigest()


def sealed(plan: Plan) -> Plan:
    """Return the plan with its digest set."""
    return plan.model_copy(update={"digest": digest_of(plan)})


def verify(plan: Plan) -> None:
    """Raise `StalePlanError` where the plan is not what its digest says."""
    found = digest_of(plan)
    if not compare_digest(found.encode(), plan.digest.encode(errors="replace")):
        detail = f"Its digest says {plan.digest[:12] or 'nothing'} and its content is {found[:12]}."
        raise StalePlanError(_EDITED, printable(detail), _AGAIN)


def dump(plan: Plan, samples: Sequence[OperationSample] = ()) -> str:
    """Return the plan's file: JSON that a person can read and `git diff` can show, with a line end last.

    With `samples` it is a print to read, which `load` refuses.
    """
    from syncer.plan.revealed import members as revealed

    members = plan.model_dump(mode="json") | revealed(samples)
    return json.dumps(members, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def load(text: str) -> Plan:
    """Return the plan of a file, verified.

    Raises `UserError` for what is no plan, `StalePlanError` for one that was edited.
    """
    members = _parse(text)
    if not isinstance(members, dict) or "format" not in members or "nodes" not in members:
        raise UserError(_UNREADABLE, "It is JSON, but not a plan.", "Give the file that `syncer plan --out` wrote.")
    from syncer.plan.revealed import MEMBER

    if MEMBER in members:
        detail = "It was printed with --reveal, so it holds rows of people, which no plan file does."
        raise UserError(_REVEALED, detail, "Give the file that `syncer plan --out` wrote.")
    if members["format"] != FORMAT:
        detail = f"Its format is {json.dumps(members['format'])[:40]}; this version reads format {FORMAT}."
        raise UserError(
            _OTHER_FORMAT, printable(detail), "Use the version of syncer that made it, or make the plan again."
        )
    try:
        plan = Plan.model_validate(members)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        detail = f"{error.error_count()} of its members are not as a plan has them, the first at {place[:80]}."
        raise StalePlanError(_EDITED, printable(detail), _AGAIN) from error
    verify(plan)
    return plan


def check_inputs(plan: Plan, now: Inputs) -> None:
    """Raise `StalePlanError` where anything that the plan was made of differs from `now`; names all of it.

    Sources and rows that may move are held against their envelope or their kept rows, and not here.
    """
    moving = [each for each in plan.operations if each.moves != "exact"]
    still = {each.source for each in plan.operations if each.moves == "exact"}
    free = {f'source "{each.source}"' for each in moving if each.source not in still}
    free |= {f'rows of "{each.name}"' for each in moving}
    changed = [what for what, before, after in _compared(plan.inputs, now) if before != after and what not in free]
    if changed:
        detail = f"Since it was made, these have changed: {', '.join(changed)}."
        raise StalePlanError(_STALE, printable(detail), _AGAIN)


def _compared(old: Inputs, new: Inputs) -> Iterable[tuple[str, str | None, str | None]]:
    yield "the version of syncer", old.tool, new.tool
    yield "the manifest", old.manifest, new.manifest
    for what, before, after in (
        ("description of", old.describe, new.describe),
        ("source", old.sources, new.sources),
        ("rows of", old.rows, new.rows),
        ("ledger of", old.ledger, new.ledger),
    ):
        first, second = _by_name(before), _by_name(after)
        for name in sorted(first | second):
            yield f'{what} "{name}"', first.get(name), second.get(name)


def _by_name(digests: Iterable[Digest]) -> dict[str, str]:
    return {each.name: each.digest for each in digests}


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated"):
            detail = f"It ends in the middle, at line {error.lineno}: the file was cut short."
        else:
            detail = f"It is no JSON at line {error.lineno}, column {error.colno}."
        raise UserError(_UNREADABLE, detail, "Copy the file again, or make the plan again.") from error
    except (RecursionError, ValueError) as error:
        raise UserError(_UNREADABLE, "It is no JSON that a plan could be.", "Make the plan again.") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # The last one would win in silence, and a reader may see the first.
        message = "A member stands twice."
        raise ValueError(message)
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
