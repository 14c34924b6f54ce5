"""JSON lines and arrays as sources, compressed ones, and streams."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from homebox_async.importer import json_rows
from homebox_async.importer.sources import SourceError, open_source

from .reading import cells


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
        ("  [\n1]", r"holds no JSON objects; line 2 is not one"),
        ('[{"a": 1},\n{"a": }]', r"line 2 is not valid JSON \(Expecting value\); correct it"),
        ('[{"a": 1}\n{"a": 2}]', r"line 2 is not valid JSON \(, or \] is missing\)"),
        ('[{"a": 1}', r"line 1 is not valid JSON \(, or \] is missing\)"),
        ('[{"a": 1}]\n{"a": 2}', r"line 2 is not valid JSON \(there is text behind the array\)"),
    ],
    ids=["pretty", "empty-object", "no-objects", "no-value", "no-comma", "cut", "more"],
)
def test_bad_jsonl(write: Callable[..., Path], content: str, error: str) -> None:
    """A JSON file of another shape is refused with the shape that is read."""
    with pytest.raises(SourceError, match=error):
        open_source(write(content, "rows.jsonl"))


def test_array(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """An array is read element by element, whatever its layout; a bad element is a bad row."""
    monkeypatch.setattr(json_rows, "_CHUNK", 3)
    text = '[{"ref": 0125},\n {"ref": 12.50, "a": {"b": null}},\n\n{"ref": 1, "ref": 2}, 7]'
    with pytest.raises(SourceError, match="line 1 is not valid JSON"):
        open_source(write(text, "rows.json"))
    with open_source(write(text.replace("0125", '"0125"'), "rows.json")) as source:
        rows = list(source.rows())
    assert [1, 2, 4, 4] == [row.line for row in rows]
    assert [("0125", ""), ("12.50", "")] == [
        (row.cells["ref"], row.cells["a.b"]) for row in rows[:2]
    ]
    assert ["names a key twice (line 4)", "is not a JSON object (line 4)"] == [
        row.fault.problem for row in rows if row.fault
    ]


def test_gzip(write: Callable[..., Path]) -> None:
    """A compressed file is read as what is in it, and cut ones are refused."""
    packed = gzip.compress(b'{"a": 1}\n{"a": 2}\n')
    with open_source(write(packed, "rows.jsonl.gz")) as source:
        assert ["1", "2"] == [row.cells["a"] for row in source.rows()]
        assert "rows.jsonl.gz" == source.name
    with pytest.raises(SourceError, match=r"is a damaged or incomplete gzip file; copy or"):
        open_source(write(packed[:-9], "rows.jsonl.gz"))
    with pytest.raises(SourceError, match="is compressed twice; unpack it first"):
        open_source(write(gzip.compress(packed), "rows.jsonl.gz"))


def test_stream() -> None:
    """A stream is copied, so that it is read as often as a file."""
    with open_source(io.BytesIO(b"a,b\n1,2\n")) as source:
        for _ in "ab":
            assert [{"a": "1", "b": "2"}] == [row.cells for row in source.rows()]
        assert ("stdin", None) == (source.name, source.path)
