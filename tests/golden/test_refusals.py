"""Every path of every object beside every kind of operation: who may carry it, and the sentence of who may not.

Reviewed as text in `refusals.txt`; `pytest tests/golden --golden` writes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncer.facts import SliceFacts, System
from syncer.manifest.models import Operation, Target
from syncer.plan.meaning import objection, rows_objection
from syncer.targets import describe
from tests.golden.cases import able_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "refusals.txt"
PROGRAM = {"program": "Spring Webinar"}
ASKED: dict[tuple[System, str], list[tuple[str | list[str], dict[str, Any]]]] = {
    (System.MARKETO, "lead"): [
        ("email", {}),
        ("email", {"action": "create"}),
        ("email", {"action": "update"}),
        ("email", {"action": "duplicate"}),
        ("email", {"action": "delete"}),
        ("email", {"partition": "EMEA"}),
        ("email", {"list": "Newsletter"}),
        ("email", PROGRAM),
        ("email", {**PROGRAM, "activity": "allowed"}),
        ("email", {**PROGRAM, "activity": "allowed", "list": "Newsletter"}),
        ("email", {**PROGRAM, "activity": "required"}),
        ("firstName", {}),
        (["email", "externalKey"], {}),
        ("id", {}),
        ("id", {"action": "update"}),
        ("id", {"action": "delete"}),
        ("id", {"action": "add", "list": "Newsletter"}),
        ("email", {"action": "add", "list": "Newsletter"}),
        ("id", {"action": "remove"}),
    ],
    (System.MARKETO, "program_member"): [
        ("leadId", {"action": "status", **PROGRAM, "status": "Invited"}),
        ("leadId", {"action": "update", **PROGRAM}),
        ("leadId", {"action": "delete", **PROGRAM}),
        ("email", {"action": "status", **PROGRAM, "status": "Invited"}),
        ("email", {**PROGRAM}),
    ],
    (System.MARKETO, "order_c"): [
        ("orderNumber", {}),
        ("orderNumber", {"action": "create"}),
        ("orderNumber", {"action": "delete"}),
        ("marketoGUID", {}),
        ("marketoGUID", {"action": "update"}),
        ("email", {}),
        ("orderNumber", {"partition": "EMEA"}),
    ],
    (System.MARKETO, "seat_c"): [(["accountNumber", "seatNumber"], {}), ("accountNumber", {})],
    (System.SALESFORCE, "Contact"): [
        ("Crm_Key__c", {}),
        ("Crm_Key__c", {"action": "create"}),
        ("Crm_Key__c", {"action": "update"}),
        ("Crm_Key__c", {"action": "delete"}),
        ("Id", {"action": "update"}),
        ("Id", {"action": "delete"}),
        ("Id", {"action": "create"}),
        ("LastName", {}),
        (["Crm_Key__c", "Badge_Code__c"], {}),
    ],
}
ROWS = {
    "rows that clear a field": SliceFacts(1, 0, ("email",), ("phone",), 1_200),
    "rows with a company": SliceFacts(1, 0, ("company", "email"), (), 1),
}


def _said(sentence: str) -> str:
    return sentence or "may carry it"


def _lines() -> Iterator[str]:
    for (system, name), asked in ASKED.items():
        able = able_of(system, name)
        schema = describe.load(ROOT / "schemas" / "objects" / system / f"{name}.schema.json")
        for key, more in asked:
            operation = Operation.model_validate({"source": "rows", "mapping": "plain", "target": "t", **more})
            target = Target.model_validate({"connection": "c", "object": name, "key": key})
            asks = ", ".join(f"{option} {value}" for option, value in more.items() if option != "action")
            keys = " and ".join(target.key_fields)
            yield f"{operation.action} {system} {name} by {keys}{', ' if asks else ''}{asks}"
            for path in able.paths:
                yield f"    {path.name:12}{_said(objection(operation, target, path, able, schema))}"
            yield ""
    for what, rows in ROWS.items():
        yield f"upsert marketo lead by email, {what}"
        for path in able_of("marketo", "lead").paths[:2] + able_of("marketo", "lead").paths[-1:]:
            yield f"    {path.name:12}{_said(rows_objection(path, [rows]))}"
        yield ""


def test_each_path_says_what_it_cannot_carry(request: pytest.FixtureRequest) -> None:
    """The sentences are those of the reviewed text."""
    text = "\n".join(_lines())
    if request.config.getoption("--golden", default=False):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
