"""One input, one plan: whatever the language, zone, hash seed and number of workers of the machine that makes it.

Eight environments here; all sixty-four by `python -m tests.test_determinism`.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMON = ROOT / "tests" / "scenarios" / "common"
LANGUAGES = ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8")
ZONES = ("UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati")
SEEDS = ("0", "1", "4242", "random")
WORKERS = (1, 2, 8)
_PROGRAM = """\
import os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
sys.argv = ["syncer", *sys.argv[2:]]
from syncer.cli.main import run
run()
"""


def environments() -> list[tuple[str, str, str, int]]:
    """Return every mix of language, zone and seed, the number of workers going round."""
    mixes = itertools.product(LANGUAGES, ZONES, SEEDS)
    return [(*mix, workers) for mix, workers in zip(mixes, itertools.cycle(WORKERS), strict=False)]


def project(folder: Path) -> Path:
    """Make a project with dates, numbers, letters of several languages, keys that fold, and rows enough for workers."""
    shop = folder / "shop"
    shop.mkdir()
    (folder / "schemas").symlink_to(ROOT / "schemas")
    for name in ("connections.yaml", "newsletter.yaml"):
        shutil.copy(COMMON / name, shop)
    people = ("Ada", "İpek", "Ömer", "Straße", "Iıİ", "Zoë")  # noqa: RUF001 - letters whose case hangs on the language
    lines = [f"{people[n % 6].lower()}{n % 1_600}@example.com,{people[n % 6]},L{n},{n % 101}" for n in range(2_000)]
    text = "\n".join(("email,first_name,last_name,score", *lines, "broken,X,Y,1", "z@example.com,X,Y,many"))
    (shop / "contacts.csv").write_text(text + "\n", encoding="utf-8")
    return shop


def planned(shop: Path, language: str, zone: str, seed: str, workers: int) -> str:
    """Return what a plan file and the plan's text say in such an environment, by digest."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    said = {"LC_ALL": language, "LANG": language, "TZ": zone, "PYTHONHASHSEED": seed, "COLUMNS": "100"}
    work = tempfile.mkdtemp(prefix="syncer-", dir=shop.parent)
    words = ["plan", ".", "--offline", "--work", work, "-o", f"{work}/changes.plan"]
    command = [sys.executable, "-c", _PROGRAM, str(workers), *words]
    done = subprocess.run(command, cwd=shop, env=kept | said, capture_output=True, check=True)  # noqa: S603 - our own
    return hashlib.sha256(done.stdout + (Path(work) / "changes.plan").read_bytes()).hexdigest()


def test_one_plan_in_eight_environments(tmp_path: Path) -> None:
    """Every language, zone and seed twice, and one, two or eight workers: the same bytes."""
    shop = project(tmp_path)
    mixes = environments()
    some = [mixes[place * 21 % len(mixes)] for place in range(8)]
    assert {each[0] for each in some} == set(LANGUAGES)
    assert {each[1] for each in some} == set(ZONES)
    assert {each[2] for each in some} == set(SEEDS)
    assert {each[3] for each in some} == set(WORKERS)
    assert len({planned(shop, *each) for each in some}) == 1


def main() -> int:
    """Plan in all environments; return 1 and name those that differ."""
    with tempfile.TemporaryDirectory() as folder:
        shop = project(Path(folder))
        found = {each: planned(shop, *each) for each in environments()}
    usual = found[next(iter(found))]
    strange = [each for each, digest in found.items() if digest != usual]
    sys.stdout.write(f"{len(found)} environments, {len(strange)} with another plan: {strange}\n")
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
