"""Did it happen? What a look-up finds of rows whose request was left without an answer.

Several hits are never guessed between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

import attrs

from ..models import Model
from ..pages import Page, Pages, Seen

M = TypeVar("M", bound=Model)

# So many equal pages one after the other come from a server that does not count pages.
_SAME_PAGES = 5
# After so many pages in a row that bring nothing new, a list goes round in circles.
_STALE_PAGES = 100

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


async def sweep(pages: Pages[M]) -> AsyncIterator[Page[M]]:
    """Give the pages of a list, up to the first empty one.

    `Pages` ends at a page that brings nothing new. Where others add to the start of the list
    meanwhile, that may be far from its end; and what is missed here is sent twice.
    """
    number, last, same, stale, seen = 1, None, 0, 0, Seen()
    while same < _SAME_PAGES and stale < _STALE_PAGES:
        # The page as it came: a pass over the list would leave out what bears an id once more.
        page = await pages._fetch(number)
        if not page.items:
            return
        ids = [getattr(found, "id", None) for found in page.items]
        same = same + 1 if ids == last else 1
        number, last = number + 1, ids
        stale = 0 if sum(map(seen.add, page.items)) else stale + 1
        yield page
