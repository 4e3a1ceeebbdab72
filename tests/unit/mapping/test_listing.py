"""The page about the dialect tells the truth: it holds the dialect's own list."""

from __future__ import annotations

import os
from pathlib import Path

from syncer.mapping.dialect.listing import listing
from syncer.mapping.interpret import ALLOWED

PAGE = Path(__file__).parents[3] / "docs" / "mapping.md"
MARK = "## The list\n"


def test_page_holds_the_list() -> None:
    """`docs/mapping.md` ends with the list as the dialect has it; UPDATE_GOLDEN=1 writes it anew."""
    rules, _, written = PAGE.read_text(encoding="utf-8").partition(MARK)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(f"{rules}{MARK}\n{listing()}", encoding="utf-8")
        return
    assert written == f"\n{listing()}"
    assert all(f"`{name}`" in rules for name in ALLOWED)
