"""The heading "Postal Bills"."""

import hashlib
from pathlib import PurePosixPath

from ..finders import order_of
from ..inputs import read_fields
from ..laravel import timestamp
from ..lists import meta_of, page_of, size_of
from ..package_records import PostalBill
from ..routing import Answer, Call, Route, json_answer
from ..validation import Validator

_PATH = "/api/partner/order/{order_id}/postal-bills"


def create(call: Call) -> Answer:
    """Keep a bill that came by post; the answer is a list of one."""
    order = order_of(call)
    fields = Validator(read_fields(call), call.assumed.max_text)
    notes = fields.text("tenant_notes")
    file = fields.file("file", required=True)
    fields.finish()
    assert file is not None  # a missing one has been refused
    number = call.store.postal_bills.next_id
    # Stored under 40 random characters, as the printed name has.
    digest = hashlib.sha256(f"{number}|".encode() + file.content).hexdigest()[:40]
    name = digest + PurePosixPath(file.basename).suffix
    row = PostalBill(number, order.id, name, notes, call.store.clock())
    call.store.commit(row)
    return json_answer(call.assumed.create_status, {"data": [_shape(call, row)]})


def list_all(call: Call) -> Answer:
    """Answer one page of the postal bills of an order."""
    ids, size = call.store.of_order(PostalBill, order_of(call).id), size_of(call)
    data = [_shape(call, call.store.postal_bills[row_id]) for row_id in page_of(call, ids, size)]
    return json_answer(200, {"data": data, **meta_of(call, len(ids), size)})


def _shape(call: Call, row: PostalBill) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "source": f"{call.origin}/postal-bills/{row.name}",
        "notes": row.notes,
        "feedback": None,
        "state": "Requires Action",
        "type": "-",
        "created_at": timestamp(row.created_at)[:10],
    }


ROUTES = (
    # Create Postal Bill
    Route("POST", _PATH, create),
    # List Postal Bills
    Route("GET", _PATH, list_all),
)
