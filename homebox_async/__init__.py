"""An async and sync client for the Homebox Partner API."""

from .client import AsyncHomebox
from .errors import (
    AnswerUnusable,
    AttemptTimeout,
    AuthenticationFailed,
    BadRequest,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
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
from .models import Model
from .pages import Page, Pages
from .resources.account import Account
from .resources.addresses import Address, AddressId
from .resources.leads import Lead, NewTenant, Tenant
from .resources.properties import (
    FoundAddress,
    Partner,
    PartnerProperty,
    Property,
    PropertyStatus,
    Reseller,
)
from .resources.readings import Reading
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
    "AsyncHomebox",
    "AttemptTimeout",
    "AuthenticationFailed",
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "FoundAddress",
    "Homebox",
    "HomeboxError",
    "Lead",
    "Model",
    "NewTenant",
    "NotFound",
    "Outcome",
    "OutcomeUnknown",
    "Page",
    "Pages",
    "Partner",
    "PartnerProperty",
    "PermissionDenied",
    "Problem",
    "Property",
    "PropertyStatus",
    "RateLimited",
    "Reading",
    "RedirectRefused",
    "Request",
    "RequestError",
    "Reseller",
    "Response",
    "Retry",
    "ServerError",
    "StatusError",
    "Tenant",
    "UnprocessableEntity",
    "Upload",
    "ValidationError",
]
