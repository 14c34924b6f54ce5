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
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from .models import (
    Answer,
    Model,
    Part,
    Refusal,
    Unreadable,
    parse,
    tells_failure,
    wire_names,
)

__all__ = ["Unreadable", "configure", "converter", "decode", "decode_list", "parse"]

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]


def decode(body: bytes, into: type[T], *, envelope: str | None = "data", charset: str = "") -> T:
    """Return the one object of an answer; raises Unreadable.

    `envelope`: the key that wraps it, as a rule "data"; an answer without it is taken whole.
    """
    fast = _fast_one(into, envelope)
    try:
        found = fast.decode(body)
    except (ValueError, RecursionError):
        answer = Answer(body, parse(body, charset), charset)
        return _recognised(_tolerant(_unwrap(answer.tree, envelope), into, answer))
    item: T = found if envelope is None else found.data
    fast.finish((item,), Answer(body, None, charset, fast.walk))
    return _recognised(item) if item == fast.blank else item


def _recognised(item: T) -> T:
    """Refuse what has nothing of the object asked for and tells of a failure instead."""
    if isinstance(item, Model):
        raw = item.raw
        if (tells_failure(raw) or raw.get("message")) and not any(
            name in raw for name in wire_names(type(item)).values()
        ):
            raise Refusal("tells of a failure")
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
        return *_tolerant_list(answer, into, envelope), answer
    items: list[T] = found.data
    answer = Answer(body, None, charset, fast.walk)
    fast.finish(items, answer)
    return items, found.meta or {}, answer


# --- the fast path


@attrs.frozen
class _Fast:
    """How one kind of answer is read.

    `decode` takes its bytes; `finish` completes the objects, the outermost of which it is given;
    `walk` finds the JSON of each in the order in which `finish` numbers them; `blank` is an
    object of which nothing came.
    """

    decode: Callable[[bytes], Any]
    finish: Callable[[Iterable[Any], Answer], None]
    walk: Callable[[Any], list[Any]]
    blank: Any


def _refused(_: bytes) -> Any:
    """Stand for the decoder of a class that msgspec would read wrongly."""
    raise ValueError


@_cached
def _has_renamed(cls: Any) -> bool:
    if not (isinstance(cls, type) and issubclass(cls, Model)):
        return False
    return any(name != wire for name, wire in wire_names(cls).items()) or any(
        _has_renamed(_inner(kind)[0]) for kind in _kinds(cls).values()
    )


@_cached
def _fast_one(into: Any, envelope: str | None) -> _Fast:
    kind = into
    if envelope is not None:
        kind = msgspec.defstruct("One", [("data", into)], rename={"data": envelope})

    def walk(tree: Any) -> list[Any]:
        return list(_objects(tree if envelope is None else tree[envelope], into))

    return _fast(into, kind, walk)


@_cached
def _fast_list(into: Any, envelope: str) -> _Fast:
    fields: list[Any] = [("data", list[into]), ("meta", dict[str, Any] | None, None)]
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
    return _Fast(decode, _finish(into), walk, into())


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
    for hint in _kinds(cls).values():
        kind, _ = _inner(hint)
        if issubclass(kind, Model):
            yield from _all_below(kind)


def _objects(tree: Any, cls: type[Model]) -> Iterator[Any]:
    """Yield the JSON of an object, and of each one in it, in the order of `_Steps.of`."""
    yield tree
    for name, kind in _kinds(cls).items():
        inner, many = _inner(kind)
        below = tree.get(name) if issubclass(inner, Model) else None
        for one in (below or ()) if many else (below,):
            if one is not None:
                yield from _objects(one, inner)


@_cached
def _finish(cls: type[Model]) -> Callable[[Iterable[Any], Answer], None]:
    """Return what completes decoded objects and all below them.

    That is their answer and number, UTC for times without a zone, and no amount that is not a
    number. It is written as code, as attrs writes an `__init__`: loops over the fields, or a
    call for each object, take longer than the decoding itself.
    """
    steps = _Steps()
    steps.of(cls, "item", 2)
    code = ["def finish(items, answer):", " number = 0", " for item in items:", *steps.lines]
    exec("\n".join(code), steps.known)  # noqa: S102  # of names that are ours
    finish: Callable[[Iterable[Any], Answer], None] = steps.known["finish"]
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
        }
        self._names = itertools.count()

    def of(self, cls: type[Model], item: str, indent: int) -> None:
        """Write what is done with an object: first with itself, then with those in it."""

        def line(text: str, deeper: int = 0) -> None:
            self.lines.append(" " * (indent + deeper) + text)

        line(f"put_source({item}, answer)")
        line(f"put_number({item}, number)")
        line("number += 1")
        for name, hint in _kinds(cls).items():
            kind, many = _inner(hint)
            value = f"value{next(self._names)}"
            put = f"put_{value}"
            if name in _days(cls):
                self.known[put] = getattr(cls, name).__set__
                line(f"{value} = {item}.{name}")
                line(f"if {value} is not None:")
                line(f"{put}({item}, {value}.date())", 1)
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


def _inner(kind: Any) -> tuple[type, bool]:
    """Return what a field holds and whether it holds many: `tuple[X, ...]`, `X | None`, `X`."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in typing.get_args(kind) if arm is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return typing.get_origin(kind) or kind, False


# --- the tolerant path


def _unwrap(tree: Any, envelope: str | None) -> Any:
    inner = tree[envelope] if isinstance(tree, dict) and envelope in tree else tree
    # "Update a Branch Account" and "Create Postal Bill" answer a list of one object.
    if isinstance(inner, list) and len(inner) == 1:
        return inner[0]
    return inner


def _tolerant(tree: Any, into: type[T], answer: Answer) -> T:
    try:
        made = converter().structure(tree, into)
    except (ValueError, TypeError, RecursionError):
        raise Unreadable("holds no such object") from None
    _belong(made, answer)
    return made


def _belong(item: Any, answer: Answer) -> None:
    """Tell an object and all below it which answer they came from."""
    if isinstance(item, Model):
        source = item._source
        assert isinstance(source, Part)
        source.answer = answer
        for name in _kinds(type(item)):
            _belong(getattr(item, name), answer)
    elif isinstance(item, tuple):
        for inner in item:
            _belong(inner, answer)


def _tolerant_list(answer: Answer, into: type[T], envelope: str) -> tuple[list[T], dict[str, Any]]:
    meta: Any = None
    tree = found = answer.tree
    if isinstance(tree, dict):
        if envelope not in tree:
            raise Unreadable(f"has no {envelope!r}")
        meta = tree.get("meta")
        found = tree[envelope]
    # "List Properties" prints one object where a list is due; null is the empty list.
    if isinstance(found, dict):
        found = [found]
    if found is None:
        found = []
    if not isinstance(found, list):
        raise Unreadable(f"has no list in {envelope!r}")
    items = [_tolerant(item, into, answer) for item in found if item is not None]
    return items, meta if isinstance(meta, dict) else {}


def _structure_model(value: Any, cls: type[Model]) -> Model:
    if value == []:  # PHP writes an empty object as [].
        value = {}
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise ValueError(f"{cls.__name__} is not an object")
    known: dict[str, Any] = {}
    wire_name = wire_names(cls)
    for name, kind in _kinds(cls).items():
        found = value.get(wire_name[name])
        if found is not None:
            try:
                known[name] = converter().structure(found, kind)
            except (ValueError, TypeError):
                continue  # stays reachable as `extra`
    made = cls(**known)
    object.__setattr__(made, "_source", Part(value, None))
    return made


@_cached
def _kinds(cls: type[Model]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in attrs.fields(cls)}  # type: ignore[arg-type]


def _structure_tuple(value: Any, kind: Any) -> tuple[Any, ...]:
    inner = typing.get_args(kind)[0]
    if isinstance(value, dict):
        value = [value] if value else []
    if not isinstance(value, list):
        raise ValueError("not a list")
    return tuple(_readable(value, inner))


def _readable(values: list[Any], kind: Any) -> Iterator[Any]:
    for value in values:
        if value is not None:
            try:
                yield converter().structure(value, kind)
            except (ValueError, TypeError):
                continue  # one bad item does not lose the others; `extra` shows them all


def _text(value: Any, _: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Decimal)):
        return str(value)
    raise ValueError("not text")


def _integer(value: Any, _: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("not a number")
    number = _decimal(value, Decimal)
    # Arithmetic on an absurd exponent would run for ever; 4,300 digits is Python's own limit.
    if number.adjusted() > 4300 or number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


_WORDS = {"true": True, "1": True, "false": False, "0": False}


def _boolean(value: Any, _: Any) -> bool:
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if word not in _WORDS:
        raise ValueError("not true or false")
    return _WORDS[word]


def _time(value: Any, _: Any) -> dt.datetime:
    if not isinstance(value, str):
        raise ValueError("not a time")
    value = value.strip()
    try:
        # First as the fast path reads it: the two differ in the seventh digit of a fraction.
        time = msgspec.convert(value, dt.datetime)
    except ValueError:
        try:
            time = dt.datetime.fromisoformat(value)
        except ValueError:
            # Birthdays come as DD/MM/YYYY ("List Bill Payers").
            time = dt.datetime.strptime(value, "%d/%m/%Y")  # made UTC below
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time


def _date(value: Any, _: Any) -> dt.date:
    return _time(value, None).date()


def configure(converter: cattrs.Converter) -> cattrs.Converter:
    """Register every hook of the tolerant path."""
    converter.register_structure_hook_func(_is_model, _structure_model)
    converter.register_structure_hook_func(_is_tuple, _structure_tuple)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(dt.datetime, _time)
    converter.register_structure_hook(dt.date, _date)
    return converter


def _is_tuple(kind: Any) -> bool:
    origin: Any = typing.get_origin(kind)
    return origin is tuple


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)


@functools.cache
def converter() -> cattrs.Converter:
    """Return the one converter."""
    import cattrs  # 60 ms: whoever gets what the documents promise does not wait for it

    return configure(cattrs.Converter(detailed_validation=False))
