"""What users' type checkers see; checked by mypy and pyright, never run."""

import datetime as dt
from typing import Any, assert_type

from homebox_async import (
    Account,
    Address,
    AddressId,
    AsyncHomebox,
    FoundAddress,
    Homebox,
    Lead,
    NewTenant,
    Page,
    Pages,
    Property,
    Reading,
)
from homebox_async.blocking import BlockingPages


async def async_client(client: AsyncHomebox) -> None:
    """Check the async surface."""
    home = Address(line1="1 Test Lane", city="London", postcode="EC1V 2NX")
    assert_type(await client.addresses.find("BN1 1AB"), tuple[FoundAddress, ...])
    assert_type(await client.properties.create(home, property_reference="A1"), Property)
    assert_type(client.properties.list(q="London"), Pages[Property])
    async for found in client.properties.list(filter={"status": [2]}):
        assert_type(found, Property)
        assert_type(found.created_at, dt.datetime | None)
    async for page in client.leads.list().pages():
        assert_type(page, Page[Lead])
    assert_type(await client.leads.list().first(), Lead | None)
    assert_type(await client.account.get(), Account)
    assert_type(await client.request("GET", "lead/1", into=Lead), Lead)
    assert_type(await client.request("GET", "lead/1"), Any)


def sync_client(client: Homebox, tenant: NewTenant) -> None:
    """Check that the sync surface is typed as precisely as the async one."""
    assert_type(client.addresses.find("BN1 1AB"), tuple[FoundAddress, ...])
    assert_type(client.properties.create(AddressId("abc"), property_reference="A1"), Property)
    assert_type(client.properties.list(q="London", prefetch=4), BlockingPages[Property])
    for found in client.properties.list():
        assert_type(found, Property)
    for page in client.leads.list().pages():
        assert_type(page, Page[Lead])
    assert_type(client.leads.list().collect(max_items=3), list[Lead])
    assert_type(
        client.readings.create_for_order(
            1, type="gas", reading=299, date_of_reading=dt.date(2021, 6, 20)
        ),
        Reading,
    )
    assert_type(
        client.leads.create(
            tenancy_start=dt.date(2026, 1, 1), tenancy_end=dt.date(2027, 1, 1), tenants=[tenant]
        ),
        Lead,
    )
    client.properties.get("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.readings.create_for_order(1, type="oil")  # type: ignore  # pyright: ignore
    assert_type(client.request("GET", "lead/1", into=Lead), Lead)
