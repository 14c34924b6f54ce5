"""What users' type checkers see of the Billing API and of prices; checked, never run."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import assert_type

from homebox_async import (
    AsyncBilling,
    Billing,
    BillingHeader,
    BillingHeaders,
    BillingResult,
    Download,
    PackagePrice,
    TenantPackage,
    price_package,
)
from homebox_async.blocking import BlockingDownload


async def async_billing() -> None:
    """Check the async surface."""
    async with AsyncBilling(username="a", password="b", administrator_ids=[1]) as billing:
        assert_type(billing, AsyncBilling)
        assert_type(await billing.headers("0" * 32), BillingHeaders)
        assert_type(await billing.get(1, include_device_consumptions=True), BillingResult)
        assert_type(billing.document("BE00000001"), Download)
        async for chunk in billing.document("BE00000001"):
            assert_type(chunk, bytes)
        assert_type(await billing.document("BE00000001").save("x"), Path)
        assert_type(billing.with_options(deadline=None), AsyncBilling)


def sync_billing(billing: Billing) -> None:
    """Check that the sync surface is typed as precisely."""
    found = billing.headers("0" * 32, start_date=dt.date(2020, 1, 1))
    assert_type(found.headers, tuple[BillingHeader, ...])
    assert_type(found.headers[0].start_date, dt.date | None)
    assert_type(billing.get(1).document_references, tuple[str, ...])
    assert_type(billing.document("BE00000001"), BlockingDownload)
    for chunk in billing.document("BE00000001"):
        assert_type(chunk, bytes)
    assert_type(billing.document("BE00000001").save(Path("x"), overwrite=True), Path)
    assert_type(billing.with_options(deadline=None), Billing)
    billing.get("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def prices(package: TenantPackage) -> None:
    """Check that a quoted package fits."""
    price = price_package(package, occupants=3, bill_payers=2, add_ons=[35])
    assert_type(price, PackagePrice)
    assert_type(price.shares, tuple[Decimal, ...])
