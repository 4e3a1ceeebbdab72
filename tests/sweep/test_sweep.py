"""The sweep in small: the means are what they say, and a few of its points hold. `make sweep` plays them all."""

from __future__ import annotations

import random
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fast.served import ROOT
from tests.sweep import cuts, faults, seccomp
from tests.sweep.durable import Disk

CHILD = """
import os, socket, sys
from tests.sweep import seccomp
seccomp.be_watched(("openat", "write", "mkdir", "rename"), socket.socket(fileno=int(sys.argv[1])))
os.mkdir(sys.argv[2] + "/made")
try:
    os.mkdir(sys.argv[2] + "/refused")
except OSError as error:
    print(error.errno)
os.mkdir(sys.argv[2] + "/never")
"""


def test_a_parent_decides_on_each_call_of_its_child(tmp_path: Path) -> None:
    """One goes on, one fails unmade, and at the third the child is killed, which has not made it."""
    ours, theirs = socket.socketpair()
    with (
        ours,
        subprocess.Popen(  # noqa: S603 - our own interpreter, our own text
            [sys.executable, "-c", CHILD, str(theirs.fileno()), str(tmp_path)],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        ) as child,
    ):
        theirs.close()
        listener = seccomp.Listener(ours)
        seen = []
        for call in listener.calls(30.0):
            seen.append((call.name, Path(call.text(0)).name))
            if len(seen) == 3:
                child.kill()
            elif len(seen) == 2:
                listener.fail(call, 28)
            else:
                listener.go_on(call)
        listener.close()
        assert child.stdout is not None
        assert child.wait() == -9
    assert seen == [("mkdir", "made"), ("mkdir", "refused"), ("mkdir", "never")]
    assert [each.name for each in tmp_path.iterdir()] == ["made"]


def test_a_silent_child_is_not_waited_for_for_ever() -> None:
    """A point that hangs is told, and does not stop the sweep for good."""
    ours, theirs = socket.socketpair()
    words = "import socket, sys, time; from tests.sweep import seccomp;"
    words += "seccomp.be_watched(('mkdir',), socket.socket(fileno=int(sys.argv[1]))); time.sleep(60)"
    with (
        ours,
        subprocess.Popen(  # noqa: S603 - as above
            [sys.executable, "-c", words, str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
        ) as child,
    ):
        theirs.close()
        listener = seccomp.Listener(ours)
        with pytest.raises(TimeoutError):
            list(listener.calls(0.01))
        listener.close()
        child.kill()


def test_a_point_is_played_again_by_its_name() -> None:
    """Names are what is printed, and the same seed draws the same ones."""
    sizes = cuts.Sizes(before=4, after=9)
    first, second = (
        [*sizes.singles(random.Random(3)), *sizes.pairs(5, random.Random(3))]  # noqa: S311 - no secret
        for _ in range(2)
    )
    assert first == second
    assert [cuts.parse(str(point)) for point in first] == first
    assert len(set(first[:13])) == 13
    points = faults.drawn({"EIO": 3, "EPIPE": 1}, 2, random.Random(3))  # noqa: S311 - no secret
    assert [faults.parse(str(point)) for point in points] == points
    assert [point.error for point in points] == ["EIO", "EIO", "EPIPE"]


@dataclass(frozen=True)
class Told(seccomp.Call):
    """A call whose paths are told beforehand."""

    paths: tuple[str, ...]

    def path_of(self, argument: int = 0) -> str:
        """Return the path."""
        return self.paths[argument]

    def text(self, argument: int) -> str:
        """Return the path."""
        return self.paths[argument]


RUN = "/p/.syncer/runs/r"


@pytest.mark.parametrize(
    ("steps", "finding"),
    [
        (["write a.part", "fsync a.part", "rename a.part a", "fsync ."], ""),
        (["write a.part", "rename a.part a", "fsync ."], "before its content"),
        (["write a.part", "fsync a.part", "rename a.part a"], "never synced"),
        (["fsync a.part", "write a.part", "rename a.part a", "fsync ."], "before its content"),
        (["write tmp_a", "rename tmp_a a.part", "fsync a.part", "rename a.part a", "fsync ."], ""),
    ],
)
def test_a_name_is_given_to_what_is_on_the_disk(steps: list[str], finding: str) -> None:
    """Written, synced, renamed, and the folder synced: in this order, or it is told."""
    disk = Disk()
    for step in steps:
        name, *paths = step.split()
        told = tuple(f"{RUN}/{each}".removesuffix("/.") for each in paths)
        disk.take(Told(0, 0, name, (0, 0, 9), told), "/p")
    findings = disk.end()
    assert (finding in findings[0]) if finding else findings == []


def _small(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.sweep", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_is_relied_on_that_a_power_cut_would_take() -> None:
    """No file gets its name before its content is on the disk, and no request leaves before what a resume needs is."""
    assert "0 with a difference" in _small("lint")


def test_a_run_that_is_killed_at_a_call_ends_as_if_it_had_not_been() -> None:
    """Three calls, by chance: the same records, no key twice. A run may end before one, as notes share writes."""
    assert re.search(r"\b[123] points, 0 with a difference", _small("kill", "--points", "3"))


def test_of_two_that_begin_at_once_one_works() -> None:
    """On a folder and on a bucket."""
    assert "4 points, 0 with a difference" in _small("races", "--points", "2")
