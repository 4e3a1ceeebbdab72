"""A server that takes leads and answers that each was created: the least work per call, so that it is the clients that differ.

Run: `python -m benchmarks.stub`; prints its port. It knows sign-in, Sync Leads and the usage call of the Marketo REST API.
"""

from __future__ import annotations

import json
import socket
from typing import Any

import uvicorn


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request (ASGI)."""
    if scope["type"] != "http":
        return
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    answer = json.dumps(_answer(scope["path"], bytes(body))).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def _answer(path: str, body: bytes) -> dict[str, Any]:
    if path == "/identity/oauth/token":
        return {"access_token": "token", "token_type": "bearer", "expires_in": 3_600, "scope": "api@example.com"}
    if path == "/rest/v1/leads.json":
        count = len(json.loads(body)["input"])
        result = [{"id": number, "status": "created"} for number in range(1, count + 1)]
        return {"requestId": "e42b#14272d07d78", "success": True, "result": result}
    return {"requestId": "e42b#14272d07d78", "success": True, "result": []}


def main() -> None:
    """Serve on a free loopback port until the process is ended."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run([listening])


if __name__ == "__main__":
    main()
