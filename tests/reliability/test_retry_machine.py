"""A machine that drives calls through random faults, and judges each by what really happened.

The middleware chain, the transport, the fault proxy and the server are real, and so are the
sockets; only the clock jumps. The long version, which prints what it did::

    RELIABILITY=long pytest -n 0 -s tests/reliability/test_retry_machine.py
"""

import asyncio
import json
import math
import os
import random
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import aiohttp
import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from homebox_async import AsyncHomebox, Request, Response, Retry, Upload, base_client
from homebox_async.errors import RateLimited, StatusError
from homebox_async.retry import Retrier
from homebox_async.wire import Incoming

from .judge import READS, TICK, WRITES, Asked, Call, Judge
from .plans import (
    CLEAN,
    Corrupt,
    Delay,
    Fault,
    HalfClose,
    Hold,
    Plan,
    Refuse,
    Reset,
    Throttle,
    Truncate,
    Way,
)
from .proxy import Link
from .recorder import GOOD, Answer
from .world import World, world

pytestmark = pytest.mark.slow

LONG = os.environ.get("RELIABILITY") == "long"
METHODS = ["GET", "DELETE", "POST", "PATCH", "upload", "stream"]
TOTALS: Counter[str] = Counter()
STRUCK: Counter[str] = Counter()
SAID: Counter[str] = Counter()


@attrs.frozen
class Say:
    """What the server will answer; its date is made when it is scripted."""

    status: int
    asks: str
    seconds: int
    late: float
    act: str
    left: int | None
    body: bytes


def some_says(chance: random.Random) -> Say:
    """Return one of the many answers."""
    return Say(
        status=chance.choice(
            [
                *(200, 200, 200, 201, 204, 302, 400, 401, 404, 404, 408, 409, 422),
                *(425, 429, 429, 429, 429, 500, 500, 502, 503, 503, 503, 504, 507, 520, 599),
            ]
        ),
        asks=chance.choice(["", "seconds", "seconds", "date"]),
        seconds=chance.choice([0, 1, 2, 7, 30, 100]),
        late=chance.choice([0.0, 0.0, 0.0, 0.3, 3.0, 9.0]),
        act=chance.choice(["say"] * 8 + ["reset", "close", "hang"]),
        left=chance.choice([None, None, None, 0, 1, 2, 5]),
        body=chance.choice([GOOD, GOOD, GOOD, b"", b'{"data": <<', b"<html>"]),
    )


def some_fault(chance: random.Random) -> Fault:
    """Return one of the many faults."""
    kind = chance.choice(
        [Reset, Reset, Truncate, HalfClose, Hold, Delay, Throttle, Corrupt, Refuse]
    )
    number = chance.choice([0.1, 1.0, 4.0, 12.0])
    more: dict[str, float] = {}
    if kind in {Delay, Refuse}:
        more = {"seconds": number}
    elif kind is Throttle:
        more = {"rate": 100 * number + 50}
    return kind(
        way=chance.choice([*Way]),
        at=chance.choice([0, chance.randint(1, 120), chance.randint(1, 900)]),
        exchange=chance.choice([1 if kind is HalfClose else 0, 1, 1, 1, 2, 2, 3]),
        **more,
    )


# Made beforehand: drawing them part by part takes hypothesis longer than the calls take.
_CHANCE = random.Random(1)
_SAYS = [some_says(_CHANCE) for _ in range(2000)]
_FAULTS = [some_fault(_CHANCE) for _ in range(2000)]
says = st.integers(0, 1999).map(lambda n: _SAYS[n])
faults = st.integers(0, 1999).map(lambda n: _FAULTS[n])


@attrs.frozen
class Event:
    """What happened, when, to which call, and how many requests the server had seen by then.

    `kind`: "began" to look for a connection, "sent", "limited" by a 429, or failed by another
    status ("no").
    """

    kind: str
    at: float
    number: int
    received: int


THE_WORLD: list[World] = []


@pytest.fixture(scope="module", autouse=True)
def _one_world() -> Iterator[None]:
    with world() as made:
        THE_WORLD.append(made)
        yield
        THE_WORLD.clear()
    summary = {**TOTALS, "faults": dict(STRUCK), "statuses": dict(SAID)}
    print("\nretry machine:", json.dumps(summary, sort_keys=True))


class RetryMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.world = THE_WORLD[0]
        self.loop, self.server, self.proxy = (
            self.world.loop,
            self.world.server,
            self.world.proxy,
        )
        self.calls: list[Call] = []
        self.events: list[Event] = []
        self.asked = Asked()
        self.noise: list[str] = []
        self.plans: deque[Plan] = deque()
        self.in_flight = 0
        self.left: int | None = None
        self.clog: Any = None
        self.patch = pytest.MonkeyPatch()
        self.server.received.clear()
        self.server.answers.clear()
        self.proxy.links.clear()
        self.proxy.struck.clear()
        self.proxy._plans = iter(self._next_plan, None)
        self.loop.set_exception_handler(lambda _, context: self.noise.append(repr(context)))
        self._watch()

    def _next_plan(self) -> Plan:
        return self.plans.popleft() if self.plans else CLEAN

    def _watch(self) -> None:
        """Note when a request is made, just before its connection, and when it is written."""
        make, send = aiohttp.ClientRequest.__init__, aiohttp.ClientRequest.send
        machine = self

        def noted_make(self: Any, method: str, url: Any, *args: Any, **kwargs: Any) -> None:
            machine._note("began", int(url.path.rpartition("/")[2]))
            make(self, method, url, *args, **kwargs)

        async def noted_send(self: Any, connection: Any) -> Any:
            number = int(self.url.path.rpartition("/")[2])
            machine.calls[number].sends.append(machine.loop.time())
            machine._note("sent", number)
            return await send(self, connection)

        self.patch.setattr(aiohttp.ClientRequest, "__init__", noted_make)
        self.patch.setattr(aiohttp.ClientRequest, "send", noted_send)

    def _note(self, kind: str, number: int) -> None:
        self.events.append(Event(kind, self.loop.time(), number, len(self.server.received)))

    async def _observe(self, request: Request, handler: Any) -> Response:
        """Count the attempts and what is in flight, and note each pause that is asked for."""
        self.calls[int(request.params["id"])].tried += 1
        if self.left is not None:
            assert self.in_flight < max(1, self.left), "the server's quota is overdrawn"
        self.in_flight += 1
        try:
            response: Response = await handler(request)
        except RateLimited as limited:
            if limited.retry_after is not None:
                self.left = None
            self._note("limited", int(request.params["id"]))
            raise
        except StatusError:
            self._note("no", int(request.params["id"]))
            raise
        else:
            left = response.headers.get("X-RateLimit-Remaining")
            if left is not None:
                self.left = int(left) if left.isdecimal() else None
            return response
        finally:
            self.in_flight -= 1

    # --- rules

    @initialize(
        places=st.integers(1, 4),
        timeout=st.sampled_from([1.0, 5.0]),
        retry=st.builds(
            Retry,
            attempts=st.integers(1, 4),
            backoff=st.sampled_from([0.0, 0.5, 3.0]),
            quota=st.sampled_from([0, 12, 500]),
        ),
        keep=st.sampled_from([2.0, 60.0]),
        answers=st.lists(says, max_size=5),
        plans=st.lists(st.lists(faults, max_size=1), max_size=3),
    )
    def begin(
        self,
        places: int,
        timeout: float,
        retry: Retry,
        keep: float,
        answers: list[Say],
        plans: list[list[Fault]],
    ) -> None:
        """Make a client, and let the first things go wrong."""
        self.answer(answers)
        self.plan(plans)
        self.places, self.retry = places, retry
        self.retriers: list[Retrier] = []

        def made(policy: Retry, **options: Any) -> Retrier:
            self.retriers.append(make(policy, **options))
            return self.retriers[-1]

        make: Any = base_client.Retrier
        self.patch.setattr(base_client, "Retrier", made)
        self.client: AsyncHomebox = self.world.client(
            max_connections=places,
            timeout=timeout,
            retry=retry,
            deadline=None,
            keepalive_timeout=keep,
            attempt_middlewares=[self._observe],
        )
        self.views: dict[float | None, AsyncHomebox] = {None: self.client}

    @rule(
        methods=st.lists(st.sampled_from(METHODS), min_size=1, max_size=6),
        deadline=st.sampled_from([None, 0.5, 4.0, 20.0, 90.0]),
        ticks=st.integers(0, 60),
    )
    def start(self, methods: list[str], deadline: float | None, ticks: int) -> None:
        """Start calls, and let the loop turn so many times."""
        if deadline not in self.views:
            # A view has a retry quota of its own.
            self.views[deadline] = self.client.with_options(deadline=deadline)
        self._run(self._start(methods, deadline, ticks))

    @rule(
        methods=st.lists(st.sampled_from(METHODS), min_size=1, max_size=6),
        deadline=st.sampled_from([None, None, 4.0, 20.0, 90.0]),
        seconds=st.sampled_from([0.0001, 1.0, 11.0]),
    )
    def work(self, methods: list[str], deadline: float | None, seconds: float) -> None:
        """Start calls, and give them some time."""
        self.start(methods, deadline, 0)
        self.advance(seconds)

    async def _start(self, methods: list[str], deadline: float | None, ticks: int) -> None:
        for method in methods:
            call = Call(len(self.calls), method, self.loop.time(), deadline, self.retry.attempts)
            self.calls.append(call)
            call.task = asyncio.create_task(self._make(self.views[deadline], call))
        for _ in range(ticks):
            await asyncio.sleep(0)

    async def _make(self, client: AsyncHomebox, call: Call) -> None:
        try:
            call.result = await send(client, call.method, call.number)
        except BaseException as error:
            call.error = error
        finally:
            call.finished = self.loop.time()

    @rule(answers=st.lists(says, min_size=1, max_size=6))
    def answer(self, answers: list[Say]) -> None:
        """Let the server give these answers next."""
        for say in answers:
            headers = []
            if say.asks == "seconds":
                headers.append(("Retry-After", str(say.seconds)))
            elif say.asks == "date":
                date = self.loop.date(say.seconds)
                self.asked.dates[date] = float(math.floor(self.loop.wall() + say.seconds))
                headers.append(("Retry-After", date))
            if say.left is not None:
                headers.append(("X-RateLimit-Remaining", str(say.left)))
            body = b"" if say.status in {204, 304} else say.body
            answer = Answer(say.status, body, tuple(headers), say.act, say.late)
            self.server.answers.append(answer)

    @rule(plans=st.lists(st.lists(faults, max_size=2), min_size=1, max_size=4))
    def plan(self, plans: list[list[Fault]]) -> None:
        """Let the next connections have these faults."""
        self.plans.extend(Plan(tuple(plan)) for plan in plans)

    # Which ones there are may differ between two runs of one example, so they are not drawn.
    @rule(fault=faults, which=st.integers(0, 9))
    def break_later(self, fault: Fault, which: int) -> None:
        """Give a connection that is there a fault in its next exchange."""
        if self.proxy.links:
            link = self.proxy.links[-1 - which % len(self.proxy.links)]
            link.plan = Plan((attrs.evolve(fault, exchange=link.exchange + 1),))

    @rule(how=st.sampled_from(["resume", "resume", "refuse", "clog"]))
    def network(self, how: str) -> None:
        """Let new connections be refused, come to nothing, or come up."""
        self._open_up()
        if how == "refuse":
            self.proxy.refuse()
        elif how == "clog":
            self.clog = self.proxy.clogged()
            self.clog.__enter__()
            TOTALS["clogged"] += 1
        TOTALS["refused"] += how == "refuse"

    def _open_up(self) -> None:
        if self.clog is not None:
            self.clog.__exit__(None, None, None)
            self.clog = None
        self.proxy.resume()

    @rule(seconds=st.sampled_from([0.0001, 0.4, 1.0, 3.0, 11.0, 60.0]))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._run(asyncio.sleep(seconds))

    @rule(which=st.integers(0, 9), ticks=st.integers(0, 5))
    def cancel(self, which: int, ticks: int) -> None:
        """Cancel a call that is under way."""
        running = [call for call in self.calls if call.finished is None]
        if running:
            running[which % len(running)].task.cancel()
        for _ in range(ticks):
            self._run(asyncio.sleep(0))

    def _run(self, work: Any) -> None:
        self.loop.run_until_complete(work)
        TOTALS["steps"] += 1

    # --- what must always be so

    @invariant()
    def nothing_is_overdrawn(self) -> None:
        """Neither the retry quota nor the pool is ever below nothing or above what there was."""
        if not hasattr(self, "client"):
            return
        for retrier in self.retriers:
            assert 0 <= retrier.quota.spent <= self.retry.quota
        slots = getattr(self.client._transport, "_slots", None)
        if slots is not None:
            assert 0 <= slots._value <= self.places
        assert [] == self.noise, self.noise

    # --- the end

    def teardown(self) -> None:
        """Let every call end, close, and judge."""
        try:
            if hasattr(self, "client"):
                self._run(self._finish())
                self._judge()
                self._count()
        finally:
            self.patch.undo()

    async def _finish(self) -> None:
        self._open_up()
        async with asyncio.timeout(100_000):
            await asyncio.gather(*(call.task for call in self.calls), return_exceptions=True)
        slots = getattr(self.client._transport, "_slots", None)
        session = self.client._transport._session
        if slots is not None and session is not None:
            assert (self.places, set()) == (slots._value, session._connector._acquired)
        await self.client.aclose()
        await asyncio.sleep(2000)  # what was delayed or throttled arrives
        assert 0 == self.proxy.open
        assert set() == self.server.open
        assert {asyncio.current_task()} == asyncio.all_tasks()

    def _judge(self) -> None:
        links = {link.port: link for link in self.proxy.links}
        for one in self.server.received:
            if one.number is not None:
                self.calls[one.number].received.append(one)
        for call in self.calls:
            if call.task.cancelled():  # before it began
                assert [] == call.sends
                continue
            Judge(call, links).check()
        assert [] == self.noise, self.noise
        self._never_too_soon(links)
        retries = sum(max(0, call.tried - 1) for call in self.calls)
        done = sum(call.error is None for call in self.calls)
        assert 5 * retries <= self.retry.quota * len(self.retriers) + done

    def _never_too_soon(self, links: dict[int, Link]) -> None:
        """Nothing begins before the time that a 429 named, no call goes again before its own."""
        wall = self.loop.wall() - self.loop.time()
        until, own = 0.0, dict.fromkeys(range(len(self.calls)), 0.0)
        for event in self.events:
            if event.kind == "began":
                assert event.at >= until - TICK, "begun within a pause"
            elif event.kind == "sent":
                assert event.at >= own[event.number] - TICK, "sent again before the time"
            else:
                answer = self._seen(event, links)
                asked = None if answer is None else self.asked.until(answer, event.at, wall)
                if asked is not None:
                    TOTALS["waits asked for and seen"] += 1
                    own[event.number] = asked
                    until = max(until, asked) if event.kind == "limited" else until

    def _seen(self, event: Event, links: dict[int, Link]) -> Answer | None:
        """Return the answer that failed a call, if it came through as it was."""
        before = self.server.received[: event.received]
        said = [one for one in before if one.number == event.number and one.answered_at]
        if not said or any(
            isinstance(fault, Corrupt) and fault.way is Way.DOWN
            for fault in links[said[-1].port].struck
        ):
            return None
        return said[-1].answer

    def _count(self) -> None:
        TOTALS["examples"] += 1
        STRUCK.update(self.proxy.struck)
        TOTALS["connections"] += len(self.proxy.links)
        TOTALS["requests received"] += len(self.server.received)
        for call in self.calls:
            TOTALS["calls"] += 1
            TOTALS["writes"] += call.method in WRITES
            TOTALS["retries"] += max(0, call.tried - 1)
            done = sum(
                one.whole and one.answer is not None and 200 <= one.answer.status < 300
                for one in call.received
            )
            TOTALS["writes done twice"] += call.method in WRITES and done > 1
            TOTALS["reads done again"] += call.method in READS and done > 1
            if isinstance(call.error, asyncio.CancelledError) or call.task.cancelled():
                TOTALS["calls cancelled"] += 1
            else:
                outcome = getattr(call.error, "outcome", None)
                TOTALS[f"calls {outcome.value if outcome else 'succeeded'}"] += 1
        for one in self.server.received:
            if one.answer is not None:
                said = one.answer.status if one.answer.act == "say" else one.answer.act
                asked = " asked" if "Retry-After" in dict(one.answer.headers) else ""
                SAID[f"{said}{asked}"] += 1


async def send(client: AsyncHomebox, method: str, number: int) -> Any:
    """Make one call; its number is in its path."""
    path, params = "thing/{id}", {"id": number}
    if method == "stream":

        async def receive(stream: Incoming) -> bytes:
            try:
                return b"".join([chunk async for chunk in stream])
            finally:
                await stream.aclose()

        return await client._call(Request("GET", path, params=params, receive=receive))
    if method == "upload":
        form = {"kind": "gas", "photo": Upload(b"p" * 300, "photo.png", "image/png")}
        return await client.request("POST", path, params=params, form=form)
    json = {"name": "n" * 100} if method in WRITES else None
    return await client.request(method, path, params=params, json=json)


TestRetryMachine = RetryMachine.TestCase
TestRetryMachine.settings = settings.get_profile("long" if LONG else "short")
TestRetryMachine = pytest.mark.timeout(3600 if LONG else 120)(TestRetryMachine)
