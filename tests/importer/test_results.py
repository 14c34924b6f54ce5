"""The result files: what they tell, that they can be fed back, and that none is ever half."""

import asyncio
import csv
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async.cells import escape, unescape
from homebox_async.importer import results
from homebox_async.importer.journal import Journal, Planned, State
from homebox_async.importer.properties import PropertyColumns
from homebox_async.importer.results import ResultsError, result_paths, write_results
from homebox_async.importer.sources import Source, SourceError, open_source

HEADER = "line1,city,postcode,ref"
LINES = [
    "1 High St,Leeds,LS1 1AA,A1",
    "=2 High St,Leeds,LS1 1AA,A2",
    "3 High St,,LS1 1AA,A3",
    "4 High St,Leeds,LS1 1AA,A4,extra",
    "5 High St,Leeds,LS1 1AA,A5",
    "6 High St,Leeds,LS1 1AA,A6",
    "7 High St,Leeds,LS1 1AA,A7",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write an input of seven rows, two of which are bad."""
    path = tmp_path / "in.csv"
    path.write_text("\n".join([HEADER, *LINES, ""]))
    return path


@pytest.fixture
def source(path: Path) -> Iterator[Source]:
    """Open the input."""
    with open_source(path) as source:
        yield source


def plan(journal: Journal, source: Source) -> Iterator[Planned]:
    """Make the plan of a source, as an import does."""
    columns = PropertyColumns.recognise(source.columns)
    for row in source.rows():
        made = columns.read(row)
        digest = journal.digest(row.cells)
        if isinstance(made, list):
            yield Planned(row.number, digest, "", "", made)
        else:
            yield Planned(row.number, digest, made.reference, made.key)


async def opened(source: Source) -> Journal:
    """Return a planned journal for a source, beside it."""
    assert source.path is not None
    journal = await Journal.open(
        source.path.with_suffix(".journal"),
        kind="properties",
        fingerprint=source.fingerprint,
        target="t",
    )
    await journal.plan(plan(journal, source))
    return journal


async def run(journal: Journal) -> None:
    """Let an import have come to an end."""
    await journal.claim([1, 2, 5, 6])
    journal.record(1, State.CREATED, id=11)
    journal.record(2, State.ADOPTED, id=22)
    journal.record(5, State.UNKNOWN, error="no answer", fix="@look")


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file as they stand."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def names(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_results(source: Source, tmp_path: Path) -> None:
    """Each row stands in the file of its state, with its own cells and what is told of it."""
    async with await opened(source) as journal:
        await run(journal)
        written = await write_results(journal, source, tmp_path / "out")
        (claimed,) = {entry.claimed_at for entry in await journal.find("A5")}
    assert claimed is not None
    assert result_paths(tmp_path / "out") == written
    cells = {"city": "Leeds", "postcode": "LS1 1AA"}
    assert [
        {"line1": "1 High St", **cells, "ref": "A1", "row": "1", "property_id": "11",
         "how": "created"},
        {"line1": "'=2 High St", **cells, "ref": "A2", "row": "2", "property_id": "22",
         "how": "adopted"},
    ] == read(written["created"])  # fmt: skip
    assert [
        {"line1": "3 High St", "city": "", "postcode": "LS1 1AA", "ref": "A3", "row": "3",
         "file_line": "4", "field": "address.city", "error": "address.city is empty",
         "fix": "fill in the column 'city'"},
        {"line1": LINES[3], "city": "", "postcode": "", "ref": "", "row": "4",
         "file_line": "5", "field": "row",
         "error": "row has 5 cells, but there are 4 columns (line 5)",
         "fix": "put quotes around a cell that holds ','"},
    ] == read(written["rejects"])  # fmt: skip
    unknown = read(written["unknown"])
    assert ["5", "6"] == [row["row"] for row in unknown]
    assert ["no answer", "no answer has come"] == [row["error"] for row in unknown]
    assert unknown[0]["fix"].startswith("'@look; once you know, run: homebox import resolve ")
    assert unknown[1]["fix"].startswith("run the same import again")
    assert ["A5", "A6"] == [row["sent_reference"] for row in unknown]
    assert all(row["sent_at"].endswith("+00:00") for row in unknown)


async def test_stale_files_go(source: Source, tmp_path: Path) -> None:
    """A file that has nothing to tell any more is removed, and nothing else is left."""
    async with await opened(source) as journal:
        await run(journal)
        await write_results(journal, source, tmp_path / "out")
        journal.record(5, State.CREATED, id=55)
        journal.record(6, State.CREATED, id=66)
        written = await write_results(journal, source, tmp_path / "out")
    assert ["created", "rejects"] == list(written)
    assert ["1", "2", "5", "6"] == [row["row"] for row in read(written["created"])]
    assert ["in.csv", "in.journal", "out.created.csv", "out.rejects.csv"] == names(tmp_path)


async def test_rejects_fed_back(source: Source, tmp_path: Path) -> None:
    """Rejects are an input: our columns are replaced, and a faulty row is not taken for good."""
    async with await opened(source) as journal:
        rejects = (await write_results(journal, source, tmp_path / "out"))["rejects"]
    rejects.write_text(rejects.read_text().replace("3 High St,", "3 High St,York"))
    with open_source(rejects) as again:
        async with await opened(again) as journal:
            assert 1 == (await journal.counts())[State.PENDING]
            await journal.claim([1])
            journal.record(1, State.CREATED, id=33)
            written = await write_results(journal, again, tmp_path / "again")
    assert [
        {"line1": "3 High St", "city": "York", "postcode": "LS1 1AA", "ref": "A3", "row": "1",
         "property_id": "33", "how": "created"}
    ] == read(written["created"])  # fmt: skip
    (left,) = read(written["rejects"])
    assert (LINES[3], "2") == (left["line1"], left["row"])
    assert [
        "line1",
        "city",
        "postcode",
        "ref",
        "row",
        "file_line",
        "field",
        "error",
        "fix",
    ] == list(left)


async def test_text_of_a_faulty_row_is_never_dropped(tmp_path: Path) -> None:
    """A faulty row's text moves on where its own column is replaced by ours."""
    path = tmp_path / "in.csv"
    path.write_text("row,line1,city,postcode,ref\n1,2,3,4,5,6\n")
    with open_source(path) as source:
        async with await opened(source) as journal:
            written = await write_results(journal, source, tmp_path / "out")
    (row,) = read(written["rejects"])
    assert ("1,2,3,4,5,6", "1") == (row["line1"], row["row"])


async def test_texts_that_no_file_holds(tmp_path: Path) -> None:
    """NUL and lone surrogates, which JSON can hold, come back from a file as they were."""
    path = tmp_path / "in.jsonl"
    path.write_text('{"line1": "a\\u0000\\ud800", "city": "x", "postcode": "y", "ref": "z"}\n')
    with open_source(path) as source:
        async with await opened(source) as journal:
            written = await write_results(journal, source, tmp_path / "out")
    with open_source(written["rejects"]) as again:
        assert ["a\0\ud800"] == [row.cells["line1"] for row in again.rows()]


async def test_over_the_input(path: Path, tmp_path: Path) -> None:
    """Results are never written over the input."""
    path = path.rename(tmp_path / "out.rejects.csv")
    before = path.read_text()
    with open_source(path) as source:
        async with await opened(source) as journal:
            written = await write_results(journal, source, tmp_path / "out")
    assert "out.rejects.2.csv" == written["rejects"].name
    assert before == path.read_text()


async def test_files_of_others_stay(source: Source, tmp_path: Path) -> None:
    """A file that the journal has not written is left, also if a person has changed its own."""
    theirs = tmp_path / "out.created.csv"
    theirs.write_text("theirs")
    (tmp_path / "out.unknown.csv").mkdir()
    async with await opened(source) as journal:
        await run(journal)
        for _ in range(2):
            written = await write_results(journal, source, tmp_path / "out")
            assert ["out.created.2.csv", "out.rejects.csv", "out.unknown.2.csv"] == [
                path.name for path in written.values()
            ]
        assert "theirs" == theirs.read_text()
        written["rejects"].write_text("corrected here")
        assert (
            "out.rejects.2.csv"
            == (await write_results(journal, source, tmp_path / "out"))["rejects"].name
        )
        assert "corrected here" == written["rejects"].read_text()
        journal.record(5, State.CREATED, id=55)
        journal.record(6, State.CREATED, id=66)
        theirs.unlink()
        written = await write_results(journal, source, tmp_path / "out")
    assert ["out.created.2.csv", "out.rejects.2.csv"] == [path.name for path in written.values()]
    assert [] == list((tmp_path / "out.unknown.csv").iterdir())
    assert not (tmp_path / "out.unknown.2.csv").exists()


async def test_file_systems_without_links(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be linked, files of others stay, too."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(results.os, "link", refuse)
    (tmp_path / "out.created.csv").write_text("theirs")
    async with await opened(source) as journal:
        await run(journal)
        written = await write_results(journal, source, tmp_path / "out")
    assert "out.created.2.csv" == written["created"].name
    assert ["11", "22"] == [row["property_id"] for row in read(written["created"])]
    assert "theirs" == (tmp_path / "out.created.csv").read_text()


@pytest.mark.parametrize("change", [LINES[0], LINES[0] + "\n" + "x" * 40], ids=["shorter", "other"])
async def test_other_input(source: Source, path: Path, tmp_path: Path, change: str) -> None:
    """Rows are not told under the wrong cells: an input that is not the journal's is refused."""
    other = tmp_path / "other.csv"
    other.write_text(f"{HEADER}\n{change}\n")
    async with await opened(source) as journal:
        await run(journal)
        with (
            open_source(other) as wrong,
            pytest.raises(
                ResultsError, match=r"other\.csv: line 3 is not as the journal has it; rest"
            ),
        ):
            await write_results(journal, wrong, tmp_path / "out")
    assert ["in.csv", "in.journal", "other.csv"] == names(tmp_path)


async def test_changed_input(source: Source, path: Path, tmp_path: Path) -> None:
    """An input that was written to since it was opened is refused."""
    async with await opened(source) as journal:
        path.write_text(f"{HEADER}\n{LINES[0]}\n")
        with pytest.raises(SourceError, match="changed while it was being read"):
            await write_results(journal, source, tmp_path / "out")
    assert ["in.csv", "in.journal"] == names(tmp_path)


async def test_disk_full(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the older files stay whole, and no half one is left."""
    async with await opened(source) as journal:
        await run(journal)
        written = await write_results(journal, source, tmp_path / "out")
        before = {path: path.read_bytes() for path in written.values()}

        def full(number: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(results.os, "fsync", full)
        with pytest.raises(ResultsError, match=r"created\.csv: cannot be written \(No space left"):
            await write_results(journal, source, tmp_path / "out")
    assert before == {path: path.read_bytes() for path in written.values()}
    assert 5 == len(names(tmp_path))


def test_file_size_limit(tmp_path: Path) -> None:
    """When a file cannot grow any more, the error names it and nothing is left of it."""
    path = tmp_path / "in.csv"
    path.write_text(HEADER + "\n" + "1 High St,Leeds,nowhere,A1\n" * 5000)
    program = """
import asyncio, resource, sys
from pathlib import Path
from homebox_async.errors import HomeboxError
from homebox_async.importer.properties import PropertyColumns
from homebox_async.importer.journal import Journal, Planned
from homebox_async.importer.results import write_results
from homebox_async.importer.sources import open_source

async def main(path):
    source = open_source(path)
    columns = PropertyColumns.recognise(source.columns)
    facts = {"kind": "properties", "fingerprint": "f", "target": "t"}
    async with await Journal.open(path + ".j", **facts) as journal:
        await journal.plan(
            Planned(row.number, journal.digest(row.cells), "", "", columns.read(row))
            for row in source.rows()
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            await write_results(journal, source, Path(path).with_name("out"))
        except HomeboxError as error:
            print(error)
    source.close()

asyncio.run(main(sys.argv[1]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert f"{tmp_path}/out.rejects.csv: cannot be written (File too large); make room" in (
        done.stdout
    ), done.stderr
    assert "" == done.stderr
    assert [] == [name for name in names(tmp_path) if "out" in name]


async def test_missing_folder(source: Source, tmp_path: Path) -> None:
    """A folder that is not there is told with the file's name."""
    async with await opened(source) as journal:
        with pytest.raises(ResultsError, match=r"no/out\.rejects\.csv: cannot be written"):
            await write_results(journal, source, tmp_path / "no" / "out")


async def test_cancelled(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled writing waits for its thread and leaves nothing behind."""
    begun, go = threading.Event(), threading.Event()
    told = results._told

    def slow(entry: results.Entry, line: int, fix: str) -> list[str]:
        begun.set()
        go.wait(10)
        return told(entry, line, fix)

    async with await opened(source) as journal:
        monkeypatch.setattr(results, "_told", slow)
        task = asyncio.create_task(write_results(journal, source, tmp_path / "out"))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.sleep(0.01)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ["in.csv", "in.journal"] == names(tmp_path)


async def test_many_rows(tmp_path: Path) -> None:
    """Rows are joined by number over many chunks of the journal."""
    path = tmp_path / "in.csv"
    lines = (f"{n} High St,Leeds,LS1 1AA,A{n}\n" for n in range(1, 2601))
    path.write_text(HEADER + "\n" + "".join(lines))
    with open_source(path) as source:
        async with await opened(source) as journal:
            odd = range(1, 2601, 2)
            await journal.claim(odd)
            for number in odd:
                journal.record(number, State.CREATED, id=10_000 + number)
            written = await write_results(journal, source, tmp_path / "out")
    assert [(str(n), f"A{n}", str(10_000 + n)) for n in odd] == [
        (row["row"], row["ref"], row["property_id"]) for row in read(written["created"])
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+44", "'+44"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("''=x", "'''=x"),
        ("", ""),
        ("'x", "'x"),
        ("1=1", "1=1"),
    ],
)
def test_escape(cell: str, expected: str) -> None:
    """A cell that a spreadsheet would run gets an apostrophe, and only such a cell."""
    assert expected == escape(cell)
    assert cell == unescape(expected)


@given(st.lists(st.text(alphabet="'=+-@\t\r\nab,\""), min_size=2, max_size=4).filter(any))
def test_escaped_round_trip(cells: list[str]) -> None:
    """Whatever a cell holds, it comes back from a result file as it was."""
    text = io.StringIO()
    csv.writer(text).writerow(map(escape, cells))
    (row,) = csv.reader(io.StringIO(text.getvalue(), newline=""), strict=True)
    assert cells == list(map(unescape, row))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
