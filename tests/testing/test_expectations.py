"""What was sent is found, and what was not is told with all that helps and nothing else."""

import datetime as dt
from typing import Any

import pytest

from homebox_async import Address, Homebox
from homebox_async.testing import RunningEmulator
from homebox_async.testing.expectations import differences

HOME = Address(line1="1 High Street", city="Leeds", postcode="LS1 1AA")


def refused(call: Any, *args: Any, **options: Any) -> str:
    """Return the words of the AssertionError that a call raises."""
    with pytest.raises(AssertionError) as caught:
        call(*args, **options)
    return str(caught.value)


def create_lead(client: Homebox, emulator: RunningEmulator) -> None:
    """Create a lead whose tenant is invited and whose suppliers are told."""
    client.leads.create(
        address=HOME,
        tenancy_start=dt.date.today(),
        tenancy_end=dt.date.today() + dt.timedelta(days=300),
        tenants=[emulator.seed.tenant(first_name="Zoe", phone_number="+447700900123")],
    )


def test_received(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """Requests are found by method, path and part of their JSON, oldest first."""
    for reference in ("A", "B", "A"):
        homebox.properties.create(HOME, property_reference=reference)

    assert_received = homebox_emulator.assert_received
    assert 3 == len(assert_received("POST", "/property"))
    assert 2 == len(assert_received("POST", "property", json={"property_reference": "A"}, times=2))
    [sent] = assert_received(
        "POST",
        "/api/partner/property",
        json={"address": {"postcode": "LS1 1AA"}, "property_reference": "B"},
        times=1,
    )
    assert ("/api/partner/property", 201, True) == (sent.template, sent.status, sent.committed)
    assert HOME.line1 == sent.json["address"]["line1"]
    homebox_emulator.assert_not_received("POST", "/lead")


def test_received_by_template(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """A path with braces finds the requests to all such paths, queries apart."""
    first, second = homebox_emulator.seed.property(), homebox_emulator.seed.property()
    for home in (first, second, first):
        homebox.properties.get(home.id)
    list(homebox.properties.list(q="Leeds"))

    assert 3 == len(homebox_emulator.assert_received("GET", "/property/{property_id}"))
    assert 2 == len(homebox_emulator.assert_received("GET", f"/property/{first.id}"))
    [sent] = homebox_emulator.assert_received("GET", "/property", times=1)
    assert "Leeds" == sent.query["q"]
    assert None is sent.json


def test_received_form(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """The fields of forms are compared as the texts that they are."""
    home = homebox_emulator.seed.property()
    homebox.readings.create_for_property(
        home.id,
        type="gas",
        reading=12,
        date_of_reading=dt.date(2026, 6, 20),
        image=b"\x89PNG\r\n\x1a\n",
    )
    path = "/property/{property_id}/readings"

    homebox_emulator.assert_received("POST", path, form={"type": "gas", "reading": "12"})
    assert "form.reading: expected '13', got '12'" in refused(
        homebox_emulator.assert_received, "POST", path, form={"reading": "13"}
    )


def test_not_received(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """What was received instead is told, with its status and its fault."""
    homebox.properties.create(HOME, property_reference="A-1")
    homebox_emulator.drop("GET", "/account", committed=False, times=3)
    with pytest.raises(Exception, match="account"):
        homebox.account.get()
    homebox.account.get()

    assert (
        "expected POST /api/partner/lead at least once, but it was received 0 times. There were:\n"
        "    1. POST /api/partner/property: answered 201\n"
        "    2. GET /api/partner/account: no answer, fault drop-before\n"
        "    3. GET /api/partner/account: no answer, fault drop-before\n"
        "    4. GET /api/partner/account: no answer, fault drop-before\n"
        "    5. GET /api/partner/account: answered 200"
    ) == refused(homebox_emulator.assert_received, "POST", "/lead")
    assert (
        "expected POST /api/partner/property 0 times, but it was received 1 time. There was:\n"
        "    1. POST /api/partner/property: answered 201"
    ) == refused(homebox_emulator.assert_not_received, "POST", "/property")


def test_received_otherwise(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """Only the fields that the test asks about are told, and no token."""
    homebox.properties.create(HOME, property_reference="A-1")

    words = refused(
        homebox_emulator.assert_received,
        "POST",
        "/property",
        json={"address": {"postcode": "LS2 2BB"}, "property_reference": "A-1", "address_id": "x"},
        times=1,
    )

    assert (
        "expected POST /api/partner/property with these fields 1 time, but it was received "
        "0 times. There was:\n"
        "    1. POST /api/partner/property: answered 201\n"
        "       json.address.postcode: expected 'LS2 2BB', got 'LS1 1AA'\n"
        "       json.address_id: expected 'x', which was not sent"
    ) == words


def test_nothing_received(homebox_emulator: RunningEmulator) -> None:
    """Where there was nothing at all, that is told."""
    assert (
        "expected GET /api/partner/account 2 times, but it was received 0 times; "
        "no request was received"
    ) == refused(homebox_emulator.assert_received, "GET", "/account", times=2)


def test_long_reports_are_cut(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """A report tells the last requests of many."""
    for _ in range(21):
        homebox.account.get()

    words = refused(homebox_emulator.assert_received, "POST", "/lead")
    assert "There were (the last 20 of 21):\n    1. GET" in words
    assert 20 == words.count("GET /api/partner/account")


def test_outbox(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """Messages are found by kind, receiver and cause."""
    homebox_emulator.assert_outbox_empty()
    create_lead(homebox, homebox_emulator)

    [text] = homebox_emulator.assert_outbox("sms", to="+447700900123", about="lead/1", times=1)
    assert "Zoe" in text.text
    homebox_emulator.assert_outbox("email", times=1)
    homebox_emulator.assert_outbox("supplier", about="lead/1", times=1)
    homebox_emulator.assert_outbox("debit", times=0)


def test_not_in_the_outbox(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """What is in the outbox is told, and the receiver only where the test asks about one."""
    assert "expected sms at least once, but it was in the outbox 0 times; the outbox is empty" == (
        refused(homebox_emulator.assert_outbox, "sms")
    )
    create_lead(homebox, homebox_emulator)

    assert (
        "expected sms to +447700900999 at least once, but it was in the outbox 0 times. There was:"
        "\n    1. sms about lead/1: Set up the bills of your new home"
        "\n       to: expected '+447700900999', got '+447700900123'"
    ) == refused(homebox_emulator.assert_outbox, "sms", to="+447700900999")
    assert (
        "expected debit about order/1 at least once, but it was in the outbox 0 times. There were:"
        "\n    1. sms about lead/1: Set up the bills of your new home"
        "\n    2. email about lead/1: Set up the bills of your new home"
        "\n    3. supplier about lead/1: Change of tenancy"
    ) == refused(homebox_emulator.assert_outbox, "debit", about="order/1")
    empty = refused(homebox_emulator.assert_outbox_empty)
    assert empty.startswith("expected no message at all, but there were 3 in the outbox")


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, []),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, []),
        ({"a": 1}, None, ["json: expected an object, got None"]),
        ({"a": 1}, {}, ["json.a: expected 1, which was not sent"]),
        ({"a": None}, {}, ["json.a: expected None, which was not sent"]),
        ({"a": True}, {"a": 1}, ["json.a: expected True, got 1"]),
        ({"a": [1]}, {"a": [1, 2]}, ["json.a: expected 1 items, got 2"]),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["json.a.1: expected 2, got 3"]),
        ({"a": 1}, {"a": {"secret": 1}}, ["json.a: expected 1, got an object"]),
        ({"a": "x"}, {"a": ["secret"]}, ["json.a: expected 'x', got a list"]),
    ],
    ids=[
        "more",
        "more inside",
        "more in a list",
        "nothing",
        "lacks",
        "none is sent",
        "boolean",
        "longer",
        "item",
        "object",
        "list",
    ],
)
def test_differences(expected: Any, actual: Any, found: list[str]) -> None:
    """Objects may hold more, lists may not, and types count."""
    assert found == differences(expected, actual, "json")
