"""Request ids: a caller's own on the way to the server, the server's on the way back."""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async import (
    AsyncHomebox,
    Event,
    Homebox,
    HomeboxError,
    RequestError,
    RequestEvent,
    RetryEvent,
    ValidationError,
    request_id,
)
from homebox_async.emulator import Emulator, Fault
from homebox_async.request_ids import passed_id
from homebox_async.wire import JsonBody

ID = "X-Request-Id"


async def test_sent(emulator: Emulator, homebox: AsyncHomebox, told: list[Event]) -> None:
    """An id goes with each call and each attempt inside, and with none outside."""
    emulator.script("GET", "/api/partner/property/1", [Fault("status", 503)])
    with request_id("job-42"):
        await homebox.properties.get(1)
        with request_id("job-43"):
            await homebox.properties.list().collect()
    await homebox.properties.get(2)
    ids = [sent.headers.get(ID.lower()) for sent in emulator.received]
    assert ["job-42", "job-42", "job-43", "job-43", None] == ids
    assert ["job-42", "job-43", "job-43", None] == [
        event.sent_request_id for event in told if isinstance(event, RequestEvent)
    ]


async def test_sent_by_tasks_and_threads(emulator: Emulator, blocking: Homebox) -> None:
    """Tasks and sync calls inherit the id of where they were started."""

    def work() -> None:
        with request_id("thread-1"):
            blocking.properties.get(1)
            list(blocking.properties.list())
        blocking.properties.get(2)

    await asyncio.to_thread(work)
    ids = [sent.headers.get(ID.lower()) for sent in emulator.received]
    assert ["thread-1", "thread-1", "thread-1", None] == ids


@pytest.mark.parametrize(
    "value",
    [
        *("", "two words", "a\r\nX-Evil: 1", "a\n", "\x00", "é", "٣", "a,b", "a" * 129),
        *(None, 7, b"bytes"),
    ],
    ids=repr,
)
def test_refused(value: Any) -> None:
    """What is no id is refused before anything is sent, and is not repeated."""
    with pytest.raises(ValidationError) as caught, request_id(value):
        raise AssertionError
    [problem] = caught.value.problems
    assert ("request_id", "is not an id") == (problem.field, problem.problem)
    assert repr(value) not in str(caught.value) or value == ""
    assert None is passed_id.get()


@given(st.text(max_size=140))
def test_only_ids_pass(value: str) -> None:
    """Whatever text is given: it is refused, or can neither end a line nor leave ASCII."""
    try:
        with request_id(value):
            assert re.fullmatch(r"[!-~]{1,128}", value)
    except ValidationError:
        assert not re.fullmatch(r"[a-zA-Z0-9-]{1,128}", value)


async def test_the_servers(server: Any, connect: Any, told: list[Event]) -> None:
    """The server's id is on the event of a call that succeeds."""
    server.default = server.say(headers=[(ID, "srv-1")])
    await connect(on_event=told.append).request("GET", "x")
    assert ["srv-1"] == [event.request_id for event in told if isinstance(event, RequestEvent)]


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [("GET", 404, b""), ("POST", 500, b""), ("POST", 200, b"<html>")],
    ids=["status", "unknown", "unusable"],
)
async def test_the_servers_of_a_failure(
    server: Any, connect: Any, told: list[Event], method: str, status: int, body: bytes
) -> None:
    """The server's id is on the error of a call that failed, and on its event."""
    server.default = server.say(status, body, [(ID, "srv-1")])
    with pytest.raises(RequestError) as caught:
        await connect(on_event=told.append).request(method, "x")
    assert "srv-1" == caught.value.request_id
    assert ["srv-1"] == [event.request_id for event in told if isinstance(event, RequestEvent)]


async def test_the_servers_of_a_retry(server: Any, connect: Any, told: list[Event]) -> None:
    """The event of a retry has the id of the attempt that failed."""
    server.acts = [server.say(503, headers=[(ID, "srv-1")])]
    await connect(on_event=told.append).request("GET", "x")
    assert ["srv-1"] == [event.request_id for event in told if isinstance(event, RetryEvent)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        *(("job-1", "job-1"), ("two words", None), ("a" * 129, None), ("é", None)),
        *(("Zqname", None), ("id-zqNAME-7", None), ("test-token-1", None)),
        *(("7-zqfirst-oflast-1", None), ("zqFirstOfLast", None), ("oflast", None)),
        *(("73195284", None), ("x73195284x", None), ("7", None), ("4-7-1", "4-7-1"), ("", None)),
    ],
)
async def test_what_the_server_may_not_say(
    server: Any, connect: Any, told: list[Event], said: str, expected: str | None
) -> None:
    """An id that repeats what was sent, the token among it, or that is none, is not taken."""
    server.default = server.say(422, b"", [(ID, said)])
    sent = {"name": "Zqname", "account_number": "73195284", "id": "7", "who": "Zqfirst O'Flast"}
    client = connect(on_event=told.append)
    with request_id("job-1"), pytest.raises(HomeboxError) as caught:
        await client.request("POST", "x", json=sent)
    assert expected == getattr(caught.value, "request_id", "none")
    server.default = server.say(200, b"{}", [(ID, said)])
    with request_id("job-1"):
        await client.request("POST", "x", json=sent)
    assert [expected] * 2 == [e.request_id for e in told if isinstance(e, RequestEvent)]


async def test_a_middleware_that_sends_something_else(
    server: Any, connect: Any, told: list[Event]
) -> None:
    """What a middleware puts into the header is told only if it is an id."""

    async def add(request: Any, handler: Any) -> Any:
        request.headers = {ID: "no id"}
        return await handler(request)

    await connect(on_event=told.append, middlewares=[add]).request("GET", "x")
    assert "no id" == server.seen[0].headers[ID.lower()]
    assert [None] == [event.sent_request_id for event in told if isinstance(event, RequestEvent)]


async def test_a_middleware_that_makes_a_body(server: Any, connect: Any, told: list[Event]) -> None:
    """A body that a middleware has made is looked at as it is; the call is as good as ever."""

    async def swap(request: Any, handler: Any) -> Any:
        request.body = JsonBody(b"zqSecret, and no JSON")
        return await handler(request)

    server.acts = [server.say(headers=[(ID, "srv-1")])]
    server.default = server.say(422, b'{"message": "no zqsecret, and no json"}', [(ID, "srv-2")])
    client = connect(on_event=told.append, attempt_middlewares=[swap])
    assert {} == await client.request("POST", "x", json={})
    with pytest.raises(RequestError) as caught:
        await client.request("POST", "x", json={})
    assert ["srv-1", "srv-2"] == [e.request_id for e in told if isinstance(e, RequestEvent)]
    assert "no [body] [" in str(caught.value)
