"""A plan is bound to what it was made of: apply refuses any difference and says which, before anything is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from syncer.errors import StalePlanError
from syncer.facts import System
from syncer.plan.digest import dump
from syncer.plan.digest import load as read
from syncer.workflow import planning, remaking
from syncer.workflow.load import load
from tests.refresh.shop import login, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syncer.plan.models import Plan
    from tests.refresh.shop import Shop

LEADS: dict[str, Any] = {
    "targets": {"leads": {"connection": "m", "object": "lead", "key": "email"}},
    "mappings": {"plain": {"email": "{{ email }}", "firstName": "{{ first }}"}},
    "operations": {"news": {"source": "rows", "mapping": "plain", "target": "leads"}},
}
ROWS = "email,first\na@x.co,Ada\nb@x.co,Bob\n"


def shop_of(folder: Path, patch: pytest.MonkeyPatch) -> Shop:
    """Return a shop of one operation, with snapshots of its own."""
    shop = opened(folder, patch, {})
    shop.write(ROWS, connections={"m": login(System.MARKETO)}, **LEADS)
    own = folder / "schemas"
    snapshot = own / "objects" / "marketo" / "lead.schema.json"
    text = snapshot.read_text(encoding="utf-8")
    own.unlink()
    snapshot.parent.mkdir(parents=True)
    snapshot.write_text(text, encoding="utf-8")
    return shop


def offline(shop: Shop) -> planning.Settings:
    """Return the settings of plans that ask nobody."""
    return planning.Settings(work=shop.folder / "work", offline=True)


def planned(shop: Shop) -> Plan:
    """Return a plan as its file gives it back."""
    loaded = load(shop.folder)
    with planning.workspace(loaded, offline(shop)) as folder:
        made = planning.make_plan(loaded, offline(shop), folder, lambda *_: None)
        made.close()
    return read(dump(made.plan))


def again(shop: Shop, reviewed: Plan) -> tuple[str, ...]:
    """Make a reviewed plan again, as apply does before it begins; return what was compared."""
    loaded = load(shop.folder)
    with planning.workspace(loaded, offline(shop)) as folder:
        made, compared = remaking.make_again(
            loaded, reviewed, shop.folder / "changes.plan", offline(shop), folder, lambda *_: None
        )
        made.close()
    return compared


def refusal(shop: Shop, reviewed: Plan) -> StalePlanError:
    """Return how the plan is refused."""
    with pytest.raises(StalePlanError) as refused:
        again(shop, reviewed)
    return refused.value


def test_a_plan_whose_inputs_stand_is_carried_out_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moved, and what was held against what is told."""
    shop = shop_of(tmp_path, monkeypatch)
    assert again(shop, planned(shop)) == ("news: source and rows are just those that were reviewed",)


def _manifest(shop: Shop) -> None:
    shop.write(ROWS, connections={"m": login(System.MARKETO)}, **(LEADS | {"vars": {"region": "emea"}}))


def _describe(shop: Shop) -> None:
    path = shop.folder / "schemas" / "objects" / "marketo" / "lead.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"]["firstName"]["maxLength"] = 7
    schema["properties"]["firstName"].setdefault("x-syncer", {})["max_length"] = 7
    path.write_text(json.dumps(schema), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_manifest, "the manifest"),
        (_describe, 'description of "marketo/lead"'),
        (lambda shop: shop.write(ROWS.replace("Bob", "Ben")), 'source "rows", rows of "news"'),
        (lambda shop: shop.write(ROWS.replace("\n", "\r\n")), 'source "rows"'),
        (lambda shop: anyio.run(shop.apply), 'rows of "news", ledger of "news"'),
    ],
    ids=["manifest", "describe", "rows", "bytes", "ledger"],
)
def test_what_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Shop], None], named: str
) -> None:
    """Manifest, description, source, rows and ledger, each by name, and nothing else."""
    shop = shop_of(tmp_path, monkeypatch)
    reviewed = planned(shop)
    change(shop)
    found = refusal(shop, reviewed)
    assert (found.code, found.detail) == ("P111", f"Since it was made, these have changed: {named}.")


def test_another_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions may make other bytes of the same rows."""
    shop = shop_of(tmp_path, monkeypatch)
    reviewed = planned(shop)
    monkeypatch.setattr(remaking, "__version__", "9.9.9")
    found = refusal(shop, reviewed)
    assert (found.code, found.detail) == ("P111", "It was made by syncer 0.1.0, and this is 9.9.9.")


def test_an_operation_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is carried out beside the manifests that it was made of."""
    shop = shop_of(tmp_path, monkeypatch)
    reviewed = planned(shop)
    news = LEADS["operations"]["news"]
    shop.write(ROWS, connections={"m": login(System.MARKETO)}, **(LEADS | {"operations": {"others": news}}))
    found = refusal(shop, reviewed)
    assert found.code == "P111"
    assert 'have no operation "news"' in found.detail


def test_connections_that_turn_out_to_be_one_instance_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made where the addresses were not known, the plan lets two operations write the same keys at once."""
    shop = shop_of(tmp_path, monkeypatch)
    targets = {name: {"connection": name, "object": "lead", "key": "email"} for name in "ab"}
    operations = {name: {"source": "rows", "mapping": "plain", "target": name} for name in "ab"}
    connections = {name: login(System.MARKETO, base_url=f"{{{{ env.URL_{name.upper()} }}}}") for name in "ab"}
    shop.write(ROWS, **(LEADS | {"connections": connections, "targets": targets, "operations": operations}))
    reviewed = planned(shop)
    assert reviewed.edges == ()
    monkeypatch.setenv("URL_A", "https://123-abc-456.mktorest.com")
    monkeypatch.setenv("URL_B", "https://123-ABC-456.mktorest.com/")
    found = refusal(shop, reviewed)
    assert found.code == "P111"
    assert found.detail.startswith('Since it was made, "b/1/sync" has come to wait for "a/1/sync": ')
    assert "2 keys in common" in found.detail


def test_a_plan_that_was_applied_is_said_to_be_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ledger moved as well, by that very run: what helps is to know the run."""
    shop = shop_of(tmp_path, monkeypatch)
    reviewed = planned(shop)

    async def spend() -> None:
        store = offline(shop).store(shop.folder)
        await store.spend(reviewed.digest, "run1")
        store.close()

    anyio.run(spend)
    anyio.run(shop.apply)
    found = refusal(shop, reviewed)
    assert found.code == "R213"
    assert 'applied by run "run1" already' in found.detail


@pytest.mark.parametrize("form", ["{0}", "sha256:{0}", "SHA256:{1}", " sha256:{1}\n", "{2}"])
def test_an_approved_digest_is_known_in_any_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """With its algorithm or without, in capitals, with the blanks of a form, or its first twelve digits."""
    made = planned(shop_of(tmp_path, monkeypatch))
    planning.check_approved(made, form.format(made.digest, made.digest.upper(), made.digest[:12]))
    planning.check_approved(made, None)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("sha256:{0}0", "was approved"),
        ("sha256:{1}", "was approved"),
        ("md5:{0}", "was approved"),
        ("{2}", "it takes 12 digits at least"),
        ("sha256:", "nothing was approved"),
        ("", "nothing was approved"),
        ("é" * 64, "was approved"),
    ],
)
def test_another_digest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, said: str) -> None:
    """Too long, another, another kind, too short to mean anything, or none where a variable was empty."""
    made = planned(shop_of(tmp_path, monkeypatch))
    wrong = ("0" if made.digest[0] != "0" else "1") + made.digest[1:]
    with pytest.raises(StalePlanError) as refused:
        planning.check_approved(made, form.format(made.digest, wrong, made.digest[:11]))
    assert refused.value.code == "P112"
    assert said in refused.value.detail
