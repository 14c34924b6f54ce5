"""One journal, one import: whoever comes second is refused, whatever name it uses."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from homebox_async import AsyncHomebox, Homebox
from homebox_async.emulator import Faults
from homebox_async.importer import JournalError, import_properties, import_properties_sync

from .checker import Findings, check
from .import_history import Zygote
from .stand import Stand, failure_of

pytestmark = pytest.mark.slow

IN_USE = "another import is using this journal; wait for it, or stop it"
SLOW = Faults({"slow:0.1": 1.0})  # so that the runs overlap on a busy machine, too


def _absolute(journal: Path) -> str:
    return str(journal)


def _relative(journal: Path) -> str:
    return os.path.relpath(journal)


def _dotted(journal: Path) -> str:
    return f"{journal.parent}/./../{journal.parent.name}/{journal.name}"


def _soft_link(journal: Path) -> str:
    link = journal.with_name("soft")
    link.symlink_to(journal.name)
    return str(link)


def _linked_folder(journal: Path) -> str:
    link = journal.parent.with_name(f"{journal.parent.name}-too")
    link.symlink_to(journal.parent)
    return str(link / journal.name)


NAMES: list[Callable[[Path], str]] = [_absolute, _relative, _dotted, _soft_link, _linked_folder]


async def test_two_processes(tmp_path: Path) -> None:
    """A second process is refused by each name of the journal, and the first is not disturbed."""
    async with Stand.at(tmp_path, faults=SLOW) as stand, Zygote.started(tmp_path) as zygote:
        first = await stand.start()
        await stand.log.reached("POST", 5)
        os.kill(first, signal.SIGSTOP)  # so that it is still there, however slow the others are
        for name in NAMES:
            second = Stand(tmp_path, stand.emulator, zygote, stand.portfolio)
            told = tmp_path / name.__name__
            await second.start(options={"journal": name(stand.journal)}, told=str(told))
            assert 0 == await zygote.ended()
            assert IN_USE in told.read_text(), name.__name__
            told.unlink()
        (tmp_path / "soft").unlink()
        os.kill(first, signal.SIGCONT)
        answer = await stand.told()
        assert Findings() == check(stand.portfolio, tmp_path, stand.emulator, answer["report"])


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.__name__.strip("_"))
async def test_killed_under_every_name(name: Callable[[Path], str], tmp_path: Path) -> None:
    """A kill frees the journal, and what it sent last is known by each other name."""
    async with Stand.at(tmp_path, faults=SLOW) as stand:
        await stand.broken_off(30)
        await stand.broken_off(20, options={"journal": name(stand.journal)})
        (tmp_path / "soft").unlink(missing_ok=True)
        assert (await stand.finish())["adopted"]


async def test_killed_many_times(tmp_path: Path) -> None:
    """However often an import is killed, rows that never left are sent in the end."""
    async with Stand.at(tmp_path, faults=SLOW) as stand:
        for _ in range(7):
            await stand.broken_off(10)
        assert not (await stand.finish())["unknown"]


async def test_hard_link(tmp_path: Path) -> None:
    """A journal with a second name is refused: SQLite would look for its log by that name."""
    async with Stand.at(tmp_path, faults=SLOW) as stand:
        await stand.broken_off(40)
        other = tmp_path / "other"
        other.hardlink_to(stand.journal)
        sent = stand.log.creates
        for journal in (other, stand.journal):
            answer = await stand.run(options={"journal": str(journal)})
            assert f"{journal}: has a second name (a hard link)" in failure_of(answer)
        assert sent == stand.log.creates
        other.unlink()
        assert (await stand.finish())["adopted"]


async def test_two_runs_in_one_process(tmp_path: Path) -> None:
    """Of two imports that one program starts together, one is refused and one is right."""
    async with (
        Stand.at(tmp_path, 60, faults=SLOW) as stand,
        AsyncHomebox(stand.emulator.token, base_url=stand.emulator.url) as client,
    ):
        results = await asyncio.gather(
            *(
                import_properties(client, stand.portfolio.path, results=tmp_path).wait()
                for _ in range(2)
            ),
            return_exceptions=True,
        )
        [error] = [result for result in results if isinstance(result, BaseException)]
        [report] = [result for result in results if not isinstance(result, BaseException)]
        assert isinstance(error, JournalError)
        assert IN_USE in str(error)
        assert Findings() == check(stand.portfolio, tmp_path, stand.emulator, report.as_dict())


async def test_two_threads(tmp_path: Path) -> None:
    """Of imports in several threads, one goes through and the others are refused."""
    async with Stand.at(tmp_path, 60, faults=SLOW) as stand:
        told: list[object] = []
        together = threading.Barrier(3)

        def work() -> None:
            with Homebox(stand.emulator.token, base_url=stand.emulator.url) as client:
                together.wait(20)
                try:
                    run = import_properties_sync(client, stand.portfolio.path, results=tmp_path)
                    told.append(run.run())
                except JournalError as error:
                    told.append(error)

        await asyncio.gather(*(asyncio.to_thread(work) for _ in range(3)))
        refused = [each for each in told if isinstance(each, JournalError)]
        assert 2 == len(refused)
        assert all(IN_USE in str(error) for error in refused)
        await stand.finish()


async def test_free_again(tmp_path: Path) -> None:
    """However an import ends early, the next one has the journal at once."""
    async with Stand.at(tmp_path, faults=SLOW) as stand:
        for way in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
            process = await stand.start()
            await stand.log.reached("POST", 20)
            os.kill(process, way)
            assert "broke" not in await stand.told()
        await stand.finish()
