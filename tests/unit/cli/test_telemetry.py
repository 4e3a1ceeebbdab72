"""Spans and metrics of a run: what is told, to whom, and what never is."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from syncer.cli import telemetry
from syncer.cli.telemetry import Observer, is_wanted, observed
from syncer.execution.events import Ended, NodeStarted, Noticed, UnitSent, UnitSettled
from tests.fakes.clock import backend
from tests.fakes.world import Op, World, plan_of, rows, world

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

VALUES = ("kanari@zwitscher.example", "Kanari-Wert")


class Told:
    """What a collector would have got."""

    def __init__(self, spans: tuple[ReadableSpan, ...], metrics: dict[str, Any]) -> None:
        """Keep spans by name, and the points of each metric."""
        self.spans = spans
        self.metrics = metrics

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of this name."""
        return [each for each in self.spans if each.name == name]

    def total(self, name: str, **attributes: str) -> float:
        """Return the sum of a metric's points with these attributes."""
        wanted = {f"syncer.{key}": value for key, value in attributes.items()}
        return sum(
            point["value"] for point in self.metrics.get(name, []) if wanted.items() <= point["attributes"].items()
        )


def _observe(folder: Path, ops: list[Op], story: Callable[[World], Awaitable[object]]) -> Told:
    """Run made-up operations under virtual time with an observer, and return what it told."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))

    async def play() -> None:
        async with world(folder, *ops) as it:
            observer = Observer(it.plan, it.run_id, tracers, meters)
            it.events = _Ears(observer)  # type: ignore[assignment] # anything that can append
            await story(it)
            observer.close()

    name, options = backend("trio")
    anyio.run(play, backend=name, backend_options=dict(options))
    found = reader.get_metrics_data()
    points: dict[str, Any] = {}
    if found is not None:
        for resource in json.loads(found.to_json())["resource_metrics"]:
            for scope in resource["scope_metrics"]:
                points |= {each["name"]: each["data"]["data_points"] for each in scope["metrics"]}
    return Told(exporter.get_finished_spans(), points)


class _Ears(list[object]):
    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._observer = observer

    def append(self, event: object) -> None:
        """Hand an event on."""
        self._observer(event)  # type: ignore[arg-type] # the world appends events


def _run(it: World) -> Awaitable[object]:
    return it.run()


def test_a_run_is_a_tree_of_spans(tmp_path: Path) -> None:
    """Requests and jobs stand below their step, steps below the run, each with its counts."""
    told = _observe(tmp_path, [Op("a", rows(5)), Op("b", rows(2, "j"), path="job")], _run)
    (run,) = told.named("syncer run")
    steps = told.named("syncer step")
    assert {each.parent.span_id for each in steps if each.parent} == {run.context.span_id}
    assert (run.attributes or {})["syncer.exit_code"] == 0
    assert [len(told.named(name)) for name in ("syncer request", "syncer job")] == [3, 1]
    by_step = {each.context.span_id: (each.attributes or {})["syncer.operation"] for each in steps}
    assert {by_step[each.parent.span_id] for each in told.named("syncer job") if each.parent} == {"b"}
    assert sum((each.attributes or {})["syncer.created"] for each in told.named("syncer request")) == 5  # type: ignore[misc]
    assert all((each.attributes or {})["syncer.is_settled"] for each in steps)


def test_counts_become_metrics(tmp_path: Path) -> None:
    """Records by outcome, requests and jobs by path, calls by connection, seconds of waiting."""

    async def story(it: World) -> None:
        it.vendor.refused = {"k1"}
        it.vendor.faults[("commit", "a/1/sync/0000")] = ["lose before"]
        await it.run()

    told = _observe(tmp_path, [Op("a", rows(4)), Op("b", rows(2, "j"), path="job")], story)
    assert told.total("syncer.records", operation="a", outcome="rejected") == 1
    assert told.total("syncer.records", operation="a") == 4
    assert told.total("syncer.units", path="job") == 1
    assert told.total("syncer.calls", connection="fake") >= 4
    assert told.total("syncer.wait", step="a/1/sync") == pytest.approx(120, abs=1)


def test_a_run_that_fails_says_so(tmp_path: Path) -> None:
    """What is not settled is ended as such, and the run's span is an error."""

    async def story(it: World) -> None:
        it.vendor.faults[("commit", "a/1/push/0000")] = ["lose before"]
        await it.run()

    told = _observe(tmp_path, [Op("a", rows(2), path="push")], story)
    (run,) = told.named("syncer run")
    assert (run.attributes or {})["syncer.exit_code"] == 9
    assert not run.status.is_ok
    assert not (told.named("syncer step")[0].attributes or {})["syncer.is_settled"]


def test_a_resumed_run_counts_only_what_is_new(tmp_path: Path) -> None:
    """What an earlier process settled was told by that process."""

    async def story(it: World) -> None:
        it.vendor.faults[("commit", "a/1/sync/0001")] = ["quota"]
        await it.run()
        await it.run()

    told = _observe(tmp_path, [Op("a", rows(6))], story)
    assert told.total("syncer.records", operation="a") == 6


def test_no_persons_data_is_told(tmp_path: Path) -> None:
    """Neither keys nor values come out, whatever happens to a request."""

    async def story(it: World) -> None:
        it.vendor.faults[("commit", "a/1/sync/0000")] = ["unknown word"]
        it.vendor.refused = {VALUES[0]}
        await it.run()

    told = _observe(tmp_path, [Op("a", [VALUES])], story)
    text = json.dumps([json.loads(each.to_json()) for each in told.spans]) + json.dumps(told.metrics)
    assert not [value for value in VALUES if value in text]
    assert "syncer.records" in text


def test_nothing_is_told_and_nothing_imported_unless_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the standard variables the listener is the very same, and the packages are not even looked at."""
    for name in telemetry.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    heard: list[object] = []
    with observed(plan_of([]), "run", heard.append) as listener:
        assert listener == heard.append
    code = (
        "import sys; from syncer.cli import telemetry, main; from tests.fakes.world import plan_of\n"
        "with telemetry.observed(plan_of([]), 'run', print): pass\n"
        "assert not [each for each in sys.modules if each.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": ""})  # noqa: S603 - ourselves


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    ],
)
def test_the_standard_variables_decide(
    variables: dict[str, str], *, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint switches it on, `OTEL_SDK_DISABLED` off."""
    for name in (*telemetry.ENDPOINTS, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_wanted() is expected


def test_missing_packages_are_named_and_stop_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A collector may be configured for other programs of a machine: syncer says what is missing and goes on."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(telemetry, "find_spec", lambda _: None)
    heard: list[object] = []
    with observed(plan_of([]), "run", heard.append) as listener:
        listener(Noticed("", "on"))
    assert len(heard) == 1
    assert "pip install 'syncer[telemetry]'" in capsys.readouterr().err


def test_both_the_person_and_the_collector_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configured run shows its progress as ever."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(telemetry, "_providers", lambda: (tracers, MeterProvider()))
    heard: list[object] = []
    with observed(plan_of([]), "run", heard.append) as listener:
        listener(Noticed("", "on"))
    assert len(heard) == 1
    assert [each.name for each in exporter.get_finished_spans()] == ["syncer run"]


class _Collector(BaseHTTPRequestHandler):
    """Takes what an exporter posts."""

    def do_POST(self) -> None:
        """Keep path and body."""
        posted.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


posted: list[tuple[str, bytes]] = []


def test_a_collector_gets_spans_and_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """By OTLP over HTTP, at the address that the standard variable names, before the command ends."""
    server = HTTPServer(("127.0.0.1", 0), _Collector)
    thread = Thread(target=server.serve_forever)
    thread.start()
    posted.clear()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    try:
        plan = plan_of([Op("a", rows(2))])
        with observed(plan, "run7", lambda _: None) as listener:
            listener(NodeStarted("a/1/sync", 2, 1))
            listener(UnitSent("a/1/sync", "a/1/sync/0000", 2))
            listener(UnitSettled("a/1/sync", "a/1/sync/0000", 2, 2, 0, 0, 0, 0, "fake", 1))
            listener(Ended("", 0, ""))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert {path for path, _ in posted} == {"/v1/traces", "/v1/metrics"}
    bodies = b"".join(body for _, body in posted)
    assert b"run7" in bodies
    assert b"syncer.records" in bodies
