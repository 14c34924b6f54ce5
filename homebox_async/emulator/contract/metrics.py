"""The contract of "Metrics"."""

from .schema import DATE, TEXT, Heading, Operation, data, null, obj

_NAMES = {
    "orders/new": "New Orders",
    "orders/approval": "Approval Orders",
    "orders/active": "Active Orders",
    "payments/failed": "Failed Payments",
    "payments/pending": "Pending Payments",
    "payments/successful": "Successful Payments",
    "leads/new": "New Leads",
    "leads/orders": "Orders from Leads",
    "notifications/completed": "Notifications Completed",
}
# "For all metrics except the Approval Orders and Active Orders metrics"
_WITHOUT_RANGE = ("orders/approval", "orders/active")

_RANGE = {"from": DATE, "to": DATE}

HEADING = Heading(
    "Metrics",
    {
        f"GET /api/partner/metrics/{path}": Operation(
            name,
            data(
                obj(
                    name=TEXT,
                    description=TEXT,
                    value=TEXT,
                    prefix=null(TEXT),
                    suffix=null(TEXT),
                    formatted=TEXT,
                )
            ),
            query={} if path in _WITHOUT_RANGE else _RANGE,
        )
        for path, name in _NAMES.items()
    },
)
