"""Tracebacks without local variables: what a call was given must not be read off its failure.

Tools such as rich, pytest and Sentry show the local variables of every frame of a traceback.
In ours and in those of the libraries below, these are names, bank details and tokens. Whoever
calls us from outside is handed errors whose frames still tell file, line and function, and whose
variables are gone. It costs nothing until something fails.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def clear_locals(error: BaseException) -> None:
    """Forget the variables of every frame that an error and its causes have left behind.

    Frames that still run are the callers', and stay as they are.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if not _clear_frames(one.__traceback__, all_of_it=one is error):
            continue  # caught by somebody further out, before we were called: not ours
        waiting += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _clear_frames(trace: TracebackType | None, *, all_of_it: bool) -> bool:
    """Clear the frames of a traceback; False for one whose outermost frame still runs.

    Of such a one no frame is cleared, unless `all_of_it` is to be.
    """
    while trace is not None:
        try:
            if not _may_go_on(trace.tb_frame):
                trace.tb_frame.clear()
        except RuntimeError:  # it runs
            if not all_of_it:
                return False
        trace, all_of_it = trace.tb_next, True
    return True


if sys.version_info >= (3, 13):

    def _may_go_on(frame: FrameType) -> bool:
        return False  # clearing a suspended frame is refused there

else:
    import opcode

    _GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    _YIELD = opcode.opmap["YIELD_VALUE"]

    def _may_go_on(frame: FrameType) -> bool:
        """Tell whether a frame may be one of a suspended coroutine, which clearing would end.

        An error object that is raised from two calls at once has the frames of both.
        """
        code = frame.f_code
        return bool(code.co_flags & _GENERATORS) and code.co_code[frame.f_lasti] == _YIELD


def clean(method: F) -> F:
    """Make the errors that leave a function, or a coroutine function, tell no local variables."""
    if not inspect.iscoroutinefunction(method):
        return _clean_plain(method)

    @functools.wraps(method)
    async def clean_call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # this frame runs, so it is not cleared
            clear_locals(error)
            raise

    return clean_call  # type: ignore[return-value]


def _clean_plain(method: F) -> F:
    @functools.wraps(method)
    def clean_call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            clear_locals(error)
            raise

    return clean_call  # type: ignore[return-value]
