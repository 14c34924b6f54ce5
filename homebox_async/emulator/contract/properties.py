"""The contract of "Properties"."""

from .schema import (
    BOOL,
    ID,
    INT,
    PAGE,
    PLAIN_TIMESTAMP,
    TEXT,
    TIMESTAMP,
    Heading,
    Operation,
    array,
    body,
    data,
    null,
    obj,
    ref,
)

_PARTNER = obj(
    id=ID,
    name=TEXT,
    name_url=TEXT,
    reference_number=null(TEXT),
    image_path=null(TEXT),
    theme_color_primary=null(TEXT),
    status=TEXT,
    type=INT,
    type_name=TEXT,
    management_fee=TEXT,
    commission_allowed=BOOL,
    reseller=obj(name=TEXT, logo=null(TEXT)),
)
_ADDRESS = {
    "id": ID,
    "address_line1": TEXT,
    "address_line2": null(TEXT),
    "address_city": null(TEXT),
    "address_county": null(TEXT),
    "address_postcode": TEXT,
    "status_id": {"type": "integer", "minimum": 1, "maximum": 6},
    "status": TEXT,
    "external_id": null(TEXT),
    "uprn": null(TEXT),
}
_STAMPS = {"created_at": TIMESTAMP, "updated_at": TIMESTAMP}
_PLAIN_STAMPS = {"created_at": PLAIN_TIMESTAMP, "updated_at": PLAIN_TIMESTAMP}
_MORE = {"address_line3": null(TEXT), "address_line4": null(TEXT), "mpan": null(TEXT)}
_FULL = {**_ADDRESS, **_STAMPS, **_MORE, "mprn": null(TEXT), "retrieved_at": null(TIMESTAMP)}
_METERS = {
    "mprn": null(TEXT),
    "mpan_top_line": null(TEXT),
    "mpan_economy7": null(BOOL),
    "mpan_profile_class": null(TEXT),
    "mpan_energisation_status": null(TEXT),
    "gspid": null(TEXT),
    "meter_type_electric": null(TEXT),
    "serial_number_electric": null(TEXT),
    "serial_number_gas": null(TEXT),
}
_LINES = {"line1": TEXT, "city": TEXT, "postcode": TEXT}

# What "Create a Property" and its counterpart for branches take.
NEW_PROPERTY = body({"address": ref("NewAddress")}, property_reference=null(TEXT))

HEADING = Heading(
    "Properties",
    {
        "GET /api/partner/address/find/{query}": Operation(
            "Find an Address", data(array(obj(address=TEXT, address_id=TEXT)))
        ),
        "POST /api/partner/property": Operation(
            "Create a Property", data(ref("Property")), body=NEW_PROPERTY, created=True
        ),
        "GET /api/partner/property": Operation(
            "List Properties",
            # The example prints an object where a list is due.
            data({"anyOf": [array(ref("ListedProperty")), ref("ListedProperty")]}),
            query={
                "filter": {**TEXT, "description": "Base64 of JSON", "examples": ["e30="]},
                "q": TEXT,
                **PAGE,
            },
        ),
        "GET /api/partner/property/{property_id}": Operation(
            "List Property", data(ref("Property"))
        ),
    },
    {
        "NewAddress": {
            "anyOf": [
                body({"address_id": TEXT}, postcode=null(TEXT)),
                body(_LINES, line2=null(TEXT), county=null(TEXT)),
            ]
        },
        "Lines": body(_LINES, line2=null(TEXT), county=null(TEXT)),
        "Property": obj(_FULL),
        "ListedProperty": obj(
            {
                **_FULL,
                "partner_properties": array(
                    obj(id=ID, partner=_PARTNER, property_reference=null(TEXT))
                ),
            }
        ),
        "BriefProperty": obj({**_ADDRESS, **_STAMPS}),
        "MeteredProperty": obj({**_ADDRESS, **_STAMPS, **_MORE, **_METERS}),
        "RawProperty": obj({**_ADDRESS, **_PLAIN_STAMPS, **_MORE, **_METERS}),
    },
)
