"""How far an import is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import attrs

from ..importer import Import, State
from .output import Output
from .terminal import console
from .text import counted, duration, say, shown

if TYPE_CHECKING:
    from rich.progress import Progress

_POLL = 0.1  # seconds
_LINE_EVERY = 5.0  # seconds
_WINDOW = 10.0  # seconds over which the rate is taken
# The phases in which the number of rows is not known yet.
_PLANNING = ("opening", "connecting", "starting", "checking")


@attrs.frozen
class Moment:
    """Where a run stands."""

    phase: str
    rows: int
    sent: int
    created: int
    adopted: int
    rejected: int
    unknown: int

    @classmethod
    def of(cls, run: Import) -> Moment:
        """Look at a run."""
        count = run.counts
        return cls(
            phase=run.phase,
            rows=run.rows,
            sent=run.sent,
            created=count[State.CREATED],
            adopted=count[State.ADOPTED],
            rejected=count[State.REJECTED],
            unknown=count[State.UNKNOWN],
        )

    @property
    def ended(self) -> int:
        """How many rows have come to an end."""
        return min(self.rows, self.created + self.adopted + self.rejected + self.unknown)

    @property
    def counts(self) -> str:
        """The rows by what became of them, as far as there are any."""
        numbers = {
            "created": self.created,
            "adopted": self.adopted,
            "rejected": self.rejected,
            "unknown": self.unknown,
        }
        return ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)

    @property
    def is_planning(self) -> bool:
        """Whether the number of rows is not known yet."""
        return self.phase in _PLANNING

    @property
    def is_sending(self) -> bool:
        """Whether rows come to an end at the pace of the server."""
        return not self.is_planning and self.phase != "comparing"


class Pace:
    """How fast rows come to an end, over the last seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, moment: Moment) -> None:
        """Note where a run stands; what happens before anything is sent does not count."""
        if not moment.is_sending:
            return
        now = self._now()
        self._seen.append((now, moment.ended))
        while now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def told(self, moment: Moment) -> Iterator[str]:
        """Give the rate and how long the rest takes, where there is a rate."""
        if not self._seen:
            return
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        if after <= before:
            return
        rate = (after - before) / (end - start)
        yield f"{rate:,.0f} rows/s" if rate >= 10 else f"{rate:.1f} rows/s"
        if moment.ended < moment.rows:
            yield f"{duration((moment.rows - moment.ended) / rate)} left"


class View(Protocol):
    """Shows the progress of a run on stderr."""

    def show(self, moment: Moment) -> None:
        """Show where the run stands."""

    def say(self, text: str) -> None:
        """Say something beside the progress."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Silence:
    """No progress; what has to be said is said."""

    def show(self, moment: Moment) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Say it."""
        say(text, err=True)

    def close(self) -> None:
        """Do nothing."""


class Lines(Silence):
    """A line every few seconds and at each phase."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pace = Pace(now)
        self._phase = ""
        self._next = 0.0

    def show(self, moment: Moment) -> None:
        """Write a line if it is time."""
        self._pace.see(moment)
        now = self._now()
        if moment.phase == self._phase and now < self._next:
            return
        self._phase, self._next = moment.phase, now + _LINE_EVERY
        rows = counted(moment.rows, "row") if moment.rows else ""
        parts = [rows if moment.is_planning else f"{moment.ended:,} of {rows}"]
        parts += [moment.counts, *self._pace.told(moment)]
        say(f"{moment.phase}: {', '.join(filter(None, parts))}".rstrip(": "), err=True)


class Bar:
    """A bar with phase, rate, counts and time left."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._pace = Pace()
        self._progress: Progress = Progress(
            TextColumn("{task.description:<11}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}", markup=False),
            console=console(stderr=True),
            # Refreshed by `show`: no thread beside the event loop.
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, more="")
        self._progress.start()

    def show(self, moment: Moment) -> None:
        """Move the bar."""
        self._pace.see(moment)
        parts = [moment.counts, *self._pace.told(moment)]
        self._progress.update(
            self._task,
            description=moment.phase,
            # While the rows are being read, how many there are is not known.
            total=None if moment.is_planning else moment.rows,
            completed=moment.rows if moment.is_planning else moment.ended,
            more=", ".join(filter(None, parts)),
            refresh=True,
        )

    def say(self, text: str) -> None:
        """Print it above the bar."""
        self._progress.console.print(shown(text), markup=False, highlight=False)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()


def view_of(output: Output) -> View:
    """Return the view that fits stderr; beside a log, lines read better than a bar."""
    if output.json and not output.verbose:
        return Silence()
    if output.verbose or not is_interactive():
        return Lines()
    return Bar()


def is_interactive() -> bool:
    """Tell whether stderr is a terminal that can move its cursor."""
    return sys.stderr.isatty() and not console(stderr=True).is_dumb_terminal


@contextlib.asynccontextmanager
async def followed(run: Import, view: View) -> AsyncIterator[None]:
    """Show the progress of a run inside the block."""

    told = 0

    def tell() -> None:
        nonlocal told
        for line in run.said[told:]:
            view.say(line)
        told = len(run.said)

    async def follow() -> None:
        while True:
            tell()
            view.show(Moment.of(run))
            await asyncio.sleep(_POLL)

    follower = asyncio.create_task(follow())
    try:
        yield
    finally:
        follower.cancel()
        # Whatever became of it: a stderr that cannot be written must not end an import.
        await asyncio.gather(follower, return_exceptions=True)
        with contextlib.suppress(OSError):
            tell()
        view.close()
