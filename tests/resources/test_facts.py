"""Where the document contradicts itself: one decision each, numbered as in the project's facts."""

import base64
import datetime as dt
import json
import warnings
from decimal import Decimal
from typing import Any

import pytest

from homebox_async import (
    AddressId,
    AnswerUnusable,
    ChosenBill,
    Conflict,
    EchoMismatch,
    ForwardingDetails,
    MandateStatus,
    Outcome,
    OutcomeUnknown,
    PropertyStatus,
    RateLimited,
    RedirectRefused,
    RequestError,
    Retry,
    UnprocessableEntity,
    ValidationError,
)


def below_root(sent: Any) -> str:
    """Return the path of a request below the API's root."""
    return str(sent.path).removeprefix("/api/partner/")


async def test_fact_01_http_request_line_wins(
    server: Any, client: Any, printed: dict[str, Any], payer: dict[str, Any]
) -> None:
    """The "HTTP Request" line wins over the curl line."""
    server.answer(printed["Add Bill Payer"])
    server.answer(b"")
    server.answer(printed["Invite Bill Payer"])
    await client.bill_payers.add(1, **payer)
    day = dt.date(2021, 7, 23)
    await client.tenancies.update_dates(
        1, 2, tenancy_start=day, tenancy_end=day + dt.timedelta(days=1)
    )
    await client.branch(3).invites.create(
        4, first_name="John", last_name="Appleseed", phone_number="+441234567890"
    )
    expected = [
        ("POST", "order/1/tenant"),
        ("PATCH", "property/1/tenancy/2"),
        ("POST", "child/3/order/4/invite"),
    ]
    assert expected == [(sent.method, below_root(sent)) for sent in server.sent]


async def test_fact_02_branch_order_paths(
    server: Any, client: Any, printed: dict[str, Any], package: dict[str, Any]
) -> None:
    """Branch orders are made at `order`, listed at `orders` and got at `order` again."""
    server.answer(printed["Create Tenant Package for Branch Account"])
    server.answer(printed["List Branch Bills Packages"])
    server.answer(printed["List Bills Packages"])
    orders = client.branch(1).orders
    await orders.create(**package)
    await orders.list().collect()
    await orders.get(5)
    expected = ["child/1/order", "child/1/orders?page=1", "child/1/order/5"]
    assert expected == [below_root(sent) for sent in server.sent]


async def test_fact_03_one_tenancy_and_no_list(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """ "List Tenancies" returns one tenancy, and there is no list of them."""
    server.answer(printed["List Tenancies"])
    tenancy = await client.tenancies.get(1, 1)
    assert "Void Period" == tenancy.tenancy_type
    assert not hasattr(client.tenancies, "list")


async def test_fact_04_lists_and_objects_for_each_other(
    server: Any, client: Any, printed: dict[str, Any], png: bytes
) -> None:
    """An object stands for a list, a list of one for an object, null for the empty list."""
    server.answer(printed["List Properties"])
    assert 1 == len(await client.properties.list().collect(max_items=1))
    server.answers = [(200, json.dumps(printed["Update a Branch Account"]).encode())]
    assert 30 == (await client.branches.update(1, name="Child Partner Renamed")).id
    server.answers = [(200, json.dumps(printed["Create Postal Bill"]).encode())]
    assert 3 == (await client.postal_bills.create(1, file=png)).id
    server.answers = [(200, b'{"data": null}')]
    assert () == await client.orders.payments(1)


@pytest.mark.parametrize("wrapped", [False, True], ids=["packages", "data.packages"])
async def test_fact_05_envelopes(
    server: Any, client: Any, printed: dict[str, Any], wrapped: bool
) -> None:
    """A tenant quote comes in `packages` or in `data.packages`."""
    answer = printed["Get Tenant Package Quote"]
    server.answer({"data": answer} if wrapped else answer)
    quote = await client.tenant_packages.quote(postcode="SW155PU")
    assert ["Bronze", "Silver", "Gold"] == [package.name for package in quote]


async def test_fact_05_siblings_of_data(
    server: Any, client: Any, printed: dict[str, Any], package: dict[str, Any]
) -> None:
    """Totals beside `data` are typed fields; other siblings are reached through `answer`."""
    server.answer(printed["List Bills"])
    bills = await client.orders.bills(1)
    assert (Decimal("6.50"), Decimal("101.5")) == (bills.service_charge, bills.total_price)
    server.answers = [(200, json.dumps(printed["Get Partner Package Quote"]).encode())]
    quote = await client.partner_packages.quote(housemates=3, address=AddressId("a"))
    assert Decimal("22.00") == quote.service_charge
    server.answers = [(200, json.dumps(printed["Create Tenant Bills Package"]).encode())]
    made = await client.tenant_packages.create(**package)
    assert made.answer["meta"]["links"]["show"].endswith("/order/1")


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Create Tenant Bills Package", 1),
        ("Create Tenant Package for Branch Account", 1),
        ("Create Partner Package", 1),
        ("Create Void Period", None),
    ],
)
async def test_fact_06_order_id_is_plain(
    server: Any, client: Any, printed: dict[str, Any], heading: str, expected: int | None
) -> None:
    """The order's id is at one place, whichever shape the answer had."""
    answer = printed[heading]
    answer["data"]["id"] = 77  # the tenancy's, not the order's
    server.answer(answer)
    assert expected == (await client.tenancies.get(1, 77)).order_id


async def test_fact_06_order_id_of_created_packages(
    server: Any, client: Any, printed: dict[str, Any], partner_package: dict[str, Any]
) -> None:
    """A created partner package shows its order's id, and `id` stays the tenancy's."""
    answer = printed["Create Partner Package"]
    answer["data"]["id"], answer["data"]["tenancy"]["order"]["id"] = 77, 5
    server.answer(answer)
    made = await client.partner_packages.create(bills=[ChosenBill(id="1")], **partner_package)
    assert (5, 77) == (made.order_id, made.id)
    assert "order_id" not in made.raw


async def test_fact_07_echoed_dates_warn(
    server: Any, client: Any, printed: dict[str, Any], partner_package: dict[str, Any]
) -> None:
    """A date that comes back as another one warns at the caller's line."""
    server.answer(printed["Create Partner Package"])
    partner_package["tenancy_end"] = dt.date(2021, 12, 1)
    with pytest.warns(EchoMismatch, match="2021-01-12 where 2021-12-01 was sent") as caught:
        await client.partner_packages.create(bills=[ChosenBill(id=1)], **partner_package)
    assert [__file__] == [warning.filename for warning in caught]
    assert "01/12/21" == server.sent[0].json["tenancy_end"]


async def test_fact_07_birthday_stays_out_of_the_warning(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """A birthday that comes back as another one warns without telling either."""
    server.answer(printed["Update Bill Payer"])
    with pytest.warns(EchoMismatch) as caught:
        await client.bill_payers.update(1, 2, birthday=dt.date(1999, 12, 31))
    assert not any(year in str(caught[0].message) for year in ("1999", "2000"))


async def test_fact_07_reading_date_warns(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """A reading's date that comes back as another one warns at the caller's line."""
    server.answer(printed["Create Meter Reading for an Order"])
    with pytest.warns(EchoMismatch) as caught:
        await client.readings.create_for_order(
            1, type="gas", reading=299, date_of_reading=dt.date(2021, 6, 19)
        )
    assert [__file__] == [warning.filename for warning in caught]


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("01/02/21", id="text"),
        pytest.param(dt.datetime(2021, 2, 1), id="time"),
        pytest.param(dt.date(1999, 12, 31), id="1999"),
        pytest.param(dt.date(2069, 1, 1), id="2069"),
    ],
)
async def test_fact_07_ambiguous_dates_are_refused(client: Any, date: Any) -> None:
    """Text, times and years that two digits do not tell are refused."""
    with pytest.raises(ValidationError) as refused:
        await client.tenancies.update_dates(
            1, 2, tenancy_start=date, tenancy_end=dt.date(2068, 12, 31)
        )
    assert ["tenancy_start"] == [problem.field for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2021-06-20T16:08:51.000000Z", dt.datetime(2021, 6, 20, 16, 8, 51, tzinfo=dt.UTC)),
        ("2021-06-20 14:00:00", dt.datetime(2021, 6, 20, 14, tzinfo=dt.UTC)),
        ("2023-07-03T22:00:26.16", dt.datetime(2023, 7, 3, 22, 0, 26, 160000, tzinfo=dt.UTC)),
        ("2021-06-20", dt.datetime(2021, 6, 20, tzinfo=dt.UTC)),
        ("20/06/2021", dt.datetime(2021, 6, 20, tzinfo=dt.UTC)),
        ("soon", None),
    ],
)
async def test_fact_08_dates_in(
    server: Any, client: Any, printed: dict[str, Any], sent: str, expected: Any
) -> None:
    """Every printed form of a date is read; what is none stays text in `extra`."""
    answer = printed["List Payments"]
    answer["data"][0]["paid_at"] = sent
    server.answer(answer)
    payment, other = await client.orders.payments(1)
    assert expected == payment.paid_at
    assert ({} if expected else {"paid_at": "soon"}) == payment.extra
    assert 2 == other.id


async def test_fact_09_money_is_never_recomputed(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """Money is the server's Decimal: 3 x 7.33 is not 22.00, and nobody makes it so."""
    server.answer(printed["Get Partner Package Quote"])
    quote = await client.partner_packages.quote(housemates=3, address=AddressId("a"))
    amounts = (quote.service_charge, quote.service_charge_per_housemate)
    assert ["22.00", "7.33"] == [str(amount) for amount in amounts]


async def test_fact_10_digits_stay_text(
    server: Any, client: Any, printed: dict[str, Any], payer: dict[str, Any]
) -> None:
    """Sort codes, profile classes and top lines keep their zeros, out and in."""
    server.answer(printed["Add Bill Payer"])
    await client.bill_payers.add(1, **payer)
    assert "000000" == server.sent[0].json["sort_code"]
    server.answers = [(200, json.dumps(printed["Create Partner Package"]).encode())]
    home = (await client.tenancies.get(1, 1)).property
    assert ("04", "040000000001E20180314") == (home.mpan_profile_class, home.mpan_top_line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("active", False),
        ("Active", False),
        ("NoMandate", True),
        ("REJECTED", True),
        ("brand new", None),
        (None, None),
    ],
)
async def test_fact_11_texts_in_any_case(
    server: Any, client: Any, text: str | None, expected: bool | None
) -> None:
    """Statuses are compared without regard to case, and unknown ones are nobody's guess."""
    server.answer({"data": {"name": "Jane Smith", "status": text}})
    mandate = await client.mandates.get(1, 2)
    assert (text, expected) == (mandate.status, mandate.updatable)


def test_fact_11_numberings() -> None:
    """A property's status goes by its number; a mandate's is another matter."""
    assert "PENDING" == PropertyStatus(1).name
    assert MandateStatus.PENDING is MandateStatus("Pending")


async def test_fact_12_unknown_null_and_missing(server: Any, client: Any) -> None:
    """Fields may be missing, null or new, and PHP's [] may stand for {}."""
    server.answer({"data": {"id": None, "household": [], "colour": "red"}})
    order = await client.orders.get(1)
    assert ({"colour": "red"}, ()) == (order.extra, order.add_ons)
    assert order.household.id is None


async def test_fact_13_filter_is_escaped_base64(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """`filter` is standard Base64 of JSON with +, / and = escaped."""
    server.answer(printed["List Properties"])
    await client.properties.list(filter={"q": ">>>???~~~"}).first()
    query = server.sent[0].path.partition("filter=")[2].partition("&")[0]
    assert not set("+/=") & set(query)
    plain = query.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    assert {"q": ">>>???~~~"} == json.loads(base64.b64decode(plain, validate=True))


async def test_fact_14_booleans_and_segments(
    server: Any, client: Any, printed: dict[str, Any]
) -> None:
    """Booleans are true and false, and a segment holds spaces and slashes."""
    server.answer(printed["Get Tenant Package Quote"])
    await client.tenant_packages.quote(postcode="SW15 5PU", is_student=False)
    server.answers = [(200, json.dumps(printed["Find an Address"]).encode())]
    await client.addresses.find("1/2 A Street")
    expected = ["packages?is_student=false&postcode=SW15%205PU", "address/find/1%2F2%20A%20Street"]
    assert expected == [below_root(sent) for sent in server.sent]


@pytest.mark.parametrize("segment", ["", " ", "..", "a\nb"])
async def test_fact_14_empty_segments_are_refused(client: Any, segment: str) -> None:
    """A segment that is empty or would leave its place is refused."""
    with pytest.raises(ValidationError):
        await client.addresses.find(segment)


async def test_fact_15_spellings(
    server: Any,
    client: Any,
    printed: dict[str, Any],
    void: dict[str, Any],
    partner_package: dict[str, Any],
) -> None:
    """The API's own spellings go over the wire: email_adress, and bills with ids as text."""
    server.answer(printed["Create Void Period"])
    details = ForwardingDetails(
        name="John Doe",
        email_address="john@example.com",
        line1="1 Test Lane",
        city="London",
        postcode="EC1V 2NX",
    )
    await client.voids.create(property_id=1, forwarding_details=details, **void)
    expected = {
        "name": "John Doe",
        "email_adress": "john@example.com",
        "line1": "1 Test Lane",
        "city": "London",
        "postcode": "EC1V 2NX",
    }
    assert expected == server.sent[0].json["forwarding_details"]
    server.answers = [(200, json.dumps(printed["Create Partner Package"]).encode())]
    await client.partner_packages.create(bills=[ChosenBill(id=7)], **partner_package)
    assert [{"id": "7"}] == server.sent[1].json["bills"]


async def test_fact_16_unset_is_left_out(
    server: Any, client: Any, printed: dict[str, Any], void: dict[str, Any]
) -> None:
    """What was not given is not sent, and None is."""
    server.answer(printed["Create Void Period"])
    await client.voids.create(property_id=1, **void)
    await client.voids.create(property_id=1, property_reference=None, **void)
    given = {"property_id", "tenancy_start", "property_empty"}
    given |= {"responsible_tenant", "responsible_address"}
    assert given == set(server.sent[0].json)
    assert server.sent[1].json["property_reference"] is None


@pytest.mark.parametrize(
    ("place", "field"),
    [
        pytest.param({}, "property_id", id="neither"),
        pytest.param({"property_id": 1, "address": AddressId("a")}, "address", id="both"),
    ],
)
async def test_fact_17_void_of_one_home(
    client: Any, void: dict[str, Any], place: dict[str, Any], field: str
) -> None:
    """A void takes a property's id or an address, and exactly one of them."""
    with pytest.raises(ValidationError) as refused:
        await client.voids.create(**void, **place)
    assert [field] == [problem.field for problem in refused.value.problems]


async def test_fact_17_void_by_address(
    server: Any, client: Any, printed: dict[str, Any], void: dict[str, Any]
) -> None:
    """An address may be the id that was found."""
    server.answer(printed["Create Void Period"])
    await client.voids.create(address=AddressId("VglSD9KF3EKcNz_RRXPVV"), **void)
    assert {"address_id": "VglSD9KF3EKcNz_RRXPVV"} == server.sent[0].json["address"]


async def test_fact_18_empty_bodies(server: Any, client: Any) -> None:
    """An empty body is fine on 204, DELETE and PATCH."""
    bank = {"account_name": "Jane", "account_number": "12345678", "sort_code": "123456"}
    server.answer(b"")
    assert {} == (await client.mandates.update(1, 2, **bank)).raw
    assert {} == (await client.bill_payers.update(1, 2, first_name="Jane")).raw
    assert (await client.invites.delete(1, 2)).message is None
    server.answers = [(204, b"")]
    assert {} == (await client.account.update(name="A")).raw
    assert () == await client.invites.list(1)
    assert [] == await client.branches.list().collect()


async def test_fact_18_empty_body_elsewhere(server: Any, client: Any) -> None:
    """An empty 200 has no id of what was created, and nothing of what was asked for."""
    server.answer(b"")
    with pytest.raises(OutcomeUnknown):
        await client.orders.replace_payment(1, 2, payment_method="direct-debit")
    with pytest.raises(AnswerUnusable):
        await client.orders.get(1)


async def test_fact_18_failures(server: Any, client: Any) -> None:
    """Any 2xx is a success, Laravel's 422 names fields, and no redirect is followed."""
    server.answer({"data": {"name": "A"}}, status=201)
    assert "A" == (await client.account.update(name="A")).name
    server.answers = [(422, b'{"message": "Invalid.", "errors": {"name": ["Too long."]}}')]
    with pytest.raises(UnprocessableEntity) as refused:
        await client.account.update(name="A")
    assert {"name": ("Too long.",)} == refused.value.errors
    server.answers = [(302, b"")]
    with pytest.raises(RedirectRefused):
        await client.account.update(name="A")
    assert 3 == len(server.sent)


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (408, OutcomeUnknown, Outcome.UNKNOWN),
        (409, Conflict, Outcome.REJECTED),
        (429, RateLimited, Outcome.REJECTED),
        (502, OutcomeUnknown, Outcome.UNKNOWN),
        (503, OutcomeUnknown, Outcome.UNKNOWN),
        (504, OutcomeUnknown, Outcome.UNKNOWN),
    ],
)
async def test_fact_19_undocumented_statuses(
    server: Any, client: Any, status: int, error: type[RequestError], outcome: Outcome
) -> None:
    """Statuses that the document does not list have an error and an outcome all the same."""
    server.answers = [(status, b"")]
    with pytest.raises(error) as failed:
        await client.with_options(retry=Retry(attempts=1)).account.update(name="A")
    assert (outcome, 1) == (failed.value.outcome, len(server.sent))


async def test_equal_echo_is_silent(
    server: Any, client: Any, printed: dict[str, Any], package: dict[str, Any]
) -> None:
    """Dates that come back as they were sent, or not at all, do not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        server.answer(printed["Create Tenant Bills Package"])
        await client.tenant_packages.create(**package)
        server.answers = [(200, b'{"data": {"order_id": 1}}')]
        await client.branch(1).orders.create(**package)
    assert 2 == len(server.sent)
