"""Reading a list to its end until the passes over it show that nothing is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from ..evidence import Completeness
from ..models import Model
from ..pages import PageCursor, Pages

M = TypeVar("M", bound=Model)

# Passes over a list that changes while it is read.
_PASSES = 4


async def read_whole(
    make: Callable[[], Pages[M]],
    add: Callable[[Sequence[M]], Awaitable[None]],
    witnesses: Collection[int] = (),
) -> Completeness:
    """Read a list, more than once if need be, and return whether all of it was seen.

    `add` is given the items of each page of each pass. `witnesses`: ids that are known to be in
    the list.
    """
    earlier: PageCursor[M] | None = None
    complete = Completeness(False, "the list was not read")
    for _ in range(_PASSES):
        # What a pass lacks is for the verdict to say: the next one may have it.
        cursor = make()._pass(warn=False)
        async for page in cursor:
            await add(page.items)
        complete = cursor.completeness(witnesses, earlier=earlier)
        if complete.complete:
            break
        earlier = cursor
    return complete
