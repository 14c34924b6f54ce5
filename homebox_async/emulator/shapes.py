"""Shapes that several headings share: properties and partners, and addresses in requests."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from .addresses import Address
from .laravel import timestamp
from .package_records import Lines, Order, Tenancy
from .records import PARTNER, Property, Reading
from .routing import Call
from .table import Table
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


def raw_property_shape(row: Property, stamp: Callable[[float], str]) -> dict[str, object]:
    """Return the property's raw model: more fields, no `retrieved_at`, the given dates."""
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
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "external_id": row.external_id,
        "mpan": None,
        "mpan_top_line": None,
        "mpan_economy7": None,
        "mpan_profile_class": None,
        "mpan_energisation_status": None,
        "mprn": None,
        "uprn": None,
        "gspid": None,
        "meter_type_electric": None,
        "serial_number_electric": None,
        "serial_number_gas": None,
    }


def partner_shape(call: Call, partner_id: int) -> dict[str, object]:
    """Return the partner account or a branch as "List Properties" prints it."""
    account = call.store.account
    owner = account if partner_id == PARTNER else call.store.branches[partner_id]
    return {
        "id": partner_id,
        "name": owner.name,
        "name_url": slug(owner.name),
        "reference_number": owner.reference_number,
        "image_path": owner.image_path,
        "theme_color_primary": owner.theme_color_primary,
        "status": "active",
        "type": 0,
        "type_name": "reseller",
        # "except, the management fee which is inherited"
        "management_fee": account.management_fee,
        "commission_allowed": True,
        "reseller": {"name": owner.name, "logo": owner.image_path},
    }


def slug(name: str) -> str:
    """Return a name as it stands in URLs: "partner-account"."""
    return "-".join(re.findall(r"\w+", name.lower()))


def home_of(call: Call, row: Order | Tenancy | Reading) -> Property:
    """Return the property to which a row belongs."""
    return call.store.properties[row.property_id]


def visible(call: Call, rows: Table[Any]) -> int:
    """Return the highest id that a list shows yet: ids count up with the time of creation."""
    lag = call.assumed.list_lag
    return rows.before(call.store.clock() - lag) if lag else len(rows)


def required_address(call: Call, fields: Validator) -> Address:
    """Take the `address` of a request that cannot be without one.

    Raises the refusal of all that `fields` has noted, this address included.
    """
    address = read_address(call, fields, required=True)
    if address is None:
        raise fields.refusal()
    fields.finish()
    return address


def read_address(
    call: Call, fields: Validator, *, required: bool, path: str = "address"
) -> Address | None:
    """Take the `address` of a request: a known `address_id` or the complete address.

    An empty path means fields beside all others. Returns None when there is none, or when
    `fields` has noted what is wrong with it.
    """
    if path and not fields.mapping(path, required=required):
        return None
    prefix = f"{path}." if path else ""
    address_id = fields.text(f"{prefix}address_id")
    if address_id is not None:
        known = call.store.addresses.get(address_id)
        if known is None:
            fields.refuse(f"{prefix}address_id", "The selected {} is invalid.")
        return known
    line1, line2, city, county, postcode = _lines(
        fields, prefix, call.assumed.required_address_fields
    )
    return Address(line1 or "", line2, city, county, postcode or "")


def read_lines(call: Call, fields: Validator, path: str, *, required: bool) -> Lines | None:
    """Take an address that cannot be an `address_id`, such as a billing address."""
    if not fields.mapping(path, required=required):
        return None
    return Lines(*_lines(fields, f"{path}.", call.assumed.required_address_fields))


def read_bank_account(call: Call, fields: Validator, *, strict: bool | None = None) -> str:
    """Check a bank account and return the name on it."""
    strict = call.assumed.strict_bank_details if strict is None else strict
    if strict:
        fields.digits("account_number", 8, required=True)
        fields.digits("sort_code", 6, required=True)
        return fields.sized_text("account_name", 2, 18, required=True)
    fields.required_text("account_number")
    fields.required_text("sort_code")
    return fields.required_text("account_name")


def read_period(
    call: Call, fields: Validator, *, end_required: bool = True
) -> tuple[str, str | None]:
    """Take `tenancy_start` and `tenancy_end` as ISO dates, in this order."""
    start = fields.short_date("tenancy_start")
    end = fields.short_date("tenancy_end", required=end_required)
    check_period(call, fields, start, end)
    return start, end or None


def check_period(call: Call, fields: Validator, start: str, end: str | None) -> None:
    """Refuse a tenancy that ends before it starts, where that is assumed."""
    if start and end and end <= start and call.assumed.tenancy_end_after_start:
        fields.refuse("tenancy_end", "The {} field must be a date after tenancy start.")


def _lines(fields: Validator, prefix: str, needed: Sequence[str]) -> list[str | None]:
    parts = ("line1", "line2", "city", "county", "postcode")
    return [fields.text(f"{prefix}{part}", required=part in needed) for part in parts]
