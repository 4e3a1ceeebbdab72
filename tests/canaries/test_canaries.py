"""No secret and no person's data in what syncer prints, writes down for review, keeps as state, or says when it fails.

One project is checked, planned, refused, applied, cut, resumed and made to fail with values that stand nowhere else.
Everything that comes out is searched for them in each form in which a value could hide.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import logging
import re
import shutil
import sys
from base64 import b64encode
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import duckdb
import pytest

from syncer.cli.exits import Exit
from syncer.cli.views import trouble
from syncer.execution import account, courier
from syncer.plan import phrases
from syncer.targets import http
from syncer.targets.salesforce import wire
from tests.canaries.house import PEOPLE, SECRETS, House, house
from tests.fast.served import ROOT, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from syncer.targets.exchange import Request
    from tests.fast.served import Served

LEAD = {
    "email": "email", "firstName": "first", "lastName": "last", "phone": "phone", "mobilePhone": "mobile",
    "salutation": "company", "title": "title", "address": "street", "city": "city", "postalCode": "postcode",
    "department": "department", "mktoPersonNotes": "note", "textarea_field": "emoji", "interests": "tabbed",
    "emailInvalidCause": "percent", "doNotCallReason": "markup", "unsubscribedReason": "formula",
    "registrationSourceInfo": "command", "externalKey": "iban", "leadSource": "card", "sfdcAccountId": "account",
    "profileUrl": "website", "fax": "template", "middleName": "brace", "state": "upper", "facebookId": "long",
    "dateOfBirth": "born", "leadScore": "score", "email_field": "other_mail",
}  # fmt: skip
CONTACT = {"Crm_Key__c": "email", "FirstName": "first", "LastName": "last", "Title": "title", "Phone": "phone"}
UNUSED = "unused"
REFUSED = {"born": "refused date", "score": "refused number", "other_mail": "refused mail"}
COLUMNS = [*LEAD.values(), UNUSED]
MANIFEST = """\
version: 1

connections:
  marketo:
    system: marketo
    base_url: "{{ env.MARKETO_BASE_URL }}"
    client_id: "{{ env.MARKETO_CLIENT_ID }}"
    client_secret: "{{ secret.MARKETO_CLIENT_SECRET }}"
    budget: { calls_per_day: 1000 }
  growth:
    system: salesforce
    base_url: "{{ env.SALESFORCE_BASE_URL }}"
    client_id: "{{ env.SALESFORCE_CLIENT_ID }}"
    client_secret: "{{ secret.SALESFORCE_CLIENT_SECRET }}"
    budget: { calls_per_day: 1000 }

sources:
  people: { file: people.csv, moves: MOVES, columns: { score: integer } }

targets:
  leads: { connection: marketo, object: lead, key: email }
  contacts: { connection: growth, object: Contact, key: Crm_Key__c }

mappings:
  lead: { LEAD }
  contact: { CONTACT }

operations:
  leads: { source: people, mapping: lead, target: leads }
  contacts: { source: people, mapping: contact, target: contacts }
"""


def mapped(fields: dict[str, str]) -> str:
    """Return a mapping's members."""
    return ", ".join(f'{field}: "{{{{ {column} }}}}"' for field, column in fields.items())


def row(**changes: str) -> dict[str, str]:
    """Return a person of whom every value is a canary, but for the changes."""
    return {each: PEOPLE.get(each, "") for each in COLUMNS} | {UNUSED: PEOPLE["mapped away"], **changes}


def write(home: House, *rows: dict[str, str], moves: str = "exact") -> None:
    """Write manifest and rows."""
    text = MANIFEST.replace("MOVES", moves).replace("LEAD", mapped(LEAD)).replace("CONTACT", mapped(CONTACT))
    home.write("people.yaml", text)
    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    home.write("people.csv", made.getvalue())


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sandbox for all canaries."""
    with serving() as found:
        yield found


@pytest.fixture
def home(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """An empty house, in a world without waits."""
    return house(tmp_path, served, monkeypatch)


def test_a_whole_life_keeps_people_to_themselves(home: House) -> None:
    """Every rendering, the plan file, the sealed rows, logs at their loudest, state, run folder, reports, addresses."""
    refused = [row(email=f"{column}@kanari.example", **{column: PEOPLE[what]}) for column, what in REFUSED.items()]
    write(home, row(), *refused, row(email=""), moves="pinned")
    home.changes = {
        "GITHUB_STEP_SUMMARY": str(home.folder / "summary.md"),
        "GITHUB_OUTPUT": str(home.folder / "outputs.txt"),
    }
    assert home.syncer("plan", "--sandbox", "-o", "changes.plan", "--format", "github") == 0
    for form in ("text", "json", "markdown", "html"):
        assert home.syncer("show", "changes.plan", "--format", form) == 0
    for form in ("mermaid", "dot", "svg"):
        assert home.syncer("graph", "changes.plan", "--format", form) == 0
    assert home.syncer("apply", "changes.plan", "--sandbox", "--log-format", "json") == Exit.REJECTS
    assert home.syncer("apply", "changes.plan", "--sandbox") == Exit.STALE
    write(home, row(first=PEOPLE["changed"]), moves="within")
    assert home.syncer("plan", "--sandbox", "--refresh", "-o", "second.plan") == 0
    assert home.syncer("apply", "second.plan", "--sandbox", "--log-format", "text") == 0
    assert home.syncer("runs") == 0
    assert home.syncer("verify") == 0
    left = {name for name, _ in home.files()}
    assert {"changes.plan", "changes.plan.rows", "second.plan", "summary.md", "outputs.txt"} <= left
    for end in ("plan.json", "report.md", "report.json", "state.sqlite"):
        assert any(name.endswith(end) for name in left), end
    work = home.folder / ".syncer"
    assert [path for path in (work, *filter(Path.is_file, work.rglob("*"))) if path.stat().st_mode & 0o077] == []
    assert any("/v1/leads" in path for path, _ in home.urls)
    assert any("/query" in path for path, _ in home.urls)
    assert len(home.served.ask("state")["marketo"]["leads"]) == 1
    assert home.leaks() == []


def test_rows_are_shown_on_purpose_and_secrets_never(home: House) -> None:
    """`--reveal` prints people's values, which proves that the search would see them; a secret in a row it hides."""
    write(home, row(first=home.secrets["marketo client_secret"], last=SECRETS["unused secret"]), row(email=""))
    for form in ("text", "json", "markdown", "html"):
        assert home.syncer("plan", "--offline", "--reveal", "--format", form, "-o", f"{form}.plan") == 0
    assert home.leaks() == []
    home.revealed.clear()
    seen = {leak.partition(" as ")[0] for leak in home.leaks()}
    assert {"email", "phone", "note", "markup", "formula"} <= seen
    assert "mapped away" not in seen


TROUBLES: list[tuple[str, list[dict[str, object]]]] = [
    ("answer lost", [{"action": "apply_then_lose", "endpoint": "*leads.json"}]),
    ("gateway", [{"action": "status", "endpoint": "*leads.json", "status": 502, "body": "ECHO", "when": "after"}]),
    ("garbage", [{"action": "garbage_body", "endpoint": "*leads.json", "body": "ECHO"}]),
    ("refused", [{"action": "vendor_error", "endpoint": "*leads.json", "code": "1003", "message": "ECHO", "count": 9}]),
    ("unknown", [{"action": "vendor_error", "endpoint": "*leads.json", "code": "1999", "message": "ECHO"}]),
    ("spent", [{"action": "vendor_error", "endpoint": "*leads.json", "code": "607", "message": "ECHO"}]),
    ("other vendor", [{"action": "status", "system": "salesforce", "endpoint": "*sobjects*", "status": 400, "body":
        '[{"errorCode": "MALFORMED_ID", "message": "Key: id value of incorrect type: ECHO"}]', "count": 9}]),
    ("sign-in", [{"action": "status", "endpoint": "*oauth/token*", "status": 401, "body":
        '{"error": "invalid_client", "error_description": "no such secret: ECHO"}', "count": 9}]),
]  # fmt: skip
"""What goes wrong on the way; the vendor's words hold what was sent, and secrets."""


def long_texts_pass(home: House) -> None:
    """Let described lengths be longer than the vendors' own, so that these refuse rows in words that quote them."""
    place = home.folder.parent / "schemas"
    place.unlink()
    shutil.copytree(ROOT / "schemas", place)
    for name in ("salesforce/Contact", "marketo/lead"):
        path = place / "objects" / f"{name}.schema.json"
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'"(maxLength|max_length)": (40|80|255)\b', r'"\1": 9000', text), encoding="utf-8")


def test_trouble_says_what_and_not_who(home: House) -> None:
    """Lost answers, gateways, refusals, rows that the vendor quotes, sign-in: codes and rows, never values or words."""
    long_texts_pass(home)
    echo = " ".join([*PEOPLE.values(), *home.secrets.values()])
    for number, (what, rules) in enumerate(TROUBLES):
        home.served.ask("reset", {})
        write(home, row(), row(email=f"{number}@kanari.example", last=PEOPLE["long"]), moves="within")
        for rule in rules:
            home.served.ask("faults", {name: _echoing(value, echo) for name, value in rule.items()})
        work = ("--work", f"work{number}")
        code = home.syncer("apply", "--yes", "--sandbox", "--log-format", "json" if number % 2 else "text", *work)
        assert code not in {0, Exit.USAGE, Exit.MANIFEST}, what
        if code not in {Exit.REJECTS, Exit.ERROR}:
            home.world.pass_by(90_000)
            home.syncer("resume", "--sandbox", *work)
    assert {"R302", "R310"} <= home.codes()
    quoting = [path.read_text(encoding="utf-8") for path in home.folder.rglob("rejects.csv")]
    assert any("STRING_TOO_LONG" in text for text in quoting)
    assert home.leaks() == []


def _echoing(value: object, echo: str) -> object:
    return value.replace("ECHO", json.dumps(echo)[1:-1]) if isinstance(value, str) else value


FIELDS = ",".join(COLUMNS)
TORN = f"{PEOPLE['email']},{PEOPLE['torn']}"
BAD_SOURCES: list[tuple[str, str, str | bytes]] = [
    ("S104", "people.csv", f'{FIELDS}\n"{TORN}, never closed\n'),
    ("S115", "people.csv", f"{FIELDS}\n{TORN}\n{TORN}\n"),
    ("S103", "people.csv", f"{FIELDS}\n{TORN}".encode() + b"\xff\xfe"),
    ("S107", "people.csv", f"{FIELDS},{FIELDS}\n{TORN}\n"),
    ("S111", "people.csv.gz", b"\x1f\x8b" + TORN.encode()),
    ("S112", "people.jsonl", f'{{"email": "{PEOPLE["email"]}", "first": {PEOPLE["torn"]}\n'),
    ("S113", "people.parquet", f"PAR1{TORN}"),
    ("S122", "people.db", f"SQLite {TORN}"),
    ("S122", "postgresql://kanari:{password}@127.0.0.1:9/people", ""),
]
"""Sources that cannot be read, by the code that says so."""
BAD_MANIFESTS = {
    "M106": "connections: {{ marketo: {{ system: marketo, client_secret: '{secret}\n",
    "M109": "vars: {{ a: '{secret}' }}\nvars: {{ a: '{secret}' }}\n",
    "M122": "connections:\n  marketo: {{ system: marketo, base_url: a, client_id: b, client_secret: ['{secret}'] }}\n",
    "M123": "connections:\n  marketo: {{ system: '{secret}', client_secret: '{secret}' }}\n",
    "M135": "connections:\n  marketo: {{ system: marketo, base_url: a, client_id: b, client_secret: '{secret}' }}\n",
    "M130": "connections:\n  m: {{ system: marketo, base_url: '{{{{ {secret} | }}}}', "
    "client_id: b, client_secret: c }}",
}
"""Manifests with a secret where none may stand, by the code that says so."""


def test_broken_files_are_told_by_their_places(home: House) -> None:
    """What cannot be read is told by file, line and column, and nothing of what stands there."""
    for number, (code, name, content) in enumerate(BAD_SOURCES):
        folder = f"source{number}"
        address = name.format(password=SECRETS["database password"])
        source = f"database: '{address}', sql: 'select 1 as email'" if "://" in name else f"file: {name}"
        if name == "people.db":
            source = f"database: 'sqlite:///{name}', sql: \"select '{PEOPLE['torn']}' as email from people\""
        text = MANIFEST.replace("LEAD", mapped(LEAD)).replace("CONTACT", mapped(CONTACT))
        home.write(f"{folder}/people.yaml", re.sub(r"people: \{ .* \}", f"people: {{ {source} }}", text))
        if content:
            home.write(f"{folder}/{name}", content)
        assert home.syncer("plan", folder, "--offline") == Exit.MANIFEST, code
    for code, text in BAD_MANIFESTS.items():
        home.write("broken.yaml", f"version: 1\n{text.format(secret=SECRETS['written secret'])}")
        for form in ("text", "json", "github", "sarif"):
            assert home.syncer("validate", "broken.yaml", "--format", form) == Exit.MANIFEST, code
    assert {code for code, *_ in BAD_SOURCES} | set(BAD_MANIFESTS) <= home.codes()
    assert home.leaks() == []


WRONG = SECRETS["wrong secret"]
OTHER_KEY = b64encode(WRONG.encode()[:32].ljust(32)).decode()
REFUSALS: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
    ("P122", {"SYNCER_PLAN_KEY": WRONG}, ("apply", "changes.plan", "--sandbox")),
    ("P123", {"SYNCER_PLAN_KEY": OTHER_KEY}, ("show", "changes.plan", "--reveal")),
    ("R302", {"MARKETO_CLIENT_SECRET": WRONG}, ("plan", "--sandbox")),
    ("R302", {"SALESFORCE_CLIENT_SECRET": WRONG}, ("describe", "pull", "--sandbox")),
    ("R304", {"MARKETO_BASE_URL": f"https://kanari:{WRONG}@a.example/?t={WRONG}"}, ("plan", "--select", "leads")),
    ("M133", {"MARKETO_CLIENT_ID": ""}, ("plan", "--sandbox")),
    ("P112", {}, ("apply", "changes.plan", "--sandbox", "--approved", f"sha256:{'0' * 64}")),
    ("P102", {}, ("plan", "guarded", "--offline")),
    ("P111", {}, ("apply", "changes.plan", "--sandbox", "--project", "stale")),
    ("P109", {}, ("show", "edited.plan")),
    ("P108", {}, ("show", "people.csv")),
]
"""What is refused before anything is sent, by the code that says why."""


def test_refusals_name_what_differs_and_no_value(home: House) -> None:
    """Wrong keys, secrets and digests, guards, addresses, edited and stale plans: each says which, and not what."""
    write(home, row(), row(email=""), moves="pinned")
    assert home.syncer("plan", "--sandbox", "-o", "changes.plan") == 0
    text = (home.folder / "people.yaml").read_text(encoding="utf-8")
    for folder in ("guarded", "stale"):
        home.write(f"{folder}/people.csv", (home.folder / "people.csv").read_bytes())
    home.write("stale/people.yaml", text.replace("calls_per_day: 1000", "calls_per_day: 2000"))
    home.write("guarded/people.yaml", text.replace("target: leads }", "target: leads, guards: { max_rejected: 0 } }"))
    plan = (home.folder / "changes.plan").read_text(encoding="utf-8")
    (home.folder / "edited.plan").write_text(plan.replace('"leads"', '"Leads"', 1), encoding="utf-8")
    for code, changes, words in REFUSALS:
        home.changes = changes
        assert home.syncer(*words) not in {0, Exit.REJECTS}, code
        assert code in home.codes(), home.said[list(home.said)[-2]]
        home.forget_codes()
    assert home.leaks() == []


def test_a_crash_says_where_and_not_what(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an unforeseen exception holds, rows or secrets: its type and our own lines are told."""
    held = " ".join([*PEOPLE.values(), SECRETS["crash"]])
    for number, error in enumerate((
        RuntimeError(held), ExceptionGroup(held, [ValueError(held)]), duckdb.ConversionException(held), KeyError(held),
        OSError(errno.ENOSPC, held, f"/{SECRETS['crash']}"), UnicodeEncodeError("utf-8", held, 0, 1, held),
    )):  # fmt: skip
        write(home, row())
        with monkeypatch.context() as patch:
            patch.setattr(courier, "read_answer", _raising(error))
            assert home.syncer("apply", "--yes", "--sandbox", "--work", f"work{number}") == Exit.ERROR
    assert {"R900", "R204"} <= home.codes()
    assert home.leaks() == []


def _raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


class Collector(BaseHTTPRequestHandler):
    """Takes what OpenTelemetry sends."""

    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        """Keep a body."""
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *given: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def test_a_collector_is_told_no_value(home: House) -> None:
    """Spans and metrics of a run with refused rows and a lost answer, as they leave the machine."""
    write(home, row(), row(email="zwei@kanari.example", last=PEOPLE["long"]), row(email=""))
    long_texts_pass(home)
    home.served.ask("faults", {"action": "apply_then_lose", "endpoint": "*leads.json"})
    Collector.bodies.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever).start()
        token = SECRETS["collector token"]
        home.changes = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={token}",
        }
        assert home.syncer("apply", "--yes", "--sandbox") == Exit.REJECTS
        server.shutdown()
    told = b"".join(Collector.bodies)
    assert b"syncer.records" in told
    assert b"contacts" in told
    home.said["OTLP"] = told
    assert home.leaks() == []


# Leaks that are planted: every way out is watched.


def _in_the_plan(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(phrases, "summary", lambda _: PEOPLE["email"].upper())


def _in_the_state(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wire, "clean", lambda message, _: message)


def _in_an_address(patch: pytest.MonkeyPatch) -> None:
    def spelt(origin: str, request: Request, headers: object, body: object) -> httpx.Request:
        return raw(origin, replace(request, target=f"{request.target}?of={quote(PEOPLE['email'])}"), headers, body)

    raw: Callable[..., httpx.Request] = http._raw
    patch.setattr(http, "_raw", spelt)


def _in_the_log(patch: pytest.MonkeyPatch) -> None:
    settled = courier.read_answer

    def told(*given: Any) -> object:
        logging.getLogger("syncer").debug("%s", b64encode(f"x{PEOPLE['phone']}".encode()))
        return settled(*given)

    patch.setattr(courier, "read_answer", told)


def _in_an_error(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(courier, "read_answer", _raising(RuntimeError(PEOPLE["note"])))
    patch.setattr(trouble, "show_bug", lambda error: sys.stderr.write(repr(error)))


def _in_a_report(patch: pytest.MonkeyPatch) -> None:
    write_it = account.write
    patch.setattr(
        account, "write", lambda told, folder: write_it(told.model_copy(update={"tool": PEOPLE["card"]}), folder)
    )


@pytest.mark.parametrize(
    ("plant", "where"),
    [
        (_in_the_plan, "stdout of"),
        (_in_the_state, "state.sqlite"),
        (_in_an_address, "address /"),
        (_in_the_log, "log of"),
        (_in_an_error, "stderr of"),
        (_in_a_report, "report.json"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_planted_leak_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], where: str, home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canary test that finds nothing because nothing came out is no test."""
    long_texts_pass(home)
    write(home, row(), row(email="zwei@kanari.example", last=PEOPLE["long"]))
    plant(monkeypatch)
    home.syncer("apply", "--yes", "--sandbox")
    assert any(where in leak for leak in home.leaks())
