"""The document's heading "Void Periods": times in which nobody rents a home."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from ..errors import Problem
from ..models import Model, model
from ..rules import (
    UNSET,
    Input,
    Unset,
    address_line,
    boolean,
    email_address,
    end_after_start,
    field,
    input_model,
    made_of,
    nullable,
    optional_address_line,
    phone_number,
    positive_integer,
    tenancy_date,
    text,
    uk_postcode,
)
from ..wire import Request, checked
from .addresses import Address, AnyAddress, any_address, complete_address
from .base import Resource, check_echo, one
from .leads import MadeTenancy, NewTenant
from .tenancies import Tenancy


@input_model
class ForwardingDetails(Input):
    """Where the previous lead tenant has gone; all of it is out of the repr."""

    name: str = field(text, secret=True)
    phone_number: str | Unset = field(phone_number, default=UNSET, secret=True)
    # The API spells it so ("Create Void Period").
    email_address: str | Unset = field(
        email_address, default=UNSET, secret=True, wire="email_adress"
    )
    line1: str = field(address_line, secret=True)
    line2: str | Unset = field(optional_address_line, default=UNSET, secret=True)
    city: str = field(address_line, secret=True)
    county: str | Unset = field(optional_address_line, default=UNSET, secret=True)
    postcode: str = field(uk_postcode, secret=True)


@model
class VoidTenancy(Model):
    """What a void that was just created is the tenancy of, of which only the id is asked for."""

    id: int | None = None


@model
class MadeVoid(MadeTenancy):
    """A void just created, of which no more is asked than this."""

    tenancy: VoidTenancy | None = None


_read_made_void = one(MadeVoid)


class AsyncVoids(Resource):
    """Void periods."""

    async def create(
        self,
        *,
        tenancy_start: dt.date,
        property_empty: bool,
        responsible_tenant: NewTenant,
        responsible_address: Address,
        property_id: int | Unset = UNSET,
        address: AnyAddress | Unset = UNSET,
        tenancy_end: dt.date | Unset = UNSET,
        is_premium: bool | Unset = UNSET,
        notifications: bool | Unset = UNSET,
        forwarding_details: ForwardingDetails | Unset = UNSET,
        property_reference: str | Unset | None = UNSET,
    ) -> Tenancy:
        """Add a void period to a property and return it.

        `property_id` (preferred) or `address`, one of them. `is_premium`: True makes Homebox
        write to every supplier, and it switches the home's energy to another supplier.
        `notifications`: True tells the suppliers. Both count as False if left out.
        `tenancy_start`, `tenancy_end`: dates, sent as DD/MM/YY.
        There is no idempotency key: a second call makes a second void.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been added
        all the same, RequestError otherwise; warns with EchoMismatch where the answer shows
        other dates.
        Source: POST /api/partner/void, "Create Void Period"; for a branch
        POST /api/partner/child/{child_id}/void, "Create Void for a Branch Account".
        """
        void = await self._post(
            "void",
            Tenancy,
            rules=_RULES,
            required=(
                *("tenancy_start", "property_empty"),
                *("responsible_tenant", "responsible_address"),
            ),
            problems=[
                *_one_home(property_id, address),
                *end_after_start(tenancy_start, tenancy_end),
            ],
            property_id=property_id,
            address=address,
            tenancy_start=tenancy_start,
            tenancy_end=tenancy_end,
            is_premium=is_premium,
            property_empty=property_empty,
            notifications=notifications,
            responsible_tenant=responsible_tenant,
            responsible_address=responsible_address,
            forwarding_details=forwarding_details,
            property_reference=property_reference,
        )
        check_echo(void, tenancy_start=tenancy_start, tenancy_end=tenancy_end)
        return void

    def _creation(self, **fields: Any) -> Request:
        """Return the request of `create` for values that are checked; see `MadeVoid`."""
        return checked("POST", "void", fields=fields, read=_read_made_void)


_RULES = {
    "property_id": positive_integer,
    "address": any_address,
    "tenancy_start": tenancy_date,
    "tenancy_end": tenancy_date,
    "is_premium": boolean,
    "property_empty": boolean,
    "notifications": boolean,
    "responsible_tenant": made_of(NewTenant, what="a tenant"),
    "responsible_address": complete_address,
    "forwarding_details": made_of(ForwardingDetails),
    "property_reference": nullable(text),
}


def _one_home(property_id: Any, address: Any) -> Iterator[Problem]:
    if property_id is UNSET and address is UNSET:
        yield Problem("property_id", "is missing", "give it, or the address")
    if property_id is not UNSET and address is not UNSET:
        yield Problem("address", "is given beside property_id", "give one of them")
