"""The document's heading "Branch Accounts": accounts below yours, and calls on their behalf."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from ..errors import Problem, ValidationError
from ..models import Model, model
from ..pages import Pages
from ..rules import UNSET, Unset, email_address, nothing_given, positive_integer
from ..tidying import plain
from ..uploads import AnyFile, as_upload
from .account import PARTNER_RULES
from .base import Resource, Send, shown
from .leads import AsyncLeads
from .orders import AsyncOrderLookup, Order
from .packages import AsyncTenantPackageCreation
from .payers import AsyncInviteCreation
from .properties import AsyncPropertyCreation
from .voids import AsyncVoids


@model
class Branch(Model):
    """A branch account, which the API also calls a child partner."""

    id: int | None = None
    name: str | None = None
    management_fee: Decimal | None = None
    theme_color_primary: str | None = None
    image_path: str | None = None
    reference_number: str | None = None


@model
class CreatedBranch(Model):
    """What "Create Branch Accounts" answers: the new account's id, and words."""

    id: int | None = None
    message: str | None = attrs.field(default=None, repr=False)


class AsyncBranches(Resource):
    """Branch accounts; `client.branch(id)` makes calls on behalf of one."""

    async def create(
        self,
        *,
        name: str,
        email: str,
        theme_color_primary: str | Unset = UNSET,
        reference_number: str | Unset = UNSET,
        image_path: AnyFile | Unset = UNSET,
    ) -> CreatedBranch:
        """Create a branch account and return its id.

        It reaches a real person: `email` gets an invitation to set the account up.
        `theme_color_primary`: #RRGGBB or #RGB. `image_path`: the logo as bytes, path, open binary
        file or `Upload`; its content tells its type, and it is streamed.
        There is no idempotency key: a second call makes a second account and sends a second mail.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been
        created all the same, RequestError otherwise.
        Source: POST /api/partner/child/store, "Create Branch Accounts".
        """
        logo, problems = as_upload("image_path", image_path)
        return await self._post(
            "child/store",
            CreatedBranch,
            rules={
                "name": PARTNER_RULES["name"],
                "email": email_address,
                "theme_color_primary": PARTNER_RULES["theme_color_primary"],
                "reference_number": PARTNER_RULES["reference_number"],
            },
            required=("name", "email"),
            problems=problems,
            form={
                "name": name,
                "theme_color_primary": theme_color_primary,
                "email": email,
                "reference_number": reference_number,
                "image_path": logo,
            },
        )

    async def update(
        self,
        branch_id: int,
        *,
        name: str | Unset = UNSET,
        theme_color_primary: str | Unset = UNSET,
        reference_number: str | Unset = UNSET,
    ) -> Branch:
        """Change what is given of a branch account and return it.

        Raises ValidationError before anything is sent, also if nothing is given, NotFound where
        there is no such branch, OutcomeUnknown if it may have been changed all the same,
        RequestError otherwise.
        Source: POST /api/partner/child/{id}, "Update a Branch Account".
        """
        changes: dict[str, Any] = {
            "name": name,
            "theme_color_primary": theme_color_primary,
            "reference_number": reference_number,
        }
        # The answer is a list of one, which the codec takes for the one.
        return await self._post(
            "child/{branch_id}",
            Branch,
            made=False,
            params={"branch_id": branch_id},
            rules=PARTNER_RULES,
            problems=nothing_given(**changes),
            **changes,
        )

    def list(self, *, start_page: int = 1, prefetch: int = 0) -> Pages[Branch]:
        """List your branch accounts.

        `start_page`, `prefetch`: see `Pages`. The server tells neither the last page nor a total.
        Raises RequestError while it is iterated.
        Source: GET /api/partner/child, "List Branch Accounts".
        """
        return self._pages("child", Branch, start_page=start_page, prefetch=prefetch)

    async def get(self, branch_id: int) -> Branch:
        """Return one branch account.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: GET /api/partner/child/{id}, "List Branch Accounts".
        """
        return await self._get("child/{branch_id}", Branch, branch_id=branch_id)


class AsyncBranchOrders(AsyncTenantPackageCreation, AsyncOrderLookup):
    """The orders of a branch account."""

    def list(self, *, start_page: int = 1, prefetch: int = 0) -> Pages[Order]:
        """List the orders of the branch; the server tells the last page and the total.

        `start_page`, `prefetch`: see `Pages`. Raises RequestError while it is iterated.
        Source: GET /api/partner/child/{child_id}/orders, "List Branch Bills Packages".
        """
        # "orders" here and "order" elsewhere, literally so.
        return self._pages("orders", Order, start_page=start_page, prefetch=prefetch)


class AsyncBranch:
    """Calls on behalf of a branch account: those that the API has for branches.

    Raises ValidationError for what is no id.
    """

    def __init__(self, send: Send, branch_id: int) -> None:
        if fault := positive_integer(branch_id := plain(branch_id)):
            raise ValidationError([Problem("branch_id", *fault)])
        self.id = branch_id
        prefix, scope = "child/{child_id}/", {"child_id": branch_id}
        self.properties = AsyncPropertyCreation(send, prefix, scope)
        self.orders = AsyncBranchOrders(send, prefix, scope)
        self.invites = AsyncInviteCreation(send, prefix, scope)
        self.leads = AsyncLeads(send, prefix, scope)
        self.voids = AsyncVoids(send, prefix, scope)


shown(
    AsyncBranch,
    {
        "properties": AsyncPropertyCreation,
        "orders": AsyncBranchOrders,
        "invites": AsyncInviteCreation,
        "leads": AsyncLeads,
        "voids": AsyncVoids,
    },
)
