"""The heading "Property Tenancies"."""

import attrs

from ..finders import tenancy_of
from ..inputs import read_fields
from ..package_records import Tenancy
from ..package_shapes import tenancy_shape
from ..routing import Answer, Call, Route, json_answer
from ..shapes import check_period, home_of, property_shape
from ..validation import Validator

_PATH = "/api/partner/property/{property_id}/tenancy/{tenancy_id}"


def get(call: Call) -> Answer:
    """Answer one tenancy, though the heading says "List Tenancies"."""
    return json_answer(200, {"data": _shape(call, tenancy_of(call))})


def update(call: Call) -> Answer:
    """Change the dates that are sent; no answer is printed, so it is that of `get`."""
    row = tenancy_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    start = fields.short_date("tenancy_start", required=False) or row.start
    end = fields.short_date("tenancy_end", required=False) or row.end
    check_period(call, fields, start, end)
    fields.finish()
    row = attrs.evolve(row, start=start, end=end, updated_at=call.store.clock())
    call.store.commit(row)
    return json_answer(200, {"data": _shape(call, row)})


def _shape(call: Call, row: Tenancy) -> dict[str, object]:
    shape = tenancy_shape(call, row, property_shape(home_of(call, row)))
    inner = shape["tenancy"]
    if row.void is not None and isinstance(inner, dict):
        # Only this heading prints `sse`.
        inner["sse"] = False
    return shape


ROUTES = (
    # List Tenancies
    Route("GET", _PATH, get),
    # Update tenancy dates; the curl line says POST, the HTTP Request line PATCH
    Route("PATCH", _PATH, update),
)
