"""What every resource can do: make a request, send it through the chain, return its result."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import inspect
import json
import warnings
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from ..codec import decode, decode_list, parse
from ..errors import EchoMismatch, Problem, ValidationError, held_warnings
from ..models import Answer, Model, Part, Refusal, model, tells_failure
from ..pages import Page, Pages, page_of
from ..rules import UNSET, Rule, Unset, positive_integer
from ..tidying import plain
from ..tracebacks import clean
from ..wire import Request, Response, encode

T = TypeVar("T")
M = TypeVar("M", bound=Model)

F = TypeVar("F", bound=Callable[..., Any])

Send = Callable[[Request], Awaitable[Any]]

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]


@model
class Confirmation(Model):
    """What the server said of something done; `message` is None where it said nothing.

    `raw` is {} then; otherwise it is the whole answer.
    """

    # It may name the tenant.
    message: str | None = attrs.field(default=None, repr=False)


class Resource:
    """A group of operations; `send` runs the chain and returns the result of a request.

    `prefix` goes before every path and `scope` fills it: the branch accounts' own paths.
    The errors of every operation are `clean`: their frames do not show what it was given.
    """

    def __init_subclass__(cls) -> None:
        for name, method in tuple(vars(cls).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(cls, name, clean(method))

    def __init__(
        self, send: Send, prefix: str = "", scope: Mapping[str, str | int] | None = None
    ) -> None:
        self._send = send
        self._prefix = prefix
        self._scope = scope or {}

    async def _get(
        self,
        path: str,
        into: type[T],
        *,
        rules: Mapping[str, Rule] | None = None,
        problems: Iterable[Problem] = (),
        required: Iterable[str] = (),
        envelope: str | None = "data",
        query: Mapping[str, Any] | None = None,
        read: Callable[[Response], T] | None = None,
        **params: str | int,
    ) -> T:
        request = encode(
            "GET",
            self._prefix + path,
            params={**self._scope, **params},
            query=query,
            rules=rules,
            required=required,
            problems=problems,
            read=read or one(into, envelope),
        )
        result: T = await self._send(request)
        return result

    async def _get_all(self, path: str, into: type[M], **params: str | int) -> tuple[M, ...]:
        def read(response: Response) -> tuple[M, ...]:
            return tuple(_many(response, into)[0])

        request = encode("GET", self._prefix + path, params={**self._scope, **params}, read=read)
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
        made: bool = True,
        **fields: Any,
    ) -> T:
        """Send a form or fields; `made`: whether it creates what the answer has to show."""
        request = encode(
            "POST",
            self._prefix + path,
            params={**self._scope, **(params or {})},
            fields=None if form is not None else fields,
            form=form,
            rules=rules,
            required=required,
            problems=problems,
            read=one(into, envelope, made=made),
        )
        result: T = await self._send(request)
        return result

    async def _patch(
        self,
        path: str,
        into: type[T],
        *,
        rules: Mapping[str, Rule],
        required: Iterable[str] = (),
        problems: Iterable[Problem] = (),
        params: Mapping[str, str | int],
        **fields: Any,
    ) -> T:
        """Send changes; an empty answer gives an empty object."""
        request = encode(
            "PATCH",
            self._prefix + path,
            params={**self._scope, **params},
            fields=fields,
            rules=rules,
            required=required,
            problems=problems,
            read=one(into, empty=True),
        )
        result: T = await self._send(request)
        return result

    async def _delete(self, path: str, **params: str | int) -> Confirmation:
        request = encode(
            "DELETE", self._prefix + path, params={**self._scope, **params}, read=_confirmed
        )
        # No result: gone with an answer that could not be read, or gone before this attempt.
        result: Confirmation | None = await self._send(request)
        return result or Confirmation()

    async def _post_for_confirmation(
        self,
        path: str,
        *,
        rules: Mapping[str, Rule],
        params: Mapping[str, str | int],
        **fields: Any,
    ) -> Confirmation:
        """Send what is answered with words only; every field is required."""
        request = encode(
            "POST",
            self._prefix + path,
            params={**self._scope, **params},
            fields=fields,
            rules=rules,
            required=fields,
            read=_confirmed,
        )
        result: Confirmation = await self._send(request)
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
                return page_of(*_many(response, into), number)

            return encode(
                "GET",
                self._prefix + path,
                params={**self._scope, **(params or {})},
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

        return Pages(clean(fetch), start_page, prefetch, into, self._prefix + path)


def shown(holder: type, resources: Mapping[str, type]) -> None:
    """Show on a class what each object of it holds: mocks (`create_autospec`) look there."""
    for name, kind in resources.items():
        setattr(holder, name, kind)


def _window_problems(start_page: object, prefetch: object) -> Iterator[Problem]:
    fault = positive_integer(start_page)
    if fault is not None:
        yield Problem("start_page", *fault)
    if prefetch != 0 and positive_integer(prefetch) is not None:
        yield Problem("prefetch", "is not a number of pages", "give 0 or a whole number above 0")


@_cached
def one(
    into: type[T],
    envelope: str | None = "data",
    *,
    empty: bool = False,
    made: bool = False,
) -> Callable[[Response], T]:
    """Return what reads the one object of an answer; `made`: see `decode`."""

    def read(response: Response) -> T:
        if (empty or (response.status == 204 and not made)) and not response.body.strip():
            return into()
        return decode(response.body, into, envelope=envelope, charset=response.charset, made=made)

    return read


def _many(response: Response, into: type[M]) -> tuple[list[M], dict[str, Any], Answer]:
    body = b"[]" if response.status == 204 else response.body
    return decode_list(body, into, charset=response.charset)


def _confirmed(response: Response) -> Confirmation:
    """Read `{"message": ".."}` ("Delete Invite") and `{"data": [".."]}` ("Invite Bill Payer")."""
    if not response.body.strip():
        return Confirmation()
    tree = parse(response.body, response.charset)
    if tells_failure(tree) or (isinstance(tree, dict) and tells_failure(tree.get("data"))):
        raise Refusal("tells of a failure")
    said = tree.get("message", tree.get("data")) if isinstance(tree, dict) else tree
    if isinstance(said, dict):
        said = said.get("message")
    if isinstance(said, list):
        said = "\n".join(item for item in said if isinstance(item, str))
    confirmation = Confirmation(message=said if said and isinstance(said, str) else None)
    answer = Answer(response.body, tree, response.charset)
    object.__setattr__(confirmation, "_source", Part(tree, answer))
    return confirmation


def check_echo(result: Model, *, depth: int = 1, **sent: dt.date | Unset) -> None:
    """Warn once of a record whose dates the server echoes otherwise than they were sent.

    `depth`: how many methods stand between this function and the user's line.
    """
    wrong = []
    for name, date in sent.items():
        echoed = getattr(result, name)
        if date is not UNSET and echoed is not None and echoed != date:
            dates = "another date than was sent"
            if name != "birthday":  # personal
                dates = f"{echoed} where {date} was sent"
            wrong.append(f"{name}: the server's answer shows {dates}")
    if not wrong:
        return
    number = getattr(result, "id", None)
    record = type(result).__name__ + ("" if number is None else f" {number}")
    warning = EchoMismatch(f"{record}: {'; '.join(wrong)}; look at the record and correct it")
    held = held_warnings.get()
    if held is None:
        warnings.warn(warning, stacklevel=depth + 3)  # `clean` is one more
    else:
        held.append(warning)


def _plainly(value: Any) -> Any:
    made = plain(value)
    if made is value:
        raise TypeError
    return made


def encode_filter(filter: Mapping[str, Any] | Unset) -> str | Unset:  # the API's word
    """Return the `filter` parameter: standard Base64 of JSON ("List Properties")."""
    if filter is UNSET:
        return UNSET
    try:
        if not isinstance(filter, Mapping):
            raise TypeError
        written = json.dumps(dict(filter), allow_nan=False, default=_plainly)
        return base64.b64encode(written.encode()).decode()
    except (TypeError, ValueError, RecursionError):
        fix = 'give a mapping of plain values such as {"status": [2]}'
        raise ValidationError([Problem("filter", "cannot be written as JSON", fix)]) from None
