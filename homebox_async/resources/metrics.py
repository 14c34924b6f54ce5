"""The document's heading "Metrics": one number each, of orders, payments, leads, notifications."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from ..errors import Problem
from ..models import Model, model
from ..rules import UNSET, Unset, plain_date
from .base import Resource


@model
class Metric(Model):
    """A number with its name and its words; `formatted` is it with prefix and suffix."""

    name: str | None = None
    description: str | None = None
    value: Decimal | None = None
    prefix: str | None = None
    suffix: str | None = None
    formatted: str | None = None


class AsyncMetrics(Resource):
    """Numbers for a range of days, both ends included; the month to date if none is given.

    `from_`, `to`: dates, sent as YYYY-MM-DD; without `to` the range ends today.
    Each raises ValidationError for a range that cannot be, RequestError for a failed call.
    """

    async def new_orders(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of new orders.

        Source: GET /api/partner/metrics/orders/new, "New Orders".
        """
        return await self._range("metrics/orders/new", from_, to)

    async def approval_orders(self) -> Metric:
        """Return the number of orders that now wait for Homebox's approval; it has no range.

        Source: GET /api/partner/metrics/orders/approval, "Approval Orders".
        """
        return await self._get("metrics/orders/approval", Metric)

    async def active_orders(self) -> Metric:
        """Return the number of orders that are now active and pay each month; it has no range.

        Source: GET /api/partner/metrics/orders/active, "Active Orders".
        """
        return await self._get("metrics/orders/active", Metric)

    async def failed_payments(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of payments that have failed.

        Source: GET /api/partner/metrics/payments/failed, "Failed Payments".
        """
        return await self._range("metrics/payments/failed", from_, to)

    async def pending_payments(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of pending payments.

        Source: GET /api/partner/metrics/payments/pending, "Pending Payments".
        """
        return await self._range("metrics/payments/pending", from_, to)

    async def successful_payments(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of payments that have succeeded.

        Source: GET /api/partner/metrics/payments/successful, "Successful Payments".
        """
        return await self._range("metrics/payments/successful", from_, to)

    async def new_leads(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of properties that were submitted for utility notifications.

        Source: GET /api/partner/metrics/leads/new, "New Leads".
        """
        return await self._range("metrics/leads/new", from_, to)

    async def orders_from_leads(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of properties that signed up to a package because of a lead.

        Source: GET /api/partner/metrics/leads/orders, "Orders from Leads".
        """
        return await self._range("metrics/leads/orders", from_, to)

    async def notifications_completed(
        self, *, from_: dt.date | Unset = UNSET, to: dt.date | Unset = UNSET
    ) -> Metric:
        """Return the number of properties whose utility notifications have been completed.

        Source: GET /api/partner/metrics/notifications/completed, "Notifications Completed".
        """
        return await self._range("metrics/notifications/completed", from_, to)

    async def _range(self, path: str, first: dt.date | Unset, last: dt.date | Unset) -> Metric:
        return await self._get(
            path,
            Metric,
            rules={"from": plain_date, "to": plain_date},
            problems=_range_problems(first, last),
            query={"from": first, "to": last},
        )


def _range_problems(first: dt.date | Unset, last: dt.date | Unset) -> Iterator[Problem]:
    if last is UNSET:
        return
    if first is UNSET:
        yield Problem("from", "is missing", "give it with `to`; the API has no range without it")
    elif not plain_date(first) and not plain_date(last) and last < first:
        yield Problem("to", "is before from", "give the same or a later date")
