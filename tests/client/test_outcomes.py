"""The table of outcomes against a real server: what it received decides, not what we believe."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from homebox_async import (
    AnswerUnusable,
    AsyncHomebox,
    AttemptTimeout,
    AuthenticationFailed,
    BadRequest,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RedirectRefused,
    RequestError,
    Retry,
    ServerError,
    StatusError,
    UnprocessableEntity,
)

METHODS = ["GET", "DELETE", "POST", "PATCH"]
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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_2xx_is_success(server: Any, client: Any, method: str, status: int) -> None:
    """Any 2xx is success, and an empty body is fine."""
    server.acts = [server.say(status, b"")]
    assert await call(client, method) is None
    assert 1 == len(server.seen)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, RedirectRefused),
        (302, RedirectRefused),
        (307, RedirectRefused),
        (400, BadRequest),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (418, StatusError),
        (422, UnprocessableEntity),
    ],
)
async def test_a_no_is_final(
    server: Any, client: Any, method: str, status: int, kind: type[StatusError]
) -> None:
    """A clear no is not tried again and did nothing."""
    server.default = server.say(status, b"{}", [("Location", "/elsewhere")])
    error = await failing(client, method)
    assert kind is type(error)
    assert (1, 1, Outcome.REJECTED) == (len(server.seen), error.attempts, error.outcome)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [429, 503])
async def test_asked_to_come_back(server: Any, client: Any, method: str, status: int) -> None:
    """429 and 503 with Retry-After are tried again, whatever the method."""
    server.acts = [server.say(status, b"", [("Retry-After", "0")])] * 2 + [server.say()]
    assert {} == await call(client, method)
    assert 3 == len(server.seen)
    server.seen.clear()
    server.default = server.say(status, b"", [("Retry-After", "0")])
    error = await failing(client, method)
    assert (3, 3, Outcome.REJECTED) == (len(server.seen), error.attempts, error.outcome)
    assert {429: RateLimited, 503: ServerError}[status] is type(error)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_server_failures(server: Any, client: Any, method: str, status: int) -> None:
    """A failing server is asked again, but for writes: they may have happened."""
    server.default = server.say(status, b"<html>", content_type="text/html")
    error = await failing(client, method)
    if method in WRITES:
        assert isinstance(error, OutcomeUnknown)
        assert (1, 1, status) == (len(server.seen), error.attempts, error.status)
    else:
        assert isinstance(error, StatusError)
        assert (3, 3, status) == (len(server.seen), error.attempts, error.status)
    expected = Outcome.REJECTED if method == "GET" else Outcome.UNKNOWN
    assert expected is error.outcome


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["reset", "close", "truncate", "garbage", "bad status line"])
async def test_no_usable_answer(server: Any, client: Any, method: str, kind: str) -> None:
    """What was sent and not answered is sent again, but for writes; a DELETE's 2xx is enough."""
    acts = {
        "garbage": server.say(200, b'{"data": <<'),
        "reset": server.reset,
        "close": server.close,
        "truncate": server.truncate,
        "bad status line": lambda wire, _: wire.write(b"SMTP ready\r\n\r\n"),
    }
    server.default = acts[kind]
    if method == "DELETE" and kind in {"truncate", "garbage"}:
        assert await call(client, method) is None
        assert 1 == len(server.seen)
        return
    error = await failing(client, method)
    attempts = 1 if method in WRITES else 3
    assert (attempts, attempts, Outcome.UNKNOWN) == (
        len(server.seen),
        error.attempts,
        error.outcome,
    )
    reason = AnswerUnusable if kind == "garbage" else ConnectionFailed
    assert reason is type(error.reason if isinstance(error, OutcomeUnknown) else error)


@pytest.mark.parametrize("method", METHODS)
async def test_one_lost_answer(server: Any, client: Any, method: str) -> None:
    """One lost answer is made up for where sending again is harmless."""
    server.acts = [server.reset]
    if method in WRITES:
        assert isinstance(await failing(client, method), OutcomeUnknown)
        assert 1 == len(server.seen)
    else:
        assert {} == await call(client, method)
        assert 2 == len(server.seen)


async def test_delete_404_after_a_lost_answer(server: Any, client: Any) -> None:
    """A DELETE whose answer was lost and that then finds nothing has succeeded."""
    server.acts = [server.reset, server.say(404)]
    assert await call(client, "DELETE") is None
    assert 2 == len(server.seen)


@pytest.mark.parametrize("method", METHODS)
async def test_reset_before_the_request_is_read(server: Any, client: Any, method: str) -> None:
    """A reset before the server read a byte may still follow bytes of ours: unknown at worst."""
    server.early = ["none"]
    try:
        await call(client, method)
    except OutcomeUnknown:
        assert method in WRITES
        assert [] == server.seen
    else:
        # A reset that came before our first byte proves that nothing was sent.
        assert 1 == len(server.seen)


@pytest.mark.parametrize("method", METHODS)
async def test_reset_after_the_headers(server: Any, client: Any, method: str) -> None:
    """A connection that ends after the headers were read leaves a write open."""
    server.early = ["headers"]
    if method in WRITES:
        assert isinstance(await failing(client, method), OutcomeUnknown)
        assert 1 == len(server.seen)
    else:
        assert {} == await call(client, method)
        assert 2 == len(server.seen)


def closed_port() -> str:
    """Return the origin of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("method", METHODS)
async def test_connection_refused(connect: Connect, method: str) -> None:
    """A refused connection was not sent and is tried again, whatever the method."""
    error = await failing(connect(base_url=closed_port()), method)
    assert ConnectionFailed is type(error)
    assert (3, Outcome.NOT_SENT) == (error.attempts, error.outcome)
    assert "no connection to 127.0.0.1" in str(error)


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
async def test_the_server_comes_back(server: Any, connect: Connect, form: bool) -> None:
    """A write whose first connection was refused goes out once the server is there."""
    origin = closed_port()
    late = type(server)()

    async def start(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except ConnectionFailed:
            if not hasattr(late, "_server"):
                port = int(origin.rpartition(":")[2])
                late._server = await asyncio.start_server(late._serve, "127.0.0.1", port)
            raise

    client = connect(base_url=origin, attempt_middlewares=[start])
    body = {"form": {"a": "1", "f": None}} if form else {"json": {"a": "1"}}
    try:
        assert {} == await client.request("POST", "thing", **body)
        assert 1 == len(late.seen)
        assert b"1" in late.seen[0].body
    finally:
        await late.stop()


@pytest.mark.parametrize("method", METHODS)
async def test_no_answer_in_time(server: Any, connect: Connect, method: str) -> None:
    """An attempt without an answer ends with the timeout."""
    server.default = server.hang
    error = await failing(connect(timeout=0.05, retry=Retry(attempts=2, backoff=0.0)), method)
    attempts = 1 if method in WRITES else 2
    assert (attempts, attempts) == (len(server.seen), error.attempts)
    assert Outcome.UNKNOWN is error.outcome
    assert AttemptTimeout is type(error.reason if isinstance(error, OutcomeUnknown) else error)


@pytest.mark.parametrize("method", METHODS)
async def test_a_body_that_stalls(server: Any, connect: Connect, method: str) -> None:
    """A body that stalls counts as no answer, but for DELETE, whose 2xx says enough."""
    server.default = server.stall
    client = connect(timeout=0.05, retry=Retry(attempts=2, backoff=0.0))
    if method == "DELETE":
        assert await call(client, method) is None
        assert 1 == len(server.seen)
    else:
        error = await failing(client, method)
        assert "after a status of 200" in str(error)
        assert (1 if method in WRITES else 2) == len(server.seen)


@pytest.mark.parametrize("ending", ["stall", "truncate"])
async def test_a_status_is_not_hidden_by_its_body(
    server: Any, connect: Connect, ending: str
) -> None:
    """A 422 stays a 422 when its body breaks off or stalls."""

    async def act(wire: Any, seen: Any) -> None:
        await wire.write(b"HTTP/1.1 422 X\r\nContent-Length: 99\r\n\r\n{")
        if ending == "stall":
            await wire.hang()
        wire.writer.close()

    server.acts = [act]
    error = await failing(connect(timeout=0.05), "POST")
    assert UnprocessableEntity is type(error)
    assert Outcome.REJECTED is error.outcome


async def test_timeout_in_connect(server: Any, connect: Connect) -> None:
    """A connection that does not come up in time was not sent."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        host, port = full.getsockname()
        client = connect(base_url=f"http://{host}:{port}", timeout=0.05, retry=Retry(attempts=1))
        error = await failing(client, "POST")
        for filler in fillers:
            filler.close()
    assert (AttemptTimeout, Outcome.NOT_SENT) == (type(error), error.outcome)


@pytest.mark.parametrize("method", METHODS)
async def test_deadline(server: Any, connect: Connect, method: str) -> None:
    """The deadline ends the call over all its attempts."""
    server.default = server.hang
    error = await failing(connect(deadline=0.05), method)
    assert (1, 1, Outcome.UNKNOWN) == (len(server.seen), error.attempts, error.outcome)
    assert DeadlineExceeded is type(error.reason if isinstance(error, OutcomeUnknown) else error)


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
