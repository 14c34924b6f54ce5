"""`homebox import properties`: what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from homebox_async.emulator import Emulator

from .importing import IMPORT

Run = Callable[..., Result]
Write = Callable[..., Path]


# --- what is refused


def merged(folder: Path) -> None:
    """Write a file whose header has no line end."""
    (folder / "in.csv").write_text("line1,city,postcode,reference1 High St,Leeds,LS1 1AA,A1\n")


def changed(folder: Path) -> None:
    """Change the file after its import."""
    emulated(folder, "in.csv")
    path = folder / "in.csv"
    path.write_text(path.read_text() + "9 High Street,Leeds,LS1 1AA,A9\n")


def emulated(folder: Path, name: str) -> None:
    """Import a file of one row."""
    from click.testing import CliRunner

    from homebox_async.cli.root import homebox

    (folder / name).write_text("line1,city,postcode,reference\n1 High St,Leeds,LS1 1AA,A1\n")
    assert 0 == CliRunner().invoke(homebox, [*IMPORT, "--emulator"]).exit_code


def corrupt(folder: Path) -> None:
    """Damage the journal."""
    emulated(folder, "in.csv")
    path = folder / "in.journal"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * len(content[4096:])
    path.write_bytes(content)


def one(folder: Path) -> None:
    """Write a file of one row."""
    (folder / "in.csv").write_text("line1,city,postcode,reference\n1 High St,Leeds,LS1 1AA,A1\n")


def holds(name: str, content: bytes) -> Callable[[Path], None]:
    """Return what writes a file."""

    def prepare(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return prepare


def also(name: str, content: bytes) -> Callable[[Path], None]:
    """Return what writes a good input and another file."""

    def prepare(folder: Path) -> None:
        one(folder)
        (folder / name).write_bytes(content)

    return prepare


def in_use(folder: Path) -> None:
    """Lock the journal as a running import does."""
    import sqlite3

    emulated(folder, "in.csv")
    connection = sqlite3.connect(folder / "in.journal", isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    LOCKS.append(connection)


LOCKS: list[Any] = []


@pytest.mark.parametrize(
    ("prepare", "args", "error"),
    [
        (lambda _: None, [], "in.csv: there is no such file; check the path"),
        (lambda folder: (folder / "in.csv").mkdir(), [], "in.csv: is a folder; name a file in it"),
        (holds("in.csv", b""), [], "in.csv: is empty; it needs a line of column names and rows"),
        (holds("in.csv", b"\x00\x01\x02" * 99), [], "in.csv: holds NUL bytes, so it is not text"),
        (holds("in.csv", b"PK\x03\x04" + b"\0" * 99), [], "in.csv: is a damaged workbook"),
        (merged, [], "in.csv: line 1 "),
        (holds("in.csv", b"a,b\n1,2\n"), [], "there is no address among the columns 'a', 'b'"),
        (changed, [], "in.journal: the input, or how it is read, changed since this journal"),
        (in_use, [], "in.journal: another import is using this journal; wait for it"),
        (corrupt, [], "in.journal: the journal is damaged; restore it"),
        (also("in.journal", b"notes\n" * 99), [], "in.journal: is not a journal of homebox_async"),
        (also("there", b""), ["--results", "there"], "--results there: no such folder can be made"),
        (one, ["--journal", "/dev/full/x"], "/dev/full/x: the journal cannot be opened"),
        (one, ["--map", "line1"], "'line1' has no =; write --map FIELD=COLUMN"),
        (one, ["--map", "a=b", "--map", "a=c"], "a is given twice"),
        (one, ["--map", "street=line1"], "--map: there is no field 'street'"),
        (one, ["--map", "line1=Street"], "--map line1: there is no column 'Street'"),
        (one, ["--preset", "x"], "'--preset': 'x' is not"),
        (one, ["--encoding", "klingon"], "in.csv: there is no encoding 'klingon'"),
        (one, ["--concurrency", "0"], "'0' is neither auto nor a number from 1 to 9999"),
        (one, ["--concurrency", "many"], "'many' is neither auto nor a number"),
        (one, ["--settle", "-1"], "'--settle': -1.0 is not in the range"),
        (one, ["--settle", "inf"], "inf is not a number of seconds"),
    ],
    ids=[
        *("missing-file", "folder", "empty-file", "binary-file", "excel", "merged-header"),
        *("no-address", "changed-file", "locked-journal"),
        *("corrupt-journal", "other-journal", "results-a-file", "journal-nowhere", "map-bare"),
        *("map-twice", "map-field", "map-column", "preset", "encoding", "no-concurrency"),
        *("bad-concurrency", "settle-below", "settle-endless"),
    ],
)
def test_unusable(
    run: Run, folder: Path, prepare: Callable[[Path], None], args: list[str], error: str
) -> None:
    """What cannot be imported is refused in one line that says what to do, with exit code 2."""
    prepare(folder)
    result = run(*IMPORT, "--emulator", *args)
    while LOCKS:
        LOCKS.pop().close()
    assert (2, "") == (result.exit_code, result.stdout)
    *_, last = result.stderr.splitlines()
    assert last.startswith("error: ")
    assert error in last


def test_wrong_token(
    run: Run, write: Write, served: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token ends the import before anything is done, with exit code 3."""
    write(3)
    monkeypatch.setenv("HOMEBOX_TOKEN", "wrong")
    result = run(*IMPORT)
    assert (3, "") == (result.exit_code, result.stdout)
    assert "error: GET account: " in result.stderr
    assert "wrong" not in result.stderr


def test_unreachable(run: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there ends the import before anything is done."""
    write(3)
    monkeypatch.setenv("HOMEBOX_TOKEN", "x")
    result = run(*IMPORT, "--base-url", "http://127.0.0.1:9")
    assert (1, "") == (result.exit_code, result.stdout)
    assert "[outcome: not sent, " in result.stderr
    assert "check the network" in result.stderr
