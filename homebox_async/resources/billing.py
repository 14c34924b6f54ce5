"""The Billing document: heat and water billings of buildings, a service of its own.

Its names are camelCase and its ids 32 hex digits; nothing but the way they are fetched is
shared with the Partner API.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import attrs

from ..codec import decode, parse
from ..download import Download
from ..errors import NotFound, Problem
from ..models import Model, model, renamed
from ..rules import UNSET, Unset, Verdict, boolean, check, plain_date
from ..wire import Receive, Request, Response, encode
from .base import Resource, Send

# The document misspells the word ("BillingDocument"); which of the two works is not known.
DOCUMENT_PATHS = ("BillingDoculment/{documentId}", "BillingDocument/{documentId}")

# "The reference is always BExxxxxxxx (8 digits pattern)"; a VAT number or an IBAN has more.
_REFERENCE = re.compile(r"(?<![A-Za-z0-9])BE[0-9]{8}(?![A-Za-z0-9])")


@model
class BillingHeader(Model):
    """One billing of a property. `id` is what `get` takes.

    `update_timestamp`: when it was published, UTC where the server gives no zone.
    """

    id: int | None = None
    property_uuid: str | None = renamed("propertyUUId")
    start_date: dt.date | None = renamed("startDate")
    end_date: dt.date | None = renamed("endDate")
    update_timestamp: dt.datetime | None = renamed("updateTimeStamp")


@model
class BillingHeaders(Model):
    """The billings of a property; `count` is the server's own."""

    count: int | None = None
    headers: tuple[BillingHeader, ...] = renamed("billingHeaders", ())


@attrs.frozen
class BillingResult:
    """A billing as the server sent it: its JSON is not documented and passed on untouched.

    Numbers with a fraction are Decimal.
    """

    id: int
    raw: Any = attrs.field(repr=False, hash=False)

    @property
    def document_references(self) -> tuple[str, ...]:
        """Every document reference (BE and 8 digits) in it, each once, in order."""
        found = dict.fromkeys(
            reference for text in _texts(self.raw) for reference in _REFERENCE.findall(text)
        )
        return tuple(found)


def _texts(tree: Any) -> Iterator[str]:
    """Yield every text of a JSON tree, keys too, in order; no depth is too deep."""
    waiting = [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, dict):
            waiting += [part for item in reversed(here.items()) for part in reversed(item)]
        elif isinstance(here, list):
            waiting += reversed(here)


@attrs.define(eq=False)
class Spelling:
    """Which path of a document works; None until one has."""

    known: str | None = None


class BillingOperations(Resource):
    """The three operations of the Billing API."""

    def __init__(self, send: Send, spelling: Spelling) -> None:
        super().__init__(send)
        self._spelling = spelling

    async def headers(
        self,
        property_uuid: str,
        *,
        start_date: dt.date | Unset = UNSET,
        end_date: dt.date | Unset = UNSET,
        last_update: dt.date | Unset = UNSET,
    ) -> BillingHeaders:
        """Return the billings of a property.

        `property_uuid`: 32 hex digits without dashes. `start_date` and `end_date`: of the
        billing period. `last_update`: only what was published since. Dates are sent as
        YYYY-MM-DD.
        Raises ValidationError before anything is sent, RequestError for a failed call.
        Source: GET /BillingHeaders/{propertyUUId}, "BillingHeaders".
        """
        query = {"StartDate": start_date, "EndDate": end_date, "LastUpdate": last_update}
        problems = check({"propertyUUId": property_uuid}, {"propertyUUId": _uuid})
        request = encode(
            "GET",
            "BillingHeaders/{propertyUUId}",
            params={"propertyUUId": property_uuid},
            query=query,
            rules=dict.fromkeys(query, plain_date),
            problems=[*problems, *_period(start_date, end_date)],
            read=_read_headers,
        )
        headers: BillingHeaders = await self._send(request)
        return headers

    async def get(
        self, billing_id: int, *, include_device_consumptions: bool | Unset = UNSET
    ) -> BillingResult:
        """Return one billing, its JSON untouched, with the documents that it names.

        `billing_id`: the `id` of a header. `include_device_consumptions`: whether the result
        shall hold what each device consumed; the server's default is not documented.
        Raises NotFound where there is none, RequestError for a failed call.
        Source: GET /Billing/{id}, "Billing".
        """

        def read(response: Response) -> BillingResult:
            return BillingResult(billing_id, parse(response.body, response.charset))

        request = encode(
            "GET",
            "Billing/{billing_id}",
            params={"billing_id": billing_id},
            query={"includeDeviceConsumptions": include_device_consumptions},
            rules={"includeDeviceConsumptions": boolean},
            read=read,
        )
        result: BillingResult = await self._send(request)
        return result

    def document(self, document_id: str) -> Download:
        """Return a billing document (PDF) to save or to iterate; nothing is fetched yet.

        `document_id`: BE and 8 digits, as `BillingResult.document_references` finds them.
        Raises ValidationError for another id; `Download` says what fetching it raises, which is
        NotFound where there is no such document.
        Source: GET /BillingDoculment/{documentId} (and, where that is not found,
        /BillingDocument/{documentId}), "BillingDocument".
        """

        def request(path: str, receive: Receive) -> Request:
            made = encode(
                "GET",
                path,
                params={"documentId": document_id},
                problems=check({"documentId": document_id}, {"documentId": _reference}),
                read=attrgetter("result"),
            )
            headers = {"Accept": "application/pdf, application/json;q=0.5, */*;q=0.1"}
            return attrs.evolve(made, headers=headers, receive=receive)

        async def fetch(receive: Receive) -> Any:
            documented, likely = DOCUMENT_PATHS
            if self._spelling.known is not None:
                return await self._send(request(self._spelling.known, receive))
            try:
                result = await self._send(request(documented, receive))
            except NotFound as missing:
                try:
                    result = await self._send(request(likely, receive))
                except NotFound:
                    raise missing from None
                self._spelling.known = likely
                return result
            self._spelling.known = documented
            return result

        request(DOCUMENT_PATHS[0], _nothing)  # a bad id is refused now
        return Download(fetch, f"{document_id}.pdf")


async def _nothing(_: Any) -> None:
    return None


def _read_headers(response: Response) -> BillingHeaders:
    return decode(response.body, BillingHeaders, envelope=None, charset=response.charset)


def _uuid(value: object) -> Verdict:
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{32}", value):
        return None
    return "is not 32 hex digits", "give the property's UUID without dashes"


def _reference(value: object) -> Verdict:
    if isinstance(value, str) and re.fullmatch(r"BE[0-9]{8}", value):
        return None
    return "is not a document reference", "give BE and 8 digits, such as BE00000001"


def _period(start: Any, end: Any) -> Iterator[Problem]:
    if plain_date(start) is None and plain_date(end) is None and end < start:
        yield Problem("EndDate", "is before StartDate", "give a later one")
