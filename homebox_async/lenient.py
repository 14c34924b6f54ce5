"""The tolerant path from JSON to objects: one bad field never loses a page.

It reads what msgspec refuses: text for a number, an object for a list, a bare date for a time, a
list that is keyed like a PHP array. A value that it cannot read is left None and stays reachable
as `Model.extra`. What is no object at all, or says that the request failed, is Unreadable.
"""

from __future__ import annotations

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from .days import london_day
from .models import Answer, Model, Part, Refusal, Unreadable, items_of, tells_failure, wire_names

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]


def held_in(kind: Any) -> tuple[type, bool]:
    """Return what a field holds and whether it holds many: `tuple[X, ...]`, `X | None`, `X`."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in typing.get_args(kind) if arm is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return typing.get_origin(kind) or kind, False


@_cached
def identifying(cls: type[Model]) -> tuple[str, ...]:
    """Return the fields one of which shows which object it is; of a class without an id, all."""
    names = tuple(name for name in ("id", "order_id") if name in wire_names(cls))
    return names or tuple(name for name in kinds_of(cls) if not held_in(kinds_of(cls)[name])[1])


def _wire_identity(cls: type[Model]) -> list[str]:
    names = wire_names(cls)
    return [names[name] for name in identifying(cls) or names]


# Words of errors that some of our classes have as a field, too.
_COMMON = frozenset({"status", "message", "type", "code", "detail", "title"})


def _is_named(raw: Mapping[str, Any], cls: type[Model]) -> bool:
    """Return True if a field came that shows which object it is."""
    return any(raw.get(name) is not None for name in _wire_identity(cls))


def _known(raw: Mapping[str, Any], cls: type[Model]) -> set[str]:
    """Return the fields of the class that came and that an error would not have as well."""
    names = {name for name in wire_names(cls).values() if raw.get(name) is not None}
    return names - _COMMON


def tolerant_one(answer: Answer, into: type[T], envelope: str | None, made: bool) -> T:
    """Return the one object of an answer; `made`: see `codec.decode`."""
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
        for name in kinds_of(type(item)):
            _belong(getattr(item, name), answer)
    elif isinstance(item, tuple):
        for inner in item:
            _belong(inner, answer)


def tolerant_list(answer: Answer, into: type[T], envelope: str) -> tuple[list[T], dict[str, Any]]:
    """Return the objects of a list and its `meta`."""
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
    for name, kind in kinds_of(cls).items():
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
def kinds_of(cls: type[Model]) -> dict[str, Any]:
    """Return the fields of a class, each with what it holds."""
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
