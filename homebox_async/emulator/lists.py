"""Lists as the assumptions have them: which rows a page shows, and what its `meta` reports."""

import datetime as dt
from collections.abc import Sequence
from random import Random
from typing import Literal

from .addresses import Address
from .records import NewLead
from .routing import Call

Changing = Literal["properties", "leads"]


def remaining(call: Call, table: Changing, ids: Sequence[int]) -> Sequence[int]:
    """Return those of the ids that others have not deleted."""
    deleted = call.store.deleted[table]
    return [row_id for row_id in ids if row_id not in deleted] if deleted else ids


def page_of(call: Call, ids: Sequence[int], size: int) -> Sequence[int]:
    """Return the ids on the page that is asked for, in the assumed order."""
    assumed, store = call.assumed, call.store
    number = call.page if assumed.pages_count else 1
    if assumed.page_cap is not None and number > assumed.page_cap:
        return ()
    ordered = ids[::-1] if assumed.list_order == "newest-first" else ids
    if assumed.ties_move:
        store.shuffles += 1
        ordered = Random(store.shuffles).sample(ordered, len(ordered))
    start = (number - 1) * size
    return ordered[start : start + size]


def size_of(call: Call) -> int:
    """Return the page size of a list that knows `limit`."""
    return min(call.limit or call.assumed.reading_page_size, call.assumed.max_reading_page_size)


def meta_of(call: Call, total: int, size: int) -> dict[str, object]:
    """Return what beside `data` is to be answered where the document prints nothing."""
    meta = reported(call, total, size)
    return {"meta": {"current_page": call.page, **meta}} if meta else {}


def reported(
    call: Call, total: int, size: int, *, names: tuple[str, str] | None = None
) -> dict[str, int]:
    """Return the total and the last page as the list's `meta` reports them.

    `names`: what the document's example calls them, None where it prints neither.
    """
    assumed = call.assumed
    total_name, last_name = names or ("total", "last_page")
    last = max(1, -(-total // size)) + assumed.last_page_error
    values = {total_name: total + assumed.total_error, last_name: last}
    if assumed.list_meta == "everywhere" or (assumed.list_meta == "as printed" and names):
        return values
    kept = {"total": total_name, "last page": last_name}.get(assumed.list_meta)
    return {kept: values[kept]} if kept else {}


def others_act(call: Call, table: Changing) -> None:
    """Add and delete what others are assumed to, once a page of the list was answered."""
    store, deleted = call.store, call.store.deleted[table]
    for _ in range(call.assumed.others_add):
        if table == "properties":
            number = len(store.properties) + 1
            store.add_property(Address(f"{number} Others Road", None, "Leeds", None, "LS9 9ZZ"))
        else:
            day = dt.date.today().isoformat()
            store.add_lead(
                NewLead(address=None, tenancy_start=day, tenancy_end=day, notifications=False)
            )
    left = [row_id for row_id in call.assumed.others_delete if row_id not in deleted]
    deleted.update(left[:1])
