"""Hostile rows: what spreadsheets would run, what no file holds, and what never ends."""

import csv
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homebox_async import AsyncHomebox
from homebox_async.cells import escape, unescape
from homebox_async.cli.root import homebox
from homebox_async.emulator import Emulator
from homebox_async.importer import MappingError, SourceError, import_properties
from homebox_async.importer.properties import PropertyColumns
from homebox_async.importer.results import _File
from homebox_async.importer.sources import Row, open_source

FORMULAS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "''=1"),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "x;=1", "x\t@1", "x;'=1", ";-1;+1"),
]
STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
ODD = [
    *("a\0b", "\0", "\ud800", "a\udfffb", "\x1b[2J", "\u202e\u2066x", "\u200b", "\ufeff", "a\r\nb"),
    *('"', '""', "'", ",", ";", "x" * 100_000, "\x85\u2028\x0b\x0c\x1c", "'\0=", "\\x00"),
]
CELLS = st.text(
    st.one_of(
        st.sampled_from("'=+-@\t\r\n;,\"\0\ud800\uff1d x"),
        st.characters(exclude_categories=["Co"]),
    ),
    max_size=12,
)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Return a running emulator."""
    async with Emulator() as made:
        yield made


def through_a_file(folder: Path, cells: dict[str, str]) -> dict[str, str]:
    """Write a row as a reject, and read it as an input again."""
    path = folder / "in.rejects.csv"
    source: Any = SimpleNamespace(path=None, columns=list(cells), writes_workbooks=False)
    file = _File(path, source, ("row", "field", "error", "fix"))
    file.write([(Row(1, cells), ["1", "f", "e", "x"])])
    file.complete([])
    placed = file.place()
    assert placed is not None
    with open_source(placed) as source:
        (row,) = source.rows()
    assert row.fault is None
    return {name: value for name, value in row.cells.items() if name in cells}


@pytest.mark.parametrize("cell", FORMULAS, ids=ascii)
def test_formulas(tmp_path: Path, cell: str) -> None:
    """No cell that we write begins as a formula, nor does what follows a `;` or tab in it."""
    written = escape(cell)
    for part in written.replace("\t", ";").split(";"):
        assert not part.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert not written.startswith(tuple(STARTS))
    assert cell == unescape(written)
    assert {"a": cell, "b": "x"} == through_a_file(tmp_path, {"a": cell, "b": "x"})


@pytest.mark.parametrize("cell", ODD, ids=lambda text: ascii(text)[:20])
def test_odd_cells(tmp_path: Path, cell: str) -> None:
    """Whatever a cell holds, it comes back from the rejects file as it was."""
    assert {"a": cell, "b": "x"} == through_a_file(tmp_path, {"a": cell, "b": "x"})


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(CELLS, min_size=1, max_size=4))
def test_any_cells(tmp_path: Path, cells: list[str]) -> None:
    """Any row comes back from the rejects file as it was, and no cell of it is a formula."""
    row = {f"c{n}": cell for n, cell in enumerate(cells)}
    assert row == through_a_file(tmp_path, row)
    with (tmp_path / "in.rejects.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.reader(file):
            assert not any(cell.startswith(tuple(STARTS)) for cell in line)


async def test_an_import_of_hostile_rows(tmp_path: Path, emulator: Emulator) -> None:
    """Each hostile row is refused or arrives as it is; fed back, the refused are refused again."""
    nasty = [*FORMULAS, *ODD, "../../etc/passwd", "%s%n", "'; DROP TABLE rows; --", "{line1}"]
    rows = [
        {"line1": f"{n} High St", "city": "Leeds", "postcode": "LS1 1AA", "ref": f"R{n}{cell}"}
        for n, cell in enumerate(nasty)
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    async with AsyncHomebox(emulator.token, base_url=emulator.url) as client:
        report = await import_properties(client, path, results=tmp_path, settle=0)
        again = await import_properties(
            client, report.files["rejects"], results=tmp_path / "..", settle=0, dry_run=True
        )
    assert len(rows) == report.created + report.rejected
    assert (report.rejected, 0) == (again.rejected, again.pending)
    sent = {
        json.loads(seen.body)["property_reference"]
        for seen in emulator.received
        if seen.method == "POST"
    }
    assert report.created == len(sent)
    assert sent <= {row["ref"].strip() for row in rows}
    for file in report.files.values():
        with file.open(newline="", encoding="utf-8") as opened:
            assert not [c for line in csv.reader(opened) for c in line if c[:1] in set(STARTS)]


@pytest.fixture(params=[1_000, 100_000_000])
def csv_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the csv module's limit, as other code of the process may."""
    before = csv.field_size_limit(request.param)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("csv_limit")
def test_a_cell_of_megabytes(tmp_path: Path) -> None:
    """A cell without end is a fault of its row, whatever limit the csv module has."""
    path = tmp_path / "in.csv"
    path.write_text(f"a,b\n1,2\n{'x' * 3_000_000},4\n5,6\n")
    with open_source(path) as source:
        rows = list(source.rows())
    assert [None, "has a cell of more than 131,072 characters (line 3)", None] == [
        row.fault and row.fault.problem for row in rows
    ]
    assert {"a": "5", "b": "6"} == rows[2].cells


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_columns_without_end(tmp_path: Path, suffix: str) -> None:
    """A file of a hundred thousand columns is refused in one short line."""
    path = tmp_path / f"in.{suffix}"
    names = [f"c{n}" for n in range(100_000)]
    lines = [json.dumps(dict.fromkeys(names[n : n + 50_000], "x")) for n in (0, 50_000)]
    path.write_text("\n".join(lines if suffix == "jsonl" else [",".join(names)] * 2))
    with pytest.raises(SourceError, match="has more than 1,000 columns") as caught:
        open_source(path)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "names",
    [
        ["x" * 100_000, "y"],
        [f"c{n}" for n in range(900)],
        ["=cmd()", "\u202eline1", "a\x1b[2J", "{line1}", "__class__", "line1 "],
        ["%s", "line1'; DROP TABLE rows", "../../x", "-rf"],
    ],
    ids=["long", "many", "odd", "attacks"],
)
def test_hostile_columns(tmp_path: Path, names: list[str]) -> None:
    """Hostile column names end in a short line about what is missing, soon."""
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, ["v"] * len(names)])
    began = time.monotonic()
    with open_source(path) as source, pytest.raises(MappingError) as caught:
        PropertyColumns.recognise(source.columns, mapping={"line1": "no such column"})
    assert len(str(caught.value)) < 3000
    assert time.monotonic() - began < 20


def test_hostile_columns_on_a_terminal(tmp_path: Path) -> None:
    """What is told of hostile names cannot drive the terminal."""
    path = tmp_path / "in\x1b[2J.csv"
    path.write_text("a\x1b[2J,\u202eb\n1,2\n")
    result = CliRunner().invoke(homebox, ["properties", "import", str(path), "--dry-run"])
    assert 2 == result.exit_code
    assert result.stderr.removesuffix("\n").isprintable()


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"line1":' * 100_000,
        b'{"line1": NaN, "city": "x"}',
        b'{"line1": "a", "line1": "b"}',
        b'{"line1": ["a"]}',
        b'{"line1": "\\ud800"}',
        b'{"line1": ' + b"9" * 1_000_000 + b"}",
        b'{"a' + b"b" * 1_000_000 + b'": 1}',
        b'{"": 1}',
        b"null",
    ],
    ids=lambda line: line[:20],
)
def test_json_lines(tmp_path: Path, line: bytes) -> None:
    """A hostile line is a fault of its row or a value of it; the row behind it is read."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"line1": "x", "city": "y"}\n' + line + b'\n{"line1": "z", "city": "y"}\n')
    with open_source(path) as source:
        rows = list(source.rows())
    assert ["x", "z"] == [rows[0].cells["line1"], rows[-1].cells["line1"]]
    assert 3 == len(rows)
