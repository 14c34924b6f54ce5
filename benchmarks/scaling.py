"""How cost and memory grow: over calls in flight, over pages, over rows of an import."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import bulk_import
from benchmarks.measuring import Effort, in_flight
from benchmarks.neutral import neutral
from benchmarks.payloads import PROPERTY, page_routes
from benchmarks.process import in_process, peak_mib
from benchmarks.report import Figures
from benchmarks.server import server
from benchmarks.typed_calls import HEADERS

NAME = "scaling"
TITLE = "Scaling"
LEVELS = (1, 2, 5, 10, 20, 50, 100, 200)
PAGES = (1, 3, 10, 30, 100, 300)
ROWS = (1_000, 10_000, 100_000, 1_000_000)


def measure(figures: Figures, effort: Effort) -> None:
    """Measure the points of each plot."""
    _over_concurrency(figures, effort)
    _over_pages(figures, effort)
    _over_rows(figures, effort)


def _over_concurrency(figures: Figures, effort: Effort) -> None:
    with neutral() as url:
        found = in_process(__name__, "concurrency", url=url, count=effort.count(4_000, least=40))
    for name, points in found.items():
        figures.curve(f"concurrency, {name}", **points)
    typed = found["typed"]
    figures.ratio(
        f"CPU of a typed GET, {LEVELS[-1]} in flight over 10",
        [typed["cpu_us"][-1]],
        [typed["cpu_us"][LEVELS.index(10)]],
    )


def _over_pages(figures: Figures, effort: Effort) -> None:
    counts = [count for count in PAGES if count <= effort.count(PAGES[-1], least=3)]
    found = []
    for count in counts:
        with server(page_routes(count)) as url:
            found.append(in_process(__name__, "listing", url=url, pages=count))
    points = {name: [one[name] for one in found] for name in found[0]}
    figures.curve("pages", pages=[float(count) for count in counts], **points)
    figures.add(f"list of {counts[-1]} pages, not kept", **found[-1])


def _over_rows(figures: Figures, effort: Effort) -> None:
    counts = [count for count in ROWS if count <= effort.count(ROWS[-1], least=1_000)]
    found = {}
    for count in counts:
        found[count] = bulk_import.run("importer", count)
        figures.add(
            f"importer, {count:,} rows",
            rows_per_s=count / found[count]["seconds"],
            peak_mib=found[count]["peak_mib"],
        )
    figures.curve(
        "rows",
        rows=[float(count) for count in counts],
        rows_per_s=[count / found[count]["seconds"] for count in counts],
        peak_mib=[found[count]["peak_mib"] for count in counts],
    )
    figures.add(
        "disk of a row",
        **{
            f"{what}_bytes": found[counts[-1]][what] / counts[-1] for what in ("journal", "results")
        },
    )
    if len(counts) > 1:
        most, fewer = counts[-1], counts[-2]
        figures.ratio(
            f"peak memory of {most:,} rows over {fewer:,}",
            [found[most]["peak_mib"]],
            [found[fewer]["peak_mib"]],
            unit="MiB",
            at_most=1.3,
        )


def concurrency(url: str, count: int) -> dict[str, dict[str, list[float]]]:
    """Return CPU and latency of typed and bare calls for each number in flight."""
    return asyncio.run(_concurrency(url, count))


async def _concurrency(url: str, count: int) -> dict[str, dict[str, list[float]]]:
    import aiohttp

    from homebox_async import AsyncHomebox

    async with (
        AsyncHomebox("bench", base_url=url, max_connections=LEVELS[-1]) as client,
        aiohttp.ClientSession(
            headers=HEADERS, connector=aiohttp.TCPConnector(limit=LEVELS[-1])
        ) as session,
    ):

        async def typed() -> Any:
            return await client.properties.get(1)

        async def bare() -> bytes:
            async with session.get(f"{url}{PROPERTY}/1") as answer:
                return await answer.read()

        found: dict[str, dict[str, list[float]]] = {"typed": {}, "bare": {}}
        for level in LEVELS:
            for name, call in (("typed", typed), ("bare", bare)):
                for axis, value in (await _level(call, level, count)).items():
                    found[name].setdefault(axis, []).append(value)
    return found


async def _level(call: Callable[[], Awaitable[Any]], level: int, count: int) -> dict[str, float]:
    latencies: list[float] = []

    async def timed() -> None:
        began = time.perf_counter()
        await call()
        latencies.append(time.perf_counter() - began)

    contest = in_flight(timed, level)
    await contest(2 * level)  # opens the connections
    latencies.clear()
    cpu = time.process_time()
    await contest(max(count, 2 * level))
    used = time.process_time() - cpu
    cuts = statistics.quantiles(latencies, n=100)
    return {
        "in_flight": level,
        "cpu_us": used / len(latencies) * 1e6,
        "p50_ms": cuts[49] * 1e3,
        "p95_ms": cuts[94] * 1e3,
        "p99_ms": cuts[98] * 1e3,
    }


def listing(url: str, pages: int) -> dict[str, float]:
    """Go through a list without keeping it; return the CPU of a page and the memory held."""
    return asyncio.run(_listing(url, pages))


async def _listing(url: str, pages: int) -> dict[str, float]:
    from homebox_async import AsyncHomebox

    async with AsyncHomebox("bench", base_url=url) as client:
        await client.leads.list().first()
        cpu = time.process_time()
        seen = 0
        async for _ in client.leads.list(prefetch=4):
            seen += 1
        used = time.process_time() - cpu
    assert seen == 50 * pages
    return {"cpu_us_per_page": used / pages * 1e6, "peak_mib": peak_mib()}
