"""Hostile paths: journals, inputs and results never follow, replace or wait for what is no file."""

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox
from homebox_async.emulator import Emulator
from homebox_async.importer import (
    JournalError,
    Report,
    ResultsError,
    SourceError,
    import_properties,
)
from homebox_async.importer.sources import open_source

TEXT = "line1,city,postcode,ref\n1 High St,Leeds,LS1 1AA,A1\n2 High St,Leeds,bad,A2\n"


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Return a running emulator."""
    async with Emulator() as made:
        yield made


async def run(emulator: Emulator, path: Path, **options: Any) -> Report:
    """Import a file."""
    options = {"results": path.parent, "settle": 0, **options}
    async with AsyncHomebox(emulator.token, base_url=emulator.url) as client:
        return await import_properties(client, path, **options)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an input in an empty folder, which is where the test works."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "in.csv"
    made.write_text(TEXT)
    return made


def special(kind: str, path: Path) -> Path:
    """Make something that is no file."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to a fifo":
        os.mkfifo(path.with_name("fifo"))
        path.symlink_to("fifo")
    else:
        return Path(kind)
    return path


KINDS = ["fifo", "socket", "folder", "link to a fifo", "/dev/null", "/dev/zero", "/dev/full"]


@pytest.mark.parametrize("kind", KINDS)
async def test_journals_that_are_no_files(emulator: Emulator, path: Path, kind: str) -> None:
    """A journal that is a pipe, a device or a folder is refused at once; nothing is sent."""
    journal = special(kind, path.with_name("j"))
    before = journal.lstat().st_mode
    with pytest.raises(JournalError, match=r"is not a file|is a folder"):
        await run(emulator, path, journal=journal)
    assert before == journal.lstat().st_mode
    assert not emulator.counts.requests["POST /api/partner/property"]


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_that_are_no_files(tmp_path: Path, kind: str) -> None:
    """An input that is a pipe or a device is refused at once, and not waited for."""
    with pytest.raises(SourceError, match=r"can be read only once|is a folder|cannot be opened"):
        open_source(special(kind, tmp_path / "in.csv"))


@pytest.mark.parametrize(
    "name", [":memory:", "file:x?mode=memory", "file::memory:", "a b#c%20?d", "-j", "'; DROP", "é"]
)
async def test_names_of_journals(emulator: Emulator, path: Path, name: str) -> None:
    """A journal's name is the name of a file, whatever SQLite could make of it: it is kept."""
    for _ in range(2):
        report = await run(emulator, path, journal=name)
        assert 1 == report.created
    assert Path(name).stat().st_size > 0
    assert 1 == emulator.counts.requests["POST /api/partner/property"]


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "no/such/folder/j"], ids=ascii)
async def test_names_of_no_journals(emulator: Emulator, path: Path, name: str) -> None:
    """A name that no file can have is told as such."""
    with pytest.raises(JournalError, match="cannot be opened"):
        await run(emulator, path, journal=name)


async def test_a_journal_that_is_another_file(emulator: Emulator, path: Path) -> None:
    """A journal that is, or links to, somebody's file leaves it as it is."""
    other = path.with_name("other")
    other.write_text("precious " * 1000)
    link = path.with_name("j")
    link.symlink_to(other)
    for journal in (other, link, path):
        before = journal.read_bytes()
        with pytest.raises(JournalError, match="is not a journal"):
            await run(emulator, path, journal=journal)
        assert before == journal.read_bytes()


async def test_results_are_no_links(emulator: Emulator, path: Path) -> None:
    """Where a result file is a link, it is refused before anything is sent."""
    other = path.with_name("other")
    other.write_text("precious")
    for kind in ("created", "rejects", "unknown"):
        link = path.with_name(f"in.{kind}.csv")
        link.symlink_to(other)
        with pytest.raises(ResultsError, match="is a symbolic link"):
            await run(emulator, path)
        link.unlink()
    assert "precious" == other.read_text()
    assert 0 == len(emulator.store.properties)


@pytest.mark.parametrize(
    "name",
    [
        *("..csv", "...", ".csv", "in", "-rf.csv", "a\nb.csv", "\x1b[2J.csv", "CON.csv", "%s.csv"),
        *("\u202evsc.csv", "in.created.csv", "in.rejects.csv", "é" * 60 + ".csv", " .csv"),
    ],
    ids=ascii,
)
async def test_names_of_inputs(emulator: Emulator, tmp_path: Path, name: str) -> None:
    """Results stand in their folder, under the input's name, whatever that is."""
    folder = tmp_path / "in"
    results = tmp_path / "out"
    folder.mkdir()
    results.mkdir()
    path = folder / name
    path.write_text(TEXT)
    report = await run(emulator, path, results=results)
    assert (1, 1) == (report.created, report.rejected)
    assert {results} == {file.parent for file in [*report.files.values(), report.journal]}
    assert [path] == list(folder.iterdir())
    assert {folder, results} == set(tmp_path.iterdir())


async def test_an_input_that_a_result_would_replace(emulator: Emulator, path: Path) -> None:
    """The input is never replaced, under a link or another name either."""
    linked = path.with_name("in.rejects.csv")
    os.link(path, linked)
    report = await run(emulator, path)
    assert linked not in report.files.values()
    assert TEXT == path.read_text() == linked.read_text()
