"""`python -m syncer.sandbox`: a sandbox without the rest of syncer."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from syncer.sandbox.options import SandboxOptions
from syncer.sandbox.serve import serve


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m syncer.sandbox", description="Marketo and Salesforce on loopback")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--control-port", type=int, default=None, help="a port of their own for the control routes")
    parser.add_argument("--seed", type=Path, default=None, help="a JSON file with what the systems hold at the start")
    parser.add_argument("--log", type=Path, default=None, help="a file for the request log, one JSON object a line")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that a call takes")
    parser.add_argument("--json", action="store_true", help="announce as one line of JSON")
    given = parser.parse_args(arguments)

    def announce(where: dict[str, Any]) -> None:
        if given.json:
            print(json.dumps(where), flush=True)  # noqa: T201 - the announcement is this program's output
        else:
            lines = [f"Sandbox  {where['base_url']}", f"Page     {where['control_url']}/"]
            lines += [
                f"{system:8} {name}: {value}"
                for system, members in where.items()
                if isinstance(members, dict)
                for name, value in members.items()
            ]
            print("\n".join(lines), flush=True)  # noqa: T201 - as above

    options = SandboxOptions(seed_file=given.seed, log_path=given.log, latency_seconds=given.latency)
    try:
        serve(options, given.host, given.port, announce, given.control_port)
    except (ValueError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)  # noqa: T201 - as above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
