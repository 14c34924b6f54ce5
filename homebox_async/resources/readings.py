"""The document's heading "Meter Readings", for orders and for properties."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal

import attrs

from ..errors import Problem, ValidationError
from ..models import Model, day, model
from ..pages import Pages
from ..rules import UNSET, Unset, absent, one_of, plain_date, positive_integer, tidy
from ..uploads import AnyFile, as_upload
from ..wire import Request, checked
from .base import Resource, check_echo, one
from .properties import Property

ReadingType = Literal["electric", "gas", "water"]


@model
class Reading(Model):
    """A meter reading. `reading` and `reading2` are text, as the server sends them.

    `type` comes back capitalised ("Gas"); `source` is where the image is kept.
    """

    id: int | None = None
    source: str | None = attrs.field(default=None, repr=False)
    state: str | None = None
    reading: str | None = None
    reading2: str | None = None
    date_of_reading: dt.date | None = day()
    created_at: dt.datetime | None = None
    type: str | None = None
    updated_at: dt.datetime | None = None
    bill_provider: str | None = None
    property: Property | None = None


@model
class MadeReading(Model):
    """A reading just recorded, of which no more is asked than this."""

    id: int | None = None
    date_of_reading: dt.date | None = day()


_read_made = one(MadeReading)


class AsyncReadings(Resource):
    """Meter readings. `page_size` of the lists is the API's `limit`."""

    async def create_for_order(
        self,
        order_id: int,
        *,
        type: ReadingType,  # the API's word
        reading: int,
        date_of_reading: dt.date,
        reading2: int | Unset = UNSET,
        image: AnyFile | Unset = UNSET,
    ) -> Reading:
        """Record a meter reading for an order and return it.

        `reading`: a whole number above 0; `reading2` likewise, for the second register of an
        Economy 7 electricity meter only. `date_of_reading`: sent as YYYY-MM-DD. `image`: a photo
        of the meter as bytes, path, open binary file or `Upload`; its content tells its type, and
        it is streamed. Warns with EchoMismatch where the answer shows another date.
        Raises ValidationError before anything is sent, OutcomeUnknown if it may have been
        recorded all the same, RequestError otherwise.
        Source: POST /api/partner/order/{order_id}/readings,
        "Create Meter Reading for an Order".
        """
        return await self._create(
            "order/{order_id}/readings",
            {"order_id": order_id},
            date_of_reading=date_of_reading,
            reading=reading,
            reading2=reading2,
            type=type,
            image=image,
        )

    def list_for_order(
        self,
        order_id: int,
        *,
        page_size: int | Unset = UNSET,
        start_page: int = 1,
        prefetch: int = 0,
    ) -> Pages[Reading]:
        """List the meter readings of an order.

        `page_size`, `start_page`, `prefetch`: see `Pages`; the server tells no last page.
        Raises NotFound where there is no such order, RequestError, while it is iterated.
        Source: GET /api/partner/order/{order_id}/readings, "List Meter Readings for an Order".
        """
        return self._pages(
            "order/{order_id}/readings",
            Reading,
            params={"order_id": order_id},
            rules=_LIST_RULES,
            start_page=start_page,
            prefetch=prefetch,
            limit=page_size,
        )

    async def create_for_property(
        self,
        property_id: int,
        *,
        type: ReadingType,  # the API's word
        reading: int,
        date_of_reading: dt.date,
        reading2: int | Unset = UNSET,
        image: AnyFile | Unset = UNSET,
    ) -> Reading:
        """Record a meter reading for a property and return it; see `create_for_order`.

        Source: POST /api/partner/property/{property_id}/readings,
        "Create Meter Reading for a Property".
        """
        return await self._create(
            "property/{property_id}/readings",
            {"property_id": property_id},
            date_of_reading=date_of_reading,
            reading=reading,
            reading2=reading2,
            type=type,
            image=image,
        )

    def list_for_property(
        self,
        property_id: int,
        *,
        page_size: int | Unset = UNSET,
        start_page: int = 1,
        prefetch: int = 0,
    ) -> Pages[Reading]:
        """List the meter readings of a property; see `list_for_order`.

        Source: GET /api/partner/property/{property_id}/readings,
        "List Meter Readings for a Property".
        """
        return self._pages(
            "property/{property_id}/readings",
            Reading,
            params={"property_id": property_id},
            rules=_LIST_RULES,
            start_page=start_page,
            prefetch=prefetch,
            limit=page_size,
        )

    def _creation(self, home: Literal["order", "property"], number: int, **form: Any) -> Request:
        """Return the request of `create_for_order` or `create_for_property`; see `MadeReading`.

        All but the image is checked. Raises ValidationError for an image that is none (any more).
        """
        form["image"], problems = as_upload("image", form["image"])
        if problems:
            raise ValidationError(problems)
        path = f"{home}/{{{home}_id}}/readings"
        return checked("POST", path, params={f"{home}_id": number}, form=form, read=_read_made)

    async def _create(self, path: str, params: dict[str, str | int], **form: Any) -> Reading:
        form["image"], problems = as_upload("image", form["image"])
        # The answer has no envelope ("Create Meter Reading for an Order") and is taken whole.
        made = await self._post(
            path,
            Reading,
            params=params,
            rules=_RULES,
            required=("type", "reading", "date_of_reading"),
            problems=[*problems, *_second_register(form)],
            form=form,
        )
        check_echo(made, depth=2, date_of_reading=form["date_of_reading"])
        return made


_RULES = {
    "type": one_of("electric", "gas", "water"),
    "reading": positive_integer,
    "reading2": positive_integer,
    "date_of_reading": plain_date,
}
_LIST_RULES = {"limit": positive_integer}


def _second_register(form: dict[str, Any]) -> Iterator[Problem]:
    if not absent(form["reading2"]) and tidy(_RULES["type"])(form["type"]) != "electric":
        yield Problem("reading2", "is given for a meter that is not electric", "leave it out")
