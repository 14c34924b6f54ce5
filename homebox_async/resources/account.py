"""The document's heading "Account": who the token belongs to."""

from __future__ import annotations

from decimal import Decimal

from ..models import Model, model
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
