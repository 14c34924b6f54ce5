"""The heading "Tenant Packages": quote and order; its people are in `payers`."""

from collections.abc import Sequence

from ..addresses import POSTCODE
from ..catalogue import BILLS, CUSTOM, MOST_HOUSEMATES, PACKAGES, SERVICE, Package
from ..finders import partner_of
from ..inputs import read_fields, read_query
from ..package_records import Order
from ..package_shapes import logo, price_shape, tenancy_shape
from ..packages import NewPackage, add_package
from ..routing import Answer, Call, Route, json_answer
from ..shapes import home_of, property_shape, read_address, read_period
from ..validation import Validator

_PATH = "/api/partner/order"
_HOUSEHOLDS = ("student", "professional-tenant")


def quote(call: Call) -> Answer:
    """Answer the packages with their prices for each number of housemates."""
    fields = Validator(read_query(call), call.assumed.max_text)
    postcode = fields.required_text("postcode")
    if postcode and not POSTCODE.fullmatch(postcode):
        fields.refuse("postcode", "The {} field format is invalid.")
    is_student = fields.boolean("is_student", default=False)
    discounted = fields.choice("coupon", call.assumed.coupons, required=False) is not None
    fields.finish()

    def shapes(bills: Sequence[int]) -> list[dict[str, object]]:
        return [_bill_shape(call, bill, postcode, discounted=discounted) for bill in bills]

    return json_answer(
        200,
        {
            # No `data` here, as the example shows.
            "packages": [
                {
                    "id": package.id,
                    "name": package.name,
                    "title": package.title,
                    "description": package.description,
                    "bills": shapes(package.bills),
                    "addons": shapes(package.add_ons(is_student=is_student)),
                }
                for package in _offered(call).values()
            ]
        },
    )


def create(call: Call) -> Answer:
    """Add an order with its tenancy and property."""
    row = _create(call)
    tenancy = call.store.tenancies[row.tenancy_id]
    shape = tenancy_shape(call, tenancy, property_shape(home_of(call, row)))
    del shape["id"]
    return _created(call, row, {"order_id": row.id, **shape})


def create_for_branch(call: Call) -> Answer:
    """Add an order for a branch; the answer holds only its id."""
    row = _create(call)
    return _created(call, row, {"order_id": row.id})


def _created(call: Call, row: Order, data: dict[str, object]) -> Answer:
    # "Create Tenant Package for Branch Account" prints the links of the partner, too.
    url = call.origin + _PATH
    links = {"index": f"{url}/", "show": f"{url}/{row.id}"}
    return json_answer(call.assumed.create_status, {"data": data, "meta": {"links": links}})


def _create(call: Call) -> Order:
    partner_id = partner_of(call)
    assumed = call.assumed
    fields = Validator(read_fields(call), assumed.max_text)
    household = fields.choice("household_type", _HOUSEHOLDS, required=True)
    package = _package(call, fields)
    is_student = household == "student"
    add_ons = _add_ons(fields, package, is_student=is_student) if package else ()
    occupants = fields.integer("total_occupants", low=1, high=MOST_HOUSEMATES, required=True)
    payers = fields.integer("bill_payers", low=1, high=MOST_HOUSEMATES, required=False)
    if occupants is not None and payers is not None and payers > occupants:
        fields.refuse("bill_payers", "The {} field must be less than or equal to total occupants.")
    needed = assumed.required_order_fields
    start, end = read_period(call, fields, end_required="tenancy_end" in needed)
    move_in = fields.short_date("tenancy_move_in", required="tenancy_move_in" in needed)
    coupon = fields.choice("coupon", assumed.coupons, required=False)
    reference = fields.text("reference")
    property_reference = fields.text("property_reference")
    address = read_address(call, fields, required=True)
    fields.finish()
    # What was missing has been refused.
    assert package is not None
    assert occupants is not None
    assert address is not None
    new = NewPackage(
        kind="tenant",
        home=address,
        start=start,
        end=end,
        move_in=move_in or start,
        package_id=package.id,
        bills=tuple(bill for bill in (*package.bills, *add_ons) if bill != SERVICE),
        housemates=occupants,
        bill_payers=payers or occupants,
        add_ons=add_ons,
        reference=reference,
        property_reference=property_reference,
        discounted=coupon is not None,
        partner_id=partner_id,
    )
    return add_package(call.store, assumed, new)


def _offered(call: Call) -> dict[int, Package]:
    return {
        package_id: package
        for package_id, package in PACKAGES.items()
        if package_id != CUSTOM or call.assumed.custom_package
    }


def _package(call: Call, fields: Validator) -> Package | None:
    package_id = fields.integer("package_id", low=1, high=2**31, required=True)
    if package_id is None:
        return None
    package = _offered(call).get(package_id)
    if package is None:
        fields.refuse("package_id", "The selected {} is invalid.")
    return package


def _add_ons(fields: Validator, package: Package, *, is_student: bool) -> tuple[int, ...]:
    allowed = package.add_ons(is_student=is_student)
    chosen: list[int] = []
    for number in range(fields.count("add_ons", required=False)):
        path = f"add_ons.{number}"
        bill_id = fields.integer(path, low=1, high=2**31, required=True)
        if bill_id is not None and (bill_id not in allowed or bill_id in chosen):
            fields.refuse(path, "The selected {} is invalid.")
        elif bill_id is not None:
            chosen.append(bill_id)
    return tuple(chosen)


def _bill_shape(call: Call, bill_id: int, postcode: str, *, discounted: bool) -> dict[str, object]:
    bill = BILLS[bill_id]
    provider = bill.provider_at(postcode)
    return {
        "id": bill.id,
        "group_id": bill.group_id,
        "name": bill.group,
        "provider": provider,
        "title": bill.group,
        "description": "Standard Plan",
        "description_html": "<h3>Tariffs</h3>",
        "logo_path": logo(call, provider),
        "prices": [
            price_shape(bill, housemates, discounted=discounted)
            for housemates in range(1, MOST_HOUSEMATES + 1)
        ],
    }


ROUTES = (
    # Get Tenant Package Quote
    Route("GET", "/api/partner/packages", quote),
    # Create Tenant Bills Package
    Route("POST", _PATH, create),
)
