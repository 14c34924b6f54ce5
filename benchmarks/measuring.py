"""Contestants measured in turn: CPU time and wall clock of each, round by round."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

Samples = dict[str, dict[str, list[float]]]
"""Microseconds per operation: of each contestant, "cpu" and "wall", one figure a round."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds of each comparison, and the share of the full counts."""

    rounds: int = 7
    share: float = 1.0

    def count(self, full: int, *, least: int = 1) -> int:
        """Return how many operations to make where a full run makes `full`."""
        return max(least, int(full * self.share))


def alternate(
    contestants: dict[str, Callable[[int], object]], *, rounds: int, count: int
) -> Samples:
    """Let each contestant make `count` operations a round, in turn; every other round backwards."""
    samples: Samples = {name: {"cpu": [], "wall": []} for name in contestants}
    for name in contestants:
        contestants[name](max(1, count // 10))  # connections, caches, lazy imports
    for number in range(rounds):
        for name in _order(contestants, number):
            gc.collect()
            began, cpu = time.perf_counter(), time.process_time()
            contestants[name](count)
            _note(samples[name], began, cpu, count)
    return samples


async def alternate_async(
    contestants: dict[str, Callable[[int], Awaitable[object]]], *, rounds: int, count: int
) -> Samples:
    """Do the same for coroutines on the running loop."""
    samples: Samples = {name: {"cpu": [], "wall": []} for name in contestants}
    for name in contestants:
        await contestants[name](max(1, count // 10))
    for number in range(rounds):
        for name in _order(contestants, number):
            gc.collect()
            began, cpu = time.perf_counter(), time.process_time()
            await contestants[name](count)
            _note(samples[name], began, cpu, count)
    return samples


def joined(runs: Iterable[Samples]) -> Samples:
    """Return the figures of several processes as those of one."""
    found: Samples = {}
    for run in runs:
        for name, sample in run.items():
            mine = found.setdefault(name, {"cpu": [], "wall": []})
            for clock, figures in sample.items():
                mine[clock] += figures
    return found


def _order(contestants: dict[str, Any], number: int) -> list[str]:
    return list(contestants) if number % 2 == 0 else list(reversed(contestants))


def _note(sample: dict[str, list[float]], began: float, cpu: float, count: int) -> None:
    sample["cpu"].append((time.process_time() - cpu) / count * 1e6)
    sample["wall"].append((time.perf_counter() - began) / count * 1e6)


def in_flight(
    call: Callable[[], Awaitable[object]], workers: int
) -> Callable[[int], Awaitable[None]]:
    """Make a contestant that keeps so many calls in flight."""

    async def work(numbers: Any) -> None:
        for _ in numbers:
            await call()

    async def contest(count: int) -> None:
        numbers = iter(range(count))
        await asyncio.gather(*(work(numbers) for _ in range(min(workers, count))))

    return contest
