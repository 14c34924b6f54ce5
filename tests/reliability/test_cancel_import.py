"""Wherever an import is broken off, going on ends with each row there once.

A run of a few rows waits some hundred times. In the gate every so-manyth wait is struck, another
set for each way; the whole of it::

    CANCEL_STRIDE=1 pytest tests/reliability/test_cancel_import.py -s
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Retry
from homebox_async.emulator import Emulator, Fault
from homebox_async.importer import Report, engine, import_properties, patience

from .striking import MOMENTS, STRIDE, WAYS, Strike, listening, strike_everywhere

pytestmark = pytest.mark.slow

ROWS = 5
CREATE = ("POST", "/api/partner/property")
# One row is refused at once, one is created without an answer, one is refused by the server.
FAULTS = [Fault.named("drop-after"), None, Fault.named("503:0"), Fault.named("drop-before")]


class Bench:
    """An emulator for each run, and what is to be imported into it."""

    def __init__(self, folder: Path, how: str) -> None:
        self.folder = folder
        self.how = how
        self.emulator: Emulator
        self.client: AsyncHomebox
        lines = [f"{n} High Street,Leeds,LS{n} 1AA,R{n}" for n in range(1, ROWS + 1)]
        self.lines = ["line1,city,postcode,ref", *lines, "6 High Street,,LS1 1AA,R6"]

    def source(self) -> Any:
        """Return what is imported."""
        path = self.folder / "portfolio.csv"
        if self.how != "stream":
            path.write_text("\n".join([*self.lines, ""]))
            return path

        async def rows() -> Any:
            names = self.lines[0].split(",")
            for line in self.lines[1:]:
                await asyncio.sleep(0)
                yield dict(zip(names, line.split(","), strict=True))

        return rows()

    async def prepare(self, _: int) -> Callable[[], Awaitable[Any]]:
        """Start a new emulator, and return the call that imports into it."""
        for path in self.folder.iterdir():
            path.unlink()
        self.emulator = await Emulator().start()
        self.emulator.script(*CREATE, FAULTS)
        self.client = AsyncHomebox(
            self.emulator.token, base_url=self.emulator.url, retry=Retry(backoff=0.0)
        )
        return self._iterated if self.how == "block" else self._whole

    def _import(self) -> Any:
        return import_properties(
            self.client, self.source(), results=self.folder, settle=0.01, concurrency=3
        )

    async def _whole(self) -> Report:
        return await self._import()  # type: ignore[no-any-return]

    async def _iterated(self) -> Report:
        async with self._import() as run:
            async for _ in run:
                pass
        return run.report  # type: ignore[no-any-return]

    async def check(self, _: Strike) -> None:
        """Go on with the same command at once, and compare all that there is."""
        emulator, client = self.emulator, self.client
        assert not client._transport._session or not client._transport._session.connector._acquired
        emulator._scripts.clear()
        report = await self._whole()
        assert (ROWS, 1, 0, 0) == (
            report.created + report.adopted,
            report.rejected,
            report.unknown,
            report.pending,
        )
        there = Counter(home.reference for home in emulator.store.properties)
        assert {f"R{n}": 1 for n in range(1, ROWS + 1)} == there
        wanted = {"created.csv", "rejects.csv", "journal", "csv"}
        assert wanted >= {path.name.partition(".")[2] for path in self.folder.iterdir()}
        assert ROWS + 1 == len(next(self.folder.glob("*.created.csv")).read_text().splitlines())
        await client.aclose()
        await emulator.aclose()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PAUSE", 0.001)
    monkeypatch.setattr(patience, "_LONGEST_PAUSE", 0.002)
    monkeypatch.setattr(engine, "_PATIENT", Retry(attempts=8, backoff=0.0))


@pytest.mark.timeout(60 if STRIDE != 1 else 900)
@pytest.mark.parametrize("how", ["await", "block", "stream"])
async def test_every_await(tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str) -> None:
    """Planning, claiming, sending, reconciling, writing results: no row is lost or doubled."""
    bench = Bench(tmp_path, how)
    with listening(caplog):
        for n, (way, moment) in enumerate(itertools.product(WAYS, MOMENTS)):
            waits = await strike_everywhere(
                bench.prepare, bench.check, way=way, moment=moment, stride=STRIDE or 37 + n
            )
            print(f"import {how} {way} {moment}: {waits} waits")
            assert waits > 50
