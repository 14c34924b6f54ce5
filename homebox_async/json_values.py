"""Plain values as JSON, and what no JSON has a place for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from .errors import Problem
from .tidying import plain

_DEEPEST = 512  # objects and lists in one another, which is what PHP reads


def _plainly(value: Any) -> Any:
    """Return what msgspec does not know as what it is, or TypeError."""
    made = plain(value)
    if made is value:
        raise TypeError
    return made


_written = msgspec.json.Encoder(enc_hook=_plainly).encode


def encoded(value: Any) -> bytes:
    """Return JSON; raises RecursionError for what the server could not read."""
    data = _written(value)
    # How deep msgspec goes differs from one Python to the next. Few brackets nest nothing deeply,
    # and short texts have few.
    if (
        len(data) > _DEEPEST
        and data.count(b"[") + data.count(b"{") > _DEEPEST
        and _is_too_deep(value)
    ):
        raise RecursionError
    return data


def _is_too_deep(value: Any) -> bool:
    level: list[Any] = [[msgspec.to_builtins(value, enc_hook=_plainly)]]
    for _ in range(_DEEPEST + 1):
        inner = (one for each in level for one in (each.values() if type(each) is dict else each))
        level = [one for one in inner if type(one) in (dict, list)]
    return bool(level)


def large_numbers(fields: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse whole numbers that do not fit into 64 bits: PHP, as most readers, rounds them."""
    for name, value in fields.items():
        try:
            is_large = _holds(value, _is_large)
        except (TypeError, ValueError, OverflowError, RecursionError):
            continue  # `encode` says that it is no JSON
        if is_large:
            fix = "give one below 2**63, or text"
            yield Problem(name, "is or holds a number that JSON readers round", fix)


def _holds(value: Any, is_wrong: Callable[[Any], bool]) -> bool:
    waiting = [msgspec.to_builtins(value, builtin_types=(Decimal,), enc_hook=_plainly)]
    while waiting:  # no recursion: what msgspec can write may be deep
        here = waiting.pop()
        if isinstance(here, dict):
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
        elif is_wrong(here):
            return True
    return False


def holds_no_number(value: Any) -> bool:
    """Return True for what is or holds NaN or Infinity."""
    return _holds(value, _is_no_number)


def _is_no_number(value: Any) -> bool:
    return isinstance(value, (float, Decimal)) and not math.isfinite(value)


def _is_large(value: Any) -> bool:
    return isinstance(value, int) and not -(1 << 63) <= value < 1 << 63


def is_json(value: Any) -> bool:
    """Return True for what `encoded` writes."""
    try:
        encoded(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True
