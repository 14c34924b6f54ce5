"""The heading "Meter Readings"."""

from collections.abc import Sequence

from ..inputs import Upload, read_fields
from ..laravel import midnight, no_such_row, timestamp
from ..records import Order, Property, Reading
from ..routing import Answer, Call, Route, json_answer
from ..shapes import property_shape
from ..validation import Validator
from .properties import property_of

_TYPES = ("electric", "gas", "water")

# The answers under this heading leave these out, except when a reading is created for an order.
_NOT_LISTED = ("address_line3", "address_line4", "retrieved_at", "mpan", "mprn")


def create_for_order(call: Call) -> Answer:
    """Add a reading to an order; the answer has no envelope and no `bill_provider`."""
    order = _order_of(call)
    home = call.store.properties[order.property_id]
    row = _create(call, home, order.id)
    shape = _shape(row)
    shape["property"] = _property_shape(home)
    return json_answer(call.assumed.create_status, shape)


def list_for_order(call: Call) -> Answer:
    """Answer one page of an order's readings."""
    return _page(call, call.store.readings_of_order(_order_of(call).id))


def create_for_property(call: Call) -> Answer:
    """Add a reading to a property; the answer has no envelope."""
    row = _create(call, property_of(call), None)
    return json_answer(call.assumed.create_status, _listed(call, row))


def list_for_property(call: Call) -> Answer:
    """Answer one page of a property's readings, those for its orders included."""
    return _page(call, call.store.readings_of_property(property_of(call).id))


def _create(call: Call, home: Property, order_id: int | None) -> Reading:
    given = read_fields(call)
    fields = Validator(given, call.assumed.max_text)
    day = fields.iso_date("date_of_reading")
    reading = fields.positive("reading", required=True)
    reading2 = fields.positive("reading2", required=False)
    kind = fields.required_text("type")
    if kind and kind not in _TYPES:
        fields.refuse("type", "The selected {} is invalid.")
    # "Should only be sent for readings of the type electric"
    if reading2 is not None and kind != "electric":
        fields.refuse("reading2", "The {} field is prohibited unless type is in electric.")
    image = given.get("image")
    if image is not None and not isinstance(image, Upload):
        fields.refuse("image", "The {} field must be a file.")
    fields.finish()
    return call.store.add_reading(
        property_id=home.id,
        order_id=order_id,
        kind=kind.capitalize(),
        reading=reading or "",
        reading2=reading2,
        date_of_reading=day,
        source=f"readings/{_basename(image.filename)}" if isinstance(image, Upload) else None,
    )


def _basename(filename: str) -> str:
    return filename.replace("\\", "/").rpartition("/")[2]


def _order_of(call: Call) -> Order:
    text = call.params["order_id"]
    row = call.store.orders.get(int(text)) if text.isascii() and text.isdigit() else None
    if row is None:
        raise no_such_row("Order", text)
    return row


def _page(call: Call, ids: Sequence[int]) -> Answer:
    size = min(call.limit or call.assumed.reading_page_size, call.assumed.max_reading_page_size)
    start = (call.page - 1) * size
    ordered = ids[::-1] if call.assumed.list_order == "newest-first" else ids
    rows = [call.store.readings[row_id] for row_id in ordered[start : start + size]]
    return json_answer(200, {"data": [_listed(call, row) for row in rows]})


def _shape(row: Reading) -> dict[str, object]:
    created = timestamp(row.created_at)
    return {
        "id": row.id,
        "source": row.source,
        "state": "complete",
        "reading": row.reading,
        "reading2": row.reading2,
        "date_of_reading": midnight(row.date_of_reading),
        "created_at": created,
        "type": row.type,
        "updated_at": created,
    }


def _listed(call: Call, row: Reading) -> dict[str, object]:
    shape = _shape(row)
    shape["bill_provider"] = None
    home = _property_shape(call.store.properties[row.property_id])
    shape["property"] = {name: home[name] for name in home if name not in _NOT_LISTED}
    return shape


def _property_shape(row: Property) -> dict[str, object]:
    shape = property_shape(row)
    if row.status_id == 2:
        # Everywhere else the document calls status 2 "Tenant Package".
        shape["status"] = "Bills Package"
    return shape


ROUTES = (
    # Create Meter Reading for an Order
    Route("POST", "/api/partner/order/{order_id}/readings", create_for_order),
    # List Meter Readings for an Order
    Route("GET", "/api/partner/order/{order_id}/readings", list_for_order),
    # Create Meter Reading for a Property
    Route("POST", "/api/partner/property/{property_id}/readings", create_for_property),
    # List Meter Readings for a Property
    Route("GET", "/api/partner/property/{property_id}/readings", list_for_property),
)
