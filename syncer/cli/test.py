"""`syncer test`: the manifests' own tests, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncer.cli.options import Project

EXAMPLES = """\
Examples:

\b
  syncer test                          run the tests of this folder's manifests
  syncer test --only newsletter_*      by name
  syncer test --junit report.xml       also as JUnit XML, for CI
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(epilog=EXAMPLES, short_help="Run the manifests' own tests, offline")(test)


def test(
    project: Project = Path(),
    only: Annotated[str, typer.Option("--only", metavar="PATTERN", help="Tests whose name matches.")] = "*",
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML too.")] = None,
) -> None:
    """Run given rows through an operation's mapping and compare with what is expected. Needs no network."""
    from syncer.cli.views import unit_tests
    from syncer.workflow import load, testing

    results = testing.run_tests(load.load(project, reaches=False), only)
    unit_tests.show(results)
    if junit is not None:
        junit.write_text(unit_tests.as_junit(results), encoding="utf-8")
    if any(result.difference for result in results):
        raise typer.Exit(1)
