"""`Homebox`, the sync client: the table of contents of the API, one line per operation.

Every method runs the coroutine of the same name of the async client; see there for its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base_client import MAX_BODY, BlockingClient
from .blocking import Facade, blocking
from .bridge import Bridge
from .client import AsyncHomebox, Environment
from .credentials import masked
from .events import OnEvent
from .middleware import Middleware
from .resources.account import AsyncAccount
from .resources.base import shown
from .resources.branches import AsyncBranch, AsyncBranches, AsyncBranchOrders
from .resources.leads import AsyncLeads
from .resources.metrics import AsyncMetrics
from .resources.orders import AsyncOrders
from .resources.packages import AsyncPartnerPackages, AsyncTenantPackages
from .resources.payers import (
    AsyncBillPayers,
    AsyncInviteCreation,
    AsyncInvites,
    AsyncMandates,
)
from .resources.postal_bills import AsyncPostalBills
from .resources.properties import AsyncAddresses, AsyncProperties, AsyncPropertyCreation
from .resources.readings import AsyncReadings
from .resources.tenancies import AsyncTenancies
from .resources.voids import AsyncVoids
from .retry import Retry
from .tracebacks import clean

if TYPE_CHECKING:
    import ssl


class Addresses(Facade[AsyncAddresses]):
    """Addresses that the API knows."""

    find = blocking(AsyncAddresses.find)


class Properties(Facade[AsyncProperties]):
    """The properties of your portfolio."""

    create = blocking(AsyncProperties.create)
    list = blocking(AsyncProperties.list)
    get = blocking(AsyncProperties.get)


class Orders(Facade[AsyncOrders]):
    """Orders of bills packages. They are made by `tenant_packages` and `partner_packages`."""

    list = blocking(AsyncOrders.list)
    get = blocking(AsyncOrders.get)
    bills = blocking(AsyncOrders.bills)
    payments = blocking(AsyncOrders.payments)
    replace_payment = blocking(AsyncOrders.replace_payment)
    payouts = blocking(AsyncOrders.payouts)
    property_details = blocking(AsyncOrders.property_details)


class TenantPackages(Facade[AsyncTenantPackages]):
    """Bills packages that the residents of a home pay together."""

    quote = blocking(AsyncTenantPackages.quote)
    create = blocking(AsyncTenantPackages.create)


class PartnerPackages(Facade[AsyncPartnerPackages]):
    """Bills packages that a business pays for."""

    quote = blocking(AsyncPartnerPackages.quote)
    create = blocking(AsyncPartnerPackages.create)


class Invites(Facade[AsyncInvites]):
    """Invitations to pay for a tenant package."""

    create = blocking(AsyncInvites.create)
    list = blocking(AsyncInvites.list)
    delete = blocking(AsyncInvites.delete)


class BillPayers(Facade[AsyncBillPayers]):
    """The tenants who pay for a tenant package."""

    add = blocking(AsyncBillPayers.add)
    list = blocking(AsyncBillPayers.list)
    update = blocking(AsyncBillPayers.update)
    delete = blocking(AsyncBillPayers.delete)


class Mandates(Facade[AsyncMandates]):
    """The direct debit mandates of bill payers."""

    get = blocking(AsyncMandates.get)
    update = blocking(AsyncMandates.update)


class Tenancies(Facade[AsyncTenancies]):
    """The tenancies of a property."""

    get = blocking(AsyncTenancies.get)
    update_dates = blocking(AsyncTenancies.update_dates)


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


class PostalBills(Facade[AsyncPostalBills]):
    """Bills that came by post. `page_size` of the list is the API's `limit`."""

    create = blocking(AsyncPostalBills.create)
    list = blocking(AsyncPostalBills.list)


class Voids(Facade[AsyncVoids]):
    """Void periods."""

    create = blocking(AsyncVoids.create)


class Account(Facade[AsyncAccount]):
    """The authenticated partner account."""

    get = blocking(AsyncAccount.get)
    update = blocking(AsyncAccount.update)


class Branches(Facade[AsyncBranches]):
    """Branch accounts; `client.branch(id)` makes calls on behalf of one."""

    create = blocking(AsyncBranches.create)
    update = blocking(AsyncBranches.update)
    list = blocking(AsyncBranches.list)
    get = blocking(AsyncBranches.get)


class Metrics(Facade[AsyncMetrics]):
    """Numbers for a range of days, both ends included; the month to date if none is given.

    `from_`, `to`: dates, sent as YYYY-MM-DD; without `to` the range ends today.
    Each raises ValidationError for a range that cannot be, RequestError for a failed call.
    """

    new_orders = blocking(AsyncMetrics.new_orders)
    approval_orders = blocking(AsyncMetrics.approval_orders)
    active_orders = blocking(AsyncMetrics.active_orders)
    failed_payments = blocking(AsyncMetrics.failed_payments)
    pending_payments = blocking(AsyncMetrics.pending_payments)
    successful_payments = blocking(AsyncMetrics.successful_payments)
    new_leads = blocking(AsyncMetrics.new_leads)
    orders_from_leads = blocking(AsyncMetrics.orders_from_leads)
    notifications_completed = blocking(AsyncMetrics.notifications_completed)


class BranchProperties(Facade[AsyncPropertyCreation]):
    """Adding a property: what a branch account can do, too."""

    create = blocking(AsyncPropertyCreation.create)


class BranchOrders(Facade[AsyncBranchOrders]):
    """The orders of a branch account."""

    create = blocking(AsyncBranchOrders.create)
    list = blocking(AsyncBranchOrders.list)
    get = blocking(AsyncBranchOrders.get)


class BranchInvites(Facade[AsyncInviteCreation]):
    """Inviting a bill payer: what a branch account can do, too."""

    create = blocking(AsyncInviteCreation.create)


class Branch:
    """Calls on behalf of a branch account: those that the API has for branches."""

    def __init__(self, branch: AsyncBranch, bridge: Bridge) -> None:
        self.id = branch.id
        self.properties = BranchProperties(branch.properties, bridge)
        self.orders = BranchOrders(branch.orders, bridge)
        self.invites = BranchInvites(branch.invites, bridge)
        self.leads = Leads(branch.leads, bridge)
        self.voids = Voids(branch.voids, bridge)


class Homebox(BlockingClient[AsyncHomebox]):
    """The Homebox Partner API, for code without asyncio.

    ::

        with Homebox() as client:
            for lead in client.leads.list():
                ...

    The arguments are those of `AsyncHomebox`; `on_event` is called in the client's own thread,
    and must make no sync calls. One client serves any number of threads; it works
    inside a running loop (Jupyter) too. After a fork, make one in the child.
    """

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
        token = masked(token)
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
            ssl=ssl,
            middlewares=middlewares,
            attempt_middlewares=attempt_middlewares,
            on_event=on_event,
        )
        self._begin(client)

    def _attach(self, client: AsyncHomebox, bridge: Bridge) -> None:
        super()._attach(client, bridge)
        self.addresses = Addresses(client.addresses, bridge)
        self.properties = Properties(client.properties, bridge)
        self.orders = Orders(client.orders, bridge)
        self.tenant_packages = TenantPackages(client.tenant_packages, bridge)
        self.partner_packages = PartnerPackages(client.partner_packages, bridge)
        self.invites = Invites(client.invites, bridge)
        self.bill_payers = BillPayers(client.bill_payers, bridge)
        self.mandates = Mandates(client.mandates, bridge)
        self.tenancies = Tenancies(client.tenancies, bridge)
        self.leads = Leads(client.leads, bridge)
        self.readings = Readings(client.readings, bridge)
        self.postal_bills = PostalBills(client.postal_bills, bridge)
        self.voids = Voids(client.voids, bridge)
        self.account = Account(client.account, bridge)
        self.branches = Branches(client.branches, bridge)
        self.metrics = Metrics(client.metrics, bridge)

    def branch(self, branch_id: int) -> Branch:
        """Return the calls that can be made on behalf of a branch account; sends nothing."""
        return Branch(self._target.branch(branch_id), self._bridge)

    request = blocking(AsyncHomebox.request)


shown(
    Homebox,
    {
        "addresses": Addresses,
        "properties": Properties,
        "orders": Orders,
        "tenant_packages": TenantPackages,
        "partner_packages": PartnerPackages,
        "invites": Invites,
        "bill_payers": BillPayers,
        "mandates": Mandates,
        "tenancies": Tenancies,
        "leads": Leads,
        "readings": Readings,
        "postal_bills": PostalBills,
        "voids": Voids,
        "account": Account,
        "branches": Branches,
        "metrics": Metrics,
    },
)
shown(
    Branch,
    {
        "properties": BranchProperties,
        "orders": BranchOrders,
        "invites": BranchInvites,
        "leads": Leads,
        "voids": Voids,
    },
)
