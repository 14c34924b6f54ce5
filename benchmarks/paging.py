"""A list of 200 pages whose server takes 20 ms for each: one by one, and with pages ahead."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.measuring import Effort
from benchmarks.payloads import page_routes
from benchmarks.process import in_process
from benchmarks.report import Figures
from benchmarks.server import server

NAME = "pages"
TITLE = "200 pages of 50 leads at 20 ms latency"
LATENCY = 0.020
TARGETS = {4: 3.7, 8: 7.1, 16: 12.5}


def measure(figures: Figures, effort: Effort) -> None:
    """Measure the speed-up of each number of pages ahead; the order is checked."""
    pages = effort.count(200, least=20)
    with server(page_routes(pages), latency=LATENCY) as url:
        found = in_process(__name__, "case", url=url, pages=pages, rounds=min(effort.rounds, 5))
    for prefetch, target in TARGETS.items():
        figures.ratio(
            f"prefetch {prefetch} over one by one",
            found[str(prefetch)],
            found["0"],
            unit="s",
            inverse=True,
            at_least=target,
        )


def case(url: str, pages: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round by `prefetch`."""
    return asyncio.run(_case(url, pages, rounds))


async def _case(url: str, pages: int, rounds: int) -> dict[str, list[float]]:
    from homebox_async import AsyncHomebox

    seconds: dict[str, list[float]] = {str(prefetch): [] for prefetch in (0, *TARGETS)}
    async with AsyncHomebox("bench", base_url=url) as client:
        await _pass(client, 16)
        for _ in range(rounds):
            for prefetch in (0, *TARGETS):
                began = time.perf_counter()
                ids = await _pass(client, prefetch)
                seconds[str(prefetch)].append(time.perf_counter() - began)
                assert ids == list(range(1, 50 * pages + 1)), "the order is not kept"
    return seconds


async def _pass(client: Any, prefetch: int) -> list[int]:
    return [lead.id async for lead in client.leads.list(prefetch=prefetch)]
