"""A bulk import beside what one would write without this package.

Each contestant runs in a process of its own against a server of its own: rows/s and peak memory.

- `importer`: `import_properties` with validation, ledger, journal (both `synchronous=FULL`), probe
  and result files; without the settle time, which is a wait
- `workers`: bare aiohttp, 64 workers on one iterator; no checks, no journal, no retries
- `gather`: bare aiohttp, `asyncio.gather` over all rows behind a semaphore of 64
- `requests`: a `requests.Session` for each of 64 threads of a pool
"""

from __future__ import annotations

import asyncio
import csv
import importlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.measuring import Effort
from benchmarks.payloads import import_routes
from benchmarks.process import in_process, peak_mib
from benchmarks.report import Figures
from benchmarks.rows import body, write
from benchmarks.server import server

NAME = "import"
TITLE = "Bulk import"
ROWS = 15_374
IN_FLIGHT = 64
HEADERS = {"Authorization": "Bearer bench", "Accept": "application/json"}
_NEEDS = {
    "importer": ("homebox_async", "homebox_async.importer"),
    "workers": ("aiohttp",),
    "gather": ("aiohttp",),
    "requests": ("requests",),
}
CONTESTANTS = tuple(_NEEDS)


def _bodies(path: Path) -> Iterator[dict[str, object]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield body(row)


async def _importer(url: str, path: Path) -> int:
    from homebox_async import AsyncHomebox
    from homebox_async.importer import import_properties

    os.environ["HOMEBOX_STATE"] = str(path.parent / "state")
    async with AsyncHomebox("bench", base_url=url) as client:
        report = await import_properties(
            client, path, preset="land-registry", results=path.parent, settle=0.01
        )
    return report.created


async def _workers(url: str, path: Path) -> int:
    import aiohttp

    bodies, made = _bodies(path), 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal made
        for one in bodies:
            async with session.post(f"{url}/api/partner/property", json=one) as answer:
                made += bool((await answer.json())["data"]["id"])

    async with aiohttp.ClientSession(headers=HEADERS) as session:
        await asyncio.gather(*(work(session) for _ in range(IN_FLIGHT)))
    return made


async def _gather(url: str, path: Path) -> int:
    import aiohttp

    room = asyncio.Semaphore(IN_FLIGHT)

    async def post(session: aiohttp.ClientSession, one: dict[str, object]) -> bool:
        async with room, session.post(f"{url}/api/partner/property", json=one) as answer:
            return bool((await answer.json())["data"]["id"])

    async with aiohttp.ClientSession(headers=HEADERS) as session:
        return sum(await asyncio.gather(*(post(session, one) for one in _bodies(path))))


def _requests(url: str, path: Path) -> int:
    import requests

    local = threading.local()

    def post(one: dict[str, object]) -> bool:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.headers.update(HEADERS)
        answer = local.session.post(f"{url}/api/partner/property", json=one)
        return bool(answer.json()["data"]["id"])

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return sum(pool.map(post, _bodies(path)))


def contest(name: str, url: str, path: str) -> dict[str, Any]:
    """Run one contestant in this process; return rows, seconds, and the memory and disk used."""
    for module in _NEEDS[name]:
        importlib.import_module(module)  # start-up is a benchmark of its own
    began, cpu = time.perf_counter(), time.process_time()
    if name == "requests":
        made = _requests(url, Path(path))
    else:
        run = {"importer": _importer, "workers": _workers, "gather": _gather}[name]
        made = asyncio.run(run(url, Path(path)))
    return {
        "rows": made,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_mib": peak_mib(),
        "journal": sum(file.stat().st_size for file in Path(path).parent.glob("*.journal*")),
        "results": sum(file.stat().st_size for file in Path(path).parent.glob("*.created.csv")),
    }


def run(name: str, count: int) -> dict[str, Any]:
    """Let one contestant send so many rows in a process of its own; see `contest`."""
    with (
        tempfile.TemporaryDirectory(prefix="homebox-bench-") as folder,
        server(import_routes()) as url,
    ):
        path = Path(folder) / "portfolio.csv"
        write(path, count)
        # Not on one core: the journal has a thread of its own.
        found: dict[str, Any] = in_process(
            __name__, "contest", pinned=False, name=name, url=url, path=str(path)
        )
    assert found["rows"] == count, f"{name} made {found['rows']} of {count} rows"
    return found


def measure(figures: Figures, effort: Effort) -> None:
    """Measure all contestants in turn."""
    count = effort.count(ROWS, least=100)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    for _ in range(min(effort.rounds, 5)):
        for name in CONTESTANTS:
            runs[name].append(run(name, count))
    rates = {name: [one["rows"] / one["seconds"] for one in runs[name]] for name in runs}
    for other, target in (("workers", 0.7), ("gather", None), ("requests", 4.0)):
        figures.ratio(
            f"importer over {other}",
            rates["importer"],
            rates[other],
            unit="rows/s",
            at_least=target,
        )
    for name in CONTESTANTS:
        figures.add(
            f"{name}, {count:,} rows",
            rows_per_s=statistics.median(rates[name]),
            peak_mib=statistics.median(one["peak_mib"] for one in runs[name]),
            cpu_us_per_row=statistics.median(one["cpu"] / one["rows"] * 1e6 for one in runs[name]),
        )
