"""Slots, pauses, cancellation and the words of failures, against a real server.

The table of outcomes has its tests in `tests/reliability`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from homebox_async import (
    AsyncHomebox,
    ConfigurationError,
    DeadlineExceeded,
    Outcome,
    OutcomeUnknown,
    RedirectRefused,
    RequestError,
    Retry,
    UnprocessableEntity,
)

WRITES = {"POST", "PATCH"}
Connect = Callable[..., AsyncHomebox]


async def call(client: AsyncHomebox, method: str) -> Any:
    """Send one request."""
    return await client.request(method, "thing/{id}", params={"id": 5}, json=body_of(method))


def body_of(method: str) -> dict[str, Any] | None:
    """Return a body for the methods that have one."""
    return {"a": 1} if method in WRITES else None


async def failing(client: AsyncHomebox, method: str) -> RequestError:
    """Send one request that fails and return its error."""
    with pytest.raises(RequestError) as caught:
        await call(client, method)
    assert (method, "thing/{id}") == (caught.value.method, caught.value.path)
    return caught.value


async def test_a_deadline_that_has_passed_sends_nothing(server: Any, connect: Connect) -> None:
    """A call whose deadline passed before it got to the connection is not sent at all."""

    async def slow(request: Any, handler: Any) -> Any:
        await asyncio.sleep(0.06)
        return await handler(request)

    client = connect()
    await call(client, "GET")  # a connection is ready
    late = client.with_options(deadline=0.05, attempt_middlewares=[slow])
    error = await failing(late, "POST")
    assert (DeadlineExceeded, Outcome.NOT_SENT, 0) == (type(error), error.outcome, error.attempts)
    assert ["GET"] == [seen.method for seen in server.seen]


async def test_waiting_for_a_slot(server: Any, connect: Connect) -> None:
    """A call that gets no connection before its deadline was not sent, and the slot survives."""
    server.acts = [server.hang]
    client = connect(max_connections=1, timeout=0.1, retry=Retry(attempts=1))
    first = asyncio.create_task(call(client, "POST"))
    while not server.seen:
        await asyncio.sleep(0.001)
    error = await failing(client.with_options(deadline=0.02), "POST")
    assert (DeadlineExceeded, Outcome.NOT_SENT) == (type(error), error.outcome)
    with pytest.raises(OutcomeUnknown):
        await first
    assert {} == await call(client, "POST")


async def test_the_timeout_starts_with_the_slot(server: Any, connect: Connect) -> None:
    """Waiting for a connection is not on the attempt's clock."""

    async def slow(wire: Any, _: Any) -> None:
        await asyncio.sleep(0.03)
        await wire.write(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}")

    server.default = slow
    client = connect(max_connections=1, timeout=0.08, retry=Retry(attempts=1))
    assert [{}] * 5 == await asyncio.gather(*(call(client, "POST") for _ in range(5)))


@pytest.mark.parametrize(
    "act", ["reset", "truncate", "hang", "say"], ids=["reset", "truncate", "timeout", "fine"]
)
async def test_slots_are_given_back(server: Any, connect: Connect, act: str) -> None:
    """Whatever becomes of a call, its place in the pool is free again."""
    server.default = server.say() if act == "say" else getattr(server, act)
    client = connect(max_connections=2, timeout=0.02, retry=Retry(attempts=1))
    await asyncio.gather(*(call(client, "POST") for _ in range(6)), return_exceptions=True)
    assert 2 == client._transport._slots._value


@pytest.mark.parametrize("where", ["connection", "slot", "answer"])
async def test_cancelled(server: Any, connect: Connect, where: str) -> None:
    """A cancelled call says in a note whether it had been sent, and frees its place."""
    server.default = server.hang
    client = connect(max_connections=1)
    if where == "connection":
        client._transport._opened()
        gate = asyncio.Event()
        client._transport._session._connector.connect = lambda *_, **__: gate.wait()
    first = asyncio.create_task(call(client, "POST"))
    await asyncio.sleep(0.02)
    task = asyncio.create_task(call(client, "POST")) if where == "slot" else first
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    outcome = "unknown" if where == "answer" else "not sent"
    assert [f"POST thing/{{id}}: cancelled [outcome: {outcome}]"] == caught.value.__notes__
    first.cancel()
    await asyncio.wait([first])
    assert 1 == client._transport._slots._value


async def test_the_callers_own_timeout(server: Any, connect: Connect) -> None:
    """A timeout of the caller around a call works, also at the moment of ours."""
    server.default = server.hang
    client = connect(timeout=0.03, retry=Retry(attempts=1))
    for seconds in (0.01, 0.03, 0.05):
        with pytest.raises((TimeoutError, OutcomeUnknown)):
            async with asyncio.timeout(seconds):
                await call(client, "POST")
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()


async def test_aiohttp_does_not_resend_by_itself(server: Any, connect: Connect) -> None:
    """There is one retry, ours: with one attempt a lost GET is received once."""
    client = connect(retry=Retry(attempts=1))
    await call(client, "GET")
    server.default = server.close
    await failing(client, "GET")
    assert 2 == len(server.seen)


async def test_keep_alive_race(server: Any, client: Any) -> None:
    """A connection that the server closes while idle does not fail the next write."""

    async def say_and_close(wire: Any, seen: Any) -> None:
        await server.say()(wire, seen)
        wire.writer.close()

    server.default = say_and_close
    for _ in range(20):
        assert {} == await call(client, "POST")
        await asyncio.sleep(0.002)  # the end of the connection has arrived
    assert 20 == len(server.seen)


async def test_connections_are_kept(server: Any, client: Any) -> None:
    """Calls in a row use one connection."""
    for _ in range(5):
        await call(client, "POST")
    assert 1 == server.connections


@pytest.mark.parametrize("where", ["/login", "https://example.com/", "//example.com/", ""])
async def test_redirects_are_refused(server: Any, client: Any, where: str) -> None:
    """No redirect is followed, within the origin or out of it."""
    server.default = server.say(302, b"", [("Location", where)])
    error = await failing(client, "GET")
    assert RedirectRefused is type(error)
    assert 1 == len(server.seen)


async def test_one_429_holds_back_other_tasks(server: Any, connect: Connect) -> None:
    """While the server wants a pause no task of the client sends anything."""
    client = connect(retry=Retry(attempts=1))
    now = 1000.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        assert 1 == len(server.seen)
        now += seconds

    client._throttle.now, client._throttle.sleep = lambda: now, sleep
    server.acts = [server.say(429, b"", [("Retry-After", "40")])]
    plain = client.with_options(deadline=None)
    await failing(plain, "GET")
    await asyncio.gather(*(call(plain, "GET") for _ in range(4)))
    assert 40.0 == sum(slept)
    assert 5 == len(server.seen)


async def test_the_client_is_closed_under_a_call(server: Any, connect: Connect) -> None:
    """A write that is under way while the client closes ends as unknown, a new one is refused."""
    server.default = server.hang
    client = connect()
    task = asyncio.create_task(call(client, "POST"))
    while not server.seen:
        await asyncio.sleep(0.001)
    await client.aclose()
    with pytest.raises(OutcomeUnknown):
        await task
    with pytest.raises(ConfigurationError, match="closed"):
        await call(client, "POST")
    await client.aclose()


async def test_errors_of_the_server(server: Any, client: Any) -> None:
    """Laravel's words are on the error, by field and without personal values."""
    body = (
        b'{"message": "Bad jane@example.com born 01/02/1980", "errors": {"a.b": ["x", null, 3], '
        b'"c": "+44 1234 567890", "d": null, "e": {"f": 1}}}'
    )
    server.default = server.say(422, body, [("X-Request-Id", "r-1")])
    error = await failing(client, "POST")
    assert isinstance(error, UnprocessableEntity)
    assert "Bad [email] born [date]" == error.server_message
    assert {"a.b": ("x", "3"), "c": ("[number]",), "d": (), "e": ("{'f': 1}",)} == error.errors
    assert "r-1" == error.request_id
    assert (
        "POST thing/{id}: the server answered 422: Bad [email] born [date]; a.b: x 3; "
        "c: [number]; d: ; e: {'f': 1} [outcome: rejected, 1 attempt]"
    ) == str(error)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"<html>", "text/html", "an answer of type text/html"),
        (b"", "application/json", "no message"),
        (b"[1]", "application/json", "an answer of type application/json"),
        (b'{"message": 5, "errors": [1]}', "application/json", "an answer of type"),
        (b"\xff\xfe", "text/plain", "an answer of type text/plain"),
        (b"[" * 100_000, "application/json", "an answer of type application/json"),
        (b'{"message": "' + b"a" * 300_000 + b'"}', "application/json", "422: …"),
        (b'{"message": "' + b"ab " * 9000 + b'"}', "application/json", "ab ab"),
    ],
    ids=["html", "empty", "list", "odd", "not text", "deep", "endless word", "long"],
)
async def test_odd_error_bodies(
    server: Any, client: Any, body: bytes, kind: str, words: str
) -> None:
    """Whatever the body of an error is, the error is ours and short."""
    server.default = server.say(422, body, content_type=kind)
    error = await failing(client, "POST")
    assert words in str(error)
    assert len(str(error)) < 500
