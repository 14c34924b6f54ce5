"""The document's heading "Property Tenancies", and the tenancy that other calls answer with."""

from __future__ import annotations

import datetime as dt

import attrs

from ..models import Model, day, model
from ..rules import end_after_start, tenancy_date
from .base import Resource, check_echo
from .orders import Order
from .properties import Property


@model
class ResponsibleTenant(Model):
    """Who is responsible for a void. Everything here is personal and out of the repr."""

    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    email_address: str | None = attrs.field(default=None, repr=False)
    phone_number: str | None = attrs.field(default=None, repr=False)


@model
class ResponsibleAddress(Model):
    """Where the one responsible for a void is to be reached; personal and out of the repr."""

    line1: str | None = attrs.field(default=None, repr=False)
    line2: str | None = attrs.field(default=None, repr=False)
    city: str | None = attrs.field(default=None, repr=False)
    county: str | None = attrs.field(default=None, repr=False)
    postcode: str | None = attrs.field(default=None, repr=False)


@model
class TenancyDetails(Model):
    """What a tenancy holds besides its dates: of a void the first fields, of a package the others.

    `status_id` numbers the statuses of a household, not those of a property.
    """

    id: int | None = None
    property_empty: bool | None = None
    responsible_tenant: ResponsibleTenant | None = None
    responsible_address: ResponsibleAddress | None = None
    sse: bool | None = None
    bill_payers: int | None = None
    housemates: int | None = None
    status: str | None = None
    status_id: int | None = None
    responsibility: str | None = None
    move_in_date: dt.date | None = day()
    order: Order | None = None


@model
class Tenancy(Model):
    """A tenancy: a void period or a bills package. Its first and last day are dates; times are UTC.

    `order_id` is the package's order, wherever the answer has it: "Create Tenant Bills Package"
    prints it here, "Create Partner Package" as `tenancy.order.id`, and `id` there is the
    tenancy's. None for a void.
    """

    id: int | None = None
    order_id: int | None = None
    property_id: int | None = None
    tenancy_start: dt.date | None = day()
    tenancy_end: dt.date | None = day()
    tenancy_type: str | None = None
    tenancy: TenancyDetails | None = None
    property: Property | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


def with_order_id(package: Tenancy) -> Tenancy:
    """Show the order's id plainly on a package whose answer has it further down."""
    details = package.tenancy
    if package.order_id is None and details is not None and details.order is not None:
        # Not attrs.evolve: the copy would not know the answer that it came from.
        object.__setattr__(package, "order_id", details.order.id)
    return package


class AsyncTenancies(Resource):
    """The tenancies of a property."""

    async def get(self, property_id: int, tenancy_id: int) -> Tenancy:
        """Return one tenancy of a property. There is no list of them, whatever the heading says.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: GET /api/partner/property/{property_id}/tenancy/{tenancy_id}, "List Tenancies".
        """
        return with_order_id(
            await self._get(
                "property/{property_id}/tenancy/{tenancy_id}",
                Tenancy,
                property_id=property_id,
                tenancy_id=tenancy_id,
            )
        )

    async def update_dates(
        self, property_id: int, tenancy_id: int, *, tenancy_start: dt.date, tenancy_end: dt.date
    ) -> Tenancy:
        """Change the dates of a tenancy and return it.

        The document prints no answer: an empty one gives an empty `Tenancy`.
        `tenancy_start`, `tenancy_end`: dates, sent as DD/MM/YY.
        Raises ValidationError before anything is sent, NotFound where there is no such tenancy,
        OutcomeUnknown if it may have been changed all the same, RequestError otherwise; warns
        with EchoMismatch where the answer shows other dates.
        Source: PATCH /api/partner/property/{property_id}/tenancy/{tenancy_id},
        "Update tenancy dates" (its curl line says POST).
        """
        tenancy = await self._patch(
            "property/{property_id}/tenancy/{tenancy_id}",
            Tenancy,
            params={"property_id": property_id, "tenancy_id": tenancy_id},
            rules={"tenancy_start": tenancy_date, "tenancy_end": tenancy_date},
            required=("tenancy_start", "tenancy_end"),
            problems=end_after_start(tenancy_start, tenancy_end),
            tenancy_start=tenancy_start,
            tenancy_end=tenancy_end,
        )
        check_echo(tenancy, tenancy_start=tenancy_start, tenancy_end=tenancy_end)
        return with_order_id(tenancy)
