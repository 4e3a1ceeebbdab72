"""Keeps the staged rows of pinned sources beside the plan, sealed, and takes them out again for apply.

The rows are personal data: in the clear they stand only in a private folder. What comes out is proved to be what the
plan was made of before anything is sent.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, BinaryIO, cast

from syncer.engine.staged import reopen
from syncer.errors import UserError
from syncer.workflow import sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from syncer.engine.staged import StagedOperation
    from syncer.plan.models import Plan


def place(plan_file: Path) -> Path:
    """Return where the rows of a plan file are kept."""
    return plan_file.with_name(plan_file.name + ".rows")


def pinned(plan: Plan) -> tuple[str, ...]:
    """Return the operations whose rows are kept beside the plan."""
    return tuple(each.name for each in plan.operations if each.moves == "pinned")


def keep(plan: Plan, staged: Path, plan_file: Path) -> Path | None:
    """Seal the pinned rows below `staged` beside the plan file; None where nothing is pinned."""
    names = pinned(plan)
    if not names:
        return None
    key = sealed.read_key()
    target = place(plan_file)
    draft = target.with_name(target.name + ".part")
    try:
        draft.touch(mode=0o600)
        with draft.open("wb") as file:
            seal = sealed.Seal(file, key, plan.digest)
            # `w|` asks for nothing but `write`, so the rows are never whole in memory.
            with tarfile.open(mode="w|", fileobj=cast("BinaryIO", seal)) as archive:
                for name in names:
                    _pack(archive, name, staged / name)
            seal.finish()
        draft.replace(target)
    except OSError as error:
        detail = f'The rows of the plan cannot be written to "{target}": {error.strerror}.'
        raise UserError("R904", detail, "Choose a place that exists and that you may write to.") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def take(plan: Plan, plan_file: Path, staged: Path, *, memory_limit: str) -> dict[str, StagedOperation]:
    """Open the pinned rows of a plan into `staged`; raises `UserError` where they are not those of the plan."""
    names = pinned(plan)
    if not names:
        return {}
    key = sealed.read_key()
    source = place(plan_file)
    try:
        with source.open("rb") as file:
            plain = io.BufferedReader(sealed.Opened(file, key, plan.digest))
            with tarfile.open(mode="r|", fileobj=plain) as archive:
                _unpack(archive, names, staged)
            # The archive ends before the file does: what follows must be proved whole as well.
            while plain.read(sealed.CHUNK):
                pass
    except OSError as error:
        detail = f'Its rows were kept in "{source.name}", which cannot be read: {error.strerror}.'
        raise UserError("P124", detail, "Keep the two files together, from review to apply.") from error
    except tarfile.TarError as error:
        raise UserError("P124", "What they hold is not readable.", "Make the plan again.") from error
    found: dict[str, StagedOperation] = {}
    try:
        for name in names:
            found[name] = reopen(staged / name, memory_limit=memory_limit)
        prove(plan, found)
    except BaseException:
        for each in found.values():
            each.close()
        raise
    return found


def _pack(archive: tarfile.TarFile, name: str, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            about = tarfile.TarInfo(f"{name}/{path.name}")
            about.size, about.mode = path.stat().st_size, 0o600
            with path.open("rb") as file:
                archive.addfile(about, file)


def _unpack(archive: tarfile.TarFile, names: Iterable[str], staged: Path) -> None:
    """Write plain files into the operations' own folders, and nothing anywhere else."""
    known = set(names)
    staged.mkdir(mode=0o700, parents=True, exist_ok=True)
    for member in archive:
        operation, slash, file = member.name.partition("/")
        content = archive.extractfile(member) if member.isfile() else None
        if content is None or operation not in known or not slash or "/" in file or file in {"", ".", ".."}:
            raise UserError("P124", "They hold what no plan has.", "Make the plan again.")
        folder = staged / operation
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / file
        path.touch(mode=0o600)
        with path.open("wb") as target:
            while chunk := content.read(sealed.CHUNK):
                target.write(chunk)


def prove(plan: Plan, found: Mapping[str, StagedOperation]) -> None:
    """Hold the rows against the digests that were reviewed; raises `UserError` where they are others."""
    expected = {each.name: each.digest for each in plan.inputs.rows}
    for name, each in found.items():
        if each.rows_digest() != expected.get(name):
            raise UserError("P124", f'The rows of "{name}" are not those of the plan.', "Make the plan again.")
