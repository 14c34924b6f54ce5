"""A bulk import beside what one would write without this package.

Each contestant runs in a process of its own against the same server: rows/s and peak memory.

- `importer`: `import_properties` with validation, journal (`synchronous=FULL`) and result files
- `workers`: bare aiohttp, 64 workers on one iterator; no checks, no journal, no retries
- `gather`: bare aiohttp, `asyncio.gather` over all rows behind a semaphore of 64
- `requests`: a `requests.Session` for each of 64 threads of a pool
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.report import Figures
from benchmarks.rows import body, write
from benchmarks.server import server

IN_FLIGHT = 64
HEADERS = {"Authorization": "Bearer bench", "Accept": "application/json"}
CONTESTANTS = ("importer", "workers", "gather", "requests")


def _bodies(path: Path) -> Iterator[dict[str, object]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield body(row)


async def _importer(url: str, path: Path) -> int:
    from homebox_async import AsyncHomebox
    from homebox_async.importer import import_properties

    async with AsyncHomebox("bench", base_url=url) as client:
        report = await import_properties(client, path, preset="land-registry", results=path.parent)
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


def contest(name: str, url: str, path: Path) -> dict[str, Any]:
    """Run one contestant in this process; return its rows, seconds and peak memory."""
    began, cpu = time.perf_counter(), time.process_time()
    if name == "requests":
        made = _requests(url, path)
    else:
        run = {"importer": _importer, "workers": _workers, "gather": _gather}[name]
        made = asyncio.run(run(url, path))
    return {
        "rows": made,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _run(name: str, url: str, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="homebox-bench-") as folder:
        path = Path(folder) / "portfolio.csv"
        write(path, count)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bulk_import", "--as", name, url, str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    assert found["rows"] == count, f"{name} made {found['rows']} of {count} rows"
    return found


def measure(figures: Figures, *, rounds: int, count: int) -> None:
    """Measure all contestants in turn, and the importer's memory over the number of rows."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    with server() as url:
        for _ in range(rounds):
            for name in CONTESTANTS:
                runs[name].append(_run(name, url, count))
        for name in CONTESTANTS:
            rates = [run["rows"] / run["seconds"] for run in runs[name]]
            figures.add(
                f"{name}, {count:,} rows",
                rows_per_s=statistics.median(rates),
                peak_mib=statistics.median(run["peak_mib"] for run in runs[name]),
                cpu_us_per_row=statistics.median(
                    run["cpu"] / run["rows"] * 1e6 for run in runs[name]
                ),
            )
        for other, target in (("workers", 0.7), ("gather", 0.7), ("requests", 4.0)):
            ratios = [
                theirs["seconds"] / ours["seconds"]
                for ours, theirs in zip(runs["importer"], runs[other], strict=True)
            ]
            figures.ratio(f"rows/s of the importer over {other}", ratios, at_least=target)


def memory(figures: Figures, *, small: int, large: int) -> None:
    """Measure the importer's peak memory for two numbers of rows."""
    with server() as url:
        peaks = [_run("importer", url, count)["peak_mib"] for count in (small, large)]
    figures.add(f"importer, {small:,} rows", peak_mib=peaks[0])
    figures.add(f"importer, {large:,} rows", peak_mib=peaks[1])
    figures.ratio(
        f"peak memory of {large:,} rows over {small:,}", [peaks[1] / peaks[0]], at_most=1.3
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--as", dest="name", choices=CONTESTANTS, required=True)
    parser.add_argument("url")
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    print(json.dumps(contest(arguments.name, arguments.url, arguments.path)))
