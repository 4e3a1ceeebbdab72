"""What names a place for state, and what does not."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from syncer.errors import StateError
from syncer.state import registry
from syncer.state.local import LocalStore
from syncer.state.object_store import ObjectStore
from tests.fakes.hand import HandClock


@pytest.mark.parametrize("form", ["{0}", "file://{0}", "file://localhost{0}"])
def test_a_folder_is_kept_by_the_local_store(tmp_path: Path, form: str) -> None:
    """Also under a file address: the local store is the better one for a disk."""
    place = form.format(tmp_path / "a%20b")
    opened = registry.open_store(place, HandClock())
    assert isinstance(opened, LocalStore)
    assert opened._folder == tmp_path / ("a b" if "://" in form else "a%20b")


@pytest.mark.parametrize(("said", "allowed"), [("1", True), ("TRUE", True), ("0", False), ("", False), (None, False)])
def test_a_network_disk_is_allowed_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, *, allowed: bool
) -> None:
    """One word for every command, so that those that messages tell to copy find it too."""
    if said is not None:
        monkeypatch.setenv("SYNCER_ALLOW_NETWORK_FS", said)
    opened = registry.open_store(tmp_path, HandClock())
    assert isinstance(opened, LocalStore)
    assert opened._allow_network is allowed


@pytest.mark.parametrize(
    "place", ["s3://bucket/team/syncer", "s3://bucket", "gs://bucket/x", "az://box/x", "memory://a"]
)
def test_a_bucket_is_kept_by_the_object_store(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening touches nothing yet."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "made-up")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert isinstance(registry.open_store(place, HandClock()), ObjectStore)


@pytest.mark.parametrize(
    "place",
    [
        "s3://",
        "s3:///prefix",
        "ftp://host/x",
        "https://bucket.example.com/x",
        "file://",
        "file://host/folder",
        "s3://[bucket",
        "s3://key:made-up@bucket/x",
        "s3://made-up@bucket/x",
        "az://box/x?sig=made-up",
        "s3://bucket/x#made-up",
    ],
)
def test_what_is_no_place_is_refused_without_repeating_a_credential(place: str) -> None:
    """The kinds that there are are named."""
    with pytest.raises(StateError, match="R224") as caught:
        registry.open_store(place, HandClock())
    assert "made-up" not in str(caught.value)
    assert "s3://BUCKET/PREFIX" in str(caught.value)


def test_settings_that_lack_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure's address names no account; it is expected in the environment."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StateError, match="account or region"):
        registry.open_store("az://box/x", HandClock())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra that most do not need."""
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "syncer.state.bucket":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StateError, match=r"syncer\[object-store\]"):
        registry.open_store("s3://bucket/x", HandClock())
