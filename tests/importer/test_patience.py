"""How long a failing server is asked again: by a clock that no test waits for."""

import math
from typing import Any

import attrs
import pytest

from homebox_async import Outcome, RateLimited, ServerError
from homebox_async.errors import AuthenticationFailed, RequestError, ValidationError
from homebox_async.importer import ImportOptions
from homebox_async.importer.course import Course
from homebox_async.importer.patience import Patience


def failed(kind: type[RequestError] = ServerError, **more: Any) -> Any:
    """Return the failure of a request."""
    made = {"outcome": Outcome.REJECTED, "method": "POST", "path": "lead", "attempts": 1}
    status = {ServerError: 503, RateLimited: 429, AuthenticationFailed: 401}[kind]  # type: ignore[index]
    return kind("it failed", **{**made, "status": status, **more})


@attrs.define
class Ticking:
    """Patience whose clock moves only while it waits; `pauses` lists the waits."""

    seconds: float
    time: float = 0.0
    course: Course = attrs.Factory(Course)
    pauses: list[float] = attrs.Factory(list)

    @property
    def patience(self) -> Patience:
        """A patience on this clock."""
        return Patience(self.course, self.seconds, now=lambda: self.time, wait=self._wait)

    async def _wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    async def until_the_end(self, error: RequestError) -> None:
        """Fail until the import ends."""
        patience = self.patience
        while not self.course.draining:
            await patience.pause(error, self.time)


@pytest.mark.parametrize("seconds", [0.0, 30.0, 1800.0, 43_200.0], ids=str)
async def test_so_long(seconds: float) -> None:
    """The import ends after so much time of nothing but failures, and not long after it."""
    ticking = Ticking(seconds)
    error = failed()
    await ticking.until_the_end(error)
    assert seconds <= ticking.time <= seconds + 60
    assert ticking.course.error is error


async def test_longer_and_longer() -> None:
    """Pauses double up to a minute, with or without a word of the server's."""
    for error in (failed(), failed(RateLimited)):
        ticking = Ticking(1800)
        await ticking.until_the_end(error)
        assert ticking.pauses == sorted(ticking.pauses)
        assert (0.05, 60) == (ticking.pauses[0], ticking.pauses[-1])
        assert len(ticking.pauses) < 50


async def test_said() -> None:
    """Each long pause is said, with the time since when and the time of the next attempt."""
    ticking = Ticking(600)
    await ticking.until_the_end(failed())
    said = ticking.course.said
    assert len(said) == len([pause for pause in ticking.pauses if pause >= 5])
    assert all("nothing but failures since" in line and "tried again at" in line for line in said)


async def test_a_success_renews_it() -> None:
    """Whatever was borne before a success does not count."""
    ticking = Ticking(100)
    patience = ticking.patience
    for _ in range(30):
        for _ in range(8):
            await patience.pause(failed(), ticking.time)
        patience.renew()
    assert not ticking.course.draining
    assert ticking.time > 300


async def test_failures_together_are_one_round() -> None:
    """What failed together lengthens the pause once."""
    ticking = Ticking(100)
    patience = ticking.patience
    for _ in range(64):
        await patience.pause(failed(), -1.0)
    assert {0.05} == set(ticking.pauses[:64]) or len(set(ticking.pauses)) == 1


@pytest.mark.parametrize(
    ("asked", "patient", "ends"),
    [(3600, 1800, False), (3601, 1800, True), (7200, 43_200, False), (50_000, 43_200, True)],
)
async def test_long_retry_after(asked: float, patient: float, ends: bool) -> None:
    """A pause of up to an hour is waited for, a longer one if there is the patience."""
    ticking = Ticking(patient)
    await ticking.patience.pause(failed(RateLimited, retry_after=asked), 0.0)
    assert (ends, [] if ends else [asked]) == (ticking.course.draining, ticking.pauses)


async def test_reads_last() -> None:
    """A read is tried until it succeeds; what would fail again is raised at once."""
    ticking, failures = Ticking(100), [failed(), failed(), failed(RateLimited)]

    async def read() -> int:
        if failures:
            raise failures.pop()
        return 5

    assert 5 == await ticking.patience.lasting(read)
    assert 3 == len(ticking.pauses)
    failures.append(failed(AuthenticationFailed))
    with pytest.raises(AuthenticationFailed):
        await ticking.patience.lasting(read)


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan], ids=str)
def test_no_time(seconds: float) -> None:
    """A patience that is no time is refused by its name."""
    with pytest.raises(ValidationError, match="patience is no time"):
        ImportOptions(patience=seconds)
