"""The mark of a run: one form, one length, in both kinds of payload."""

from __future__ import annotations

from syncer.capability import CsvFormat, JsonFormat
from syncer.mark import RUN_MARKER, STAND_IN, field_of, mark_of, marked

RUN = "20260105-093000-a1b2c3"
OPTIONS = (("partition", "Europe"), (RUN_MARKER, "syncerRun"))


def test_a_mark_names_run_and_step() -> None:
    """A person who sees it in a record finds the run by it; two steps of one run are told apart."""
    assert mark_of(RUN, 12) == "20260105-093000-a1b2c3/000012"


def test_a_plan_is_cut_like_its_run() -> None:
    """What stands in for the mark before there is a run is as long as any mark will be."""
    assert len(STAND_IN) == len(mark_of(RUN, 0)) == len(mark_of(RUN, 999_999))


def test_records_are_marked_where_the_operation_says_so() -> None:
    """After the members that open a record already; an operation without a marker keeps its format."""
    form = JsonFormat(200, 1_000, constants=(("attributes", '{"type":"Lead"}'),))
    assert marked(form, OPTIONS, "r/1").constants == (("attributes", '{"type":"Lead"}'), ("syncerRun", '"r/1"'))
    assert marked(CsvFormat(None, 1_000), OPTIONS, "r/1").constants == (("syncerRun", "r/1"),)
    assert marked(form, OPTIONS[:1], "r/1") is form
    assert (field_of(OPTIONS), field_of(())) == ("syncerRun", "")
