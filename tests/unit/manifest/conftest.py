"""Text in, text out: a manifest as people write it, and the findings as they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from syncer.capability import Capabilities
from syncer.errors import ManifestError
from syncer.facts import FieldSchema, FieldType, ObjectSchema, System
from syncer.manifest.check import check
from syncer.manifest.read import Project, read_project

Read = Callable[..., Project]
Say = Callable[..., str]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a reader of one manifest's text, or of several files by name."""

    def read(text: str = "", files: Mapping[str, str | bytes] | None = None) -> Project:
        for name, content in (files or {"m.yaml": text}).items():
            data = dedent(content).lstrip("\n").encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(data)
        return read_project(tmp_path)

    return read


@pytest.fixture
def findings(read: Read, tmp_path: Path) -> Say:
    """Return what reading a manifest says, "" where it has nothing to say."""

    def findings(text: str = "", files: Mapping[str, str | bytes] | None = None) -> str:
        try:
            read(text, files)
        except ManifestError as error:
            return str(error).replace(f"{tmp_path}/", "") + "\n"
        return ""

    return findings


@pytest.fixture
def checked(read: Read, tmp_path: Path) -> Say:
    """Return what checking a manifest says of the codes that a test is about."""

    def checked(
        codes: str,
        text: str,
        schemas: Mapping[tuple[str, str], ObjectSchema] | None = None,
        columns: Mapping[str, Sequence[str]] | None = None,
        capabilities: Mapping[tuple[str, str], Capabilities] | None = None,
    ) -> str:
        project = read(text)
        found = check(project, schemas or {}, columns or {}, capabilities)
        told = [each for each in found if each.code in codes.split()]
        return "".join(f"{each}\n\n" for each in told).replace(f"{tmp_path}/", "").removesuffix("\n")

    return checked


@pytest.fixture
def said() -> Callable[[str], str]:
    """Return a golden text without its indentation."""
    return lambda text: dedent(text).lstrip("\n")


@pytest.fixture
def lead() -> dict[tuple[str, str], ObjectSchema]:
    """Return a small Marketo lead, described for the connection `m`."""
    fields = (
        FieldSchema("id", FieldType.INTEGER, "integer", is_creatable=False, is_updatable=False, is_key=True),
        FieldSchema("email", FieldType.TEXT, "email", is_key=True),
        FieldSchema("firstName", FieldType.TEXT, "string"),
        FieldSchema("createdAt", FieldType.DATETIME, "datetime", is_creatable=False, is_updatable=False),
    )
    return {("m", "lead"): ObjectSchema(System.MARKETO, "lead", fields)}


@pytest.fixture
def contact() -> dict[tuple[str, str], ObjectSchema]:
    """Return a small Salesforce contact, described for the connection `s`."""
    fields = (
        FieldSchema("Id", FieldType.TEXT, "id", is_creatable=False, is_updatable=False, is_key=True),
        FieldSchema("Number__c", FieldType.TEXT, "string", is_key=True),
        FieldSchema("LastName", FieldType.TEXT, "string", is_required=True),
        FieldSchema("Site__c", FieldType.TEXT, "reference", is_required=True, reference_to=("Site__c",)),
        FieldSchema("AccountId", FieldType.TEXT, "reference", reference_to=("Account",)),
        FieldSchema("Origin__c", FieldType.TEXT, "string", is_updatable=False),
        FieldSchema("Closed__c", FieldType.TEXT, "string", is_creatable=False),
    )
    return {("s", "Contact"): ObjectSchema(System.SALESFORCE, "Contact", fields)}
