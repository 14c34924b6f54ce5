"""The heading "Meter Readings"."""

from collections.abc import Sequence

from ..finders import order_of, property_of
from ..inputs import read_fields
from ..laravel import midnight, timestamp
from ..lists import meta_of, page_of, size_of
from ..records import Property, Reading
from ..routing import Answer, Call, Route, json_answer
from ..shapes import home_of, property_shape, visible
from ..validation import Validator

_TYPES = ("electric", "gas", "water")

# The answers under this heading leave these out, except when a reading is created for an order.
_NOT_LISTED = ("address_line3", "address_line4", "retrieved_at", "mpan", "mprn")


def create_for_order(call: Call) -> Answer:
    """Add a reading to an order; the answer has no envelope and no `bill_provider`."""
    order = order_of(call)
    home = home_of(call, order)
    row = _create(call, home, order.id)
    shape = _shape(call, row)
    shape["property"] = _property_shape(home)
    return json_answer(call.assumed.create_status, shape)


def list_for_order(call: Call) -> Answer:
    """Answer one page of an order's readings."""
    return _page(call, call.store.of_order(Reading, order_of(call).id))


def create_for_property(call: Call) -> Answer:
    """Add a reading to a property; the answer has no envelope."""
    row = _create(call, property_of(call), None)
    return json_answer(call.assumed.create_status, _listed(call, row))


def list_for_property(call: Call) -> Answer:
    """Answer one page of a property's readings, those for its orders included."""
    return _page(call, call.store.readings_of_property(property_of(call).id))


def _create(call: Call, home: Property, order_id: int | None) -> Reading:
    fields = Validator(read_fields(call), call.assumed.max_text)
    day = fields.iso_date("date_of_reading")
    reading = fields.positive("reading", required=True)
    reading2 = fields.positive("reading2", required=False)
    kind = fields.choice("type", _TYPES, required=True) or ""
    # "Should only be sent for readings of the type electric"
    if reading2 is not None and kind != "electric":
        fields.refuse("reading2", "The {} field is prohibited unless type is in electric.")
    image = fields.file("image")
    fields.finish()
    return call.store.add_reading(
        property_id=home.id,
        order_id=order_id,
        kind=kind.capitalize(),
        reading=reading or "",
        reading2=reading2,
        date_of_reading=day,
        source=None if image is None else f"readings/{image.basename}",
    )


def _page(call: Call, ids: Sequence[int]) -> Answer:
    shown = visible(call, call.store.readings)
    ids = [row_id for row_id in ids if row_id <= shown]
    size = size_of(call)
    rows = [call.store.readings[row_id] for row_id in page_of(call, ids, size)]
    data = [_listed(call, row) for row in rows]
    return json_answer(200, {"data": data, **meta_of(call, len(ids), size)})


def _shape(call: Call, row: Reading) -> dict[str, object]:
    created = timestamp(row.created_at)
    return {
        "id": row.id,
        "source": row.source,
        "state": "complete",
        "reading": _number(call, row.reading),
        "reading2": None if row.reading2 is None else _number(call, row.reading2),
        "date_of_reading": midnight(row.date_of_reading, call.assumed.reading_midnight),
        "created_at": created,
        "type": row.type,
        "updated_at": created,
    }


def _number(call: Call, reading: str) -> str:
    decimals = call.assumed.reading_decimals
    return f"{reading}.{'0' * decimals}" if decimals else reading


def _listed(call: Call, row: Reading) -> dict[str, object]:
    shape = _shape(call, row)
    shape["bill_provider"] = None
    home = _property_shape(home_of(call, row))
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
