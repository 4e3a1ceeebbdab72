"""Manifest tests: given rows go through the same pipeline and engine as real ones, and the records are compared."""

from __future__ import annotations

import fnmatch
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncer.capability import JsonFormat
from syncer.engine.protocol import Cut
from syncer.engine.stage import stage
from syncer.errors import SourceError
from syncer.manifest.models import Column
from syncer.sources.given import GivenRows
from syncer.sources.registry import declared_columns
from syncer.workflow.load import compiled_operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncer.engine.protocol import Staged
    from syncer.manifest.models import Scalar, UnitTest
    from syncer.sources.protocol import Source, SourceColumn
    from syncer.workflow.load import Loaded

    Rows = Sequence[Mapping[str, Scalar]]

_RECORDS = JsonFormat(max_records=1_000_000, max_bytes=1_000_000_000)


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test: no difference means that it passed."""

    __test__ = False

    name: str
    operation: str
    difference: tuple[str, ...]


def run_tests(loaded: Loaded, pattern: str = "*") -> tuple[TestResult, ...]:
    """Run the manifests' tests whose name matches, in name order."""
    return tuple(
        TestResult(name, test.operation, _difference(loaded, test))
        for name, test in sorted(loaded.manifest.tests.items())
        if fnmatch.fnmatchcase(name, pattern)
    )


def _difference(loaded: Loaded, test: UnitTest) -> tuple[str, ...]:
    read = loaded.manifest.operations[test.operation].source
    declared = _columns(loaded, read, test.given)
    compiled = compiled_operation(loaded, test.operation, declared)
    if compiled.pipeline is None:
        return tuple(str(each) for each in compiled.diagnostics)
    pipeline = compiled.pipeline
    looked_up = {each.source for each in pipeline.lookups}
    strange = tuple(
        f'"{column}" is not a column of source "{name}"'
        for name, rows in ((read, test.given), *test.lookups.items())
        for column in _strange(_columns(loaded, name, rows), rows)
    )
    unknown = tuple(
        f'source "{name}" is a database, which no test asks: give the rows that are looked up, under "lookups"'
        for name in sorted(looked_up - {*test.lookups, *loaded.sources})
    )
    if strange or unknown:
        return (*strange, *unknown)
    others: dict[str, Source] = {
        name: GivenRows(name, _columns(loaded, name, test.lookups[name]), test.lookups[name])
        if name in test.lookups
        else loaded.sources[name]
        for name in looked_up
    }
    with tempfile.TemporaryDirectory(prefix="syncer-test-") as folder:
        given = GivenRows(read, declared, test.given)
        try:
            staged = stage(pipeline, given, None, {"test": _RECORDS}, Path(folder), lookups=others)
        except SourceError as error:
            return (error.detail,)
        try:
            found = _records(staged, Path(folder))
            rejects = [{"row": each.row, "code": each.code, "field": each.field} for each in staged.rejects()]
        finally:
            staged.close()
    return (*_compared(test.expect, found, "record"), *_compared(test.rejects, rejects, "reject"))


def _columns(loaded: Loaded, name: str, rows: Rows) -> tuple[SourceColumn, ...]:
    """Return the source's columns; of a database, which is not asked, those that the manifest or the rows name."""
    if name in loaded.sources:
        return loaded.sources[name].columns()
    given = {column: Column() for row in rows for column in row}
    return declared_columns({**given, **loaded.manifest.sources[name].columns})


def _strange(declared: Sequence[SourceColumn], rows: Rows) -> list[str]:
    return sorted({name for row in rows for name in row} - {each.name for each in declared})


def _records(staged: Staged, folder: Path) -> list[dict[str, Any]]:
    """Return the records that would be sent, wave after wave, each in source order."""
    found: list[dict[str, Any]] = []
    for wave in staged.facts.waves:
        for payload in staged.payloads(Cut(wave.wave, None, _RECORDS), folder):
            if isinstance(payload.body, bytes):
                found += json.loads(payload.body)
    return found


def _compared(expected: Sequence[Mapping[str, Scalar]], found: Sequence[Mapping[str, Any]], what: str) -> list[str]:
    """Return what differs, a line each; a reject is compared only by the members that the test names."""
    said: list[str] = []
    for index in range(max(len(expected), len(found))):
        place = f"{what} {index + 1}"
        if index >= len(found):
            said.append(f"{place}: expected {_shown(expected[index])}, but there is none")
        elif index >= len(expected):
            if what == "record" or expected:
                said.append(f"{place}: not expected: {_shown(found[index])}")
            else:
                said.append(f"{place}: a row was rejected: {_shown(found[index])}")
        else:
            wanted, got = expected[index], found[index]
            names = wanted if what == "reject" else [*wanted, *(name for name in got if name not in wanted)]
            said += [
                f"{place}, {name}: expected {_one(wanted, name)}, found {_one(got, name)}"
                for name in names
                if _one(wanted, name) != _one(got, name)
            ]
    return said


def _one(record: Mapping[str, Any], name: str) -> str:
    return json.dumps(record[name], ensure_ascii=False) if name in record else "nothing"


def _shown(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)
