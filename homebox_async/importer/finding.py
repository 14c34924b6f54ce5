"""Did it happen? What a look-up finds of rows whose request was left without an answer.

Several hits are never guessed between.
"""

from __future__ import annotations

import attrs

from ..models import Model

NO_ID = 0
"""Stands for the id of something that the list shows without one."""


@attrs.define
class Hits:
    """The ids of what carries a row's reference, or has what it asks for and no reference.

    `perhaps`: what may be the row's or not. `alike`: what certainly is not, but so much like it
    that a row which was never sent should not be.
    """

    by_reference: set[int] = attrs.field(factory=set)
    by_address: set[int] = attrs.field(factory=set)
    perhaps: set[int] = attrs.field(factory=set)
    alike: set[int] = attrs.field(factory=set)

    @property
    def ids(self) -> list[int]:
        """What was found, by reference if possible."""
        return sorted(self.by_reference or self.by_address)


def identity_of(found: Model) -> int:
    """Return an id, NO_ID where there is none that could be one.

    To be found without an id is to be found: it must not be sent again.
    """
    identity = getattr(found, "id", None)
    return identity if isinstance(identity, int) and is_id(identity) else NO_ID


def is_id(number: int) -> bool:
    """Tell whether a number can be an id: databases hold no larger ones, nor does the journal."""
    return 0 < number < 1 << 63
