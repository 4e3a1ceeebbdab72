"""How the results of manifest tests look: a line a test, a difference that a person can read, JUnit for CI."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from syncer.cli.views.trouble import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.workflow.testing import TestResult


def show(results: Sequence[TestResult]) -> None:
    """Print every test with its difference, and the sum."""
    for each in results:
        sys.stdout.write(f"{'FAIL' if each.difference else 'ok  '}  {each.name}\n")
        for line in each.difference:
            sys.stdout.write(f"      {harmless(line)}\n")
    failed = sum(bool(each.difference) for each in results)
    sys.stdout.write(f"{len(results) - failed} passed, {failed} failed\n")


def as_junit(results: Sequence[TestResult]) -> str:
    """Return the results as JUnit XML."""
    failed = sum(bool(each.difference) for each in results)
    suite = ET.Element("testsuite", name="syncer", tests=str(len(results)), failures=str(failed))
    for each in results:
        case = ET.SubElement(suite, "testcase", classname=each.operation, name=each.name)
        if each.difference:
            failure = ET.SubElement(case, "failure", message="The records differ from what is expected.")
            failure.text = "\n".join(harmless(line) for line in each.difference)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
