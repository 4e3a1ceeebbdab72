"""Object snapshots: read each target object's description and keep it in git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from syncer.clock import SystemClock
from syncer.targets import describe
from syncer.workflow.endpoints import sessions
from syncer.workflow.load import snapshot, snapshots

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.workflow.load import Loaded


def pull(loaded: Loaded, folder: Path | None, *, sandbox: bool) -> tuple[str, ...]:
    """Write the snapshot of every object that the manifests write to; return a line a file: what changed."""
    return anyio.run(_pull, loaded, folder or snapshots(loaded.root), sandbox)


async def _pull(loaded: Loaded, folder: Path, sandbox: bool) -> tuple[str, ...]:  # noqa: FBT001 - passed by place
    manifest = loaded.manifest
    wanted = sorted({(target.connection, target.object) for target in manifest.targets.values()})
    lines = []
    async with sessions(loaded, {connection for connection, _ in wanted}, SystemClock(), sandbox=sandbox) as opened:
        for connection, name in wanted:
            schema = await opened[connection].describe(name)
            path = snapshot(folder, schema.system, schema.name)
            text = describe.dump(schema)
            before = path.read_text(encoding="utf-8") if path.is_file() else None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            said = "new" if before is None else "unchanged" if before == text else "changed"
            lines.append(f"{path}: {said}, {len(schema.fields)} fields")
    return tuple(lines)
