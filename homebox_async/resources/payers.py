"""The document's heading "Tenant Packages": who pays for one, and from which account."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import attrs

from ..models import Model, model
from ..rules import (
    UNSET,
    Unset,
    country_code,
    email_address,
    mandate_name,
    nothing_given,
    past_date,
    phone_number,
    text,
)
from ..rules import account_number as account_number_rule
from ..rules import sort_code as sort_code_rule
from .addresses import Address, complete_address
from .base import Confirmation, Resource, check_echo


@model
class Invite(Model):
    """A bill payer who has been invited and has not signed up. `total_sent` is text."""

    id: int | None = None
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    phone_number: str | None = attrs.field(default=None, repr=False)
    total_sent: str | None = None


@model
class BillPayer(Model):
    """A tenant who pays for a package. Personal fields stay out of the repr."""

    id: int | None = None
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    email: str | None = attrs.field(default=None, repr=False)
    phone_number: str | None = attrs.field(default=None, repr=False)
    birthday: dt.date | None = attrs.field(default=None, repr=False)
    nationality: str | None = attrs.field(default=None, repr=False)


class MandateStatus(enum.StrEnum):
    """The "Possible Status Values" of a mandate; made of a text in any case."""

    NO_MANDATE = "nomandate"
    SUBMITTED = "submitted"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    PENDING = "pending"
    SUSPENDED = "suspended"

    @classmethod
    def _missing_(cls, value: object) -> MandateStatus | None:
        lower = str(value).lower()
        return next((status for status in cls if status == lower), None)


@model
class Mandate(Model):
    """A direct debit mandate: the name on the account, and its status as the server words it."""

    name: str | None = attrs.field(default=None, repr=False)
    status: str | None = None

    @property
    def updatable(self) -> bool | None:
        """Whether `mandates.update` can work; None for a status that is not documented."""
        try:
            return MandateStatus(self.status or "") in _UPDATABLE
        except ValueError:
            return None


# "Update Tenant Mandate"
_UPDATABLE = {MandateStatus.NO_MANDATE, MandateStatus.REJECTED, MandateStatus.CANCELLED}


class AsyncInviteCreation(Resource):
    """Inviting a bill payer: what a branch account can do, too."""

    async def create(
        self, order_id: int, *, first_name: str, last_name: str, phone_number: str
    ) -> Confirmation:
        """Invite a bill payer to an order; the confirmation holds the server's words.

        It reaches a real person: the tenant gets an SMS with a link to sign up. Only invite those
        who pay. `phone_number`: a mobile's, with country code (+44...), sent as
        E.164 without spaces.
        Raises ValidationError before anything is sent, NotFound where there is no such order,
        OutcomeUnknown if the SMS may have gone out all the same, RequestError otherwise.
        Source: POST /api/partner/order/{order_id}/invite, "Invite Bill Payer"; for a branch
        POST /api/partner/child/{child_id}/order/{order_id}/invite,
        "Invite Bill Payers to Branch Tenant Package" (its curl line has another path).
        """
        return await self._post_for_confirmation(
            "order/{order_id}/invite",
            params={"order_id": order_id},
            rules=_PAYER_RULES,
            first_name=first_name,
            last_name=last_name,
            phone_number=phone_number,
        )


class AsyncInvites(AsyncInviteCreation):
    """Invitations to pay for a tenant package."""

    async def list(self, order_id: int) -> tuple[Invite, ...]:
        """Return the invited who have not signed up yet.

        Raises NotFound where there is no such order, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/invite, "List Invites".
        """
        return await self._get_all("order/{order_id}/invite", Invite, order_id=order_id)

    async def delete(self, order_id: int, invite_id: int) -> Confirmation:
        """Delete an invitation; safe to repeat, and retried.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: DELETE /api/partner/order/{order_id}/invite/{invite_id}, "Delete Invite".
        """
        return await self._delete(
            "order/{order_id}/invite/{invite_id}", order_id=order_id, invite_id=invite_id
        )


class AsyncBillPayers(Resource):
    """The tenants who pay for a tenant package."""

    async def add(
        self,
        order_id: int,
        *,
        first_name: str,
        last_name: str,
        email: str,
        phone_number: str,
        nationality: str,
        birthday: dt.date,
        account_name: str,
        account_number: str,
        sort_code: str,
        billing_address: Address,
    ) -> Confirmation:
        """Add a bill payer to an order; the confirmation holds the server's words.

        It sets up a direct debit on the account and emails the tenant that it has.
        Call it once for each of the order's `bill_payers`.
        `phone_number`: a mobile's, with country code, sent as E.164 without spaces. `nationality`:
        ISO 3166-1 alpha-2 ("GB").
        `birthday`: a past date, sent as DD/MM/YYYY. `account_number`: 8 digits, `sort_code`: 6
        digits, both text. There is no idempotency key.
        Raises ValidationError before anything is sent, NotFound where there is no such order,
        OutcomeUnknown if it may have been added all the same, RequestError otherwise.
        Source: POST /api/partner/order/{order_id}/tenant, "Add Bill Payer" (its curl line says
        /order).
        """
        return await self._post_for_confirmation(
            "order/{order_id}/tenant",
            params={"order_id": order_id},
            rules=_PAYER_RULES,
            account_name=account_name,
            account_number=account_number,
            billing_address=billing_address,
            birthday=birthday,
            email=email,
            first_name=first_name,
            last_name=last_name,
            nationality=nationality,
            phone_number=phone_number,
            sort_code=sort_code,
        )

    async def list(self, order_id: int) -> tuple[BillPayer, ...]:
        """Return the bill payers of an order.

        Raises NotFound where there is no such order, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/tenant, "List Bill Payers".
        """
        return await self._get_all("order/{order_id}/tenant", BillPayer, order_id=order_id)

    async def update(
        self,
        order_id: int,
        tenant_id: int,
        *,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        email: str | Unset = UNSET,
        phone_number: str | Unset = UNSET,
        birthday: dt.date | Unset = UNSET,
        nationality: str | Unset = UNSET,
    ) -> BillPayer:
        """Change what is given of a bill payer and return the bill payer.

        An empty answer gives an empty `BillPayer`. The values are those of `add`.
        Raises ValidationError before anything is sent, also if nothing is given, NotFound where
        there is no such bill payer, OutcomeUnknown if it may have been changed all the same,
        RequestError otherwise; warns with EchoMismatch where the answer shows another birthday.
        Source: PATCH /api/partner/order/{order_id}/tenant/{tenant_id}, "Update Bill Payer".
        """
        changes: dict[str, Any] = {
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "phone_number": phone_number,
            "birthday": birthday,
            "nationality": nationality,
        }
        payer = await self._patch(
            "order/{order_id}/tenant/{tenant_id}",
            BillPayer,
            params={"order_id": order_id, "tenant_id": tenant_id},
            rules=_PAYER_RULES,
            problems=nothing_given(**changes),
            **changes,
        )
        check_echo(payer, birthday=birthday)
        return payer

    async def delete(self, order_id: int, tenant_id: int) -> Confirmation:
        """Remove a bill payer from an order; safe to repeat, and retried.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: DELETE /api/partner/order/{order_id}/tenant/{tenant_id}, "Delete Bill Payer".
        """
        return await self._delete(
            "order/{order_id}/tenant/{tenant_id}", order_id=order_id, tenant_id=tenant_id
        )


class AsyncMandates(Resource):
    """The direct debit mandates of bill payers."""

    async def get(self, order_id: int, tenant_id: int) -> Mandate:
        """Return the mandate of a bill payer.

        Raises NotFound where there is no such bill payer, RequestError for a failed call.
        Source: GET /api/partner/order/{order_id}/tenant/{tenant_id}/mandate,
        "Get Tenant Mandate".
        """
        return await self._get(
            "order/{order_id}/tenant/{tenant_id}/mandate",
            Mandate,
            order_id=order_id,
            tenant_id=tenant_id,
        )

    async def update(
        self,
        order_id: int,
        tenant_id: int,
        *,
        account_name: str,
        account_number: str,
        sort_code: str,
    ) -> Mandate:
        """Set up the direct debit of a bill payer anew and return the mandate.

        Possible only while its status is nomandate, rejected or cancelled (`Mandate.updatable`);
        an active one has to be cancelled by the tenant through the bank.
        `account_name`: 2 to 18 characters, `account_number`: 8 digits, `sort_code`: 6 digits.
        An empty answer gives an empty `Mandate`.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been
        changed all the same, RequestError otherwise.
        Source: PATCH /api/partner/order/{order_id}/tenant/{tenant_id}/mandate,
        "Update Tenant Mandate".
        """
        return await self._patch(
            "order/{order_id}/tenant/{tenant_id}/mandate",
            Mandate,
            params={"order_id": order_id, "tenant_id": tenant_id},
            rules={**_PAYER_RULES, "account_name": mandate_name},
            required=("account_name", "account_number", "sort_code"),
            account_name=account_name,
            account_number=account_number,
            sort_code=sort_code,
        )


_PAYER_RULES = {
    "first_name": text,
    "last_name": text,
    "email": email_address,
    "phone_number": phone_number,
    "nationality": country_code,
    "birthday": past_date,
    "account_name": text,
    "account_number": account_number_rule,
    "sort_code": sort_code_rule,
    "billing_address": complete_address,
}
