"""The heading "Branch Accounts"; what is done on behalf of a branch is done as for the partner."""

import attrs

from ..finders import branch_of, order_of
from ..inputs import read_fields
from ..lists import meta_of, page_of, reported
from ..package_records import Branch
from ..package_shapes import household_shape, order_shape
from ..routing import Answer, Call, Route, json_answer
from ..uploads import Upload
from ..validation import Validator
from . import leads, payers, properties, tenant_packages, voids

_PATH = "/api/partner/child"
_BRANCH = _PATH + "/{child_id}"

# "List Branch Bills Packages" prints only these fields of an order.
_LISTED = ("id", "partner_id", "package_id", "package")


def create(call: Call) -> Answer:
    """Add a branch, which is invited by email."""
    needed = call.assumed.required_branch_fields
    given = read_fields(call)
    fields = Validator(given, call.assumed.max_text)
    name = fields.text("name", required="name" in needed)
    email = fields.email("email", required="email" in needed)
    reference = fields.text("reference_number", required="reference_number" in needed)
    colour = fields.colour("theme_color_primary")
    # The form brings a file; the updates of JSON clients bring a text.
    image = fields.file("image_path") if isinstance(given.get("image_path"), Upload) else None
    image_path = fields.text("image_path") if image is None else f"logos/{image.basename}"
    fields.finish()
    # Branches count from 2: the partner account is partner 1.
    row = Branch(
        len(call.store.branches) + 2,
        name or "",
        email or None,
        reference,
        image_path,
        colour,
        call.store.clock(),
    )
    call.store.commit(row)
    message = "Child partner has been successfully created."
    return json_answer(call.assumed.create_status, {"data": {"id": row.id, "message": message}})


def update(call: Call) -> Answer:
    """Change what is sent; the answer is a list of one."""
    old = branch_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    row = attrs.evolve(
        old,
        name=fields.text("name") or old.name,
        reference_number=fields.text("reference_number") or old.reference_number,
        theme_color_primary=fields.colour("theme_color_primary") or old.theme_color_primary,
    )
    fields.finish()
    call.store.commit(row)
    # "works in the same way as updating a regular partner except, the management fee which is
    # inherited"
    fee = call.store.account.management_fee
    return json_answer(200, {"data": [{**_shape(row), "management_fee": fee}]})


def list_all(call: Call) -> Answer:
    """Answer one page of the branches; nothing in it tells where the end is."""
    ids, size = list(call.store.branches), call.assumed.branch_page_size
    data = [_shape(call.store.branches[row_id]) for row_id in page_of(call, ids, size)]
    return json_answer(200, {"data": data, **meta_of(call, len(ids), size)})


def get(call: Call) -> Answer:
    """Answer one branch."""
    return json_answer(200, {"data": _shape(branch_of(call))})


def list_orders(call: Call) -> Answer:
    """Answer one page of a branch's orders with this heading's own `meta`."""
    ids = call.store.orders_of(branch_of(call).id)
    size = call.assumed.order_page_size
    data = []
    for order in (call.store.orders[row_id] for row_id in page_of(call, ids, size)):
        shape = order_shape(call, order)
        address = call.assumed.branch_orders_show_address
        household = household_shape(call, order, address=address)
        data.append({**{name: shape[name] for name in _LISTED}, "household": household})
    names = ("total_count", "page_count")
    meta = {"current_page": call.page, **reported(call, len(ids), size, names=names)}
    return json_answer(200, {"data": data, "meta": meta})


def get_order(call: Call) -> Answer:
    """Answer one order of a branch."""
    return json_answer(200, {"data": order_shape(call, order_of(call))})


def _shape(row: Branch) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "theme_color_primary": row.theme_color_primary,
        "image_path": row.image_path,
        "reference_number": row.reference_number,
    }


ROUTES = (
    # Create Branch Accounts
    Route("POST", _PATH + "/store", create),
    # Update a Branch Account
    Route("POST", _BRANCH, update),
    # List Branch Accounts
    Route("GET", _PATH, list_all),
    # List Branch Accounts: "You can also retrieve a single partner by specifying the ID"
    Route("GET", _BRANCH, get),
    # Create Property for a Branch Account
    Route("POST", _BRANCH + "/property", properties.create),
    # Create Tenant Package for Branch Account
    Route("POST", _BRANCH + "/order", tenant_packages.create_for_branch),
    # Invite Bill Payers to Branch Tenant Package
    Route("POST", _BRANCH + "/order/{order_id}/invite", payers.invite),
    # List Branch Bills Packages
    Route("GET", _BRANCH + "/orders", list_orders),
    # List Branch Bills Packages: "You can also retrieve a specific order by specifying the ID"
    Route("GET", _BRANCH + "/order/{order_id}", get_order),
    # Create Lead for a Branch Account
    Route("POST", _BRANCH + "/lead", leads.create),
    # List Leads for a Branch Account
    Route("GET", _BRANCH + "/lead", leads.list_of_branch),
    # List Leads for a Branch Account: "You can also retrieve a specific lead by specifying the ID"
    Route("GET", _BRANCH + "/lead/{lead_id}", leads.get),
    # Create Void for a Branch Account
    Route("POST", _BRANCH + "/void", voids.create),
)
