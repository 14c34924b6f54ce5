"""Ctrl-C during an import: the first drains, the second cancels."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

import attrs

from ..importer import Import

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.define
class Interrupts:
    """Counts the interrupts of a run and acts on them; `say` tells the user."""

    run: Import
    task: asyncio.Task[object]
    say: Callable[[str], None]
    count: int = 0

    def __call__(self) -> None:
        """Take one interrupt."""
        self.count += 1
        if self.count == 1:
            self.say("interrupted: waiting for what is in flight; once more leaves at once")
            self.run.drain()
        else:
            self.task.cancel()


@contextlib.contextmanager
def handled(interrupts: Interrupts) -> Iterator[None]:
    """Let SIGINT and SIGTERM go to `interrupts` inside the block."""
    loop = asyncio.get_running_loop()
    # Where signals cannot be handled so (Windows), Ctrl-C interrupts at once; the journal knows
    # what was in flight.
    with contextlib.suppress(NotImplementedError):
        for number in _SIGNALS:
            loop.add_signal_handler(number, interrupts)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
