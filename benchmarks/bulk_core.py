"""The core of a bulk job: workers on one iterator, each row a typed POST; does memory grow?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from benchmarks.bulk_import import IN_FLIGHT
from benchmarks.measuring import Effort
from benchmarks.neutral import neutral
from benchmarks.process import in_process
from benchmarks.report import Figures

NAME = "bulk-core"
TITLE = "Memory of a bulk job: workers on one iterator"


def measure(figures: Figures, effort: Effort) -> None:
    """Measure how much memory 20,000 and 200,000 rows need, each in a process of its own."""
    small, large = effort.count(20_000, least=200), effort.count(200_000, least=400)
    with neutral() as url:
        less, more = (in_process(__name__, "case", url=url, rows=rows) for rows in (small, large))
    figures.ratio(
        f"growth with {large:,} rows over growth with {small:,}",
        [more["growth_mib"]],
        [less["growth_mib"]],
        unit="MiB",
        at_most=1.15,
    )
    figures.value(f"growth with {large:,} rows", [more["growth_mib"]], unit="MiB", at_most=4)
    figures.add(f"{large:,} rows", **more)


def case(url: str, rows: int) -> dict[str, float]:
    """Send so many rows; return rows/s and by how much the process grew at most."""
    return asyncio.run(_case(url, rows))


async def _case(url: str, rows: int) -> dict[str, float]:
    import psutil

    from homebox_async import Address, AsyncHomebox

    process = psutil.Process()
    peak = 0

    def addresses() -> Iterator[tuple[int, Address]]:
        nonlocal peak
        for number in range(rows):
            if number % 100 == 0:
                peak = max(peak, process.memory_info().rss)
            yield (
                number,
                Address(line1=f"{number} Test Lane", city="London", postcode="EC1V 2NX"),
            )

    async with AsyncHomebox("bench", base_url=url) as client:
        numbered = addresses()

        async def work() -> None:
            for number, address in numbered:
                await client.properties.create(address, property_reference=f"REF-{number}")

        # What is loaded on first use is no growth.
        await client.properties.create(
            Address(line1="1 Test Lane", city="London", postcode="EC1V 2NX")
        )
        before = process.memory_info().rss
        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        took = time.perf_counter() - began
        peak = max(peak, process.memory_info().rss)
    return {"growth_mib": (peak - before) / 2**20, "rows_per_s": rows / took}
