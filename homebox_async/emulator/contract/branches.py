"""The contract of "Branch Accounts"."""

from .leads import CREATED, NEW_LEAD, NEW_VOID, PAGED
from .properties import NEW_PROPERTY
from .schema import (
    COLOUR,
    COUNT,
    EMAIL,
    FILE,
    FORM,
    ID,
    PAGE,
    TEXT,
    Heading,
    Operation,
    array,
    body,
    data,
    null,
    obj,
    ref,
)
from .tenant_packages import ADDED, LINKS, NEW_INVITE, NEW_ORDER

_PATH = "/api/partner/child"
_BRANCH = _PATH + "/{child_id}"
_FIELDS = {
    "id": ID,
    "name": TEXT,
    "theme_color_primary": null(TEXT),
    "image_path": null(TEXT),
    "reference_number": null(TEXT),
}

HEADING = Heading(
    "Branch Accounts",
    {
        f"POST {_PATH}/store": Operation(
            "Create Branch Accounts",
            data(obj(id=ID, message=TEXT)),
            body=body(
                {"name": TEXT, "email": EMAIL},
                theme_color_primary=COLOUR,
                reference_number=TEXT,
                image_path=FILE,
            ),
            media=FORM,
            created=True,
        ),
        f"POST {_BRANCH}": Operation(
            "Update a Branch Account",
            # A list of one.
            data(array(obj(_FIELDS, management_fee=TEXT), minItems=1, maxItems=1)),
            body=body({}, name=TEXT, theme_color_primary=COLOUR, reference_number=TEXT),
        ),
        f"GET {_PATH}": Operation("List Branch Accounts", data(array(ref("Branch"))), query=PAGE),
        f"GET {_BRANCH}": Operation("Get Branch Account", data(ref("Branch"))),
        f"POST {_BRANCH}/property": Operation(
            "Create Property for a Branch Account",
            data(ref("Property")),
            body=NEW_PROPERTY,
            created=True,
        ),
        f"POST {_BRANCH}/order": Operation(
            "Create Tenant Package for Branch Account",
            data(obj(order_id=ID), meta=LINKS),
            body=NEW_ORDER,
            created=True,
        ),
        f"POST {_BRANCH}/order/{{order_id}}/invite": Operation(
            "Invite Bill Payers to Branch Tenant Package", ADDED, body=NEW_INVITE, created=True
        ),
        f"GET {_BRANCH}/orders": Operation(
            "List Branch Bills Packages",
            data(
                array(ref("BranchOrder")),
                meta=obj(current_page=ID, page_count=ID, total_count=COUNT),
            ),
            query=PAGE,
        ),
        f"GET {_BRANCH}/order/{{order_id}}": Operation(
            "Get Branch Bills Package", data(ref("Order"))
        ),
        f"POST {_BRANCH}/lead": Operation(
            "Create Lead for a Branch Account", CREATED, body=NEW_LEAD, created=True
        ),
        f"GET {_BRANCH}/lead": Operation(
            "List Leads for a Branch Account",
            data(array(ref("BranchLead")), **PAGED),
            query=PAGE,
        ),
        f"GET {_BRANCH}/lead/{{lead_id}}": Operation(
            "Get Lead of a Branch Account", data(ref("Lead"))
        ),
        f"POST {_BRANCH}/void": Operation(
            "Create Void for a Branch Account", data(ref("Void")), body=NEW_VOID, created=True
        ),
    },
    {
        "Branch": obj(_FIELDS),
        "BranchOrder": obj(
            id=ID, partner_id=ID, package_id=ID, package=TEXT, household=ref("Household")
        ),
    },
)
