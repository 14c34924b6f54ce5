"""JSON lines as sources."""

from collections.abc import Callable
from pathlib import Path

import pytest

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
        ('[{"a": 1}]', r"is one JSON array"),
        ("  [\n1]", r"is one JSON array"),
    ],
    ids=["pretty", "empty-object", "array", "any-array"],
)
def test_bad_jsonl(write: Callable[..., Path], content: str, error: str) -> None:
    """A JSON file of another shape is refused with the shape that is read."""
    with pytest.raises(SourceError, match=error):
        open_source(write(content, "rows.jsonl"))
