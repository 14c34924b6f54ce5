"""CSV files as sources: dialects, encodings, faulty rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from homebox_async.importer import contents
from homebox_async.importer.sources import SourceError, open_source

from .reading import cells


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
        ("a,b\n" + "x" * 100_000 + ",2\n", [["x" * 100_000, "2"]]),
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
        ('"1"x,2', "has a quote in the wrong place (line 3)"),
    ],
    ids=["more", "quotes"],
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
    with source, pytest.raises(SourceError, match=r"opens on line 3 is not closed by line 5;"):
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
