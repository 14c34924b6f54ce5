"""Late imports: what a call may need is there before its first byte leaves.

An import can fail: without file descriptors, or while the installation is replaced. After a
request has left, such a failure would hide what became of it. So nothing is imported then.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from typing import Final

from .errors import ConfigurationError

# At once, as it hangs itself into forks and into the end of Python. Once that end has come it
# cannot; only what goes to a pool of threads is missing then.
with contextlib.suppress(RuntimeError):
    import concurrent.futures.thread  # noqa: F401

STARTING: Final = threading.RLock()
"""Held by late imports and while a client's thread starts; a fork waits for it.

A child process has only the thread that forked it: a lock or a half-imported module of another
thread would stay as it was for ever.
"""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=STARTING.acquire,
        after_in_parent=STARTING.release,
        after_in_child=STARTING.release,
    )

# tenacity and cattrs take 40 and 60 ms, so `import homebox_async` is without them. The codecs are
# those that `json` and `parse` use for answers that are not UTF-8.
_CALLS: Final = (
    "tenacity",
    "cattrs",
    *(f"encodings.{name}" for name in ("idna", "latin_1", "cp1252", "ascii", "utf_8_sig")),
    *(f"encodings.utf_{bits}{order}" for bits in (16, 32) for order in ("", "_le", "_be")),
)
_THREADS: Final = ("anyio.from_thread", "anyio._backends._asyncio")

_loaded: set[tuple[str, ...]] = set()


def load_for_calls() -> None:
    """Import what any call may need; ConfigurationError where that fails."""
    _load(_CALLS)


def load_for_threads() -> None:
    """Import what a client with a thread of its own needs; ConfigurationError where that fails."""
    _load(_CALLS)
    _load(_THREADS)


def _load(names: tuple[str, ...]) -> None:
    if names in _loaded:
        return
    with STARTING:
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as broken:  # whatever the module does when it is imported
                raise ConfigurationError(
                    f"{name} could not be imported ({type(broken).__name__}: {broken}); nothing "
                    "was sent: check the installation and how many files may be open"
                ) from broken
        _loaded.add(names)
