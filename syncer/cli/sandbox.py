"""`syncer sandbox`: Marketo and Salesforce on this machine, for trying manifests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from syncer.sandbox.options import SandboxOptions

EXAMPLES = """\
Examples:

\b
  syncer sandbox serve                         on a free port; prints where, and credentials
  syncer sandbox serve --port 8080             on this port
  syncer sandbox serve --json                  one JSON line for scripts, then serve
  syncer sandbox serve --seed people.json      start with records
  syncer sandbox serve --job-speed 40          no waiting for imports
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    group = typer.Typer(help="Marketo and Salesforce on this machine, for trying manifests.", no_args_is_help=True)
    group.command(epilog=EXAMPLES)(serve)
    group.callback()(_only_a_group)
    app.add_typer(group, name="sandbox", short_help="Serve Marketo and Salesforce on this machine", epilog=EXAMPLES)


def _only_a_group() -> None:
    """Marketo and Salesforce on this machine, for trying manifests."""


def serve(
    port: Annotated[int, typer.Option("--port", metavar="N", help="0 takes a free one.")] = 0,
    seed: Annotated[Path | None, typer.Option("--seed", metavar="FILE", help="Records to start with, as JSON.")] = None,
    job_speed: Annotated[
        float,
        typer.Option("--job-speed", metavar="X", help="Imports and bulk jobs run X times faster than the vendors'."),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line with address and credentials.")] = False,
) -> None:
    """Serve both vendors on loopback until Ctrl-C. Open the printed address in a browser to look inside."""
    import json

    from syncer.sandbox.serve import serve as serve_sandbox

    def announce(facts: dict[str, object]) -> None:
        if as_json:
            typer.echo(json.dumps(facts))
            return
        marketo, salesforce = facts["marketo"], facts["salesforce"]
        if not (isinstance(marketo, dict) and isinstance(salesforce, dict)):
            return
        typer.echo(f"Sandbox on {facts['base_url']}  (look inside: {facts['base_url']}/__sandbox__/)\n")
        typer.echo("For a shell that runs manifests against it:\n")
        for system, known in (("MARKETO", marketo), ("SALESFORCE", salesforce)):
            typer.echo(f"  export {system}_BASE_URL={facts['base_url']}")
            typer.echo(f"  export {system}_CLIENT_ID={known['client_id']}")
            typer.echo(f"  export {system}_CLIENT_SECRET={known['client_secret']}")
        typer.echo(f"\nA Salesforce access token that is ready: {salesforce['access_token']}\nCtrl-C stops it.")

    serve_sandbox(_options(seed, job_speed), port=port, announce=announce)


def _options(seed: Path | None, job_speed: float) -> SandboxOptions:
    from dataclasses import replace

    from syncer.errors import UserError
    from syncer.sandbox.options import MarketoOptions, SandboxOptions
    from syncer.sandbox.salesforce.options import SalesforceOptions

    if job_speed <= 0:
        raise UserError("R901", f'A job speed of "{job_speed}" makes no sense.', "Say a number above 0.")
    marketo, salesforce = MarketoOptions(), SalesforceOptions()
    return SandboxOptions(
        seed_file=seed,
        marketo=replace(
            marketo,
            import_rows_per_second=marketo.import_rows_per_second * job_speed,
            import_seconds=marketo.import_seconds / job_speed,
        ),
        salesforce=replace(
            salesforce,
            queue_seconds=salesforce.queue_seconds / job_speed,
            chunk_seconds=salesforce.chunk_seconds / job_speed,
            finish_seconds=salesforce.finish_seconds / job_speed,
        ),
    )
