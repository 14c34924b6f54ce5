"""What users' type checkers see; checked by mypy and pyright, never run."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from homebox_async import (
    Account,
    Address,
    AddressId,
    AsyncBranch,
    AsyncHomebox,
    Bill,
    BillPayer,
    Branch,
    ChosenBill,
    Confirmation,
    CreatedBranch,
    FoundAddress,
    Homebox,
    HomeboxError,
    Invite,
    Lead,
    Mandate,
    Metric,
    NewTenant,
    Order,
    OrderBills,
    OutcomeUnknown,
    Page,
    Pages,
    PartnerQuote,
    Payment,
    Payout,
    PostalBill,
    Problem,
    Property,
    PropertyDetails,
    Reading,
    Request,
    RequestError,
    Response,
    Retry,
    Tenancy,
    Tenant,
    TenantPackage,
    TenantQuote,
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


DAY = dt.date(2026, 1, 1)


async def async_operations(client: AsyncHomebox, home: Address, tenant: NewTenant) -> None:
    """Check what each operation returns."""
    assert_type(await client.tenancies.get(1, 2), Tenancy)
    assert_type(
        await client.tenancies.update_dates(1, 2, tenancy_start=DAY, tenancy_end=DAY), Tenancy
    )
    assert_type(client.orders.list(), Pages[Order])
    assert_type(await client.orders.get(1), Order)
    assert_type(await client.orders.bills(1), OrderBills)
    for bill in await client.orders.bills(1):
        assert_type(bill, Bill)
    assert_type(await client.orders.payments(1), tuple[Payment, ...])
    assert_type(await client.orders.replace_payment(1, 2, payment_method="direct-debit"), Payment)
    assert_type(await client.orders.payouts(1), tuple[Payout, ...])
    assert_type(await client.orders.property_details(1), PropertyDetails)
    for package in await client.tenant_packages.quote(postcode="BN1 1AB"):
        assert_type(package, TenantPackage)
    assert_type(await client.partner_packages.quote(housemates=3, address=home), PartnerQuote)
    assert_type(await client.invites.list(1), tuple[Invite, ...])
    assert_type(await client.invites.delete(1, 2), Confirmation)
    assert_type(await client.bill_payers.list(1), tuple[BillPayer, ...])
    assert_type(await client.bill_payers.update(1, 2, birthday=DAY), BillPayer)
    assert_type(await client.mandates.get(1, 2), Mandate)
    assert_type(await client.postal_bills.create(1, file=b""), PostalBill)
    assert_type(client.postal_bills.list(1, page_size=5), Pages[PostalBill])
    assert_type(
        await client.voids.create(
            property_id=1,
            tenancy_start=DAY,
            property_empty=True,
            responsible_tenant=tenant,
            responsible_address=home,
        ),
        Tenancy,
    )
    assert_type(await client.account.update(name="A"), Account)
    assert_type(await client.branches.create(name="A", email="a@example.com"), CreatedBranch)
    assert_type(await client.metrics.new_orders(from_=DAY), Metric)
    assert_type(await client.metrics.active_orders(), Metric)
    branch = client.branch(1)
    assert_type(branch, AsyncBranch)
    assert_type(await branch.properties.create(home), Property)
    assert_type(branch.orders.list(), Pages[Order])
    assert_type(await branch.leads.get(1), Lead)


def sync_operations(client: Homebox, home: Address) -> None:
    """Check that the sync surface tells the same."""
    assert_type(client.tenancies.get(1, 2), Tenancy)
    assert_type(client.orders.list(), BlockingPages[Order])
    assert_type(client.orders.payments(1), tuple[Payment, ...])
    assert_type(client.tenant_packages.quote(postcode="BN1 1AB"), TenantQuote)
    assert_type(client.invites.delete(1, 2), Confirmation)
    assert_type(client.bill_payers.list(1), tuple[BillPayer, ...])
    assert_type(client.branches.update(1, name="A"), Branch)
    assert_type(client.metrics.new_orders(from_=DAY), Metric)
    branch = client.branch(1)
    assert_type(branch.properties.create(home), Property)
    assert_type(branch.orders.list(), BlockingPages[Order])
    assert_type(branch.orders.get(1), Order)
    assert_type(branch.leads.list(), BlockingPages[Lead])
    assert_type(
        branch.orders.create(
            package_id=1,
            address=home,
            total_occupants=2,
            household_type="student",
            tenancy_start=DAY,
            tenancy_end=DAY,
            tenancy_move_in=DAY,
        ),
        Tenancy,
    )


def refused(client: Homebox, home: Address) -> None:
    """Check that type checkers refuse what the API would refuse or does not have."""
    Address(line1="1", city="London")  # type: ignore[call-arg]  # pyright: ignore
    AddressId()  # type: ignore[call-arg]  # pyright: ignore
    NewTenant(first_name="Jane")  # type: ignore[call-arg]  # pyright: ignore
    ChosenBill(account_number="1")  # type: ignore[call-arg]  # pyright: ignore
    client.orders.replace_payment(1, 2, payment_method="cash")  # type: ignore  # pyright: ignore
    client.voids.create(property_id=1, tenancy_start=DAY)  # type: ignore  # pyright: ignore
    client.metrics.active_orders(from_=DAY)  # type: ignore  # pyright: ignore
    client.branch(1).properties.list()  # type: ignore  # pyright: ignore
    client.branch(1).invites.delete(1, 2)  # type: ignore  # pyright: ignore
    client.branch(1).orders.bills(1)  # type: ignore  # pyright: ignore
