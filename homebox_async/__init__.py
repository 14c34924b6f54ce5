"""An async and sync client for the Homebox Partner API.

The names below are imported when they are first used: `import homebox_async` alone costs nothing,
and `homebox --help` loads no HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .billing import AsyncBilling, Billing
    from .client import AsyncHomebox
    from .download import Download
    from .errors import (
        AnswerUnusable,
        AttemptTimeout,
        AuthenticationFailed,
        BadRequest,
        ConfigurationError,
        Conflict,
        ConnectionFailed,
        DeadlineExceeded,
        EchoMismatch,
        HomeboxError,
        NotFound,
        Outcome,
        OutcomeUnknown,
        PermissionDenied,
        Problem,
        RateLimited,
        RedirectRefused,
        RequestError,
        ServerError,
        StatusError,
        UnprocessableEntity,
        ValidationError,
    )
    from .events import (
        Event,
        OnEvent,
        PageEvent,
        PauseEvent,
        RequestEvent,
        RetryEvent,
        RowEvent,
    )
    from .models import Model
    from .pages import Page, Pages
    from .pricing import PackagePrice, PriceLine, price_package
    from .request_ids import request_id
    from .resources.account import Account
    from .resources.addresses import Address, AddressId
    from .resources.base import Confirmation
    from .resources.billing import BillingHeader, BillingHeaders, BillingResult
    from .resources.branches import AsyncBranch, Branch, CreatedBranch
    from .resources.leads import Lead, NewTenant, Tenant
    from .resources.metrics import Metric
    from .resources.orders import (
        Bill,
        Household,
        HouseholdAddress,
        HouseholdStatus,
        Order,
        OrderAddress,
        OrderBills,
        Payer,
        Payment,
        Payout,
        PropertyDetails,
    )
    from .resources.packages import (
        ChosenBill,
        PackageBill,
        PartnerQuote,
        Price,
        Provider,
        TenantPackage,
        TenantQuote,
        Utility,
        UtilityBill,
    )
    from .resources.payers import BillPayer, Invite, Mandate, MandateStatus
    from .resources.postal_bills import PostalBill
    from .resources.properties import (
        FoundAddress,
        Partner,
        PartnerProperty,
        Property,
        PropertyStatus,
        Reseller,
    )
    from .resources.readings import Reading
    from .resources.tenancies import (
        ResponsibleAddress,
        ResponsibleTenant,
        Tenancy,
        TenancyDetails,
    )
    from .resources.voids import ForwardingDetails
    from .retry import Retry
    from .rules import UNSET
    from .sync import Homebox
    from .wire import Request, Response, Upload

__all__ = [
    "UNSET",
    "Account",
    "Address",
    "AddressId",
    "AnswerUnusable",
    "AsyncBilling",
    "AsyncBranch",
    "AsyncHomebox",
    "AttemptTimeout",
    "AuthenticationFailed",
    "BadRequest",
    "Bill",
    "BillPayer",
    "Billing",
    "BillingHeader",
    "BillingHeaders",
    "BillingResult",
    "Branch",
    "ChosenBill",
    "ConfigurationError",
    "Confirmation",
    "Conflict",
    "ConnectionFailed",
    "CreatedBranch",
    "DeadlineExceeded",
    "Download",
    "EchoMismatch",
    "Event",
    "ForwardingDetails",
    "FoundAddress",
    "Homebox",
    "HomeboxError",
    "Household",
    "HouseholdAddress",
    "HouseholdStatus",
    "Invite",
    "Lead",
    "Mandate",
    "MandateStatus",
    "Metric",
    "Model",
    "NewTenant",
    "NotFound",
    "OnEvent",
    "Order",
    "OrderAddress",
    "OrderBills",
    "Outcome",
    "OutcomeUnknown",
    "PackageBill",
    "PackagePrice",
    "Page",
    "PageEvent",
    "Pages",
    "Partner",
    "PartnerProperty",
    "PartnerQuote",
    "PauseEvent",
    "Payer",
    "Payment",
    "Payout",
    "PermissionDenied",
    "PostalBill",
    "Price",
    "PriceLine",
    "Problem",
    "Property",
    "PropertyDetails",
    "PropertyStatus",
    "Provider",
    "RateLimited",
    "Reading",
    "RedirectRefused",
    "Request",
    "RequestError",
    "RequestEvent",
    "Reseller",
    "Response",
    "ResponsibleAddress",
    "ResponsibleTenant",
    "Retry",
    "RetryEvent",
    "RowEvent",
    "ServerError",
    "StatusError",
    "Tenancy",
    "TenancyDetails",
    "Tenant",
    "TenantPackage",
    "TenantQuote",
    "UnprocessableEntity",
    "Upload",
    "Utility",
    "UtilityBill",
    "ValidationError",
    "price_package",
    "request_id",
]

# Where each name lives; a test holds this against the imports above.
_HOMES = {
    "billing": "AsyncBilling Billing",
    "client": "AsyncHomebox",
    "download": "Download",
    "errors": (
        "AnswerUnusable AttemptTimeout AuthenticationFailed BadRequest ConfigurationError "
        "Conflict ConnectionFailed DeadlineExceeded EchoMismatch HomeboxError NotFound "
        "Outcome OutcomeUnknown PermissionDenied Problem RateLimited RedirectRefused "
        "RequestError ServerError StatusError UnprocessableEntity ValidationError"
    ),
    "events": "Event OnEvent PageEvent PauseEvent RequestEvent RetryEvent RowEvent",
    "models": "Model",
    "pages": "Page Pages",
    "pricing": "PackagePrice PriceLine price_package",
    "request_ids": "request_id",
    "resources.account": "Account",
    "resources.addresses": "Address AddressId",
    "resources.base": "Confirmation",
    "resources.billing": "BillingHeader BillingHeaders BillingResult",
    "resources.branches": "AsyncBranch Branch CreatedBranch",
    "resources.leads": "Lead NewTenant Tenant",
    "resources.metrics": "Metric",
    "resources.orders": (
        "Bill Household HouseholdAddress HouseholdStatus Order OrderAddress OrderBills "
        "Payer Payment Payout PropertyDetails"
    ),
    "resources.packages": (
        "ChosenBill PackageBill PartnerQuote Price Provider TenantPackage TenantQuote "
        "Utility UtilityBill"
    ),
    "resources.payers": "BillPayer Invite Mandate MandateStatus",
    "resources.postal_bills": "PostalBill",
    "resources.properties": "FoundAddress Partner PartnerProperty Property PropertyStatus Reseller",
    "resources.readings": "Reading",
    "resources.tenancies": "ResponsibleAddress ResponsibleTenant Tenancy TenancyDetails",
    "resources.voids": "ForwardingDetails",
    "retry": "Retry",
    "rules": "UNSET",
    "sync": "Homebox",
    "wire": "Request Response Upload",
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .loading import STARTING

    with STARTING:
        found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
