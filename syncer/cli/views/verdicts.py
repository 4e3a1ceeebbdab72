"""How the judgement of a run looks: a line a promise, the breaches below it, and one sentence at the end."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from syncer.cli.views import progress
from syncer.cli.views.trouble import use_colour
from syncer.verify.rules import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.verify.rules import Finding

MOST_BREACHES = 20
"""Of one promise, in text; JSON has all."""
_COLOUR = {Verdict.HOLDS: "\x1b[32m", Verdict.BROKEN: "\x1b[31m", Verdict.UNKNOWN: "\x1b[33m"}

_SUM = {Verdict.BROKEN: "broken", Verdict.HOLDS: "kept", Verdict.UNKNOWN: "cannot be told"}


def is_broken(findings: Sequence[Finding]) -> bool:
    """Whether any promise is."""
    return any(each.verdict is Verdict.BROKEN for each in findings)


def show(run: str, findings: Sequence[Finding], form: str) -> None:
    """Print the judgement to stdout, and in text its sum to stderr."""
    if form == "json":
        print(
            json.dumps({"run": run, "is_broken": is_broken(findings), "findings": [asdict(each) for each in findings]})
        )
        return
    sys.stdout.write(table(findings, colour=use_colour(sys.stdout)))
    counts = [sum(each.verdict is verdict for each in findings) for verdict in _SUM]
    told = ", ".join(f"{count} {word}" for count, word in zip(counts, _SUM.values(), strict=True) if count)
    progress.note(f"Run {run}: of {len(findings)} promises {told}.")


def table(findings: Sequence[Finding], *, colour: bool) -> str:
    """Return the promises as aligned lines."""
    name = max(len(each.rule) for each in findings)
    width = max(len(verdict.value) for verdict in Verdict)
    text = ""
    for each in findings:
        word = f"{each.verdict.value:<{width}}"
        painted = f"{_COLOUR[each.verdict]}{word}\x1b[0m" if colour else word
        text += f"{each.rule:<{name}}  {painted}  {each.promise}\n"
        indent = " " * (name + width + 4)
        if each.verdict is Verdict.UNKNOWN:
            text += f"{indent}It would need {each.missing}.\n"
        text += "".join(f"{indent}{breach}\n" for breach in each.breaches[:MOST_BREACHES])
        if (more := len(each.breaches) - MOST_BREACHES) > 0:
            text += f"{indent}and {more:,} more; `--format json` has all.\n"
    return text
