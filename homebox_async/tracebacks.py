"""Tracebacks without local variables: what a call was given must not be read off its failure.

Tools such as rich, pytest and Sentry show the local variables of every frame of a traceback.
In ours and in those of the libraries below, these are names, bank details and tokens. Callers from
outside get errors in whose tracebacks these frames are replaced by empty ones, which show the same
file, line and function. The frames themselves are left alone, and so are the callers' own: their
middlewares, and what runs or may resume. It costs nothing until something fails.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_OF_MODULES = ("__name__", "__file__", "__loader__")  # by which tools find a source

# The libraries below us; those of Python itself are known to it.
_BELOW = frozenset(
    {
        *("homebox_async", "aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "attrs", "cattrs"),
        *("filetype", "frozenlist", "keyring", "msgspec", "multidict", "phonenumbers", "pyarrow"),
        *("tenacity", "uvloop", "winloop", "yarl"),
    }
)


def clear_locals(error: BaseException) -> None:
    """Take the variables of our frames out of the tracebacks of an error and of its causes.

    An error that the user has caught before is theirs, and stays as it is.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        trace = one.__traceback__
        if one is not error and trace is not None and not _is_ours(trace.tb_frame):
            continue
        one.__traceback__ = _emptied(trace)
        waiting += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _emptied(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback in which our frames are empty."""
    steps: list[TracebackType] = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    made: TracebackType | None = None
    for step in reversed(steps):
        frame, last = step.tb_frame, step.tb_lasti
        if _is_ours(frame):
            frame = _empty(frame, step.tb_lineno)
            last = frame.f_lasti
        made = TracebackType(made, frame, last, step.tb_lineno)
    return made


def _is_ours(frame: FrameType) -> bool:
    """Return True for a frame of this package, of a library below it, or of Python itself."""
    name = frame.f_globals.get("__name__", "homebox_async")  # none has what attrs generates
    top = name.partition(".")[0]
    return top in _BELOW or top in sys.stdlib_module_names


def _empty(frame: FrameType, line: int) -> FrameType:
    """Return a frame without variables that shows the place of another one."""
    code, known = frame.f_code, frame.f_globals
    stand_in = _code(code.co_filename, code.co_name, code.co_qualname, line)
    names: dict[str, Any] = {
        key: known[key] for key in ("__name__", "__file__", "__loader__") if key in known
    }
    trace: TracebackType | None = None
    try:
        exec(stand_in, names, {})  # noqa: S102  # raises, and does nothing else
    except ZeroDivisionError as raised:
        trace = raised.__traceback__
    assert trace is not None
    assert trace.tb_next is not None
    return trace.tb_next.tb_frame


def _template() -> CodeType:
    tree = ast.parse("raise ZeroDivisionError")
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr)):
            # No columns, which are not those of the place.
            node.col_offset = node.end_col_offset = -1
    return compile(tree, "", "exec")


_TEMPLATE = _template()


@functools.lru_cache(1024)
def _code(file: str, name: str, qualname: str, line: int) -> CodeType:
    return _TEMPLATE.replace(
        co_filename=file, co_name=name, co_qualname=qualname, co_firstlineno=line
    )


def clean(method: F) -> F:
    """Make the errors that leave a function, of whatever kind, show no local variables."""
    if inspect.isasyncgenfunction(method):
        return _clean_async_steps(method)
    if inspect.isgeneratorfunction(method):
        return _clean_steps(method)
    if not inspect.iscoroutinefunction(method):
        return _clean_plain(method)

    @functools.wraps(method)
    async def clean_call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # for tools that look at frames by other ways than a traceback
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


def _clean_async_steps(method: F) -> F:
    @functools.wraps(method)
    async def clean_steps(*args: Any, **kwargs: Any) -> Any:
        steps = method(*args, **kwargs)
        try:
            async for step in steps:
                yield step
        except BaseException as error:
            del args, kwargs
            step = None
            clear_locals(error)
            raise
        finally:
            await steps.aclose()

    return clean_steps  # type: ignore[return-value]


def _clean_steps(method: F) -> F:
    @functools.wraps(method)
    def clean_steps(*args: Any, **kwargs: Any) -> Any:
        steps = method(*args, **kwargs)
        try:
            yield from steps
        except BaseException as error:
            del args, kwargs
            clear_locals(error)
            raise

    return clean_steps  # type: ignore[return-value]
