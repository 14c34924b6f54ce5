"""Every error this package raises.

::

    HomeboxError
    ├── ConfigurationError      a client was set up or used wrongly; nothing was sent
    ├── ValidationError         the input was refused before anything was sent (.problems)
    └── RequestError            a call failed; .outcome says what it did at the server
        ├── ConnectionFailed    no connection, or it broke before an answer
        ├── AttemptTimeout      one attempt took longer than `timeout`
        ├── DeadlineExceeded    the whole call took, or would take, longer than `deadline`
        ├── AnswerUnusable      an answer came, but cannot be used (not JSON, too large, cut)
        ├── OutcomeUnknown      a write may have happened; it is never sent again (.reason)
        └── StatusError         the server answered with a failure (.status, .errors)
            ├── RedirectRefused       3xx: redirects are never followed
            ├── BadRequest            400
            ├── AuthenticationFailed  401
            ├── PermissionDenied      403
            ├── NotFound              404
            ├── Conflict              409
            ├── UnprocessableEntity   422 (.errors: field -> messages)
            ├── RateLimited           429 (.retry_after)
            └── ServerError           5xx

One warning is ours: EchoMismatch, for a write that the server echoes with another date.

No error holds the token, a request body or a filled-in path: all of them can be logged,
pickled and copied.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

import attrs


class Outcome(enum.Enum):
    """What a failed call did at the server."""

    NOT_SENT = "not sent"
    """No byte of the request left this machine: it certainly did nothing."""
    REJECTED = "rejected"
    """The server answered no: it did nothing."""
    UNKNOWN = "unknown"
    """The request left, and no usable answer came: it may have happened."""


class HomeboxError(Exception):
    """The base of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


class ConfigurationError(HomeboxError):
    """A client was set up or used in a way that cannot work; nothing was sent."""


@attrs.frozen
class Problem:
    """One thing wrong with an input.

    `field` is the path of the field in the API's own words (``address.postcode``),
    `problem` says what is wrong without repeating a personal value,
    `fix` says what to give instead.
    """

    field: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field} {self.problem}; {self.fix}"


class ValidationError(HomeboxError, ValueError):
    """The input was refused before anything was sent; `problems` holds all that is wrong."""

    outcome = Outcome.NOT_SENT

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)) + " (nothing was sent)")


class EchoMismatch(UserWarning):
    """The server took a write, but its answer shows another date than the one that was sent.

    "Create Partner Package" lets one fear that it reads some dates month first.
    """


held_warnings: ContextVar[list[EchoMismatch] | None] = ContextVar(
    "homebox_held_warnings", default=None
)
"""Where warnings wait that belong to the line of a caller in another thread."""


class RequestError(HomeboxError):
    """A call failed.

    `outcome`: what it did at the server. `method` and `path`: the operation, with the path as
    its template (``property/{property_id}``). `attempts`: how many were made, 0 for a call that
    waited for its turn until the deadline. `request_id`: what the server calls the exchange,
    None where it does not say or has not answered. `permanent`: whether another try would fail in
    the same way, so that the client makes none; a proxy that wants a password, for example.
    """

    permanent = False

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        method: str = "",
        path: str = "",
        attempts: int = 1,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.outcome = outcome
        self.method = method
        self.path = path
        self.attempts = attempts
        self.request_id = request_id
        self._status = status

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer, None when there was none."""
        return self._status

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked to wait before the next try, if it did."""
        return None

    def __str__(self) -> str:
        tries = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        operation = f"{self.method} {self.path}: " if self.method else ""
        return f"{operation}{self.message} [outcome: {self.outcome.value}, {tries}]"


def _rebuild(cls: type[HomeboxError], args: tuple[Any, ...], state: dict[str, Any]) -> HomeboxError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConnectionFailed(RequestError):
    """No connection could be made, or it broke before a whole answer had come."""


class AttemptTimeout(RequestError):
    """One attempt took longer than the client's `timeout`."""


class DeadlineExceeded(RequestError):
    """The whole call took longer than `deadline`, or would have if it had waited as asked.

    A pause of more than an hour that the server asks for is not waited for without a deadline
    either.
    """


class AnswerUnusable(RequestError):
    """The server answered with success, but the answer cannot be used."""


class StatusError(RequestError):
    """The server answered with a status of 300 or above.

    `status`: the HTTP status. `errors`: the server's messages by field, empty where it gave
    none. `server_message`: its own words, "" where it gave none. `body`: its whole answer as text,
    at most 2,000 characters, in which what was sent and what looks personal is masked.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        status: int,
        server_message: str = "",
        body: str = "",
        errors: Mapping[str, tuple[str, ...]] | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        method: str = "",
        path: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(
            message,
            outcome=outcome,
            method=method,
            path=path,
            attempts=attempts,
            status=status,
            request_id=request_id,
        )
        self.server_message = server_message
        self.body = body
        self.errors = dict(errors or {})
        self._retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        assert self._status is not None
        return self._status

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked to wait before the next try, if it did."""
        return self._retry_after


class RedirectRefused(StatusError):
    """3xx: redirects are never followed (a redirected POST would turn into a GET)."""


class BadRequest(StatusError):
    """400: the request is invalid."""


class AuthenticationFailed(StatusError):
    """401: the API key is wrong."""


class PermissionDenied(StatusError):
    """403: the API key does not allow this."""


class NotFound(StatusError):
    """404: the resource could not be found."""


class Conflict(StatusError):
    """409: the resource is in a state that does not allow this."""


class UnprocessableEntity(StatusError):
    """422: the server refused a value; `errors` names the fields."""


class RateLimited(StatusError):
    """429: too many requests; `retry_after` tells how long to wait."""


class ServerError(StatusError):
    """5xx: the server failed."""


class OutcomeUnknown(RequestError):
    """A write left this machine and no usable answer came: it may or may not have happened.

    The client never sends it again. Look first whether it happened, as the importer does.
    `reason` is the failure that left it open.
    """

    def __init__(self, reason: RequestError) -> None:
        super().__init__(
            f"it may have happened: {reason.message}",
            outcome=Outcome.UNKNOWN,
            method=reason.method,
            path=reason.path,
            attempts=reason.attempts,
            status=reason.status,
            request_id=reason.request_id,
        )
        self.reason = reason

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked to wait before the next try, if it did."""
        return self.reason.retry_after


STATUS_ERRORS: Mapping[int, type[StatusError]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    422: UnprocessableEntity,
    429: RateLimited,
}


def status_error(status: int) -> type[StatusError]:
    """Return the error class for an HTTP status of 300 or above."""
    if status < 400:
        return RedirectRefused
    if status >= 500:
        return ServerError
    return STATUS_ERRORS.get(status, StatusError)
