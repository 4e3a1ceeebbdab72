"""A project full of canaries: values that stand nowhere else, commands about it, and all that came out of them.

Commands run in this process, with all logging on; what they print, log, ask a vendor by, and leave on disk is kept.
"""

from __future__ import annotations

import base64
import io
import logging
import os
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from syncer import catalogue
from syncer.cli import main
from tests.canaries.search import Search, parts
from tests.fast.served import ROOT
from tests.fast.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fast.served import Served

KEY = base64.b64encode(bytes(range(7, 39))).decode()
PEOPLE = {
    "email": "kanarienvogel.eins@zwitscher.example",
    "first": 'Zwölf"Ωkanari',
    "last": "O'Kanari & Töchter\\7",
    "phone": "+49 30 901820-4711",
    "mobile": "0049-171-8830126",
    "company": "Vogelfutter & Söhne GmbH",
    "title": "Oberkanarienzüchterin",
    "street": "Piepmatzgasse 17 b",
    "city": "Schnabelhausen",
    "postcode": "ZW-99031-KA",
    "department": "Brutpflege 漢字",
    "note": "Zeile eins der Notiz\nZeile zwei, mit Komma",
    "emoji": "Kanari 😀 Flügel",
    "tabbed": "Kanari\tTabulator",
    "percent": "100%Kanari%41%2F",
    "markup": "<b onclick=kanari()>Futter</b>",
    "formula": '=HYPERLINK("kanari.example")',
    "command": "$(kanari);`futter`|ls",
    "iban": "DE89370400440532013000",
    "card": "4929 1234 5678 9013",
    "account": "KANARI-0047-1189",
    "website": "https://kanari.example/nest?id=77#ei",
    "template": "{{ kanari.futter }}",
    "brace": "{kanari!r:>10}",
    "upper": "KANARIENGESCHREI",
    "long": "kanarienlied " * 19,
    "mapped away": "kanari-nie-gesendet",
    "refused date": "kanari-kein-geburtstag",
    "refused number": "kanari-keine-zahl",
    "refused mail": "kanari-keine-anschrift",
    "changed": "Kanari Zweitname",
    "torn": "kanari-zerrissene-zeile",
}
"""What rows hold."""
SECRETS = {
    "plan key": KEY,
    "wrong secret": "falsches-kanari-geheimnis-9931",
    "written secret": "00D5g0000000001!AQ8AKanariGeheimnisIn.Datei",
    "database password": "kanari-datenbank-kennwort",
    "collector token": "kanari-sammler-marke-77120",
    "echoed": "kanari-echo-des-anbieters-5512",
    "crash": "kanari-im-absturz-6613",
    "unused secret": "kanari-anderes-geheimnis-8814",
}
"""What the environment, a manifest or a vendor's mouth holds, beside the sandbox's own credentials."""
PRIVATE = {"staged", "units", "tmp"}
"""Folders below `.syncer` in which rows of people are meant to be."""
_CODE = re.compile(r"\b[MSPRV][0-9]{3}\b")


@dataclass
class House:
    """A folder of manifests, the world around it, and everything that came out so far."""

    folder: Path
    served: Served
    world: World
    patch: pytest.MonkeyPatch
    changes: dict[str, str] = field(default_factory=dict)
    said: dict[str, bytes] = field(default_factory=dict)
    urls: list[tuple[str, str]] = field(default_factory=list)
    """Path and whole target of every request."""
    own: set[Path] = field(default_factory=set)
    """What the test itself wrote."""
    revealed: set[str] = field(default_factory=set)
    """What was printed on purpose with rows."""
    heard: int = 0

    def __post_init__(self) -> None:
        """Note every address that is asked."""
        send = httpx.AsyncHTTPTransport.handle_async_request

        async def noted(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            self.urls.append((request.url.path, str(request.url)))
            return await send(transport, request)

        self.patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", noted)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of a person, which may hold canaries."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.own.add(path)

    @property
    def secrets(self) -> dict[str, str]:
        """All secrets, those of the sandbox included."""
        own = {
            f"{system} {name}": str(value)
            for system in ("marketo", "salesforce")
            for name, value in self.served.facts[system].items()
            if name not in {"client_id", "username", "password"}
        }
        return SECRETS | own

    def syncer(self, *words: str) -> int:
        """Run a command with all logging on; keep what it says."""
        out, err, log = io.StringIO(), io.StringIO(), io.StringIO()
        with self._world(words, out, err), _logging(log):
            try:
                main.run()
                code: object = 0
            except SystemExit as ended:
                code = ended.code
        name = f"{len(self.said) // 3} {' '.join(words)}"
        for where, text in (("stdout", out), ("stderr", err), ("log", log)):
            self.said[f"{where} of {name}"] = text.getvalue().encode()
        if "--reveal" in words:
            self.revealed.add(f"stdout of {name}")
        return code if isinstance(code, int) else 0

    def environment(self) -> Mapping[str, str]:
        """Return what a command sees."""
        more = {"SYNCER_PLAN_KEY": KEY, "OTHER_CLIENT_SECRET": SECRETS["unused secret"]}
        return {**self.served.environment(), **more, **self.changes}

    @contextmanager
    def _world(self, words: tuple[str, ...], out: io.StringIO, err: io.StringIO) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["syncer", *words])
            patch.setattr(sys, "stdin", io.StringIO())
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            for name in set(os.environ) - set(self.environment()):
                patch.delenv(name)
            for name, value in self.environment().items():
                patch.setenv(name, value)
            yield

    def codes(self) -> set[str]:
        """Return the codes of the catalogue that were printed since they were last forgotten."""
        text = b"\n".join(list(self.said.values())[self.heard :]).decode()
        return set(_CODE.findall(text)) & set(catalogue.entries())

    def forget_codes(self) -> None:
        """Let `codes` begin anew."""
        self.heard = len(self.said)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield what is left on disk but rows, payload files and rejects: those are personal data, and private."""
        for path in sorted(self.folder.rglob("*")):
            steps = path.relative_to(self.folder).parts
            if path.is_file() and path not in self.own and not PRIVATE & set(steps) and "rejects" not in path.name:
                yield "/".join(steps), path.read_bytes()

    def leaks(self) -> list[str]:
        """Return every place where a canary came out."""
        secrets = Search.of(parts(self.secrets))
        people = Search.of(PEOPLE)
        found = [*self.said.items(), *self.files(), *((f"address {path}", url.encode()) for path, url in self.urls)]
        told = [each for each in found if each[0] not in self.revealed]
        return secrets.all_leaks(found) + people.all_leaks(each for each in told if not _asks_by_soql(each[0]))


def _asks_by_soql(name: str) -> bool:
    """Say whether this is an address that holds keys because the vendor takes a question nowhere else.

    Salesforce, "REST API Developer Guide", Query: the SOQL is a parameter of a GET request.
    """
    return re.fullmatch(r"address /services/data/v[0-9.]+/query", name) is not None


@contextmanager
def _logging(log: io.StringIO) -> Iterator[None]:
    root, handler = logging.getLogger(), logging.StreamHandler(log)
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def house(folder: Path, served: Served, patch: pytest.MonkeyPatch) -> House:
    """Return an empty project with the object snapshots above it, and a fresh sandbox in a world without waits."""
    served.ask("reset", {})
    (folder / "schemas").symlink_to(ROOT / "schemas")
    (folder / "shop").mkdir()
    world = World(served.control_url)
    world.enter(patch)
    return House(folder / "shop", served, world, patch)
