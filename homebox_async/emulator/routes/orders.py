"""The heading "Bills Packages": what all orders have in common."""

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime

from ..catalogue import BILLS, money, short_money
from ..finders import order_of, payment_of
from ..inputs import read_fields
from ..laravel import midnight, timestamp
from ..lists import page_of, reported
from ..package_records import Payment, Payout, Tenancy
from ..package_shapes import (
    ORDER_STATUSES,
    end_of,
    logo,
    order_shape,
    payment_shape,
    service_charge,
)
from ..packages import ACTIVE, monthly, replace_payment
from ..records import PARTNER
from ..routing import Answer, Call, Route, json_answer
from ..shapes import home_of
from ..validation import Validator

_ORDER = "/api/partner/order/{order_id}"
PAYMENT_METHODS = ("direct-debit", "bank-transfer")


def list_all(call: Call) -> Answer:
    """Answer one page of the orders; only `meta.order_count` tells anything about the rest."""
    store = call.store
    ids: Sequence[int]
    if call.assumed.parent_sees_branches:
        ids = range(1, len(store.orders) + 1)
    else:
        ids = store.orders_of(PARTNER)
    size = call.assumed.order_page_size
    page = page_of(call, ids, size)
    count = len(ids) if call.assumed.order_count_of == "all" else len(page)
    data = [order_shape(call, store.orders[row_id]) for row_id in page]
    meta = {"order_count": count, **reported(call, len(ids), size)}
    return json_answer(200, {"data": data, "meta": meta})


def get(call: Call) -> Answer:
    """Answer one order."""
    return json_answer(200, {"data": order_shape(call, order_of(call))})


def list_bills(call: Call) -> Answer:
    """Answer the bills of an order with its totals; the service charge stands beside them."""
    order = order_of(call)
    postcode = home_of(call, order).postcode
    charge, charge_each = service_charge(order.housemates, discounted=order.discounted)
    total = monthly(order)
    data: list[dict[str, object]] = []
    for bill in (BILLS[bill_id] for bill_id in order.bills):
        provider = bill.provider_at(postcode)
        data.append(
            {
                "id": bill.id,
                "name": "Standard Plan",
                "title": bill.group,
                "provider": provider,
                "logo_path": logo(call, provider),
                "date_setup": None,
                "state": "No status",
                "price_per_housemate": money(bill.each(order.housemates)),
                "installation_date": None,
            }
        )
    due = _next_payment(call) if order.status_id == ACTIVE else None
    return json_answer(
        200,
        {
            "data": data,
            "service_charge": money(charge),
            "service_charge_per_housemate": money(charge_each),
            "total_price": short_money(total),
            "total_per_bill_payer": short_money(total / order.bill_payers),
            "next_payment_date": due,
        },
    )


def list_payments(call: Call) -> Answer:
    """Answer all attempts to take money for an order."""
    rows = [call.store.payments[n] for n in call.store.of_order(Payment, order_of(call).id)]
    return json_answer(200, {"data": [payment_shape(call, row) for row in rows]})


def replace(call: Call) -> Answer:
    """Cancel a payment and answer the new one that takes its place."""
    payment = payment_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    method = fields.choice("payment_method", PAYMENT_METHODS, required=True)
    if payment.status not in call.assumed.replaceable_payments:
        fields.refuse("payment", f"The {{}} is {payment.status} and cannot be replaced.")
    fields.finish()
    row = replace_payment(call.store, payment, method or "")
    return json_answer(call.assumed.create_status, {"data": payment_shape(call, row)})


def list_payouts(call: Call) -> Answer:
    """Answer what was paid or is to be paid to suppliers."""
    order = order_of(call)
    postcode = home_of(call, order).postcode
    data = []
    for row in (call.store.payouts[n] for n in call.store.of_order(Payout, order.id)):
        bill = BILLS[row.bill_id]
        data.append(
            {
                "id": row.id,
                "status": "Pending" if row.paid_at is None else "Success",
                "bill": "Standard Plan",
                "provider": bill.provider_at(postcode),
                "group": bill.group,
                "created_at": timestamp(row.created_at),
                "paid_at": None if row.paid_at is None else timestamp(row.paid_at),
            }
        )
    return json_answer(200, {"data": data})


def get_property(call: Call) -> Answer:
    """Answer the home of an order; this heading spells the address its own way."""
    order = order_of(call)
    tenancy = call.store.tenancies[order.tenancy_id]
    home = home_of(call, order)
    name, text = ORDER_STATUSES[order.status_id]
    return json_answer(
        200,
        {
            "data": {
                "housemates": order.housemates,
                "tenancy_start": midnight(tenancy.start),
                "tenancy_end": end_of(tenancy),
                "move_in_date": midnight(tenancy.move_in),
                "status": {"id": order.status_id, "name": name, "text": text},
                "address": {
                    "line_one": home.line1,
                    "line_two": home.line2,
                    "city": home.city,
                    "county": home.county,
                    "postcode": home.postcode,
                },
            }
        },
    )


def _next_payment(call: Call) -> str:
    # The day of the month on which the tenancy started, as far as the month has it.
    tenancy: Tenancy = call.store.tenancies[order_of(call).tenancy_id]
    start = date.fromisoformat(tenancy.start)
    today = datetime.fromtimestamp(call.store.clock(), UTC).date()
    due = max(start, today)
    day = _in_month(due.year, due.month, start.day)
    if day < due:
        day = _in_month(due.year + due.month // 12, due.month % 12 + 1, start.day)
    return day.isoformat()


def _in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


ROUTES = (
    # List Bills Packages
    Route("GET", "/api/partner/order", list_all),
    # List Bills Packages: "You can also retrieve a specific order by specifying the ID"
    Route("GET", _ORDER, get),
    # List Bills
    Route("GET", _ORDER + "/bill", list_bills),
    # List Payments
    Route("GET", _ORDER + "/payments", list_payments),
    # Replace Payment
    Route("POST", _ORDER + "/payments/{payment_id}/replace", replace),
    # List Payouts
    Route("GET", _ORDER + "/supplier", list_payouts),
    # Get Property Details
    Route("GET", _ORDER + "/property", get_property),
)
