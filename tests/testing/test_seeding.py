"""Seed data is there, as the API shows it, and surely nobody's."""

import datetime as dt
import re

import pytest

from homebox_async import Billing, Homebox
from homebox_async.testing import RunningEmulator
from homebox_async.testing.seeding import Seed


@pytest.fixture
def seed(homebox_emulator: RunningEmulator) -> Seed:
    """Return what makes seed data."""
    return homebox_emulator.seed


def test_property(seed: Seed, homebox: Homebox) -> None:
    """A property has what was given, and the rest is made up."""
    made = seed.property(reference="A-1", status_id=2)

    home = homebox.properties.get(made.id)
    assert ("A-1",) == home.references
    assert 2 == home.status_id
    assert (made.line1, made.postcode) == (home.address_line1, home.address_postcode)


def test_address_and_tenant_can_be_sent(seed: Seed, homebox: Homebox) -> None:
    """Made-up addresses and tenants pass the client's checks and those of the emulator."""
    lead = homebox.leads.create(
        address=seed.address(),
        tenancy_start=dt.date(2030, 1, 1),
        tenancy_end=dt.date(2030, 12, 31),
        tenants=[seed.tenant(), seed.tenant(last_name="Other")],
    )

    assert ["Example", "Other"] == [tenant.last_name for tenant in lead.tenants]


def test_lead(seed: Seed, homebox: Homebox) -> None:
    """A lead has its property and its tenants, with their ids."""
    home = seed.property()
    made = seed.lead(home.id, tenants=[seed.tenant(first_name="Zoe")], reference="L-1")

    lead = homebox.leads.get(made.id)
    assert lead.property is not None
    assert home.id == lead.property.id
    assert "L-1" == lead.property_reference
    assert [(made.tenants[0].id, "Zoe")] == [(each.id, each.first_name) for each in lead.tenants]


def test_order(seed: Seed, homebox: Homebox) -> None:
    """An order has payers with mandates, and the payments of each month."""
    made = seed.order(payers=2, payments=["success", "failed"], reference="O-1")

    order = homebox.orders.get(made.id)
    assert made.property.id == made.order.property_id == made.tenancy.property_id
    assert "O-1" == order.reference
    assert [payer.id for payer in made.payers] == [
        payer.id for payer in homebox.bill_payers.list(made.id)
    ]
    assert ["success", "success", "failed", "failed"] == [p.status for p in made.payments]
    assert [payment.id for payment in made.payments] == [
        payment.id for payment in homebox.orders.payments(made.id)
    ]
    assert "active" == homebox.mandates.get(made.id, made.payers[0].id).status


def test_an_order_that_waits(seed: Seed, homebox: Homebox) -> None:
    """An order that is not active waits for approval, and nobody has paid."""
    made = seed.order(payers=0, active=False)

    assert () == homebox.orders.payments(made.id)
    assert () == made.payers + made.payments
    assert 1 == made.order.status_id  # as "Approval Orders" counts it


def test_reading(seed: Seed, homebox: Homebox) -> None:
    """Readings are of a property or of an order."""
    order = seed.order()
    of_order = seed.reading(order_id=order.id, reading=7, reading2=9)
    of_home = seed.reading(order.property.id, type="gas", date_of_reading=dt.date(2026, 2, 3))
    other = seed.reading()

    readings = list(homebox.readings.list_for_property(order.property.id))
    assert [of_order.id, of_home.id] == [reading.id for reading in readings]
    assert [("7", "9"), ("1000", None)] == [(r.reading, r.reading2) for r in readings]
    assert other.property_id != order.property.id


def test_branch(seed: Seed, homebox: Homebox) -> None:
    """What is made for a branch belongs to it."""
    branch = seed.branch("Leeds")
    lead = seed.lead(branch_id=branch.id)
    order = seed.order(branch_id=branch.id)

    scope = homebox.branch(branch.id)
    assert "Leeds" == homebox.branches.get(branch.id).name
    assert [lead.id] == [each.id for each in scope.leads.list()]
    assert [order.id] == [each.id for each in scope.orders.list()]


def test_billing(seed: Seed) -> None:
    """A billing period is there for clients that know the service by the environment."""
    uuid = "0123456789abcdef0123456789abcdef"
    made = seed.billing(uuid)

    with Billing() as billing:
        headers = billing.headers(uuid).headers
    assert [(made.id, dt.date(2025, 12, 31))] == [(each.id, each.end_date) for each in headers]


def test_seeding_is_silent(seed: Seed, homebox_emulator: RunningEmulator) -> None:
    """Nothing that is seeded is in the outbox, and no request was needed."""
    seed.lead()
    seed.order(payments=["success"])
    seed.branch()

    assert [] == homebox_emulator.outbox
    assert [] == homebox_emulator.received


def test_values_are_nobodys(seed: Seed) -> None:
    """Phone numbers are free for drama, addresses and emails cannot exist, and all differ."""
    people = [seed.tenant() for _ in range(50)]
    homes = [seed.address() for _ in range(50)]

    assert all(re.fullmatch(r"\+447700900\d{3}", each.phone_number) for each in people)
    assert all(each.email_address.endswith("@example.com") for each in people)
    assert all(re.fullmatch(r"Z\d\d? \dZZ", each.postcode) for each in homes)
    assert 50 == len({each.phone_number for each in people})
    assert 50 == len({(each.line1, each.postcode) for each in homes})


def test_what_is_not_there(seed: Seed) -> None:
    """Seeding something of a property that is not there is a KeyError."""
    with pytest.raises(KeyError):
        seed.lead(7)
    with pytest.raises(KeyError):
        seed.property(branch_id=7)
    with pytest.raises(KeyError):
        seed.reading(7)
    with pytest.raises(KeyError):
        seed.reading(order_id=7)


def test_contradictions(seed: Seed) -> None:
    """A property has a branch already, and an order a property: another one is refused."""
    with pytest.raises(ValueError, match="order_id is given beside property_id"):
        seed.reading(1, order_id=1)
    with pytest.raises(ValueError, match="branch_id is given beside property_id"):
        seed.lead(seed.property().id, branch_id=2)
