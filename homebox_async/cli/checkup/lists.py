"""How the server's lists behave, as imports and exports rely on it; a few pages are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ...client import AsyncHomebox
from ...errors import RequestError
from ...importer.ownership import Owner
from ...models import Model
from ...pages import Page, Pages
from ...resources.properties import Property
from ..text import counted
from . import Finding

_FAR = 1 << 14
"""Pages beyond which a list without a total is not followed."""

_FIX = "imports and exports cannot be sure that they see this list whole; ask Homebox about it"

PageAt = Callable[[int], Awaitable[Page[Any] | None]]


async def properties(client: AsyncHomebox) -> Finding:
    """Describe the list of properties."""
    try:
        owner = await Owner.of(client)
    except RequestError:
        owner = Owner(None)

    def is_referred(home: Property) -> bool:
        return any(
            entry.property_reference and owner.owns(entry) for entry in home.partner_properties
        )

    return await _described(
        "list: properties", lambda number: client.properties.list(start_page=number), is_referred
    )


async def leads(client: AsyncHomebox) -> Finding:
    """Describe the list of leads."""
    return await _described(
        "list: leads",
        lambda number: client.leads.list(start_page=number),
        lambda lead: bool(lead.property_reference),
    )


async def _described(
    check: str, pages_from: Callable[[int], Pages[Any]], is_referred: Callable[[Any], bool]
) -> Finding:
    async def page_at(number: int) -> Page[Any] | None:
        cursor = pages_from(number).pages()
        try:
            return await anext(cursor, None)
        finally:
            await cursor.aclose()

    first = await page_at(1)
    if first is None:
        return Finding(check, "ok", "is empty")
    second = await page_at(2)
    own = sum(map(is_referred, first.items))
    names = {"a total": first.total, "a last page": first.last_page}
    reported = [name for name, value in names.items() if value is not None]
    described = [
        f"reports {' and '.join(reported)}" if reported else "reports neither total nor last page",
        f"own references on {own:,} of {len(first.items):,} on the first page",
    ]
    wrong = []
    if second is None:
        described.append("one page")
    elif _ids(second) == _ids(first):
        wrong.append("ignores `page`: page 2 is page 1")
    else:
        described.append("`page` counts")
    count = first.total
    if not wrong:
        read = len(first.items) if second is None else await _counted(page_at, first, second)
        if count is None:
            count = read
        elif read is not None and read != count:
            wrong.append(f"its pages hold {read:,}, and it reports a total of {count:,}")
        if first.last_page and await page_at(first.last_page + 1) is not None:
            wrong.append(f"continues after page {first.last_page:,}, which it reports as the last")
    many = f"more than {_FAR:,} pages" if count is None else counted(count, "item")
    detail = "; ".join((*wrong, *(() if wrong else (many,)), *described))
    return Finding(check, "warning" if wrong else "ok", detail, _FIX if wrong else "")


async def _counted(page_at: PageAt, first: Page[Any], second: Page[Any]) -> int | None:
    """Return how many items the pages hold, found by halves; None if there are too many."""
    last, beyond, newest = 2, 4, second
    while (page := await page_at(beyond)) is not None:
        last, beyond, newest = beyond, 2 * beyond, page
        if last >= _FAR:
            return None
    while beyond - last > 1:
        middle = (last + beyond) // 2
        page = await page_at(middle)
        if page is None:
            beyond = middle
        else:
            last, newest = middle, page
    return (last - 1) * len(first.items) + len(newest.items)


def _ids(page: Page[Model]) -> list[object]:
    return [getattr(item, "id", None) for item in page.items]
