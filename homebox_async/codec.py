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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from .days import london_day
from .models import (
    Answer,
    Model,
    Part,
    Refusal,
    Unreadable,
    items_of,
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
        return _tolerant_one(Answer(body, parse(body, charset), charset), into, envelope, made)
    item: T = found if envelope is None else found.data
    whole = Answer(body, None, charset, fast.walk)
    if fast.finish((item,), whole) or (envelope is not None and _tells_failure(found)):
        # Rare: the other path looks at all that came, and says what is wrong with it.
        return _tolerant_one(whole, into, envelope, made)
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
    if fast.finish(items, answer) or _tells_failure(found):
        return *_tolerant_list(answer, into, envelope), answer
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
        _has_renamed(_inner(kind)[0]) for kind in _kinds(cls).values()
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
def _finish(cls: type[Model]) -> Callable[[Iterable[Any], Answer], bool]:
    """Return what completes decoded objects and all below them.

    That is their answer and number, UTC for times without a zone, and no amount that is not a
    number. It returns True if one of the objects has no identifying field. It is written as
    code, as attrs writes an `__init__`: loops over the fields, or a call for each object, take
    longer than the decoding itself.
    """
    steps = _Steps()
    steps.of(cls, "item", 2)
    named = " or ".join(f"item.{name} is not None" for name in _identifying(cls))
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
        for name, hint in _kinds(cls).items():
            kind, many = _inner(hint)
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


def _inner(kind: Any) -> tuple[type, bool]:
    """Return what a field holds and whether it holds many: `tuple[X, ...]`, `X | None`, `X`."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in typing.get_args(kind) if arm is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return typing.get_origin(kind) or kind, False


# --- the tolerant path


@_cached
def _identifying(cls: type[Model]) -> tuple[str, ...]:
    """Return the fields one of which shows which object it is; of a class without an id, all."""
    names = tuple(name for name in ("id", "order_id") if name in wire_names(cls))
    return names or tuple(name for name in _kinds(cls) if not _inner(_kinds(cls)[name])[1])


def _wire_identity(cls: type[Model]) -> list[str]:
    names = wire_names(cls)
    return [names[name] for name in _identifying(cls) or names]


# Words of errors that some of our classes have as a field, too.
_COMMON = frozenset({"status", "message", "type", "code", "detail", "title"})


def _is_named(raw: Mapping[str, Any], cls: type[Model]) -> bool:
    """Return True if a field came that shows which object it is."""
    return any(raw.get(name) is not None for name in _wire_identity(cls))


def _known(raw: Mapping[str, Any], cls: type[Model]) -> set[str]:
    """Return the fields of the class that came and that an error would not have as well."""
    names = {name for name in wire_names(cls).values() if raw.get(name) is not None}
    return names - _COMMON


def _tolerant_one(answer: Answer, into: type[T], envelope: str | None, made: bool) -> T:
    tree = answer.tree
    item = _tolerant(_unwrap(tree, envelope, into), into, answer)
    if not isinstance(item, Model):
        return item
    cls, raw = type(item), item.raw
    names = set(wire_names(cls).values())
    is_wrapped = isinstance(tree, dict) and envelope in tree
    known = _known(raw, cls)
    # Without an envelope, a field of the object (the status of a payment) is not one of the answer.
    answers = [_without(tree, () if is_wrapped or not known else names)]
    if not known:
        answers.append(raw)
    if not known or "data" in names:
        answers.append(raw.get("data"))
    if any(map(tells_failure, answers)) or (not known and raw.get("message")):
        raise Refusal("tells of a failure")
    if made and not _is_named(raw, cls):
        raise Unreadable("does not show which object it is")
    if not raw.keys() & names and raw.keys() & _COMMON:  # ProblemDetails has these
        raise Unreadable("holds no such object")
    return item


def _without(tree: Any, names: Collection[str]) -> Any:
    if not isinstance(tree, dict):
        return None
    return {key: value for key, value in tree.items() if key not in names}


def _unwrap(tree: Any, envelope: str | None, into: Any) -> Any:
    inner = tree[envelope] if isinstance(tree, dict) and envelope in tree else tree
    # "Update a Branch Account" and "Create Postal Bill" answer a list of one object, and PHP
    # may write that list with its key.
    if envelope is not None and inner:
        names = wire_names(into).values() if _is_model(into) else ()
        items = items_of(inner, names)
        if items is not None and len(items) == 1:
            return items[0]
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
        if tells_failure(tree):
            raise Refusal("tells of a failure")
        if envelope not in tree:
            raise Unreadable(f"has no {envelope!r}")
        meta = tree.get("meta")
        found = tree[envelope]
    if not (isinstance(into, type) and issubclass(into, Model)):
        raise TypeError(f"{into!r} is not a Model")
    items = items_of(found, wire_names(into).values())
    if items is None:
        raise Unreadable(f"has no list in {envelope!r}")
    read: list[T] = []
    for one in items:
        if one is not None:
            item = _tolerant(one, into, answer)
            if not _known(item.raw, into):
                raise Unreadable(f"has something else than objects in {envelope!r}")
            read.append(item)
    if meta is None and isinstance(found, dict) and "data" in found:
        # Laravel's own pages stand whole in `data`, with their numbers beside their items.
        meta = found.get("meta", found)
    return read, meta if isinstance(meta, dict) else {}


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
    items = items_of(value, wire_names(inner).values() if _is_model(inner) else ())
    if items is None:
        raise ValueError("not a list")
    return tuple(_readable(items, inner))


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
    time = _time(value, None)
    return time.date() if time.hour != 23 else london_day(time)


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
