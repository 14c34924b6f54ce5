"""Payments, payouts, invites, bill payers and mandates of a package."""

import pytest

from homebox_async.emulator import Address

from .packages import BANK, LINES, ORDER, STAMP, Start

PAYER = BANK | {
    "billing_address": LINES,
    "birthday": "01/01/2000",
    "email": "jane@example.com",
    "first_name": "Jane",
    "last_name": "Smith",
    "nationality": "GB",
    "phone_number": "+441234567890",
}
INVITE = {"first_name": "Jane", "last_name": "Smith", "phone_number": "+441234567890"}


async def test_payments_and_payouts(start: Start) -> None:
    """Payers pay when the order becomes active and on demand; suppliers are paid then."""
    emulator, api = await start()
    await api.post("order", ORDER)
    assert [] == emulator.take_payments(1)
    await api.post("order/1/tenant", PAYER)
    await api.post("order/1/tenant", PAYER | {"email": "john@example.com"})
    emulator.activate(1)
    payments = (await api.get("order/1/payments"))["data"]
    assert {
        "id": 1,
        # (26.00 + 10.80 + 5.60 + 50.80 + 7.50) x 5 / 2
        "amount": "251.75",
        "status": "success",
        "status_id": 2,
        "payment_method": "direct-debit",
        "attempt": 1,
        "previous_attempt_id": None,
        "next_attempt_id": None,
        "user": {"email": "jane@example.com", "first_name": "Jane", "last_name": "Smith"},
        "paid_at": "2024-05-20 09:00:00",
        "created_at": "2024-05-20 09:00:00",
    } == payments[0]
    payouts = (await api.get("order/1/supplier"))["data"]
    assert 4 == len(payouts)
    assert {
        "id": 1,
        "status": "Pending",
        "bill": "Standard Plan",
        "provider": "Rebel Energy",
        "group": "Renewable Energy",
        "created_at": STAMP,
        "paid_at": None,
    } == payouts[0]
    emulator.pay_suppliers(1)
    emulator.pay_suppliers(1)
    payouts = (await api.get("order/1/supplier"))["data"]
    assert ("Success", STAMP) == (payouts[3]["status"], payouts[3]["paid_at"])
    emulator.take_payments(1, "pending")
    assert 4 == len((await api.get("order/1/payments"))["data"])
    assert 4 == len((await api.get("order/1/supplier"))["data"])
    assert 4 == [each.subject for each in emulator.outbox].count("Monthly payment")


async def test_replace_payment(start: Start) -> None:
    """Replacing cancels a payment, makes a new one, and links the two; it works once."""
    emulator, api = await start(payments_at_activation=False)
    await api.post("order", ORDER)
    await api.post("order/1/tenant", PAYER)
    emulator.activate(1)
    emulator.take_payments(1, "failed")
    before = len(emulator.outbox)
    path, body = "order/1/payments/1/replace", {"payment_method": "bank-transfer"}
    new = (await api.post(path, body))["data"]
    assert (2, "pending", 1, "bank-transfer", 1, 1, None, None) == (
        new["id"],
        new["status"],
        new["status_id"],
        new["payment_method"],
        new["attempt"],
        new["previous_attempt_id"],
        new["next_attempt_id"],
        new["paid_at"],
    )
    old, listed = (await api.get("order/1/payments"))["data"]
    assert (new, "cancelled", 4, 2) == (
        listed,
        old["status"],
        old["status_id"],
        old["next_attempt_id"],
    )
    assert before == len(emulator.outbox)
    status, answer = await api.send("POST", path, body)
    assert (422, ["payment"]) == (status, list(answer["errors"]))
    status, answer = await api.send("POST", path, {"payment_method": "cash"})
    assert (422, ["payment_method", "payment"]) == (status, list(answer["errors"]))


async def test_invites(start: Start) -> None:
    """An invite is sent by SMS, counts up, and goes when deleted."""
    emulator, api = await start()
    await api.post("order", ORDER)
    expected = {"data": ["Tenant was successfully added to order 1"]}
    assert expected == await api.post("order/1/invite", INVITE)
    await api.post("order/1/invite", INVITE)
    listed = (await api.get("order/1/invite"))["data"]
    assert [{"id": 1, **INVITE, "total_sent": "2"}] == listed
    assert [("sms", "+441234567890", "invite/1")] * 2 == [
        (each.kind, each.to, each.about) for each in emulator.outbox
    ]
    path = "order/1/invite/1"
    assert (200, {"message": "Invite has been deleted"}) == await api.send("DELETE", path)
    assert [] == (await api.get("order/1/invite"))["data"]
    assert 404 == (await api.send("DELETE", path))[0]


async def test_sign_up(start: Start) -> None:
    """Who signs up becomes a bill payer, and the invite disappears."""
    emulator, api = await start(repeated_invite_counts_up=False)
    await api.post("order", ORDER)
    for phone in ("+441234567890", "+441234567890", "+449999999999"):
        await api.post("order/1/invite", INVITE | {"phone_number": phone})
    emulator.sign_up(2)
    assert [3] == [each["id"] for each in (await api.get("order/1/invite"))["data"]]
    (payer,) = (await api.get("order/1/tenant"))["data"]
    assert INVITE == {name: payer[name] for name in INVITE}
    with pytest.raises(KeyError):
        emulator.sign_up(2)
    await api.post("order/1/tenant", PAYER | {"phone_number": "+44 9999 999999"})
    assert [] == (await api.get("order/1/invite"))["data"]


async def test_payers(start: Start) -> None:
    """A bill payer is confirmed by email, can be changed and removed."""
    emulator, api = await start(extra_payers=False)
    await api.post("order", ORDER | {"bill_payers": 1})
    await api.post("order/1/tenant", PAYER)
    assert [("debit", "Jane Smith"), ("email", "jane@example.com")] == [
        (each.kind, each.to) for each in emulator.outbox
    ]
    names = ("first_name", "last_name", "email", "phone_number", "birthday", "nationality")
    row = {"id": 1, **{name: PAYER[name] for name in names}}
    assert [row] == (await api.get("order/1/tenant"))["data"]
    status, answer = await api.send("POST", "order/1/tenant", PAYER)
    assert (422, ["order"]) == (status, list(answer["errors"]))
    change = {"last_name": "Doe", "birthday": "15/01/1996"}
    expected = (200, {"data": row | change})
    assert expected == await api.send("PATCH", "order/1/tenant/1", change)
    status, answer = await api.send(
        "PATCH", "order/1/tenant/1", {"birthday": "31/02/1996", "nationality": "gb"}
    )
    assert (422, ["birthday", "nationality"]) == (status, list(answer["errors"]))
    removed = (200, {"message": "Tenant has been removed"})
    assert removed == await api.send("DELETE", "order/1/tenant/1")
    assert [] == (await api.get("order/1/tenant"))["data"]
    assert 404 == (await api.send("GET", "order/1/tenant/1/mandate"))[0]


async def test_lenient_bank_details(start: Start) -> None:
    """Other bank details are taken where that is assumed, but not for a mandate."""
    emulator, api = await start(strict_bank_details=False)
    await api.post("order", ORDER)
    await api.post("order/1/tenant", PAYER | {"account_number": "GB00", "sort_code": "-"})
    emulator.set_mandate(1, "cancelled")
    status, answer = await api.send(
        "PATCH", "order/1/tenant/1/mandate", BANK | {"account_number": "GB00"}
    )
    assert (422, ["account_number"]) == (status, list(answer["errors"]))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("nomandate", 200),
        ("rejected", 200),
        ("cancelled", 200),
        ("active", 422),
        ("submitted", 422),
        ("pending", 422),
        ("suspended", 422),
    ],
)
async def test_mandate(start: Start, status: str, expected: int) -> None:
    """Only a mandate that is not or no longer there can be set up."""
    emulator, api = await start()
    await api.post("order", ORDER)
    await api.post("order/1/tenant", PAYER)
    path = "order/1/tenant/1/mandate"
    assert {"data": {"name": "Jane Smith", "status": "submitted"}} == await api.get(path)
    emulator.set_mandate(1, status)
    new = BANK | {"account_name": "J Smith"}
    actual, _ = await api.send("PATCH", path, new)
    assert expected == actual
    shown = {"name": "J Smith", "status": "pending"}
    kept = {"name": "Jane Smith", "status": status}
    assert (shown if expected == 200 else kept) == (await api.get(path))["data"]


@pytest.mark.parametrize(
    "path",
    [
        "order/2",
        "order/x",
        f"order/{'9' * 5000}",
        "order/2/bill",
        "order/1/tenant/2/mandate",
        "order/2/tenant/1/mandate",
        "property/1/tenancy/2",
        "property/2/tenancy/1",
        "child/1",
        "child/2/orders",
        "lead/1",
    ],
    ids=lambda path: path[:30],
)
async def test_unknown(start: Start, path: str) -> None:
    """An unknown id is Laravel's 404, also below a known one."""
    emulator, api = await start()
    emulator.store.add_property(Address("1 Mill Lane", None, None, None, "BN3 1AB"))
    emulator.seed_order(1)
    await api.post("order/1/tenant", PAYER)
    status, answer = await api.send("GET", path)
    assert (404, "No query results for model") == (status, answer["message"][:26])
