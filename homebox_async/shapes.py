"""What the classes of answers are made of, for whoever lays their objects out in columns."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from .models import Model, wire_names

F = TypeVar("F", bound=Callable[..., Any])

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]


@attrs.frozen
class Part:
    """A field of a class: the API's name and ours, what it holds, and whether it holds many."""

    wire: str
    name: str
    kind: type
    many: bool

    @property
    def is_model(self) -> bool:
        """Whether it holds objects with fields of their own."""
        return issubclass(self.kind, Model)


@_cached
def parts_of(model: type[Model]) -> tuple[Part, ...]:
    """Return the fields of a class in their order."""
    hints = typing.get_type_hints(model)
    return tuple(Part(wire, name, *_held(hints[name])) for name, wire in wire_names(model).items())


def _held(kind: Any) -> tuple[type, bool]:
    """Return what a field holds: `tuple[X, ...]`, `X | None`, `X`."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in typing.get_args(kind) if arm is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return typing.get_origin(kind) or kind, False


def beyond(item: Model, *, inside_lists: bool) -> dict[str, Any]:
    """Return what the server sent that the fields do not show, of the objects inside as well.

    An object inside has its own under its name; those of a list have theirs in a list, with {}
    for one that is shown whole. See `Model.extra`.
    """
    found = item.extra
    for part in parts_of(type(item)):
        value = getattr(item, part.name)
        if not part.is_model or value is None or part.wire in found:
            continue
        if not part.many:
            inner: Any = beyond(value, inside_lists=inside_lists)
        elif inside_lists:
            inner = [beyond(each, inside_lists=inside_lists) for each in value]
            inner = inner if any(inner) else None
        else:
            continue
        if inner:
            found[part.wire] = inner
    return found
