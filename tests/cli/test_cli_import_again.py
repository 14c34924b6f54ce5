"""The commands of the README, as processes, in any order and any number of times."""

import itertools
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from .importing import states
from .test_cli_process import has, wait_for

Start = Callable[..., "subprocess.Popen[str]"]
Write = Callable[..., Path]

ROWS = 12
STATE = "homebox-emulator.jsonl"
IMPORT = ("import", "properties", "in.csv", "--emulator", "--settle", "0.5")
FORGET = ("import", "forget", "--missing", "--emulator", "--yes")


def ended(start: Start, *args: str) -> tuple[int, str, str]:
    """Run a command to its end; return its exit code and what it printed."""
    process = start(*args)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def once(folder: Path) -> bool:
    """Return whether the emulator has each row exactly once."""
    return Counter(row[10] for row in states(folder)) == {f"A{n}": 1 for n in range(1, ROWS + 1)}


def delete(folder: Path, *names: str) -> None:
    """Delete files, with what belongs to them."""
    for name in names:
        for path in folder.glob(f"{name}*"):
            path.unlink()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", range(2))
def test_any_order(start: Start, folder: Path, write: Write, seed: int) -> None:
    """Import, kill, forget, reset: after each import that ends well, each row is there once."""
    write(ROWS)
    copies = itertools.count()

    def imported(*more: str) -> None:
        code, _, err = ended(start, *IMPORT, *more)
        assert (0, True) == (code, once(folder)), err

    def copied() -> None:
        name = f"copy-{next(copies)}.csv"
        (folder / name).write_text((folder / "in.csv").read_text())
        code, _, err = ended(start, "import", "properties", name, *IMPORT[3:])
        assert (0, True) == (code, once(folder)), err

    def killed() -> None:
        process = start(*IMPORT)
        wait_for(lambda: has(folder / STATE, 1) or process.poll() is not None)
        process.kill()
        process.communicate()

    def without_journal() -> None:
        delete(folder, "in.journal")
        imported()

    def reset() -> None:
        delete(folder, STATE, "in.journal")
        imported()

    def forgotten() -> None:
        code, _, err = ended(start, *FORGET)
        assert (0, True) == (code, "nothing is missing" in err), err
        imported()

    steps = [imported, copied, killed, without_journal, reset, forgotten]
    random.Random(seed).shuffle(steps)
    for step in [killed, *steps]:
        step()
    imported()


@pytest.mark.timeout(120)
def test_status_after_a_kill(start: Start, folder: Path, write: Write) -> None:
    """The status of an import that was killed leaves rows that were not sent as they are."""
    write(600)
    process = start(*IMPORT)
    wait_for(lambda: has(folder / STATE, 30))
    process.kill()
    process.communicate()
    assert (folder / "in.journal-wal").exists()
    for _ in range(2):
        code, out, err = ended(start, "import", "status", "in.journal")
        assert (1, True) == (code, "not sent" in out), out + err
        assert "-wal" not in out
    assert 0 == ended(start, *IMPORT)[0]
    assert 600 == len({row[10] for row in states(folder)}) == len(states(folder))


@pytest.mark.timeout(120)
def test_reset_and_another_journal(start: Start, folder: Path, write: Write) -> None:
    """A journal of a state that was reset says so, and what to do: with another one, it works."""
    write(ROWS)
    assert 0 == ended(start, *IMPORT)[0]
    delete(folder, STATE)
    code, _, err = ended(start, *IMPORT)
    assert (2, True) == (code, "is the journal of an import into another account" in err), err
    assert 0 == ended(start, *IMPORT, "--journal", "b.journal")[0]
    assert once(folder)
