"""Shapes that several headings share: a property, and an address in a request."""

from .addresses import Address
from .laravel import timestamp
from .records import Property
from .routing import Call
from .validation import Validator

# "List Properties", the table of statuses; where it says "Pending", all answers print
# "New Tenancy".
STATUS_TEXTS = {
    1: "New Tenancy",
    2: "Tenant Package",
    3: "Tenants Organising",
    4: "Void Period",
    5: "Unknown",
    6: "Partner Package",
}


def property_shape(row: Property) -> dict[str, object]:
    """Return the property as "Create a Property" prints it."""
    created = timestamp(row.created_at)
    return {
        "id": row.id,
        "address_line1": row.line1,
        "address_line2": row.line2,
        "address_line3": None,
        "address_line4": None,
        "address_city": row.city,
        "address_county": row.county,
        "address_postcode": row.postcode,
        "status_id": row.status_id,
        "status": STATUS_TEXTS.get(row.status_id, "Unknown"),
        "created_at": created,
        "updated_at": timestamp(row.updated_at),
        "external_id": row.external_id,
        # The examples print it wherever there is an `external_id`.
        "retrieved_at": created if row.external_id else None,
        "mpan": None,
        "mprn": None,
        "uprn": None,
    }


def required_address(call: Call, fields: Validator) -> Address:
    """Take the `address` of a request that cannot be without one.

    Raises the refusal of all that `fields` has noted, this address included.
    """
    address = read_address(call, fields, required=True)
    if address is None:
        raise fields.refusal()
    fields.finish()
    return address


def read_address(call: Call, fields: Validator, *, required: bool) -> Address | None:
    """Take the `address` of a request: a known `address_id` or the complete address.

    Returns None when there is none, or when `fields` has noted what is wrong with it.
    """
    if not fields.mapping("address", required=required):
        return None
    address_id = fields.text("address.address_id")
    if address_id is not None:
        known = call.store.addresses.get(address_id)
        if known is None:
            fields.refuse("address.address_id", "The selected {} is invalid.")
        return known
    needed = call.assumed.required_address_fields
    line1, line2, city, county, postcode = (
        fields.text(f"address.{part}", required=part in needed)
        for part in ("line1", "line2", "city", "county", "postcode")
    )
    return Address(line1 or "", line2, city, county, postcode or "")
