"""The main job, whole, on this machine: a sandbox, a plan, an apply, a proof, and a second apply that sends nothing.

Starts the sandbox as a real server process on a free loopback port, runs the commands that a person would type, reads
the sandbox back over HTTP and checks counts, duplicates and values. Exits 0 only when every check holds.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "manifests" / "demo"
SYNCER = Path(sys.executable).with_name("syncer")
APPLIED_WITH_REJECTS = 7
JOB_SPEED = 40
"""The sandbox's jobs run this many times faster than the vendors' do, so that the demo fits a minute."""


def say(text: str) -> None:
    """Print a heading of the demo."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def read(url: str) -> Any:
    """Return a JSON answer of the sandbox."""
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - a loopback address that the sandbox printed
        return json.load(answer)


def syncer(environment: dict[str, str], *words: str, expect: int) -> None:
    """Run one command as a person would and insist on its exit code."""
    print(f"$ syncer {' '.join(words)}", flush=True)
    ended = subprocess.run([SYNCER, *words], env=environment, cwd=ROOT, check=False)
    if ended.returncode != expect:
        sys.exit(f"The command ended with exit code {ended.returncode}; {expect} was expected.")


def expected_people() -> dict[str, dict[str, str]]:
    """Return what Marketo must hold: per canonical address, the last good contact row, worked out in plain Python."""
    people: dict[str, dict[str, str]] = {}
    with (PROJECT / "data" / "contacts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            email = row["email"].strip().lower()
            bad_address = email.count("@") != 1 or " " in email or email.startswith("@")
            bad_number = not row["employees"].isdigit()
            bad_date = not (
                len(row["signed_up"]) == 10 and row["signed_up"] != "2024-02-30" and row["signed_up"][4] == "-"
            )
            if not (bad_address or bad_number or bad_date):
                people[email] = row
    return people


def check(claim: str, holds: bool, found: object = "") -> None:  # noqa: FBT001 - a claim and whether it holds
    """Print a checked claim; stop at the first that does not hold."""
    print(f"  {'ok ' if holds else 'NOT'} {claim}", flush=True)
    if not holds:
        sys.exit(f"The demo failed: {claim} (found {found!r})")


def prove(base: str, people: dict[str, dict[str, str]]) -> None:
    """Read the sandbox back and compare it with the input."""
    state = read(f"{base}/__sandbox__/state")
    leads = state["marketo"]["leads"]
    by_email = Counter(lead["email"].lower() for lead in leads)
    with (PROJECT / "data" / "guests.csv").open(encoding="utf-8", newline="") as file:
        guests = {row["guest"] for row in csv.DictReader(file) if not row["guest"].startswith("@")}
    twice = [email for email, count in by_email.items() if count > 1]
    check(
        f"Marketo holds {len(people | dict.fromkeys(guests)):,} leads",
        set(by_email) == set(people) | guests,
        len(by_email),
    )
    check("no two leads share an address", not twice, twice[:3])
    held = {lead["email"].lower(): lead for lead in leads}
    wrong = [
        email
        for email, row in people.items()
        if held[email]["lastName"] != row["last_name"]
        or held[email]["postalCode"] != row["postcode"]
        or held[email]["title"] != (row["job_title"] or "Contact")
        or int(held[email]["score"]) != int(row["score"])
    ]
    check("every lead carries the values of its last row, digits and accents intact", not wrong, wrong[:3])
    contacts = state["salesforce"]["Contact"]
    keys = Counter(contact["Crm_Key__c"].upper() for contact in contacts)
    check(f"Salesforce holds {len(keys):,} contacts", len(keys) > 20_000, len(keys))
    check("no two contacts share a key", max(keys.values()) == 1, keys.most_common(1))
    check("Salesforce holds the 24 campaigns", len(state["salesforce"]["Campaign"]) == 24)


def writes(base: str) -> int:
    """Return how many writing requests the sandbox has seen: all but reads and sign-ins."""
    counters = read(f"{base}/__sandbox__/counters")
    return sum(
        count
        for system in ("marketo", "salesforce")
        for call, count in counters[system]["calls"].items()
        if not call.startswith("GET ") and not call.endswith("/token")
    )


def main() -> None:
    """Run the demo from start to end."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="syncer-demo-"))
    say("1. A sandbox: Marketo and Salesforce on this machine")
    server = subprocess.Popen(
        [SYNCER, "sandbox", "serve", "--json", "--job-speed", str(JOB_SPEED)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert server.stdout is not None
        facts = json.loads(server.stdout.readline())
        base = facts["base_url"]
        print(f"  listening on {base}; open {base}/__sandbox__/ in a browser to look inside")
        environment = {
            **os.environ,
            "MARKETO_BASE_URL": base,
            "MARKETO_CLIENT_ID": facts["marketo"]["client_id"],
            "MARKETO_CLIENT_SECRET": facts["marketo"]["client_secret"],
            "SALESFORCE_BASE_URL": base,
            "SALESFORCE_CLIENT_ID": facts["salesforce"]["client_id"],
            "SALESFORCE_CLIENT_SECRET": facts["salesforce"]["client_secret"],
        }
        project = str(PROJECT.relative_to(ROOT))
        common = ["--work", str(folder / "work"), "--sandbox"]
        say("2. The plan: what would happen, by which path, and why")
        syncer(environment, "plan", project, "-o", str(folder / "demo.plan"), *common, expect=0)
        say("3. Apply: exactly that plan")
        syncer(
            environment, "apply", str(folder / "demo.plan"), "--project", project, *common, expect=APPLIED_WITH_REJECTS
        )
        say("4. The proof: read back from the sandbox")
        prove(base, expected_people())
        say("5. Apply again: nothing has changed, so nothing is sent")
        before = writes(base)
        syncer(environment, "apply", project, "--yes", *common, expect=APPLIED_WITH_REJECTS)
        check("the second apply wrote nothing", writes(base) == before, writes(base) - before)
        say("6. To look further")
        print("  syncer plan manifests/demo --offline --format html > plan.html   the plan as a page")
        print("  syncer sandbox serve                                            a sandbox to play with")
        print(
            "  docs/                                                           mapping dialect, decisions, reliability"
        )
        print(f"\nDone in {time.monotonic() - started:.0f} s. Every check held.")
    finally:
        server.terminate()
        server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
