"""The event loop that the sync clients and the command line run on: uvloop's where it is there.

Async code has a loop of its own already, and the package never changes it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .errors import ConfigurationError

R = TypeVar("R")


def green_threads() -> str | None:
    """Return the library that has replaced Python's threads by green ones; None for real threads.

    A loop in a green thread never lets another one run.
    """
    gevent: Any = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return "gevent"
    eventlet: Any = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return "eventlet"
    return None


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a loop of the extra `speed`; None, asyncio's own, where it is missing."""
    try:
        import uvloop
    except (ImportError, OSError):
        return None
    except RuntimeError:  # Python is leaving, and it cannot register itself for its end
        return None
    return uvloop.new_event_loop


def run(work: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine to its end in a loop of its own, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


def refuse_other_loops() -> None:
    """Raise ConfigurationError where asyncio does not run: under trio, for one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "no event loop of asyncio runs here; use asyncio.run(), or from trio and others the"
            " sync client in a thread (trio.to_thread.run_sync)"
        ) from None
