"""The SDK of OpenTelemetry with exporters in memory."""

from typing import Any

import attrs
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from homebox_async.otel import instrumented


@attrs.define
class Telemetry:
    """The SDK with exporters in memory."""

    exporter: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = attrs.field(factory=InMemoryMetricReader)
    tracers: TracerProvider = attrs.field(init=False)
    meters: MeterProvider = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def on(self, client: Any, **options: Any) -> Any:
        """Return the client's view that is traced and measured here."""
        providers = {"tracer_provider": self.tracers, "meter_provider": self.meters}
        return instrumented(client, **providers, **options)

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, the attempts of a call before the call."""
        return list(self.exporter.get_finished_spans())

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Return a metric's attributes and count, or sum for a counter, of each series."""
        data = self.reader.get_metrics_data()
        return [
            (dict(point.attributes), getattr(point, "count", None) or point.value)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    @property
    def words(self) -> str:
        """All that was exported, as text, but for its random ids."""
        data = self.reader.get_metrics_data()
        told = [
            f"{span.name} {dict(span.attributes or {})} {span.status.description} "
            f"{[(event.name, dict(event.attributes or {})) for event in span.events]}"
            for span in self.spans
        ]
        return "\n".join([*told, data.to_json() if data else ""])

    def shutdown(self) -> None:
        """End the SDK."""
        self.tracers.shutdown()
        self.meters.shutdown()
