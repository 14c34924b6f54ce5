"""Memory of a lead that is kept: this package's, and a msgspec Struct of the same fields.

Counted by the allocator's own books (tracemalloc), over all leads of many pages; the bytes of
the page, which an object keeps for `raw` and `extra`, count as part of its leads.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
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
    pages = effort.count(200, least=4)
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
    decode = _decoders()[name]
    decode(lead_page())
    gc.collect()
    tracemalloc.start()
    kept: list[Any] = []
    for page in range(1, pages + 1):
        kept.extend(decode(lead_page(page, pages))[::every])
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / len(kept)


def _decoders() -> dict[str, Callable[[bytes], list[Any]]]:
    from homebox_async import Lead
    from homebox_async.codec import decode_list

    struct = page_decoder(struct_of(Lead))
    return {
        "ours": lambda body: decode_list(body, Lead)[0],
        "struct": lambda body: struct.decode(body).data,
    }
