"""The committed object schemas say what the sandboxes describe: each side keeps its own list, held equal here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from syncer.facts import System
from syncer.targets.describe import dump, load, parse

if TYPE_CHECKING:
    from tests.contract.conftest import Stage

ROOT = Path(__file__).parents[2] / "schemas" / "objects"
SNAPSHOTS = sorted(ROOT.glob("*/*.schema.json"))


def test_there_are_snapshots() -> None:
    """The objects of the examples are pulled."""
    assert {path.stem.removesuffix(".schema") for path in SNAPSHOTS} >= {
        "lead",
        "Contact",
        "Campaign",
        "CampaignMember",
    }


@pytest.mark.anyio
@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: f"{path.parent.name}-{path.name.partition('.')[0]}")
async def test_a_snapshot_is_what_the_sandbox_describes(stage: Stage, path: Path) -> None:
    """Pulling again changes nothing, byte for byte, and loading gives the same schema and digest."""
    described = await stage.session(System(path.parent.name)).describe(path.name.partition(".")[0])
    text = path.read_text(encoding="utf-8")  # noqa: ASYNC240 - a small file of ours
    assert dump(described) == text
    assert load(path) == parse(text) == described
