"""`Homebox`, the sync client: the table of contents of the API, one line per operation.

Every method runs the coroutine of the same name of the async client; see there for its words.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Literal

from .blocking import Bridge, Facade, Worker, blocking
from .client import AsyncHomebox, Environment
from .middleware import Middleware
from .resources.account import AsyncAccount
from .resources.leads import AsyncLeads
from .resources.properties import AsyncAddresses, AsyncProperties
from .resources.readings import AsyncReadings
from .retry import Retry
from .transport import Secret


class Addresses(Facade[AsyncAddresses]):
    """Addresses that the API knows."""

    find = blocking(AsyncAddresses.find)


class Properties(Facade[AsyncProperties]):
    """The properties of your portfolio."""

    create = blocking(AsyncProperties.create)
    list = blocking(AsyncProperties.list)
    get = blocking(AsyncProperties.get)


class Leads(Facade[AsyncLeads]):
    """Leads: invitations of tenants to a bills package."""

    create = blocking(AsyncLeads.create)
    list = blocking(AsyncLeads.list)
    get = blocking(AsyncLeads.get)


class Readings(Facade[AsyncReadings]):
    """Meter readings. `page_size` of the lists is the API's `limit`."""

    create_for_order = blocking(AsyncReadings.create_for_order)
    list_for_order = blocking(AsyncReadings.list_for_order)
    create_for_property = blocking(AsyncReadings.create_for_property)
    list_for_property = blocking(AsyncReadings.list_for_property)


class Account(Facade[AsyncAccount]):
    """The authenticated partner account."""

    get = blocking(AsyncAccount.get)


class Homebox(Facade[AsyncHomebox]):
    """The Homebox Partner API, for code without asyncio.

    ::

        with Homebox() as client:
            for lead in client.leads.list():
                ...

    The arguments are those of `AsyncHomebox`. One client serves any number of threads; it works
    inside a running loop (Jupyter) too. After a fork, make one in the child.
    """

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
        token = None if token is None else Secret(token)  # masked in tracebacks with locals
        client = AsyncHomebox(
            token,
            environment=environment,
            base_url=base_url,
            timeout=timeout,
            deadline=deadline,
            max_connections=max_connections,
            keepalive_timeout=keepalive_timeout,
            max_body=max_body,
            retry=retry,
            proxy=proxy,
            middlewares=middlewares,
            attempt_middlewares=attempt_middlewares,
        )
        client._transport.guarded = True
        self._attach(client, Bridge())
        # Runs when the bridge is collected unclosed, that is when neither this client nor a view,
        # a resource or a list of it is left; at the latest when Python leaves.
        self._leave = weakref.finalize(self._bridge, _forgotten, client, self._bridge.worker)

    def _attach(self, client: AsyncHomebox, bridge: Bridge) -> None:
        super().__init__(client, bridge)
        self.addresses = Addresses(client.addresses, bridge)
        self.properties = Properties(client.properties, bridge)
        self.leads = Leads(client.leads, bridge)
        self.readings = Readings(client.readings, bridge)
        self.account = Account(client.account, bridge)

    request = blocking(AsyncHomebox.request)

    def with_options(
        self,
        *,
        deadline: float | Literal["same"] | None = "same",
        retry: Retry | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
    ) -> Homebox:
        """Return a second view of this client: same connections and pauses, other options."""
        view = object.__new__(type(self))
        view._attach(
            self._target.with_options(
                deadline=deadline,
                retry=retry,
                middlewares=middlewares,
                attempt_middlewares=attempt_middlewares,
            ),
            self._bridge,
        )
        view._leave = self._leave
        return view

    @property
    def base_url(self) -> str:
        """The origin that every request goes to."""
        return self._target.base_url

    def close(self) -> None:
        """Close every connection and end the background thread."""
        self._leave.detach()
        self._bridge.worker.close(self._target.aclose)

    def __enter__(self) -> Homebox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        made = self.base_url if hasattr(self, "_target") else "not made"
        return f"<{type(self).__name__} {made}>"


def _forgotten(client: AsyncHomebox, worker: Worker) -> None:
    if worker.started:
        warnings.warn(
            f"a client of {client.base_url} was not closed; use `with` or close()",
            ResourceWarning,
            stacklevel=2,
        )
    worker.close(client.aclose)
