"""Bytes to objects: a strict fast path, and a tolerant one for what it refuses.

msgspec decodes an answer straight into the attrs classes. It refuses what the documents do not
promise (text for a number, an object for a list, a bare date for a time), and then the one
cattrs converter reads the same answer leniently: a value that it cannot read is left None and
stays reachable as `Model.extra`; one bad field never loses a page.
Both paths give equal objects.
"""

from __future__ import annotations

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from .models import (
    Answer,
    Model,
    Part,
    Place,
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
    try:
        found = _fast_one(into, envelope).decode(body)
    except (ValueError, RecursionError):
        answer = Answer(body, parse(body, charset), charset)
        return _recognised(_tolerant(_unwrap(answer.tree, envelope), into, answer))
    item: T = found if envelope is None else found.data
    place: Place = Answer(body, charset=charset)
    _finish(into)(item, place if envelope is None else (place, envelope))
    return _recognised(item) if item == _blank(into) else item


@_cached
def _blank(into: Any) -> Any:
    return into()


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
    try:
        found = _fast_list(into, envelope).decode(body)
    except (ValueError, RecursionError):
        answer = Answer(body, parse(body, charset), charset)
        return *_tolerant_list(answer, into, envelope), answer
    items: list[T] = found.data
    answer = Answer(body, charset=charset)
    root = (answer, envelope)
    finish = _finish(into)
    for index, item in enumerate(items):
        finish(item, (root, index))
    return items, found.meta or {}, answer


# --- the fast path


class _NoFastPath:
    """Stands for the decoder of a class that msgspec would read wrongly."""

    def decode(self, _: bytes) -> Any:
        raise ValueError


@_cached
def _has_renamed(cls: Any) -> bool:
    if not (isinstance(cls, type) and issubclass(cls, Model)):
        return False
    return any(name != wire for name, wire in wire_names(cls).items()) or any(
        _has_renamed(_inner(kind)[0]) for kind in _kinds(cls).values()
    )


@_cached
def _fast_one(into: Any, envelope: str | None) -> Any:
    if _has_renamed(into):
        return _NoFastPath()
    if envelope is None:
        return msgspec.json.Decoder(into)
    return msgspec.json.Decoder(
        msgspec.defstruct("One", [("data", into)], rename={"data": envelope})
    )


@_cached
def _fast_list(into: Any, envelope: str) -> Any:
    if _has_renamed(into):
        return _NoFastPath()
    fields: list[Any] = [("data", list[into]), ("meta", dict[str, Any] | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("Many", fields, rename={"data": envelope}))


# What is done with a field's value that is there, by what the field holds.
_TIME = """
 if value is not None and value.tzinfo is None:
  put_{name}(item, combine(value, value.time(), utc))"""
# msgspec reads "NaN" and "Infinity" as well.
_AMOUNT = """
 if value is not None and not value.is_finite():
  put_{name}(item, None)"""
_ONE = """
 if value is not None:
  finish_{name}(value, (place, {name!r}))"""
_MANY = """
 if value:
  under = (place, {name!r})
  for index, one in enumerate(value):
   finish_{name}(one, (under, index))"""


@_cached
def _finish(cls: Any) -> Callable[[Any, Place], None]:
    """Return what completes a decoded object.

    That is its place, UTC for times without a zone, and no amount that is not a number.
    It is written as code, as attrs writes an `__init__`: loops over the fields take longer than
    the decoding itself.
    """
    if not issubclass(cls, Model):
        raise TypeError(f"{cls.__name__} is not a Model")
    known: dict[str, Any] = {
        "put_place": Model.__dict__["_place"].__set__,
        "combine": dt.datetime.combine,
        "utc": dt.UTC,
    }
    code = "def finish(item, place):\n put_place(item, place)"
    hints = typing.get_type_hints(cls)
    for name in attrs.fields_dict(cls):
        kind, many = _inner(hints[name])
        if kind is dt.datetime or kind is Decimal:
            known[f"put_{name}"] = cls.__dict__[name].__set__
            step = _TIME if kind is dt.datetime else _AMOUNT
        elif issubclass(kind, Model):
            known[f"finish_{name}"] = _finish(kind)
            step = _MANY if many else _ONE
        else:
            continue
        code += f"\n value = item.{name}" + step.format(name=name)
    exec(code, known)  # noqa: S102  # of names that are ours
    finish: Callable[[Any, Place], None] = known["finish"]
    return finish


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
        place = item._place
        assert isinstance(place, Part)
        place.answer = answer
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
    object.__setattr__(made, "_place", Part(value, None))
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
