"""Power cuts: what was sent is on the disk before it is sent, and the rest may be lost.

What a power cut takes is what was written after the last sync. The journal is cut there, and
at every other place behind what must be there, and then the import goes on.
"""

import asyncio
import functools
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from homebox_async.emulator import Emulator, Faults, Received
from homebox_async.importer import State

from .checker import noted
from .import_history import Watched
from .stand import Stand

SLOW = Faults({"slow:0.005": 1.0})


class Copying(Watched):
    """Copies the journal, as it is in its files at this moment, when a request comes."""

    def __init__(self, journal: Path) -> None:
        super().__init__()
        self.then: Callable[[], None] = lambda: None
        self._journal = journal
        self._copies: dict[int, Path] = {}

    def record(self, received: Received) -> None:
        """Add a request, and copy the journal if it is one of the chosen ones."""
        super().record(received)
        copy = self._copies.pop(self.creates, None) if received.method == "POST" else None
        if copy is not None:
            for end in ("", "-wal"):
                shutil.copyfile(f"{self._journal}{end}", f"{copy}{end}")
            self.then()

    def copy(self, more: int, copy: Path) -> None:
        """Copy the journal once so many more requests to create a property have come."""
        self._copies[self.creates + more] = copy


def sent(stand: Stand, posts: int) -> set[str]:
    """Return the homes whose requests were on their way by the time of so many."""
    creates = [seen for seen in stand.log if seen.method == "POST"][:posts]
    return set(re.findall(r"\d+ Station Road", " ".join(seen.body.decode() for seen in creates)))


def known(copy: Path, stand: Stand, size: int | None = None) -> set[str]:
    """Return the homes that a copy of a journal, its log cut to a size, does not call pending."""
    place = copy.with_name("looked-at")
    for end in ("", "-wal"):
        shutil.copyfile(f"{copy}{end}", f"{place}{end}")
    if size is not None:
        os.truncate(f"{place}-wal", size)
    rows = noted(place)
    return {stand.portfolio.rows[n][0] for n, row in rows.items() if row.state is not State.PENDING}


def commits(log: Path) -> list[int]:
    """Return where the transactions end in a log of SQLite (its file format, section 4.1)."""
    content = log.read_bytes()
    if not content:
        return [0]
    (page,) = struct.unpack(">I", content[8:12])
    salts, ends = content[16:24], [32]
    for start in range(32, len(content) - 24 - page + 1, 24 + page):
        after, found = content[start + 4 : start + 8], content[start + 8 : start + 16]
        if found != salts:
            break
        if any(after):
            ends.append(start + 24 + page)
    return ends


async def test_known_before_it_is_sent(tmp_path: Path) -> None:
    """When a request arrives, a copy of the journal tells of its row as in flight, or done."""
    async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
        log = stand.emulator.received = Copying(stand.journal)
        moments = {n: tmp_path / f"copy{n}" for n in (1, 2, 17, 100, 257, 280)}
        for posts, copy in moments.items():
            log.copy(posts, copy)
        report = (await stand.run())["report"]
        assert 290 <= report["created"] <= 300
        for posts, copy in moments.items():
            assert sent(stand, posts) <= known(copy, stand)
        assert len(known(moments[1], stand)) < 300


def _cut(log: Path, keep: int, chance: random.Random) -> None:
    os.truncate(log, chance.randint(keep, log.stat().st_size))


def _cut_at_once(log: Path, keep: int, chance: random.Random) -> None:
    os.truncate(log, keep)


def _zeros(log: Path, keep: int, chance: random.Random) -> None:
    size = log.stat().st_size
    os.truncate(log, chance.randint(keep, size))
    os.truncate(log, size + 4096)


def _garbage(log: Path, keep: int, chance: random.Random) -> None:
    with log.open("r+b") as file:
        start = chance.randint(keep, log.stat().st_size)
        file.seek(start)
        file.write(chance.randbytes(log.stat().st_size - start + 5_000))


def _reordered(log: Path, keep: int, chance: random.Random) -> None:
    """Lose a part in the middle, as a disk that writes in its own order does."""
    with log.open("r+b") as file:
        file.seek(chance.randint(keep, log.stat().st_size))
        file.write(bytes(1500))


LOSSES = [_cut, _cut_at_once, _zeros, _garbage, _reordered]


async def test_power_cuts(tmp_path: Path) -> None:
    """Whatever is lost behind what had to be there, no row is missing or there twice."""
    chance = random.Random(1)
    async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
        stand.emulator.received = log = Copying(stand.journal)
        copy = tmp_path / "copy"
        for lose in chance.sample(LOSSES, len(LOSSES)):
            log.copy(chance.randint(10, 50), copy)
            process = await stand.start()
            log.then = functools.partial(os.kill, process, signal.SIGKILL)
            assert {} == await stand.told()
            homes = sent(stand, log.creates)
            ends = commits(Path(f"{copy}-wal"))
            keep = next(end for end in ends if homes <= known(copy, stand, end))
            for end in ("", "-wal"):
                shutil.copyfile(f"{copy}{end}", f"{stand.journal}{end}")
            lose(Path(f"{stand.journal}-wal"), keep, chance)
        assert (await stand.finish())["adopted"]


# --- what the kernel is told


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
async def test_synced_before_it_is_sent(tmp_path: Path) -> None:
    """The log is synced between the claim of the first rows and their first request."""
    async with Emulator() as emulator:
        (tmp_path / "in.csv").write_text("line1,city,postcode,ref\n1 High St,Leeds,LS1 1AA,A1\n")
        trace = tmp_path / "trace"
        calls = "trace=pwrite64,fsync,fdatasync,sendto,sendmsg,write,writev"
        done = await asyncio.to_thread(
            subprocess.run,
            [
                *("strace", "-f", "-y", "-s", "64", "-o", str(trace), "-e", calls),
                *(sys.executable, "-c", PROGRAM, emulator.url, emulator.token),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
        )
    if "ptrace" in done.stderr.lower():
        pytest.skip("processes may not be traced here")
    assert (0, "1\n") == (done.returncode, done.stdout), done.stderr
    lines = trace.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if "POST /api/partner/property" in line)
    log = [line for line in lines[:first] if "in.journal-wal>" in line]
    assert any("pwrite64(" in line for line in log)
    assert re.search(r"f(data)?sync\(", log[-1]), log[-3:]


PROGRAM = """
import asyncio, sys
from homebox_async import AsyncHomebox
from homebox_async.importer import import_properties

async def main(url, token):
    async with AsyncHomebox(token, base_url=url) as client:
        print((await import_properties(client, "in.csv")).created)

asyncio.run(main(*sys.argv[1:]))
"""
