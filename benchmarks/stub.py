"""A server that takes leads and answers that each was created: the least work per call, so that it is the clients that differ.

Run: `python -m benchmarks.stub [--latency SECONDS] [--arrivals FILE]`; prints its port. It knows sign-in, Sync Leads, Bulk
Lead Import and the usage call of the Marketo REST API. `--arrivals` gets a line for each Sync Leads call: when it came, in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT


@dataclass(frozen=True, slots=True)
class Stub:
    """The application, with how long every answer takes."""

    latency: float
    arrivals: Path | None
    imports: list[int] = field(default_factory=list)
    """By job, its rows."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            return
        if self.arrivals and scope["path"] == "/rest/v1/leads.json":
            with self.arrivals.open("a") as file:
                file.write(f"{time.monotonic()}\n")
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await asyncio.sleep(self.latency)
        answer = json.dumps(self._answer(scope["path"], body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, path: str, body: bytearray) -> dict[str, Any]:
        if path == "/identity/oauth/token":
            return {"access_token": "token", "token_type": "bearer", "expires_in": 3_600, "scope": "api@example.com"}
        result: list[dict[str, Any]] = []
        if path == "/rest/v1/leads.json":
            count = len(json.loads(body)["input"])
            result = [{"id": number, "status": "created"} for number in range(1, count + 1)]
        elif path == "/bulk/v1/leads.json":
            # Every line of the multipart body ends in CR LF, every row of the file in LF alone; the first is its header.
            self.imports.append(body.count(b"\n") - body.count(b"\r\n") - 1)
            result = [{"batchId": len(self.imports), "importId": str(len(self.imports)), "status": "Queued"}]
        elif path.startswith("/bulk/v1/leads/batch/"):
            number = int(path.removeprefix("/bulk/v1/leads/batch/").removesuffix(".json"))
            counts = {
                "numOfLeadsProcessed": self.imports[number - 1],
                "numOfRowsFailed": 0,
                "numOfRowsWithWarning": 0,
            }
            result = [{"batchId": number, "importId": str(number), "status": "Complete", **counts}]
        return {"requestId": "e42b#14272d07d78", "success": True, "result": result}


@contextmanager
def serving(*words: str) -> Iterator[str]:
    """Serve in a process of its own; yield the address."""
    server = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "benchmarks.stub", *words], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def main() -> None:
    """Serve on a free loopback port until the process is ended."""
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--arrivals", type=Path)
    given = parser.parse_args()
    # asyncio sends small answers at once only over sockets that say they are TCP; others wait 40 ms for the caller.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)
        app = Stub(given.latency, given.arrivals)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run([listening])


if __name__ == "__main__":
    main()
