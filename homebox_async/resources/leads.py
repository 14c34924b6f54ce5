"""The document's heading "Leads": tell Homebox of a tenancy, so that it invites the tenants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from ..errors import Problem
from ..models import Model, day, model
from ..pages import Pages
from ..rules import (
    UNSET,
    Input,
    Unset,
    boolean,
    each,
    email_address,
    end_after_start,
    field,
    input_model,
    nullable,
    phone_number,
    tenancy_date,
    text,
)
from ..wire import Request, checked
from .addresses import AnyAddress, any_address
from .base import Resource, check_echo, one
from .properties import Property


@input_model
class NewTenant(Input):
    """A tenant to tell Homebox of.

    The phone number includes the country code (+44...) and goes out as E.164, without spaces.
    """

    first_name: str = field(text, secret=True)
    last_name: str = field(text, secret=True)
    phone_number: str = field(phone_number, secret=True)
    email_address: str = field(email_address, secret=True)


@model
class Tenant(Model):
    """A tenant of a lead. Personal fields stay out of the repr."""

    id: int | None = None
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    phone_number: str | None = attrs.field(default=None, repr=False)
    email_address: str | None = attrs.field(default=None, repr=False)
    unsubscribed: bool | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


@model
class Lead(Model):
    """A lead: a tenancy, its property and its tenants; its days are dates, its times UTC."""

    id: int | None = None
    partner_id: int | None = None
    tenancy_start: dt.date | None = day()
    tenancy_end: dt.date | None = day()
    tenancy_type: str | None = None
    completed_at: dt.datetime | None = None
    managing_party_name: str | None = None
    property: Property | None = None
    property_reference: str | None = None
    tenants: tuple[Tenant, ...] = ()
    created_at: dt.datetime | None = None


@model
class MadeTenancy(Model):
    """A lead just created, of which no more is asked than this."""

    id: int | None = None
    tenancy_start: dt.date | None = day()
    tenancy_end: dt.date | None = day()


_read_made_tenancy = one(MadeTenancy)


class AsyncLeads(Resource):
    """Leads: invitations of tenants to a bills package."""

    async def create(
        self,
        *,
        tenancy_start: dt.date,
        tenancy_end: dt.date,
        tenants: Sequence[NewTenant],
        address: AnyAddress | Unset = UNSET,
        notifications: bool | Unset = UNSET,
        existing_tenancy: bool | Unset = UNSET,
        property_reference: str | Unset | None = UNSET,
        managing_party_name: str | Unset | None = UNSET,
    ) -> Lead:
        """Create a lead and return it.

        It reaches real people: if the tenancy starts within two weeks, each tenant gets an SMS
        and an email, and a reminder after 72 hours; after 72 hours more the suppliers are told,
        unless `notifications` is False (left out, it counts as True).
        `tenancy_start`, `tenancy_end`: dates, sent as DD/MM/YY. `address`: required unless
        `notifications` is False. `existing_tenancy`: changes what suppliers are told.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been
        created all the same, RequestError otherwise; warns with EchoMismatch where the answer
        shows other dates.
        Source: POST /api/partner/lead, "Create Lead";
        for a branch POST /api/partner/child/{child_id}/lead, "Create Lead for a Branch Account".
        """
        lead = await self._post(
            "lead",
            Lead,
            rules=_RULES,
            required=("tenancy_start", "tenancy_end"),
            problems=_lead_problems(tenancy_start, tenancy_end, tenants, address, notifications),
            tenancy_start=tenancy_start,
            tenancy_end=tenancy_end,
            existing_tenancy=existing_tenancy,
            notifications=notifications,
            managing_party_name=managing_party_name,
            property_reference=property_reference,
            address=address,
            tenants=tenants,
        )
        check_echo(lead, tenancy_start=tenancy_start, tenancy_end=tenancy_end)
        return lead

    def _creation(self, **fields: Any) -> Request:
        """Return the request of `create` for values that are checked; see `MadeTenancy`."""
        return checked("POST", "lead", fields=fields, read=_read_made_tenancy)

    def list(self, *, start_page: int = 1, prefetch: int = 0) -> Pages[Lead]:
        """List the leads that you have created, 50 a page; the server tells the last page.

        `start_page`, `prefetch`: see `Pages`. Raises RequestError while it is iterated.
        Source: GET /api/partner/lead, "List Leads";
        for a branch GET /api/partner/child/{child_id}/lead, "List Leads for a Branch Account".
        """
        return self._pages("lead", Lead, start_page=start_page, prefetch=prefetch)

    async def get(self, lead_id: int) -> Lead:
        """Return one lead.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: GET /api/partner/lead/{lead_id}, "List Leads";
        for a branch GET /api/partner/child/{child_id}/lead/{lead_id},
        "List Leads for a Branch Account".
        """
        return await self._get("lead/{lead_id}", Lead, lead_id=lead_id)


_RULES = {
    "tenancy_start": tenancy_date,
    "tenancy_end": tenancy_date,
    "property_reference": nullable(text),
    "managing_party_name": nullable(text),
    "existing_tenancy": boolean,
    "notifications": boolean,
    "address": any_address,
}


def _lead_problems(
    start: dt.date,
    end: dt.date,
    tenants: Sequence[NewTenant],
    address: AnyAddress | Unset,
    notifications: bool | Unset,
) -> Iterator[Problem]:
    yield from end_after_start(start, end)
    yield from each("tenants", NewTenant, tenants, "tenant")
    if address is UNSET and notifications is not False:
        yield Problem("address", "is missing", "give it, or set notifications to False")
