"""The checks of `homebox doctor`: each says what it found, and what to do about it.

They read and never write: at the server, a few pages of some lists; here, what the other
commands read too. No finding holds a token, a password or a value of an answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeVar

import attrs

from ...client import Environment
from ...errors import HomeboxError
from ..config import Profile
from ..session import origin_of
from ..text import one_line

T = TypeVar("T")

Status = Literal["ok", "warning", "failed", "skipped"]


@attrs.frozen
class Finding:
    """What a check found; `fix` is "" where there is nothing to do."""

    check: str
    status: Status
    detail: str
    fix: str = ""


@attrs.frozen(kw_only=True)
class Setup:
    """What is checked: the set-up that the other commands would have with these options.

    `wrong`: why the config file or the profile cannot be used. `limit`: seconds for each check.
    """

    profile: Profile
    wrong: str
    environment: Environment | None
    base_url: str | None
    token_file: Path | None
    emulator: bool
    limit: float

    @property
    def origin(self) -> str:
        """The server that is meant."""
        return origin_of(self.environment, self.base_url, self.profile)


def refused(check: str, error: HomeboxError) -> Finding:
    """Return the finding of an error of ours, whose words are "what is wrong; what to do"."""
    detail, _, fix = one_line(str(error)).partition("; ")
    return Finding(check, "failed", detail, fix)


async def limited(check: str, work: Callable[[], Awaitable[Finding]], limit: float) -> Finding:
    """Run a check within its time; whatever goes wrong in it is its finding."""
    try:
        async with asyncio.timeout(limit):
            return await work()
    except TimeoutError:
        return Finding(
            check, "failed", f"took longer than {limit:g} s", "give it longer with --timeout"
        )
    except HomeboxError as error:
        return refused(check, error)
    except Exception as error:
        # Its words may hold anything.
        return Finding(
            check, "failed", f"ended with {type(error).__name__}", "report this as a bug"
        )


async def in_thread(work: Callable[[], T]) -> T:
    """Await what blocks; a thread that hangs on (a locked keyring) does not keep Python."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return  # nobody waits any more
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # there is one without an error

    def run() -> None:
        try:
            result, error = work(), None
        except BaseException as raised:
            result, error = None, raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            return  # the loop has ended before the work

    threading.Thread(target=run, daemon=True).start()
    return await done
