"""`AsyncHomebox`: the entry to the Partner API; holds the resources."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from .base_client import MAX_BODY, BaseClient, Options, user_agent
from .codec import decode, parse
from .credentials import checked_token, masked
from .errors import ConfigurationError, Problem, ValidationError
from .events import OnEvent
from .json_values import large_numbers
from .login import bearer
from .middleware import Middleware
from .models import Model
from .observer import listeners
from .options import check_options
from .resources.account import AsyncAccount
from .resources.base import Resource, shown
from .resources.branches import AsyncBranch, AsyncBranches
from .resources.leads import AsyncLeads
from .resources.metrics import AsyncMetrics
from .resources.orders import AsyncOrders
from .resources.packages import AsyncPartnerPackages, AsyncTenantPackages
from .resources.payers import AsyncBillPayers, AsyncInvites, AsyncMandates
from .resources.postal_bills import AsyncPostalBills
from .resources.properties import AsyncAddresses, AsyncProperties
from .resources.readings import AsyncReadings
from .resources.tenancies import AsyncTenancies
from .resources.voids import AsyncVoids
from .retry import Retry
from .tracebacks import clean
from .transport import Transport
from .wire import SAFETY, Response, encode

if TYPE_CHECKING:
    import ssl

M = TypeVar("M", bound=Model)

Environment = Literal["production", "sandbox"]

# The document's "Introduction".
ENVIRONMENTS: Final[Mapping[str, str]] = {
    "production": "https://accounts.billingbetter.co.uk",
    "sandbox": "https://sandbox.billingbetter.co.uk",
}


class AsyncHomebox(BaseClient):
    """The Homebox Partner API, for asyncio.

    ::

        async with AsyncHomebox() as client:
            async for lead in client.leads.list():
                ...

    `token`: the API key; by default HOMEBOX_TOKEN, then what the file HOMEBOX_TOKEN_FILE holds.
    The system's keyring is asked by `stored_token` only.
    `environment`: the vendor's "production" or "sandbox"; `base_url` names another origin
    (HOMEBOX_BASE_URL by default); plain http is refused except to loopback.
    `timeout`: seconds that one attempt may take once it holds a connection.
    `deadline`: seconds that a call may take with all its attempts and waits, None for no end.
    `max_connections`: how many requests are in flight at once; more wait for a place.
    `retry`: see `Retry`. `keepalive_timeout`: seconds that an idle connection is kept; keep it
    below the server's. `max_body`: bytes that an answer may have once unpacked; of all answers in
    flight together, 64 MiB or twice that.
    `proxy`: a proxy's URL, "" for none; by default what the environment and NO_PROXY say.
    `ssl`: a context of yours, with a client certificate or an authority; it has to check
    certificates and host names.
    `middlewares` and `attempt_middlewares`: your own, once per call and once per attempt.
    `on_event`: a plain function that is called with each `Event`, in the midst of the call: keep
    it quick. What it raises is logged once, and changes nothing.

    Connections open on first use, on the loop that uses them. Close with `aclose` or
    `async with`. A call that is cancelled says in a note on its CancelledError what it did; a
    write that may have happened is logged as a warning, too.
    """

    addresses: AsyncAddresses
    properties: AsyncProperties
    orders: AsyncOrders
    tenant_packages: AsyncTenantPackages
    partner_packages: AsyncPartnerPackages
    invites: AsyncInvites
    bill_payers: AsyncBillPayers
    mandates: AsyncMandates
    tenancies: AsyncTenancies
    leads: AsyncLeads
    readings: AsyncReadings
    postal_bills: AsyncPostalBills
    voids: AsyncVoids
    account: AsyncAccount
    branches: AsyncBranches
    metrics: AsyncMetrics

    @clean
    def __init__(
        self,
        token: str | None = None,
        *,
        environment: Environment = "production",
        base_url: str | None = None,
        timeout: float = 30.0,
        deadline: float | None = 120.0,
        max_connections: int = 100,
        keepalive_timeout: float = 3.0,
        max_body: int = MAX_BODY,
        retry: Retry = Retry(),  # noqa: B008  # frozen
        proxy: str | None = None,
        ssl: ssl.SSLContext | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
        on_event: OnEvent | None = None,
    ) -> None:
        check_options(
            environment=environment,
            base_url=base_url,
            timeout=timeout,
            deadline=deadline,
            max_connections=max_connections,
            keepalive_timeout=keepalive_timeout,
            max_body=max_body,
            retry=retry,
            proxy=proxy,
            ssl=ssl,
            middlewares=middlewares,
            attempt_middlewares=attempt_middlewares,
            on_event=on_event,
        )
        token = checked_token(
            masked(token),
            "HOMEBOX_TOKEN",
            'see the document\'s "Authentication" for how to get one',
        )
        if environment not in ENVIRONMENTS:
            raise ConfigurationError(
                f"environment {environment!r} is unknown; give 'production' or 'sandbox'"
            )
        transport = Transport(
            base_url=base_url or os.environ.get("HOMEBOX_BASE_URL") or ENVIRONMENTS[environment],
            root="/api/partner",
            timeout=timeout,
            max_connections=max_connections,
            keepalive_timeout=keepalive_timeout,
            max_body=max_body,
            proxy=proxy,
            ssl=ssl,
            user_agent=user_agent(),
            headers=bearer(token),
        )
        self._begin(
            transport,
            Options(
                deadline=deadline,
                retry=retry,
                middlewares=tuple(middlewares),
                attempt_middlewares=tuple(attempt_middlewares),
                listeners=listeners(on_event),
            ),
        )

    def _hold_resources(self) -> None:
        for name, kind in _RESOURCES.items():
            setattr(self, name, kind(self._call))

    def branch(self, branch_id: int) -> AsyncBranch:
        """Return the calls that can be made on behalf of a branch account; sends nothing."""
        return AsyncBranch(self._call, branch_id)

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        query: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        into: type[M],
        envelope: str | None = "data",
    ) -> M: ...
    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        query: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        into: None = None,
        envelope: str | None = "data",
    ) -> Any: ...
    @clean
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        query: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        into: type[M] | None = None,
        envelope: str | None = "data",
    ) -> M | Any:
        """Call an endpoint that has no method here, with the same retries, errors and limits.

        `path`: below /api/partner, with what varies in braces (``"lead/{lead_id}/notes"``) and
        given in `params`, where it is percent-encoded. `json` or `form`: the body; UNSET values
        are left out. `into`: the model to make of the answer's `envelope`; without it the whole
        answer comes as plain JSON values, None for an empty one.
        """
        _check_kinds(method, path, params=params, query=query, json=json, form=form, into=into)
        method = method.upper()
        _check_call(method, path, params or {}, json, form)

        def read(response: Response) -> M | Any:
            if into is not None:
                return decode(response.body, into, envelope=envelope, charset=response.charset)
            return parse(response.body, response.charset) if response.body.strip() else None

        request = encode(
            method,
            path.lstrip("/"),
            params=params,
            query=query,
            fields=json,
            form=form,
            problems=large_numbers(json or {}),
            read=read,
            ids=False,
        )
        return await self._call(request)


_RESOURCES: Mapping[str, type[Resource]] = {
    "addresses": AsyncAddresses,
    "properties": AsyncProperties,
    "orders": AsyncOrders,
    "tenant_packages": AsyncTenantPackages,
    "partner_packages": AsyncPartnerPackages,
    "invites": AsyncInvites,
    "bill_payers": AsyncBillPayers,
    "mandates": AsyncMandates,
    "tenancies": AsyncTenancies,
    "leads": AsyncLeads,
    "readings": AsyncReadings,
    "postal_bills": AsyncPostalBills,
    "voids": AsyncVoids,
    "account": AsyncAccount,
    "branches": AsyncBranches,
    "metrics": AsyncMetrics,
}
shown(AsyncHomebox, _RESOURCES)


def _check_kinds(method: Any, path: Any, *, into: Any, **given: Any) -> None:
    """Refuse arguments of another kind than `request` takes."""
    wrong = [
        Problem(name, f"is {type(value).__name__}, not text", "give it as text")
        for name, value in (("method", method), ("path", path))
        if not isinstance(value, str)
    ]
    for name, value in given.items():
        if value is None:
            continue
        if not isinstance(value, Mapping):
            problem = f"is {type(value).__name__}, not a mapping"
            wrong.append(Problem(name, problem, 'give a mapping such as {"name": "value"}'))
        elif not all(isinstance(key, str) for key in value):
            wrong.append(Problem(name, "has a name that is not text", "give each name as text"))
    if into is not None and not (isinstance(into, type) and issubclass(into, Model)):
        wrong.append(Problem("into", "is not a class of answers", "give a subclass of Model"))
    if wrong:
        raise ValidationError(wrong)


def _check_call(
    method: str,
    path: str,
    params: Mapping[str, str | int],
    json: Mapping[str, Any] | None,
    form: Mapping[str, Any] | None,
) -> None:
    if method not in SAFETY:
        known = ", ".join(SAFETY)
        raise ValidationError([Problem("method", "is not an HTTP method", f"give one of {known}")])
    # What varies goes into `params`, so a path of plain characters is enough.
    if not re.fullmatch(r"[A-Za-z0-9_\-./{}~]+", path) or ".." in path or "//" in path:
        raise ValidationError(
            [Problem("path", "leaves the API", "give a plain path, the query as `query`")]
        )
    # Names alone: `{a.b}` or `{a[b]}` would reach into the value, past its percent-encoding.
    names = re.findall(r"\{(\w+)\}", path)
    if re.search(r"[{}]", re.sub(r"\{\w+\}", "", path)) or not params.keys() >= set(names):
        raise ValidationError(
            [Problem("path", "has braces that `params` does not fill", "give each as a parameter")]
        )
    if json is not None and form is not None:
        raise ValidationError([Problem("form", "is given beside json", "give one of them")])
