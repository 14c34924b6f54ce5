"""What really happened to each call, and an oracle that judges by it what the client says.

The facts come from the server, from the proxy and from aiohttp's own doorstep. The oracle is the
table of the design, written down here once more; it asks nothing of the package.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import attrs

from homebox_async import (
    DeadlineExceeded,
    NotFound,
    Outcome,
    OutcomeUnknown,
    RequestError,
    StatusError,
)

from .plans import Corrupt, Way
from .proxy import Link
from .recorder import Answer, Received

READS = {"GET", "stream"}
WRITES = {"POST", "PATCH", "upload"}
# Clocks are floats.
TICK = 1e-6


@attrs.define(eq=False)
class Call:
    """One call of the client, and what became of it."""

    number: int
    method: str
    started: float
    deadline: float | None
    attempts: int  # how many the policy allows
    task: asyncio.Task[Any] = attrs.field(init=False)
    finished: float | None = None
    result: Any = None
    error: BaseException | None = None
    sends: list[float] = attrs.field(factory=list)  # when aiohttp began to write it
    tried: int = 0  # attempts that got past the throttle
    received: list[Received] = attrs.field(factory=list)


@attrs.define(eq=False)
class Asked:
    """When the servers' dates are, by what they say."""

    dates: dict[str, float] = attrs.field(factory=dict)

    def until(self, one: Answer, at: float, wall: float) -> float | None:
        """Return when an answer given `at` lets the client come back; None where it says nothing.

        `wall`: the time of day at 0.
        """
        said = dict(one.headers).get("Retry-After")
        if said is None:
            return None
        return at + int(said) if said.isdigit() else self.dates[said] - wall


def clear_no(one: Received) -> bool:
    """Tell whether the server surely did nothing, and said so."""
    answer = one.answer
    if not one.whole:
        return True
    if answer is None or answer.act != "say" or not one.answered_at:
        return False
    return 300 <= answer.status < 500 and answer.status not in {408, 425}


def come_back(one: Received) -> bool:
    """Tell whether the server surely did nothing and wants to be asked again."""
    return one.whole and one.answer is not None and clear_no(one) and one.answer.status == 429


@attrs.frozen
class Judge:
    """Judges one call when it is over; `links`: the connections by the server's view of them."""

    call: Call
    links: Mapping[int, Link]

    def check(self) -> None:
        """Raise AssertionError if anything is not as it must be."""
        call = self.call
        assert call.finished is not None, "still running"
        self._sent_once()
        if call.deadline is not None:
            assert call.finished <= call.started + call.deadline + TICK, "outlived its deadline"
        if call.error is None:
            self._success()
        elif isinstance(call.error, asyncio.CancelledError):
            self._cancelled(call.error)
        else:
            assert isinstance(call.error, RequestError), repr(call.error)
            self._failure(call.error)

    @property
    def _may_be_done(self) -> bool:
        return any(not clear_no(one) for one in self.call.received)

    def _sent_once(self) -> None:
        call = self.call
        if call.method in WRITES:
            invited = sum(come_back(one) for one in call.received)
            assert len(call.sends) - 1 <= invited, "a write was sent again"
            done = sum(not clear_no(one) for one in call.received)
            assert done <= 1, "a write was received twice"
        assert call.tried <= call.attempts
        assert len(call.received) <= len(call.sends) <= call.tried

    def _success(self) -> None:
        call = self.call
        last = call.received[-1]
        assert last.whole
        assert last.answer is not None
        assert last.answer.act == "say"
        if last.answer.status == 404:
            assert call.method == "DELETE"
            assert len(call.sends) > 1
            assert not all(come_back(one) for one in call.received[:-1]) or len(
                call.received
            ) < len(call.sends), "nothing can have deleted it"
        else:
            assert 200 <= last.answer.status < 300

    def _failure(self, error: RequestError) -> None:
        call, outcome = self.call, error.outcome
        unknown = outcome is Outcome.UNKNOWN
        assert isinstance(error, OutcomeUnknown) is (call.method in WRITES and unknown)
        assert len(call.sends) <= error.attempts <= call.attempts
        if not call.sends:
            assert outcome is Outcome.NOT_SENT, "nothing was sent"
        if outcome is Outcome.NOT_SENT:
            assert len(call.sends) < max(1, error.attempts) or isinstance(error, DeadlineExceeded)
        if call.method not in READS and self._may_be_done:
            assert unknown, "it may have been done"
        if outcome is Outcome.REJECTED:
            self._rejected(error)
        if unknown and call.method in WRITES:
            assert not self._plain_no(), "the server said no"
        if isinstance(error, DeadlineExceeded):
            assert call.deadline is not None

    def _rejected(self, error: RequestError) -> None:
        assert isinstance(error, StatusError)
        said = {one.answer.status for one in self.call.received if one.answer is not None}
        if any(
            isinstance(f, Corrupt) and f.way is Way.UP for link in self._mine() for f in link.struck
        ):
            said.add(400)  # the server could not make sense of it
        assert error.status in said
        if isinstance(error, NotFound) and self.call.method == "DELETE":
            assert all(clear_no(one) for one in self.call.received)

    def _plain_no(self) -> bool:
        """Whether every answer was a clear no that came through at once, on a sound line."""
        return (
            bool(self.call.received)
            and len(self.call.received) == len(self.call.sends)
            and all(one.whole and clear_no(one) for one in self.call.received)
            and all(one.answer is not None and not one.answer.late for one in self.call.received)
            and not any(link.struck for link in self._mine())
        )

    def _mine(self) -> list[Link]:
        name = b"/thing/%d HTTP" % self.call.number
        return [link for link in self.links.values() if name in link.said]

    def _cancelled(self, error: asyncio.CancelledError) -> None:
        notes = "".join(getattr(error, "__notes__", ()))
        if self.call.sends:
            assert "outcome: " in notes, "a cancelled call says nothing of what it did"
        else:
            assert "unknown" not in notes, "nothing was sent"
        if self.call.method not in READS and self._may_be_done:
            assert "outcome: unknown" in notes, "it may have been done"
