"""Histories: imports under random faults, drained, cancelled and killed until they are done.

Then the journal, the result files and the emulator's own store must tell the same story: no row
is missing, none is there twice. The long version::

    HISTORY_SEEDS=200 HISTORY_ROWS=1500 pytest tests/importer/test_histories.py -s
"""

import asyncio
import contextlib
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async import AsyncHomebox, Retry
from homebox_async.emulator import Assumed, Emulator, Faults
from homebox_async.errors import RequestError
from homebox_async.importer import Report, State, engine, failures, import_properties

SEEDS = int(os.environ.get("HISTORY_SEEDS", "6"))
FIRST = int(os.environ.get("HISTORY_FIRST", "1"))
ROWS = int(os.environ.get("HISTORY_ROWS", "300"))
SETTLE = 0.15
LAG = 0.08
RATES = {
    "drop-after": 0.02,
    "drop-before": 0.02,
    "503": 0.03,
    "html500": 0.01,
    "500-after": 0.01,
    "truncate": 0.01,
    "garbage": 0.01,
    "empty": 0.01,
    "429:1": 0.0005,
}
# Ways to run an import, by how often they are chosen; the last one has nothing to disturb it.
WAYS = {"kill": 3, "drain": 2, "cancel": 2, "run": 1}

PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from homebox_async import AsyncHomebox, Retry
    from homebox_async.importer import import_properties

    async def main(url, token, source, settle):
        print("go", flush=True)
        async with AsyncHomebox(token, base_url=url, retry=Retry(backoff=0.01)) as client:
            await import_properties(client, source, results=".", settle=float(settle))

    asyncio.run(main(*sys.argv[1:]))
    """
)


@attrs.define
class History:
    """One import of a file from its first run to its last."""

    seed: int
    folder: Path
    emulator: Emulator
    random: random.Random
    ways: Counter[str] = attrs.field(factory=Counter)

    @property
    def path(self) -> Path:
        """The input."""
        return self.folder / "portfolio.csv"

    def write(self) -> None:
        """Write the input; postcodes and towns repeat, as they do."""
        lines = ["line1,city,postcode,ref"]
        for n in range(1, ROWS + 1):
            postcode = f"{self.random.choice(['LS', 'M', 'YO'])}{n % 40 + 1} {n % 7}AB"
            lines.append(f"{n} Station Road,Leeds,{postcode},H-{n:05}")
        self.path.write_text("\n".join([*lines, ""]))

    async def run(self) -> Report:
        """Run, disturbed or not, until a run says that all is done."""
        for _ in range(200):
            way = self.random.choices([*WAYS], [*WAYS.values()])[0]
            self.ways[way] += 1
            if way == "kill":
                await self._kill()
                continue
            with contextlib.suppress(RequestError):  # at the start: nobody was there
                report = await self._here(way)
                if report is not None and report.done:
                    return report
        raise AssertionError("it does not come to an end")

    async def _kill(self) -> None:
        emulator = self.emulator
        arguments = (emulator.url, emulator.token, str(self.path), str(SETTLE))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, *arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.random.uniform(0.0, 0.5) * ROWS / 300):
                await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.communicate()

    async def _here(self, way: str) -> Report | None:
        emulator = self.emulator
        async with AsyncHomebox(
            emulator.token, base_url=emulator.url, retry=Retry(backoff=0.01)
        ) as client:
            run = import_properties(client, self.path, results=self.folder, settle=SETTLE)
            task = asyncio.ensure_future(run.wait())
            if way != "run":
                wait = self.random.uniform(0.0, 0.5) * ROWS / 300
                await asyncio.wait([task], timeout=wait)
                if way == "drain":
                    run.drain()
                else:
                    await run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                return await task
        return None

    # --- the checker

    def check(self, report: Report) -> None:
        """Compare journal, files, report and what the emulator has."""
        there = {home.id: home.reference for home in self.emulator.store.properties}
        wanted = [f"H-{n:05}" for n in range(1, ROWS + 1)]
        found = Counter(there.values())
        assert [] == [reference for reference in wanted if not found[reference]], "missing"
        assert {} == {ref: n for ref, n in found.items() if n > 1}, "duplicates"
        assert len(wanted) == len(there)
        commits = [seen for seen in self.emulator.received if seen.committed]
        assert wanted == sorted(json.loads(seen.body)["property_reference"] for seen in commits)
        journal = self._journal()
        assert dict(enumerate(wanted, 1)) == {
            number: there[property_id] for number, (_, property_id) in journal.items()
        }
        states = Counter(state for state, _ in journal.values())
        assert (report.rows, report.created, report.adopted, 0, 0, 0) == (
            ROWS,
            states[State.CREATED],
            states[State.ADOPTED],
            report.rejected,
            report.unknown,
            report.pending,
        )
        with (self.folder / "portfolio.created.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(number, property_id) for number, (_, property_id) in journal.items()] == [
            (int(row["row"]), int(row["property_id"])) for row in rows
        ]
        assert ["portfolio.created.csv", "portfolio.csv", "portfolio.journal"] == sorted(
            path.name for path in self.folder.iterdir() if path.suffix != ".tmp"
        )

    def _journal(self) -> dict[int, tuple[State, int]]:
        connection = sqlite3.connect(self.folder / "portfolio.journal")
        found = connection.execute("SELECT number, state, property_id FROM rows ORDER BY number")
        rows = {number: (State(state), identity) for number, state, identity in found}
        connection.close()
        return rows


TOTALS: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_PAUSE", 0.001)
    monkeypatch.setattr(failures, "_LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(engine, "_PATIENT", Retry(attempts=8, backoff=0.01))


@pytest.fixture(scope="module", autouse=True)
def _totals() -> Iterator[None]:
    yield
    print("\nhistories:", json.dumps(dict(sorted(TOTALS.items()))))


@pytest.mark.timeout(max(60, ROWS // 5))
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS), ids=lambda seed: f"seed={seed}")
async def test_history(seed: int, tmp_path: Path) -> None:
    """Whatever happens on the way, in the end every row is there exactly once."""
    # Half of them with a list that lags, half with one that begins with the newest.
    assumed = Assumed(
        list_lag=LAG * (seed % 2), list_order="newest-first" if seed // 2 % 2 else "oldest-first"
    )
    faults = Faults(RATES, seed=seed, methods=None, paths="property")
    async with Emulator(faults=faults, assumed=assumed, received_limit=10**6) as emulator:
        history = History(seed, tmp_path, emulator, random.Random(seed))
        history.write()
        report = await history.run()
        history.check(report)
        posts = emulator.counts.requests["POST /api/partner/property"]
        told: dict[str, Any] = {"rows": ROWS, "posts": posts, "adopted": report.adopted}
        told |= {f"fault {name}": count for name, count in emulator.counts.faults.items()}
        told |= {f"way {way}": count for way, count in history.ways.items()}
        TOTALS.update(told)
        TOTALS.update(histories=1)
        print(f"seed {seed}:", json.dumps(told))
