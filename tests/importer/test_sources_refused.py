"""Files that cannot be sources, and headers that are none."""

import codecs
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from homebox_async.importer import contents
from homebox_async.importer.sources import SourceError, open_source

from .reading import faults

HEADER = "line1,line2,city,county,postcode,property_reference"
ROW = "1 High St,,Leeds,,LS1 1AA,A1"


# --- CSV

BAD_FILES: Mapping[str, tuple[str | bytes, str]] = {
    "empty": ("", r"^rows\.csv: is empty; it needs"),
    "blank": ("\ufeff \n\n", r"is empty; it needs"),
    "blank-cells": (",,\n,,\n", r"has no column names; add"),
    "header-only": (HEADER + "\n", r"has column names but no rows; add"),
    "blank-name": ("a,,b\n1,2,3\n", r"column 2 has no name; name it"),
    "same-name": ("a,b, a\n1,2,3\n", r"columns 1 and 3 are both named 'a'; rename"),
    "header-quotes": ('a,"b"x\n1,2\n', r"column names on line 1 have a quote"),
    "nul": (b"a,b\n1,\x002\n", r"holds NUL bytes.*; export"),
    "mixed": ("a,b\né,1\n".encode() + b"\xe9,2\n", r"line 3 is not UTF-8.*--encoding"),
    "bom-lies": (codecs.BOM_UTF8 + b"a,b\n\xe9,2\n", r"line 2 is not UTF-8"),
    "neither": (
        b"a,b\n\x81,2\n",
        r"line 2 has a character that is Å in mac_roman \(Mac\), ü in",
    ),
    "half-utf-16": (b"\xff\xfea\x00,", r"is not utf-16"),
    "utf-16-nul": ("\ufeffa,\x00b\n".encode("utf-16-le"), r"holds NUL bytes"),
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
    """Names with digits do not make a header suspicious; a short row is a row."""
    row = "1 High St,Leeds"
    source = open_source(write(f"{header}\n{row}\n"))
    assert tuple(header.split(",")) == source.columns
    assert {} == faults(source)
