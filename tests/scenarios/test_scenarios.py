"""Command-line stories: each file is played from an empty folder, and everything that it prints is as it says.

`pytest tests/scenarios --golden` writes what comes out; read the diff as code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scenarios import story

if TYPE_CHECKING:
    from tests.fast.served import Served
    from tests.scenarios.story import Player

FOLDER = Path(__file__).parent
STORIES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_goes_as_told(path: Path, player: Player, served: Served, request: pytest.FixtureRequest) -> None:
    """Each command prints what the story says and ends with its code; no secret and no traceback is ever shown."""
    told = story.read(path.read_text(encoding="utf-8"))
    for name, content in told.files(FOLDER / "common"):
        place = player.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    is_golden = request.config.getoption("--golden")
    secrets = [served.facts[system]["client_secret"] for system in ("marketo", "salesforce")]
    for command in told.commands:
        printed, code = player.play(command.line)
        text = "\n".join(printed)
        assert "Traceback" not in text
        assert not any(secret in text for secret in secrets)
        if is_golden:
            command.exit_code = code
            if not story.agrees(command.printed, printed):
                command.printed = printed
        elif not story.agrees(command.printed, printed):
            assert "\n".join([command.line, *printed]) == "\n".join([command.line, *command.printed])
        assert (command.line, code) == (command.line, command.exit_code)
    if is_golden:
        path.write_text(story.written(told), encoding="utf-8")
