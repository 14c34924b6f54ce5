"""What the journal knows after its process was killed, and while another one has it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from homebox_async.importer.journal import Journal, JournalError, State

FACTS = {"kind": "properties", "fingerprint": "f1", "target": "t"}

# Plans 100 rows, claims 50, records 30, waits for the disk, and then waits to be killed.
PROGRAM = """
import asyncio, sys, time
from homebox_async.importer.journal import Journal, Planned, State

async def main():
    journal = await Journal.open(sys.argv[1], kind="properties", fingerprint="f1", target="t")
    await journal.plan(Planned(n, b"d", f"R{n}", f"{n}|") for n in range(1, 101))
    await journal.claim(range(1, 51))
    for n in range(1, 31):
        journal.record(n, State.CREATED, id=1000 + n)
    await journal.flush()
    print("ready", flush=True)
    if sys.argv[2] == "busy":
        for n in range(51, 101):
            await journal.claim([n])
            print(n, flush=True)
    time.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(params=["idle"])
def other(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Start a process that has a journal open."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "j"), request.param],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill the process as a power cut does."""
    process.send_signal(signal.SIGKILL)
    process.wait()


async def numbers(journal: Journal, state: State) -> list[int]:
    """Return the rows in a state."""
    return [entry.number async for entry in journal.rows([state])]


async def test_killed(other: subprocess.Popen[str], tmp_path: Path) -> None:
    """After kill -9, what was recorded stays and what was claimed is unknown."""
    kill(other)
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert list(range(1, 31)) == await numbers(journal, State.CREATED)
        assert list(range(31, 51)) == await numbers(journal, State.UNKNOWN)
        assert list(range(51, 101)) == await numbers(journal, State.PENDING)
        assert [1030] == [entry.id for entry in await journal.find("R30")]


@pytest.mark.parametrize("other", ["busy"], indirect=True)
async def test_killed_while_claiming(other: subprocess.Popen[str], tmp_path: Path) -> None:
    """A claim that returned is on the disk, whenever the process is killed."""
    assert other.stdout is not None
    seen = [int(other.stdout.readline()) for _ in range(20)]
    kill(other)
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert set(seen) <= set(await numbers(journal, State.UNKNOWN))


async def test_truncated_wal(other: subprocess.Popen[str], tmp_path: Path) -> None:
    """If the end of the log is lost, rows that were sent are unknown, never pending."""
    kill(other)
    log = tmp_path / "j-wal"
    os.truncate(log, log.stat().st_size - 100)
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        assert [] == await numbers(journal, State.CREATED)
        assert list(range(1, 51)) == await numbers(journal, State.UNKNOWN)


async def test_locked_by_another_process(other: subprocess.Popen[str], tmp_path: Path) -> None:
    """A journal that another process has open is refused, and free once it is gone."""
    with pytest.raises(JournalError, match="another import is using this journal; wait for it"):
        await Journal.open(tmp_path / "j", **FACTS)
    kill(other)
    await (await Journal.open(tmp_path / "j", **FACTS)).close()


def test_unclosed_journal_does_not_hang(tmp_path: Path) -> None:
    """A process that forgets to close its journal ends all the same."""
    program = PROGRAM.replace("time.sleep(60)", "return")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "j"), "idle"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (0, "ready\n", "") == (done.returncode, done.stdout, done.stderr)


def test_file_size_limit(tmp_path: Path) -> None:
    """When the file cannot grow any more, planning fails with the fix and nothing hangs."""
    program = """
import asyncio, resource, sys
from homebox_async.importer.journal import Journal, JournalError, Planned

async def main():
    facts = {"kind": "properties", "fingerprint": "f", "target": "t"}
    async with await Journal.open(sys.argv[1], **facts) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        await journal.plan(Planned(n, b"d" * 16, f"R{n}", f"{n}|") for n in range(1, 100_001))

try:
    asyncio.run(main())
except JournalError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "j")],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert "" == done.stderr
    assert "make room on its disk" in done.stdout
