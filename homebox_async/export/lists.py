"""Which lists can be exported, and how the API gives them.

Readings and payments hang on orders or properties: there is no list of all of them, so the
orders or properties are walked, and each row carries the id of the one it was found at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal, get_args

import attrs

from ..client import AsyncHomebox
from ..errors import Problem, ValidationError
from ..models import Model
from ..pages import Pages, Passes
from ..resources.leads import Lead
from ..resources.orders import Order, Payment
from ..resources.properties import Property
from ..resources.readings import Reading
from ..rules import positive_integer

What = Literal["properties", "leads", "readings", "orders", "payments"]
Per = Literal["property", "order"]

MODELS: Mapping[str, type[Model]] = {
    "properties": Property,
    "leads": Lead,
    "readings": Reading,
    "orders": Order,
    "payments": Payment,
}
# The other objects of the API tell when they were made, not when they changed.
SINCE: Mapping[str, str] = {
    "properties": "updated_at",
    "leads": "created_at",
    "readings": "updated_at",
    "orders": "created_at",
    "payments": "created_at",
}
# `branch` has paths of its own for these alone ("Branch Accounts").
OF_BRANCHES = ("leads", "orders")


Children = tuple[Sequence[Model], str]


@attrs.frozen
class Listing:
    """A list to export: its objects and its pages.

    With `parent`, the pages are of the objects that the rows hang on, and `parent` is the column
    of their id. `children` asks for the rows of one of them, and for what shows that some of
    them may be missing, "" if nothing does.
    """

    model: type[Model]
    since: str
    pages: Pages[Any]
    parent: str | None = None
    children: Callable[[int], Awaitable[Children]] | None = None

    @property
    def key(self) -> str:
        """The column that tells what has been written already."""
        return self.parent or "id"

    @property
    def first(self) -> dict[str, type]:
        """The column that stands before those of the objects, if there is one."""
        return {} if self.parent is None else {self.parent: int}


def listing(
    client: AsyncHomebox, what: What, per: Per | None, branch: int | None, ahead: int
) -> Listing:
    """Return a list of a client; raises ValidationError for one that there is not."""
    if problems := list(_problems(what, per, branch)):
        raise ValidationError(problems)
    model, since = MODELS[what], SINCE[what]
    home = client if branch is None else client.branch(branch)

    async def payments(number: int) -> Children:
        return await client.orders.payments(number), ""

    async def of_property(number: int) -> Children:
        return await _all(client.readings.list_for_property(number))

    async def of_order(number: int) -> Children:
        return await _all(client.readings.list_for_order(number))

    properties: Pages[Any] = client.properties.list(prefetch=ahead)
    orders: Pages[Any] = home.orders.list(prefetch=ahead)
    if what == "payments":
        return Listing(model, since, orders, "order_id", payments)
    if what == "readings" and per == "order":
        return Listing(model, since, orders, "order_id", of_order)
    if what == "readings":
        return Listing(model, since, properties, "property_id", of_property)
    leads: Pages[Any] = home.leads.list(prefetch=ahead)
    return Listing(model, since, {"properties": properties, "orders": orders, "leads": leads}[what])


async def _all(pages: Pages[Any]) -> Children:
    found: list[Model] = []
    async with aclosing(Passes(pages)) as passes:
        async for page in passes:
            found.extend(page.items)
    proved = passes.completeness.complete
    return found, "" if proved else passes.cursor.evidence.disturbance


def _problems(what: object, per: object, branch: object) -> Iterator[Problem]:
    if what not in MODELS:
        yield Problem("what", "is not a list that can be exported", f"give {', '.join(MODELS)}")
        return
    if per is not None and what != "readings":
        yield Problem("per", f"means nothing for {what}", "leave it out")
    elif per is not None and per not in get_args(Per):
        yield Problem("per", "is neither property nor order", "give one of them")
    if branch is not None:
        if what not in OF_BRANCHES:
            fix = f"leave it out, or export {' or '.join(OF_BRANCHES)}"
            yield Problem("branch", f"has no list of {what} in the API", fix)
        elif fault := positive_integer(branch):
            yield Problem("branch", *fault)


def since_problems(since: object) -> Iterator[Problem]:
    """Tell what is wrong with the day from which on rows are wanted."""
    # A datetime is a date to Python; its time and zone would be dropped without a word.
    if since is not None and (not isinstance(since, dt.date) or isinstance(since, dt.datetime)):
        yield Problem("since", "is not a date", "give a datetime.date")
