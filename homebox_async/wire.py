"""Requests and responses as plain values: nothing here does I/O.

`encode` makes a frozen `Request` from what a resource method was called with, or refuses it
with every problem named; `failure` makes the typed error of an answer that says no.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import enum
import itertools
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote, urlencode

import attrs
import msgspec

from .errors import (
    AnswerUnusable,
    Outcome,
    Problem,
    StatusError,
    ValidationError,
    status_error,
)
from .rules import UNSET, Input, Rule, absent, check


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


@attrs.frozen
class JsonBody:
    """A body that is ready to go, as often as needed."""

    data: bytes = attrs.field(repr=False)
    content_type: str = "application/json"


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

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None:
        """Give the connection back."""

    def unusable(self, why: str) -> AnswerUnusable:
        """Return the error of a body that is not what was asked for."""
        ...


Receive = Callable[[Incoming], Awaitable[Any]]


@attrs.frozen(eq=False)
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
        return quote(str(super().__getitem__(name)), safe="")


@attrs.define(eq=False)
class Response:
    """An answer, its body read whole; `result` is what the request's `read` made of it."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    result: Any = attrs.field(default=None, repr=False)

    @property
    def charset(self) -> str:
        """The charset that the Content-Type names, or ""."""
        kind = self.headers.get("Content-Type", "")
        if "charset=" not in kind:  # as a rule; the search takes far longer
            return ""
        found = re.search(r"charset=\"?([\w.:-]+)", kind)
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
) -> Request:
    """Return the request, or raise ValidationError with all that is wrong with the input.

    `fields` become JSON, where None is null; `form` becomes a multipart form, which has no null:
    there, as in the query, None is left out. Values that are UNSET are always left out.
    `rules` are applied to whatever of query, fields and form has their name.
    """
    given = {**(query or {}), **(fields or {}), **(form or {})}
    missing = [name for name in required if absent(given.get(name))]
    wrong = [
        *_path_problems(params or {}),
        *(Problem(name, "is missing", "give it") for name in missing),
        *check(given, rules or {}),
        *problems,
    ]
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
        query=tuple(
            (name, _plain(name, value))
            for name, value in (query or {}).items()
            if value is not UNSET and value is not None
        ),
        body=body,
        safety=SAFETY[method],
        read=read,
    )


def _path_problems(params: Mapping[str, str | int]) -> list[Problem]:
    """A value must not leave its segment, nor name another one."""
    wrong: list[Problem] = []
    for name, value in params.items():
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            wrong.append(Problem(name, f"is {type(value).__name__}", "give an id or text"))
        elif isinstance(value, int):
            if value < 0:
                wrong.append(Problem(name, "is below 0", "give an id that the API returned"))
        elif value.strip() in {"", ".", ".."}:
            wrong.append(Problem(name, "is empty or only dots", "give a value"))
        elif any(unicodedata.category(c) in {"Cc", "Cs"} for c in value):
            wrong.append(Problem(name, "holds a control character", "remove it"))
    return wrong


def _json(fields: Mapping[str, Any]) -> bytes:
    given = {name: _jsonable(name, value) for name, value in fields.items() if value is not UNSET}
    try:
        return Hidden(msgspec.json.encode(given))
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise ValidationError(
            Problem(name, "cannot be written as JSON", "give text, numbers, lists and mappings")
            for name, value in given.items()
            if not _is_json(value)
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
    if isinstance(value, (list, tuple)):
        return [_jsonable(name, one) if isinstance(one, Input) else one for one in value]
    return value


def _is_json(value: Any) -> bool:
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True


def _date(name: str, value: dt.date) -> str:
    form = _DATES.get(name)
    return value.isoformat() if form is None else value.strftime(form)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return _date(name, value)
    return str(value)


def _form(form: Mapping[str, Any]) -> FormBody:
    given = {n: value for n, value in form.items() if value is not UNSET and value is not None}
    return FormBody(
        fields=tuple(
            (name, _plain(name, value))
            for name, value in given.items()
            if not isinstance(value, Upload)
        ),
        files=tuple((name, value) for name, value in given.items() if isinstance(value, Upload)),
    )


# --- failures


def note_cancelled(
    cancelled: BaseException, request: Request, outcome: Outcome, when: str = ""
) -> None:
    """Write on a cancellation what the cancelled call did at the server."""
    cancelled.add_note(
        f"{request.method} {request.path}: cancelled{when} [outcome: {outcome.value}]"
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, None where it says nothing readable.

    It may be a number of seconds or an HTTP date; `now` is the time of day (`time.time`).
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", value):
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
        # One that names no zone is in UTC, not in the local one.
        date = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
        return max(0.0, date.timestamp() - now)
    except (ValueError, OverflowError):
        return None


# Statuses after which a write may have been done all the same.
_OPEN = {408, 500, 502, 504}


def outcome_of(safety: Safety, status: int, asked_to_wait: bool) -> Outcome:
    """Return what a request that was answered with a failing status did at the server."""
    if safety is Safety.READ or (status < 500 and status not in _OPEN):
        return Outcome.REJECTED
    # 503 with Retry-After is the server's word that it did not take the request.
    if status == 503 and asked_to_wait:
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def failure(request: Request, response: Response, now: float) -> StatusError:
    """Return the error of an answer with a status of 300 or above."""
    wait = retry_after(response.headers, now)
    said, fields = _server_words(response)
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    words = said or (f"an answer of type {kind}" if response.body and kind else "no message")
    for name, messages in itertools.islice(fields.items(), 10):
        words += f"; {name}: {' '.join(messages[:3])}"
    return status_error(response.status)(
        f"the server answered {response.status}: {words}",
        outcome=outcome_of(request.safety, response.status, wait is not None),
        status=response.status,
        server_message=said,
        errors=fields,
        retry_after=wait,
        request_id=response.headers.get("X-Request-Id"),
        method=request.method,
        path=request.path,
    )


def _server_words(response: Response) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Read Laravel's `{"message", "errors"}` where the answer has it."""
    try:
        tree = json.loads(response.body)
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(tree, dict):
        return "", {}
    said = tree.get("message")
    errors = tree.get("errors")
    return (
        redact(said) if isinstance(said, str) else "",
        {
            redact(str(name)): tuple(
                redact(str(m))
                for m in (messages if isinstance(messages, list) else [messages])
                if m is not None
            )
            for name, messages in (errors.items() if isinstance(errors, dict) else ())
        },
    )


_PERSONAL = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+\.[\w.-]+)|(?P<date>\b\d{1,4}[/-]\d{1,2}[/-]\d{2,4}\b)"
    r"|(?P<token>\beyJ[\w-]+\.[\w-]+\.[\w-]*)"
    r"|(?P<number>\+?\d(?:[\d \-()]{4,}\d))"
)


def redact(text: str, limit: int = 300) -> str:
    """Return a server's words on one line without emails, dates, JWTs and long numbers."""
    if len(text) > 4 * limit:
        # The search below takes square time on endless words; half a word may be half an email.
        text = text[: 4 * limit].rpartition(" ")[0] or "…"
    clean = _PERSONAL.sub(lambda found: f"[{found.lastgroup}]", " ".join(text.split()))
    return clean if len(clean) <= limit else clean[:limit] + "…"
