"""The retry policy, the quota and the throttle as plain values: no server, no waiting."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from homebox_async import (
    AttemptTimeout,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    Outcome,
    OutcomeUnknown,
    RateLimited,
    Request,
    RequestError,
    Response,
    Retry,
)
from homebox_async.failures import failure, outcome_of, retry_after
from homebox_async.middleware import Throttle
from homebox_async.retry import Quota, Retrier, retryable
from homebox_async.wire import SAFETY, Safety


def request(method: str = "GET", **changes: Any) -> Request:
    """Return a request."""
    return Request(method, "lead", safety=SAFETY[method], **changes)


def status(method: str, code: int, **headers: str) -> RequestError:
    """Return the error of a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return failure(request(method), Response(code, named, b""), 0.0)


class Script:
    """A handler that raises or returns what it is given, one after the other."""

    def __init__(self, *steps: Exception | Response) -> None:
        self.steps = list(steps)
        self.calls = 0

    async def __call__(self, _: Request) -> Response:
        """Take the next step."""
        self.calls += 1
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


DONE = Response(200, {}, b"")


def lost(outcome: Outcome = Outcome.UNKNOWN) -> ConnectionFailed:
    """Return a broken connection."""
    return ConnectionFailed("broke", outcome=outcome, method="X", path="lead")


PASSING = (408, 425, 500, 502, 503, 504, 507, 509, *range(520, 531), 598, 599)
LASTING = (501, 505, 506, 508, 510, 511, 519, 531, 597, 600, 999)
R, W, D = Safety.READ, Safety.WRITE, Safety.DELETE


@pytest.mark.parametrize(
    ("safety", "code", "asked", "outcome", "again"),
    [
        *((s, c, False, "rejected", False) for s in (R, W, D) for c in (301, 400, 401, 403, 404)),
        *((s, c, False, "rejected", False) for s in (R, W, D) for c in (409, 422, 418)),
        *((s, 429, a, "rejected", True) for s in (R, W, D) for a in (True, False)),
        *((R, c, a, "rejected", True) for c in PASSING for a in (True, False)),
        *((D, c, a, "unknown", True) for c in PASSING for a in (True, False)),
        *((W, c, a, "unknown", False) for c in PASSING for a in (True, False)),
        *((s, c, False, "unknown", False) for s in (D, W) for c in LASTING),
        *((R, c, False, "rejected", False) for c in LASTING),
    ],
    ids=str,
)
def test_status_cells(safety: Safety, code: int, asked: bool, outcome: str, again: bool) -> None:
    """Every status cell of the table in the design has its outcome and its answer."""
    method = {R: "GET", W: "POST", D: "DELETE"}[safety]
    error = status(method, code, **({"Retry_After": "1"} if asked else {}))
    assert (outcome, again) == (error.outcome.value, retryable(safety, error))
    assert Outcome(outcome) is outcome_of(safety, code)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("999999999999", 999999999999.0),
        ("9999999999999", None),
        ("-1", None),
        ("1.5", 1.5),
        ("0.25", 0.25),
        ("2.", 2.0),
        (".5", None),
        ("1,5", None),
        ("1.5.5", None),
        ("1e3", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:01:40 -0000", 90.0),
        ("Thu, 01 Jan 1970 00:01:40", 90.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("Thu, 01 Jan 99999 00:00:01 GMT", None),
        ("Thu, 32 Jan 2020 00:00:01 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """Retry-After is read as seconds or as an HTTP date in UTC, and nothing else."""
    assert seconds == retry_after({"Retry-After": value}, 10.0)


@pytest.mark.parametrize(
    ("own", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:01:00 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:01:00", 40.0),
        ("Thu, 01 Jan 1970 02:01:00 +0200", 40.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
        ("soon", 90.0),
        ("Thu, 01 Jan 99999 00:00:01 GMT", 90.0),
        ("", 90.0),
    ],
    ids=["date", "no zone", "zone", "later", "words", "no year", "empty"],
)
def test_a_date_is_measured_by_the_answers_own_clock(own: str, seconds: float) -> None:
    """A wrong clock on either side does not change how long a date asks to wait."""
    headers = {"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT", "Date": own}
    assert seconds == retry_after(headers, 10.0)


async def test_a_first_success_needs_no_retry(clock: Any) -> None:
    """A call that works at once asks for nothing."""
    retrier = Retrier(Retry(), now=clock.now, sleep=clock.sleep)
    assert DONE is await retrier(request(), Script(DONE))
    assert [] == clock.slept


async def test_backoff_grows_with_full_jitter(clock: Any) -> None:
    """The waits are the chance times a doubling bound, up to the longest."""
    policy = Retry(attempts=6, backoff=1.0, longest=5.0)
    retrier = Retrier(policy, now=clock.now, sleep=clock.sleep, chance=lambda: 0.5)
    await retrier(request(), Script(*(lost() for _ in range(5)), DONE))
    assert [0.5, 1.0, 2.0, 2.5, 2.5] == clock.slept


async def test_the_server_is_never_asked_sooner_than_it_wants(clock: Any) -> None:
    """Retry-After is waited for in full."""
    retrier = Retrier(Retry(backoff=1.0), now=clock.now, sleep=clock.sleep, chance=lambda: 1.0)
    await retrier(request(), Script(status("GET", 429, Retry_After="7"), DONE))
    assert [7.0] == clock.slept


@pytest.mark.parametrize("asked", ["60", "999999999999"])
async def test_a_wait_beyond_the_deadline_fails_saying_so(clock: Any, asked: str) -> None:
    """A wait that the deadline does not allow is not cut short: the call fails and says so."""
    retrier = Retrier(Retry(), now=clock.now, sleep=clock.sleep, chance=lambda: 0.0)
    script = Script(status("POST", 429, Retry_After=asked), DONE)
    with pytest.raises(RateLimited, match=r"asked to wait .* beyond the deadline") as caught:
        await retrier(request("POST", deadline=clock.now() + 30), script)
    assert (1, Outcome.REJECTED, float(asked)) == (
        caught.value.attempts,
        caught.value.outcome,
        caught.value.retry_after,
    )
    assert ([], 1) == (clock.slept, script.calls)


async def test_backoff_beyond_the_deadline(clock: Any) -> None:
    """Our own wait is not begun either when it would end after the deadline."""
    retrier = Retrier(
        Retry(backoff=50, longest=50), now=clock.now, sleep=clock.sleep, chance=lambda: 1.0
    )
    with pytest.raises(ConnectionFailed, match="it was due to wait"):
        await retrier(request(deadline=clock.now() + 30), Script(lost()))


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_attempts_are_counted_and_bounded(clock: Any, attempts: int) -> None:
    """No more attempts are made than allowed, and the error tells how many there were."""
    retrier = Retrier(Retry(attempts=attempts), now=clock.now, sleep=clock.sleep)
    script = Script(*(lost() for _ in range(9)))
    with pytest.raises(ConnectionFailed) as caught:
        await retrier(request(), script)
    assert (attempts, script.calls) == (caught.value.attempts, attempts)


async def test_a_call_that_never_began_counts_no_attempt(clock: Any) -> None:
    """Waiting for a turn until the deadline is no attempt."""
    late = DeadlineExceeded("late", outcome=Outcome.NOT_SENT, attempts=0)
    retrier = Retrier(Retry(), now=clock.now, sleep=clock.sleep)
    with pytest.raises(DeadlineExceeded) as first:
        await retrier(request(), Script(late))
    again = DeadlineExceeded("late", outcome=Outcome.NOT_SENT, attempts=0)
    with pytest.raises(DeadlineExceeded) as second:
        await retrier(request(), Script(lost(), again))
    assert (0, 1) == (first.value.attempts, second.value.attempts)


async def test_the_quota_ends_a_storm(clock: Any) -> None:
    """When too many calls fail, the quota stops the retries; a success earns one token back."""
    retrier = Retrier(Retry(quota=10), now=clock.now, sleep=clock.sleep)
    with pytest.raises(ConnectionFailed):
        await retrier(request(), Script(*(lost() for _ in range(3))))
    script = Script(lost(), DONE)
    with pytest.raises(ConnectionFailed, match="too many calls"):
        await retrier(request(), script)
    assert (1, 10) == (script.calls, retrier.quota.spent)
    await retrier(request(), Script(DONE))
    assert 9 == retrier.quota.spent


def test_the_quota_costs() -> None:
    """A timeout costs twice what another failure costs, and no more is earned than there was."""
    quota = Quota()
    assert quota.spend(AttemptTimeout("x", outcome=Outcome.UNKNOWN), 16)
    assert quota.spend(lost(), 16)
    assert not quota.spend(lost(), 16)
    for _ in range(99):
        quota.earn()
    assert 0 == quota.spent


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_a_write_that_left_is_never_sent_again(clock: Any, method: str) -> None:
    """An unknown outcome of a write ends the call at once, with the reason inside."""
    script = Script(lost(), DONE)
    with pytest.raises(OutcomeUnknown) as caught:
        await Retrier(Retry(), now=clock.now, sleep=clock.sleep)(request(method), script)
    assert (1, Outcome.UNKNOWN, None) == (
        script.calls,
        caught.value.outcome,
        caught.value.status,
    )
    assert isinstance(caught.value.reason, ConnectionFailed)


async def test_a_write_that_never_left_is_tried_again(clock: Any) -> None:
    """A write that was not sent may be sent."""
    script = Script(lost(Outcome.NOT_SENT), lost(Outcome.NOT_SENT), DONE)
    assert DONE is await Retrier(Retry(), now=clock.now, sleep=clock.sleep)(request("POST"), script)


async def test_unknown_after_a_retry_counts_both(clock: Any) -> None:
    """The unknown outcome of a second attempt tells of two attempts."""
    script = Script(lost(Outcome.NOT_SENT), lost())
    with pytest.raises(OutcomeUnknown) as caught:
        await Retrier(Retry(), now=clock.now, sleep=clock.sleep)(request("POST"), script)
    assert (2, 2) == (caught.value.attempts, caught.value.reason.attempts)


@pytest.mark.parametrize(
    ("before", "gone"),
    [
        (lost(), True),
        (status("DELETE", 500), True),
        (status("DELETE", 429), False),
        (lost(Outcome.NOT_SENT), False),
    ],
    ids=["lost", "500", "429", "not sent"],
)
async def test_delete_and_404(clock: Any, before: Exception, gone: bool) -> None:
    """404 after an attempt that may have worked is success; otherwise it is the answer."""
    retrier = Retrier(Retry(), now=clock.now, sleep=clock.sleep)
    script = Script(before, status("DELETE", 404))
    if gone:
        assert 204 == (await retrier(request("DELETE"), script)).status
    else:
        with pytest.raises(NotFound):
            await retrier(request("DELETE"), script)


async def test_delete_remembers_an_unknown_attempt(clock: Any) -> None:
    """A DELETE that may have worked stays unknown, whatever became of its later attempts."""
    retrier = Retrier(Retry(attempts=2), now=clock.now, sleep=clock.sleep)
    with pytest.raises(ConnectionFailed) as caught:
        await retrier(request("DELETE"), Script(lost(), lost(Outcome.NOT_SENT)))
    assert (Outcome.UNKNOWN, 2) == (caught.value.outcome, caught.value.attempts)


async def test_other_exceptions_pass(clock: Any) -> None:
    """What is not ours is neither tried again nor changed."""
    retrier = Retrier(Retry(), now=clock.now, sleep=clock.sleep)
    with pytest.raises(ZeroDivisionError):
        await retrier(request(), Script(ZeroDivisionError()))
    script = Script(lost(), ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await retrier(request(), script)
    assert 2 == script.calls


@pytest.mark.parametrize(
    ("method", "error", "said"),
    [
        ("POST", status("POST", 429, Retry_After="9"), ["outcome: rejected"]),
        ("POST", lost(Outcome.NOT_SENT), ["outcome: not sent"]),
        ("DELETE", lost(), ["outcome: unknown", "outcome: unknown"]),
    ],
    ids=["rejected", "not sent", "delete"],
)
async def test_cancelled_between_attempts(method: str, error: Exception, said: list[str]) -> None:
    """A call that is cancelled while it waits to try again tells what it did so far."""
    retrier = Retrier(Retry(backoff=99.0), chance=lambda: 1.0)
    task = asyncio.create_task(retrier(request(method), Script(error)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert said == [note[note.index("outcome:") : -1] for note in caught.value.__notes__]


# --- the throttle


def limited(seconds: str = "30") -> RequestError:
    """Return a 429."""
    return status("GET", 429, Retry_After=seconds)


def quota(left: str) -> Response:
    """Return an answer that tells what is left."""
    return Response(200, {"X-RateLimit-Remaining": left}, b"")


async def test_one_429_pauses_everybody(clock: Any) -> None:
    """After a 429 every call waits out what the server asked for."""
    throttle = Throttle(now=clock.now, sleep=clock.sleep)
    with pytest.raises(RateLimited):
        await throttle(request(), Script(limited()))
    start = clock.now()
    await asyncio.gather(*(throttle(request(), Script(DONE)) for _ in range(3)))
    assert start + 30 <= clock.now()
    assert 30.0 in clock.slept
    clock.slept.clear()
    await throttle(request(), Script(DONE))
    assert [] == clock.slept


async def test_a_429_without_a_wish_pauses_nobody(clock: Any) -> None:
    """Without Retry-After there is nothing to wait for."""
    throttle = Throttle(now=clock.now, sleep=clock.sleep)
    with pytest.raises(RateLimited):
        await throttle(request(), Script(status("GET", 429)))
    await throttle(request(), Script(DONE))
    assert [] == clock.slept


async def test_a_pause_beyond_the_deadline(clock: Any) -> None:
    """A call that could not go before its deadline fails at once and was not sent."""
    throttle = Throttle(now=clock.now, sleep=clock.sleep)
    throttle.pause(60)
    script = Script(DONE)
    with pytest.raises(DeadlineExceeded, match=r"pause of 60\.0 s") as caught:
        await throttle(request(deadline=clock.now() + 10), script)
    assert (Outcome.NOT_SENT, 0, 0) == (caught.value.outcome, caught.value.attempts, script.calls)


async def test_pauses_do_not_shorten_each_other(clock: Any) -> None:
    """The longest of several wishes counts."""
    throttle = Throttle(now=clock.now, sleep=clock.sleep)
    throttle.pause(60)
    throttle.pause(5)
    await throttle(request(), Script(DONE))
    assert [60.0] == clock.slept


@pytest.mark.parametrize(("left", "most"), [("3", 3), ("1", 1), ("0", 1), ("x", 9), ("9" * 20, 9)])
async def test_the_quota_bounds_what_is_in_flight(left: str, most: int) -> None:
    """No more calls are in flight than the server has left, but always one."""
    throttle = Throttle()
    await throttle(request(), Script(quota(left)))
    busy = peak = 0

    async def handler(_: Request) -> Response:
        nonlocal busy, peak
        busy += 1
        peak = max(peak, busy)
        await asyncio.sleep(0.001)
        busy -= 1
        return quota(left)

    await asyncio.gather(*(throttle(request(), handler) for _ in range(9)))
    assert most == peak


async def test_the_turn_ends_with_the_deadline() -> None:
    """A call that does not get its turn fails as not sent; the others go on."""
    throttle = Throttle()
    await throttle(request(), Script(quota("1")))
    leave = asyncio.Event()

    async def slow(_: Request) -> Response:
        await leave.wait()
        return quota("1")

    first = asyncio.create_task(throttle(request(), slow))
    await asyncio.sleep(0)
    with pytest.raises(DeadlineExceeded, match="quota stayed in use") as caught:
        await throttle(request(deadline=throttle.now() + 0.01), slow)
    assert Outcome.NOT_SENT is caught.value.outcome
    third = asyncio.create_task(throttle(request(), Script(DONE)))
    await asyncio.sleep(0)
    leave.set()
    await first
    assert DONE is await third


async def test_cancelled_waiting_for_a_turn() -> None:
    """A call that is cancelled in the queue was not sent and leaves the queue to the others."""
    throttle = Throttle()
    throttle.pause(60)
    task = asyncio.create_task(throttle(request(), Script(DONE)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert ["GET lead: cancelled [outcome: not sent]"] == caught.value.__notes__
    throttle.paused_until = 0.0
    assert DONE is await throttle(request(), Script(DONE))


async def test_failures_free_their_turn() -> None:
    """A failing call wakes those who wait."""
    throttle = Throttle()
    await throttle(request(), Script(quota("1")))

    async def broken(_: Request) -> Response:
        await asyncio.sleep(0)
        raise lost()

    results = await asyncio.gather(
        *(throttle(request(), broken) for _ in range(5)), return_exceptions=True
    )
    assert [ConnectionFailed] * 5 == [type(result) for result in results]


def test_the_date_of_a_429() -> None:
    """An HTTP date in a 429 becomes the seconds until then."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    headers = {"Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT"}
    error = failure(request("POST"), Response(429, headers, b""), now)
    assert 30.0 == error.retry_after
