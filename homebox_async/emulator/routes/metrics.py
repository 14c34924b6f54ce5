"""The heading "Metrics": counts of what has happened, for the month so far or a given range."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from ..inputs import read_query
from ..packages import ACTIVE, APPROVAL
from ..routing import Answer, Call, Handler, Route, json_answer
from ..validation import Validator
from .leads import completed_at

_PATH = "/api/partner/metrics"


def _count(name: str, description: str, moments: Callable[[Call], Iterable[float]]) -> Handler:
    """Return the handler that counts the moments within the range of the query."""

    def handler(call: Call) -> Answer:
        first, last = _range(call)
        return _answer(
            name, description, sum(first <= _day(moment) <= last for moment in moments(call))
        )

    return handler


def _state(name: str, description: str, status_id: int) -> Handler:
    """Return the handler that counts the orders of a status: it knows no range."""

    def handler(call: Call) -> Answer:
        count = sum(order.status_id == status_id for order in call.store.orders)
        return _answer(name, description, count)

    return handler


def _payments(status: str) -> Callable[[Call], Iterable[float]]:
    return lambda call: (row.created_at for row in call.store.payments if row.status == status)


def _orders(call: Call) -> Iterable[float]:
    return (row.created_at for row in call.store.orders)


def _orders_from_leads(call: Call) -> Iterable[float]:
    return (row.created_at for row in call.store.orders if row.from_lead_id is not None)


def _leads(call: Call) -> Iterable[float]:
    # "the number of properties you have submitted for utility notifications"
    return (row.created_at for row in call.store.leads if row.notifications)


def _completed(call: Call) -> Iterable[float]:
    moments = (completed_at(call, row) for row in call.store.leads)
    return (moment for moment in moments if moment is not None)


def _range(call: Call) -> tuple[str, str]:
    fields = Validator(read_query(call), call.assumed.max_text)
    first = fields.iso_date("from", required=False)
    last = fields.iso_date("to", required=False)
    if first and last and last < first:
        fields.refuse("to", "The {} field must be a date after or equal to from.")
    fields.finish()
    # "If only a from date is set, the to date will default to the current date."
    last = last or _day(call.store.clock())
    # The month to date; so it is with `to` alone, of which nothing is said.
    return first or date.fromisoformat(last).replace(day=1).isoformat(), last


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _answer(name: str, description: str, count: int) -> Answer:
    return json_answer(
        200,
        {
            "data": {
                "name": name,
                "description": description,
                "value": str(count),
                "prefix": None,
                "suffix": None,
                "formatted": str(count),
            }
        },
    )


_NEW_ORDERS = (
    "This is the number of new orders for bills packages you have received this month so far."
)

ROUTES = (
    # New Orders
    Route("GET", _PATH + "/orders/new", _count("New Orders", _NEW_ORDERS, _orders)),
    # Approval Orders
    Route(
        "GET",
        _PATH + "/orders/approval",
        _state("Approval Orders", "Orders that are awaiting approval.", APPROVAL),
    ),
    # Active Orders
    Route(
        "GET",
        _PATH + "/orders/active",
        _state("Active Orders", "Orders that are active and paying each month.", ACTIVE),
    ),
    # Failed Payments
    Route(
        "GET",
        _PATH + "/payments/failed",
        _count("Failed Payments", "Payments which have failed.", _payments("failed")),
    ),
    # Pending Payments
    Route(
        "GET",
        _PATH + "/payments/pending",
        _count("Pending Payments", "Pending payments.", _payments("pending")),
    ),
    # Successful Payments
    Route(
        "GET",
        _PATH + "/payments/successful",
        _count("Successful Payments", "Payments which have succeeded.", _payments("success")),
    ),
    # New Leads
    Route(
        "GET",
        _PATH + "/leads/new",
        _count("New Leads", "Properties submitted for utility notifications.", _leads),
    ),
    # Orders from Leads
    Route(
        "GET",
        _PATH + "/leads/orders",
        _count("Orders from Leads", "Properties signed up through a lead.", _orders_from_leads),
    ),
    # Notifications Completed
    Route(
        "GET",
        _PATH + "/notifications/completed",
        _count("Notifications Completed", "Properties with completed notifications.", _completed),
    ),
)
