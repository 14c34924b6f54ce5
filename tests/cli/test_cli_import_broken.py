"""`homebox import` when this machine fails after rows were sent: exit code 4, and a report."""

import csv
import os
import resource
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.emulator import Emulator, Fault

from .importing import IMPORT, counts

Run = Callable[..., Result]
Write = Callable[..., Path]
Break = Callable[[Path], Callable[[], None]]

ROWS = 400
PROPERTY = ("POST", "/api/partner/property")


def delete_the_journal(folder: Path) -> Callable[[], None]:
    """Delete the journal."""
    for path in folder.glob("in.journal*"):
        path.unlink()
    return lambda: None


def edit_the_input(folder: Path) -> Callable[[], None]:
    """Change a row that was sent, and one that was not; the undo restores the file."""
    path = folder / "in.csv"
    stat, text = path.stat(), path.read_text()
    path.write_text(text.replace(",A3\n", ",A3b\n").replace(",A390\n", ",A390b\n"))

    def undo() -> None:
        path.write_text(text)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    return undo


def fill_the_disk(folder: Path) -> Callable[[], None]:
    """Let no file grow any more; the undo lifts the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(path.stat().st_size for path in folder.glob("in.journal*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def broken(emulator: Emulator, folder: Path, cause: Break) -> Iterator[None]:
    """Break something once 40 rows were sent, and undo it in the end."""
    undone: list[Callable[[], None]] = []
    left = threading.Event()

    def wait() -> None:
        while not left.is_set() and emulator.counts.requests[" ".join(PROPERTY)] < 40:
            time.sleep(0.002)
        undone.append(cause(folder))

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()
        undone[0]()


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (delete_the_journal, "in.journal: the journal was deleted or replaced while its import"),
        (edit_the_input, "in.csv: changed while it was being read"),
        (fill_the_disk, "in.journal: the journal cannot be read or written"),
    ],
    ids=["journal", "input", "disk"],
)
def test_broken(run: Run, write: Write, served: Emulator, cause: Break, error: str) -> None:
    """The report says what was sent, the exit code is 4, and the printed command goes on."""
    folder = write(ROWS).parent
    served.script(*PROPERTY, [Fault("slow", seconds=0.005)] * ROWS)
    with broken(served, folder, cause):
        result = run(*IMPORT, "--concurrency", "4", "--settle", "0")
    assert 4 == result.exit_code, result.stderr
    assert error in result.stderr.splitlines()[-1]
    told = counts(result)
    sent = len(list(served.store.properties))
    assert 40 <= sent <= ROWS
    assert ROWS == sum(told[name] for name in ("created", "unknown", "not sent"))
    assert told["created"] <= sent <= told["created"] + told["unknown"]
    by_id = {home.id: home.reference for home in served.store.properties}
    if cause is not fill_the_disk:
        with (folder / "in.created.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert told["created"] == len(rows)
        assert [f"A{row['row']}" for row in rows] == [by_id[int(r["property_id"])] for r in rows]
    line = result.stdout.splitlines()[-1]
    served._scripts.clear()
    again = run(*shlex.split(line.removeprefix("to go on: homebox ")))
    assert 0 == again.exit_code, again.stderr
    references = sorted(str(home.reference) for home in served.store.properties)
    assert sorted(f"A{n}" for n in range(1, ROWS + 1)) == references


def test_results_that_cannot_be_written(run: Run, write: Write, served: Emulator) -> None:
    """Results that cannot be written end with 4; the import is done, and the next run writes."""
    folder = write(60).parent
    served.script(*PROPERTY, [Fault("slow", seconds=0.005)] * 60)
    command = (*IMPORT, "--results", "out", "--journal", "in.journal")

    def delete_the_folder(folder: Path) -> Callable[[], None]:
        (folder / "out").rmdir()
        return lambda: None

    with broken(served, folder, delete_the_folder):
        result = run(*command)
    assert (4, 60) == (result.exit_code, counts(result)["created"])
    assert "error: out/in.created.csv: cannot be written (" in result.stderr
    assert result.stdout.endswith(f"to go on: homebox {' '.join(command)}\n")
    assert (0, 60) == (run(*command).exit_code, len(list(served.store.properties)))
    assert (folder / "out" / "in.created.csv").exists()
