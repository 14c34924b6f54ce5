"""What is refused before anything is sent: all at once, by field, without personal values."""

import datetime as dt
from typing import Any

import attrs
import pytest

from homebox_async import Address, AddressId, ChosenBill, ForwardingDetails, NewTenant, rules
from homebox_async import ValidationError as Refused

SAY_NUMBER = "is not a number with country code"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("+441234567890", None),
        ("+44 7700 900123", None),
        ("+353871234567", None),
        ("+12025550123", None),
        ("01234567890", SAY_NUMBER),
        ("+44123", SAY_NUMBER),
        ("+44(0)1234567890", SAY_NUMBER),
        ("+999123456789", "has a country code that does not exist"),
        ("+441234567", "is too short or too long for its country"),
        ("+44123456789012", "is too short or too long for its country"),
        ("+4401234567890", "has a 0 after the country code"),
        ("", "is empty"),
        (441234567890, "is int, not text"),
    ],
)
def test_phone_number(value: Any, problem: str | None) -> None:
    """A phone number has a country that exists and a length of that country."""
    fault = rules.phone_number(value)
    assert problem == (fault and fault[0])


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        pytest.param(rules.sort_code, "000000", id="sort-code"),
        pytest.param(rules.account_number, "12345678", id="account-number"),
        pytest.param(rules.mandate_name, "Jo", id="shortest-name"),
        pytest.param(rules.mandate_name, "J" * 18, id="longest-name"),
        pytest.param(rules.country_code, "GB", id="country"),
        pytest.param(rules.past_date, dt.date(2000, 1, 1), id="birthday"),
        pytest.param(rules.colour, "#40bF67", id="colour"),
        pytest.param(rules.boolean, False, id="boolean"),
        pytest.param(rules.positive_integers, [35, 36], id="ids"),
        pytest.param(rules.positive_integers, (), id="no-ids"),
        pytest.param(rules.notes, "two\r\nlines\tand a tab", id="notes"),
        pytest.param(rules.uk_postcode, "gir 0aa", id="postcode"),
        pytest.param(rules.made_of(Address, AddressId), AddressId("a"), id="object"),
    ],
)
def test_accepted(rule: rules.Rule, good: Any) -> None:
    """A good value has no problem."""
    assert rule(good) is None


@pytest.mark.parametrize(
    ("rule", "bad", "problem"),
    [
        pytest.param(rules.sort_code, "12-34-56", "is not 6 digits", id="sort-code-dashes"),
        pytest.param(rules.sort_code, "١٢٣٤٥٦", "is not 6 digits", id="sort-code-arabic"),
        pytest.param(rules.sort_code, 123456, "is int, not text", id="sort-code-number"),
        pytest.param(rules.account_number, "1234567", "is not 8 digits", id="account-short"),
        pytest.param(rules.account_number, "12345678\n", "holds a control character", id="lf"),
        pytest.param(rules.mandate_name, "J", "has 1 characters", id="name-short"),
        pytest.param(rules.mandate_name, "J" * 19, "has 19 characters", id="name-long"),
        pytest.param(
            rules.country_code,
            "UK",
            "is not a country code of ISO 3166-1 alpha-2",
            id="not-a-country",
        ),
        pytest.param(
            rules.country_code, "gb", "is not a country code of ISO 3166-1 alpha-2", id="lower"
        ),
        pytest.param(rules.past_date, dt.date.max, "is not in the past", id="future"),
        pytest.param(rules.past_date, "01/01/2000", "is str, not a date", id="date-text"),
        pytest.param(rules.colour, "red", "is not a colour as #RRGGBB or #RGB", id="word"),
        pytest.param(rules.colour, "#ffff", "is not a colour as #RRGGBB or #RGB", id="four-digits"),
        pytest.param(rules.boolean, 1, "is int, not true or false", id="one"),
        pytest.param(rules.positive_integers, [35, 0], "is not above 0", id="id-zero"),
        pytest.param(rules.positive_integers, ["35"], "is str, not an integer", id="id-text"),
        pytest.param(rules.positive_integers, "35", "is str, not a list", id="ids-text"),
        pytest.param(rules.notes, "\x00", "holds a control character", id="nul"),
        pytest.param(rules.notes, 5, "is int, not text", id="notes-number"),
        pytest.param(rules.uk_postcode, "BN1", "is not a full UK postcode", id="half-postcode"),
        pytest.param(rules.made_of(Address), {}, "is dict", id="dict"),
    ],
)
def test_refused(rule: rules.Rule, bad: Any, problem: str) -> None:
    """A bad value's problem is named, and the value itself is not."""
    fault = rule(bad)
    assert fault is not None
    assert problem == fault[0]


async def _refused(call: Any) -> list[str]:
    """Return the fields that a call is refused for."""
    with pytest.raises(Refused) as refused:
        await call
    return [problem.field for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"bill_payers": 6}, ["bill_payers"], id="more-payers-than-tenants"),
        pytest.param({"tenancy_end": dt.date(2019, 10, 1)}, ["tenancy_end"], id="ends-at-start"),
        pytest.param({"household_type": "family"}, ["household_type"], id="household"),
        pytest.param({"total_occupants": 0, "bill_payers": 1}, ["total_occupants"], id="nobody"),
        pytest.param({"add_ons": [0]}, ["add_ons"], id="add-on"),
        pytest.param({"coupon": ""}, ["coupon"], id="empty-coupon"),
        pytest.param({"address": {"line1": "x"}}, ["address"], id="address-dict"),
        pytest.param({"address": AddressId(" ")}, ["address.address_id"], id="blank-id"),
        pytest.param({"tenancy_move_in": dt.date(1999, 1, 1)}, ["tenancy_move_in"], id="move-in"),
    ],
)
async def test_tenant_package(
    server: Any, client: Any, package: dict[str, Any], changes: dict[str, Any], fields: list[str]
) -> None:
    """A tenant package is refused for what its fields and their sum cannot be."""
    assert fields == await _refused(client.tenant_packages.create(**package | changes))
    assert fields == await _refused(client.branch(1).orders.create(**package | changes))
    assert [] == server.sent


async def test_all_problems_at_once(
    server: Any, client: Any, partner_package: dict[str, Any], tenant: NewTenant
) -> None:
    """Everything wrong comes in one error, with paths and without the values."""
    wrong = partner_package | {
        "sort_code": "12-34-56",
        "account_number": "98765",
        "payment_method": "cash",
        "housemates": 0,
        "tenancy_end": dt.date(2020, 1, 1),
        "billing_address": Address(line1="Secret Lane", city="London", postcode="SECRET"),
        "tenants": [tenant, attrs.evolve(tenant, phone_number="0123SECRET"), "SECRET"],
        "bills": [ChosenBill(id="")],
    }
    with pytest.raises(Refused) as refused:
        await client.partner_packages.create(**wrong)
    expected = {
        "sort_code",
        "account_number",
        "payment_method",
        "housemates",
        "tenancy_end",
        "billing_address.postcode",
        "tenants.1.phone_number",
        "tenants.2",
        "bills.0.id",
    }
    assert expected == {problem.field for problem in refused.value.problems}
    assert not any(word in str(refused.value) for word in ("SECRET", "12-34", "98765", "Secret"))
    assert [] == server.sent


@pytest.mark.parametrize("name", ["bills", "tenants"])
async def test_empty_lists(client: Any, partner_package: dict[str, Any], name: str) -> None:
    """A partner package has at least one bill and one tenant."""
    full = {"bills": [ChosenBill(id=1)]} | partner_package
    assert [name] == await _refused(client.partner_packages.create(**full | {name: []}))


async def test_bills_of_another_kind(client: Any, partner_package: dict[str, Any]) -> None:
    """A bill that is no `ChosenBill` is named by its place."""
    assert ["bills.0"] == await _refused(
        client.partner_packages.create(bills=[{"id": 1}], **partner_package)
    )


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        pytest.param(Address(line1="1", city="", postcode="x"), ["city", "postcode"], id="parts"),
        pytest.param("1 Test Lane", ["address"], id="text"),
    ],
)
async def test_partner_quote(client: Any, address: Any, fields: list[str]) -> None:
    """The fields of a quote's address are named as they stand in the query."""
    assert fields == await _refused(client.partner_packages.quote(housemates=1, address=address))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", ""),
        ("last_name", "a\tb"),
        ("email", "jane"),
        ("phone_number", "07700900123"),
        ("nationality", "British"),
        ("birthday", dt.date.max),
        ("account_name", " "),
        ("account_number", "123"),
        ("sort_code", "00-00-00"),
    ],
)
async def test_bill_payer(client: Any, payer: dict[str, Any], field: str, value: Any) -> None:
    """Each field of a bill payer has its rule."""
    assert [field] == await _refused(client.bill_payers.add(1, **payer | {field: value}))


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda c: c.bill_payers.update(1, 2), id="bill-payer"),
        pytest.param(lambda c: c.account.update(), id="account"),
        pytest.param(lambda c: c.branches.update(1), id="branch"),
    ],
)
async def test_update_of_nothing(client: Any, call: Any) -> None:
    """An update that changes nothing is refused."""
    with pytest.raises(Refused, match="is missing; give what shall change"):
        await call(client)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        pytest.param(
            lambda c: c.orders.replace_payment(1, 2, payment_method="cash"),
            "payment_method",
            id="payment-method",
        ),
        pytest.param(
            lambda c: c.mandates.update(
                1, 2, account_name="J" * 19, account_number="12345678", sort_code="123456"
            ),
            "account_name",
            id="mandate-name",
        ),
        pytest.param(
            lambda c: c.account.update(theme_color_primary="red"),
            "theme_color_primary",
            id="account-colour",
        ),
        pytest.param(
            lambda c: c.branches.update(1, theme_color_primary="red"),
            "theme_color_primary",
            id="branch-colour",
        ),
        pytest.param(
            lambda c: c.branches.create(name="A", email="nobody"), "email", id="branch-email"
        ),
        pytest.param(
            lambda c: c.tenant_packages.quote(postcode="SW15"), "postcode", id="quote-postcode"
        ),
        pytest.param(lambda c: c.orders.get(-1), "order_id", id="order-id"),
        pytest.param(lambda c: c.orders.get(True), "order_id", id="order-id-boolean"),
        pytest.param(lambda c: c.account.update(name=5), "name", id="name-number"),
        pytest.param(lambda c: c.account.update(name="a" * 256), "name", id="long-name"),
        pytest.param(
            lambda c: c.readings.create_for_order(
                1, type="gas", reading=1, reading2=2, date_of_reading=dt.date(2021, 6, 20)
            ),
            "reading2",
            id="second-register-of-gas",
        ),
        pytest.param(lambda c: c.branches.update("store", name="x"), "branch_id", id="branch-id"),
        pytest.param(lambda c: c.branches.update(1, theme_color_primary="#abc"), None, id="#abc"),
        pytest.param(lambda c: c.metrics.new_leads(to=dt.date(2020, 1, 1)), "from", id="no-from"),
        pytest.param(
            lambda c: c.metrics.new_leads(from_=dt.date(2020, 1, 2), to=dt.date(2020, 1, 1)),
            "to",
            id="to-before-from",
        ),
        pytest.param(lambda c: c.metrics.new_leads(from_="2020-01-01"), "from", id="from-text"),
    ],
)
async def test_single_rules(server: Any, client: Any, call: Any, field: str | None) -> None:
    """Each rule holds where its field is sent."""
    if field is None:
        server.answer({"data": {"id": 1}})
        await call(client)
        assert "/api/partner/child/1" == server.sent[0].path
    else:
        assert [field] == await _refused(call(client))


@pytest.mark.parametrize("notifications", [rules.UNSET, True], ids=["unset", "true"])
async def test_lead_without_address(client: Any, tenant: NewTenant, notifications: Any) -> None:
    """A lead needs an address unless its notifications are off."""
    start, end = dt.date(2022, 7, 1), dt.date(2023, 7, 1)
    fields = {"tenancy_start": start, "tenancy_end": end, "tenants": [tenant]}
    wrong = client.leads.create(**fields, notifications=notifications)
    assert ["address"] == await _refused(wrong)


async def test_forwarding_details(client: Any, void: dict[str, Any]) -> None:
    """A problem of forwarding details bears the API's name of the field."""
    details = ForwardingDetails(
        name="John", email_address="john", line1="1 Lane", city="London", postcode="EC1V 2NX"
    )
    assert ["forwarding_details.email_adress"] == await _refused(
        client.voids.create(property_id=1, forwarding_details=details, **void)
    )


@pytest.mark.parametrize(
    "made",
    [
        NewTenant(
            first_name="Jane",
            last_name="Smith",
            phone_number="+441234567890",
            email_address="jane@example.com",
        ),
        ForwardingDetails(
            name="Jane Smith",
            phone_number="+441234567890",
            email_address="jane@example.com",
            line1="1 Lane",
            city="London",
            postcode="EC1V 2NX",
        ),
        ChosenBill(id=1, account_number="12345678"),
    ],
    ids=lambda made: type(made).__name__,
)
def test_repr_of_inputs_hides_people(made: object) -> None:
    """Inputs keep what is personal out of their repr."""
    words = ("Jane", "Smith", "+44", "@", "12345678", "Lane")
    assert [] == [word for word in words if word in repr(made)]
