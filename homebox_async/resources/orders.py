"""The document's heading "Bills Packages": orders, their bills, payments and payouts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

import attrs

from ..models import Model, day, model
from ..pages import Pages
from ..rules import one_of
from .base import Resource

PaymentMethod = Literal["direct-debit", "bank-transfer"]
payment_method_rule = one_of("direct-debit", "bank-transfer")


@model
class HouseholdAddress(Model):
    """The address of a household."""

    address_line1: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_county: str | None = None
    address_postcode: str | None = None


@model
class Household(Model):
    """Who lives in a home, and since when. `status_id` is not a property's status."""

    id: int | None = None
    bill_payers: int | None = None
    housemates: int | None = None
    status: str | None = None
    status_id: int | None = None
    tenancy_start: dt.date | None = day()
    tenancy_end: dt.date | None = day()
    responsibility: str | None = None
    move_in_date: dt.date | None = day()
    address: HouseholdAddress | None = None


@model
class Order(Model):
    """An order of a bills package. `add_ons` are ids; the negotiator is out of the repr."""

    id: int | None = None
    partner_id: int | None = None
    package_id: int | None = None
    from_lead_id: int | None = None
    package: str | None = None
    household: Household | None = None
    add_ons: tuple[int, ...] = ()
    negotiator: str | None = attrs.field(default=None, repr=False)
    reference: str | None = None
    origin: str | None = None
    created_at: dt.datetime | None = None


@model
class Bill(Model):
    """A bill that an order pays for. `price_per_housemate` is in pounds a month."""

    id: int | None = None
    name: str | None = None
    title: str | None = None
    provider: str | None = None
    logo_path: str | None = None
    date_setup: dt.date | None = None
    state: str | None = None
    price_per_housemate: Decimal | None = None
    installation_date: dt.date | None = None


@model
class OrderBills(Model):
    """The bills of an order, in `data`, and their totals as the server reckons them.

    Amounts are pounds a month and never recomputed here. Iterate it for the bills.
    """

    data: tuple[Bill, ...] = ()
    service_charge: Decimal | None = None
    service_charge_per_housemate: Decimal | None = None
    total_price: Decimal | None = None
    total_per_bill_payer: Decimal | None = None
    next_payment_date: dt.date | None = None

    def __iter__(self) -> Iterator[Bill]:
        return iter(self.data)


@model
class Payer(Model):
    """Who a payment is taken from; all of it is personal and out of the repr."""

    email: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)


@model
class Payment(Model):
    """A payment from a tenant, in pounds. Times are UTC where the server gives no zone.

    `status_id` numbers the statuses of payments; texts come in any case ("success").
    """

    id: int | None = None
    amount: Decimal | None = None
    status: str | None = None
    payment_method: str | None = None
    status_id: int | None = None
    attempt: int | None = None
    previous_attempt_id: int | None = None
    next_attempt_id: int | None = None
    user: Payer | None = None
    paid_at: dt.datetime | None = None
    created_at: dt.datetime | None = None


@model
class Payout(Model):
    """A payment to a supplier."""

    id: int | None = None
    status: str | None = None
    bill: str | None = None
    provider: str | None = None
    group: str | None = None
    created_at: dt.datetime | None = None
    paid_at: dt.datetime | None = None


@model
class HouseholdStatus(Model):
    """The status of a household: its number, its name and a text for people."""

    id: int | None = None
    name: str | None = None
    text: str | None = None


@model
class OrderAddress(Model):
    """The address of an order's home."""

    line_one: str | None = None
    line_two: str | None = None
    city: str | None = None
    county: str | None = None
    postcode: str | None = None


@model
class PropertyDetails(Model):
    """The home of an order: how many live there, from when to when, where."""

    housemates: int | None = None
    tenancy_start: dt.date | None = day()
    tenancy_end: dt.date | None = day()
    move_in_date: dt.date | None = day()
    status: HouseholdStatus | None = None
    address: OrderAddress | None = None


class AsyncOrderLookup(Resource):
    """Getting one order: what a branch account can do, too."""

    async def get(self, order_id: int) -> Order:
        """Return one order.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}, "List Bills Packages"; for a branch
        GET /api/partner/child/{child_id}/order/{order_id}, "List Branch Bills Packages".
        """
        return await self._get("order/{order_id}", Order, order_id=order_id)


class AsyncOrders(AsyncOrderLookup):
    """Orders of bills packages. They are made by `tenant_packages` and `partner_packages`."""

    def list(self, *, start_page: int = 1, prefetch: int = 0) -> Pages[Order]:
        """List the orders that you have created.

        `start_page`, `prefetch`: see `Pages`. The server tells no last page; its `order_count`
        may be the page's or the list's. Raises RequestError while it is iterated.
        Source: GET /api/partner/order, "List Bills Packages".
        """
        return self._pages("order", Order, start_page=start_page, prefetch=prefetch)

    async def bills(self, order_id: int) -> OrderBills:
        """Return the bills of an order with their totals and the next payment's date.

        Raises NotFound where there is no such order, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/bill, "List Bills".
        """
        # The totals stand beside `data`.
        return await self._get(
            "order/{order_id}/bill", OrderBills, envelope=None, order_id=order_id
        )

    async def payments(self, order_id: int) -> tuple[Payment, ...]:
        """Return the payments that have been tried for an order.

        Raises NotFound where there is no such order, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/payments, "List Payments".
        """
        return await self._get_all("order/{order_id}/payments", Payment, order_id=order_id)

    async def replace_payment(
        self, order_id: int, payment_id: int, *, payment_method: PaymentMethod
    ) -> Payment:
        """Cancel a payment, make a new one with another method and return the new one.

        Money moves: with "direct-debit" it is taken from the tenant's account, with
        "bank-transfer" the tenant has to send it. A second call replaces once more.
        Raises ValidationError before anything is sent, NotFound where there is no such payment,
        OutcomeUnknown if it may have been replaced all the same, RequestError otherwise.
        Source: POST /api/partner/order/{order_id}/payments/{payment_id}/replace,
        "Replace Payment".
        """
        return await self._post(
            "order/{order_id}/payments/{payment_id}/replace",
            Payment,
            params={"order_id": order_id, "payment_id": payment_id},
            rules={"payment_method": payment_method_rule},
            required=("payment_method",),
            payment_method=payment_method,
        )

    async def payouts(self, order_id: int) -> tuple[Payout, ...]:
        """Return the payments to suppliers for an order.

        Raises NotFound where there is no such order, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/supplier, "List Payouts".
        """
        return await self._get_all("order/{order_id}/supplier", Payout, order_id=order_id)

    async def property_details(self, order_id: int) -> PropertyDetails:
        """Return address, status, dates and number of housemates of an order's home.

        Raises NotFound where there is no such order, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/property, "Get Property Details".
        """
        return await self._get("order/{order_id}/property", PropertyDetails, order_id=order_id)
