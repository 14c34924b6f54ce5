"""`Homebox`, the sync client: the table of contents of the API, one line per operation.

Every method runs the coroutine of the same name of the async client; see there for its words.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base_client import BlockingClient
from .blocking import Bridge, Facade, blocking
from .client import AsyncHomebox, Environment
from .middleware import Middleware
from .resources.account import AsyncAccount
from .resources.leads import AsyncLeads
from .resources.properties import AsyncAddresses, AsyncProperties
from .resources.readings import AsyncReadings
from .retry import Retry


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
    """Meter readings."""

    create_for_order = blocking(AsyncReadings.create_for_order)
    list_for_order = blocking(AsyncReadings.list_for_order)
    create_for_property = blocking(AsyncReadings.create_for_property)
    list_for_property = blocking(AsyncReadings.list_for_property)


class Account(Facade[AsyncAccount]):
    """The authenticated partner account."""

    get = blocking(AsyncAccount.get)


class Homebox(BlockingClient[AsyncHomebox]):
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
        self._begin(client)

    def _attach(self, client: AsyncHomebox, bridge: Bridge) -> None:
        super()._attach(client, bridge)
        self.addresses = Addresses(client.addresses, bridge)
        self.properties = Properties(client.properties, bridge)
        self.leads = Leads(client.leads, bridge)
        self.readings = Readings(client.readings, bridge)
        self.account = Account(client.account, bridge)

    request = blocking(AsyncHomebox.request)
