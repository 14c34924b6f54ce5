"""What a look-up finds of rows, and whether it shows that the others are not there: plain values.

Several hits are never guessed between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from ..evidence import Completeness, is_id
from ..models import Model

NO_ID = 0
"""The id of something that the list shows without one."""


@attrs.define
class Hits:
    """What at Homebox is a row's, or may be, by id.

    `by_reference`: it carries the row's reference, and nothing contradicts that it is the row's.
    `by_address`: it carries no reference and has the row's address. `perhaps`: it may be the
    row's or not, and why. `contradictions`: it carries the row's reference at another address,
    which is the text.
    """

    by_reference: set[int] = attrs.field(factory=set)
    by_address: set[int] = attrs.field(factory=set)
    perhaps: dict[int, str] = attrs.field(factory=dict)
    contradictions: dict[int, str] = attrs.field(factory=dict)

    @property
    def ids(self) -> list[int]:
        """What was found, by reference if possible."""
        return sorted(self.by_reference or self.by_address)


@attrs.frozen
class LookUp:
    """What was found of each row, by row number; `absence`: whether all else is not there."""

    hits: Mapping[int, Hits]
    absence: Completeness


def may_be_it(one: str, perhaps: Mapping[int, str]) -> str:
    """Say which ids may be a row's, and why; `one`: what they are."""
    reasons = dict.fromkeys(perhaps.values())
    return f"{named(one, perhaps)} may be it: {'; '.join(reasons)}"


def named(one: str, ids: Collection[int]) -> str:
    """Return what some ids are, and the ids: "leads 3, 4"."""
    many = {"property": "properties"}.get(one, f"{one}s")
    return f"{one if len(ids) == 1 else many} {', '.join(map(str, sorted(ids)))}"


def identity_of(found: Model) -> int:
    """Return an id, NO_ID where there is none that could be one.

    To be found without an id is to be found: it must not be sent again.
    """
    identity = getattr(found, "id", None)
    return identity if isinstance(identity, int) and is_id(identity) else NO_ID
