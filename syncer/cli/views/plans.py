"""How a plan looks: the one text of `plan.explain`, with colour on a terminal, and the forms for machines and pages."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from syncer.cli.views.trouble import harmless, use_colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.diagnostics import Place
    from syncer.plan.models import Plan
    from syncer.sample import OperationSample

_WIDEST = 120
_BOLD, _DIM, _CYAN, _YELLOW, _RED, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[33m", "\x1b[31m", "\x1b[0m"
_STYLES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(Plan|Digest)\b.*"), _BOLD),
    (re.compile(r"^(Order|Budget|Warnings|Made of)$"), _BOLD),
    (re.compile(r"^ {1,3}\d+  [^:]+:"), _CYAN),
    (re.compile(r"^ +not \S+ .*"), _DIM),
    (re.compile(r"^ +note .*"), _YELLOW),
    (re.compile(r"^ +V\d{3} .*"), _RED),
    (re.compile(r"^(Personal data:.*| +revealed .*)"), _YELLOW),
)


def show(
    plan: Plan,
    output: str,
    places: Mapping[str, Place] | None = None,
    samples: Sequence[OperationSample] = (),
) -> None:
    """Print a plan to stdout, with sample rows where they are revealed. For `github`, `places` are the operations'."""
    if output == "github":
        from syncer.cli.views import github

        github.show(plan, places or {}, rendered(plan, "text"))
        return
    sys.stdout.write(rendered(plan, output, samples))


def rendered(plan: Plan, output: str, samples: Sequence[OperationSample] = ()) -> str:
    """Return a plan as `text`, `json`, `markdown` or `html`."""
    if output == "json":
        from syncer.plan import digest

        return digest.dump(plan, samples)
    if output == "markdown":
        from syncer.plan import markdown

        return markdown.markdown(plan, samples=samples)
    if output == "html":
        from syncer.plan import html

        return html.html(plan, samples)
    from syncer.plan import explain

    width = min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)
    text = harmless(explain.explain(plan, width, samples))
    return "\n".join(_styled(line) for line in text.split("\n")) if use_colour(sys.stdout) else text


def _styled(line: str) -> str:
    for pattern, style in _STYLES:
        found = pattern.match(line)
        if found:
            return f"{style}{found[0]}{_OFF}{line[found.end() :]}"
    return line
