"""The heading "Account"."""

import attrs

from ..inputs import read_fields
from ..routing import Answer, Call, Route, json_answer
from ..shapes import slug
from ..validation import Validator

_PATH = "/api/partner/account"


def get(call: Call) -> Answer:
    """Answer the details of the partner account."""
    return json_answer(200, {"data": _shape(call)})


def update(call: Call) -> Answer:
    """Change what is sent and answer the account; only here it has its `name_url`."""
    fields = Validator(read_fields(call), call.assumed.max_text)
    old = call.store.account
    new = attrs.evolve(
        old,
        name=fields.text("name") or old.name,
        reference_number=fields.text("reference_number") or old.reference_number,
        # Not in the table of parameters, but in the example.
        image_path=fields.text("image_path") or old.image_path,
        theme_color_primary=fields.colour("theme_color_primary") or old.theme_color_primary,
    )
    fields.finish()
    call.store.commit(new)
    return json_answer(200, {"data": {**_shape(call), "name_url": slug(new.name)}})


def _shape(call: Call) -> dict[str, object]:
    account = call.store.account
    return {
        "name": account.name,
        "management_fee": account.management_fee,
        "reference_number": account.reference_number,
        "image_path": account.image_path,
        "theme_color_primary": account.theme_color_primary,
    }


ROUTES = (
    # Get Account Details
    Route("GET", _PATH, get),
    # Update Account Details
    Route("POST", _PATH, update),
)
