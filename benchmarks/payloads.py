"""What the neutral servers answer: the documents' examples, in the sizes that the API sends."""

from __future__ import annotations

import json
from typing import Any

PROPERTY = "/api/partner/property"
LEAD = "/api/partner/lead"
NUMBER = b"@number@"
"""Stands in an answer for a number that differs each time."""
LISTED = b'"@listed@"'
"""Stands in a list for what was created first, if anything was."""


def property_(number: int | str) -> dict[str, Any]:
    """Make a property as "Create a Property" answers it."""
    return {
        "id": number,
        "address_line1": "123 Test Lane",
        "address_line2": None,
        "address_line3": None,
        "address_line4": None,
        "address_city": "London",
        "address_county": "Greater London",
        "address_postcode": "EC1V 2NX",
        "status_id": 1,
        "status": "New Tenancy",
        "created_at": "2020-05-01 12:00:00",
        "updated_at": "2020-05-01 12:00:00",
        "external_id": None,
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


def lead(number: int) -> dict[str, Any]:
    """Make a lead with a property and two tenants, as "List Leads" answers it."""
    return {
        "id": number,
        "partner_id": 1,
        "tenancy_start": "2022-07-01T00:00:00.000000Z",
        "tenancy_end": "2023-07-01T00:00:00.000000Z",
        "tenancy_type": "New Tenancy",
        "completed_at": None,
        "managing_party_name": "Example Agent",
        "property": property_(number),
        "property_reference": f"REF-{number}",
        "tenants": [_tenant(2 * number), _tenant(2 * number + 1)],
        "created_at": "2020-04-23T18:04:07.000000Z",
    }


def _tenant(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "first_name": "Bill",
        "last_name": "Appleseed",
        "phone_number": "+441234567890",
        "email_address": f"bill.appleseed.{number}@example.com",
        "unsubscribed": False,
        "created_at": "2020-05-01 12:00:00",
        "updated_at": "2020-05-01 12:00:00",
    }


def lead_page(page: int = 1, last_page: int = 1, size: int = 50) -> bytes:
    """Make a page of leads; every lead of every page has an id of its own."""
    first = (page - 1) * size + 1
    return encoded(
        {
            "data": [lead(number) for number in range(first, first + size)],
            "meta": {
                "current_page": page,
                "last_page": last_page,
                "per_page": size,
                "total": last_page * size,
            },
        }
    )


def encoded(answer: Any) -> bytes:
    """Write an answer as JSON without spaces, as the API does."""
    return json.dumps(answer, separators=(",", ":")).encode()


def routes() -> dict[str, bytes]:
    """Return what the neutral server answers, by method and path."""
    created = encoded({"data": property_("number")}).replace(b'"number"', NUMBER)
    return {
        f"GET {PROPERTY}/1": encoded({"data": property_(1)}),
        f"GET {PROPERTY}": encoded({"data": []}),
        f"POST {PROPERTY}": created,
        f"GET {LEAD}": lead_page(),
        "GET /api/partner/account": encoded(
            {"data": {"name": "Bench", "reference_number": "BENCH"}}
        ),
    }


def held(number: int, sent: dict[str, Any]) -> dict[str, Any]:
    """Make a property of what was sent to create it, as "List Properties" shows it."""
    address = sent["address"]
    partner = {"id": 1, "name": "Bench", "reference_number": "BENCH"}
    reference = {"id": 1, "partner": partner, "property_reference": sent["property_reference"]}
    return {
        **property_(number),
        "address_line1": address["line1"],
        "address_line2": address.get("line2"),
        "address_city": address["city"],
        "address_postcode": address["postcode"],
        "partner_properties": [reference],
    }


def import_routes() -> dict[str, bytes]:
    """Return what the plain server answers to imports: its list shows what was created first."""
    listed = encoded({"data": ["@listed@"]})
    return {**routes(), f"GET {PROPERTY}": listed}


def page_routes(pages: int) -> dict[str, bytes]:
    """Return a list of leads of so many pages."""
    return {f"GET {LEAD}?page={page}": lead_page(page, pages) for page in range(1, pages + 1)}
