"""The document's heading "Properties": find an address, add a property, list and get them."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..models import Model, model
from ..pages import Pages
from ..rules import UNSET, Unset, nullable, optional_text, text
from ..wire import Request, checked
from .addresses import AnyAddress, any_address
from .base import Resource, encode_filter, one


class PropertyStatus(enum.IntEnum):
    """The property statuses of "List Properties", by `status_id`.

    The texts that answers carry contradict the table ("New Tenancy" for 1): go by the number.
    """

    PENDING = 1
    TENANT_PACKAGE = 2
    TENANTS_ORGANISING = 3
    VOID_PERIOD = 4
    UNKNOWN = 5
    PARTNER_PACKAGE = 6


@model
class FoundAddress(Model):
    """An address that "Find an Address" returned; its `address_id` goes into other calls."""

    address: str | None = None
    address_id: str | None = None


@model
class Reseller(Model):
    """The name and logo that a partner sells under."""

    name: str | None = None
    logo: str | None = None


@model
class Partner(Model):
    """A partner account as it stands inside a property."""

    id: int | None = None
    name: str | None = None
    name_url: str | None = None
    reference_number: str | None = None
    image_path: str | None = None
    theme_color_primary: str | None = None
    status: str | None = None
    type: int | None = None
    type_name: str | None = None
    management_fee: Decimal | None = None
    commission_allowed: bool | None = None
    reseller: Reseller | None = None


@model
class PartnerProperty(Model):
    """A partner's side of a property: above all its `property_reference`."""

    id: int | None = None
    partner: Partner | None = None
    property_reference: str | None = None


@model
class Property(Model):
    """A home. Times are UTC where the server gives no zone; meter numbers are text.

    `property_reference` is not among the fields: the server shows it under
    `partner_properties`, and only in lists; `references` collects it.
    """

    id: int | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    address_line4: str | None = None
    address_city: str | None = None
    address_county: str | None = None
    address_postcode: str | None = None
    status_id: int | None = None
    status: str | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    external_id: str | None = None
    retrieved_at: dt.datetime | None = None
    mpan: str | None = None
    mpan_top_line: str | None = None
    mpan_economy7: bool | None = None
    mpan_profile_class: str | None = None
    mpan_energisation_status: str | None = None
    mprn: str | None = None
    uprn: str | None = None
    gspid: str | None = None
    meter_type_electric: str | None = None
    serial_number_electric: str | None = None
    serial_number_gas: str | None = None
    partner_properties: tuple[PartnerProperty, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """The references that partners gave this property, as lists of properties show them."""
        return tuple(p.property_reference for p in self.partner_properties if p.property_reference)


@model
class Made(Model):
    """A property just created, of which nothing but its id is asked."""

    id: int | None = None


_read_made = one(Made)


class AsyncAddresses(Resource):
    """Addresses that the API knows."""

    async def find(self, query: str) -> tuple[FoundAddress, ...]:
        """Return the addresses that match a query, as a rule a postcode ("BN1 1AB").

        `query`: text; spaces and slashes are fine. Nothing is changed.
        Raises ValidationError for an empty query, RequestError for a failed call.
        Source: GET /api/partner/address/find/{query}, "Find an Address".
        """
        return await self._get_all("address/find/{query}", FoundAddress, query=query)


class AsyncPropertyCreation(Resource):
    """Adding a property: what a branch account can do, too."""

    async def create(
        self, address: AnyAddress, *, property_reference: str | Unset | None = UNSET
    ) -> Property:
        """Add a property to your portfolio and return it.

        `address`: an `AddressId` (preferred) or a complete `Address`.
        `property_reference`: your own reference, up to 255 characters. The answer does not echo
        it; `list` shows it. There is no idempotency key: a second call makes a second property.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been added
        all the same, RequestError otherwise.
        Source: POST /api/partner/property, "Create a Property"; for a branch
        POST /api/partner/child/{child_id}/property, "Create Property for a Branch Account".
        """
        return await self._post(
            "property",
            Property,
            rules={"address": any_address, "property_reference": nullable(text)},
            required=("address",),
            address=address,
            property_reference=property_reference,
        )


class AsyncProperties(AsyncPropertyCreation):
    """The properties of your portfolio."""

    def _creation(self, address: AnyAddress, property_reference: str) -> Request:
        """Return the request of `create` for values that are checked; its result is a `Made`.

        Imports check all rows beforehand, and reading a whole property takes longer than its id.
        """
        fields = {"address": address, "property_reference": property_reference}
        return checked("POST", "property", fields=fields, read=_read_made)

    def list(
        self,
        *,
        q: str | Unset = UNSET,
        filter: Mapping[str, Any] | Unset = UNSET,  # the API's word
        start_page: int = 1,
        prefetch: int = 0,
    ) -> Pages[Property]:
        """List your properties.

        `q`: keywords of the address, such as a town or a postcode. `filter`: as a mapping, for
        example ``{"status": [PropertyStatus.TENANT_PACKAGE]}``; it is sent as Base64 of JSON.
        `start_page`, `prefetch`: see `Pages`. The server tells neither the last page nor a total.
        Raises RequestError while it is iterated.
        Source: GET /api/partner/property, "List Properties".
        """
        return self._pages(
            "property",
            Property,
            rules={"q": optional_text},
            start_page=start_page,
            prefetch=prefetch,
            q=q,
            filter=encode_filter(filter),
        )

    async def get(self, property_id: int) -> Property:
        """Return one property.

        Raises NotFound where there is none, RequestError for a failed call.
        Source: GET /api/partner/property/{property_id}, "List Property".
        """
        return await self._get("property/{property_id}", Property, property_id=property_id)
