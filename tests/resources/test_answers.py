"""Every printed answer is read without losing a field, and so are its variants."""

import copy
import datetime as dt
import json
import pickle
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

import homebox_async as hb
from homebox_async import Model
from homebox_async.codec import Unreadable, decode, decode_list
from homebox_async.resources.tenancies import with_order_id

# What each heading's answer is made of, and in which envelope it comes; None is no envelope.
ONE: dict[str, tuple[type[Model], str | None]] = {
    "Create a Property": (hb.Property, "data"),
    "List Bills": (hb.OrderBills, None),
    "Replace Payment": (hb.Payment, "data"),
    "Get Property Details": (hb.PropertyDetails, "data"),
    "Get Tenant Package Quote": (hb.TenantQuote, None),
    "Create Tenant Bills Package": (hb.Tenancy, "data"),
    "Update Bill Payer": (hb.BillPayer, "data"),
    "Get Tenant Mandate": (hb.Mandate, "data"),
    "Update Tenant Mandate": (hb.Mandate, "data"),
    "Get Partner Package Quote": (hb.PartnerQuote, None),
    "Create Partner Package": (hb.Tenancy, "data"),
    "List Tenancies": (hb.Tenancy, "data"),
    "Create Lead": (hb.Lead, "data"),
    "Create Meter Reading for an Order": (hb.Reading, None),
    "Create Meter Reading for a Property": (hb.Reading, None),
    "Create Postal Bill": (hb.PostalBill, "data"),
    "Create Void Period": (hb.Tenancy, "data"),
    "Get Account Details": (hb.Account, "data"),
    "Update Account Details": (hb.Account, "data"),
    "Create Branch Accounts": (hb.CreatedBranch, "data"),
    "Update a Branch Account": (hb.Branch, "data"),
    "Create Property for a Branch Account": (hb.Property, "data"),
    "Create Tenant Package for Branch Account": (hb.Tenancy, "data"),
    "Create Lead for a Branch Account": (hb.Lead, "data"),
    "Create Void for a Branch Account": (hb.Tenancy, "data"),
    "Metrics": (hb.Metric, "data"),
}
MANY: dict[str, type[Model]] = {
    "Find an Address": hb.FoundAddress,
    "List Properties": hb.Property,
    "List Bills Packages": hb.Order,
    "List Payments": hb.Payment,
    "List Payouts": hb.Payout,
    "List Invites": hb.Invite,
    "List Bill Payers": hb.BillPayer,
    "List Leads": hb.Lead,
    "List Meter Readings for an Order": hb.Reading,
    "List Meter Readings for a Property": hb.Reading,
    "List Postal Bills": hb.PostalBill,
    "List Branch Accounts": hb.Branch,
    "List Branch Bills Packages": hb.Order,
    "List Leads for a Branch Account": hb.Lead,
}
CONFIRMED = {
    "Invite Bill Payer": "Tenant was successfully added to order 1",
    "Delete Invite": "Invite has been deleted",
    "Add Bill Payer": "Tenant was successfully added to order 1",
    "Delete Bill Payer": "Tenant has been removed",
    "Invite Bill Payers to Branch Tenant Package": "Tenant was successfully added to order 1",
}


def _read(heading: str, tree: Any) -> list[Any]:
    body = json.dumps(tree).encode()
    if heading in MANY:
        return list(decode_list(body, MANY[heading])[0])
    kind, envelope = ONE[heading]
    return [decode(body, kind, envelope=envelope)]


def _objects(value: Any) -> Iterator[Model]:
    """Yield a model and every model below it."""
    if isinstance(value, Model):
        yield value
        for name in attrs.fields_dict(type(value)):  # type: ignore[arg-type]
            yield from _objects(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _objects(item)


def _bare(heading: str, tree: Any) -> list[Any]:
    """Return the printed objects without their envelope."""
    inner = tree if ONE.get(heading, (None, "data"))[1] is None else tree["data"]
    return inner if isinstance(inner, list) else [inner]


def test_every_printed_answer_is_here(printed: dict[str, Any]) -> None:
    """No printed answer is left out of these tests."""
    assert set(printed) == set(ONE) | set(MANY) | set(CONFIRMED)


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_no_printed_field_is_lost(printed: dict[str, Any], heading: str) -> None:
    """Each printed field is a typed one, and the raw object is what was printed."""
    items = _read(heading, printed[heading])
    assert _bare(heading, printed[heading]) == [item.raw for item in items]
    unknown = [(type(one).__name__, one.extra) for one in _objects(items) if one.extra]
    assert [] == unknown


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_every_field_is_printed(heading: str) -> None:
    """Each typed field has a default, for any field of an answer may be missing."""
    kind = MANY[heading] if heading in MANY else ONE[heading][0]
    made = kind()
    assert all(not getattr(made, name) for name in attrs.fields_dict(kind))  # type: ignore[arg-type]


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_unknown_fields_survive(printed: dict[str, Any], heading: str) -> None:
    """A field that nobody documented stays reachable."""
    tree = printed[heading]
    for one in _bare(heading, tree):
        one["brand_new"] = {"a": [1, None]}
    assert all(item.extra["brand_new"] == {"a": [1, None]} for item in _read(heading, tree))


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_nulls(printed: dict[str, Any], heading: str) -> None:
    """Every field but the first of an item may be null; the nulls stay in the raw object."""
    tree = printed[heading]
    for one in _bare(heading, tree):
        first = {key: one[key] for key in ("id", "address_id") if key in one}
        one.update({**dict.fromkeys(one), **(first if heading in MANY else {})})
    assert [item.raw for item in _read(heading, tree)] == _bare(heading, tree)


@pytest.mark.parametrize("heading", ONE)
def test_missing_fields(printed: dict[str, Any], heading: str) -> None:
    """Every field may be missing."""
    tree = printed[heading]
    for one in _bare(heading, tree):
        one.clear()
    assert all(item == ONE[heading][0]() for item in _read(heading, tree))


@pytest.mark.parametrize("heading", MANY)
@pytest.mark.parametrize("name", ["id", "address_id"])
def test_missing_fields_of_items(printed: dict[str, Any], heading: str, name: str) -> None:
    """Every field of an item but one may be missing; one of which none came is an error."""
    tree = printed[heading]
    for one in _bare(heading, tree):
        value = one.get(name)
        one.clear()
        if value is not None:
            one[name] = value
    if any(_bare(heading, tree)):
        assert [{name: value} for value in [getattr(item, name) for item in _read(heading, tree)]]
    else:
        tree["data"] = [{}]
        with pytest.raises(Unreadable):
            _read(heading, tree)


@pytest.mark.parametrize("heading", MANY)
@pytest.mark.parametrize("wrap", ["keyed", "in data again", "keyed in data again"])
def test_lists_of_other_shapes(printed: dict[str, Any], heading: str, wrap: str) -> None:
    """A list may be keyed like a PHP array with a gap, and wrapped in `data` a second time."""
    expected = _read(heading, printed[heading])
    items: Any = _bare(heading, printed[heading])
    if "keyed" in wrap:
        items = {str(number): item for number, item in enumerate(items, start=3)}
    if "again" in wrap:
        items = {"data": items, "last_page": 4, "total": 200}
    body = json.dumps({"data": items}).encode()
    read, meta, _ = decode_list(body, MANY[heading])
    assert (expected, [one.raw for one in expected]) == (read, [one.raw for one in read])
    assert (4, 200) == (meta["last_page"], meta["total"]) if "again" in wrap else meta == {}


def _keyed(value: Any) -> Any:
    """Write every list in an object as PHP writes an array whose keys have a gap."""
    if isinstance(value, list):
        return {str(number): _keyed(item) for number, item in enumerate(value, start=3)}
    if isinstance(value, dict):
        return {key: _keyed(inner) for key, inner in value.items()}
    return value


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_keyed_lists_in_objects(printed: dict[str, Any], heading: str) -> None:
    """Lists inside an object may be keyed as well: references, tenants, bills, numbers."""
    expected = _read(heading, printed[heading])
    read = _read(heading, _keyed(printed[heading]))
    assert expected == read
    assert [] == [one.extra for one in _objects(read) if one.extra]


def _twisted(value: Any) -> Any:
    """Write numbers as text, text of digits as numbers, and empty objects as lists."""
    if isinstance(value, dict):
        return {key: _twisted(inner) for key, inner in value.items()} or []
    if isinstance(value, list):
        return [_twisted(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.isdecimal() and not value.startswith("0"):
        return int(value)
    return value


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_numbers_for_text_and_text_for_numbers(printed: dict[str, Any], heading: str) -> None:
    """Numbers that come as text, and text that comes as numbers, give the same objects."""
    expected = _read(heading, printed[heading])
    twisted = _read(heading, _twisted(printed[heading]))
    # PHP's [] for {} is an object without fields.
    assert expected == twisted


@pytest.mark.parametrize("heading", [h for h, (_, envelope) in ONE.items() if envelope])
def test_list_of_one_for_object(printed: dict[str, Any], heading: str) -> None:
    """A list of one object stands for the object."""
    (expected,) = _read(heading, printed[heading])
    inner = printed[heading]["data"]
    tree = {"data": inner if isinstance(inner, list) else [inner]}
    assert [expected] == _read(heading, tree)


@pytest.mark.parametrize("heading", MANY)
def test_object_for_list(printed: dict[str, Any], heading: str) -> None:
    """One object stands for a list of one, and null for the empty list."""
    first = _bare(heading, printed[heading])[0]
    (item,) = _read(heading, {"data": first})
    assert first == item.raw
    assert [] == _read(heading, {"data": None})


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("List Payments", "status"),
        ("List Payouts", "status"),
        ("Get Tenant Mandate", "status"),
        ("List Postal Bills", "state"),
    ],
)
def test_unknown_texts_survive(printed: dict[str, Any], heading: str, field: str) -> None:
    """A status that is not documented comes through as it is."""
    for one in _bare(heading, printed[heading]):
        one[field] = "Brand New"
    items = _read(heading, printed[heading])
    assert {"Brand New"} == {getattr(item, field) for item in items}


@pytest.mark.parametrize("heading", [*ONE, *MANY])
def test_copies_are_equal(printed: dict[str, Any], heading: str) -> None:
    """An object is pickled and copied whole."""
    for item in _read(heading, printed[heading]):
        twin = pickle.loads(pickle.dumps(item))
        assert (item, item.raw) == (twin, twin.raw)
        assert copy.deepcopy(item) is item


PERSONAL = ("Jane", "John", "Doe", "Smith", "Appleseed", "@", "+44", "1996", "2000-01")


@pytest.mark.parametrize(
    "heading",
    [
        "List Payments",
        "List Invites",
        "List Bill Payers",
        "Update Bill Payer",
        "Get Tenant Mandate",
        "Create Void Period",
        "Create Lead",
        "List Bills Packages",
    ],
)
def test_repr_hides_people(printed: dict[str, Any], heading: str) -> None:
    """Names, phones, emails and birthdays stay out of the repr."""
    shown = repr(_read(heading, printed[heading]))
    assert [] == [word for word in PERSONAL if word in shown]


def test_values_have_their_types(printed: dict[str, Any]) -> None:
    """Money is Decimal, dates are dates, times have a zone."""
    (bills,) = _read("List Bills", printed["List Bills"])
    assert Decimal("101.5") == bills.total_price
    assert dt.date(2023, 4, 2) == bills.next_payment_date
    assert [1, 2] == [bill.id for bill in bills]
    payment = _read("List Payments", printed["List Payments"])[0]
    assert dt.datetime(2021, 6, 20, 14, tzinfo=dt.UTC) == payment.paid_at
    payer = _read("List Bill Payers", printed["List Bill Payers"])[0]
    assert dt.date(1996, 1, 15) == payer.birthday
    (quote,) = _read("Get Partner Package Quote", printed["Get Partner Package Quote"])
    (utility,) = quote
    assert Decimal("35.00") == utility.bills[0].prices[0].price_per_housemate


def test_references_of_a_property(printed: dict[str, Any]) -> None:
    """The references that partners gave a property are collected from the list's answer."""
    tree = printed["List Properties"]
    tree["data"]["partner_properties"][0]["property_reference"] = "A1"
    assert ("A1",) == _read("List Properties", tree)[0].references


def test_order_id_survives_a_pickle(printed: dict[str, Any]) -> None:
    """The order's id that was taken from further down is part of the object."""
    package = with_order_id(_read("Create Partner Package", printed["Create Partner Package"])[0])
    assert 1 == pickle.loads(pickle.dumps(package)).order_id


@pytest.mark.parametrize("heading", CONFIRMED)
async def test_confirmations(
    server: Any, client: Any, printed: dict[str, Any], heading: str
) -> None:
    """The server's words on something done are one message, and its JSON stays whole."""
    server.answer(printed[heading])
    done = await client.invites.delete(1, 2)
    assert (CONFIRMED[heading], printed[heading]) == (done.message, done.raw)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b"[]", None, id="empty-list"),
        pytest.param(b'{"data": {"message": "gone"}}', "gone", id="in-data"),
        pytest.param(b'{"data": null}', None, id="null"),
        pytest.param(b"<html>", None, id="html"),
    ],
)
async def test_other_confirmations(
    server: Any, client: Any, answer: bytes, message: str | None
) -> None:
    """A delete that worked is a success whatever is said of it."""
    server.answer(answer)
    assert message == (await client.invites.delete(1, 2)).message


async def test_deleted_at_the_first_try(server: Any, client: Any) -> None:
    """A 404 after an attempt whose answer was lost means that it is gone."""
    server.answer(b"", status=502)
    server.answer({"message": "No query results"}, status=404)
    assert (await client.bill_payers.delete(1, 2)).message is None
    assert 2 == len(server.sent)
