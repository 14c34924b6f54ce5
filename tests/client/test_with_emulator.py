"""The whole client against the emulator: every operation, and what faults leave behind."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from homebox_async import (
    Address,
    AddressId,
    AsyncHomebox,
    AuthenticationFailed,
    NewTenant,
    NotFound,
    OutcomeUnknown,
    Retry,
    UnprocessableEntity,
)
from homebox_async.emulator import Emulator, Fault

TENANT = NewTenant(
    first_name="Bill", last_name="Apple", phone_number="+441234567890", email_address="b@x.uk"
)
HOME = Address(line1="1 Test Lane", city="London", postcode="EC1V 2NX")
DATES: dict[str, Any] = {
    "tenancy_start": dt.date(2026, 7, 1),
    "tenancy_end": dt.date(2027, 7, 1),
}


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Return a running emulator."""
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
async def api(emulator: Emulator) -> AsyncIterator[AsyncHomebox]:
    """Return a client of the emulator."""
    async with AsyncHomebox(
        emulator.token, base_url=emulator.url, retry=Retry(backoff=0.0)
    ) as client:
        yield client


async def test_every_operation(emulator: Emulator, api: AsyncHomebox) -> None:
    """Each operation works against the emulator, and the typed answers hold what was sent."""
    found = await api.addresses.find("BN1 1AB")
    assert found
    assert found[0].address_id is not None
    made = await api.properties.create(AddressId(found[0].address_id), property_reference="A1")
    other = await api.properties.create(HOME)
    assert made.id is not None
    listed = [item async for item in api.properties.list()]
    assert {made.id, other.id} == {item.id for item in listed}
    assert ("A1",) == next(item for item in listed if item.id == made.id).references
    assert made.id == (await api.properties.get(made.id)).id
    lead = await api.leads.create(**DATES, tenants=[TENANT], address=HOME, property_reference="B2")
    assert lead.id is not None
    assert "B2" == lead.property_reference
    assert dt.date(2026, 7, 1) == lead.tenancy_start
    assert [lead.id] == [item.id async for item in api.leads.list(prefetch=2)]
    assert "Bill" == (await api.leads.get(lead.id)).tenants[0].first_name
    order = emulator.seed_order(made.id)
    when = dt.date(2026, 6, 20)
    one = await api.readings.create_for_property(
        made.id, type="gas", reading=299, date_of_reading=when, image=b"\x89PNG"
    )
    two = await api.readings.create_for_order(
        order.id, type="electric", reading=5, date_of_reading=when
    )
    assert ("299", "5") == (one.reading, two.reading)
    assert {one.id, two.id} >= {r.id async for r in api.readings.list_for_property(made.id)}
    assert await api.readings.list_for_order(order.id).collect()
    assert (await api.account.get()).name


@pytest.mark.parametrize(
    "kind", ["drop-after", "500-after", "503-after", "truncate", "garbage", "empty"]
)
async def test_committed_but_unanswered(emulator: Emulator, api: AsyncHomebox, kind: Any) -> None:
    """A write that was committed and not answered is unknown, and made exactly once."""
    emulator.script("POST", "/api/partner/property", [Fault(kind)])
    with pytest.raises(OutcomeUnknown):
        await api.properties.create(HOME)
    assert [True] == [received.committed for received in emulator.received]
    assert 1 == len(await api.properties.list().collect())


async def test_rate_limited(emulator: Emulator, api: AsyncHomebox) -> None:
    """A 429 is waited out and the write made once."""
    emulator.script("POST", "/api/partner/property", [Fault.named("429:0")] * 2)
    await api.properties.create(HOME)
    assert [False, False, True] == [received.committed for received in emulator.received]


async def test_refusals(emulator: Emulator, api: AsyncHomebox) -> None:
    """The emulator's refusals come as the errors that they are."""
    with pytest.raises(NotFound):
        await api.leads.get(999)
    with pytest.raises(UnprocessableEntity) as caught:
        await api.request("POST", "lead", json={})
    assert "tenancy_start" in caught.value.errors
    async with AsyncHomebox("wrong", base_url=emulator.url) as stranger:
        with pytest.raises(AuthenticationFailed):
            await stranger.account.get()
