"""A history: one file, imported under faults, drained, cancelled and killed until it is done."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs

from homebox_async.emulator import Emulator, Received
from homebox_async.emulator.received import ReceivedLog

from .checker import Findings, Portfolio, check, check_files
from .disturbances import TIMEOUT, Climate, network, storm
from .proxy import Proxy

_WORKER = Path(__file__).with_name("worker.py")
_PATH = "/api/partner/property"
_MOST_RUNS = 100
_PATIENCE = 5  # runs that nothing disturbs
# Ways to disturb an import, by how often they are chosen; each history has one kill at least.
_WAYS = {"kill": 2, "drain": 1, "cancel": 1}
_SIGNALS = {"kill": signal.SIGKILL, "drain": signal.SIGTERM, "cancel": signal.SIGINT}


class Zygote:
    """The process that forks a worker for each run."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, folder: Path) -> AsyncIterator[Zygote]:
        """Run one; what its workers print on standard error is in a file in the folder."""
        with (folder / "stderr").open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "error", str(_WORKER)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        try:
            yield cls(process)
        finally:
            process.kill()
            await process.communicate()

    async def fork(self, job: dict[str, Any]) -> int:
        """Start a worker and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        return await self._line()

    async def ended(self) -> int:
        """Return the exit status of the worker."""
        return await self._line()

    async def _line(self) -> int:
        assert self._process.stdout is not None
        return int(await self._process.stdout.readline())


class Watched(ReceivedLog):
    """The emulator's log of what it received, which can be waited for."""

    def __init__(self) -> None:
        super().__init__(10**7)
        self.creates = 0
        self._method = ""
        self._left = 0
        self._reached = asyncio.Event()

    def record(self, received: Received) -> None:
        """Add a request."""
        super().record(received)
        if received.path == _PATH:
            self.creates += received.method == "POST"
            if received.method == self._method:
                self._left -= 1
                if not self._left:
                    self._reached.set()

    async def reached(self, method: str, count: int) -> None:
        """Wait until so many more requests with a method have come to the properties."""
        self._method, self._left = method, count
        self._reached.clear()
        await self._reached.wait()


@attrs.define(eq=False)
class History:
    """One import of a file from its first run to its last; `counts` says what happened."""

    seed: int
    folder: Path
    emulator: Emulator
    proxy: Proxy
    zygote: Zygote
    climate: Climate
    portfolio: Portfolio
    sabotage: bool = False
    counts: Counter[str] = attrs.field(factory=Counter)
    stall: float = 0.0
    _chance: random.Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    @property
    def log(self) -> Watched:
        """What the emulator received."""
        log = self.emulator.received
        assert isinstance(log, Watched)
        return log

    async def run(self) -> Findings:
        """Run, disturbed or not, until a run says that all is done; then compare."""
        beat = asyncio.ensure_future(self._beat())
        try:
            report = await self._until_done(self._drawn())
            sent = self.log.creates
            again = await self._until_done([])
        finally:
            beat.cancel()
        found = check(self.portfolio, self.folder, self.emulator, again)
        if errors := (self.folder / "stderr").read_text():
            found.wrong.append(f"on standard error: {errors}")
        if self.log.creates != sent or again["created"] != report["created"]:
            found.wrong.append(f"a run after the last one sent {self.log.creates - sent} more")
        self.counts.update(
            rows=len(self.portfolio.rows),
            posts=self.log.creates,
            adopted=report["adopted"],
            rejected=report["rejected"],
            duplicates=len(found.duplicates),
            missing=len(found.missing),
        )
        self.counts.update(
            {f"server: {name}": n for name, n in self.emulator.counts.faults.items()}
        )
        self.counts.update({f"network: {name}": n for name, n in self.proxy.struck.items()})
        return found

    def _drawn(self) -> list[str]:
        more = self._chance.choices([*_WAYS], [*_WAYS.values()], k=self._chance.randint(1, 4))
        return self._chance.sample(["kill", *more], len(more) + 1)

    async def _until_done(self, ways: list[str]) -> dict[str, Any]:
        """Run once in each way, and then undisturbed, until a run says that all is done."""
        for number in range(_MOST_RUNS):
            way = ways[number] if number < len(ways) else "run"
            told = await self._once(way, len(ways) + 1)
            self.counts["resumes"] += bool(number and ways)
            report: dict[str, Any] | None = told.get("report")
            if report is None:
                continue
            wrong = check_files(self.portfolio, self.folder, report)
            if wrong:
                raise AssertionError(f"seed {self.seed}: {wrong[0]}")
            open_rows = report["pending"] + report["unknown"]
            # What still cannot be decided then never will be, which the checker is to tell.
            if not open_rows or (not report["pending"] and number >= len(ways) + _PATIENCE):
                return report
        raise AssertionError(f"seed {self.seed}: it does not come to an end")

    async def _once(self, way: str, share: int) -> dict[str, Any]:
        """Run the import in a worker and disturb it as it goes; return what it told."""
        if self.climate.faults is not None and self._chance.random() < 0.15:
            self.emulator.script("POST", _PATH, storm(self._chance, len(self.portfolio.rows)))
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        process = await self.zygote.fork(
            {
                "url": self.proxy.url,
                "token": self.emulator.token,
                "source": str(self.portfolio.path),
                "results": str(self.folder),
                "settle": self.climate.settle,
                "timeout": TIMEOUT,
                "options": self.portfolio.options,
                "told": str(told),
                "sabotage": self.sabotage,
                # In every third history the wall clock is wrong, another way in each run.
                "clock": self._chance.randint(1, 10**6) if self.seed % 3 == 0 else 0,
            }
        )
        ended = asyncio.ensure_future(self.zygote.ended())
        if way != "run":
            moment = asyncio.ensure_future(self._moment(share))
            await asyncio.wait({ended, moment}, return_when=asyncio.FIRST_COMPLETED)
            moment.cancel()
            if not ended.done():
                os.kill(process, _SIGNALS[way])
        status = await ended
        if status < 0:
            # Also a signal to drain that came before anybody listened to it.
            self.counts["kills"] += 1
            return {}
        answer: dict[str, Any] = json.loads(told.read_text())
        if "broke" in answer:
            raise AssertionError(f"seed {self.seed}: {answer['broke']}")
        report = answer.get("report")
        if "cancelled" in answer:
            self.counts["cancels"] += 1
        elif report is not None and report["stopped"] == "interrupted":
            self.counts["drains"] += 1
        return answer

    async def _moment(self, share: int) -> None:
        """Wait for the moment of the disturbance: while it opens and plans, sends or looks up."""
        chance, most = self._chance, max(2, len(self.portfolio.rows) // share)
        drawn = chance.random()
        if drawn < 0.15:
            await asyncio.sleep(chance.uniform(0.0, 0.1))
            return
        if drawn < 0.85:
            await self.log.reached("POST", chance.randint(1, most))
        else:
            await self.log.reached("GET", chance.randint(1, 30))
        # From before the request is worked on to a while after its answer.
        await asyncio.sleep(chance.uniform(0.0, 0.004))

    async def _beat(self) -> None:
        """Note how long this process was held up: a server that stops may outlast the settling."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.05)
            self.stall = max(self.stall, time.monotonic() - began - 0.05)


@contextlib.asynccontextmanager
async def history(
    seed: int, rows: int, folder: Path, *, climate: Climate | None = None, sabotage: bool = False
) -> AsyncIterator[History]:
    """Make a history of a seed, with a server, a network and a worker of its own."""
    climate = climate or Climate.of(seed)
    chance = random.Random(f"{seed} network")
    emulator = Emulator(faults=climate.faults, assumed=climate.assumed)
    emulator.received = Watched()
    portfolio = Portfolio.drawn(folder / "portfolio.csv", rows, seed)
    async with (
        emulator,
        Proxy(emulator.url, network(chance) if climate.faults else ()) as proxy,
        Zygote.started(folder) as zygote,
    ):
        yield History(seed, folder, emulator, proxy, zygote, climate, portfolio, sabotage)
