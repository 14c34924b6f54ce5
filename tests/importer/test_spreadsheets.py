"""Files as spreadsheets write them: titles, totals, stray quotes, ragged rows, old encodings."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homebox_async.importer.properties import PropertyColumns
from homebox_async.importer.sources import SourceError, open_source

from .reading import cells, faults

CASES = Path(__file__).parents[1] / "data" / "cases" / "properties"
NAMES = PropertyColumns.names
HEADER = "Ref,Address 1,Town,Postcode\n"


def case(name: str) -> Any:
    """Open one of the cases as an import of properties does."""
    return open_source(CASES / name, names=NAMES)


def test_separator_line() -> None:
    """Excel's line of its separator is neither names nor a row, and has no line number."""
    source = case("excel-sep-line.csv")
    assert ("Ref", "Address 1", "Town", "Post Code") == source.columns
    assert "line 2" == source.places([1])
    assert [["A-1", "1 High Street", "Leeds", "LS1 1AA"]] == cells(source)[:1]


@pytest.mark.parametrize(
    "first", ["sep=\t", "SEP=\t", '"sep=\t"'], ids=["plain", "capitals", "quoted"]
)
def test_separator_line_spelled_otherwise(write: Callable[..., Path], first: str) -> None:
    """A separator line is recognised in quotes, in capitals, and with a tab."""
    assert [["1,5", "2"]] == cells(open_source(write(f"{first}\r\na\tb\r\n1,5\t2\r\n")))


def test_titles_and_totals() -> None:
    """Titles above the names and totals below the rows are left out and reported."""
    source = case("title-rows.csv")
    assert [["A-1", "1 High Street", "Leeds", "LS1 1AA"], ["A-2", "2 High Street"]] == [
        row[: len(row) - 2 * n] for n, row in enumerate(cells(source))
    ]
    assert (
        "the column names are on line 4; lines 1 and 2 above them left out",
        "line 7 left out: totals, not a row",
    ) == source.notes


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Report date,27/11/2026\n", 2),
        ("Northgate\n\n\n", 4),
        ("Northgate,,,\n", 2),
        ("", 1),
        ('"Northgate,\nLeeds",,,\n', 2),
    ],
    ids=["two-cells", "one-cell", "wide", "none", "two-lines"],
)
def test_titles(write: Callable[..., Path], above: str, line: int) -> None:
    """The names are found below titles of any shape, on the line that a spreadsheet shows."""
    with open_source(write(f"{above}{HEADER}A-1,1 High St,Leeds,LS1 1AA\n"), names=NAMES) as source:
        assert "Ref" == source.columns[0]
        assert f"line {line + 1}" == source.places([1])


@pytest.mark.parametrize(
    "row",
    ["Total House,1 High St,Leeds,LS1 1AA", "A-1,Total Lane 1,Leeds,LS1 1AA", "Total,1 High St,,"],
)
def test_homes_called_total(write: Callable[..., Path], row: str) -> None:
    """A row with more than the word and numbers is a row."""
    assert [row.split(",")] == cells(open_source(write(f"{HEADER}{row}\n"), names=NAMES))


def test_swallowed_rows() -> None:
    """A quote that closes two rows later is one rejected row that names both lines."""
    source = case("swallowed-rows.csv")
    [(number, fault)] = faults(source).items()
    assert (1, "line 2") == (number, source.places([number]))
    assert "opens on line 2 and closes on line 4, so that 3 lines became" in fault.problem


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ('A-1,"1 High,York,YO1\nA-2,2 High",York,YO1\nA-3,3,c,d\n', {1: "closes on line 3"}),
        ('A-0,0,c,d\nA-1,1 High,York,"YO1\nA-2,2 High,York",YO1\n', {2: "closes on line 4"}),
        ('A-1,"1 High,York,YO1\nA-2,"2 High",York,YO1\nA-3,3,c,d\n', {1: "closes on line 3"}),
        ('A-1,1 High,York,YO1\nA-2,"2 High,York,YO1\n', {2: "quote in the wrong place (line 3)"}),
        ('A-1,"The ""Old" Mill",York,YO1\nA-2,2,c,d\n', {1: "quote in the wrong place (line 2)"}),
        ('A-1,"Flat 2, The Mill\n17 High, Leeds",York,YO1\n', {}),
        ('A-1,"Flat 2\nThe Mill\n17 High",York,YO1\n', {}),
        ('A-1,"The ""Old"" Mill\nHigh",York,YO1\n', {}),
    ],
    ids=[
        *("next-row", "last-column", "two-quotes", "last-row", "doubled-wrongly"),
        *("address", "three-lines", "doubled"),
    ],
)  # fmt: skip
def test_quotes(write: Callable[..., Path], rows: str, wrong: dict[int, str]) -> None:
    """What a stray quote takes in is reported with its lines; a cell of several lines is good."""
    found = faults(open_source(write(HEADER + rows), names=NAMES))
    assert wrong.keys() == found.keys()
    for number, part in wrong.items():
        assert part in found[number].problem


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('a,"b\n1,2\n', "opens on line 1 is not closed by line 2"),
        ('Ref,"Town,Post\nA-1,Leeds",LS1\nA-2,York,YO1\n', "opens in the column names on line 1"),
        (HEADER + 'A,"x' + "\nB,y,z,w" * 30_000, "opens on line 2 is not closed by line"),
    ],
    ids=["to-the-end", "in-the-names", "for-ever"],
)  # fmt: skip
def test_quote_without_end(write: Callable[..., Path], content: str, error: str) -> None:
    """A quote that takes in the rest of the file, or the names, stops the import."""
    with pytest.raises(SourceError, match=error), open_source(write(content)) as source:
        list(source.rows())


def test_short_and_long_rows() -> None:
    """Cells left out at the end are empty; one too many is a fault of its row."""
    with case("short-and-long-rows.csv") as source:
        rows = list(source.rows())
    assert ["", "ok"] == [row.cells["Notes"] for row in rows[:2]]
    assert [None, None, "has 6 cells, but there are 5 columns (line 4)"] == [
        row.fault and row.fault.problem for row in rows
    ]


def test_lines_are_those_of_the_spreadsheet(write: Callable[..., Path]) -> None:
    """Blank lines count, and a cell of several lines is one line."""
    path = write('a,b\n\n1,2\n"x\ny",2\n,\n3,4\n"""5",6\n')
    with open_source(path) as source:
        assert [3, 4, 6, 7] == [row.line for row in source.rows()]
        assert "lines 3, 4 and 6" == source.places([1, 2, 3])
    with open_source(path) as source:
        assert "lines 6, 7 and 9 more" == source.places([3, 4], 11)


def test_mac_roman() -> None:
    """A file with the line ends of an old Mac is read as its Excel wrote it, and says so."""
    source = case("mac-roman.csv")
    assert ("the file is read as mac_roman; if not, give --encoding",) == source.notes
    assert "Café House" == cells(source)[0][1]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("Café House\n".encode("mac_roman"), "line 2 has a character that is é in mac_roman"),
        ("K\u00f6ln\n".encode("mac_roman"), "is ö in mac_roman .Mac., š in cp1252"),
        ("Café House\n".encode("cp850"), "é in cp850"),
        ("Jos\u00e9ph\n".encode("cp850"), "é in cp850"),
        ("Café House\r".encode("cp1252"), "È in mac_roman .Mac., é in cp1252"),
    ],
    ids=["mac", "mac-umlaut", "dos-end", "dos", "windows-on-a-mac"],
)
def test_encoding_that_nothing_shows(
    write: Callable[..., Path], content: bytes, error: str
) -> None:
    """Where two encodings would make sense, both readings are shown and none is taken."""
    end = b"\r" if content.endswith(b"\r") else b"\n"
    path = write(b"Ref,Town" + end + b"1," + content)
    with pytest.raises(SourceError, match=error):
        open_source(path)


def test_windows_punctuation(write: Callable[..., Path]) -> None:
    """Quotes, dashes and apostrophes of Windows are no reason to ask."""
    cell = "O\u2019Neil \u2013 \u201cThe Caf\u00e9\u201d \u00a35\u2026"
    text = f"a,b\n1,{cell}\n"
    assert [["1", cell]] == cells(open_source(write(text.encode("cp1252"))))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.jsonl", "\n".join(f'{{"{n:x}":1}}' for n in range(900)) + '\n{"a":1}' * 9_000),
        ("in.csv", ",".join(f"c{n}" for n in range(900)) + "\nx" * 9_000),
    ],
    ids=["json", "csv"],
)
def test_columns_that_multiply(write: Callable[..., Path], name: str, content: str) -> None:
    """Rows that leave nearly all columns out do not become results many times their size."""
    with (
        pytest.raises(SourceError, match="leave nearly all of the columns out"),
        open_source(write(content, name)) as source,
    ):
        list(source.rows())


def test_limit_of_others(write: Callable[..., Path]) -> None:
    """The process's limit of cells is neither changed nor needed."""
    before = csv.field_size_limit(1 << 24)
    try:
        found = faults(open_source(write("a,b\n" + "x" * 200_000 + ",2\n3,4\n")))
        assert ["has a cell of more than 131,072 characters (line 2)"] == [
            fault.problem for fault in found.values()
        ]
        assert 1 << 24 == csv.field_size_limit()
    finally:
        csv.field_size_limit(before)


def test_record_without_end(write: Callable[..., Path]) -> None:
    """A record of many large cells over many lines is refused before it fills the memory."""
    cell = '"' + "x" * 60_000 + "\n" + "x" * 60_000 + '"'
    path = write("a,b\n1,2\n" + ",".join([cell] * 60) + "\n")
    with (
        pytest.raises(SourceError, match=r"the row that ends on line .* close its quote"),
        open_source(path) as source,
    ):
        list(source.rows())
