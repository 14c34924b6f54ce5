"""The contract of "Account"."""

from .schema import COLOUR, TEXT, Heading, Operation, body, data, obj

_ACCOUNT = {
    "name": TEXT,
    "management_fee": TEXT,
    "reference_number": TEXT,
    "image_path": TEXT,
    "theme_color_primary": TEXT,
}

HEADING = Heading(
    "Account",
    {
        "GET /api/partner/account": Operation("Get Account Details", data(obj(_ACCOUNT))),
        "POST /api/partner/account": Operation(
            "Update Account Details",
            data(obj(_ACCOUNT, name_url=TEXT)),
            body=body(
                {}, name=TEXT, theme_color_primary=COLOUR, reference_number=TEXT, image_path=TEXT
            ),
        ),
    },
)
