"""The heading "Properties"."""

import base64
import json
from collections.abc import Iterable, Sequence
from itertools import islice

from ..addresses import POSTCODE, generate, identify, label, matches
from ..finders import branch_of, property_of
from ..inputs import read_fields
from ..laravel import invalid
from ..lists import meta_of, others_act, page_of, remaining
from ..records import PARTNER, Property
from ..rewriting import shown_address, shown_reference
from ..routing import Answer, Call, Route, json_answer
from ..shapes import partner_shape, property_shape, required_address, visible
from ..validation import Validator

# Ids that no partner, branch or entry of this emulator has.
_OTHERS = 900_000


def find_address(call: Call) -> Answer:
    """Answer the addresses that exist at a postcode, and the stored ones that match."""
    query = call.params["query"]
    words = query.lower().split()
    found = {}
    if postcode := POSTCODE.search(query):
        for address in generate(postcode[0], call.seed):
            if matches(address, words):
                found[address.address_id] = address
    for row_id in islice(_matching(call, query), call.assumed.find_limit):
        address = identify(call.store.properties[row_id], call.seed)
        found.setdefault(address.address_id, address)
    for address in found.values():
        call.store.remember_address(address)
    return json_answer(
        200,
        {
            "data": [
                {"address": label(address), "address_id": address_id}
                for address_id, address in found.items()
            ]
        },
    )


def create(call: Call) -> Answer:
    """Add a property; its reference is kept but not answered, as the example shows."""
    partner_id = branch_of(call).id if call.params else PARTNER
    fields = Validator(read_fields(call), call.assumed.max_text)
    reference = fields.text("property_reference")
    address = required_address(call, fields)
    if call.assumed.unique_references and reference:
        homes = call.store.properties
        if any((home.partner_id, home.reference) == (partner_id, reference) for home in homes):
            raise invalid({"property_reference": ["The reference has already been taken."]})
    if not call.assumed.repeated_address_makes_new:
        there = call.store.property_at(address, partner_id)
        if there is not None:
            return json_answer(200, {"data": property_shape(there)})
    row = call.store.add_property(address, reference, partner_id)
    return json_answer(call.assumed.create_status, {"data": property_shape(row)})


def list_all(call: Call) -> Answer:
    """Answer one page of the properties; nothing in it tells where the end is."""
    size = call.assumed.property_page_size
    statuses = _statuses(call.received.query.get("filter"))
    query = call.received.query.get("q", "")
    rows = call.store.properties
    ids: Sequence[int] = range(1, visible(call, rows) + 1)
    if query.strip():
        ids = list(_matching(call, query))
    if not call.assumed.parent_sees_branches:
        ids = [row_id for row_id in ids if rows[row_id].partner_id == PARTNER]
    if statuses is not None:
        ids = [row_id for row_id in ids if str(rows[row_id].status_id) in statuses]
    ids = remaining(call, "properties", ids)
    data = _listed(call, [rows[row_id] for row_id in page_of(call, ids, size)])
    single = call.assumed.single_object_lists and len(data) == 1
    answer = {"data": data[0] if single else data, **meta_of(call, len(ids), size)}
    others_act(call, "properties")
    return json_answer(200, answer)


def get(call: Call) -> Answer:
    """Answer one property."""
    row = property_of(call)
    if call.assumed.get_shows_references:
        return json_answer(200, {"data": _listed(call, [row])[0]})
    return json_answer(200, {"data": property_shape(row)})


def _matching(call: Call, query: str) -> Iterable[int]:
    # A whole postcode narrows the search by the index; anything else reads all rows.
    store = call.store
    shown = visible(call, store.properties)
    if call.assumed.q_searches != "address":
        rows = store.properties
        return (one for one in range(1, shown + 1) if _is_found(call, rows[one], query))
    words = query.lower().split()
    ids: Iterable[int]
    if postcode := POSTCODE.search(query):
        ids = [row_id for row_id in store.at_postcode(postcode[0]) if row_id <= shown][::-1]
    else:
        ids = range(1, shown + 1)
    return (row_id for row_id in ids if matches(store.properties[row_id], words))


def _is_found(call: Call, row: Property, query: str) -> bool:
    """Search as a server may that takes `q` otherwise."""
    parts = [row.line1, row.line2, row.city, row.county]
    if call.assumed.q_searches == "address-without-postcode":
        query = query.lower()
        parts = [part and part.lower() for part in parts]
    else:
        parts.append(row.postcode)
    return query in " ".join(part for part in parts if part)


def _statuses(text: str | None) -> frozenset[str] | None:
    if not text:
        return None
    try:
        filters = json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        filters = None
    if not isinstance(filters, dict):
        raise invalid({"filter": ["The filter field must be Base64 encoded JSON."]})
    statuses = filters.get("status")
    if statuses is None:
        return None
    # The database behind Laravel takes "2" for 2.
    return frozenset(map(str, statuses if isinstance(statuses, list) else [statuses]))


def _listed(call: Call, rows: Sequence[Property]) -> list[dict[str, object]]:
    partners = {owner: partner_shape(call, owner) for owner in {row.partner_id for row in rows}}
    return [
        {
            **property_shape(row),
            **shown_address(call, row),
            "partner_properties": [
                *_of_others(call, row),
                {
                    "id": row.id,
                    "partner": partners[row.partner_id],
                    "property_reference": shown_reference(call, row.reference),
                },
            ],
        }
        for row in rows
    ]


def _of_others(call: Call, row: Property) -> list[dict[str, object]]:
    """Return the entry of another partner for a property, if there is one."""
    references = call.assumed.other_partner_references[row.id - 1 : row.id]
    return [
        {
            "id": _OTHERS + row.id,
            "partner": {"id": _OTHERS, "name": "Another Agency", "reference_number": "OTHER-1"},
            "property_reference": reference,
        }
        for reference in references
    ]


ROUTES = (
    # Find an Address
    Route("GET", "/api/partner/address/find/{query}", find_address),
    # Create a Property
    Route("POST", "/api/partner/property", create),
    # List Properties
    Route("GET", "/api/partner/property", list_all),
    # List Property
    Route("GET", "/api/partner/property/{property_id}", get),
)
