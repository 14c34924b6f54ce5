"""What users' type checkers see; checked by mypy and pyright, never run."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from homebox_async import (
    Account,
    Address,
    AddressId,
    AsyncHomebox,
    FoundAddress,
    Homebox,
    HomeboxError,
    Lead,
    NewTenant,
    OutcomeUnknown,
    Page,
    Pages,
    Problem,
    Property,
    Reading,
    Request,
    RequestError,
    Response,
    Retry,
    Tenant,
    UnprocessableEntity,
    ValidationError,
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
    assert_type(client.with_options(deadline=None, retry=Retry(attempts=1)), AsyncHomebox)
    assert_type(await client.properties.list().collect(max_items=2), list[Property])
    lead = await client.leads.get(1)
    assert_type(lead.tenants, tuple[Tenant, ...])
    assert_type(lead.property, Property | None)
    assert_type(lead.raw, dict[str, Any])
    await client.properties.create("1 Test Lane")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lead.id = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def failures(error: HomeboxError) -> None:
    """Check what is known of an error once its class is."""
    if isinstance(error, OutcomeUnknown):
        assert_type(error.status, int | None)
        assert_type(error.reason, RequestError)
    if isinstance(error, UnprocessableEntity):
        assert_type(error.errors, dict[str, tuple[str, ...]])
        assert_type(error.retry_after, float | None)
    if isinstance(error, ValidationError):
        assert_type(error.problems, tuple[Problem, ...])


async def timed(request: Request, handler: Callable[[Request], Awaitable[Response]]) -> Response:
    """Check that a plain function is a middleware."""
    return await handler(request)


AsyncHomebox("t", middlewares=[timed], attempt_middlewares=(timed,))
Homebox("t", environment="sandbox", middlewares=[timed])


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
    assert_type(client.with_options(deadline=3.0), Homebox)
    assert_type(client.leads.list().first(), Lead | None)
    assert_type(client.account.get(), Account)
