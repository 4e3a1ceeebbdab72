"""A session with a real instance, played again: what the recording's own source says stands at its head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from syncer.sandbox.app import MarketoOptions, SandboxOptions

pytestmark = pytest.mark.anyio
LEFT_OUT = frozenset({"requestId", "createdAt", "updatedAt", "computedUrl"})


@pytest.fixture
def options() -> SandboxOptions:
    """The recording kept its own pace."""
    return SandboxOptions(marketo=MarketoOptions(rate_calls=None))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(each) for name, each in value.items() if name not in LEFT_OUT}
    return [_without_times(each) for each in value] if isinstance(value, list) else value


async def test_the_sandbox_answers_as_the_instance_did(instance: Any) -> None:
    """132 calls: reads, upserts, refusals, cleared fields, list members, assets and deletes give the same JSON."""
    recording = json.loads(Path(__file__).with_name("recorded_session.json").read_text(encoding="utf-8"))
    instance.world.leads.next_id = recording["first_lead"]
    instance.world.next_list_id = recording["first_list"]
    for each in recording["exchanges"]:
        body = each.get("body")
        given: dict[str, Any] = {"json": body} if isinstance(body, dict) else {}
        if isinstance(body, str):
            given = {"content": body, "headers": {"content-type": "application/x-www-form-urlencoded"}}
        await instance.wait(1)
        answer = await instance.client.request(each["method"], each["path"], params=each.get("query"), **given)
        assert _without_times(answer.json()) == each["answer"], each
    assert len(recording["exchanges"]) == 132
