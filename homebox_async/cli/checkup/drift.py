"""Whether live answers still are what this version knows: names of fields only, never values."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Final

from ...client import AsyncHomebox
from ...models import Model, wire_names
from ...pages import Pages
from . import Finding

_FIX: Final = (
    "update homebox-async; nothing is lost, it stays reachable in `extra` and `raw`; if this is"
    " the newest version, report the names"
)
_SHOWN: Final = 8

# What is read, and from where; the document's heading is the name.
Read = Callable[[AsyncHomebox], Awaitable[tuple[Iterable[Model], Any]]]


def reads() -> dict[str, Read]:
    """Return what is read, by the name of its check."""
    return {
        "answer: account": _account,
        "answers: properties": lambda client: _page(client.properties.list()),
        "answers: orders": lambda client: _page(client.orders.list()),
        "answers: leads": lambda client: _page(client.leads.list()),
        "answers: branches": lambda client: _page(client.branches.list()),
        "answers: bills of an order": _bills,
        "answers: payments of an order": _payments,
        "answers: readings of a property": _readings,
    }


async def _account(client: AsyncHomebox) -> tuple[Iterable[Model], Any]:
    account = await client.account.get()
    return [account], account.answer


async def _page(pages: Pages[Any]) -> tuple[Iterable[Model], Any]:
    cursor = pages.pages()
    try:
        page = await anext(cursor, None)
    finally:
        await cursor.aclose()
    return (page.items, page.answer) if page is not None else ((), None)


async def _bills(client: AsyncHomebox) -> tuple[Iterable[Model], Any]:
    order = await client.orders.list().first()
    if order is None or order.id is None:
        return (), None
    bills = await client.orders.bills(order.id)
    return [bills, *bills], bills.answer


async def _payments(client: AsyncHomebox) -> tuple[Iterable[Model], Any]:
    order = await client.orders.list().first()
    if order is None or order.id is None:
        return (), None
    payments = await client.orders.payments(order.id)
    return payments, payments[0].answer if payments else None


async def _readings(client: AsyncHomebox) -> tuple[Iterable[Model], Any]:
    home = await client.properties.list().first()
    if home is None or home.id is None:
        return (), None
    return await _page(client.readings.list_for_property(home.id))


async def compared(check: str, read: Read, client: AsyncHomebox) -> Finding:
    """Compare the first answer of a kind with what this version knows of it."""
    items, answer = await read(client)
    items = list(items)
    if answer is not None and not (isinstance(answer, dict) and "data" in answer):
        return Finding(check, "warning", "the envelope `data` is missing", _FIX)
    if not items:
        return Finding(check, "skipped", "there are none to compare")
    unknown: set[str] = set()
    unreadable: set[str] = set()
    for item in items:
        for path, is_known in strangers(item):
            (unreadable if is_known else unknown).add(path)
    words = [
        f"{what}: {_listed(paths)}"
        for what, paths in (("new fields", unknown), ("other types", unreadable))
        if paths
    ]
    if words:
        return Finding(check, "warning", "; ".join(words), _FIX)
    return Finding(check, "ok", f"as expected ({len(items)} compared)")


def strangers(item: Model, where: str = "") -> Iterator[tuple[str, bool]]:
    """Give the fields of an object that its types do not show, and whether they are known."""
    names = {wire: name for name, wire in wire_names(type(item)).items()}
    for key in item.extra:
        yield f"{where}{_name(key)}", key in names
    for key, name in names.items():
        value = getattr(item, name)
        if isinstance(value, Model):
            yield from strangers(value, f"{where}{key}.")
        elif isinstance(value, tuple):
            for one in value:
                if isinstance(one, Model):
                    yield from strangers(one, f"{where}{key}[].")


def _name(key: str) -> str:
    # A server may take anything for a key, a person's name too.
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z_-]{0,39}\d?", key) else "(a name not shown)"


def _listed(paths: set[str]) -> str:
    listed = sorted(paths)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
