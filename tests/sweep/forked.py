"""The command line as a forked process: everything is imported once, and each command is a process of its own.

The parent has one thread and keeps no connection open, so that a fork of it is as good as a new interpreter.
"""

from __future__ import annotations

import gc
import http.client
import json
import os
import signal
import socket
import ssl
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from syncer.cli.main import run as run_command_line
from syncer.state.journal import opening
from tests.fast.world import World
from tests.sweep import seccomp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATIENCE_SECONDS: Final = 60.0
CLOCK_AT: Final = seccomp.UNSEEN.start + 1
"""The descriptor of the line to the sandbox's clock."""
CRASHED: Final = 70
PROJECT: Final = Path(__file__).parent / "project"

_WARM = (
    "syncer.cli.views.plans",
    "syncer.cli.views.progress",
    "syncer.cli.views.reports",
    "syncer.cli.views.trouble",
    "syncer.execution.executor",
    "syncer.state.bucket",
    "syncer.state.local",
    "syncer.state.ledger",
    "syncer.state.object_ledger",
    "syncer.targets.registry",
    "syncer.targets.marketo.session",
    "syncer.targets.salesforce.session",
    "syncer.workflow.applying",
    "syncer.workflow.load",
    "syncer.workflow.pinning",
    "syncer.workflow.planning",
    "syncer.workflow.remaking",
    "anyio._backends._asyncio",
    "duckdb",
    "httpcore",
    "pyarrow.parquet",
    "rich.progress",
    "rich.table",
    "sqlglot.dialects.duckdb",
    "syncer.targets.marketo.read_back",
    "syncer.targets.salesforce.read_back",
)


def warm_up() -> None:
    """Import what commands import when they run, and build what is built once, so that no child needs to."""
    for name in _WARM:
        __import__(name)
    from syncer.state.journal import read, seal
    from syncer.state.protocol import Parked
    from syncer.workflow import load

    load.read(PROJECT)
    for _ in read("r", [seal(opening("r"), 1, 1, Parked(reason=""))]):
        pass
    gc.collect()
    gc.freeze()


class KeptWorld(World):
    """A world whose line to the sandbox's clock is kept, at a descriptor that is not watched."""

    def __init__(self, control_url: str) -> None:
        """Take the sandbox's time as it is now."""
        self._line: http.client.HTTPConnection | None = None
        super().__init__(control_url)

    def _ask(self, place: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        target = urlsplit(f"{self._control}/{place}").path
        while True:
            is_new = self._line is None
            line = self._line = self._line or self._opened()
            try:
                line.request("GET" if data is None else "POST", target, data)
                return json.loads(line.getresponse().read())
            except (http.client.HTTPException, OSError):
                line.close()
                self._line = None  # The server keeps no line that is silent for long.
                if is_new:
                    raise

    def _opened(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._control)
        line = http.client.HTTPConnection(str(parts.hostname), parts.port)
        with socket.socket() as first:
            os.dup2(first.fileno(), CLOCK_AT)
        line.sock = socket.socket(fileno=CLOCK_AT)
        line.sock.connect((str(parts.hostname), parts.port))
        line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line


@dataclass(slots=True)
class Process:
    """A forked command; `listener` when its calls are watched."""

    pid: int
    listener: seccomp.Listener | None
    code: int | None = None
    seen: int = 0
    """How many watched calls it made that count."""
    told: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return how it ended, as `subprocess` counts: a signal is negative."""
        if self.code is None:
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
            if self.listener is not None:
                self.listener.close()
                self.listener = None
        return self.code

    def is_over(self) -> bool:
        """Say whether it has ended."""
        if self.code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None


def start(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    control_url: str,
    *,
    watched: Sequence[str] = (),
    inside: Callable[[], None] | None = None,
) -> Process:
    """Start a command in `folder`; what it says goes to `said.txt` there. `inside` is called in the child at first."""
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live(words, folder, environment, control_url, theirs if watched else None, watched, inside)
    theirs.close()
    with ours:
        return Process(pid, seccomp.Listener(ours) if watched else None)


def _live(  # noqa: PLR0917 - what a process is
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    control_url: str,
    line: socket.socket | None,
    watched: Sequence[str],
    inside: Callable[[], None] | None,
) -> None:
    """Be the command, and never return."""
    code = CRASHED
    try:
        os.chdir(folder)
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, handle in ((0, nothing), (1, said), (2, said)):
            os.dup2(handle, number)
        os.closerange(3, line.fileno() if line else 199)
        if line:
            os.closerange(line.fileno() + 1, 199)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["syncer", *words]
        with pytest.MonkeyPatch.context() as patch:
            KeptWorld(control_url).enter(patch)
            # There is no TLS on loopback, and reading the bundle of certificates takes longer than most of the run.
            patch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
            if inside is not None:
                inside()
            if line is not None:
                seccomp.be_watched(watched, line)
            run_command_line()
            code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - a fork must never run on in its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
