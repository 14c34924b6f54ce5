"""Servers that send what no document promises: nothing of it is lost, in any format."""

import csv
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import pytest

from homebox_async import AsyncHomebox, BadRequest
from homebox_async.cells import unescape
from homebox_async.export import export

SIZE = 3  # objects of a page
TEXTS = ["=1+1", "a;=1", "\uff1d1", "two\r\nlines", "NUL\0", 'quote " ,', "\u202egnirts", "04", ""]


class Lists:
    """Lists of any content: path below the API's root -> objects; payments have no pages.

    `broken`: paths with a page, such as "lead 2", that are answered with 400; `asked`: those that
    were asked for.
    """

    def __init__(self) -> None:
        self.of: dict[str, list[Any]] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []

    async def __call__(self, wire: Any, seen: Any) -> None:
        """Answer one request."""
        url = urlsplit(seen.target)
        path = url.path.removeprefix("/api/partner/")
        page = int(parse_qs(url.query).get("page", ["1"])[0])
        self.asked.append(f"{path} {page}")
        status, data = 404, []
        if self.asked[-1] in self.broken:
            status = 400
        elif path in self.of:
            found = self.of[path]
            status = 200
            data = found if "payments" in path else found[SIZE * (page - 1) : SIZE * page]
        body = json.dumps({"data": data}).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        await wire.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


@pytest.fixture
def lists(server: Any) -> Lists:
    """Serve lists of any content."""
    server.default = made = Lists()
    return made


@pytest.fixture
def client(
    connect: Callable[..., AsyncHomebox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncHomebox:
    """Return a client of `lists`; the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    return connect()


async def all_formats(client: AsyncHomebox, what: Any) -> tuple[Any, Any, Any]:
    """Return the rows of an export as CSV, JSON lines and Parquet."""
    for name in ("csv", "jsonl", "parquet"):
        await export(client, what, f"out.{name}", format=name)  # type: ignore[arg-type]
    with Path("out.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    lines = Path("out.jsonl").read_text().splitlines()
    return cells, [json.loads(x, parse_float=Decimal) for x in lines], pq.read_table("out.parquet")


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
async def test_hostile_text(text: str, lists: Lists, client: AsyncHomebox) -> None:
    """What was sent comes back from each format, and no cell is a formula."""
    lead = {"id": 1, "managing_party_name": text, "odd": text, "property": {"x": text}}
    lists.of["lead"] = [lead]
    (row,), lines, table = await all_formats(client, "leads")
    assert text == unescape(row["managing_party_name"])
    assert not row["managing_party_name"].startswith(tuple("=+-@\t\r\n\uff1d"))
    assert {"odd": text, "property": {"x": text}} == json.loads(unescape(row["extra"]))
    assert [lead] == lines
    (typed,) = table.to_pylist()
    assert text == typed["managing_party_name"]
    assert {"odd": text, "property": {"x": text}} == json.loads(typed["extra"])


@pytest.mark.parametrize("sent", [8, None, "7"], ids=["another", "null", "text"])
async def test_field_of_the_name_of_our_column(
    sent: Any, lists: Lists, client: AsyncHomebox
) -> None:
    """The first column is the order that was asked for, and what the server says is not lost."""
    lists.of |= {"order": [{"id": 7}], "order/7/payments": [{"id": 9, "order_id": sent}]}
    (row,), (line,), table = await all_formats(client, "payments")
    (typed,) = table.to_pylist()
    assert ("7", 7, 7) == (row["order_id"], line["order_id"], typed["order_id"])
    assert sent == line["order_id_sent"]
    assert {"order_id": sent} == json.loads(typed["extra"])
    assert {"order_id": sent} == json.loads(row["extra"])


async def test_field_that_says_the_same(lists: Lists, client: AsyncHomebox) -> None:
    """Nothing is beyond the columns where the server repeats the order, or says nothing of it."""
    lists.of |= {"order": [{"id": 7}], "order/7/payments": [{"id": 8, "order_id": 7}, {"id": 9}]}
    _, lines, table = await all_formats(client, "payments")
    assert [{"order_id": 7, "id": 8}, {"order_id": 7, "id": 9}] == lines
    assert [None, None] == table.column("extra").to_pylist()


async def test_going_on_with_such_a_field(lists: Lists, client: AsyncHomebox) -> None:
    """Which parents are done is told by what was asked, not by what the server says of it."""
    lists.of["order"] = [{"id": number} for number in (1, 2, 3)]
    for number, said in {1: 3, 2: None, 3: 1}.items():
        lists.of[f"order/{number}/payments"] = [{"id": number * 10, "order_id": said}]
    lists.broken = {"order/3/payments 1"}
    with pytest.raises(BadRequest):
        await export(client, "payments", "out.jsonl", format="jsonl")
    lists.broken = set()
    await export(client, "payments", "out.jsonl", format="jsonl")
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [(1, 10), (2, 20), (3, 30)] == [(line["order_id"], line["id"]) for line in lines]


async def test_what_no_type_can_hold(lists: Lists, client: AsyncHomebox) -> None:
    """A value that Arrow has no place for is in `extra`, and the file comes to be."""
    lists.of["order"] = [
        {
            "id": 1,
            "package_id": 1 << 70,
            "add_ons": [1, 1 << 70],
            "created_at": "0001-01-01T00:00:00+14:00",
            # A day, which has a place, and what has none.
            "household": {"tenancy_end": "9999-12-31T23:59:59-12:00", "bill_payers": "many"},
        }
    ]
    (row,), _, table = await all_formats(client, "orders")
    (typed,) = table.to_pylist()
    assert (1, None, None) == (typed["id"], typed["package_id"], typed["created_at"])
    lost = json.loads(typed["extra"])
    assert (1 << 70, [1, 1 << 70]) == (lost["package_id"], lost["add_ons"])
    assert lost["created_at"].startswith("0001-01-01")
    assert dt.date.max == typed["household"]["tenancy_end"]
    assert {"bill_payers": "many"} == lost["household"]
    assert str(1 << 70) == row["package_id"]


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ("101.5", "101.5"),
        ("1E+3", "1000"),
        ("99999999999999.9999", "99999999999999.9999"),
        ("0.00001", None),
        ("100000000000000", None),
        ("1E+400", None),
        ("1." + "0" * 40 + "1", None),
    ],
)
async def test_amounts(sent: str, held: str | None, lists: Lists, client: AsyncHomebox) -> None:
    """An amount is in its column to the last digit, or whole in `extra`."""
    lists.of |= {"order": [{"id": 7}], "order/7/payments": [{"id": 9, "amount": sent}]}
    (row,), _, table = await all_formats(client, "payments")
    (typed,) = table.to_pylist()
    assert (None if held is None else Decimal(held)) == typed["amount"]
    if held is None:
        assert {"amount": sent} == json.loads(typed["extra"])
    assert Decimal(sent) == Decimal(row["amount"])
