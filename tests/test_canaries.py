"""No secret and no person's data in what syncer prints, writes down for review, keeps as state, or says when it fails.

A project is planned, refused, applied, resumed and made to fail with values that stand nowhere else; everything that
comes out is searched for them in each form in which a value could hide.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fast.served import ROOT, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fast.served import Served

KEY = base64.b64encode(bytes(range(7, 39))).decode()
PEOPLE = {
    "email": "kanarienvogel.eins@zwitscher.example",
    "first": 'Zwölf"Ωkanari',
    "last": "O'Kanari & Töchter\\7",
    "refused": "kanari-kein-geburtstag",
    "mapped away": "kanari-nie-gesendet",
    "changed": "Kanari Zweitname",
}
ENDS = {"first 8": slice(8), "last 8": slice(-8, None)}
_LOGGING = """\
import logging, runpy, sys
logging.basicConfig(level=1, stream=sys.stderr)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
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
  people: { file: people.csv, moves: MOVES }

targets:
  leads: { connection: marketo, object: lead, key: email }
  contacts: { connection: growth, object: Contact, key: Crm_Key__c }

mappings:
  lead: { email: "{{ email | trim }}", firstName: "{{ first }}", lastName: "{{ last }}", dateOfBirth: "{{ born }}" }
  contact: { Crm_Key__c: "{{ email | trim }}", FirstName: "{{ first }}", LastName: "{{ last }}" }

operations:
  leads: { source: people, mapping: lead, target: leads }
  contacts: { source: people, mapping: contact, target: contacts }
"""


def forms(value: str) -> dict[str, bytes]:
    """Return what the value looks like, plainly and encoded; base64 at each of its three alignments."""
    plain = value.encode()
    found = {
        "raw": plain,
        "Latin-1": value.encode("latin-1", "ignore"),
        "URL": urllib.parse.quote(value, safe="").encode(),
        "form": urllib.parse.quote_plus(value).encode(),
        "JSON": json.dumps(value)[1:-1].encode(),
        "JSON, UTF-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "Python": repr(value)[1:-1].encode(),
        "HTML": value.replace("&", "&amp;").replace('"', "&#34;").replace("'", "&#39;").encode(),
        "hex": plain.hex().encode(),
    }
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + plain)
        # The first and last digits mix with the neighbours' bits.
        found[f"base64, {shift}"] = whole[4 if shift else 0 : -4]
    # Fewer bytes than these stand somewhere by chance.
    return {form: data for form, data in found.items() if len(data) >= 8}


def parts(secrets: dict[str, str]) -> dict[str, str]:
    """Return secrets with their first and last 8 characters: a piece of a secret is a secret."""
    ends = {f"{what} of {name}": value[at] for name, value in secrets.items() for what, at in ENDS.items()}
    return secrets | ends


def leaks(name: str, data: bytes, canaries: dict[str, str]) -> list[str]:
    """Return where a value stands in some form; names only, so that a failing test does not spread it further."""
    lowered = data.lower()
    return [
        f"{what} as {form} in {name}"
        for what, value in canaries.items()
        for form, sought in forms(value).items()
        if sought.lower() in lowered
    ]


@dataclass
class Project:
    """A folder of manifests, and everything that came out of it so far."""

    folder: Path
    served: Served
    changes: dict[str, str] = field(default_factory=dict)
    said: dict[str, bytes] = field(default_factory=dict)

    def write(self, *rows: str, moves: str = "exact") -> None:
        """Write manifest and rows."""
        (self.folder / "people.yaml").write_text(MANIFEST.replace("MOVES", moves), encoding="utf-8")
        text = "\n".join(("email,first,last,born,unused", *rows))
        (self.folder / "people.csv").write_text(text + "\n", encoding="utf-8")

    def syncer(self, *words: str) -> int:
        """Run a command with all logging on; keep what it says."""
        command = [sys.executable, "-c", _LOGGING, *self.served.command()[1:], *words]
        environment = self.served.environment() | {"SYNCER_PLAN_KEY": KEY} | self.changes
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, check=False)  # noqa: S603
        place = f"{len(self.said)} {' '.join(words)}"
        self.said[f"stdout of {place}"], self.said[f"stderr of {place}"] = done.stdout, done.stderr
        return done.returncode

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield what is left on disk but rows, payload files and rejects: those are personal data, and private."""
        private = {"staged", "files", "tmp"}
        own = {"people.csv", "people.yaml"}
        for path in sorted(self.folder.rglob("*")):
            parts = path.relative_to(self.folder).parts
            if path.is_file() and not private & set(parts) and path.name not in own and "rejects" not in path.name:
                yield "/".join(parts), path.read_bytes()

    def leaks(self) -> list[str]:
        """Return every place where a canary came out."""
        secrets = {name: value for name, value in self.served.credentials().items() if name.endswith("SECRET")}
        canaries = PEOPLE | parts(secrets | {"plan key": KEY})
        return [found for name, data in [*self.said.items(), *self.files()] for found in leaks(name, data, canaries)]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sandbox for all canaries."""
    with serving() as found:
        yield found


@pytest.fixture
def project(served: Served, tmp_path: Path) -> Project:
    """An empty project with the object snapshots above it."""
    served.ask("reset", {})
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, served)


def row(email: str = PEOPLE["email"], first: str = PEOPLE["first"], born: str = "") -> str:
    """Return a line of the source; commas and quotes as CSV has them."""
    quoted = first.replace('"', '""')
    return f'{email},"{quoted}","{PEOPLE["last"]}",{born},{PEOPLE["mapped away"]}'


def test_the_search_finds_every_form() -> None:
    """A canary that is planted in any form, among other bytes, is found."""
    for value in PEOPLE.values():
        for form, data in forms(value).items():
            assert leaks("here", b"\x00before " + data + b" after", {"it": value}), form
        for shift in range(6):
            encoded = base64.b64encode(b"x" * shift + value.encode() + b"more")
            assert leaks("here", encoded, {"it": value}), shift
    assert not leaks("here", b"nothing of it", PEOPLE)


ODD = ("%", "%41", '"', "'", "\\", "\n", ":", "&", "+", "/", "<", "é", "ß", "Ω", "漢", "😀", "\t", "=", ";", "}")


@pytest.mark.parametrize("length", [24, 4_096])
@pytest.mark.parametrize("odd", ODD)
def test_the_search_finds_forty_secrets_and_their_ends(odd: str, length: int) -> None:
    """Whatever a secret holds, and however long it is: whole, its first and its last 8 characters, in each form."""
    whole = f"Kanari8{odd}Anfang{odd}" + "x" * (length - 24) + f"{odd}Ende{odd}8kanari"
    for value in parts({"secret": whole}).values():
        for form, data in forms(value).items():
            assert leaks("here", b"before " + data + b" after", parts({"secret": whole})), form


@pytest.mark.parametrize("moves", ["exact", "within", "pinned"])
def test_plan_and_apply_keep_people_to_themselves(project: Project, moves: str) -> None:
    """Every rendering, the plan file, the sealed rows, logs at their loudest, state and run folder."""
    project.write(row(), row("zweiter@zwitscher.example", born=PEOPLE["refused"]), moves=moves)
    assert project.syncer("plan", "--sandbox", "-o", "changes.plan") == 0
    for form in ("text", "json", "markdown", "html", "github"):
        assert project.syncer("show", "changes.plan", "--format", form) == 0
    assert project.syncer("apply", "changes.plan", "--sandbox", "--log-format", "json") == 7
    assert project.syncer("apply", "changes.plan", "--sandbox") == 6
    project.write(row(first=PEOPLE["changed"]), moves=moves)
    assert project.syncer("plan", "--sandbox", "--refresh", "--format", "json") == 0
    assert project.syncer("apply", "--yes", "--sandbox") == 0
    assert project.syncer("runs") == 0
    names = [name for name, _ in project.files()]
    assert any("state" in name for name in names)
    assert "changes.plan" in names
    assert len(project.served.ask("state")["marketo"]["leads"]) == 1
    assert project.leaks() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "apply_then_lose", "endpoint": "*leads.json"},
        {"action": "status", "endpoint": "*leads.json", "status": 502},
        {"action": "vendor_error", "endpoint": "*leads.json", "code": "1003"},
    ],
    ids=lambda each: each["action"],
)
def test_trouble_says_what_and_not_who(project: Project, fault: dict[str, object]) -> None:
    """Lost answers, gateways and refusals are told with codes and rows, never with values."""
    project.write(row())
    project.served.ask("faults", fault)
    project.syncer("apply", "--yes", "--sandbox")
    project.syncer("resume", "--sandbox")
    assert project.leaks() == []


def test_failures_on_the_way_say_nothing_of_values(project: Project) -> None:
    """Wrong credentials, a broken row, a template that fails, a wrong key: each fails without its input."""
    project.write(row(), moves="pinned")
    assert project.syncer("plan", "--sandbox", "-o", "changes.plan") == 0
    project.changes = {"SYNCER_PLAN_KEY": PEOPLE["refused"]}
    assert project.syncer("apply", "changes.plan", "--sandbox") == 2
    project.changes = {"MARKETO_CLIENT_SECRET": PEOPLE["refused"]}
    assert project.syncer("plan", "--sandbox") != 0
    project.changes = {"MARKETO_BASE_URL": f"http://127.0.0.1:9/{PEOPLE['refused']}"}
    assert project.syncer("plan", "--sandbox") != 0
    project.changes = {}
    project.write(row(), f"{PEOPLE['email']},{PEOPLE['refused']}", f'"{PEOPLE["email"]},unclosed')
    assert project.syncer("plan", "--sandbox") != 0
    assert project.syncer("validate", "--format", "json") in {0, 3}
    assert project.leaks() == []
