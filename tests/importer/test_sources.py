"""CSV and JSON lines files, and rows from memory, as sources."""

import codecs
import csv
import datetime as dt
import decimal
import functools
import io
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homebox_async.errors import Problem
from homebox_async.importer import contents, sources
from homebox_async.importer.sources import Source, SourceError, open_source, spool

HEADER = "line1,line2,city,county,postcode,property_reference"
ROW = "1 High St,,Leeds,,LS1 1AA,A1"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file into a fresh folder."""

    def write(content: str | bytes, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def cells(source: Source) -> list[list[str]]:
    """Return the cells of all rows, which have no fault, and close the source."""
    with source:
        rows = list(source.rows())
    assert [row for row in rows if row.fault] == []
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [list(row.cells.values()) for row in rows]


def faults(source: Source) -> dict[int, Problem]:
    """Return the faults by row number, and close the source."""
    with source:
        return {row.number: row.fault for row in source.rows() if row.fault}


# --- CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semi", "tab", "pipe"])
def test_delimiter(write: Callable[..., Path], delimiter: str) -> None:
    """The delimiter is found out, whatever else stands in the cells."""
    path = write(f'a{delimiter}b\n"1, High; St|"{delimiter}Leeds\n2{delimiter}York\n')
    assert [["1, High; St|", "Leeds"], ["2", "York"]] == cells(open_source(path))


def test_delimiter_in_header_only(write: Callable[..., Path]) -> None:
    """A character that only the header holds is no delimiter."""
    with open_source(write("a;b\n1\n2\n")) as source:
        assert ("a;b",) == source.columns


@pytest.mark.parametrize("given", ["tab", "\\t", "\t"])
def test_delimiter_given(write: Callable[..., Path], given: str) -> None:
    """A given delimiter goes before what the file looks like."""
    assert [["1,2", "3"]] == cells(open_source(write("a,b\tc\n1,2\t3\n"), delimiter=given))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("a,b\n1,Café\n".encode(), None),
        ("\ufeffa,b\n1,Café\n".encode(), None),
        ("a,b\n1,Café\n".encode("cp1252"), None),
        ("a,b\n1,Café\n".encode("utf-16"), None),
        ("a,b\n1,Café\n".encode("cp850"), "cp850"),
        ("\ufeffa,b\n1,Café\n".encode(), "UTF8"),
    ],
    ids=["utf-8", "bom", "cp1252", "utf-16", "given", "given-utf-8-with-bom"],
)
def test_encoding(write: Callable[..., Path], content: bytes, encoding: str | None) -> None:
    """The encoding is found out from the whole file, or as given."""
    source = open_source(write(content), encoding=encoding)
    assert ("a", "b") == source.columns
    assert [["1", "Café"]] == cells(source)


def test_encoding_far_down(write: Callable[..., Path]) -> None:
    """A byte that is not UTF-8 is seen however late in the file it stands."""
    content = b"a,b\n" + b"1,2\n" * 200_000 + "3,Café\n".encode("cp1252")
    assert ["3", "Café"] == cells(open_source(write(content)))[-1]


def test_character_across_chunks(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A character that two reads share is still one."""
    monkeypatch.setattr(contents, "_CHUNK", 3)
    assert [["é" * 9, "1"]] == cells(open_source(write("a,b\n" + "é" * 9 + ",1\n")))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\r\n1,2\r\n", [["1", "2"]]),
        ("a,b\r1,2\r", [["1", "2"]]),
        ("a,b\n1,2", [["1", "2"]]),
        ("\n\na,b\n\n1,2\n,\n\n3,4\n,,,\n\n", [["1", "2"], ["3", "4"]]),
        ('a,b\n"1\n2",3\n', [["1\n2", "3"]]),
        ("a,b,,\n1,2,,\n3,4\n", [["1", "2"], ["3", "4"]]),
        ("a\n1\n2\n", [["1"], ["2"]]),
        ("a,b\n'=1,'''@x\n'a,O'Neil\n", [["=1", "''@x"], ["'a", "O'Neil"]]),
        ("a,b\n" + "x" * 200_000 + ",2\n", [["x" * 200_000, "2"]]),
    ],
    ids=[
        *("crlf", "cr", "no-last-newline", "empty-lines", "quoted-newline", "blank-last-columns"),
        *("one-column", "escaped", "long-cell"),
    ],
)
def test_csv_shapes(write: Callable[..., Path], content: str, expected: list[list[str]]) -> None:
    """The shapes in which spreadsheets write rows are read alike."""
    assert expected == cells(open_source(write(content)))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,2,3", "has 3 cells, but there are 2 columns (line 3)"),
        ("1", "has 1 cells, but there are 2 columns (line 3)"),
        ('"1"x,2', "has a quote in the wrong place (line 3)"),
    ],
    ids=["more", "fewer", "quotes"],
)
def test_faulty_row(write: Callable[..., Path], line: str, problem: str) -> None:
    """A malformed row keeps its number and its whole text, and the next rows are read."""
    source = open_source(write(f"a,b\n1,2\n{line}\n3,4\n"))
    rows = list(source.rows())
    assert [1, 2, 3] == [row.number for row in rows]
    assert {"a": line, "b": ""} == rows[1].cells
    assert rows[1].fault is not None
    assert problem == rows[1].fault.problem
    assert {"a": "3", "b": "4"} == rows[2].cells
    source.close()


def test_unclosed_quote(write: Callable[..., Path]) -> None:
    """A quote that swallows lines stops the job, for the rows in it cannot be counted."""
    source = open_source(write('a,b\n1,2\n"3,4\n5,6\n7,8\n'))
    with source, pytest.raises(SourceError, match=r"starts on line 3 is not closed by line 5;"):
        list(source.rows())


def test_passes_are_independent(write: Callable[..., Path]) -> None:
    """Passes over one source at once do not disturb each other."""
    with open_source(write("a,b\n" + "".join(f"{i},x\n" for i in range(90_000)))) as source:
        first, second = source.rows(), source.rows()
        for _ in range(50_000):
            next(first)
        assert 1 == next(second).number
        assert 50_001 == next(first).number


def test_fingerprint(write: Callable[..., Path]) -> None:
    """The fingerprint tells the content and how it is read, not the name."""
    with (
        open_source(write("a,b\n1,2\n")) as one,
        open_source(write("a,b\n1,2\n", "other.csv")) as same,
        open_source(write("a,b\n1,3\n", "changed.csv")) as changed,
        open_source(write("a,b\n1,2\n"), delimiter=";") as otherwise,
    ):
        assert one.fingerprint == same.fingerprint
        assert 3 == len({one.fingerprint, changed.fingerprint, otherwise.fingerprint})


def test_changed_while_read(write: Callable[..., Path]) -> None:
    """A file that changes between two passes is not read as if it had not."""
    path = write("a,b\n1,2\n")
    with open_source(path) as source:
        with path.open("a") as file:
            file.write("3,4\n")
        with pytest.raises(SourceError, match="changed while it was being read"):
            list(source.rows())


def test_changed_encoding_while_read(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that stop being text during a pass are told as a change, too."""
    monkeypatch.setattr(contents, "_CHUNK", 16)
    path = write("a,b\n" + "1,2\n" * 5000)
    with open_source(path) as source:
        rows = source.rows()
        next(rows)
        path.write_bytes(b"a,b\n" + b"1,\xff\n" * 5000)
        with pytest.raises(SourceError, match="changed while it was being read"):
            list(rows)


def test_closed_source(write: Callable[..., Path]) -> None:
    """A pass over a closed source says so in one of our errors."""
    source = open_source(write("a,b\n1,2\n"))
    source.close()
    with pytest.raises(SourceError, match="cannot be read"):
        list(source.rows())


BAD_FILES: Mapping[str, tuple[str | bytes, str]] = {
    "empty": ("", r"^rows\.csv: is empty; it needs"),
    "blank": ("\ufeff \n\n", r"is empty; it needs"),
    "blank-cells": (",,\n,,\n", r"has no column names; add"),
    "header-only": (HEADER + "\n", r"has column names but no rows; add"),
    "blank-name": ("a,,b\n1,2,3\n", r"column 2 has no name; name it"),
    "same-name": ("a,b, a\n1,2,3\n", r"columns 1 and 3 are both named 'a'; rename"),
    "header-quotes": ('a,"b"x\n1,2\n', r"column names on line 1 have a quote"),
    "nul": (b"a,b\n1,\x002\n", r"holds NUL bytes.*; export"),
    "xlsx": (b"PK\x03\x04...", r"is an Excel workbook.*; save"),
    "mixed": ("a,b\né,1\n".encode() + b"\xe9,2\n", r"line 3 is not UTF-8.*--encoding"),
    "bom-lies": (codecs.BOM_UTF8 + b"a,b\n\xe9,2\n", r"line 2 is not UTF-8"),
    "neither": (b"a,b\n\x81,2\n", r"is not cp1252 \(from line 1 on\); save"),
    "half-utf-16": (b"\xff\xfea\x00,", r"is not utf-16"),
    "utf-16-nul": ("\ufeffa,\x00b\n".encode("utf-16-le"), r"holds NUL bytes"),
    "array": ('[{"a": 1}]', r"is one JSON array; write one object a line"),
}


@pytest.mark.parametrize(("content", "error"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file(write: Callable[..., Path], content: str | bytes, error: str) -> None:
    """What is wrong with a file as a whole is told in one line when it is opened."""
    with pytest.raises(SourceError, match=error) as caught:
        open_source(write(content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"delimiter": ",,"}, "the delimiter ',,' cannot be used; give one character"),
        ({"delimiter": '"'}, "the delimiter '\"' cannot be used"),
        ({"encoding": "utf-99"}, "there is no encoding 'utf-99'; give one such as"),
        ({"encoding": "rot13"}, "there is no encoding 'rot13'"),
        ({"encoding": "ascii"}, "is not ascii"),
    ],
    ids=["long", "quote", "encoding", "not-a-text-encoding", "wrong-encoding"],
)
def test_bad_option(write: Callable[..., Path], options: dict[str, str], error: str) -> None:
    """An option that cannot be used is named with the fix."""
    with pytest.raises(SourceError, match=error):
        open_source(write("a,b\né,2\n"), **options)


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is named with its whole path."""
    with pytest.raises(SourceError, match=rf"^{re.escape(str(tmp_path))}/no\.csv: there is no"):
        open_source(tmp_path / "no.csv")


def test_folder(tmp_path: Path) -> None:
    """A folder is not a file."""
    with pytest.raises(SourceError, match="is a folder; name a file in it"):
        open_source(str(tmp_path))


def test_impossible_path() -> None:
    """A path that no file can have is told as any other."""
    with pytest.raises(SourceError, match="cannot be opened"):
        open_source("a\0b")


def test_no_permission(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read says so (root may read all, so the refusal is played)."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(contents, "open", refuse, raising=False)
    with pytest.raises(SourceError, match="may not be read by this user; change its permissions"):
        open_source(write("a,b\n1,2\n"))


def test_pipe(tmp_path: Path) -> None:
    """A stream that cannot be read twice is refused with what to do."""
    reading, writing = os.pipe()
    try:
        with pytest.raises(SourceError, match="can be read only once; save it to a file first"):
            open_source(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)


def test_endless_line(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without an end does not fill the memory."""
    path = write("a,b\n" + "x" * 5000 + ",2\n")
    monkeypatch.setattr(contents, "LONGEST_LINE", 1000)
    with pytest.raises(SourceError, match="line 2 has more than 1000 characters"):
        open_source(path)


# --- header or data


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (f"{HEADER}{ROW}\n{ROW}\n", r"names and the first row together \(cell 10 is a full postc"),
        (f"{HEADER}{ROW}\n", r"line 1 is a row, not the column names \(cell 10 is a full postc"),
        (f"{ROW}\n{ROW}\n", r"line 1 is a row.*cell 5 is a full postcode\); add a first line"),
        (
            "id,address_idX1,77777\nA2,k2\nA3,k3\n",
            r"together \(cell 2 is the last name and the first cell of a row\); put a line break",
        ),
        ("12345,k1\n12346,k2\n", r"line 1 is a row.*cell 1 is a number or a date"),
        ("2019-04-11,12345.50\n2019-04-12,1.5\n", r"cell 1 is a number or a date"),
        ("8A78B2AF-863A-5CB0-E053-6B04A8C0F504,k1\nx,k2\n", r"cell 1 is a UUID"),
    ],
    ids=["joined", "joined-only", "none", "joined-ids", "number", "date", "uuid"],
)
def test_header_that_is_data(write: Callable[..., Path], content: str, error: str) -> None:
    """A missing header, and one joined with the first row, are told, not imported."""
    with pytest.raises(SourceError, match=error):
        open_source(write(content))


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        "line1,city,postcode,ref,2018,2019,2020",
        "line1,city,postcode,ref,2019-01-01,2019-02-01,2019-03-01,2019-04-01,2019-05-01",
        "a,b,c,1,2,3",
        "line1,line2,line3",
        "10000,a,b",
    ],
    ids=["plain", "years", "months", "digits", "numbered", "one-number"],
)
def test_header_that_is_normal(write: Callable[..., Path], header: str) -> None:
    """Names with digits do not make a header suspicious, nor does one short row."""
    row = "1 High St,Leeds"
    source = open_source(write(f"{header}\n{row}\n"))
    assert tuple(header.split(",")) == source.columns
    assert [1] == list(faults(source))


# --- JSON lines


def test_jsonl(write: Callable[..., Path]) -> None:
    """Objects are flat or nested; numbers keep their text; every row has every column."""
    path = write(
        '{"address": {"line1": "1 High St", "geo": {"x": 1.50}}, "ref": 12345678901234567890}\n'
        "\n"
        '{"ref": null, "ok": true, "address.line1": "2", "late": false}\r\n',
        "rows.jsonl",
    )
    source = open_source(path)
    assert ("address.line1", "address.geo.x", "ref", "ok", "late") == source.columns
    expected = [
        ["1 High St", "1.50", "12345678901234567890", "", ""],
        ["2", "", "", "true", "false"],
    ]
    assert expected == cells(source)


def test_jsonl_by_content(write: Callable[..., Path]) -> None:
    """A file that begins with a brace is JSON lines, whatever its name."""
    assert [["1"]] == cells(open_source(write('\ufeff \n{"a": "1"}', "rows.txt")))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"a": 1', "is not valid JSON (Expecting ',' delimiter at character 9) (line 2)"),
        ("[1]", "is not a JSON object (line 2)"),
        ('{"a": [1]}', "has a list under 'a' (line 2)"),
        ('{"a": NaN}', "holds NaN, which is not JSON (line 2)"),
        ('{"a": 1, "a": 2}', "names a key twice (line 2)"),
        ('{"b": {"c": 1}, "b.c": 2}', "names 'b.c' twice (line 2)"),
        ('{" ": 1}', "has a key without a name (line 2)"),
        ('{"a":' * 100_000, "is nested too deeply (line 2)"),
    ],
    ids=["cut", "array", "list", "nan", "key-twice", "path-twice", "no-name", "deep"],
)
def test_jsonl_faulty_row(write: Callable[..., Path], line: str, problem: str) -> None:
    """A line that is no flat object is a faulty row with its whole text."""
    source = open_source(write(f'{{"a": 1}}\n{line}\n{{"a": 3}}\n', "rows.ndjson"))
    rows = list(source.rows())
    source.close()
    assert [False, True, False] == [row.fault is not None for row in rows]
    assert rows[1].fault is not None
    assert problem == rows[1].fault.problem
    assert line == rows[1].cells["a"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{\n"a": 1\n}\n', r"holds no JSON objects; line 1 is not one; write one a line"),
        ("{}\n", r"holds no JSON objects; write one a line"),
        ('[{"a": 1}]', r"is one JSON array"),
        ("  [\n1]", r"is one JSON array"),
    ],
    ids=["pretty", "empty-object", "array", "any-array"],
)
def test_bad_jsonl(write: Callable[..., Path], content: str, error: str) -> None:
    """A JSON file of another shape is refused with the shape that is read."""
    with pytest.raises(SourceError, match=error):
        open_source(write(content, "rows.jsonl"))


# --- rows from memory

MEMORY: list[Mapping[str, Any]] = [
    {"a": decimal.Decimal("1.50"), "b": dt.date(2024, 2, 29), "c": {"d": True}},
    MappingProxyType({"a": 7, "b": None, "c": MappingProxyType({"d": "x"})}),
]
MEMORY_CELLS = [["1.50", "2024-02-29", "true"], ["7", "", "x"]]


def test_open_iterable() -> None:
    """Any iterable of mappings is a source that can be read again."""
    source = open_source(iter(MEMORY))
    assert ("a", "b", "c.d") == source.columns
    assert "rows" == source.name
    assert source.path is None
    assert 2 == len(list(source.rows()))
    assert MEMORY_CELLS == cells(source)


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "sync"])
async def test_spool(asynchronous: bool) -> None:
    """An async iterable, and a plain one, can be spooled from within the loop."""

    async def rows() -> AsyncIterator[Mapping[str, Any]]:
        for row in MEMORY:
            yield row

    source = await spool(rows() if asynchronous else MEMORY, name="portfolio")
    assert "portfolio" == source.name
    assert MEMORY_CELLS == cells(source)


async def test_spool_list_value() -> None:
    """A list in a row is a fault of that row alone."""
    assert [2] == list(faults(await spool([{"a": 1}, {"a": [1]}, {"a": 2}])))


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], "there are no rows; give at least one"),
        ([{"a": 1}, "b"], "row 2 is str, not a mapping"),
        ([{"a": object()}], r"row 1 holds a value that is not plain \(object\); give texts"),
        ([{(1, 2): 1}], "row 1 holds a value that is not plain"),
    ],
    ids=["none", "not-a-mapping", "object", "key"],
)
async def test_bad_iterable(rows: list[Any], error: str) -> None:
    """Rows that no file could hold are told before anything is sent."""
    with pytest.raises(SourceError, match=error):
        await spool(rows)
    with pytest.raises(SourceError, match=error):
        open_source(rows)


async def test_iterable_that_fails() -> None:
    """What an iterable raises is raised as it is."""

    def rows() -> Iterator[Mapping[str, Any]]:
        yield {"a": 1}
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await spool(rows())


@pytest.mark.parametrize("rows", [1, 100_000], ids=["at-the-end", "between"])
async def test_spool_disk_full(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """A full temporary folder is named with the fix."""
    full = functools.partial(open, "/dev/full", "wb")
    monkeypatch.setattr(sources.tempfile, "TemporaryFile", lambda **_: full())
    with pytest.raises(SourceError, match=r"cannot be kept in .* \(No space left.*TMPDIR"):
        await spool({"a": "x" * 20} for _ in range(rows))


async def test_spool_without_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A temporary folder that is gone is told as a full one."""
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="cannot be kept in"):
        await spool([{"a": 1}])


# --- round trips

# Private characters stand for what no file can hold, and apostrophes may be marks of ours.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0'", exclude_categories=["Co"]), max_size=12
)
NAMES = st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=2, max_size=5, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Make column names and rows that are not all blank."""
    names = draw(NAMES)
    row = st.lists(TEXT, min_size=len(names), max_size=len(names)).filter(any)
    return names, draw(st.lists(row, min_size=1, max_size=6))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|:"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_dialect(
    tmp_path: Path,
    table: tuple[list[str], list[list[str]]],
    delimiter: str,
    quoting: Any,
    end: str,
    encoding: str,
) -> None:
    """Whatever dialect a table is written in, the same cells are read."""
    names, rows = table
    text = io.StringIO()
    # The writer quotes only the line ends it writes itself, so it writes both, and `end` is ours.
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    for row in [names, *rows]:
        start = text.tell()
        writer.writerow(row)
        text.seek(start)
        line = text.read()
        text.seek(start)
        text.truncate()
        text.write(line.removesuffix("\r\n") + end)
    path = tmp_path / "any.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    source = open_source(path, delimiter=delimiter)
    assert tuple(names) == source.columns
    assert rows == cells(source)


@settings(max_examples=100)
@given(
    rows=st.lists(
        st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.text(), min_size=1),
        min_size=1,
        max_size=6,
    )
)
def test_any_mappings(rows: list[dict[str, str]]) -> None:
    """Rows from memory come back with the same texts, lone surrogates included."""
    with open_source(rows) as source:
        read = [{k: v for k, v in row.cells.items() if v} for row in source.rows()]
    assert [{k: v for k, v in row.items() if v} for row in rows] == read
