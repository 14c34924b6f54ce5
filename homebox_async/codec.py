"""Bytes to objects: a strict fast path, and a tolerant one for what it refuses.

msgspec decodes an answer straight into the attrs classes. It refuses what the documents do not
promise (text for a number, an object for a list, a bare date for a time), and then the one
cattrs converter reads the same answer leniently: a value that it cannot read is left None and
stays reachable as `Model.extra`; one bad field never loses a page.
Both paths give equal objects.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import msgspec

from .days import london_day
from .lenient import (
    configure,
    converter,
    held_in,
    identifying,
    kinds_of,
    tolerant_list,
    tolerant_one,
)
from .models import Answer, Model, Unreadable, parse, tells_failure, wire_names

__all__ = ["Unreadable", "configure", "converter", "decode", "decode_list", "parse"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]


def decode(
    body: bytes,
    into: type[T],
    *,
    envelope: str | None = "data",
    charset: str = "",
    made: bool = False,
) -> T:
    """Return the one object of an answer; raises Unreadable.

    `envelope`: the key that wraps it, usually "data"; an answer without it is taken whole.
    `made`: whether the object was just created, so that the answer has to show which it is.
    """
    fast = _fast_one(into, envelope)
    try:
        found = fast.decode(body)
    except (ValueError, RecursionError):
        return tolerant_one(Answer(body, parse(body, charset), charset), into, envelope, made)
    item: T = found if envelope is None else found.data
    whole = Answer(body, None, charset, fast.walk)
    if fast.finish((item,), whole) or (envelope is not None and _tells_failure(found)):
        # Rare: the other path looks at all that came, and says what is wrong with it.
        return tolerant_one(whole, into, envelope, made)
    return item


def decode_list(
    body: bytes, into: type[T], *, envelope: str = "data", charset: str = ""
) -> tuple[list[T], dict[str, Any], Answer]:
    """Return the objects of a list, its `meta`, and the answer with all that stands beside."""
    fast = _fast_list(into, envelope)
    try:
        found = fast.decode(body)
    except (ValueError, RecursionError):
        answer = Answer(body, parse(body, charset), charset)
        return *tolerant_list(answer, into, envelope), answer
    items: list[T] = found.data
    answer = Answer(body, None, charset, fast.walk)
    if fast.finish(items, answer) or _tells_failure(found):
        return *tolerant_list(answer, into, envelope), answer
    return items, found.meta or {}, answer


# --- the fast path


@attrs.frozen
class _Fast:
    """How one kind of answer is read.

    `decode` takes its bytes; `finish` completes the objects, the outermost of which it is given,
    and returns True if one of these does not show which it is;
    `walk` finds the JSON of each in the order in which `finish` numbers them.
    """

    decode: Callable[[bytes], Any]
    finish: Callable[[Iterable[Any], Answer], bool]
    walk: Callable[[Any], list[Any]]


# What stands beside the envelope and may say that the request failed.
_BESIDE: list[Any] = [
    (name, Any, None) for name in ("success", "status", "error", "errors", "exception")
]


def _tells_failure(found: Any) -> bool:
    if found.success is None is found.status and not (
        found.error or found.errors or found.exception
    ):
        return False
    return tells_failure({name: getattr(found, name) for name, _, _ in _BESIDE})


def _refused(_: bytes) -> Any:
    """Stand for the decoder of a class that msgspec would read wrongly."""
    raise ValueError


@_cached
def _has_renamed(cls: Any) -> bool:
    if not (isinstance(cls, type) and issubclass(cls, Model)):
        return False
    return any(name != wire for name, wire in wire_names(cls).items()) or any(
        _has_renamed(held_in(kind)[0]) for kind in kinds_of(cls).values()
    )


@_cached
def _fast_one(into: Any, envelope: str | None) -> _Fast:
    kind = into
    if envelope is not None:
        kind = msgspec.defstruct("One", [("data", into), *_BESIDE], rename={"data": envelope})

    def walk(tree: Any) -> list[Any]:
        return list(_objects(tree if envelope is None else tree[envelope], into))

    return _fast(into, kind, walk)


@_cached
def _fast_list(into: Any, envelope: str) -> _Fast:
    fields: list[Any] = [("data", list[into]), ("meta", dict[str, Any] | None, None), *_BESIDE]
    kind = msgspec.defstruct("Many", fields, rename={"data": envelope})

    def walk(tree: Any) -> list[Any]:
        return [found for one in tree[envelope] for found in _objects(one, into)]

    return _fast(into, kind, walk)


def _fast(into: Any, kind: Any, walk: Callable[[Any], list[Any]]) -> _Fast:
    if not issubclass(into, Model):
        raise TypeError(f"{into.__name__} is not a Model")
    decode: Callable[[bytes], Any] = _refused
    if not _has_renamed(into):
        with _days_as_times(into):
            decode = msgspec.json.Decoder(kind).decode
    return _Fast(decode, _finish(into), walk)


@_cached
def _days(cls: type[Model]) -> frozenset[str]:
    """Return the fields that are dates for the user and times on the wire: see `models.day`."""
    fields = attrs.fields(cls)  # type: ignore[arg-type]  # each subclass is attrs
    return frozenset(field.name for field in fields if "day" in field.metadata)


_annotations = threading.RLock()


@contextlib.contextmanager
def _days_as_times(cls: type[Model]) -> Iterator[None]:
    """Show msgspec times where days are declared, here and below; `finish` makes them days.

    msgspec takes no time for a date, and asks the annotations when it makes a decoder; a hook that
    it would call for each value takes five times as long.
    """
    with _annotations, contextlib.ExitStack() as stack:
        for one in filter(_days, _all_below(cls)):
            declared = one.__annotations__
            stack.callback(declared.update, dict(declared))
            stack.callback(declared.clear)  # first: a subclass inherits what it is shown to have
            declared.update(dict.fromkeys(_days(one), dt.datetime | None))
        yield


def _all_below(cls: type[Model]) -> Iterator[type[Model]]:
    """Yield a class and every class of the objects in it."""
    yield cls
    for hint in kinds_of(cls).values():
        kind, _ = held_in(hint)
        if issubclass(kind, Model):
            yield from _all_below(kind)


def _objects(tree: Any, cls: type[Model]) -> Iterator[Any]:
    """Yield the JSON of an object, and of each one in it, in the order of `_Steps.of`."""
    yield tree
    for name, kind in kinds_of(cls).items():
        inner, many = held_in(kind)
        below = tree.get(name) if issubclass(inner, Model) else None
        for one in (below or ()) if many else (below,):
            if one is not None:
                yield from _objects(one, inner)


@_cached
def _finish(cls: type[Model]) -> Callable[[Iterable[Any], Answer], bool]:
    """Return what completes decoded objects and all below them.

    That is their answer and number, UTC for times without a zone, and no amount that is not a
    number. It returns True if one of the objects has no identifying field. It is written as
    code, as attrs writes an `__init__`: loops over the fields, or a call for each object, take
    longer than the decoding itself.
    """
    steps = _Steps()
    steps.of(cls, "item", 2)
    named = " or ".join(f"item.{name} is not None" for name in identifying(cls))
    code = [
        "def finish(items, answer):",
        " number, unnamed = 0, False",
        " for item in items:",
        *steps.lines,
        f"  if not ({named}): unnamed = True",
        " return unnamed",
    ]
    exec("\n".join(code), steps.known)  # noqa: S102  # of names that are ours
    finish: Callable[[Iterable[Any], Answer], bool] = steps.known["finish"]
    return finish


class _Steps:
    """The lines of a `finish`, and the names that they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[str, Any] = {
            "put_source": Model.__dict__["_source"].__set__,
            "put_number": Model.__dict__["_number"].__set__,
            "combine": dt.datetime.combine,
            "utc": dt.UTC,
            "london_day": london_day,
        }
        self._names = itertools.count()

    def of(self, cls: type[Model], item: str, indent: int) -> None:
        """Write what is done with an object: first with itself, then with those in it."""

        def line(text: str, deeper: int = 0) -> None:
            self.lines.append(" " * (indent + deeper) + text)

        line(f"put_source({item}, answer)")
        line(f"put_number({item}, number)")
        line("number += 1")
        for name, hint in kinds_of(cls).items():
            kind, many = held_in(hint)
            value = f"value{next(self._names)}"
            put = f"put_{value}"
            if name in _days(cls):
                self.known[put] = getattr(cls, name).__set__
                line(f"{value} = {item}.{name}")
                line(f"if {value} is not None:")
                # At any other hour, it is the day that the server wrote.
                line(f"if {value}.hour != 23:", 1)
                line(f"{put}({item}, {value}.date())", 2)
                line("else:", 1)
                line(f"{put}({item}, london_day({value}))", 2)
            elif kind is dt.datetime or kind is Decimal:
                self.known[put] = getattr(cls, name).__set__
                line(f"{value} = {item}.{name}")
                if kind is dt.datetime:
                    line(f"if {value} is not None and {value}.tzinfo is None:")
                    line(f"{put}({item}, combine({value}, {value}.time(), utc))", 1)
                else:
                    # msgspec reads "NaN" and "Infinity" as well.
                    line(f"if {value} is not None and not {value}.is_finite():")
                    line(f"{put}({item}, None)", 1)
            elif issubclass(kind, Model):
                line(f"{value} = {item}.{name}")
                line(f"for {value} in {value}:" if many else f"if {value} is not None:")
                self.of(kind, value, indent + 1)
