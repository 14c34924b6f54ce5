"""OpenTelemetry: spans and metrics as the SDK's in-memory exporters get them."""

import asyncio
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from homebox_async import (
    Address,
    AsyncBilling,
    AsyncHomebox,
    Event,
    Homebox,
    NotFound,
    OutcomeUnknown,
    RequestError,
    request_id,
)
from homebox_async.emulator import Emulator, Fault
from homebox_async.importer import import_properties
from homebox_async.otel import instrumented

from .telemetry import Telemetry

HOME = Address(line1="3 Test Lane", city="London", postcode="EC1V 2NX")
GET = ("GET", "/api/partner/property/1")
CREATE = ("POST", "/api/partner/property")
TEMPLATE = "/api/partner/property/{property_id}"


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Return the SDK with exporters in memory."""
    made = Telemetry()
    yield made
    made.shutdown()


def span_id(context: Any) -> int:
    """Return what tells a span from all others."""
    return int(context.span_id)


def port_of(url: str) -> int:
    """Return the port of an emulator."""
    return int(url.rpartition(":")[2])


async def test_a_call(telemetry: Telemetry, emulator: Emulator, homebox: AsyncHomebox) -> None:
    """An attempt is a CLIENT span below the call's, with the attributes of the conventions."""
    await telemetry.on(homebox).properties.get(1)
    attempt, call = telemetry.spans
    about = {
        "http.request.method": "GET",
        "url.template": TEMPLATE,
        "server.address": "127.0.0.1",
        "server.port": port_of(emulator.url),
    }
    assert (f"GET {TEMPLATE}", SpanKind.CLIENT, StatusCode.UNSET) == (
        *(attempt.name, attempt.kind),
        attempt.status.status_code,
    )
    assert about | {
        "url.full": f"{emulator.url}/api/partner/property/REDACTED",
        "http.response.status_code": 200,
    } == dict(attempt.attributes or {})
    assert (f"homebox GET {TEMPLATE}", SpanKind.INTERNAL, StatusCode.UNSET) == (
        *(call.name, call.kind),
        call.status.status_code,
    )
    assert about | {"homebox.outcome": "done", "homebox.attempts": 1} == dict(call.attributes or {})
    assert attempt.parent == call.context
    assert None is call.parent
    scope = attempt.instrumentation_scope
    assert scope is not None
    assert ("homebox_async", "https://opentelemetry.io/schemas/1.44.0") == (
        *(scope.name, scope.schema_url),
    )


async def test_the_metrics_of_a_call(
    telemetry: Telemetry, emulator: Emulator, homebox: Any
) -> None:
    """Attempts and calls are measured, each by its operation and end."""
    emulator.script(*GET, [Fault("status", 503)])
    await telemetry.on(homebox).properties.get(1)
    about = {
        "http.request.method": "GET",
        "url.template": TEMPLATE,
        "server.address": "127.0.0.1",
        "server.port": port_of(emulator.url),
    }
    failed, done = telemetry.points("http.client.request.duration")
    assert (about | {"http.response.status_code": 503, "error.type": "503"}, 1) == failed
    assert (about | {"http.response.status_code": 200}, 1) == done
    assert [(about | {"homebox.outcome": "done"}, 1)] == telemetry.points("homebox.call.duration")


async def test_a_retry(telemetry: Telemetry, emulator: Emulator, homebox: AsyncHomebox) -> None:
    """Each attempt has a span of its own, with its number; the call tells the waits."""
    emulator.script(
        *GET, [Fault("status", 429, headers={"Retry-After": "0"}), Fault("drop-before")]
    )
    await telemetry.on(homebox).properties.get(1)
    first, second, third, call = telemetry.spans
    for number, span in enumerate([first, second, third]):
        assert span.parent == call.context
        assert (number or None) == (span.attributes or {}).get("http.request.resend_count")
    assert [
        ("429", StatusCode.ERROR, None),
        ("ConnectionFailed", StatusCode.ERROR, "GET property/{property_id}"),
        (None, StatusCode.UNSET, None),
    ] == [
        (
            (span.attributes or {}).get("error.type"),
            span.status.status_code,
            span.status.description and span.status.description.partition(":")[0],
        )
        for span in (first, second, third)
    ]
    assert ["homebox.pause", "homebox.retry", "homebox.retry"] == [e.name for e in call.events]
    assert {0.0} == {(event.attributes or {})["homebox.wait"] for event in call.events}
    assert ("done", 3) == (
        (call.attributes or {})["homebox.outcome"],
        (call.attributes or {})["homebox.attempts"],
    )


@pytest.mark.parametrize(
    ("method", "act", "attempt_type", "call_type", "status", "outcome"),
    [
        ("GET", "404", "404", "NotFound", 404, "rejected"),
        ("GET", "302", "RedirectRefused", "RedirectRefused", 302, "rejected"),
        ("POST", "500", "500", "OutcomeUnknown", 500, "unknown"),
        ("POST", "reset", "ConnectionFailed", "OutcomeUnknown", None, "unknown"),
        ("POST", "garbage", "AnswerUnusable", "OutcomeUnknown", 200, "unknown"),
        ("POST", "hang", "AttemptTimeout", "OutcomeUnknown", None, "unknown"),
    ],
)
async def test_a_failure(
    telemetry: Telemetry,
    server: Any,
    connect: Any,
    method: str,
    act: str,
    attempt_type: str,
    call_type: str,
    status: int | None,
    outcome: str,
) -> None:
    """A failure tells its type, its status, and on the call what it did at the server."""
    acts = {"reset": server.reset, "hang": server.hang, "garbage": server.say(200, b"<html>")}
    server.default = acts.get(act) or server.say(int(act))
    client = telemetry.on(connect(timeout=0.05))
    with pytest.raises(RequestError):
        await client.request(method, "x/{id}", params={"id": "private"}, query={"q": "private"})
    attempt, call = telemetry.spans
    for span, kind in ((attempt, attempt_type), (call, call_type)):
        assert (StatusCode.ERROR, kind) == (
            span.status.status_code,
            (span.attributes or {})["error.type"],
        )
        assert () == span.events
    assert status == (attempt.attributes or {}).get("http.response.status_code")
    assert (
        f"{server.url}/api/partner/x/REDACTED?q=REDACTED" == (attempt.attributes or {})["url.full"]
    )
    assert outcome == (call.attributes or {})["homebox.outcome"]
    assert "private" not in "".join(span.to_json() for span in telemetry.spans)
    [(attributes, count)] = telemetry.points("homebox.call.duration")
    assert (outcome, call_type, 1) == (
        *(attributes["homebox.outcome"], attributes["error.type"]),
        count,
    )


async def test_a_cancellation(telemetry: Telemetry, server: Any, connect: Any) -> None:
    """A call that is cancelled is no error, as the conventions have it; its outcome is told."""
    server.default = server.hang
    task = asyncio.create_task(telemetry.on(connect()).request("POST", "x"))
    while not server.seen:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    attempt, call = telemetry.spans
    for span in (attempt, call):
        assert StatusCode.UNSET is span.status.status_code
        assert "error.type" not in (span.attributes or {})
    assert "http.response.status_code" not in (attempt.attributes or {})
    assert "unknown" == (call.attributes or {})["homebox.outcome"]


async def test_an_error_of_somebody_else(telemetry: Telemetry, connect: Any, server: Any) -> None:
    """What a middleware raises is told by its class, never by its words."""

    async def break_down(_: Any, __: Any) -> Any:
        raise KeyError("zqSecret")

    client = telemetry.on(connect()).with_options(attempt_middlewares=[break_down])
    with pytest.raises(KeyError):
        await client.request("GET", "x")
    assert ["KeyError"] * 2 == [(s.attributes or {})["error.type"] for s in telemetry.spans]
    assert "zqSecret" not in "".join(span.to_json() for span in telemetry.spans)


async def test_the_callers_span(telemetry: Telemetry, homebox: AsyncHomebox) -> None:
    """Calls hang below the span that is current where they are made, also those in tasks."""
    client = telemetry.on(homebox)
    tracer = telemetry.tracers.get_tracer("test")
    with tracer.start_as_current_span("mine"):
        await asyncio.gather(client.properties.get(1), client.properties.get(2))
        assert "mine" == getattr(trace.get_current_span(), "name", None)
    *_, mine = telemetry.spans
    calls = [
        span for span in telemetry.spans if span.kind is SpanKind.INTERNAL and span is not mine
    ]
    attempts = [span for span in telemetry.spans if span.kind is SpanKind.CLIENT]
    assert [mine.context] * 2 == [span.parent for span in calls]
    assert {span_id(call.context) for call in calls} == {span_id(s.parent) for s in attempts}


async def test_the_sync_client(telemetry: Telemetry, blocking: Homebox, told: list[Event]) -> None:
    """A sync client's calls hang below the span of the calling thread; its callback stays."""
    client = telemetry.on(blocking)
    assert isinstance(client, Homebox)

    def work() -> None:
        with telemetry.tracers.get_tracer("test").start_as_current_span("mine"):
            client.properties.get(1)
            with pytest.raises(NotFound):
                client.properties.get(99)

    await asyncio.to_thread(work)
    done, first, missing, second, mine = telemetry.spans
    assert (first.context, second.context) == (done.parent, missing.parent)
    assert first.parent == second.parent == mine.context
    assert "404" == (missing.attributes or {})["error.type"]
    assert 2 == len(told)


async def test_pages(telemetry: Telemetry, homebox: AsyncHomebox) -> None:
    """Each page of a list is a call."""
    await telemetry.on(homebox).properties.list(q="EC1V 2NX", prefetch=1).collect()
    attempts = [span for span in telemetry.spans if span.kind is SpanKind.CLIENT]
    assert ["GET /api/partner/property"] * 2 == [span.name for span in attempts]
    assert {"?q=REDACTED&page=REDACTED"} == {
        str((span.attributes or {})["url.full"]).partition("property")[2] for span in attempts
    }


async def test_an_import(
    telemetry: Telemetry, emulator: Emulator, homebox: AsyncHomebox, write: Callable[..., Path]
) -> None:
    """An import's requests are traced below the caller's span, and its rows are counted."""
    emulator.script(*CREATE, [None, Fault("drop-after")])
    lines = [f"{n} High Street,London,EC1V 2NX,R{n}" for n in range(1, 4)]
    source = write(*lines, "1 Test Lane,London,EC1V 2NX,T-1", ",London,EC1V 2NX,R9")
    with telemetry.tracers.get_tracer("test").start_as_current_span("mine"):
        report = await import_properties(telemetry.on(homebox), source, settle=0.05, concurrency=1)
    assert (2, 2, 1) == (report.created, report.adopted, report.rejected)
    rows = {a["homebox.row.state"]: count for a, count in telemetry.points("homebox.import.rows")}
    assert {"created": 2, "adopted": 2, "rejected": 1} == rows
    mine = telemetry.spans[-1]
    calls = [s for s in telemetry.spans if s.name == "homebox POST /api/partner/property"]
    assert {span_id(mine.context)} == {span_id(span.parent) for span in calls}
    assert {"done": 2, "unknown": 1} == Counter(
        (span.attributes or {})["homebox.outcome"] for span in calls
    )


async def test_the_billing_api(telemetry: Telemetry) -> None:
    """Its template begins with its own root; what is fetched to log in is part of the attempt."""
    async with Emulator() as emulator:
        username, password = emulator.billing_login
        made = AsyncBilling(
            username=username,
            password=password,
            base_url=emulator.billing_url,
            login_url=emulator.billing_url,
            administrator_ids=[1],
        )
        async with telemetry.on(made) as billing:
            await billing.headers("0" * 32)
    attempt, call = telemetry.spans
    assert attempt.name == call.name.removeprefix("homebox ")
    assert attempt.name.endswith("/BillingHeaders/{propertyUUId}")
    assert str((attempt.attributes or {})["url.full"]).endswith("/BillingHeaders/REDACTED")


async def test_request_ids(telemetry: Telemetry, server: Any, connect: Any) -> None:
    """The attempts tell both request ids, by the names that the conventions give to headers."""
    server.acts = [server.say(503, headers=[("X-Request-Id", "srv-1")])]
    server.default = server.say(headers=[("X-Request-Id", "srv-2")])
    with request_id("job-42"):
        await telemetry.on(connect()).request("GET", "x")
    first, second, _ = telemetry.spans
    assert [(("job-42",), ("srv-1",)), (("job-42",), ("srv-2",))] == [
        (
            (span.attributes or {})["http.request.header.x-request-id"],
            (span.attributes or {})["http.response.header.x-request-id"],
        )
        for span in (first, second)
    ]


class Broken(SpanProcessor):
    """A processor that fails where it can."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Fail."""
        raise ZeroDivisionError("zqSecret")

    def on_end(self, span: Any) -> None:
        """Fail."""
        raise ZeroDivisionError("zqSecret")


@pytest.mark.parametrize("how", ["start", "end"])
async def test_a_broken_processor(
    telemetry: Telemetry,
    emulator: Emulator,
    homebox: AsyncHomebox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """A processor of the user's that raises changes no call; it is logged once."""
    monkeypatch.delattr(Broken, "on_end" if how == "start" else "on_start")
    telemetry.tracers.add_span_processor(Broken())
    client = telemetry.on(homebox)
    assert 1 == (await client.properties.get(1)).id
    emulator.script(*CREATE, [Fault("drop-after")])
    with pytest.raises(OutcomeUnknown):
        await client.properties.create(HOME, property_reference="T-9")
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage().startswith(f"OpenTelemetry raised ZeroDivisionError in on_{how} (")
    assert "zqSecret" not in caplog.text
    assert 2 == sum(count for _, count in telemetry.points("homebox.call.duration"))


# --- what is sent, and what is silenced


@pytest.mark.parametrize("propagate", [False, True])
async def test_propagation(
    telemetry: Telemetry, emulator: Emulator, homebox: AsyncHomebox, propagate: bool
) -> None:
    """The trace's id leaves only if it is asked for, new with each attempt; baggage never does."""
    emulator.script(*GET, [Fault("status", 503)])
    client = telemetry.on(homebox, propagate=propagate)
    token = context.attach(baggage.set_baggage("tenant", "zqSecret"))
    try:
        with request_id("job-42"):
            await client.properties.get(1)
    finally:
        context.detach(token)
    sent = [received.headers for received in emulator.received]
    ids = [
        f"00-{about.trace_id:032x}-{about.span_id:016x}-{about.trace_flags:02x}"
        for about in (span.context for span in telemetry.spans[:2])
    ]
    assert (ids if propagate else [None] * 2) == [headers.get("traceparent") for headers in sent]
    assert ["job-42"] * 2 == [headers.get("x-request-id") for headers in sent]
    assert "zqSecret" not in repr(sent)


async def test_aiohttps_own_instrumentation(telemetry: Telemetry, emulator: Emulator) -> None:
    """Where aiohttp is instrumented as well, a request has one span, without its whole URL."""
    AioHttpClientInstrumentor().instrument(tracer_provider=telemetry.tracers)
    try:
        async with AsyncHomebox(emulator.token, base_url=emulator.url) as client:
            await client.properties.get(1)
            await telemetry.on(client).properties.get(1)
    finally:
        AioHttpClientInstrumentor().uninstrument()
    theirs, *ours = telemetry.spans
    assert "property/1" in theirs.to_json()  # it was on
    assert 2 == len(ours)
    assert "property/1" not in "".join(span.to_json() for span in ours)


async def test_without_an_sdk(
    emulator: Emulator, homebox: AsyncHomebox, caplog: pytest.LogCaptureFixture
) -> None:
    """With the API of OpenTelemetry alone, calls go on as ever."""
    caplog.set_level(logging.WARNING)
    assert 1 == (await instrumented(homebox).properties.get(1)).id
    emulator.script(*CREATE, [Fault("drop-after")])
    with pytest.raises(OutcomeUnknown):
        await instrumented(homebox).properties.create(HOME, property_reference="T-9")
    assert [] == caplog.records


def test_without_the_extra() -> None:
    """Without the extra, the import says what to install; the package itself needs none of it."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None; import homebox_async; "
        "homebox_async.Homebox; import homebox_async.otel"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.rstrip().endswith("run: pip install 'homebox-async[otel]'")
    assert "ImportError: OpenTelemetry is not installed" in done.stderr


def test_it_is_loaded_by_nobody_else() -> None:
    """The clients load nothing of OpenTelemetry."""
    code = (
        "import sys, homebox_async; homebox_async.Homebox; sys.exit('opentelemetry' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-W", "error", "-c", code]).returncode
