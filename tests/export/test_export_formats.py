"""What is in the files: every value, nothing that a spreadsheet runs, and the same columns."""

import csv
import io
import json
import threading
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas
import polars
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from homebox_async import AsyncHomebox, Homebox, workbook_writer
from homebox_async.cells import fitted, unescape
from homebox_async.codec import decode_list
from homebox_async.emulator import Emulator
from homebox_async.export import ExportError, export
from homebox_async.export.formats import Csv, JsonLines, Parquet, Xlsx
from homebox_async.export.lists import MODELS, Listing
from homebox_async.resources.orders import Order, Payment
from homebox_async.shapes import parts_of

from .filling import add_homes, add_reading

HOSTILE = [
    '=HYPERLINK("x")',
    "+44 7700",
    "a\nb\r\nc",
    "x\0y",
    "\u202egnp",
    "'=1",
    "@a",
    "-1",
    ";=1",
]


def items_of(model: Any, objects: list[Any]) -> Any:
    """Return objects as the client would have read them."""
    return decode_list(json.dumps({"data": objects}).encode(), model)[0]


def listing_of(model: Any, parent: str | None = None) -> Listing:
    """Return a list of which only the columns matter."""
    return Listing(model, "created_at", lambda start: pytest.fail("asked for"), parent)


def read(form: Csv, items: Sequence[Any], parent: int | None = None) -> list[dict[str, str]]:
    """Write objects as CSV and read them back."""
    text = (form.head() + form.encode((parent, item) for item in items)).decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: unescape(cell) for name, cell in row.items()} for row in rows]


def unflattened(model: Any, row: dict[str, str], prefix: str = "") -> dict[str, Any]:
    """Return the JSON of an object from its columns; what is empty is left out."""
    tree: dict[str, Any] = {}
    for part in parts_of(model):
        name = prefix + part.wire
        if part.is_model and not part.many:
            if inner := unflattened(part.kind, row, name + "."):
                tree[part.wire] = inner
        elif row[name]:
            tree[part.wire] = json.loads(row[name]) if part.many else row[name]
    return tree


def values(model: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects of a class as the server may send them; nothing in them is empty."""
    # Private characters stand in a cell for what a CSV file cannot hold.
    known = st.characters(codec="utf-8", exclude_categories=["Co"])
    text = st.text(known, min_size=1).filter(lambda t: t.strip())
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "int": st.integers(-(2**70), 2**70),
        "str": text | st.sampled_from(HOSTILE),
        "bool": st.booleans(),
        "Decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
        "datetime": st.datetimes().map(lambda at: at.isoformat() + "Z"),
        "date": st.dates().map(lambda day: day.isoformat()),
    }
    fields = {}
    for part in parts_of(model):
        one = values(part.kind) if part.is_model else kinds[part.kind.__name__]
        fields[part.wire] = st.lists(one, min_size=1, max_size=2) if part.many else one
    some = st.fixed_dictionaries({}, optional=fields)
    return some.filter(bool)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(MODELS)).flatmap(lambda w: st.tuples(st.just(w), values(MODELS[w]))))
def test_flattening_loses_nothing(given: tuple[str, dict[str, Any]]) -> None:
    """The columns of a row make the same object again."""
    what, tree = given
    model, tree = MODELS[what], {"id": 7} | tree  # what has nothing at all is no object
    (item,) = items_of(model, [tree])
    (row,) = read(Csv(listing_of(model)), [item])
    assert [item] == items_of(model, [unflattened(model, row)])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text(text: str) -> None:
    """No cell begins as a formula, and every text comes back as it was."""
    form = Csv(listing_of(Order))
    items = items_of(Order, [{"id": 1, "negotiator": text, "household": {"address": {}}}])
    raw = form.encode([(None, items[0])]).decode()
    (cells,) = csv.reader(io.StringIO(raw, newline=""))
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@", "\t", "-"}]
    assert "\0" not in raw
    assert text == read(form, items)[0]["negotiator"]


def test_cells() -> None:
    """Text stays text, amounts keep their digits, times are ISO, and what is unknown is kept."""
    tree = {
        "id": 7,
        "amount": "-165.50",
        "status": "04",
        "paid_at": "2021-06-20 14:00:00",
        "created_at": "soon",
        "user": {"email": "a@example.com", "vip": True},
        "new": [1],
    }
    form = Csv(listing_of(Payment, "order_id"))
    (row,) = read(form, items_of(Payment, [tree]), 3)
    shown = ("order_id", "amount", "status", "paid_at", "created_at", "user.email")
    assert ["3", "-165.50", "04", "2021-06-20T14:00:00Z", "", "a@example.com"] == [
        row[name] for name in shown
    ]
    assert {"created_at": "soon", "new": [1], "user": {"vip": True}} == json.loads(row["extra"])


def test_keys_of_what_is_written() -> None:
    """The ids are found again in what has been written, whatever their rows hold."""
    items = items_of(
        Order, [{"id": 5, "negotiator": "a\nb"}, {"id": None, "reference": "R"}, {"id": "6"}]
    )
    rows = [(None, item) for item in items]
    orders = listing_of(Order)
    for form in (Csv(orders), Csv(orders, True), JsonLines(orders)):
        assert [5, 6] == list(form.keys(io.BytesIO(form.head() + form.encode(rows)))), form
    assert [] == list(JsonLines(orders).keys(io.BytesIO(b'{"id": "x"}\n')))


async def test_json_lines_are_raw(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """JSON lines are what the server sent, whole."""
    await export(client, "properties", tmp_path / "a.jsonl", format="jsonl")
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [item.raw async for item in client.properties.list()] == lines


@pytest.mark.parametrize("what", sorted(MODELS))
async def test_empty_lists_have_columns(what: Any, tmp_path: Path) -> None:
    """The header of an empty list is that of a full one, in CSV and Parquet."""
    async with Emulator() as empty, AsyncHomebox(empty.token, base_url=empty.url) as client:
        await export(client, what, tmp_path / "a.csv")
        await export(client, what, tmp_path / "a.parquet", format="parquet")
    header = (tmp_path / "a.csv").read_text().strip().split(",")
    assert ("extra", len(header)) == (header[-1], len(set(header)))
    schema = pyarrow.parquet.read_schema(tmp_path / "a.parquet")
    assert {name.split(".")[0] for name in header} == set(schema.names)


async def test_csv_with_pandas(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """pandas reads the CSV, with a byte order mark or without."""
    for bom in (False, True):
        await export(client, "properties", tmp_path / "a.csv", bom=bom, overwrite=True)
        frame = pandas.read_csv(tmp_path / "a.csv", dtype=str)
        assert (120, "id", "120") == (len(frame), frame.columns[0], frame["id"].iloc[-1])
        assert bom == (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")


async def test_parquet(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """Parquet has the types of the classes, and the id of the order first."""
    order = emulator.seed_order(1)
    emulator.activate(order.id)
    await client.bill_payers.list(order.id)
    add_reading(emulator, 1, order.id)
    await export(client, "readings", tmp_path / "a.parquet", format="parquet", per="order")
    (row,) = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert (order.id, "04711", 2026) == (row["order_id"], row["reading"], row["created_at"].year)
    assert "order_id" == pyarrow.parquet.read_schema(tmp_path / "a.parquet").names[0]
    assert "1 High Street" == row["property"]["address_line1"]


# --- tables of lists


async def test_to_arrow(client: AsyncHomebox, emulator: Emulator) -> None:
    """A list as a table has every item, typed; pandas and polars take it."""
    table = await client.properties.list().to_arrow()
    assert list(range(1, 121)) == table["id"].to_pylist()
    assert "timestamp[us, tz=UTC]" == str(table.schema.field("created_at").type)
    assert 120 == len(table.to_pandas())
    frame: Any = polars.from_arrow(table)
    assert 120 == frame.height
    sizes = [batch.num_rows async for batch in client.properties.list().record_batches()]
    assert [50, 50, 20] == sizes


def test_arrow_holds_what_no_column_can() -> None:
    """Amounts with too many places and huge numbers stay whole, in `extra`."""
    from homebox_async.arrow import batch_of, schema_of

    tree = {"id": 2**70, "amount": "0.12345", "attempt": 1, "user": {"email": "a", "x": 1}}
    many = [{"amount": "165.5"}, tree, {"amount": "1E+50"}]
    rows = batch_of(items_of(Payment, many), schema_of(Payment)).to_pylist()
    assert Decimal("165.5") == rows[0]["amount"]
    assert (None, None, 1, "a") == tuple(
        rows[1][name] if name != "user" else rows[1]["user"]["email"]
        for name in ("id", "amount", "attempt", "user")
    )
    assert {"id": 2**70, "amount": "0.12345", "user": {"x": 1}} == json.loads(rows[1]["extra"])
    assert {"amount": "1E+50"} == json.loads(rows[2]["extra"])


def test_arrow_keeps_what_is_beyond_in_lists() -> None:
    """Unknown fields and unfit numbers of the objects in a list are put together."""
    from homebox_async.arrow import batch_of, schema_of
    from homebox_async.resources.leads import Lead

    lead = {"tenants": [{"id": 1}, {"id": 2**70, "x": 1}], "property": {"id": 2**70, "y": 2}}
    (row,) = batch_of(items_of(Lead, [lead]), schema_of(Lead)).to_pylist()
    assert [1, None] == [tenant["id"] for tenant in row["tenants"]]
    expected = {"tenants": [{}, {"id": 2**70, "x": 1}], "property": {"id": 2**70, "y": 2}}
    assert expected == json.loads(row["extra"])


async def test_to_arrow_sync(emulator: Emulator) -> None:
    """The sync client gives the same table and the same batches."""
    import asyncio

    add_homes(emulator, 1)

    def work() -> tuple[int, list[int]]:
        with Homebox(emulator.token, base_url=emulator.url) as client:
            pages = client.properties.list()
            return pages.to_arrow().num_rows, [b.num_rows for b in pages.record_batches()]

    assert (121, [50, 50, 21]) == await asyncio.to_thread(work)


def test_parquet_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Parquet file is made in groups, so that few rows are held at once."""
    import threading

    monkeypatch.setattr("homebox_async.export.formats._GROUP", 2)
    form = Parquet(listing_of(Order))
    rows = [(None, item) for item in items_of(Order, [{"id": n} for n in range(5)])]
    (tmp_path / "a.part").write_bytes(form.encode(rows))
    with (tmp_path / "a").open("wb") as file:
        form.convert(tmp_path / "a.part", file, threading.Event())
    assert 3 == pyarrow.parquet.ParquetFile(tmp_path / "a").num_row_groups


async def test_workbook(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """A workbook has the rows of the CSV, all of them text, and nothing else is left."""
    await export(client, "properties", tmp_path / "a.csv")
    report = await export(client, "properties", tmp_path / "a.xlsx", format="xlsx")
    # Not `read_only`: such a workbook keeps its file open.
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    found = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == found
    assert 120 == report.rows
    assert {"a.csv", "a.xlsx"} == {path.name for path in tmp_path.iterdir()}
    await export(client, "leads", tmp_path / "none.xlsx", format="xlsx")


@pytest.mark.parametrize(
    ("name", "limit", "reason"),
    [
        ("MOST_ROWS", 119, "a sheet holds 119 rows at the most"),
        ("LONGEST_CELL", 20, "of row . has .* characters, and a cell of a workbook holds 20"),
    ],
    ids=["rows", "cell"],
)
async def test_what_no_workbook_holds(
    client: AsyncHomebox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    limit: int,
    reason: str,
) -> None:
    """An export that no workbook can hold says so, and leaves no half of one."""
    monkeypatch.setattr(workbook_writer, name, limit)
    with pytest.raises(ExportError, match=rf"a\.xlsx: cannot be a workbook: .*{reason}"):
        await export(client, "properties", tmp_path / "a.xlsx", format="xlsx")
    assert not (tmp_path / "a.xlsx").exists()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_workbook(text: str, tmp_path: Path) -> None:
    """Every text is a text in a workbook, and stays as it is, so far as it has a place there."""
    items = items_of(Order, [{"id": 1, "negotiator": text}])
    lines = tmp_path / "a.jsonl"
    form = Xlsx(listing_of(Order))
    lines.write_bytes(form.encode((None, item) for item in items))
    with (tmp_path / "a.xlsx").open("w+b") as file:
        form.convert(lines, file, threading.Event())
    names, cells = CalamineWorkbook.from_path(tmp_path / "a.xlsx").get_sheet_by_index(0).to_python()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert fitted(text) == dict(zip(names, cells, strict=True))["negotiator"]
