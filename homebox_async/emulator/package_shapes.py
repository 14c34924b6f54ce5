"""Shapes of orders, tenancies and their bills."""

from collections.abc import Mapping
from decimal import Decimal

from .catalogue import BILLS, PACKAGES, SERVICE, Bill, money
from .laravel import midnight, plain_timestamp, timestamp
from .package_records import Kind, Order, Payment, Tenancy
from .packages import ACTIVE, APPROVAL, SETUP
from .routing import Call
from .shapes import home_of

# The documents print "Active" and "Bills Being Setup" with their ids, and "bill-setup".
ORDER_STATUSES = {
    APPROVAL: ("approval", "Awaiting Approval"),
    ACTIVE: ("active", "Active"),
    SETUP: ("bill-setup", "Bills Being Setup"),
}
TENANCY_TYPES: Mapping[Kind, str] = {
    "tenant": "Tenant Bills Package",
    "partner": "Bills Included Package",
    "void": "Void Period",
}
_RESPONSIBILITIES: Mapping[Kind, str] = {"tenant": "Tenant Package", "partner": "Partner Package"}
_PRICED_AT = midnight("2021-09-15")


def order_shape(call: Call, row: Order) -> dict[str, object]:
    """Return an order as "List Bills Packages" prints it."""
    return {
        "id": row.id,
        "partner_id": row.partner_id,
        "package_id": row.package_id,
        "from_lead_id": row.from_lead_id,
        "package": PACKAGES[row.package_id].name,
        "household": household_shape(call, row, address=True),
        "add_ons": row.add_ons,
        "negotiator": "Un-assigned",
        "reference": row.reference,
        "origin": "API",
        "created_at": timestamp(row.created_at),
    }


def household_shape(call: Call, row: Order, *, address: bool) -> dict[str, object]:
    """Return the household of an order; without its address there is an empty object."""
    tenancy = call.store.tenancies[row.tenancy_id]
    home = home_of(call, row)
    return {
        "id": tenancy.id + call.assumed.inner_tenancy_id_offset,
        "bill_payers": row.bill_payers,
        "housemates": row.housemates,
        "status": ORDER_STATUSES[row.status_id][1],
        "status_id": row.status_id,
        "tenancy_start": midnight(tenancy.start),
        "tenancy_end": end_of(tenancy),
        "responsibility": _RESPONSIBILITIES[tenancy.kind],
        "move_in_date": midnight(tenancy.move_in),
        "address": {
            "address_line1": home.line1,
            "address_line2": home.line2,
            "address_city": home.city,
            "address_county": home.county,
            "address_postcode": home.postcode,
        }
        if address
        else {},
    }


def tenancy_shape(call: Call, row: Tenancy, home: Mapping[str, object]) -> dict[str, object]:
    """Return a tenancy with this shape of its property."""
    return {
        "id": row.id,
        "property_id": row.property_id,
        "tenancy_start": midnight(row.start),
        "tenancy_end": end_of(row),
        "tenancy_type": TENANCY_TYPES[row.kind],
        "tenancy": _inner(call, row),
        "property": home,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
    }


def end_of(row: Tenancy) -> str | None:
    """Return the end of a tenancy; a void may have none."""
    return None if row.end is None else midnight(row.end)


def _inner(call: Call, row: Tenancy) -> dict[str, object]:
    inner_id = row.id + call.assumed.inner_tenancy_id_offset
    if row.void is not None:
        tenant, address = row.void.tenant, row.void.address
        return {
            "id": inner_id,
            "property_empty": row.void.property_empty,
            "responsible_tenant": None
            if tenant is None
            else {
                "first_name": tenant.first_name,
                "last_name": tenant.last_name,
                "email_address": tenant.email_address,
                "phone_number": tenant.phone_number,
            },
            "responsible_address": None
            if address is None
            else {
                "line1": address.line1,
                "line2": address.line2,
                "city": address.city,
                "county": address.county,
                "postcode": address.postcode,
            },
        }
    order = call.store.orders[row.order_id or 0]
    return {
        "id": inner_id,
        "bill_payers": order.bill_payers,
        "housemates": order.housemates,
        "status": ORDER_STATUSES[order.status_id][1],
        "status_id": order.status_id,
        "responsibility": _RESPONSIBILITIES[row.kind],
        "move_in_date": midnight(row.move_in),
        "order": {
            "id": order.id,
            "partner_id": order.partner_id,
            "package_id": order.package_id,
            "package": PACKAGES[order.package_id].name,
            "add_ons": order.add_ons,
            "negotiator": "Un-assigned",
            "reference": order.reference,
            "origin": "API",
            "created_at": timestamp(order.created_at),
        },
    }


def payment_shape(call: Call, row: Payment) -> dict[str, object]:
    """Return a payment as "List Payments" prints it."""
    return {
        "id": row.id,
        "amount": row.amount,
        "status": row.status,
        "status_id": {
            "pending": 1,
            "success": 2,
            "failed": call.assumed.failed_payment_status_id,
            "cancelled": call.assumed.cancelled_payment_status_id,
        }[row.status],
        "payment_method": row.method,
        "attempt": row.attempt,
        "previous_attempt_id": row.previous_id,
        "next_attempt_id": row.next_id,
        "user": {"email": row.email, "first_name": row.first_name, "last_name": row.last_name},
        "paid_at": None if row.paid_at is None else plain_timestamp(row.paid_at),
        "created_at": plain_timestamp(row.created_at),
    }


def price_shape(bill: Bill, housemates: int, *, discounted: bool = False) -> dict[str, object]:
    """Return the price of a bill for so many housemates."""
    return {
        "id": bill.id * 10 + housemates - 10,
        "bill_id": bill.id,
        "housemates": housemates,
        "price_per_housemate": money(bill.each(housemates, discounted=discounted)),
        "price_total": money(bill.total(housemates, discounted=discounted)),
        "created_at": _PRICED_AT,
        "updated_at": _PRICED_AT,
    }


def service_charge(housemates: int, *, discounted: bool = False) -> tuple[Decimal, Decimal]:
    """Return the service charge of a household and of each housemate."""
    bill = BILLS[SERVICE]
    return (
        bill.total(housemates, discounted=discounted),
        bill.each(housemates, discounted=discounted),
    )


def logo(call: Call, provider: str) -> str:
    """Return the address of a provider's logo."""
    return f"{call.origin}/img/providers/{provider.lower().replace(' ', '_')}_logo.png"
