"""The heading "Partner Packages"."""

from ..addresses import Address
from ..catalogue import BILLS, COUNCIL_TAX, CUSTOM, MOST_HOUSEMATES, SERVICE, Bill, money
from ..inputs import read_fields, read_query
from ..laravel import midnight, timestamp
from ..package_shapes import logo, price_shape, service_charge, tenancy_shape
from ..packages import NewPackage, add_package
from ..routing import Answer, Call, Route, json_answer
from ..shapes import (
    home_of,
    raw_property_shape,
    read_address,
    read_bank_account,
    read_lines,
    read_period,
)
from ..validation import Validator
from .leads import read_tenant
from .orders import PAYMENT_METHODS

_SINCE = midnight("2020-07-21")


def quote(call: Call) -> Answer:
    """Answer the utilities with the prices of their bills for so many housemates."""
    fields = Validator(read_query(call), call.assumed.max_text)
    housemates = fields.integer("housemates", low=1, high=MOST_HOUSEMATES, required=True) or 1
    is_student = fields.boolean("is_student", default=False)
    address = read_address(call, fields, required=True, path="")
    fields.finish()
    assert address is not None  # what was missing has been refused
    charge, charge_each = service_charge(housemates)
    return json_answer(
        200,
        {
            "data": [
                _utility(call, BILLS[bill_id], address, housemates)
                for bill_id in _offered(is_student=is_student)
            ],
            "service_charge": money(charge),
            "service_charge_per_housemate": money(charge_each),
        },
    )


def create(call: Call) -> Answer:
    """Add a partner package; the answer is its tenancy, with the order within."""
    fields = Validator(read_fields(call), call.assumed.max_text)
    is_student = fields.boolean("is_student", default=False)
    fields.value("is_student", required=True)
    bills = _bills(fields, is_student=is_student)
    start, end = read_period(call, fields)
    housemates = fields.integer("housemates", low=1, high=MOST_HOUSEMATES, required=True) or 1
    method = fields.choice("payment_method", PAYMENT_METHODS, required=False)
    account_name = read_bank_account(call, fields)
    read_lines(call, fields, "billing_address", required=True)
    for number in range(fields.count("tenants")):
        read_tenant(fields, number)
    reference = fields.text("property_reference")
    address = read_address(call, fields, required=True)
    fields.finish()
    assert address is not None  # what was missing has been refused
    new = NewPackage(
        kind="partner",
        home=address,
        start=start,
        end=end,
        move_in=start,
        package_id=CUSTOM,
        bills=bills,
        housemates=housemates,
        bill_payers=1,
        property_reference=reference,
        payment_method=method or "direct-debit",
        account_name=account_name,
    )
    row = add_package(call.store, call.assumed, new)
    home = raw_property_shape(home_of(call, row), timestamp)
    shape = tenancy_shape(call, call.store.tenancies[row.tenancy_id], home)
    return json_answer(call.assumed.create_status, {"data": shape})


def _offered(*, is_student: bool) -> list[int]:
    left_out = {SERVICE, COUNCIL_TAX} if is_student else {SERVICE}
    return [bill_id for bill_id in BILLS if bill_id not in left_out]


def _bills(fields: Validator, *, is_student: bool) -> tuple[int, ...]:
    offered = _offered(is_student=is_student)
    chosen: list[int] = []
    for number in range(fields.count("bills")):
        path = f"bills.{number}.id"
        # The example sends the id as text.
        bill_id = fields.integer(path, low=1, high=2**31, required=True)
        fields.text(f"bills.{number}.account_number")
        if bill_id is not None and (bill_id not in offered or bill_id in chosen):
            fields.refuse(path, "The selected {} is invalid.")
        elif bill_id is not None:
            chosen.append(bill_id)
    return tuple(chosen)


def _utility(call: Call, bill: Bill, address: Address, housemates: int) -> dict[str, object]:
    provider = bill.provider_at(address.postcode)
    return {
        "id": bill.group_id,
        "name": bill.group,
        "description": f"{bill.group} by {provider}",
        "is_hidden": False,
        "is_essential": bill.is_essential,
        "priority": bill.group_id * 10,
        "logo_path": logo(call, bill.group),
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "bills": [
            {
                "id": bill.id,
                "name": "Standard Plan",
                "description": None,
                "description_html": None,
                "is_required": False,
                "additional": None,
                "provider": {
                    "id": bill.group_id,
                    "name": provider,
                    "email": "supplier@example.com",
                    "logo_path": logo(call, provider),
                    "created_at": _SINCE,
                    "updated_at": _SINCE,
                },
                "prices": [price_shape(bill, housemates)],
            }
        ],
    }


ROUTES = (
    # Get Partner Package Quote
    Route("GET", "/api/partner/quote", quote),
    # Create Partner Package
    Route("POST", "/api/partner/partner-order", create),
)
