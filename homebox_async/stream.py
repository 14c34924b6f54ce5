"""An answer whose body is taken as it comes, with the errors and limits of a whole one."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeVar

import aiohttp
from aiohttp import hdrs
from aiohttp.http_exceptions import ContentEncodingError

from .errors import (
    AnswerUnusable,
    AttemptTimeout,
    ConnectionFailed,
    DeadlineExceeded,
    Outcome,
    RequestError,
)
from .failures import note_cancelled
from .wire import Request

# By which requests and curl find the authority of a company's firewall.
_OTHERS_OF_TLS: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

NOTHING: Final[Mapping[str, str]] = {}
# RuntimeError is what aiohttp and asyncio say of a session, a loop or a Python that is closing.
BROKEN: Final = (aiohttp.ClientError, OSError, ValueError, RuntimeError, MemoryError)

T = TypeVar("T")
E = TypeVar("E", bound=RequestError)


class Sent(Protocol):
    """Tells whether a request left this machine."""

    sent: bool


class Stream:
    """An answer: its head is there, its chunks come by `async for`. See `Transport.open`.

    No cancel scope is held from one chunk to the next, so each may be taken by another task, as
    the sync client does.
    """

    def __init__(
        self,
        request: Request,
        timeout: float,
        max_body: int,
        release: Callable[[], None],
        attempt: Sent,
    ) -> None:
        self._request = request
        self._timeout = timeout
        self._max_body = max_body
        self._attempt = attempt
        self._release: Callable[[], None] | None = release
        self._answer: aiohttp.ClientResponse | None = None
        self._size = 0
        self.status = 0
        self.headers = NOTHING
        self.total: int | None = None
        self.framed = False

    def begin(self, answer: aiohttp.ClientResponse) -> None:
        """Take over an answer whose head has come."""
        self._answer = answer
        self.status, self.headers = answer.status, answer.headers
        self.total = None if packed(answer) else answer.content_length
        chunked = "chunked" in answer.headers.get("Transfer-Encoding", "").lower()
        # Where only the end of the connection ends a body, a cut one looks whole; and aiohttp
        # does not miss the end of a packed one.
        self.framed = not packed(answer) and (chunked or self.total is not None)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes as they came in, unpacked."""
        if self._answer is None or self._release is None:
            raise StopAsyncIteration
        chunk = await self.step(self._answer.content.readany())
        if not chunk:
            raise StopAsyncIteration
        self._size += len(chunk)
        if max(self._size, self.total or 0) > self._max_body:
            raise self.unusable(f"is larger than {self._max_body} bytes")
        return chunk

    async def aclose(self) -> None:
        """Give the connection back; one with bytes still to come is closed."""
        release, self._release = self._release, None
        if release is None:
            return
        try:
            if self._answer is not None:
                self._answer.close()  # lets it go unharmed if all of it was read
        finally:
            release()

    def unusable(self, why: str) -> AnswerUnusable:
        """Return the error of a body that is not what was asked for."""
        message = f"the server answered {self.status}, but its answer {why}"
        return AnswerUnusable(
            message,
            outcome=Outcome.UNKNOWN,
            method=self._request.method,
            path=self._request.path,
            status=self.status,
        )

    async def step(self, waiting: Awaitable[T]) -> T:
        """Bound one step by `timeout` and the deadline; failures come out as our own errors."""
        request, seconds, late = self._request, self._timeout, False
        if request.deadline is not None:
            left = request.deadline - time.monotonic()
            late = left < seconds
            seconds = min(left, seconds)
        error: type[RequestError]
        permanent = False
        try:
            async with asyncio.timeout(seconds):
                return await waiting
        except TimeoutError:
            error, message = (
                (DeadlineExceeded, "the deadline passed")
                if late
                else (AttemptTimeout, f"nothing came for {self._timeout:g} s")
            )
        except BROKEN as broken:
            error, (message, permanent) = ConnectionFailed, describe(broken)
        except asyncio.CancelledError as cancelled:
            outcome = Outcome.UNKNOWN if self._attempt.sent else Outcome.NOT_SENT
            note_cancelled(cancelled, request, outcome)
            raise
        # Not raised above: the context would hold the request's headers, and with them the token.
        raise failed(error, message, request, self._attempt.sent, self.status, permanent)


def failed(
    error: type[E],
    message: str,
    request: Request,
    sent: bool,
    status: int = 0,
    permanent: bool = False,
) -> E:
    """Return the error of an exchange that broke, with its outcome."""
    if status:
        message += f" (after a status of {status})"
    outcome = Outcome.UNKNOWN if sent else Outcome.NOT_SENT
    made = error(
        message,
        outcome=outcome,
        method=request.method,
        path=request.path,
        status=status or None,
    )
    made.permanent = permanent
    return made


def packed(answer: aiohttp.ClientResponse) -> bool:
    """Tell whether a body is compressed, so that its length says nothing of its size."""
    return answer.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity"


def describe(broken: Exception) -> tuple[str, bool]:
    """Return what broke, in our words, and whether another try would come to the same.

    aiohttp's own words hold the request's headers, or what the server sent.
    """
    if isinstance(broken, aiohttp.ClientConnectorCertificateError):
        hints = _no_authorities() + _others_of_tls()
        return f"the server's certificate is not trusted: {_reason(broken)}{hints}", True
    if isinstance(broken, aiohttp.ClientProxyConnectionError):
        where = f"{broken.host}:{broken.port}"
        return f"no connection to the proxy at {where}: {_os_reason(broken)}", False
    if isinstance(broken, aiohttp.ClientConnectorError):
        return f"no connection to {broken.host}:{broken.port}: {_os_reason(broken)}", False
    if isinstance(broken, aiohttp.ClientHttpProxyError):
        status = broken.status
        hint = _PROXY_HINTS.get(status, "")
        passing = status >= 500 or status in _PASSING
        return f"the proxy opened no tunnel to the server: it answered {status}{hint}", not passing
    if isinstance(broken, aiohttp.ClientResponseError):
        for sign, words in _HEADS.items():
            if sign in broken.message:
                return words, True
        return "what came is no answer of HTTP/1.1", False
    if isinstance(broken, aiohttp.ClientPayloadError):
        if isinstance(broken.__cause__, ContentEncodingError):
            return "the body cannot be unpacked as its Content-Encoding says", False
        return "the body broke before its end", False
    if isinstance(broken, RuntimeError):
        said = "it could not go on (RuntimeError): the client, its loop or Python may be closing"
        return said, False
    return f"the connection broke ({type(broken).__name__})", False


_PASSING: Final = {408, 425, 429}
_PROXY_HINTS: Final = {
    403: "; it does not allow this host",
    407: "; put its user name and password into its URL: http://user:password@host:3128",
    **dict.fromkeys((502, 503, 504), "; it does not reach the server"),
}
# By what aiohttp says of an answer whose head is beyond its bounds.
_HEADS: Final = {
    "Got more than": "a line in the head of the answer is longer than 8,190 bytes",
    "Too many": "the answer has too many headers",
}


def _reason(broken: aiohttp.ClientConnectorCertificateError) -> str:
    return str(broken.certificate_error)


def _os_reason(broken: aiohttp.ClientConnectorError) -> str:
    return broken.os_error.strerror or type(broken.os_error).__name__


def _others_of_tls() -> str:
    """Return what to do where only other libraries know the authority."""
    named = next((name for name in _OTHERS_OF_TLS if os.environ.get(name)), None)
    return f" ({named} is not read here: set SSL_CERT_FILE to the same file)" if named else ""


def _no_authorities() -> str:
    """Return a hint where the environment names authorities that are not there."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        named = os.environ.get(name)
        if named and not Path(named).exists():
            return f"; {name} names {named!r}, which is not there"
    return ""
