"""A sync call: beside the async call it runs, and beside the sync clients one would use instead.

Every client reads the same property and makes something usable of it: this one a typed object,
the others the JSON.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from benchmarks.measuring import Effort, Samples, alternate
from benchmarks.neutral import neutral
from benchmarks.payloads import PROPERTY
from benchmarks.process import in_process
from benchmarks.report import Figures
from benchmarks.typed_calls import HEADERS

NAME = "sync"
TITLE = "Sync calls"
THREADS = 8


def measure(figures: Figures, effort: Effort) -> None:
    """Measure one thread and eight, each in a process of its own."""
    with neutral() as url:
        alone, shared = (
            in_process(
                __name__, name, url=url, rounds=effort.rounds, count=effort.count(full, least=40)
            )
            for name, full in (("alone", 1_500), ("shared", 2_400))
        )
    figures.ratio(
        "sync call over the async call", alone["ours"]["cpu"], alone["async"]["cpu"], at_most=1.35
    )
    for other, target in (("requests", 0.25), ("httpx", 0.42), ("urllib3", 0.70)):
        figures.ratio(
            f"sync call over {other}", alone["ours"]["cpu"], alone[other]["cpu"], at_most=target
        )
    for other, target in (("requests", 0.18), ("httpx", 0.30)):
        figures.ratio(
            f"{THREADS} threads sharing one client, over {other}",
            shared["ours"]["cpu"],
            shared[other]["cpu"],
            at_most=target,
        )
    for name, found in (("one thread", alone), (f"{THREADS} threads", shared)):
        figures.add(
            f"{name}, wall clock us a call",
            **{who: sorted(one["wall"])[len(one["wall"]) // 2] for who, one in found.items()},
        )


def alone(url: str, rounds: int, count: int) -> Samples:
    """Measure the calls of one thread in this process."""
    from homebox_async import AsyncHomebox

    with asyncio.Runner() as runner:
        client = AsyncHomebox("bench", base_url=url)

        async def calls(times: int) -> None:
            for _ in range(times):
                await client.properties.get(1)

        def asynchronous(times: int) -> None:
            runner.run(calls(times))

        def serial(call: Callable[[], object]) -> Callable[[int], None]:
            def run(times: int) -> None:
                for _ in range(times):
                    call()

            return run

        with _Sync(url) as sync:
            contestants = {name: serial(call) for name, call in sync.calls.items()}
            found = alternate({"async": asynchronous, **contestants}, rounds=rounds, count=count)
        runner.run(client.aclose())
    return found


def shared(url: str, rounds: int, count: int) -> Samples:
    """Measure the calls of several threads that share one client, in this process."""

    def threaded(call: Callable[[], object]) -> Callable[[int], None]:
        def work(times: int) -> None:
            for _ in range(times):
                call()

        def run(times: int) -> None:
            threads = [
                threading.Thread(target=work, args=(times // THREADS,)) for _ in range(THREADS)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        return run

    with _Sync(url) as sync:
        contestants = {name: threaded(call) for name, call in sync.calls.items()}
        return alternate(contestants, rounds=rounds, count=count)


class _Sync:
    """One client of each kind, and the call that each makes."""

    def __init__(self, url: str) -> None:
        import httpx
        import requests
        import urllib3

        from homebox_async import Homebox

        address = f"{url}{PROPERTY}/1"
        self._homebox = Homebox("bench", base_url=url)
        self._requests = requests.Session()
        self._requests.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
        self._requests.headers.update(HEADERS)
        self._httpx = httpx.Client(headers=HEADERS)
        self._urllib3 = urllib3.PoolManager(headers=HEADERS, maxsize=THREADS)
        self.calls: dict[str, Callable[[], Any]] = {
            "ours": lambda: self._homebox.properties.get(1),
            "requests": lambda: self._requests.get(address).json(),
            "httpx": lambda: self._httpx.get(address).json(),
            "urllib3": lambda: self._urllib3.request("GET", address).json(),
        }

    def __enter__(self) -> _Sync:
        return self

    def __exit__(self, *_: object) -> None:
        self._homebox.close()
        self._requests.close()
        self._httpx.close()
        self._urllib3.clear()
