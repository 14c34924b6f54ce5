"""`AsyncBilling` and `Billing`: the entries to the Billing API, a service of its own.

It shares transport, middleware and codec with the Partner API: no host, no credentials and no
connection. A token of one never reaches the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .base_client import (
    MAX_BODY,
    BaseClient,
    BlockingClient,
    Options,
    user_agent,
)
from .blocking import blocking
from .credentials import checked_token, from_environment, masked
from .errors import ConfigurationError
from .events import OnEvent
from .login import Login, bearer
from .middleware import Middleware
from .observer import listeners
from .options import check_options
from .origin import split_base
from .resources.billing import BillingOperations, Spelling
from .retry import Retry
from .tidying import plain
from .tracebacks import clean
from .transport import Transport
from .wire import Secret

if TYPE_CHECKING:
    import ssl

# Neither is in the document; the vendor's public help pages give them.
BASE_URL: Final = "https://front.ista-webservices.be/api/v1"
LOGIN_URL: Final = "https://authentication.ista-webservices.be"

_NONE: Final = Secret("")


class AsyncBilling(BaseClient, BillingOperations):
    """The Billing API, for asyncio.

    ::

        async with AsyncBilling(username="...", password="...") as billing:
            found = await billing.headers("2eff1042c50c1eda889e61573e3c194c")

    Credentials: a ready `token` (HOMEBOX_BILLING_TOKEN by default), or `username` and `password`
    (HOMEBOX_BILLING_USERNAME, HOMEBOX_BILLING_PASSWORD), with which a token is fetched from
    `login_url` (HOMEBOX_BILLING_LOGIN_URL), renewed before it ends, and once when it is refused.
    What is passed wins over the environment, and there a token over a username. Each variable
    has a twin with the path of a file that holds the value (HOMEBOX_BILLING_PASSWORD_FILE).
    `administrator_ids`: the administrators to act for, sent with each request;
    HOMEBOX_BILLING_ADMINISTRATOR_IDS ("1;2;3") by default.
    `base_url`: origin and root path of the API, HOMEBOX_BILLING_URL by default. Plain http is
    refused for it and for `login_url` except to loopback.
    `now`: the time of day in seconds, by which tokens are renewed. All else: see `AsyncHomebox`;
    `max_document`: bytes that a document may have.
    """

    @clean
    def __init__(
        self,
        token: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        administrator_ids: Sequence[int] | None = None,
        base_url: str | None = None,
        login_url: str | None = None,
        timeout: float = 30.0,
        deadline: float | None = 120.0,
        max_connections: int = 100,
        keepalive_timeout: float = 3.0,
        max_body: int = MAX_BODY,
        max_document: int = 64 * 1024 * 1024,
        retry: Retry = Retry(),  # noqa: B008  # frozen
        proxy: str | None = None,
        ssl: ssl.SSLContext | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
        on_event: OnEvent | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        token = masked(token)
        username, password = masked(username, "username"), masked(password, "password")
        check_options(
            base_url=base_url,
            login_url=login_url,
            timeout=timeout,
            deadline=deadline,
            max_connections=max_connections,
            keepalive_timeout=keepalive_timeout,
            max_body=max_body,
            max_document=max_document,
            retry=retry,
            proxy=proxy,
            ssl=ssl,
            middlewares=middlewares,
            attempt_middlewares=attempt_middlewares,
            on_event=on_event,
            now=now,
        )

        def transport(url: str, root: str, headers: Mapping[str, str] | None = None) -> Transport:
            return Transport(
                base_url=url,
                root=root,
                timeout=timeout,
                max_connections=max_connections,
                keepalive_timeout=keepalive_timeout,
                max_body=max_body,
                max_document=max_document,
                proxy=proxy,
                ssl=ssl,
                user_agent=user_agent(),
                headers=headers,
            )

        headers = _administrators(administrator_ids)
        ready, username, password = _credentials(token, username, password)
        self._login: Login | None = None
        if ready is not None:
            headers.update(bearer(ready))
        else:
            login_url = login_url or os.environ.get("HOMEBOX_BILLING_LOGIN_URL") or LOGIN_URL
            login = transport(*split_base(login_url))
            self._login = Login(login, username, password, now=now)
        BillingOperations.__init__(self, self._call, Spelling())
        self._begin(
            transport(
                *split_base(base_url or os.environ.get("HOMEBOX_BILLING_URL") or BASE_URL), headers
            ),
            Options(
                deadline=deadline,
                retry=retry,
                middlewares=tuple(middlewares),
                attempt_middlewares=tuple(attempt_middlewares),
                listeners=listeners(on_event),
            ),
        )

        for pool in self._transports():
            pool.owner = self._transport.owner

    def _innermost(self) -> tuple[Middleware, ...]:
        # Nearest to the transport: no middleware of the user's sees the token.
        return () if self._login is None else (self._login,)

    def _hold_resources(self) -> None:
        self._send = self._call  # each view sends through its own chain

    async def aclose(self) -> None:
        """Close every connection; a call after this raises ConfigurationError."""
        try:
            if self._login is not None:
                await self._login.aclose()
        finally:  # also when the closing itself is cancelled
            await super().aclose()

    def _transports(self) -> tuple[Transport, ...]:
        if self._login is not None:
            return (self._transport, self._login.transport)
        return (self._transport,)


class Billing(BlockingClient[AsyncBilling]):
    """The Billing API, for code without asyncio; the arguments are those of `AsyncBilling`.

    ::

        with Billing(username="...", password="...") as billing:
            billing.document("BE00000001").save("bills/")
    """

    @clean
    def __init__(
        self,
        token: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        administrator_ids: Sequence[int] | None = None,
        base_url: str | None = None,
        login_url: str | None = None,
        timeout: float = 30.0,
        deadline: float | None = 120.0,
        max_connections: int = 100,
        keepalive_timeout: float = 3.0,
        max_body: int = MAX_BODY,
        max_document: int = 64 * 1024 * 1024,
        retry: Retry = Retry(),  # noqa: B008  # frozen
        proxy: str | None = None,
        ssl: ssl.SSLContext | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
        on_event: OnEvent | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        token = masked(token)
        username, password = masked(username, "username"), masked(password, "password")
        client = AsyncBilling(
            token,
            username=username,
            password=password,
            administrator_ids=administrator_ids,
            base_url=base_url,
            login_url=login_url,
            timeout=timeout,
            deadline=deadline,
            max_connections=max_connections,
            keepalive_timeout=keepalive_timeout,
            max_body=max_body,
            max_document=max_document,
            retry=retry,
            proxy=proxy,
            ssl=ssl,
            middlewares=middlewares,
            attempt_middlewares=attempt_middlewares,
            on_event=on_event,
            now=now,
        )
        self._begin(client)

    headers = blocking(AsyncBilling.headers)
    get = blocking(AsyncBilling.get)
    document = blocking(AsyncBilling.document)


def _credentials(
    token: Secret | None, username: Secret | None, password: Secret | None
) -> tuple[Secret | None, Secret, Secret]:
    """Return a ready token, or None with username and password."""
    if token is not None and (username is not None or password is not None):
        raise ConfigurationError("a token is given beside username or password; give one of them")
    if token is None and username is None and password is None:
        token = from_environment("HOMEBOX_BILLING_TOKEN")
    if token:
        return checked_token(token, "HOMEBOX_BILLING_TOKEN", "the Billing API's own"), _NONE, _NONE
    if token is not None:
        raise ConfigurationError("the token is empty; give a token, or username and password")
    if username is None:
        username = from_environment("HOMEBOX_BILLING_USERNAME")
    if password is None:
        password = from_environment("HOMEBOX_BILLING_PASSWORD")
    if not username or not password:
        raise ConfigurationError(
            "no credentials for the Billing API; pass username=... and password=..., or token=..., "
            "or set HOMEBOX_BILLING_USERNAME and HOMEBOX_BILLING_PASSWORD, or HOMEBOX_BILLING_TOKEN"
        )
    return None, username, password


def _administrators(given: Sequence[int] | None) -> dict[str, str]:
    if given is None:
        words = os.environ.get("HOMEBOX_BILLING_ADMINISTRATOR_IDS", "").split(";")
        ids = [word.strip() for word in words if word.strip()]
    elif isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        raise ConfigurationError(
            f"administrator_ids is {type(given).__name__}, not a list; give whole numbers in one"
        )
    else:
        ids = [str(plain(number)) for number in given]
    if not all(number.isascii() and number.isdecimal() for number in ids):
        raise ConfigurationError("administrator_ids holds what is no id; give whole numbers")
    return {"istaAdministratorIds": ";".join(ids)} if ids else {}
