"""Canaries: values that are found nowhere else, planted in whatever is secret or personal."""

import datetime as dt
import inspect
import logging
import pickle
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import attrs

from homebox_async import Upload
from homebox_async.rules import Input

_TESTS = Path(__file__).parents[1]

TOKEN = "zqToken8f3aCanary"
USERNAME = "zqUsernameCanary"
PASSWORD = "zqPassword5c2Canary"
BIRTHDAY = dt.date(1987, 6, 5)
PHOTO = b"\x89PNG\r\n\x1a\n" + b"zqPhotoCanary" * 3
PDF = b"%PDF-1.7\n" + b"zqPhotoCanary" * 3

TEXTS: Mapping[str, str] = {
    "first_name": "Zqfirst",
    "last_name": "Zqlast O'Canary",
    "name": "Zqname",
    "email": "zq.mail@example.test",
    "email_address": "zq.mail@example.test",
    "phone_number": "+447911813627",
    "account_name": "Zqholder",
    "account_number": "73195284",
    "sort_code": "918273",
    "line1": "17 Zqline Street",
    "line2": "Zqfloor",
    "city": "Zqcity",
    "county": "Zqcounty",
    "postcode": "ZE1 0ZQ",
    "tenant_notes": "Zqnotes",
    "query": "Zqquery Lane",
    "q": "Zqquery Lane",
}
"""What stands for a text, by the name of its field."""

_FOUND = re.compile(
    r"zq\w+|7911.?813.?627|ZE1.{0,3}0ZQ"
    # Not as a part of a longer number: times have many digits, and sooner or later these.
    r"|(?<![\d.])(?:73195284|918273)(?!\d)"
    r"|1987[/-]0?6[/-]0?5|\b0?5[/-]0?6[/-]1987|date\(1987",
    re.IGNORECASE,
)


def leaks(text: str) -> set[str]:
    """Return the canaries that a text holds."""
    return {found[0] for found in _FOUND.finditer(text)}


def planted(name: str, value: Any) -> Any:
    """Return a value with a canary in each place that is secret or personal."""
    if isinstance(value, Input):
        fields = attrs.fields_dict(type(value))  # type: ignore[arg-type]  # each is attrs
        return type(value)(
            **{
                name: planted(name, getattr(value, name))
                for name in fields
                if isinstance(getattr(value, name), (str, int))
            }
        )
    if isinstance(value, (list, tuple)):
        return [planted("", one) for one in value]
    if isinstance(value, bytes):
        content = PDF if value.startswith(b"%PDF") else PHOTO
        kind = "application/pdf" if content is PDF else "image/png"
        return Upload(content, "zqFile.png", kind)
    if name == "birthday":
        return BIRTHDAY
    return TEXTS.get(name, value) if isinstance(value, str) else value


class Recorder:
    """Takes down how a case calls a client, to be done later with canaries as arguments."""

    def __init__(self, steps: tuple[Any, ...] = ()) -> None:
        self._steps = steps

    def __getattr__(self, name: str) -> "Recorder":
        return Recorder((*self._steps, name))

    def __call__(self, *args: Any, **kwargs: Any) -> "Recorder":
        """Take down the arguments."""
        return Recorder((*self._steps, (args, kwargs)))


def replay(call: Callable[[Any], Any], client: Any) -> Any:
    """Make the call of a case with canaries; it is the result's turn to be awaited."""
    here = client
    for step in call(Recorder())._steps:
        here = getattr(here, step) if isinstance(step, str) else _called(here, *step)
    return here


def _called(method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # Each value goes by the name of its parameter.
    names = list(inspect.signature(method).parameters)
    first = [planted(name, value) for name, value in zip(names, args, strict=False)]
    return method(*first, **{name: planted(name, value) for name, value in kwargs.items()})


def everything_of(error: BaseException) -> Iterator[tuple[str, str]]:
    """Give all that can be read off an error, by where it stands."""
    for one in chain(error):
        yield "repr", repr(one)
        yield "str", str(one)
        yield "args", repr(one.args)
        yield "attributes", repr(vars(one))
        yield "notes", repr(getattr(one, "__notes__", ()))
        yield "pickle", pickle.dumps(one).decode("latin-1")
    yield "traceback", with_locals(error)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and whatever led to it, hidden or not."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def ours(error: BaseException) -> BaseException:
    """Take the frames of the tests off an error: they hold the canaries, as a caller's may."""
    for one in chain(error):
        steps = []
        trace = one.__traceback__
        while trace is not None:
            if _TESTS not in Path(trace.tb_frame.f_code.co_filename).parents:
                steps.append(trace)
            trace = trace.tb_next
        kept = None
        for step in reversed(steps):
            kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
        one.__traceback__ = kept
    return error


def with_locals(error: BaseException) -> str:
    """Return a traceback with the local variables of every frame."""
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(found.format())


class Lines(logging.Handler):
    """Keeps all that is logged, and all that a record holds besides."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self.lines += [self.format(record), repr(vars(record))]
        if record.exc_info and record.exc_info[1] is not None:
            self.lines.append(with_locals(ours(record.exc_info[1])))
