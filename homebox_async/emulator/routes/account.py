"""The heading "Account"."""

from ..routing import Answer, Call, Route, json_answer


def get(call: Call) -> Answer:
    """Answer the details of the partner account."""
    account = call.store.account
    return json_answer(
        200,
        {
            "data": {
                "name": account.name,
                "management_fee": account.management_fee,
                "reference_number": account.reference_number,
                "image_path": account.image_path,
                "theme_color_primary": account.theme_color_primary,
            }
        },
    )


ROUTES = (
    # Get Account Details
    Route("GET", "/api/partner/account", get),
)
