"""Requests and responses as plain values: nothing here does I/O.

`encode` makes a `Request` from what a resource method was called with, or refuses it with every
problem named.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import math
import re
import unicodedata
import uuid
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol
from urllib.parse import quote, urlencode

import attrs
from multidict import istr

from .errors import (
    AnswerUnusable,
    Problem,
    ValidationError,
)
from .json_values import encoded, holds_no_number, is_json
from .rules import TIDY, UNSET, Input, Rule, absent, check, positive_integer, tidy
from .tidying import PLAIN, plain


class Safety(enum.Enum):
    """What sending a request twice would do; retry depends on it."""

    READ = "read"
    """Changes nothing: may be sent again."""
    DELETE = "delete"
    """Asks for a state: may be sent again, and 404 then is success."""
    WRITE = "write"
    """Creates or changes: sent again only when the server surely did nothing."""


SAFETY = {
    "GET": Safety.READ,
    "HEAD": Safety.READ,
    "DELETE": Safety.DELETE,
    "POST": Safety.WRITE,
    "PATCH": Safety.WRITE,
    "PUT": Safety.WRITE,
}


class Secret(str):
    """Text that shows itself as *** in every repr: logs, tracebacks with locals, debuggers."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Hidden(bytes):
    """A body that shows itself as *** in tracebacks with locals: it holds personal data."""

    def __repr__(self) -> str:
        return "b'***'"


JSON: Final = "application/json"
_CONTENT_TYPE: Final = istr("Content-Type")  # costs less to look up than a plain text


@attrs.frozen
class JsonBody:
    """A body that is ready to go, as often as needed."""

    data: bytes = attrs.field(repr=False)
    content_type: str = JSON


@attrs.frozen
class Upload:
    """A file to send: its bytes, a path, or an open binary file.

    A path is opened anew for each attempt; an open file is read from where it stood when the
    call began, so it must be seekable. `filename` and `content_type` are told to the server.
    """

    content: bytes | Path | BinaryIO = attrs.field(repr=False)
    filename: str = "upload"
    content_type: str = "application/octet-stream"
    start: int = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(
            lambda self: 0 if isinstance(self.content, (bytes, Path)) else self.content.tell(),
            takes_self=True,
        ),
    )


@attrs.frozen
class FormBody:
    """A multipart form: text fields and files, built anew for each attempt."""

    fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    files: tuple[tuple[str, Upload], ...] = ()


Body = JsonBody | FormBody


class Incoming(Protocol):
    """The body of a success on its way in; whoever takes it closes it."""

    @property
    def total(self) -> int | None:
        """How many bytes it will have, None where the server does not tell."""

    @property
    def framed(self) -> bool:
        """Whether a body that was cut off comes out as an error."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None:
        """Give the connection back."""

    def unusable(self, why: str) -> AnswerUnusable:
        """Return the error of a body that is not what was asked for."""
        ...


Receive = Callable[[Incoming], Awaitable[Any]]


# Not frozen: that takes twice as long to make, and every call makes one.
@attrs.define(eq=False)
class Request:
    """One operation, ready to be sent any number of times.

    `path`: the template below the API's root, `params`: what fills it, `query`: in order,
    `read`: what makes the result of a successful response, `deadline`: when the call has to be
    over, on the clock of `time.monotonic`, None for never. `headers`: beside those of every
    request. `receive`: takes the body of a success as it comes, anew for each attempt; what it
    returns is the response's `result`.
    """

    method: str
    path: str
    params: Mapping[str, str | int] = attrs.field(factory=dict, repr=False)
    query: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: Body | None = None
    safety: Safety = Safety.READ
    read: Callable[[Response], Any] = attrs.field(default=lambda _: None, repr=False)
    deadline: float | None = None
    headers: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    receive: Receive | None = attrs.field(default=None, repr=False)

    @property
    def target(self) -> str:
        """The path and query as they go on the wire, percent-encoded, without leading slash."""
        path = self.path.format_map(_Quoted(self.params)) if self.params else self.path
        # `filter` is standard Base64: its +, / and = have to be escaped too.
        return f"{path}?{urlencode(self.query, quote_via=quote, safe='')}" if self.query else path


class _Quoted(dict[str, Any]):
    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        return str(value) if isinstance(value, int) else quote(value, safe="")


@attrs.define(eq=False)
class Response:
    """An answer, its body read whole; `result` is what the request's `read` made of it.

    `attempts`: how many it took. `request_id`: what the server calls the exchange.
    `added`: the headers that the request got beside its own, the token among them: a failure does
    not repeat them. No middleware of the user's is handed them. `ends`: when the time of its
    attempt is over, on the clock of `time.monotonic`.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    result: Any = attrs.field(default=None, repr=False)
    added: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    attempts: int = 1
    request_id: str | None = None
    ends: float = attrs.field(default=math.inf, repr=False)

    @property
    def charset(self) -> str:
        """The charset that the Content-Type names, or ""."""
        return _charset(self.headers.get(_CONTENT_TYPE, ""))


@functools.lru_cache(32)
def _charset(content_type: str) -> str:
    found = re.search(r"charset=\"?([\w.:-]+)", content_type)
    return found[1] if found else ""


# --- encode

# "Tenancy dates DD/MM/YY, birthdays DD/MM/YYYY, everything else YYYY-MM-DD", by the API's names.
_DATES = {
    "tenancy_start": "%d/%m/%y",
    "tenancy_end": "%d/%m/%y",
    "tenancy_move_in": "%d/%m/%y",
    "birthday": "%d/%m/%Y",
}


def encode(
    method: str,
    path: str,
    *,
    params: Mapping[str, str | int] | None = None,
    query: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    rules: Mapping[str, Rule] | None = None,
    required: Iterable[str] = (),
    problems: Iterable[Problem] = (),
    read: Callable[[Response], Any] = lambda _: None,
    ids: bool = True,
) -> Request:
    """Return the request, or raise ValidationError with all that is wrong with the input.

    `fields` become JSON, where None is null; `form` becomes a multipart form, which has no null:
    there, as in the query, None is left out. Values that are UNSET are always left out.
    `rules` are applied to whatever of query, fields and form has their name.
    `ids`: whether the parameters that are named so have to be ids.
    """
    rules = rules or {}
    params = _tidied(params, rules) if params else {}
    query = _tidied(query, rules) if query else {}
    fields = None if fields is None else _tidied(fields, rules)
    form = None if form is None else _tidied(form, rules)
    wrong = _path_problems(params, ids) if params else []
    if rules or required:
        given = {**query, **(fields or {}), **(form or {})}
        for name in required:
            if absent(given.get(name)):
                wrong.append(Problem(name, "is missing", "give it"))
                given.pop(name, None)
        wrong += check(given, rules)
    wrong += problems
    if not wrong and (query or form):
        wrong += _text_problems(query)
        wrong += _text_problems(form or {})
    if wrong:
        raise ValidationError(wrong)
    return checked(method, path, params=params, query=query, fields=fields, form=form, read=read)


def checked(
    method: str,
    path: str,
    *,
    params: Mapping[str, str | int] | None = None,
    query: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    read: Callable[[Response], Any] = lambda _: None,
) -> Request:
    """Return the request of values that are known to be good, as `encode` does."""
    body: Body | None = None
    if fields is not None:
        body = JsonBody(_json(fields))
    elif form is not None:
        body = _form(form)
    return Request(
        method=method,
        path=path,
        params=params or {},
        query=()
        if not query
        else tuple(
            [
                pair
                for name, value in query.items()
                if value is not UNSET and value is not None
                for pair in _pairs(name, value)
            ]
        ),
        body=body,
        safety=SAFETY[method],
        read=read,
    )


def _tidied(given: Mapping[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    # Most values have no rule that changes them, and a call of `tidy` takes as long as the rest.
    if not rules:
        return {
            name: value if type(value) in PLAIN else plain(value) for name, value in given.items()
        }
    return {
        name: value
        if type(value) in PLAIN and rules.get(name) not in TIDY
        else tidy(rules.get(name))(value)
        for name, value in given.items()
    }


def _path_problems(params: Mapping[str, str | int], ids: bool) -> list[Problem]:
    """A value must not leave its segment, nor name another one; an id is a number above 0."""
    wrong: list[Problem] = []
    for name, value in params.items():
        if type(value) is int and 0 < value < 1 << 63:  # as nearly all are
            continue
        if ids and (name == "id" or name.endswith("_id")):
            fault = positive_integer(value)
            if fault is not None:
                wrong.append(Problem(name, *fault))
        elif isinstance(value, bool) or not isinstance(value, (str, int)):
            wrong.append(Problem(name, f"is {type(value).__name__}", "give an id or text"))
        elif isinstance(value, int):
            if value < 0:
                wrong.append(Problem(name, "is below 0", "give an id that the API returned"))
            elif value >= 1 << 63:
                wrong.append(Problem(name, "is too large", "give an id that the API returned"))
        elif value.strip() in {"", ".", ".."}:
            wrong.append(Problem(name, "is empty or only dots", "give a value"))
        elif any(unicodedata.category(c) in {"Cc", "Cs"} for c in value):
            wrong.append(Problem(name, "holds a control character", "remove it"))
    return wrong


_TEXTS = (str, int, float, Decimal, dt.date, dt.time, uuid.UUID)  # what a query or a form can say


def _text_problems(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse names and values of a query or a form that have no text to be sent."""
    for name, value in given.items():
        if isinstance(value, Upload):
            yield from upload_problems(name, value)
        elif isinstance(value, (list, tuple)):
            for index, one in enumerate(map(plain, value)):
                if isinstance(one, (list, tuple)):
                    yield Problem(f"{name}.{index}", "is a list in a list", "give one list")
                else:
                    yield from _text_problems({f"{name}.{index}": one})
        elif value is not None and value is not UNSET and not isinstance(value, _TEXTS):
            yield Problem(
                name, f"is {type(value).__name__}", "give text, a number, or a list of such"
            )
        elif isinstance(value, (float, Decimal)) and not math.isfinite(value):
            yield Problem(name, "is not a finite number", "give one or leave it out")
        else:
            try:
                f"{name}{value}".encode()
            except ValueError:  # a lone surrogate, or a number of more than 4,300 digits
                yield Problem(ascii(name), "cannot be written as text", "correct or remove it")
        if not name.isprintable():
            yield Problem(ascii(name), "is a name with a control character", "remove it")


def upload_problems(name: str, upload: Upload) -> Iterator[Problem]:
    """Refuse a file's name and type where they would not stay within their header."""
    if not (upload.filename.isprintable() and upload.content_type.isprintable()):
        yield Problem(name, "has a control character in its filename or type", "remove it")
    elif max(len(upload.filename), len(upload.content_type)) > 255:
        yield Problem(name, "has a filename or type of more than 255 characters", "shorten it")


def _json(fields: Mapping[str, Any]) -> bytes:
    given = {name: _jsonable(name, value) for name, value in fields.items() if value is not UNSET}
    try:
        data = encoded(given)
        # msgspec writes NaN and Infinity as null, and those of Decimal as text.
        if b"null" in data or b"NaN" in data or b"Infinity" in data:
            wrong = [name for name, value in given.items() if holds_no_number(value)]
            if wrong:
                raise ValidationError(
                    Problem(name, "is or holds NaN or Infinity", "give a finite number or None")
                    for name in wrong
                )
        return Hidden(data)
    except ValidationError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError):
        fix = "give text, numbers, lists and mappings"
        unfit = [name for name, value in given.items() if not is_json(value)]
        raise ValidationError(
            Problem(name, "cannot be written as JSON", fix)
            for name in unfit or ["json"]  # nested too deeply only as a whole
        ) from None


def _jsonable(name: str, value: Any) -> Any:
    """Return dates and inputs as the API wants them, wherever inputs hold them."""
    if type(value) is str:  # as most are
        return value
    if isinstance(value, dt.date):
        return _date(name, value)
    if isinstance(value, Input):
        inner = value.on_wire().items()
        return {field: _jsonable(field, one) for field, one in inner if one is not UNSET}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_jsonable(name, one) if isinstance(one, Input) else one for one in value]
    return value


def _date(name: str, value: dt.date) -> str:
    form = _DATES.get(name)
    return value.isoformat() if form is None else value.strftime(form)


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    """Return a value as a query or a form has it; a list as PHP reads it, `name[]` for each."""
    if isinstance(value, (list, tuple)):
        return [(f"{name}[]", _text(name, plain(one))) for one in value]
    return [(name, _text(name, value))]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return _date(name, value)
    return str(value)


def _form(form: Mapping[str, Any]) -> FormBody:
    given = {n: value for n, value in form.items() if value is not UNSET and value is not None}
    return FormBody(
        fields=tuple(
            pair
            for name, value in given.items()
            if not isinstance(value, Upload)
            for pair in _pairs(name, value)
        ),
        files=tuple((name, value) for name, value in given.items() if isinstance(value, Upload)),
    )
