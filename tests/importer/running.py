"""What the tests of runs share."""

import asyncio
import sqlite3
from typing import Any

from homebox_async.importer import State
from homebox_async.importer.journal import Journal


async def until(condition: Any) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


async def finish(bench: Any, rows: int, **options: Any) -> Any:
    """Run an import to its end and check that each row is there once."""
    report = await bench.report(**options)
    assert (rows, True) == (report.created + report.adopted, report.done)
    assert bench.expected(rows) == bench.references
    return report


async def journal_counts(bench: Any) -> dict[State, int]:
    """Count the rows of an import that has ended."""
    path = bench.folder / "portfolio.journal"
    connection = sqlite3.connect(path)
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    connection.close()
    facts = {name: meta[name] for name in ("kind", "fingerprint", "target")}
    async with await Journal.open(path, **facts) as journal:
        return await journal.counts()
