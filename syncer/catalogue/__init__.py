"""Every code that syncer can print, with its constant title, its cause and its cure.

One TOML file a family: `manifest` (M), `source` (S), `plan` (P), `run` (R), `reject` (V). A code is never reused. Exit
codes have a file of their own.
`diagnostics`, `errors` and `syncer explain` read from here; nothing else defines a title.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

FAMILIES = ("manifest", "source", "plan", "run", "reject")


@dataclass(frozen=True, slots=True)
class Entry:
    """What `syncer explain CODE` shows."""

    code: str
    title: str
    cause: str
    cure: str


@cache
def entries() -> dict[str, Entry]:
    """Return every entry by code."""
    import tomllib
    from importlib import resources

    found: dict[str, Entry] = {}
    for family in FAMILIES:
        text = (resources.files(__name__) / f"{family}.toml").read_text(encoding="utf-8")
        for code, members in tomllib.loads(text).items():
            if code in found:
                message = f'Code "{code}" stands twice in the catalogue.'
                raise ValueError(message)
            found[code] = Entry(code=code, **members)
    return found


@cache
def exits() -> dict[int, tuple[str, str]]:
    """Return cause and cure of every exit code."""
    import tomllib
    from importlib import resources

    text = (resources.files(__name__) / "exit.toml").read_text(encoding="utf-8")
    return {int(code): (members["cause"], members["cure"]) for code, members in tomllib.loads(text).items()}


def title(code: str) -> str:
    """Return the constant title of `code`; a code without an entry is a bug and raises `KeyError`."""
    return entries()[code].title
