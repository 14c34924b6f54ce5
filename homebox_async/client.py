"""`AsyncHomebox`: builds the chain and holds the resources."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Literal, TypeVar, overload

import attrs

from .codec import decode, parse
from .errors import ConfigurationError, Problem, ValidationError
from .middleware import Handler, Middleware, Throttle, answered, chain, log
from .models import Model
from .resources.account import AsyncAccount
from .resources.leads import AsyncLeads
from .resources.properties import AsyncAddresses, AsyncProperties
from .resources.readings import AsyncReadings
from .retry import Retrier, Retry
from .transport import Secret, Transport
from .wire import SAFETY, Request, Response, encode

M = TypeVar("M", bound=Model)

Environment = Literal["production", "sandbox"]

# The document's "Introduction".
ENVIRONMENTS: Final[Mapping[str, str]] = {
    "production": "https://accounts.billingbetter.co.uk",
    "sandbox": "https://sandbox.billingbetter.co.uk",
}


@attrs.frozen(kw_only=True)
class Options:
    """What may differ between two views of one client; see `AsyncHomebox`."""

    deadline: float | None
    retry: Retry
    middlewares: tuple[Middleware, ...]
    attempt_middlewares: tuple[Middleware, ...]


class AsyncHomebox:
    """The Homebox Partner API, for asyncio.

    ::

        async with AsyncHomebox() as client:
            async for lead in client.leads.list():
                ...

    `token`: the API key; HOMEBOX_TOKEN by default.
    `environment`: the vendor's "production" or "sandbox"; `base_url` names another origin
    (HOMEBOX_BASE_URL by default); plain http is refused except to loopback.
    `timeout`: seconds that one attempt may take once it holds a connection.
    `deadline`: seconds that a call may take with all its attempts and waits, None for no end.
    `max_connections`: how many requests are in flight at once; more wait for a place.
    `retry`: see `Retry`. `keepalive_timeout`: seconds that an idle connection is kept; keep it
    below the server's. `max_body`: bytes that an answer may have once unpacked.
    `proxy`: a proxy's URL, "" for none; by default what the environment and NO_PROXY say.
    `middlewares` and `attempt_middlewares`: your own, once per call and once per attempt.

    Connections open on first use, on the loop that uses them. Close with `aclose` or
    `async with`.
    """

    addresses: AsyncAddresses
    properties: AsyncProperties
    leads: AsyncLeads
    readings: AsyncReadings
    account: AsyncAccount

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
        max_body: int = 64 * 1024 * 1024,
        retry: Retry = Retry(),  # noqa: B008  # frozen
        proxy: str | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
    ) -> None:
        token = _token(None if token is None else Secret(token))
        if environment not in ENVIRONMENTS:
            raise ConfigurationError(
                f"environment {environment!r} is unknown; give 'production' or 'sandbox'"
            )
        _above_zero(timeout=timeout, max_connections=max_connections, max_body=max_body)
        self._transport = Transport(
            base_url=base_url or os.environ.get("HOMEBOX_BASE_URL") or ENVIRONMENTS[environment],
            token=token,
            root="/api/partner",
            timeout=timeout,
            max_connections=max_connections,
            keepalive_timeout=keepalive_timeout,
            max_body=max_body,
            proxy=proxy,
            user_agent=_user_agent(),
        )
        self._throttle = Throttle()
        self._set_up(
            Options(
                deadline=deadline,
                retry=retry,
                middlewares=tuple(middlewares),
                attempt_middlewares=tuple(attempt_middlewares),
            )
        )

    def _set_up(self, options: Options) -> None:
        _above_zero(deadline=options.deadline)
        self._options = options
        self._deadline = options.deadline
        self._handle: Handler = chain(
            (
                *options.middlewares,
                log,
                Retrier(options.retry),
                self._throttle,
                *options.attempt_middlewares,
                answered,
            ),
            self._transport.send,
        )
        self.addresses = AsyncAddresses(self._call)
        self.properties = AsyncProperties(self._call)
        self.leads = AsyncLeads(self._call)
        self.readings = AsyncReadings(self._call)
        self.account = AsyncAccount(self._call)

    def with_options(
        self,
        *,
        deadline: float | Literal["same"] | None = "same",
        retry: Retry | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
    ) -> AsyncHomebox:
        """Return a second view of this client: same connections and pauses, other options.

        The middlewares given are added to those there are. Closing either closes both.
        """
        view = object.__new__(type(self))
        view._transport, view._throttle = self._transport, self._throttle
        mine = self._options
        view._set_up(
            Options(
                deadline=mine.deadline if deadline == "same" else deadline,
                retry=retry or mine.retry,
                middlewares=(*mine.middlewares, *middlewares),
                attempt_middlewares=(*mine.attempt_middlewares, *attempt_middlewares),
            )
        )
        return view

    @property
    def base_url(self) -> str:
        """The origin that every request goes to."""
        return self._transport.origin

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
        method = method.upper()
        _check_call(method, path, params or {}, json, form)

        def read(response: Response) -> M | Any:
            if into is not None:
                return decode(response.body, into, envelope=envelope, charset=response.charset)
            return parse(response.body, response.charset) if response.body.strip() else None

        request = encode(
            method, path.lstrip("/"), params=params, query=query, fields=json, form=form, read=read
        )
        return await self._call(request)

    async def aclose(self) -> None:
        """Close every connection; a call after this raises ConfigurationError."""
        await self._transport.aclose()

    async def __aenter__(self) -> AsyncHomebox:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # Also of a client that could not be made: tracebacks with locals show it.
        made = self.base_url if hasattr(self, "_transport") else "not made"
        return f"<{type(self).__name__} {made}>"

    async def _call(self, request: Request) -> Any:
        if self._deadline is not None:
            request = attrs.evolve(request, deadline=time.monotonic() + self._deadline)
        return (await self._handle(request)).result


def _token(given: Secret | None) -> Secret:
    token = Secret(os.environ.get("HOMEBOX_TOKEN", "").strip() if given is None else given.strip())
    if not token:
        raise ConfigurationError(
            "no API token; pass token=... or set HOMEBOX_TOKEN (see the document's "
            '"Authentication" for how to get one)'
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            "the API token holds a space, a line break or a character that no token has; "
            "check how it was copied"
        )
    return token


def _above_zero(**numbers: float | None) -> None:
    for name, number in numbers.items():
        if number is not None and not number > 0:
            raise ConfigurationError(f"{name} is {number}; give a number above 0")


def _user_agent() -> str:
    return f"homebox-async/{version('homebox-async')} Python/{platform.python_version()}"


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
    try:
        path.format_map(dict(params))
    except (KeyError, ValueError, IndexError, AttributeError):
        raise ValidationError(
            [Problem("path", "has braces that `params` does not fill", "give each as a parameter")]
        ) from None
    if json is not None and form is not None:
        raise ValidationError([Problem("form", "is given beside json", "give one of them")])
