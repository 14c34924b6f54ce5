"""The document's headings "Tenant Packages" and "Partner Packages": quotes and orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

import attrs

from ..codec import decode
from ..errors import Problem
from ..models import Model, Refusal, Unreadable, model
from ..rules import (
    UNSET,
    Input,
    Unset,
    Verdict,
    account_number,
    boolean,
    each,
    end_after_start,
    field,
    input_model,
    nullable,
    one_of,
    positive_integer,
    positive_integers,
    sort_code,
    tenancy_date,
    text,
    uk_postcode,
)
from ..wire import Response
from .addresses import Address, AnyAddress, any_address, complete_address
from .base import Resource, check_echo
from .leads import NewTenant
from .orders import PaymentMethod, payment_method_rule
from .tenancies import Tenancy, with_order_id

HouseholdType = Literal["student", "professional-tenant"]


@model
class Price(Model):
    """What a bill costs with so many housemates, in pounds a month; never recomputed."""

    id: int | None = None
    bill_id: int | None = None
    housemates: int | None = None
    price_per_housemate: Decimal | None = None
    price_total: Decimal | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


@model
class PackageBill(Model):
    """A bill or an add-on of a tenant package; its `id` goes into `add_ons`."""

    id: int | None = None
    group_id: int | None = None
    name: str | None = None
    provider: str | None = None
    title: str | None = None
    description: str | None = None
    description_html: str | None = None
    logo_path: str | None = None
    prices: tuple[Price, ...] = ()


@model
class TenantPackage(Model):
    """A package on offer; its `id` is the `package_id` of an order."""

    id: int | None = None
    name: str | None = None
    title: str | None = None
    description: str | None = None
    bills: tuple[PackageBill, ...] = ()
    addons: tuple[PackageBill, ...] = ()


@model
class TenantQuote(Model):
    """The packages on offer for a postcode. Iterate it for the packages."""

    packages: tuple[TenantPackage, ...] = ()

    def __iter__(self) -> Iterator[TenantPackage]:
        return iter(self.packages)


@model
class Provider(Model):
    """A supplier."""

    id: int | None = None
    name: str | None = None
    email: str | None = attrs.field(default=None, repr=False)
    logo_path: str | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


@model
class UtilityBill(Model):
    """A bill of a utility; its `id` goes into a `ChosenBill`."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    description_html: str | None = None
    is_required: bool | None = None
    additional: str | None = None
    provider: Provider | None = None
    prices: tuple[Price, ...] = ()


@model
class Utility(Model):
    """A kind of supply, such as internet or council tax, and the bills there are for it."""

    id: int | None = None
    name: str | None = None
    description: str | None = None
    is_hidden: bool | None = None
    is_essential: bool | None = None
    priority: int | None = None
    logo_path: str | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    bills: tuple[UtilityBill, ...] = ()


@model
class PartnerQuote(Model):
    """The utilities on offer, in `data`, and the service charge in pounds a month.

    Amounts are the server's: 3 x 7.33 is not 22.00. Iterate it for the utilities.
    """

    data: tuple[Utility, ...] = ()
    service_charge: Decimal | None = None
    service_charge_per_housemate: Decimal | None = None

    def __iter__(self) -> Iterator[Utility]:
        return iter(self.data)


def _bill_id(value: object) -> Verdict:
    return positive_integer(value) if isinstance(value, int) else text(value)


@input_model
class ChosenBill(Input):
    """A bill of a partner quote to order; `account_number` is the one with the supplier."""

    id: str | int = field(_bill_id)
    account_number: str | Unset = field(text, default=UNSET, secret=True)


class AsyncTenantPackageCreation(Resource):
    """Ordering a tenant package: what a branch account can do, too."""

    async def create(
        self,
        *,
        package_id: int,
        address: AnyAddress,
        total_occupants: int,
        household_type: HouseholdType,
        tenancy_start: dt.date,
        tenancy_end: dt.date,
        tenancy_move_in: dt.date,
        bill_payers: int | Unset = UNSET,
        add_ons: Sequence[int] | Unset = UNSET,
        reference: str | Unset | None = UNSET,
        property_reference: str | Unset | None = UNSET,
        coupon: str | Unset | None = UNSET,
    ) -> Tenancy:
        """Order a tenant package and return it; its `order_id` is what to add bill payers to.

        `package_id`, `add_ons`: ids of the quote; the "Custom" package takes its bills as
        add-ons. `total_occupants`: how many live there; `bill_payers`: how many of them pay, all
        if left out. Dates are sent as DD/MM/YY. `reference`: your own, of the order.
        There is no idempotency key: a second call makes a second order.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been
        ordered all the same, RequestError otherwise; warns with EchoMismatch where the answer
        shows other dates.
        Source: POST /api/partner/order, "Create Tenant Bills Package"; for a branch
        POST /api/partner/child/{child_id}/order, "Create Tenant Package for Branch Account",
        whose answer has nothing but the `order_id`.
        """
        package = await self._post(
            "order",
            Tenancy,
            rules=_TENANT_RULES,
            required=(
                *("package_id", "address", "total_occupants", "household_type"),
                *("tenancy_start", "tenancy_end", "tenancy_move_in"),
            ),
            problems=[
                *end_after_start(tenancy_start, tenancy_end),
                *_payers_fit(bill_payers, total_occupants),
            ],
            package_id=package_id,
            add_ons=add_ons,
            address=address,
            reference=reference,
            property_reference=property_reference,
            total_occupants=total_occupants,
            bill_payers=bill_payers,
            household_type=household_type,
            tenancy_move_in=tenancy_move_in,
            tenancy_start=tenancy_start,
            tenancy_end=tenancy_end,
            coupon=coupon,
        )
        check_echo(package, tenancy_start=tenancy_start, tenancy_end=tenancy_end)
        return with_order_id(package)


class AsyncTenantPackages(AsyncTenantPackageCreation):
    """Bills packages that the residents of a home pay together."""

    async def quote(
        self,
        *,
        postcode: str,
        is_student: bool | Unset = UNSET,
        coupon: str | Unset = UNSET,
    ) -> TenantQuote:
        """Return the packages on offer for a postcode, with bills, add-ons and prices.

        `postcode`: a full UK one, sent with its one space. Nothing is changed.
        `is_student`: True leaves the council tax out.
        Raises ValidationError for what is no UK postcode, RequestError for a failed call.
        Source: GET /api/partner/packages, "Get Tenant Package Quote".
        """
        return await self._get(
            "packages",
            TenantQuote,
            rules={"postcode": uk_postcode, "is_student": boolean, "coupon": text},
            required=("postcode",),
            query={"is_student": is_student, "postcode": postcode, "coupon": coupon},
            read=_read_tenant_quote,
        )


class AsyncPartnerPackages(Resource):
    """Bills packages that a business pays for."""

    async def quote(
        self, *, housemates: int, address: AnyAddress, is_student: bool | Unset = UNSET
    ) -> PartnerQuote:
        """Return the utilities on offer for an address, with bills, prices and service charge.

        `housemates`: above 0. `is_student`: True leaves the council tax out. Nothing is changed.
        Raises ValidationError before anything is sent, RequestError for a failed call.
        Source: GET /api/partner/quote, "Get Partner Package Quote".
        """
        wrong = any_address(address)
        return await self._get(
            "quote",
            PartnerQuote,
            # The address stands in the query field by field, and the totals beside `data`.
            rules={"housemates": positive_integer, "is_student": boolean},
            required=("housemates",),
            problems=[Problem("address", *wrong)] if wrong else address.problems(),
            query={
                "housemates": housemates,
                **({} if wrong else address.on_wire()),
                "is_student": is_student,
            },
            envelope=None,
        )

    async def create(
        self,
        *,
        bills: Sequence[ChosenBill],
        address: AnyAddress,
        housemates: int,
        is_student: bool,
        tenancy_start: dt.date,
        tenancy_end: dt.date,
        account_name: str,
        account_number: str,
        sort_code: str,
        billing_address: Address,
        tenants: Sequence[NewTenant],
        payment_method: PaymentMethod | Unset = UNSET,
        property_reference: str | Unset | None = UNSET,
    ) -> Tenancy:
        """Order a partner package and return its tenancy; `order_id` is its order.

        Money moves: unless `payment_method` is "bank-transfer", the bills are taken from the
        account by direct debit. `account_number`: 8 digits, `sort_code`: 6 digits, both text.
        `bills`: what was chosen of the quote. Dates are sent as DD/MM/YY.
        There is no idempotency key: a second call makes a second order.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been
        ordered all the same, RequestError otherwise; warns with EchoMismatch where the answer
        shows other dates, for the server may read some of them month first.
        Source: POST /api/partner/partner-order, "Create Partner Package".
        """
        package = await self._post(
            "partner-order",
            Tenancy,
            rules=_PARTNER_RULES,
            required=(
                *("address", "housemates", "is_student", "tenancy_start", "tenancy_end"),
                *("account_name", "account_number", "sort_code", "billing_address"),
            ),
            problems=[
                *end_after_start(tenancy_start, tenancy_end),
                *each("bills", ChosenBill, bills, "bill"),
                *each("tenants", NewTenant, tenants, "tenant"),
            ],
            bills=_ids_as_text(bills),
            tenancy_start=tenancy_start,
            tenancy_end=tenancy_end,
            housemates=housemates,
            is_student=is_student,
            payment_method=payment_method,
            address=address,
            account_name=account_name,
            account_number=account_number,
            sort_code=sort_code,
            billing_address=billing_address,
            tenants=tenants,
            property_reference=property_reference,
        )
        check_echo(package, tenancy_start=tenancy_start, tenancy_end=tenancy_end)
        return with_order_id(package)


_TENANT_RULES = {
    "package_id": positive_integer,
    "add_ons": positive_integers,
    "address": any_address,
    "reference": nullable(text),
    "property_reference": nullable(text),
    "total_occupants": positive_integer,
    "bill_payers": positive_integer,
    "household_type": one_of("student", "professional-tenant"),
    "tenancy_move_in": tenancy_date,
    "tenancy_start": tenancy_date,
    "tenancy_end": tenancy_date,
    "coupon": nullable(text),
}
_PARTNER_RULES = {
    "tenancy_start": tenancy_date,
    "tenancy_end": tenancy_date,
    "housemates": positive_integer,
    "is_student": boolean,
    "payment_method": payment_method_rule,
    "address": any_address,
    "account_name": text,
    "account_number": account_number,
    "sort_code": sort_code,
    "billing_address": complete_address,
    "property_reference": nullable(text),
}


def _payers_fit(bill_payers: int | Unset, total_occupants: int) -> Iterator[Problem]:
    if bill_payers is UNSET or positive_integer(bill_payers) or positive_integer(total_occupants):
        return
    if bill_payers > total_occupants:
        yield Problem("bill_payers", "is more than total_occupants", "give as many at most")


def _ids_as_text(bills: Sequence[ChosenBill]) -> Sequence[ChosenBill]:
    """Write the bills' ids as text ("Create Partner Package"); quotes tell them as numbers."""
    if list(each("bills", ChosenBill, bills, "bill")):
        return bills  # they are refused
    return [ChosenBill(id=str(b.id), account_number=b.account_number) for b in bills]


def _read_tenant_quote(response: Response) -> TenantQuote:
    """Read `packages`, as printed, or `data.packages`, as code in the wild does."""
    body, charset = response.body, response.charset
    try:
        quote = decode(body, TenantQuote, envelope=None, charset=charset)
    except Refusal:
        raise
    except Unreadable:
        return decode(body, TenantQuote, charset=charset)
    if quote.packages or "data" not in quote.raw:
        return quote
    return decode(body, TenantQuote, charset=charset)
