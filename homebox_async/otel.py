"""Spans and metrics of OpenTelemetry (extra `otel`).

::

    async with instrumented(AsyncHomebox()) as client:
        await client.properties.get(1)

Spans follow the HTTP semantic conventions: each attempt is a CLIENT span, named
``GET /api/partner/property/{property_id}``. What belongs together hangs below an INTERNAL span,
the call, which tells its outcome and holds its retries and pauses as events. The conventions
for RPC are for systems with services and methods of their own; this API has paths.

Nothing personal gets into them: paths are templates, and in ``url.full``, which the conventions
require, each value stands as REDACTED.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

import attrs
from yarl import URL

from .base_client import BaseClient, BlockingClient
from .errors import RequestError, StatusError
from .events import Event, PauseEvent, RetryEvent, RowEvent
from .middleware import Handler
from .observer import Guard, outcome_of_end, sent_id
from .version import own_version
from .wire import Request, Response

try:
    from opentelemetry import context, metrics, trace
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as missing:
    raise ImportError(
        "OpenTelemetry is not installed; run: pip install 'homebox-async[otel]'"
    ) from missing

C = TypeVar("C", bound="BaseClient | BlockingClient[Any]")
Attributes = dict[str, str | int | float]

_SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"
# The boundaries that "HTTP metrics" asks for.
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


def instrumented(
    client: C,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
    propagate: bool = False,
) -> C:
    """Return a view of a client, as `with_options` does, that makes spans and metrics.

    The view takes the client's place; closing either closes both. The providers are the global
    ones by default. `propagate`: send ``traceparent`` and ``tracestate`` along; off, for the API
    belongs to somebody else. Baggage is never sent.
    Inside an attempt other instrumentations are silenced: those of the HTTP libraries below would
    tell the same once more, with whole URLs.
    """
    inner = client._target if isinstance(client, BlockingClient) else client
    telemetry = _Telemetry(inner._transport.root, tracer_provider, meter_provider, propagate)
    view = client.with_options(
        middlewares=[telemetry.call],
        attempt_middlewares=[telemetry.attempt],
        on_event=telemetry.hear,
    )
    return cast("C", view)  # with_options returns Self, which mypy loses over a union


@attrs.define(eq=False)
class _Call:
    """What the attempts of one call have in common."""

    span: trace.Span
    attempts: int = 0


_call: ContextVar[_Call] = ContextVar("homebox_otel_call")


class _Telemetry:
    def __init__(
        self,
        root: str,
        tracer_provider: trace.TracerProvider | None,
        meter_provider: metrics.MeterProvider | None,
        propagate: bool,
    ) -> None:
        url = URL(root)
        assert url.host is not None
        assert url.port is not None
        self._guard = Guard("OpenTelemetry")
        self._root = root.rstrip("/")
        self._prefix = url.path.rstrip("/")
        self._server: Attributes = {"server.address": url.host, "server.port": url.port}
        self._propagator = TraceContextTextMapPropagator() if propagate else None
        name, version = "homebox_async", own_version()
        self._tracer = trace.get_tracer(name, version, tracer_provider, _SCHEMA)
        meter = metrics.get_meter(name, version, meter_provider, _SCHEMA)
        self._attempt_seconds = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._call_seconds = meter.create_histogram(
            "homebox.call.duration",
            unit="s",
            description="Duration of calls, with all their attempts and waits.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._rows = meter.create_counter(
            "homebox.import.rows", unit="{row}", description="Rows of imports that have ended."
        )

    async def call(self, request: Request, handler: Handler) -> Response:
        """Make the span of a call; runs once per call."""
        about = self._about(request)
        name = f"homebox {request.method} {about['url.template']}"
        call = _Call(self._begin(name, trace.SpanKind.INTERNAL, about))
        current = context.attach(trace.set_span_in_context(call.span))
        token = _call.set(call)
        began = time.monotonic()
        ended: Attributes = {"homebox.outcome": "done"}
        try:
            return await handler(request)
        except BaseException as error:
            ended = {"homebox.outcome": outcome_of_end(error).value}
            if not isinstance(error, asyncio.CancelledError):
                ended["error.type"] = type(error).__name__
                self._guard.run(_set_failed, call.span, error)
            raise
        finally:
            _call.reset(token)
            context.detach(current)
            self._measure(self._call_seconds, began, {**about, **ended})
            self._end(call.span, {**ended, "homebox.attempts": call.attempts})

    async def attempt(self, request: Request, handler: Handler) -> Response:
        """Make the span of an attempt; runs once per attempt."""
        about, call = self._about(request), _call.get()
        own: Attributes = {"url.full": self._redacted(request)}
        if call.attempts:
            own["http.request.resend_count"] = call.attempts
        call.attempts += 1
        name = f"{request.method} {about['url.template']}"
        span = self._begin(name, trace.SpanKind.CLIENT, {**about, **own})
        here = trace.set_span_in_context(span)
        if self._propagator is not None:
            headers = dict(request.headers or {})
            self._propagator.inject(headers, here)
            request = attrs.evolve(request, headers=headers)
        current = context.attach(context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True, here))
        began = time.monotonic()
        ended: Attributes = {}
        server_id = None
        try:
            response = await handler(request)
            ended = {"http.response.status_code": response.status}
            server_id = response.request_id
            return response
        except BaseException as error:
            if isinstance(error, RequestError):
                server_id = error.request_id
                if error.status is not None:
                    ended = {"http.response.status_code": error.status}
            if not isinstance(error, asyncio.CancelledError):
                ended["error.type"] = _error_type(error)
                self._guard.run(_set_failed, span, error)
            raise
        finally:
            context.detach(current)
            self._measure(self._attempt_seconds, began, {**about, **ended})
            self._guard.run(_set_ids, span, sent_id(request), server_id)
            self._end(span, ended)

    def hear(self, event: Event) -> None:
        """Note what happens between attempts, and what became of the rows of an import."""
        if isinstance(event, RowEvent):
            self._rows.add(1, {"homebox.row.state": event.state})
        elif isinstance(event, RetryEvent):
            _call.get().span.add_event("homebox.retry", {"homebox.wait": event.wait})
        elif isinstance(event, PauseEvent):
            _call.get().span.add_event("homebox.pause", {"homebox.wait": event.seconds})

    def _about(self, request: Request) -> Attributes:
        return {
            "http.request.method": request.method,
            "url.template": f"{self._prefix}/{request.path}",
            **self._server,
        }

    def _redacted(self, request: Request) -> str:
        """Return the URL with each of its values hidden, as far as they are personal or not."""
        path = re.sub(r"\{\w+\}", "REDACTED", request.path)
        query = "&".join(f"{quote(name, safe='')}=REDACTED" for name, _ in request.query)
        return f"{self._root}/{path}" + (f"?{query}" if query else "")

    # What a processor, a sampler or a view of the user's raises must not look like a failed call.

    def _begin(self, name: str, kind: trace.SpanKind, attributes: Attributes) -> trace.Span:
        begin = self._guard.run(self._tracer.start_span, name, kind=kind, attributes=attributes)
        return begin or trace.INVALID_SPAN

    def _measure(self, seconds: metrics.Histogram, began: float, attributes: Attributes) -> None:
        self._guard.run(seconds.record, time.monotonic() - began, attributes)

    def _end(self, span: trace.Span, attributes: Attributes) -> None:
        self._guard.run(span.set_attributes, attributes)
        self._guard.run(span.end)


def _set_failed(span: trace.Span, error: BaseException) -> None:
    # Where there is a status, the conventions want no words.
    told = isinstance(error, RequestError) and not isinstance(error, StatusError)
    span.set_status(trace.StatusCode.ERROR, str(error) if told else None)


def _error_type(error: BaseException) -> str:
    if isinstance(error, StatusError) and error.status >= 400:
        return str(error.status)
    return type(error).__name__


def _set_ids(span: trace.Span, sent: str | None, answered: str | None) -> None:
    for way, value in (("request", sent), ("response", answered)):
        if value is not None:
            span.set_attribute(f"http.{way}.header.x-request-id", [value])
