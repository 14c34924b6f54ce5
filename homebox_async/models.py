"""What the server's objects have in common: lenient, frozen, and nothing of them is lost.

Every field of an answer may be missing or null, so every field here has a default.
What a typed field cannot hold stays reachable: `raw` is the object as the server sent it,
`extra` is the part of it that the typed fields do not show.
Both are parsed on first access only: an object remembers the answer it came from and its
place in it, which costs a page of fifty objects almost nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar, dataclass_transform

import attrs
from msgspec.json import Decoder

T = TypeVar("T", bound=type)


class Answer:
    """The body of one answer: its bytes, and its JSON once somebody asks for it."""

    __slots__ = ("_tree", "body")

    def __init__(self, body: bytes | str, tree: Any = None) -> None:
        self.body = body
        self._tree = tree

    @property
    def tree(self) -> Any:
        """The JSON of the body; numbers with a fraction are Decimal."""
        if self._tree is None:
            self._tree = _JSON.decode(self.body)
        return self._tree


_JSON: Decoder[Any] = Decoder(float_hook=Decimal)

# Where an object stands: an answer, or (where its parent stands, key or index).
Place = Answer | tuple[Any, str | int]


def look_up(place: Place) -> Any:
    """Return the JSON at a place."""
    if isinstance(place, Answer):
        return place.tree
    parent, key = place
    return look_up(parent)[key]


class Model:
    """An object of the API's answers."""

    __slots__ = ("_place",)
    _place: Place

    @property
    def raw(self) -> dict[str, Any]:
        """The object's JSON as the server sent it; {} for one that you made yourself."""
        place = getattr(self, "_place", None)
        if place is None:
            return {}
        found = look_up(place)
        # PHP writes an empty object as [].
        return found if isinstance(found, dict) else {}

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that this class does not know, and the values its types could not hold."""
        names = attrs.fields_dict(type(self))  # type: ignore[arg-type]  # each subclass is attrs
        return {
            key: value
            for key, value in self.raw.items()
            if key not in names or (value is not None and getattr(self, key) is None)
        }

    @property
    def answer(self) -> Any:
        """The JSON of the whole answer that held the object: what stands beside `data`, too."""
        place: Any = getattr(self, "_place", None)
        while isinstance(place, tuple):
            place = place[0]
        return None if place is None else place.tree

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        fields = attrs.fields_dict(type(self))  # type: ignore[arg-type]  # each subclass is attrs
        return {name: getattr(self, name) for name in fields}, self.raw

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        values, raw = state
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if raw:
            object.__setattr__(self, "_place", Answer(b"", raw))


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def model(cls: T) -> T:
    """Make a class of the API's answers: frozen, slotted, keyword-only."""
    return attrs.define(
        cls, frozen=True, slots=True, kw_only=True, getstate_setstate=False, weakref_slot=False
    )
