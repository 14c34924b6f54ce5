"""The table of outcomes, cell by cell: outcome x method x status x phase of the failure.

Every request goes over real sockets through the fault proxy to a server that notes each byte,
and what that server received decides. The expectations are the table of the design, written
down here once more; none is taken from the package. No test waits: the clock jumps.
"""

import itertools
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from homebox_async import (
    AnswerUnusable,
    AsyncHomebox,
    AttemptTimeout,
    AuthenticationFailed,
    BadRequest,
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
    ServerError,
    StatusError,
    UnprocessableEntity,
    Upload,
)

from .plans import Corrupt, Fault, HalfClose, Hold, Plan, Reset, Truncate, Way
from .recorder import Answer, Received
from .world import World

METHODS = ["GET", "DELETE", "POST", "PATCH", "upload"]
WRITES = {"POST", "PATCH", "upload"}
TRIES = 3
RESULT = {"data": {"id": 7}}


async def call(client: AsyncHomebox, method: str) -> Any:
    """Send one request; those with a body have one of some length."""
    path, params = "thing/{id}", {"id": 5}
    if method == "upload":
        photo = Upload(b"p" * 400, "photo.png", "image/png")
        form = {"kind": "gas", "photo": photo}
        return await client.request("POST", path, params=params, form=form)
    json = {"name": "n" * 200} if method in WRITES else None
    return await client.request(method, path, params=params, json=json)


def attempt(world: World, method: str, **options: Any) -> Any:
    """Make a call with a client of its own; return its result or its error."""

    async def run() -> Any:
        async with world.client(**options) as client:
            try:
                return await call(client, method)
            except RequestError as error:
                return error

    return world.run(run())


def told(error: Any) -> tuple[type, Outcome, int]:
    """Return what an error says: its kind (within an unknown outcome), outcome and attempts."""
    assert isinstance(error, RequestError), error
    assert "thing/{id}" == error.path
    if isinstance(error, OutcomeUnknown):
        assert (error.outcome, error.attempts) == (Outcome.UNKNOWN, error.reason.attempts)
        return type(error.reason), error.outcome, error.attempts
    return type(error), error.outcome, error.attempts


def wire_method(method: str) -> str:
    """Return the method on the wire."""
    return "POST" if method == "upload" else method


def same(received: list[Received]) -> None:
    """Every attempt sent the same bytes, but for the boundary of a form."""
    assert 1 == len({(one.method, one.number, one.size) for one in received})


# --- statuses

SECONDS, DATE = "seconds", "date"
ASKED = 40


@attrs.frozen
class Status:
    """A row of the table: the error, and what it means for GET, DELETE and writes."""

    code: int
    kind: type[StatusError]
    again: str  # which methods are tried again: "", "GET DELETE", "all"
    unknown: str = ""  # for which methods the outcome is unknown
    asks: str = ""  # the form of Retry-After

    def __str__(self) -> str:
        return f"{self.code} {self.asks}".strip()


FINAL = [
    *(Status(code, RedirectRefused, "") for code in (300, 301, 302, 303, 304, 307, 308)),
    Status(400, BadRequest, ""),
    Status(401, AuthenticationFailed, ""),
    Status(403, PermissionDenied, ""),
    Status(404, NotFound, ""),
    Status(405, StatusError, ""),
    Status(409, Conflict, ""),
    Status(410, StatusError, ""),
    Status(418, StatusError, ""),
    Status(422, UnprocessableEntity, ""),
]
STATUSES = [
    *(attrs.evolve(row, asks=asks) for row in FINAL for asks in ("", SECONDS)),
    *(Status(429, RateLimited, "all", "", asks) for asks in ("", SECONDS, DATE)),
    *(
        Status(code, StatusError if code < 500 else ServerError, "GET DELETE", "DELETE write", a)
        for code in (408, 425, 500, 502, 503, 504)
        for a in ("", SECONDS, DATE)
    ),
    *(
        Status(code, ServerError, "GET DELETE", "DELETE write")
        for code in (507, 509, *range(520, 531), 598, 599)
    ),
    *(
        Status(code, ServerError, "", "DELETE write")
        for code in (501, 505, 506, 508, 510, 511, 519, 531, 597, 600)
    ),
]


def group(method: str) -> str:
    """Return the column of the table."""
    return "write" if method in WRITES else method


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("row", STATUSES, ids=str)
def test_status(world: World, row: Status, method: str) -> None:
    """A failing status is tried again or not, as the table says, and never sooner than asked."""
    asked = {SECONDS: str(ASKED), DATE: world.loop.date(ASKED)}.get(row.asks)
    headers = (("Location", "/elsewhere"), *([("Retry-After", asked)] if asked else []))
    world.server.default = Answer(row.code, b"<html>no</html>", headers, kind="text/html")
    again = row.again == "all" or group(method) in row.again.split()
    # A 304 has no body by the rules of HTTP; what follows it is no answer.
    if row.code == 304:
        world.server.default = attrs.evolve(world.server.default, body=b"")
    error = attempt(world, method, deadline=None)
    outcome = Outcome.UNKNOWN if group(method) in row.unknown.split() else Outcome.REJECTED
    tries = TRIES if again else 1
    assert (row.kind, outcome, tries) == told(error)
    assert (outcome is Outcome.UNKNOWN and method in WRITES) is isinstance(error, OutcomeUnknown)
    assert row.code == error.status
    got = world.server.received
    assert [(wire_method(method), True)] * tries == [(one.method, one.whole) for one in got]
    same(got)
    if again and asked and row.asks == SECONDS:
        gaps = [b.at - a.answered_at for a, b in itertools.pairwise(got)]
        assert [ASKED] * (tries - 1) == [pytest.approx(gap) for gap in gaps]
        assert all(gap >= ASKED for gap in gaps)
    if again and asked and row.asks == DATE:
        # All answers name the same moment: nothing comes before it, and then all at once.
        waits = [one.at - got[0].at for one in got[1:]]
        assert [ASKED] * (tries - 1) == [pytest.approx(wait, abs=1e-3) for wait in waits]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("row", [row for row in STATUSES if row.again or not row.asks], ids=str)
def test_one_failing_status(world: World, row: Status, method: str) -> None:
    """After one failing answer a call that may be sent again succeeds, the others end there."""
    asked = {SECONDS: str(ASKED), DATE: world.loop.date(ASKED)}.get(row.asks)
    headers = [("Retry-After", asked)] if asked else []
    world.server.answers.append(Answer(row.code, b"", tuple(headers)))
    again = row.again == "all" or group(method) in row.again.split()
    result = attempt(world, method, deadline=None)
    if again:
        assert RESULT == result
    else:
        assert 1 == told(result)[2]
    assert (2 if again else 1) == len(world.server.received)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("row", [row for row in STATUSES if row.asks and row.again], ids=str)
def test_asked_beyond_the_deadline(world: World, row: Status, method: str) -> None:
    """A wait that ends after the deadline is not begun, and the error says so."""
    asked = {SECONDS: "300", DATE: world.loop.date(300)}[row.asks]
    world.server.default = Answer(row.code, b"", (("Retry-After", asked),))
    error = attempt(world, method, deadline=30.0)
    outcome = Outcome.UNKNOWN if group(method) in row.unknown.split() else Outcome.REJECTED
    assert (row.kind, outcome, 1) == told(error)
    again = row.again == "all" or group(method) in row.again.split()
    assert again is ("the server asked to wait" in str(error))
    assert again is ("beyond the deadline" in str(error))
    assert 1 == len(world.server.received)
    assert 1 > world.loop.time() - world.server.received[0].at


@pytest.mark.parametrize("method", METHODS)
def test_asked_to_come_back_at_once(world: World, method: str) -> None:
    """A Retry-After of 0 with a 429 is a wish like any other: the server did nothing."""
    world.server.default = Answer(429, b"", (("Retry-After", "0"),))
    assert (RateLimited, Outcome.REJECTED, TRIES) == told(attempt(world, method))
    assert TRIES == len(world.server.received)


@pytest.mark.parametrize("method", sorted(WRITES))
@pytest.mark.parametrize("asked", ["0", "1.5", "40", "99999"])
def test_a_503_that_asks_to_come_back(world: World, asked: str, method: str) -> None:
    """A gateway answers 503 for work that was done: a write is open, and the wish is passed on."""
    world.server.default = Answer(503, b"", (("Retry-After", asked), ("X-Request-Id", "srv-7")))
    error = attempt(world, method, deadline=None)
    assert (ServerError, Outcome.UNKNOWN, 1) == told(error)
    assert (503, float(asked), "srv-7") == (error.status, error.retry_after, error.request_id)
    assert 1 == len(world.server.received)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success(world: World, status: int, method: str) -> None:
    """Any 2xx is success, also without a body."""
    world.server.default = Answer(status, b"" if status == 204 else world.server.default.body)
    assert (None if status == 204 else RESULT) == attempt(world, method)
    assert 1 == len(world.server.received)


UNREADABLE = {
    "not JSON": Answer(200, b'{"data": <<'),
    "html": Answer(200, b"<html>maintenance</html>", kind="text/html"),
    "half": Answer(201, b'{"data": {"id"'),
    "not text": Answer(200, b'{"data": "\xff\xfe\x80"'),
    "too large": Answer(200, b'"' + b"x" * 5000 + b'"'),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_success_that_cannot_be_read(world: World, answer: Answer, method: str) -> None:
    """Reads are tried again, a DELETE is done, a write is done with its id not known."""
    world.server.default = answer
    result = attempt(world, method, max_body=4000)
    if method == "DELETE":
        assert result is None
    else:
        tries = TRIES if method == "GET" else 1
        assert (AnswerUnusable, Outcome.UNKNOWN, tries) == told(result)
        assert method in WRITES if isinstance(result, OutcomeUnknown) else method == "GET"
    assert (TRIES if method == "GET" else 1) == len(world.server.received)


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (Answer(act="reset"), True),
        (Answer(act="close"), True),
        (Answer(500), True),
        (Answer(504), True),
        (Answer(503), True),
        (Answer(429), False),
        (Answer(503, b"", (("Retry-After", "1"),)), True),
        (None, False),
    ],
    ids=["reset", "close", "500", "504", "503", "429", "503 asked", "nothing"],
)
def test_delete_then_404(world: World, before: Answer | None, found: bool) -> None:
    """404 is success for a DELETE when an earlier attempt may have worked, and only then."""
    world.server.answers.extend([before] if before else [])
    world.server.default = Answer(404)
    result = attempt(world, "DELETE")
    if found:
        assert result is None
    else:
        assert (NotFound, Outcome.REJECTED, 2 if before else 1) == told(result)
    assert (2 if before else 1) == len(world.server.received)


# --- phases


@attrs.frozen
class Sizes:
    """How long the parts of a call are on the wire."""

    head: int
    body: int
    answer_head: int = len(Answer().head)
    answer_body: int = len(Answer().body)


def sizes(world: World, method: str) -> Sizes:
    """Measure a call: the same one has the same length every time."""
    attempt(world, method)
    one = world.server.received.pop()
    return Sizes(len(one.head), len(one.body))


UP, DOWN = Way.UP, Way.DOWN
WITH_BODY = ["POST", "PATCH", "upload"]

# Where the connection breaks: direction, byte, and how many bytes the server has by then.
Place = Callable[[Sizes], tuple[Way, int]]
PLACES: dict[str, Place] = {
    "before the first byte": lambda _: (UP, 0),
    "in the request line": lambda _: (UP, 7),
    "in the headers": lambda size: (UP, size.head // 2),
    "before the end of the headers": lambda size: (UP, size.head - 1),
    "before the body": lambda size: (UP, size.head),
    "in the body": lambda size: (UP, size.head + size.body // 2),
    "before the last byte": lambda size: (UP, size.head + size.body - 1),
    "before the status line": lambda _: (DOWN, 0),
    "in the status line": lambda _: (DOWN, 8),
    "in the answer's headers": lambda size: (DOWN, size.answer_head // 2),
    "before the end of the answer's headers": lambda size: (DOWN, size.answer_head - 1),
    "before the answer's body": lambda size: (DOWN, size.answer_head),
    "in the answer's body": lambda size: (DOWN, size.answer_head + 4),
    "before the answer's last byte": lambda size: (DOWN, size.answer_head + size.answer_body - 1),
}
NEEDS_BODY = {"before the body", "in the body"}
KNOWN_STATUS = {
    "before the answer's body",
    "in the answer's body",
    "before the answer's last byte",
}
BREAKS = {"reset": Reset, "end": Truncate, "half-close": HalfClose, "silence": Hold}
CELLS = [
    pytest.param(method, place, broken, id=f"{method}-{place}-{broken}")
    for place in PLACES
    for method in METHODS
    if method in WITH_BODY or place not in NEEDS_BODY
    for broken in BREAKS
]


def reached(world: World, size: Sizes, way: Way, at: int, tries: int) -> None:
    """The server has exactly the bytes before the break, or the whole request: each time."""
    got = world.server.received
    whole = size.head + size.body
    there = at if way is UP else whole
    assert [(there, there == whole)] * (tries if there else 0) == [
        (one.size, one.whole) for one in got
    ]


def broken_error(place: str, broken: str, method: str) -> tuple[type, Outcome, int] | None:
    """Return what the table says of a break in this place, None for success."""
    if method == "DELETE" and place in KNOWN_STATUS:
        return None
    tries = 1 if method in WRITES else TRIES
    return AttemptTimeout if broken == "silence" else ConnectionFailed, Outcome.UNKNOWN, tries


@pytest.mark.parametrize(("method", "place", "broken"), CELLS)
def test_every_connection_breaks(world: World, method: str, place: str, broken: str) -> None:
    """Once bytes have left, what breaks is tried again, but for writes; a DELETE's 2xx counts."""
    size = sizes(world, method)
    way, at = PLACES[place](size)
    world.always(BREAKS[broken](way=way, at=at))
    start = world.loop.time()
    result = attempt(world, method, timeout=5.0)
    expected = broken_error(place, broken, method)
    if expected is None:
        assert result is None
    else:
        assert expected == told(result)
    tries = expected[2] if expected else 1
    reached(world, size, way, at, tries)
    assert {BREAKS[broken].__name__: tries} == world.proxy.struck
    silent = 5.0 * tries if broken == "silence" else 0.0
    assert silent == pytest.approx(world.loop.time() - start, abs=0.01)


@pytest.mark.parametrize(("method", "place", "broken"), CELLS)
def test_a_kept_connection_breaks_once(world: World, method: str, place: str, broken: str) -> None:
    """The second request of a connection breaks: reads succeed on another one, writes do not."""

    async def run() -> Any:
        async with world.client(timeout=5.0) as client:
            assert RESULT == await call(client, method)
            first = world.server.received.pop()
            size = Sizes(len(first.head), len(first.body))
            way, at = PLACES[place](size)
            [link] = world.proxy.links
            link.plan = Plan((BREAKS[broken](way=way, at=at, exchange=2),))
            try:
                return size, way, at, await call(client, method)
            except RequestError as error:
                return size, way, at, error

    size, way, at, result = world.run(run())
    got = world.server.received
    if method in WRITES:
        assert broken_error(place, broken, method) == told(result)
        reached(world, size, way, at, 1)
    elif method == "DELETE" and place in KNOWN_STATUS:
        assert result is None
        reached(world, size, way, at, 1)
    else:
        assert RESULT == result
        assert got.pop().whole
        reached(world, size, way, at, 1)
    assert 1 == sum(world.proxy.struck.values())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("act", ["reset", "close", "hang"])
def test_the_server_takes_it_and_says_nothing(world: World, method: str, act: str) -> None:
    """Between the last byte of the request and the first of the answer nothing is known."""
    world.server.default = Answer(act=act)
    tries = 1 if method in WRITES else TRIES
    kind = AttemptTimeout if act == "hang" else ConnectionFailed
    assert (kind, Outcome.UNKNOWN, tries) == told(attempt(world, method))
    assert [True] * tries == [one.whole for one in world.server.received]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [Reset, Truncate], ids=lambda kind: kind.__name__)
def test_the_door_is_shut(world: World, method: str, kind: type[Fault]) -> None:
    """A connection that ends as it comes up: the server heard nothing, we may not know that."""
    world.always(kind(exchange=0))
    error, outcome, tries = told(attempt(world, method))
    assert (ConnectionFailed, []) == (error, world.server.received)
    # The connection was up, so bytes of ours may have been on their way.
    assert tries == (1 if method in WRITES and outcome is Outcome.UNKNOWN else TRIES)


@pytest.mark.parametrize("method", METHODS)
def test_nobody_opens(world: World, method: str) -> None:
    """A connection that is up and leads nowhere: unknown, for the request has left."""
    world.always(Hold(exchange=0))
    tries = 1 if method in WRITES else TRIES
    assert (AttemptTimeout, Outcome.UNKNOWN, tries) == told(attempt(world, method))
    assert [] == world.server.received


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["refused", "silent"])
def test_no_connection(world: World, method: str, how: str) -> None:
    """What cannot connect was not sent, and is tried again whatever the method."""

    def never() -> Any:
        if how == "silent":
            with world.proxy.clogged():
                return attempt(world, method, timeout=5.0)
        world.proxy.refuse()
        return attempt(world, method)

    error = never()
    kind = AttemptTimeout if how == "silent" else ConnectionFailed
    assert (kind, Outcome.NOT_SENT, TRIES) == told(error)
    assert ([], []) == (world.server.received, world.proxy.links)
    assert how == "silent" or "no connection to 127.0.0.1" in str(error)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["refused", "silent"])
def test_the_server_comes_back(world: World, method: str, how: str) -> None:
    """A call whose first connection did not come up goes out once the server is there."""
    outcomes: list[Outcome] = []
    clogged = world.proxy.clogged()
    clogged.__enter__() if how == "silent" else world.proxy.refuse()

    async def back(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except RequestError as error:
            outcomes.append(error.outcome)
            clogged.__exit__(None, None, None) if how == "silent" else world.proxy.resume()
            raise

    assert RESULT == attempt(world, method, timeout=5.0, attempt_middlewares=[back])
    assert [Outcome.NOT_SENT] == outcomes
    assert [True] == [one.whole for one in world.server.received]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", ["status line", "header", "body"])
def test_corrupted_answers(world: World, method: str, place: str) -> None:
    """An answer that came in with wrong bytes is no answer, unless it is a DELETE's 2xx."""
    at = {"status line": 9, "header": 40, "body": len(Answer().head) + 1}[place]
    every = [Corrupt(way=DOWN, at=at, exchange=exchange) for exchange in range(1, TRIES + 1)]
    world.always(*every)
    result = attempt(world, method)
    tries = 1 if method in WRITES else TRIES
    if place == "status line":
        assert (ConnectionFailed, Outcome.UNKNOWN, tries) == told(result)
    elif method == "DELETE" or place == "header":
        assert result in (None, RESULT)
        tries = 1
    else:
        assert (AnswerUnusable, Outcome.UNKNOWN, tries) == told(result)
    assert [True] * tries == [one.whole for one in world.server.received]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize(
    "row",
    [
        Status(302, RedirectRefused, ""),
        Status(422, UnprocessableEntity, ""),
        Status(429, RateLimited, "all"),
        Status(500, ServerError, "GET DELETE", "DELETE write"),
    ],
    ids=str,
)
def test_a_status_whose_body_breaks(world: World, method: str, broken: str, row: Status) -> None:
    """A status that has come counts, whatever becomes of the words that should follow it."""
    answer = Answer(row.code, b'{"message": "no"}')
    world.server.default = answer
    world.always(BREAKS[broken](way=DOWN, at=len(answer.head) + 3))
    result = attempt(world, method, timeout=5.0)
    tries = TRIES if row.again == "all" or group(method) in row.again.split() else 1
    outcome = Outcome.UNKNOWN if group(method) in row.unknown.split() else Outcome.REJECTED
    assert (row.kind, outcome, tries) == told(result)
    assert [True] * tries == [one.whole for one in world.server.received]


# --- time


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", PLACES)
def test_the_deadline_passes(world: World, method: str, place: str) -> None:
    """The deadline ends the call at its moment, wherever it is."""
    if place in NEEDS_BODY and method not in WITH_BODY:
        return
    size = sizes(world, method)
    way, at = PLACES[place](size)
    world.always(Hold(way=way, at=at))
    start = world.loop.time()
    result = attempt(world, method, timeout=5.0, deadline=4.0)
    assert 4.0 == pytest.approx(world.loop.time() - start, abs=0.01)
    if method == "DELETE" and place in KNOWN_STATUS:
        assert result is None
    else:
        assert (DeadlineExceeded, Outcome.UNKNOWN, 1) == told(result)
    reached(world, size, way, at, 1)


@pytest.mark.parametrize("method", METHODS)
def test_the_deadline_passes_before_there_is_a_connection(world: World, method: str) -> None:
    """A call that never got a connection was not sent."""
    with world.proxy.clogged():
        error = attempt(world, method, timeout=5.0, deadline=4.0)
    assert (DeadlineExceeded, Outcome.NOT_SENT, 1) == told(error)
    assert [] == world.server.received


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_deadline_is_over_all_attempts(world: World, method: str) -> None:
    """Attempts that time out share one deadline; the last one is cut."""
    world.server.default = Answer(act="hang")
    start = world.loop.time()
    error = attempt(world, method, timeout=5.0, deadline=12.0)
    assert (DeadlineExceeded, Outcome.UNKNOWN, 3) == told(error)
    assert [0.0, 5.0, 10.0] == [pytest.approx(one.at - start) for one in world.server.received]
    assert 12.0 == pytest.approx(world.loop.time() - start)
