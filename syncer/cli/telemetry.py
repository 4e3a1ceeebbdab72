"""Spans and metrics of a run by OpenTelemetry, where its standard variables ask for them; else nothing is imported.

A run is a span, each step one below it, each request or job one below its step. Attributes are names of the manifests,
counts and codes; never a key, a value or a sentence of a vendor.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from syncer import __version__
from syncer.capability import PathKind
from syncer.execution.events import Ended, NodeSettled, NodeStarted, UnitSent, UnitSettled, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncer.execution.events import Event
    from syncer.plan.models import Plan

ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
"""OpenTelemetry, "OTLP Exporter Configuration": where one of them is set, there is somebody to tell."""
FINE = frozenset({0, 7})


def is_wanted() -> bool:
    """Whether the environment names a collector and does not switch the SDK off."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and any(os.environ.get(name) for name in ENDPOINTS)


@contextmanager
def observed(plan: Plan, run: str, listener: Callable[[Event], None]) -> Iterator[Callable[[Event], None]]:
    """Yield a listener that tells `listener`, and the collector that the environment names, if any."""
    if not is_wanted():
        yield listener
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        from syncer.cli.views import progress

        progress.note("OpenTelemetry is configured, and its packages are missing: pip install 'syncer[telemetry]'.")
        yield listener
        return
    tracers, meters = _providers()
    observer = Observer(plan, run, tracers, meters)

    def both(event: Event) -> None:
        listener(event)
        observer(event)

    try:
        yield both
    finally:
        observer.close()
        tracers.shutdown()
        meters.shutdown()


def _providers() -> tuple[Any, Any]:
    """Return providers that send by OTLP over HTTP; the exporters read the standard variables themselves."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "syncer")
    resource = Resource.create({"service.name": name, "service.version": __version__})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
    return tracers, meters


class Observer:
    """Turns the events of one process of a run into spans and metrics."""

    def __init__(self, plan: Plan, run: str, tracers: Any, meters: Any) -> None:
        """Begin the run's span."""
        from opentelemetry import trace

        self._trace = trace
        self._tracer = tracers.get_tracer("syncer", __version__)
        self._nodes = {each.id: each for each in plan.nodes}
        self._connections = {each.name: each.connection for each in plan.operations}
        self._calls: dict[str, int] = {}
        meter = meters.get_meter("syncer", __version__)
        self._records = meter.create_counter("syncer.records", "{record}", "Records by operation and outcome.")
        self._units = meter.create_counter("syncer.units", "{unit}", "Requests and jobs that were sent.")
        self._made = meter.create_counter("syncer.calls", "{call}", "Calls by connection that the vendor counts.")
        self._waited = meter.create_counter("syncer.wait", "s", "Seconds that steps wait for vendors.")
        self._run = self._tracer.start_span(
            "syncer run",
            attributes={"syncer.run": run, "syncer.plan": plan.digest, "syncer.project": plan.project},
        )
        self._steps: dict[str, Any] = {}
        self._sent: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case NodeStarted():
                self._begin(event)
            case UnitSent():
                self._send(event)
            case UnitSettled():
                self._settle(event)
            case NodeSettled():
                self._end(self._steps.pop(event.node, None), is_settled=True)
            case Waiting():
                self._waited.add(event.seconds, {"syncer.step": event.node})
                if event.node in self._steps:
                    self._steps[event.node].add_event("waiting", {"syncer.wait.seconds": event.seconds})
            case Ended():
                self._run.set_attribute("syncer.exit_code", event.exit_code)
                if event.exit_code not in FINE:
                    self._run.set_status(self._trace.StatusCode.ERROR)
            case _:
                pass

    def close(self) -> None:
        """End what is still open: a run that was cut short leaves steps and requests that are not settled."""
        for span in (*self._sent.values(), *self._steps.values()):
            self._end(span, is_settled=False)
        self._run.end()

    def _begin(self, event: NodeStarted) -> None:
        node = self._nodes[event.node]
        self._steps[event.node] = self._tracer.start_span(
            "syncer step",
            context=self._trace.set_span_in_context(self._run),
            attributes={
                "syncer.step": node.id,
                "syncer.operation": node.operation,
                "syncer.connection": self._connections[node.operation],
                "syncer.path": node.path,
                "syncer.wave": node.wave,
                "syncer.records": event.records,
            },
        )

    def _send(self, event: UnitSent) -> None:
        node = self._nodes[event.node]
        self._units.add(1, {"syncer.operation": node.operation, "syncer.path": node.path})
        if event.unit in self._sent:
            self._sent[event.unit].add_event("sent again")
            return
        self._sent[event.unit] = self._tracer.start_span(
            "syncer job" if node.kind is PathKind.JOB else "syncer request",
            context=self._trace.set_span_in_context(self._steps.get(event.node, self._run)),
            attributes={"syncer.unit": event.unit, "syncer.records": event.records},
        )

    def _settle(self, event: UnitSettled) -> None:
        before = self._calls.get(event.connection, 0)
        if event.calls > before:
            self._calls[event.connection] = event.calls
            self._made.add(event.calls - before, {"syncer.connection": event.connection})
        if event.is_old:
            return
        counts = {
            "created": event.created,
            "updated": event.updated,
            "written": event.written,
            "rejected": event.rejected,
        }
        operation = self._nodes[event.node].operation
        for outcome, count in counts.items():
            if count:
                self._records.add(count, {"syncer.operation": operation, "syncer.outcome": outcome})
        for name in [name for name in self._sent if name == event.unit or name.startswith(f"{event.unit}[")]:
            span = self._sent.pop(name)
            if name == event.unit:
                span.set_attributes({f"syncer.{outcome}": count for outcome, count in counts.items()})
            self._end(span, is_settled=True)

    @staticmethod
    def _end(span: Any, *, is_settled: bool) -> None:
        if span is not None:
            span.set_attribute("syncer.is_settled", is_settled)
            span.end()
