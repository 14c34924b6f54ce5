"""Imports in processes of their own, forked from one that has loaded everything already.

Run as a script. It reads one import a line, as JSON, and answers two lines for each: the id of
the process, and its exit status. SIGTERM drains the import, SIGINT cancels it, SIGKILL is
SIGKILL. What it told, if it came to an end, is in the file `told`.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from homebox_async import AsyncHomebox, Retry, importer
from homebox_async.errors import RequestError
from homebox_async.importer import engine, patience


def impatient() -> None:
    """Make the importer's own pauses short, and let it look often: a test has no time."""
    patience._PAUSE, patience._LONGEST_PAUSE = 0.001, 0.02
    engine._PATIENT = Retry(attempts=8, backoff=0.01)


def forget(journal: Path) -> None:
    """Sabotage: take every row of which nothing is known for one that was never sent."""
    os.environ["HOMEBOX_STATE"] = str(journal.with_name(f"ledger{os.getpid()}"))  # a new one
    if journal.exists():
        connection = sqlite3.connect(journal)
        with contextlib.suppress(sqlite3.OperationalError), connection:  # no table yet
            connection.execute("UPDATE rows SET state = 0 WHERE state IN (1, 5)")
        connection.close()


def step_the_clock(seed: int) -> None:
    """Let the wall clock jump forth and back, by up to two days each time it is read."""
    chance, real = random.Random(seed), time.time
    time.time = lambda: real() + chance.uniform(-2, 2) * 86_400


async def told(job: dict[str, Any]) -> dict[str, Any]:
    """Run one import and return what it told."""
    async with AsyncHomebox(
        job["token"], base_url=job["url"], retry=Retry(backoff=0.01), timeout=job["timeout"]
    ) as client:
        make = getattr(importer, f"import_{job.get('kind', 'properties')}")
        # Where there is nothing to look up (voids), there is nothing to settle either.
        given = {name: job[name] for name in ("results", "settle") if name in job}
        given["patience"] = 2.0
        if job.get("confirmed"):
            given["confirm"] = lambda preview: True
        run = make(client, job["source"], **given, **job["options"])
        task = asyncio.ensure_future(run.wait())
        loop, cancels = asyncio.get_running_loop(), []
        loop.add_signal_handler(signal.SIGTERM, run.drain)
        loop.add_signal_handler(
            signal.SIGINT, lambda: cancels.append(loop.create_task(run.cancel()))
        )
        try:
            report = await task
        except asyncio.CancelledError:
            return {"cancelled": True}
        except RequestError as error:  # at the start: nobody was there
            return {"failed": str(error)}
        return {"report": report.as_dict()}


def work(job: dict[str, Any]) -> None:
    """Be the process of one import."""
    os.environ.update(job.get("environment", {}))
    if job["sabotage"]:
        forget(Path(job["results"]) / f"{Path(job['source']).stem}.journal")
    if job["clock"]:
        step_the_clock(job["clock"])
    try:
        answer = asyncio.run(told(job))
    except BaseException:
        answer = {"broke": traceback.format_exc()}
    Path(job["told"]).write_text(json.dumps(answer))


def main() -> None:
    """Fork an import for each line of the input."""
    impatient()
    # Until its import listens, a worker is ended by these signals like by any other.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            work(json.loads(line))
            os._exit(0)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
