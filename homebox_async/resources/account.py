"""The document's heading "Account": who the token belongs to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..models import Model, model
from ..rules import UNSET, Unset, colour, nothing_given, text
from .base import Resource


@model
class Account(Model):
    """The partner account of the token."""

    name: str | None = None
    management_fee: Decimal | None = None
    reference_number: str | None = None
    image_path: str | None = None
    theme_color_primary: str | None = None
    name_url: str | None = None


class AsyncAccount(Resource):
    """The authenticated partner account."""

    async def get(self) -> Account:
        """Return the account that the token belongs to.

        Raises AuthenticationFailed for a wrong token, RequestError for another failure.
        Source: GET /api/partner/account, "Get Account Details".
        """
        return await self._get("account", Account)

    async def update(
        self,
        *,
        name: str | Unset = UNSET,
        theme_color_primary: str | Unset = UNSET,
        reference_number: str | Unset = UNSET,
        image_path: str | Unset = UNSET,
    ) -> Account:
        """Change what is given of the account and return it.

        `theme_color_primary`: #RRGGBB or #RGB; invitations to branches are styled with it.
        `image_path`: text; only the document's example has it, its table of parameters does not.
        Raises ValidationError before anything is sent, also if nothing is given, OutcomeUnknown
        if it may have been changed all the same, RequestError otherwise.
        Source: POST /api/partner/account, "Update Account Details".
        """
        changes: dict[str, Any] = {
            "name": name,
            "reference_number": reference_number,
            "image_path": image_path,
            "theme_color_primary": theme_color_primary,
        }
        return await self._post(
            "account",
            Account,
            made=False,
            rules=PARTNER_RULES,
            problems=nothing_given(**changes),
            **changes,
        )


PARTNER_RULES = {
    "name": text,
    "reference_number": text,
    "image_path": text,
    "theme_color_primary": colour,
}
"""The rules of a partner account's fields, its branches' included."""
