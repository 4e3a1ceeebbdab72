"""SIGTERM and Ctrl-C to a real process: it stops in good order, says how to go on, and its run ends as if uncut.

Real processes over loopback; `syncer verify` judges what each leaves behind.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.fast.served import Served, serving
from tests.fast.shop import PATIENCE_SECONDS, REJECTS, Shop, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = {"campaigns": 100, "contacts": 400, "guests": 100}
POLITE_SECONDS = 1.0
LOOK_SECONDS = 0.02


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A reduced demo and a sandbox of its own."""
    with serving() as served:
        yield lay_out(tmp_path, served, ROWS, {})


def _writes(served: Served) -> list[float]:
    """Return when calls that carry records arrived."""
    return [each["arrived_at"] for each in served.ask("log") if each["operation"] and each["record_count"]]


def _interrupted(shop: Shop, number: signal.Signals, *, twice: bool = False) -> tuple[int, float]:
    """Apply, send the signal once the first request is on its way, and return exit code and moment of the signal."""
    process = shop.apply()
    while not shop.has_come_to("committing", "") and process.poll() is None:
        time.sleep(LOOK_SECONDS)
    assert process.poll() is None, "the run was over before it could be interrupted"
    at = float(shop.served.ask("overview")["now"])
    process.send_signal(number)
    if twice:
        time.sleep(LOOK_SECONDS)
        process.send_signal(number)
    try:
        return process.wait(PATIENCE_SECONDS), at
    finally:
        process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_in_good_order(number: signal.Signals, code: int, shop: Shop) -> None:
    """Nothing new leaves a second after the signal, the exit code tells which it was, and resume does the rest."""
    ended, at = _interrupted(shop, number)
    assert ended == code
    late = [each for each in _writes(shop.served) if each > at + POLITE_SECONDS]
    assert late == []
    assert f"syncer resume {shop.runs()[0]}" in shop.said()
    assert "Traceback" not in shop.said()
    assert shop.resume() == REJECTS
    assert shop.run("verify") == 0
    assert shop.served.twice() == []


def test_two_signals_end_a_run_at_once(shop: Shop) -> None:
    """What is under way is noted as in doubt or left as sent; resume settles it, and no key stands twice."""
    ended, _ = _interrupted(shop, signal.SIGTERM, twice=True)
    assert ended == 143
    assert shop.resume() == REJECTS
    assert shop.run("verify") == 0
    assert shop.served.twice() == []
