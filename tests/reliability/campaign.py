"""Many histories in parallel, a line for each, and what they add up to."""

from __future__ import annotations

import asyncio
import platform
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

import attrs

from .import_history import history

_BEGIN = "<!-- figures, made by the command: not to be edited -->\n"
_END = "<!-- end of the figures -->\n"
_TOTALS = ("rows", "posts", "kills", "cancels", "drains", "resumes", "adopted", "rejected")


@attrs.frozen
class Told:
    """What is told of one history; `wrong` is "" where everything was as it should be."""

    seed: int
    counts: Mapping[str, int]
    seconds: float
    stall: float
    wrong: str

    def __str__(self) -> str:
        names = (*_TOTALS, "duplicates", "missing")
        figures = ", ".join(f"{name} {self.counts.get(name, 0)}" for name in names)
        line = f"seed {self.seed}: {figures}, faults {faults(self.counts)}"
        line += f", {self.seconds:.1f} s, longest stall {self.stall:.2f} s"
        return f"{line}\n  WRONG: {self.wrong}" if self.wrong else line


def faults(counts: Mapping[str, int]) -> int:
    """Return how many faults there were, by the server and by the network."""
    return sum(n for name, n in counts.items() if ": " in name)


def one(seed: int, rows: int) -> Told:
    """Run a history in this process; where something is wrong, its files are kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"history-{seed}-"))
    made = asyncio.run(told(seed, rows, folder))
    if made.wrong:
        return attrs.evolve(made, wrong=f"{made.wrong}\n  its files are in {folder}")
    shutil.rmtree(folder)
    return made


async def told(seed: int, rows: int, folder: Path) -> Told:
    """Run a history in a folder and return what is to be told of it."""
    began = time.monotonic()
    async with history(seed, rows, folder) as made:
        wrong = ""
        try:
            async with asyncio.timeout(max(120, rows / 5)):
                found = await made.run()
        except Exception:
            wrong = traceback.format_exc()
        else:
            if found:
                wrong = str(found)
        return Told(seed, made.counts, time.monotonic() - began, made.stall, wrong)


def run(
    seeds: Sequence[int], rows: int, jobs: int, budget: float, tell: Callable[[Told], None]
) -> list[Told]:
    """Run histories, so many at a time; none is begun after so many seconds."""
    ends = time.monotonic() + budget
    left, done = list(seeds), list[Told]()
    running: set[Future[Told]] = set()
    # Each one mostly waits, for settle times and pauses, so there may be more than cores.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        while running or (left and time.monotonic() < ends):
            while left and len(running) < jobs and time.monotonic() < ends:
                running.add(pool.submit(one, left.pop(0), rows))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                done.append(future.result())
                tell(done[-1])
    return done


def summary(done: Sequence[Told], seeds: Sequence[int], rows: int, command: str) -> str:
    """Return what all histories add up to, as a table in Markdown."""
    totals: Counter[str] = Counter()
    for each in done:
        totals.update(each.counts)
    lines = {
        "Histories": f"{len(done)} of {len(seeds)}, seeds {seeds[0]} to {seeds[-1]}",
        "Rows in each": f"{rows:,}",
        "Rows in all": f"{totals['rows']:,}",
        "Rows rejected by the checks, as planted": f"{totals['rejected']:,}",
        "POSTs received": f"{totals['posts']:,}",
        "Faults injected": f"{faults(totals):,}",
        **{
            f"- {name}": f"{totals[name]:,}"
            for name in sorted(name for name in totals if ": " in name)
        },
        "Killed (`SIGKILL`)": f"{totals['kills']:,}",
        "Cancelled": f"{totals['cancels']:,}",
        "Drained": f"{totals['drains']:,}",
        "Resumed": f"{totals['resumes']:,}",
        "Rows adopted after a look-up": f"{totals['adopted']:,}",
        "**Rows created twice**": f"**{totals['duplicates']:,}**",
        "**Rows missing**": f"**{totals['missing']:,}**",
        "Histories in which anything disagreed": f"{sum(bool(each.wrong) for each in done):,}",
        "Longest stall of a server": f"{max((each.stall for each in done), default=0):.2f} s",
        "Seconds per history, median": f"{_median([each.seconds for each in done]):.1f}",
        "Python": platform.python_version(),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in lines.items())
    return f"Made by `{command}`.\n\n| what | figure |\n|---|---|\n{table}\n"


def figures_of(page: str) -> str:
    """Return the table that a page has between its marks."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def write_figures(path: Path, table: str) -> None:
    """Put a table into a page, in the place of the one between the marks."""
    page = path.read_text() if path.exists() else f"{_BEGIN}{_END}"
    before, _, rest = page.partition(_BEGIN)
    path.write_text(f"{before}{_BEGIN}{table}{_END}{rest.partition(_END)[2]}")


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
