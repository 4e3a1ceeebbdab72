"""A sandbox in a process of its own, and the environment that leads commands to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FAST = ROOT / "tests" / "fast"


def _is_read(entry: dict[str, Any]) -> bool:
    """Say whether a request of the log asked for a token or for records; Marketo takes long questions by POST too."""
    if entry["method"] == "GET" or "oauth" in entry["endpoint"]:
        return True
    is_import = "/bulk/" in entry["endpoint"] or "/jobs/" in entry["endpoint"]
    was_answered = entry["status"] == 200 and entry["error_code"] is None
    return was_answered and entry["operation"] is None and not is_import


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox in a process of its own. `facts` is what it announced."""

    facts: dict[str, Any]

    @property
    def control_url(self) -> str:
        """Where it is told and asked what no vendor would be."""
        return str(self.facts["control_url"])

    def ask(self, place: str, body: object = None) -> Any:
        """Return what a control route answers; with a body it is posted."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control_url}/{place}", data)  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def writes(self) -> int:
        """Return how many requests arrived that could change a record, refused ones among them."""
        return sum(not _is_read(each) for each in self.ask("log"))

    def held(self) -> dict[str, Any]:
        """Return what both vendors hold, in an order that tells nothing of when it came."""
        return {
            f"{system} {name}": sorted(map(repr, records)) if isinstance(records, list) else records
            for system, objects in self.ask("state").items()
            for name, records in objects.items()
        }

    def twice(self) -> list[str]:
        """Return the keys that more than one record has."""
        state = self.ask("state")
        keys = [each["email"].casefold() for each in state["marketo"]["leads"]]
        keys += [each["Crm_Key__c"].casefold() for each in state["salesforce"]["Contact"]]
        return [key for key, count in Counter(keys).items() if count > 1]

    def credentials(self) -> dict[str, str]:
        """Return the environment that the manifests' connections read."""
        return {
            f"{system.upper()}_{name}": value
            for system in ("marketo", "salesforce")
            for name, value in (
                ("BASE_URL", self.facts["base_url"]),
                ("CLIENT_ID", self.facts[system]["client_id"]),
                ("CLIENT_SECRET", self.facts[system]["client_secret"]),
            )
        }

    def environment(self) -> dict[str, str]:
        """Return a whole environment: what a shell has, credentials, and a fixed width."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "USER", "PATH") if name in os.environ}
        return {**kept, **self.credentials(), "COLUMNS": "100", "TZ": "UTC"}

    def command(self) -> list[str]:
        """Return the words that start the command line as a real process in the sandbox's time."""
        return [sys.executable, str(FAST / "syncer.py"), self.control_url]


@contextmanager
def serving() -> Iterator[Served]:
    """Serve a sandbox while the context lasts."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, FAST / "sandbox.py"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    with process.stdout as told:
        try:
            yield Served(json.loads(told.readline()))
        finally:
            process.terminate()
            process.wait(timeout=10)


@dataclass(frozen=True, slots=True)
class Bucketed:
    """A fake of S3 in a process of its own. `facts` is the environment that leads to it."""

    facts: dict[str, str]
    process: subprocess.Popen[str]

    def ask(self, *words: object) -> Any:
        """Return what it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def bucketed() -> Iterator[Bucketed]:
    """Serve a bucket while the context lasts."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, FAST / "bucket.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    with process:
        try:
            yield Bucketed(json.loads(process.stdout.readline()), process)
        finally:
            process.terminate()
