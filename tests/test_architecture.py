"""The floors of the house hold: who may import whom, and what a pure room may touch."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "syncer"

FLOOR_0 = {
    "errors",
    "diagnostics",
    "outcome",
    "facts",
    "capability",
    "clock",
    "catalogue",
    "secret",
    "polling",
    "mark",
    "sample",
}

ROOMS: dict[str, set[str]] = {
    **dict.fromkeys(FLOOR_0, FLOOR_0),
    "manifest": FLOOR_0,
    "mapping": FLOOR_0 | {"manifest.models", "manifest.template"},
    "plan": FLOOR_0 | {"manifest.models", "manifest.gone"},
    "engine": FLOOR_0 | {"manifest.models", "mapping.pipeline", "sources.protocol"},
    "sources": FLOOR_0 | {"manifest.models"},
    "targets": FLOOR_0 | {"manifest.models", "engine.protocol"},
    "state": FLOOR_0,
    "execution": FLOOR_0
    | {"plan.models", "engine.protocol", "targets.protocol", "state.protocol", "state.place", "sources.protocol"},
    "verify": FLOOR_0 | {"plan.models", "state.protocol"},
    "workflow": FLOOR_0
    | {"manifest", "mapping", "plan", "engine", "sources", "targets", "state", "execution", "verify"},
    "cli": FLOOR_0 | {"workflow", "manifest", "plan", "execution", "state", "targets", "sandbox", "verify"},
    "sandbox": set(),
}
"""A room may import itself and these; a dotted name admits just that module."""

IMPURE = {"random", "socket", "asyncio", "anyio", "trio", "time", "threading", "subprocess", "httpx", "os", "tempfile"}

PURE = (
    "errors.py",
    "diagnostics.py",
    "outcome.py",
    "facts.py",
    "capability.py",
    "mark.py",
    "sample.py",
    "manifest/models.py",
    "manifest/check.py",
    "mapping",
    "plan",
    "execution/lanes.py",
    "execution/resolve.py",
    "execution/resume.py",
    "execution/report.py",
    "execution/events.py",
    "execution/history.py",
    "execution/page.py",
    "verify",
    "targets/retry.py",
    "targets/marketo/wire.py",
    "targets/marketo/capabilities.py",
    "targets/salesforce/wire.py",
    "targets/salesforce/capabilities.py",
)
"""Rooms and modules that decide: no clock, randomness, socket, file or async library."""


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room_of(path: Path) -> str:
    """The room that a module belongs to: the first part of its path."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    """Every imported module name with its line, `from a import b` as `a` and `a.b`; type-checking imports included."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.append((node.lineno, "syncer.RELATIVE"))
    return found


def allowed(room: str, name: str) -> bool:
    """Whether `room` may import `name`."""
    inner = name.removeprefix("syncer.")
    if inner.split(".")[0] == room or inner == "__version__":
        return True
    return any(inner == each or inner.startswith(f"{each}.") for each in ROOMS[room])


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_its_floor_allows(path: Path) -> None:
    """A module that imports from a floor above, or past a protocol, fails the build."""
    room = room_of(path)
    assert room in ROOMS, f"{room} is not in the table of rooms: say what it may import"
    breaches = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imports(path)
        if name.startswith("syncer.") and not allowed(room, name)
    ]
    assert breaches == []


@pytest.mark.parametrize("place", PURE)
def test_a_pure_room_touches_nothing_of_the_world(place: str) -> None:
    """What decides is a function of its arguments: no clock, randomness, socket, file or async library."""
    target = ROOT / place
    files = sorted(target.rglob("*.py")) if target.is_dir() else [target]
    assert files
    breaches = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files
        for line, name in imports(path)
        if name.split(".")[0] in IMPURE
    ]
    breaches += [
        f"{path.relative_to(ROOT)}:{node.lineno} opens a file"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    ]
    assert breaches == []


def test_only_the_command_line_and_tests_know_the_sandbox() -> None:
    """The sandbox shares no code with the client, so no misreading can be shared either."""
    users = {
        str(path.relative_to(ROOT))
        for path in modules()
        for _, name in imports(path)
        if name.startswith("syncer.sandbox") and room_of(path) != "sandbox"
    }
    assert users <= {"cli/sandbox.py"}


def test_the_judge_of_runs_shares_no_code_with_what_carries_them_out() -> None:
    """`verify` reads notes and plans and nothing of the executor, so that no mistake can hide in both."""
    told = {name for path in (ROOT / "verify").glob("*.py") for _, name in imports(path) if name.startswith("syncer.")}
    assert not {
        name for name in told if name.split(".")[1] in {"execution", "engine", "targets", "workflow", "sandbox"}
    }


def test_no_room_has_a_name_that_says_nothing() -> None:
    """`utils`, `helpers`, `common`, `manager`, `base` and `misc` are nobody's home."""
    nameless = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert [path for path in modules() if path.stem in nameless] == []
