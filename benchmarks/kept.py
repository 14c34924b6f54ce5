"""Memory of a lead that is kept: this package's, and a msgspec Struct of the same fields.

Counted by the allocator's own books (tracemalloc), over all leads of many pages, as `Pages` hands
them out; the bytes of the page, which an object keeps for `raw` and `extra`, count as part of its
leads.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from benchmarks.decoding import page_decoder, struct_of
from benchmarks.measuring import Effort
from benchmarks.payloads import lead_page
from benchmarks.process import in_process
from benchmarks.report import Figures

NAME = "kept"
TITLE = "Memory of kept leads"


def measure(figures: Figures, effort: Effort) -> None:
    """Measure leads kept by the page, and one lead kept of each page."""
    pages = effort.count(200, least=100)  # the newest few are not compressed
    ours, struct, alone, struct_alone = (
        in_process(__name__, "case", name=name, pages=pages, every=every)
        for name, every in (("ours", 1), ("struct", 1), ("ours", 50), ("struct", 50))
    )
    figures.ratio(
        "a kept lead over the msgspec Struct", [ours], [struct], unit="bytes", at_most=1.1
    )
    figures.ratio(
        "one kept lead of each page over the msgspec Struct",
        [alone],
        [struct_alone],
        unit="bytes",
    )


def case(name: str, pages: int, every: int) -> float:
    """Return the bytes that each kept lead takes, where every so many-th of a page is kept."""
    return asyncio.run(_kept(_LISTS[name], pages, every))


async def _kept(
    pages_of: Callable[[int], AsyncIterator[Iterable[Any]]], pages: int, every: int
) -> float:
    async for _ in pages_of(1):
        gc.collect()
    tracemalloc.start()
    kept: list[Any] = []
    async for items in pages_of(pages):
        kept.extend(itertools.islice(items, 0, None, every))
    del items
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / len(kept)


async def _ours(pages: int) -> AsyncIterator[Iterable[Any]]:
    from homebox_async import Lead, Page, Pages
    from homebox_async.codec import decode_list
    from homebox_async.pages import page_of

    async def fetch(number: int) -> Page[Lead]:
        return page_of(*decode_list(lead_page(number, pages), Lead), number)

    async for page in Pages(fetch).pages():
        yield page.items


async def _struct(pages: int) -> AsyncIterator[Iterable[Any]]:
    from homebox_async import Lead

    decode = page_decoder(struct_of(Lead)).decode
    for number in range(1, pages + 1):
        yield decode(lead_page(number, pages)).data


_LISTS = {"ours": _ours, "struct": _struct}
