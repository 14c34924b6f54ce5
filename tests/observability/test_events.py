"""Events: what is told of calls, retries, pauses and pages, and a callback that breaks."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import homebox_async.emulator as emulated
from homebox_async import (
    Address,
    AsyncBilling,
    AsyncHomebox,
    AttemptTimeout,
    Billing,
    ConfigurationError,
    Event,
    Homebox,
    HomeboxError,
    NotFound,
    Outcome,
    OutcomeUnknown,
    PageEvent,
    PauseEvent,
    Request,
    RequestError,
    RequestEvent,
    Response,
    Retry,
    RetryEvent,
)
from homebox_async.emulator import Emulator, Fault
from homebox_async.failures import failure
from homebox_async.middleware import chain
from homebox_async.observer import Listener, Observer
from homebox_async.retry import Retrier
from homebox_async.wire import SAFETY

TOKEN = "test-token-1"
HOME = Address(line1="3 Test Lane", city="London", postcode="EC1V 2NX")
GET = ("GET", "/api/partner/property/1")
CREATE = ("POST", "/api/partner/property")


def kinds(told: list[Event]) -> list[str]:
    """Return the kinds of the events."""
    return [type(event).__name__ for event in told]


async def test_a_call(homebox: AsyncHomebox, told: list[Event]) -> None:
    """A call tells one event: what it was, what came of it, and how long it took."""
    await homebox.properties.get(1)
    [event] = told
    assert isinstance(event, RequestEvent)
    assert ("GET", "property/{property_id}", 200, 1) == (
        *(event.method, event.path),
        *(event.status, event.attempts),
    )
    assert (None, None, "", None) == (event.outcome, event.error, event.message, event.request_id)
    assert event.size > 100
    assert event.seconds > 0


async def test_a_call_of_the_sync_client(blocking: Homebox, told: list[Event]) -> None:
    """A sync client tells the same, in its own thread."""
    threads: list[str] = []
    view = blocking.with_options(on_event=lambda _: threads.append(threading.current_thread().name))
    await asyncio.to_thread(view.properties.get, 1)
    [event] = told
    assert isinstance(event, RequestEvent)
    assert ("GET", "property/{property_id}", None) == (event.method, event.path, event.outcome)
    assert ["homebox-client"] == threads


@pytest.mark.parametrize(
    ("method", "act", "error", "outcome", "status", "attempts"),
    [
        ("GET", "404", "NotFound", Outcome.REJECTED, 404, 1),
        ("GET", "503", "ServerError", Outcome.REJECTED, 503, 3),
        ("GET", "reset", "ConnectionFailed", Outcome.UNKNOWN, None, 3),
        ("GET", "garbage", "AnswerUnusable", Outcome.UNKNOWN, 200, 3),
        ("GET", "hang", "AttemptTimeout", Outcome.UNKNOWN, None, 3),
        ("POST", "422", "UnprocessableEntity", Outcome.REJECTED, 422, 1),
        ("POST", "500", "OutcomeUnknown", Outcome.UNKNOWN, 500, 1),
        ("POST", "reset", "OutcomeUnknown", Outcome.UNKNOWN, None, 1),
        ("POST", "garbage", "OutcomeUnknown", Outcome.UNKNOWN, 200, 1),
    ],
)
async def test_a_call_that_fails(
    server: Any,
    connect: Any,
    told: list[Event],
    method: str,
    act: str,
    error: str,
    outcome: Outcome,
    status: int | None,
    attempts: int,
) -> None:
    """The event of a failed call says what its error says."""
    acts = {"reset": server.reset, "hang": server.hang, "garbage": server.say(200, b"<html>")}
    server.default = acts.get(act) or server.say(int(act))
    client = connect(on_event=told.append, timeout=0.05)
    with pytest.raises(RequestError) as caught:
        await client.request(method, "x/{id}", params={"id": "private"})
    event = told[-1]
    assert isinstance(event, RequestEvent)
    assert (error, outcome, status, attempts) == (
        *(event.error, event.outcome),
        *(event.status, event.attempts),
    )
    assert (str(caught.value), caught.value.status) == (event.message, status)
    assert ["RetryEvent"] * (attempts - 1) + ["RequestEvent"] == kinds(told)


async def test_a_call_that_is_never_sent(server: Any, connect: Any, told: list[Event]) -> None:
    """A closed client and a port without a server are told as not sent."""
    client = connect(on_event=told.append, retry=Retry(attempts=1))
    await server.stop()
    with pytest.raises(HomeboxError):
        await client.request("POST", "x")
    await client.aclose()
    with pytest.raises(ConfigurationError):
        await client.request("POST", "x")
    assert [("ConnectionFailed", 1), ("ConfigurationError", None)] == [
        (event.error, event.attempts) for event in told if isinstance(event, RequestEvent)
    ]
    assert {Outcome.NOT_SENT} == {getattr(event, "outcome", None) for event in told}


async def test_a_call_that_is_cancelled(server: Any, connect: Any, told: list[Event]) -> None:
    """A call that is cancelled is told with what it did at the server."""
    server.default = server.hang
    client = connect(on_event=told.append, max_connections=1)
    sent = asyncio.create_task(client.request("POST", "x"))
    while not server.seen:
        await asyncio.sleep(0.001)
    waiting = asyncio.create_task(client.request("POST", "y"))
    await asyncio.sleep(0.01)
    for task in (waiting, sent):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [
        ("y", "CancelledError", Outcome.NOT_SENT),
        ("x", "CancelledError", Outcome.UNKNOWN),
    ] == [(event.path, event.error, event.outcome) for event in told]  # type: ignore[union-attr]


async def test_an_error_of_somebody_else(server: Any, connect: Any, told: list[Event]) -> None:
    """What a middleware raises is told by its class alone, with the outcome open."""

    async def break_down(_: Request, __: Any) -> Response:
        raise KeyError("zqSecret")

    client = connect(on_event=told.append, attempt_middlewares=[break_down])
    with pytest.raises(KeyError):
        await client.request("POST", "x")
    [event] = told
    assert isinstance(event, RequestEvent)
    assert ("KeyError", "", Outcome.UNKNOWN, None) == (
        *(event.error, event.message),
        *(event.outcome, event.attempts),
    )
    assert "zqSecret" not in repr(event) + str(event)


async def test_retries(emulator: Emulator, homebox: AsyncHomebox, told: list[Event]) -> None:
    """Each attempt that is followed by another one is told, and the call once in the end."""
    emulator.script(*GET, [Fault("status", 503), Fault("drop-before", reset=True)])
    await homebox.properties.get(1)
    first, second, end = told
    assert isinstance(first, RetryEvent)
    assert isinstance(second, RetryEvent)
    assert isinstance(end, RequestEvent)
    assert ("GET", "property/{property_id}", 1, "ServerError", 503) == (
        *(first.method, first.path, first.attempt),
        *(first.error, first.status),
    )
    assert (2, "ConnectionFailed", None) == (second.attempt, second.error, second.status)
    assert (Outcome.REJECTED, Outcome.UNKNOWN) == (first.outcome, second.outcome)
    assert (None, 3) == (end.outcome, end.attempts)


async def test_a_delete_whose_answer_was_lost(server: Any, connect: Any, told: list[Event]) -> None:
    """A DELETE that is gone at its second attempt is a success of two attempts."""
    server.acts = [server.reset, server.say(404)]
    client = connect(on_event=told.append)
    await client.request("DELETE", "x")
    assert isinstance(told[-1], RequestEvent)
    assert (None, 2, 204) == (told[-1].outcome, told[-1].attempts, told[-1].status)


async def test_pauses(server: Any, connect: Any, told: list[Event]) -> None:
    """A pause is told when the server asks for it, also one that is too long to wait for."""
    server.acts = [
        server.say(429, headers=[("Retry-After", "0")]),
        server.say(),
        server.say(429, headers=[("Retry-After", "60")]),
    ]
    client = connect(on_event=told.append, deadline=5.0)
    await client.request("GET", "x")
    with pytest.raises(HomeboxError):
        await client.request("GET", "y")
    assert [("x", 0.0), ("y", 60.0)] == [
        (event.path, event.seconds) for event in told if isinstance(event, PauseEvent)
    ]
    assert ["PauseEvent", "RetryEvent", "RequestEvent", "PauseEvent", "RequestEvent"] == kinds(told)


@pytest.mark.parametrize("prefetch", [0, 2])
async def test_pages(
    emulator: Emulator, homebox: AsyncHomebox, told: list[Event], prefetch: int
) -> None:
    """Each page of a list is told after its request."""
    for number in range(3, 31):
        home = emulated.Address(f"{number} Test Lane", None, "London", None, "EC1V 2NX")
        emulator.store.add_property(home, reference=f"T-{number}")
    found = await homebox.properties.list(prefetch=prefetch).collect()
    pages = [event for event in told if isinstance(event, PageEvent)]
    assert len(found) == sum(page.items for page in pages) == 30
    assert [*range(1, len(pages) + 1)] == sorted(page.number for page in pages)
    assert len(pages) > 1
    assert {"property"} == {page.path for page in pages}
    assert {(pages[0].last_page, pages[0].total)} == {(p.last_page, p.total) for p in pages}


async def test_the_billing_api(told: list[Event]) -> None:
    """Both clients of the Billing API tell their calls; the login is no call."""
    async with Emulator() as emulator:
        username, password = emulator.billing_login
        options: dict[str, Any] = {
            "username": username,
            "password": password,
            "administrator_ids": [1],
            "base_url": emulator.billing_url,
            "login_url": emulator.billing_url,
            "on_event": told.append,
        }

        def sync() -> None:
            with Billing(**options) as billing:
                billing.headers("0" * 32)

        async with AsyncBilling(**options) as billing:
            await billing.headers("0" * 32)
        await asyncio.to_thread(sync)
    assert ["RequestEvent"] * 2 == kinds(told)
    assert told[0].path == told[1].path  # type: ignore[union-attr]
    assert "0" * 32 not in repr(told)


# --- the callback


async def test_views(emulator: Emulator, homebox: AsyncHomebox, told: list[Event]) -> None:
    """A view keeps the callback and may add one, which the client does not get."""
    more: list[Event] = []
    await homebox.with_options(deadline=None).properties.get(1)
    assert 1 == len(told)
    await homebox.with_options(on_event=more.append).properties.get(1)
    assert (2, 1) == (len(told), len(more))
    await homebox.properties.get(1)
    assert (3, 1) == (len(told), len(more))


class Broken:
    """A callback that raises, after it was told."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.told: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Take the event, and break."""
        self.told.append(event)
        raise self.error


@pytest.mark.parametrize(
    "error", [KeyError("zqSecret"), asyncio.CancelledError("zqSecret")], ids=["error", "cancelled"]
)
async def test_a_broken_callback(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """A callback that raises changes no call; it is logged once, without its words."""
    emulator.script(*GET, [Fault("status", 503)])
    emulator.script(*CREATE, [Fault("drop-after")])
    broken, good = Broken(error), list[Event]()
    async with AsyncHomebox(
        TOKEN, base_url=emulator.url, retry=Retry(backoff=0.0), on_event=broken
    ) as client:
        view = client.with_options(on_event=good.append)
        assert 1 == (await view.properties.get(1)).id
        with pytest.raises(OutcomeUnknown):
            await view.properties.create(HOME, property_reference="T-3")
        with pytest.raises(NotFound):
            await client.properties.get(99)
    assert ["RetryEvent"] + ["RequestEvent"] * 3 == kinds(broken.told)
    assert broken.told[:3] == good
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "homebox_async.client" == record.name
    assert record.getMessage().startswith(f"on_event raised {type(error).__name__} in __call__ (")
    assert "zqSecret" not in caplog.text


def test_the_end_of_the_program_is_no_failure() -> None:
    """KeyboardInterrupt and SystemExit go through a callback."""
    event = PauseEvent(method="GET", path="x", seconds=1.0)
    for end in (KeyboardInterrupt, SystemExit):
        with pytest.raises(end):
            Listener(Broken(end())).hear(event)


async def test_a_callback_that_calls_back(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A sync call from the callback of a sync client is refused there and harms nothing."""
    clients: list[Homebox] = []

    def call(_: Event) -> None:
        clients[0].properties.get(2)

    def run() -> int | None:
        with Homebox(TOKEN, base_url=emulator.url, on_event=call) as client:
            clients.append(client)
            return client.properties.get(1).id

    assert 1 == await asyncio.to_thread(run)
    assert "on_event raised ConfigurationError" in caplog.text


async def _later(_: Event) -> None: ...


@pytest.mark.parametrize("callback", [_later, "print"], ids=["coroutine", "text"])
@pytest.mark.parametrize("kind", [AsyncHomebox, Homebox, AsyncBilling, Billing])
def test_what_cannot_be_called(kind: Callable[..., Any], callback: Any) -> None:
    """A callback that would never run is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"on_event is (not a plain function|a str)"):
        kind("token", on_event=callback)


# --- what always holds


async def test_it_costs_nothing_unasked() -> None:
    """Where nobody listens, a call goes through the observer without a coroutine of its own."""
    done = asyncio.sleep(0, Response(200, {}, b""))
    logging.getLogger("homebox_async.client").setLevel(logging.INFO)
    try:
        assert done is Observer()(Request("GET", "x"), lambda _: done)  # type: ignore[arg-type,return-value]
    finally:
        logging.getLogger("homebox_async.client").setLevel(logging.NOTSET)
    await done


ATTEMPTS = st.sampled_from(["200", "404", "429", "500", "503", "timeout"])


@settings(max_examples=60, deadline=None)
@given(method=st.sampled_from(sorted(SAFETY)), course=st.lists(ATTEMPTS, min_size=4, max_size=4))
def test_each_call_is_told_once(method: str, course: list[str]) -> None:
    """Whatever the attempts come to: one event per retry, one for the call, and it is right."""
    told: list[Event] = []
    made: list[str] = []
    observer = Observer((Listener(told.append),))
    request = Request(method, "x", safety=SAFETY[method])

    async def attempt(request: Request) -> Response:
        made.append(kind := course[len(made)])
        if kind == "timeout":
            raise AttemptTimeout("late", outcome=Outcome.UNKNOWN, method=method, path="x")
        response = Response(int(kind), {"Retry-After": "0"}, b"")
        if response.status < 300:
            return response
        raise failure(request, response, 0.0)

    async def run() -> RequestError | None:
        retrier = Retrier(Retry(attempts=4, backoff=0.0), tell=observer.tell)
        try:
            await chain([observer, retrier], attempt)(request)
        except RequestError as error:
            return error
        return None

    error = asyncio.run(run())
    *before, end = [event for event in told if not isinstance(event, PauseEvent)]
    assert isinstance(end, RequestEvent)
    assert (len(made), error and error.outcome) == (end.attempts, end.outcome)
    assert [*range(1, len(made))] == [
        event.attempt for event in before if isinstance(event, RetryEvent)
    ]
    assert len(before) == len(made) - 1
    assert made.count("429") == sum(isinstance(event, PauseEvent) for event in told)


def test_events_are_values() -> None:
    """An event can be compared, hashed and kept, and not changed."""
    event = PauseEvent(method="GET", path="x", seconds=1.0)
    assert {event} == {attrs.evolve(event)}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.seconds = 2.0  # type: ignore[misc]
