"""Headers and billings: what is asked for, and what is made of the answers."""

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any

import pytest

from homebox_async import AnswerUnusable, NotFound, ValidationError
from homebox_async.billing import AsyncBilling
from homebox_async.resources.billing import BillingHeader, BillingResult

PROPERTY = "2eff1042c50c1eda889e61573e3c194c"
HEADER = {
    "id": 385619,
    "propertyUUId": PROPERTY,
    "startDate": "2018-10-01T00:00:00",
    "endDate": "2019-09-30T00:00:00",
    "updateTimeStamp": "2023-07-03T22:00:26.16",
}
TYPED = BillingHeader(
    id=385619,
    property_uuid=PROPERTY,
    start_date=dt.date(2018, 10, 1),
    end_date=dt.date(2019, 9, 30),
    update_timestamp=dt.datetime(2023, 7, 3, 22, 0, 26, 160000, tzinfo=dt.UTC),
)


async def test_headers(ready: AsyncBilling, vendor: Any) -> None:
    """The document's own example comes out typed, under Python's names."""
    vendor.route(f"/BillingHeaders/{PROPERTY}", {"count": 1, "billingHeaders": [HEADER]})

    found = await ready.headers(PROPERTY)

    assert 1 == found.count
    assert (TYPED,) == found.headers
    assert {} == found.extra
    assert {} == found.headers[0].extra
    assert HEADER == found.headers[0].raw
    assert {"count": 1, "billingHeaders": [HEADER]} == found.headers[0].answer


async def test_headers_filters(ready: AsyncBilling, vendor: Any) -> None:
    """Only the filters that were given are sent, as YYYY-MM-DD."""
    vendor.route(f"/BillingHeaders/{PROPERTY}", {"count": 0, "billingHeaders": []})

    await ready.headers(PROPERTY)
    await ready.headers(
        PROPERTY,
        start_date=dt.date(2018, 10, 1),
        end_date=dt.date(2019, 9, 30),
        last_update=dt.date(2023, 7, 3),
    )

    assert [
        "",
        "StartDate=2018-10-01&EndDate=2019-09-30&LastUpdate=2023-07-03",
    ] == [request.query_string for request in vendor.seen]


@pytest.mark.parametrize(
    ("answer", "count", "headers", "extra"),
    [
        pytest.param({}, None, (), {}, id="empty object"),
        pytest.param({"billingHeaders": None}, None, (), {}, id="null list"),
        pytest.param({"billingHeaders": HEADER}, None, (TYPED,), {}, id="one object for a list"),
        pytest.param({"count": "3"}, 3, (), {}, id="count as text"),
        pytest.param({"page": 7}, None, (), {"page": 7}, id="unknown field"),
    ],
)
async def test_headers_lenient(
    ready: AsyncBilling, vendor: Any, answer: Any, count: Any, headers: Any, extra: Any
) -> None:
    """Whatever shape the server gives them, headers are read and nothing is lost."""
    vendor.route(f"/BillingHeaders/{PROPERTY}", answer)

    found = await ready.headers(PROPERTY)

    assert (count, headers, extra) == (found.count, found.headers, found.extra)


async def test_header_with_an_unreadable_field(ready: AsyncBilling, vendor: Any) -> None:
    """A value that its type cannot hold stays reachable under the API's name."""
    odd = {**HEADER, "startDate": "soon", "region": "BRU"}
    vendor.route(f"/BillingHeaders/{PROPERTY}", {"count": 1, "billingHeaders": [odd]})

    (header,) = (await ready.headers(PROPERTY)).headers

    assert header.start_date is None
    assert {"startDate": "soon", "region": "BRU"} == header.extra


async def test_header_pickles(ready: AsyncBilling, vendor: Any) -> None:
    """A pickled header keeps its values and its own JSON."""
    vendor.route(f"/BillingHeaders/{PROPERTY}", {"count": 1, "billingHeaders": [HEADER]})
    (header,) = (await ready.headers(PROPERTY)).headers

    copied = pickle.loads(pickle.dumps(header))

    assert (header, HEADER) == (copied, copied.raw)


@pytest.mark.parametrize(
    ("uuid", "dates", "fields"),
    [
        pytest.param("2eff1042", {}, ["propertyUUId"], id="short uuid"),
        pytest.param(PROPERTY[:-1] + "g", {}, ["propertyUUId"], id="not hex"),
        pytest.param("2eff1042-c50c-1eda-889e-61573e3c194c", {}, ["propertyUUId"], id="dashes"),
        pytest.param(PROPERTY + "\n", {}, ["propertyUUId", "propertyUUId"], id="line break"),
        pytest.param(
            PROPERTY,
            {"start_date": "2018-10-01", "last_update": dt.datetime(2023, 7, 3, tzinfo=dt.UTC)},
            ["StartDate", "LastUpdate"],
            id="no dates",
        ),
        pytest.param(
            PROPERTY,
            {"start_date": dt.date(2019, 1, 1), "end_date": dt.date(2018, 1, 1)},
            ["EndDate"],
            id="end before start",
        ),
        pytest.param("..", {"end_date": 3}, ["propertyUUId", "EndDate"], id="several at once"),
    ],
)
async def test_headers_refused(
    ready: AsyncBilling, vendor: Any, uuid: str, dates: Any, fields: list[str]
) -> None:
    """Bad input is refused with every problem named, and nothing is sent."""
    with pytest.raises(ValidationError) as refused:
        await ready.headers(uuid, **dates)

    named = [problem.field for problem in refused.value.problems]
    assert list(dict.fromkeys(fields)) == list(dict.fromkeys(named))
    assert [] == vendor.seen


async def test_get(ready: AsyncBilling, vendor: Any) -> None:
    """A billing's JSON is passed on untouched, amounts as Decimal."""
    vendor.route("/Billing/385619", b'{"Total": 12.50, "docs": [{"pdf": "BE00000001"}]}')

    result = await ready.get(385619)

    assert BillingResult(385619, {"Total": Decimal("12.50"), "docs": [{"pdf": "BE00000001"}]}) == (
        result
    )
    assert ("BE00000001",) == result.document_references
    assert "BE00000001" not in repr(result)
    assert {result: 1} == {result: 1}


@pytest.mark.parametrize(
    ("flag", "query"),
    [
        pytest.param({}, "", id="unset"),
        pytest.param(
            {"include_device_consumptions": True}, "includeDeviceConsumptions=true", id="true"
        ),
        pytest.param(
            {"include_device_consumptions": False}, "includeDeviceConsumptions=false", id="false"
        ),
    ],
)
async def test_get_flag(ready: AsyncBilling, vendor: Any, flag: Any, query: str) -> None:
    """The flag is left out unless it was given, and spelt true or false."""
    vendor.route("/Billing/1", {})

    await ready.get(1, **flag)

    assert [query] == [request.query_string for request in vendor.seen]


async def test_get_refused(ready: AsyncBilling, vendor: Any) -> None:
    """An id that no billing has and a flag that is no boolean are refused together."""
    with pytest.raises(ValidationError) as refused:
        await ready.get(0, include_device_consumptions="yes")  # type: ignore[arg-type]

    assert {"billing_id", "includeDeviceConsumptions"} == {p.field for p in refused.value.problems}
    assert [] == vendor.seen


async def test_get_not_found(ready: AsyncBilling) -> None:
    """A billing that is not there raises NotFound, with the path as its template."""
    with pytest.raises(NotFound) as missing:
        await ready.get(1)

    assert ("GET", "Billing/{billing_id}", 1) == (
        missing.value.method,
        missing.value.path,
        missing.value.attempts,
    )


async def test_get_unusable(ready: AsyncBilling, vendor: Any) -> None:
    """An answer that is not JSON is asked for again and then is an error."""
    vendor.route("/Billing/1", b"<html>", "text/html")

    with pytest.raises(AnswerUnusable) as unusable:
        await ready.get(1)

    assert (3, 3) == (unusable.value.attempts, len(vendor.seen))


@pytest.mark.parametrize(
    ("tree", "references"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param(None, (), id="null"),
        pytest.param("BE12345678", ("BE12345678",), id="bare"),
        pytest.param(
            {"b": [{"x": "BE00000002"}], "a": "BE00000001", "c": "BE00000002"},
            ("BE00000002", "BE00000001"),
            id="once each, in order",
        ),
        pytest.param({"BE00000003": {"n": 1}}, ("BE00000003",), id="as a key"),
        pytest.param(
            ["/doc/BE00000001.pdf", "x_BE00000002_y, BE00000003"],
            ("BE00000001", "BE00000002", "BE00000003"),
            id="within text",
        ),
        pytest.param(
            ["BE0123456789", "BE68539007547034", "ABE12345678", "be12345678", 12345678],
            (),
            id="VAT number, IBAN and others",
        ),
    ],
)
def test_document_references(tree: Any, references: tuple[str, ...]) -> None:
    """References are found at any depth, and nothing that only looks like one."""
    assert references == BillingResult(1, tree).document_references


def test_document_references_deep() -> None:
    """No nesting is too deep."""
    tree: Any = "BE00000001"
    for _ in range(50_000):
        tree = [tree]

    assert ("BE00000001",) == BillingResult(1, tree).document_references
    while isinstance(tree, list):  # freeing it at once would recurse
        tree = tree.pop()
