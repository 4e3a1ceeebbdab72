"""A pinned plan on another machine: manifests, plan and sealed rows, state in a bucket, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from syncer.errors import StalePlanError, UserError
from syncer.facts import System
from syncer.plan.models import Plan
from syncer.sandbox.transport import running
from syncer.workflow import applying, pinning, planning, remaking, sealed
from syncer.workflow.load import load
from tests.refresh.shop import SCHEMAS, login, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.refresh.shop import Shop

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
OTHER = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
CANARY = "ada.canary@x.co"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A plan of two leads with its rows beside it, reviewed where it was made."""
    monkeypatch.setenv(sealed.VARIABLE, KEY)
    first = tmp_path / "first"
    first.mkdir()
    found = opened(first, monkeypatch, {})
    found.write(
        f"email,first\n{CANARY},Ada\nb@x.co,Bob\n",
        sources={"rows": {"file": "rows.csv", "moves": "pinned"}},
        connections={"m": login(System.MARKETO)},
        targets={"leads": {"connection": "m", "object": "lead", "key": "email"}},
        mappings={"plain": {"email": "{{ email }}", "firstName": "{{ first }}"}},
        operations={"news": {"source": "rows", "mapping": "plain", "target": "leads"}},
    )
    loaded, settings = load(first), settings_in(first, tmp_path)
    with planning.workspace(loaded, settings) as folder:
        made = planning.make_plan(loaded, settings, folder, lambda *_: None)
        made.close()
        pinning.keep(made.plan, folder / "staged", first / "changes.plan")
    planning.write_plan(made.plan, first / "changes.plan")
    return found


def settings_in(folder: Path, root: Path, **more: Any) -> planning.Settings:
    """Return settings of one machine: a work folder of its own, and the bucket that all of them share."""
    return planning.Settings(work=folder / "work", state=f"memory://{root.name}", offline=True, sandbox=True, **more)


def moved(shop: Shop, root: Path) -> Path:
    """Return a fresh folder with the manifests, the plan and its rows; no source, no work folder."""
    second = root / "second"
    second.mkdir()
    (second / "schemas").symlink_to(SCHEMAS)
    for name in ("manifest.yaml", "changes.plan", "changes.plan.rows"):
        shutil.copy(shop.folder / name, second)
    return second


def carried_out(shop: Shop, folder: Path, root: Path) -> tuple[int, tuple[str, ...]]:
    """Apply the plan in `folder`, as the command line does; return the exit code and what was compared."""
    reviewed: Plan = planning.read_plan(folder / "changes.plan")
    loaded = load(folder, only=(), unread=("rows",))
    settings = settings_in(folder, root)
    with applying.new_run(loaded, settings) as new:
        planned, compared = remaking.make_again(
            loaded, reviewed, folder / "changes.plan", settings, new.folder, lambda *_: None
        )

        async def perform() -> int:
            async with running(shop.sandbox.app()) as transport:
                its = replace(settings, transport=transport)
                return (await applying.perform(planned, new, its, lambda _: None)).result.exit_code

        return anyio.run(perform), compared


def test_just_the_rows_that_were_reviewed_are_sent(shop: Shop, tmp_path: Path) -> None:
    """The source is not there, and nobody misses it; a second machine is told that the plan is spent."""
    second = moved(shop, tmp_path)
    code, compared = carried_out(shop, second, tmp_path)
    assert (code, compared) == (
        0,
        ("news: the rows that were kept beside the plan, proved by their digest",),
    )
    world: Any = shop.sandbox.worlds[System.MARKETO]
    assert sorted(each.values["email"] for each in world.leads.rows.values()) == [CANARY, "b@x.co"]
    with pytest.raises(StalePlanError, match="R213"):
        carried_out(shop, second, tmp_path)


def _no_key(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.delenv(sealed.VARIABLE)


def _other_key(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(sealed.VARIABLE, OTHER)


def _altered(rows: Path, _: pytest.MonkeyPatch) -> None:
    content = bytearray(rows.read_bytes())
    content[-40] ^= 1
    rows.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_no_key, ("P122", f"{sealed.VARIABLE} is not set")),
        (_other_key, ("P123", "not the one they were sealed with")),
        (_altered, ("P124", "cut short or changed")),
        (lambda rows, _: rows.write_bytes(rows.read_bytes()[:-9]), ("P124", "cut short or changed")),
        (lambda rows, _: rows.write_bytes(rows.read_bytes()[:20]), ("P124", "no file of pinned rows")),
        (lambda rows, _: rows.write_bytes(b""), ("P124", "no file of pinned rows")),
        (lambda rows, _: rows.unlink(), ("P124", 'kept in "changes.plan.rows", which cannot be read')),
    ],
    ids=["no key", "wrong key", "altered", "cut", "head only", "empty", "lost"],
)
def test_what_is_wrong_with_the_rows_is_told_apart(
    shop: Shop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path, pytest.MonkeyPatch], object],
    why: tuple[str, str],
) -> None:
    """A key that is lost or wrong, rows that were changed, cut or left behind: no call, no run, no value in words."""
    second = moved(shop, tmp_path)
    spoil(second / "changes.plan.rows", monkeypatch)
    with pytest.raises(UserError) as refused:
        carried_out(shop, second, tmp_path)
    assert refused.value.code == why[0]
    assert why[1] in refused.value.detail
    assert "canary" not in str(refused.value)
    assert shop.calls() == []
    assert not any((second / "work" / "runs").iterdir())
