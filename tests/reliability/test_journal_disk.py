"""Disks that are full, read-only or taken away: the import stops, says why, and goes on later."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homebox_async.emulator import Faults

from .checker import Findings, check
from .stand import Stand, failure_of, mounted

pytestmark = pytest.mark.slow

SLOW = Faults({"slow:0.005": 1.0})
FULL = "make room on its disk and check its permissions, then run the same import again"


def clear_results(folder: Path) -> None:
    """Remove what a failed run has written.

    Its journal could not note these files, so that a later run leaves them as they are.
    """
    for path in folder.glob("portfolio.*.csv"):
        path.unlink()


def fill(disk: Path, left: int) -> None:
    """Leave so many bytes of a disk."""
    # The journal may take some of it in the meantime.
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
        for _ in range((shutil.disk_usage(disk).free - left) // 1000 + (not left)):
            ballast.write(bytes(1000))


async def test_disk_full_while_sending(tmp_path: Path) -> None:
    """A journal that cannot grow ends the import with the fix; with room again it goes on."""
    with mounted(tmp_path / "disk", "4m") as disk:
        async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
            journal = {"journal": str(disk / "j")}
            await stand.start(options=journal)
            await stand.log.reached("POST", 20)
            fill(disk, 0)
            answer = await stand.told()
            assert FULL in failure_of(answer)
            assert stand.log.creates < 300
            again = await stand.run(options=journal)
            assert "j: the journal cannot be" in failure_of(again)
            (disk / "ballast").unlink()
            clear_results(tmp_path)
            report = (await stand.run(options=journal))["report"]
            shutil.copyfile(disk / "j", stand.journal)
            assert Findings() == check(stand.portfolio, tmp_path, stand.emulator, report)


async def test_disk_full_from_the_start(tmp_path: Path) -> None:
    """Where the journal finds no room for the plan, nothing is sent and the fix is told."""
    with mounted(tmp_path / "disk", "2m") as disk:
        async with Stand.at(tmp_path, 1000) as stand:
            for left in (60_000, 4096, 0):
                fill(disk, left)
                answer = await stand.run(options={"journal": str(disk / "j")})
                assert "the journal cannot be" in failure_of(answer)
                for path in [*disk.iterdir()]:
                    path.unlink()
            assert 0 == stand.log.creates
            await stand.finish()


async def test_results_disk_full(tmp_path: Path) -> None:
    """Where the result files find no room, that is told, and the next run writes them."""
    with mounted(tmp_path / "disk", "1m") as disk:
        async with Stand.at(tmp_path, 100) as stand:
            fill(disk, 0)
            places = {"results": str(disk), "options": {"journal": str(stand.journal)}}
            answer = await stand.run(**places)
            assert "portfolio.created.csv: cannot be written (No space left" in failure_of(answer)
            assert "make room" in failure_of(answer)
            assert ["ballast"] == [path.name for path in disk.iterdir()]
            sent = stand.log.creates
            assert "created" in (await stand.finish())["files"]
            assert sent == stand.log.creates


async def test_disk_taken_away(tmp_path: Path) -> None:
    """A journal whose disk becomes read-only stops the import; what was sent is known later."""
    with mounted(tmp_path / "disk", "4m") as disk:
        async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
            journal = {"journal": str(disk / "j")}
            process = await stand.start(options=journal)
            await stand.log.reached("POST", 20)
            os.kill(process, signal.SIGKILL)
            await stand.told()
            await _refused_read_only(stand, disk)
            report = (await stand.run(options=journal))["report"]
            await _refused_read_only(stand, disk)  # a journal that was closed has no log
            shutil.copyfile(disk / "j", stand.journal)
            assert Findings() == check(stand.portfolio, tmp_path, stand.emulator, report)


async def _refused_read_only(stand: Stand, disk: Path) -> None:
    """Make the disk read-only for one run, and check that it sends nothing and says why."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    sent = stand.log.creates
    answer = await stand.run(options={"journal": str(disk / "j")})
    assert "j: the journal cannot be opened (Read-only file system)" in failure_of(answer)
    assert sent == stand.log.creates
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


LIMITED = """
import asyncio, resource, sys
from homebox_async import AsyncHomebox
from homebox_async.importer import import_properties, JournalError

async def main(url, token):
    async with AsyncHomebox(token, base_url=url) as client:
        run = import_properties(client, "portfolio.csv", settle=0.1)
        task = asyncio.ensure_future(run.wait())
        while run.sent < 20:
            await asyncio.sleep(0.001)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        try:
            print(await task)
        except JournalError as error:
            print(error)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_file_size_limit(tmp_path: Path) -> None:
    """A limit of the file's size (EFBIG, as a quota) stops the import; without it, it goes on."""
    async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", LIMITED, stand.emulator.url, stand.emulator.token],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
        )
        assert (0, "") == (done.returncode, done.stderr)
        assert FULL in done.stdout
        await stand.finish()


async def test_log_that_cannot_be_made(tmp_path: Path) -> None:
    """A journal in a folder in which its log cannot be made is refused with the fix."""
    async with Stand.at(tmp_path, 20) as stand:
        Path(f"{stand.journal}-wal").mkdir()
        assert "portfolio.journal: the journal cannot be" in failure_of(await stand.run())
        assert 0 == stand.log.creates
        Path(f"{stand.journal}-wal").rmdir()
        await stand.finish()


async def test_journal_deleted_meanwhile(tmp_path: Path) -> None:
    """An import whose journal is deleted stops, so that no second one sends beside it."""
    async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
        await stand.start()
        await stand.log.reached("POST", 20)
        for path in (stand.journal, Path(f"{stand.journal}-wal")):
            path.unlink()
        answer = await stand.told()
        assert "portfolio.journal: the journal was deleted or replaced while" in failure_of(answer)
        assert stand.log.creates < 290
        clear_results(tmp_path)
        assert (await stand.finish())["adopted"]


async def test_journal_replaced_meanwhile(tmp_path: Path) -> None:
    """An import whose journal another file has replaced stops as well."""
    async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
        await stand.start()
        await stand.log.reached("POST", 20)
        other = tmp_path / "other"
        other.touch()
        other.replace(stand.journal)
        assert "was deleted or replaced while" in failure_of(await stand.told())
        Path(f"{stand.journal}-wal").unlink(missing_ok=True)
        clear_results(tmp_path)
        assert (await stand.finish())["adopted"]


async def test_journal_moved_without_its_log(tmp_path: Path) -> None:
    """A journal that lost its log after a kill looks up every row; none is there twice."""
    async with Stand.at(tmp_path, 300, faults=SLOW) as stand:
        await stand.broken_off(100)
        Path(f"{stand.journal}-wal").unlink()
        report = await stand.finish()
        assert 99 <= report["adopted"] + report["created"]
        assert report["adopted"] >= 90
