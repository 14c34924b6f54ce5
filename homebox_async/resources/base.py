"""What every resource can do: make a request, send it through the chain, return its result."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ..codec import decode, decode_list
from ..errors import Problem, ValidationError
from ..models import Model
from ..pages import Page, Pages, page_of
from ..rules import UNSET, Rule, Unset, positive_integer
from ..wire import Request, Response, encode

T = TypeVar("T")
M = TypeVar("M", bound=Model)

Send = Callable[[Request], Awaitable[Any]]


class Resource:
    """A group of operations; `send` runs the chain and returns the result of a request."""

    def __init__(self, send: Send, prefix: str = "") -> None:
        self._send = send
        self._prefix = prefix

    async def _get(self, path: str, into: type[T], **params: str | int) -> T:
        request = encode("GET", self._prefix + path, params=params, read=_one(into))
        result: T = await self._send(request)
        return result

    async def _get_all(self, path: str, into: type[M], **params: str | int) -> tuple[M, ...]:
        def read(response: Response) -> tuple[M, ...]:
            return tuple(decode_list(response.body, into, charset=response.charset)[0])

        request = encode("GET", self._prefix + path, params=params, read=read)
        result: tuple[M, ...] = await self._send(request)
        return result

    async def _post(
        self,
        path: str,
        into: type[T],
        *,
        rules: Mapping[str, Rule] | None = None,
        required: Iterable[str] = (),
        problems: Iterable[Problem] = (),
        envelope: str | None = "data",
        params: Mapping[str, str | int] | None = None,
        form: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> T:
        request = encode(
            "POST",
            self._prefix + path,
            params=params,
            fields=None if form is not None else fields,
            form=form,
            rules=rules,
            required=required,
            problems=problems,
            read=_one(into, envelope),
        )
        result: T = await self._send(request)
        return result

    def _pages(
        self,
        path: str,
        into: type[M],
        *,
        start_page: int,
        prefetch: int,
        params: Mapping[str, str | int] | None = None,
        rules: Mapping[str, Rule] | None = None,
        **query: Any,
    ) -> Pages[M]:
        def request(number: int, problems: Iterable[Problem] = ()) -> Request:
            def read(response: Response) -> Page[M]:
                items, meta, answer = decode_list(response.body, into, charset=response.charset)
                return page_of(items, meta, answer, number)

            return encode(
                "GET",
                self._prefix + path,
                params=params,
                query={**query, "page": number},
                rules=rules,
                problems=problems,
                read=read,
            )

        # Bad input is refused now, not at the first step of the iteration.
        request(start_page, _window_problems(start_page, prefetch))

        async def fetch(number: int) -> Page[M]:
            page: Page[M] = await self._send(request(number))
            return page

        return Pages(fetch, start_page, prefetch)


def _window_problems(start_page: object, prefetch: object) -> Iterator[Problem]:
    fault = positive_integer(start_page)
    if fault is not None:
        yield Problem("start_page", *fault)
    if prefetch != 0 and positive_integer(prefetch) is not None:
        yield Problem("prefetch", "is not a number of pages", "give 0 or a whole number above 0")


def _one(into: type[T], envelope: str | None = "data") -> Callable[[Response], T]:
    def read(response: Response) -> T:
        return decode(response.body, into, envelope=envelope, charset=response.charset)

    return read


def encode_filter(filter: Mapping[str, Any] | Unset) -> str | Unset:  # the API's word
    """Return the `filter` parameter: standard Base64 of JSON ("List Properties")."""
    if filter is UNSET:
        return UNSET
    try:
        return base64.b64encode(json.dumps(dict(filter), allow_nan=False).encode()).decode()
    except (TypeError, ValueError, RecursionError):
        fix = 'give a mapping of plain values such as {"status": [2]}'
        raise ValidationError([Problem("filter", "cannot be written as JSON", fix)]) from None
