"""The only room that talks to aiohttp: a `Request` in, a `Response` out, or our own error."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import warnings
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
from multidict import CIMultiDict
from yarl import URL

from .alarm import Alarm
from .errors import (
    AnswerUnusable,
    AttemptTimeout,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Outcome,
    RequestError,
    ValidationError,
)
from .exchange import Attempt, Connector, ProbedRequest, ask, current_attempt, is_plain
from .failures import note_cancelled
from .forms import Files
from .loading import load_for_calls
from .origin import checked_origin, checked_proxy, proxy_for
from .resolver import Resolver
from .stream import BROKEN, NOTHING, Stream, describe, failed, packed
from .wire import JSON, FormBody, JsonBody, Receive, Request, Response, Safety

if TYPE_CHECKING:
    import ssl

_BREATH = 1 << 20  # bytes that are read without giving others a turn
_COUNTED = 1 << 18  # bytes of an answer from which on it counts among those in flight
_IN_FLIGHT = 64 << 20  # bytes of all those together


@attrs.define(eq=False)
class Owner:
    """The client that a pool belongs to: who forgets to close it is told so once."""

    origin: str
    warned: bool = False


class Transport:
    """One pool of connections to one origin; opened on first use, on the loop that uses it."""

    def __init__(
        self,
        *,
        base_url: str,
        root: str,
        timeout: float,
        max_connections: int,
        keepalive_timeout: float,
        max_body: int,
        max_document: int | None = None,
        proxy: str | None,
        ssl: ssl.SSLContext | None = None,
        user_agent: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base = checked_origin(base_url)
        self._root = f"{self._base}{root}"
        self._timeout = timeout
        self._max_connections = max_connections
        self._keepalive_timeout = keepalive_timeout
        self._max_body = max_body
        self._max_document = max_document or max_body
        self._in_flight = 0
        self._ssl = ssl
        self._proxy = checked_proxy(proxy_for(self._base) if proxy is None else proxy)
        self._common_headers = {
            # Laravel answers a failed validation with a redirect otherwise.
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": user_agent,
        }
        self._headers = CIMultiDict(headers or {})
        self._all_headers = CIMultiDict({**self._common_headers, **self._headers})
        self._json_headers = CIMultiDict({**self._all_headers, "Content-Type": JSON})
        self._session: aiohttp.ClientSession | None = None
        self._plain_request: object = None
        """What `ClientSession` sends requests with, where `ask` does the same for less."""
        self._forget: weakref.finalize[..., Transport] | None = None
        self.owner = Owner(self._base)
        self.guarded = False
        """Whether somebody else sees to it that the connections are closed."""
        self.unpaused: Callable[[Request], Awaitable[None]] | None = None
        """Holds back those who waited for a connection while the client was paused."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: asyncio.Semaphore
        self._alarm: Alarm
        self._closed = False
        self._forked = False
        """Whether the connections belong to the process before a fork."""

    @property
    def origin(self) -> str:
        """Scheme, host and port that every request goes to."""
        return str(self._base)

    @property
    def root(self) -> str:
        """The origin and the path below which every request's own path stands."""
        return self._root

    def disown(self) -> None:
        """Leave the connections to the process before the fork, whose they are.

        Closing them here, as aiohttp does when they are collected, would take them out of the
        selector that both processes share: the other one would wait for ever.
        """
        session, self._session = self._session, None
        self._forked = True
        if session is None or session.connector is None:
            return
        if self._forget is not None:
            self._forget.detach()
        session.connector._closed = True
        session.detach()

    async def send(self, request: Request) -> Response:
        """Make one attempt; every failure comes out as our own error, with its outcome."""
        if request.receive is not None:
            return await self._received(request, request.receive)
        session = self._opened()
        attempt = Attempt()
        current_attempt.set(attempt)
        held = False
        try:
            await self._take_slot(request)
            held = True
            return await self._exchange(session, request, attempt)
        except asyncio.CancelledError as cancelled:
            outcome = Outcome.UNKNOWN if attempt.sent else Outcome.NOT_SENT
            note_cancelled(cancelled, request, outcome)
            raise
        finally:
            if held:
                self._slots.release()

    async def open(self, request: Request) -> Stream:
        """Make one attempt as `send` does, and return as soon as the answer's head is there.

        For reads without a body. The caller takes the chunks and closes the stream, which holds
        a connection until then; `timeout` is for the head, and again for each chunk.
        """
        session = self._opened()
        attempt = Attempt()
        current_attempt.set(attempt)
        try:
            await self._take_slot(request)
        except asyncio.CancelledError as cancelled:
            note_cancelled(cancelled, request, Outcome.NOT_SENT)
            raise
        stream = Stream(request, self._timeout, self._max_document, self._slots.release, attempt)
        try:
            if request.deadline is not None and request.deadline <= time.monotonic():
                raise self._too_late(request, "the deadline passed before it was sent")
            stream.begin(await stream.step(self._request(session, request)))
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def aclose(self) -> None:
        """Close every connection; requests after this are refused."""
        self._closed = True
        session, self._session = self._session, None
        if session is None:
            return
        if self._forget is not None:
            self._forget.detach()
        self._alarm.stop()
        loop = self._loop
        if loop is asyncio.get_running_loop():
            await session.close()
        elif loop is not None and loop.is_running():
            # Shielded: a cancellation would reach it before it has begun.
            closing = asyncio.run_coroutine_threadsafe(session.close(), loop)
            await asyncio.shield(asyncio.wrap_future(closing))
        elif loop is not None:
            _abandon(session, loop)

    # --- one exchange

    async def _received(self, request: Request, receive: Receive) -> Response:
        stream = await self.open(request)
        try:
            if 200 <= stream.status < 300:
                result = await receive(stream)
                return Response(stream.status, stream.headers, b"", result)
            body = bytearray()
            try:
                async for chunk in stream:
                    body += chunk
            except RequestError:
                # The status says what happened; a body that cannot be read must not hide it.
                body.clear()
        except BaseException:
            await stream.aclose()
            raise
        await stream.aclose()
        return Response(stream.status, stream.headers, bytes(body), None, self._headers)

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, attempt: Attempt
    ) -> Response:
        now = time.monotonic()
        ends = now + self._timeout
        late = request.deadline is not None and request.deadline < ends
        if request.deadline is not None and late:
            ends = request.deadline
            if ends <= now:  # a timeout of 0 would still let the request out
                raise self._too_late(request, "the deadline passed before it was sent")
        status, said = 0, NOTHING
        error: type[RequestError] = AnswerUnusable
        permanent = False
        files: Files | None = None
        try:
            with self._alarm.limit(ends - now):
                if isinstance(request.body, FormBody):
                    files = Files()
                    answer = await self._request(session, request, files.form(request.body))
                elif aiohttp.ClientSession._request is self._plain_request:
                    answer = await ask(
                        session,
                        request.method,
                        self._url(request),
                        data=None if request.body is None else request.body.data,
                        headers=self._headers_of(request),
                    )
                else:
                    data = None if request.body is None else request.body.data
                    answer = await self._request(session, request, data)
                body: bytes | str
                try:
                    status, said = answer.status, answer.headers
                    if self._is_at_hand(answer):
                        body = answer.content.read_nowait()
                    else:
                        body = await self._capped(answer, request.method)
                finally:
                    if not answer.closed:  # as it is when all of it was read
                        answer.close()
            if isinstance(body, bytes):
                return Response(status, said, body, None, self._headers, ends=ends)
            message = body
        except ValidationError:
            raise  # a file that cannot be read any more; it is a ValueError, too
        except TimeoutError:
            error, message = (
                (DeadlineExceeded, "the deadline passed")
                if late
                else (AttemptTimeout, f"no whole answer within {self._timeout:g} s")
            )
        except BROKEN as broken:
            error, (message, permanent) = ConnectionFailed, describe(broken)
        finally:
            if files is not None:
                files.close()
        if status >= 300 or (status and request.safety is Safety.DELETE):
            # The status says what happened; a body that cannot be read must not hide it.
            return Response(status, said, b"")
        raise failed(error, message, request, attempt.sent, status, permanent)

    def _request(
        self, session: aiohttp.ClientSession, request: Request, data: Any = None
    ) -> Awaitable[aiohttp.ClientResponse]:
        return session.request(
            request.method,
            self._url(request),
            data=data,
            headers=self._headers_of(request),
            allow_redirects=False,
            proxy=self._proxy,
        )

    def _url(self, request: Request) -> URL:
        return URL(f"{self._root}/{request.target}", encoded=True)

    def _headers_of(self, request: Request) -> CIMultiDict[str]:
        kind = request.body.content_type if isinstance(request.body, JsonBody) else None
        if request.headers is None:
            # Not copied: aiohttp does that itself.
            if kind is None:
                return self._all_headers
            if kind is JSON:
                return self._json_headers
        headers = self._all_headers.copy()
        headers.update(request.headers or {})
        if kind is not None:
            headers["Content-Type"] = kind
        return headers

    def _is_at_hand(self, answer: aiohttp.ClientResponse) -> bool:
        """Tell whether the whole body has come with the head, as most do, and is not too large."""
        length = answer.content_length
        whole = length is not None and length <= self._max_body and answer.content.is_eof()
        return whole and not packed(answer)

    async def _capped(self, answer: aiohttp.ClientResponse, method: str) -> bytes | str:
        """Read the body; return why not if it is too large once it is unpacked."""
        length = answer.content_length
        too_large = f"the answer is larger than {self._max_body} bytes (max_body)"
        if length is not None and not packed(answer):
            if length <= min(self._max_body, _COUNTED):
                return await answer.read()
            if length > self._max_body and method != "HEAD":  # which has the length of no body
                return too_large
        chunks: list[bytes] = []
        size, breath = 0, _BREATH
        most = max(_IN_FLIGHT, 2 * self._max_body)
        try:
            async for chunk in answer.content.iter_any():
                size += len(chunk)
                self._in_flight += len(chunk)
                if size > self._max_body:
                    return too_large
                if self._in_flight > most:
                    return f"the answers in flight are larger than {most} bytes; ask for less"
                chunks.append(chunk)
                if size > breath:
                    # What unpacks from one packet comes without a pause: others want a turn, and
                    # the timeout can end nothing before the loop has had one.
                    breath = size + _BREATH
                    await asyncio.sleep(0)
            return b"".join(chunks)
        finally:
            self._in_flight -= size

    # --- the pool

    def _opened(self) -> aiohttp.ClientSession:
        # Before anything of asyncio, which knows no running loop after a fork either.
        if self._forked:
            raise ConfigurationError(
                "this client was made before a fork; make one in the child process"
            )
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is loop:
            return self._session
        load_for_calls()
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        if self._session is not None:
            raise ConfigurationError(
                "this client is in use on another event loop; make one for each loop "
                "(asyncio.run starts one each time), or use the sync client, which works from "
                "every thread"
            )
        self._loop = loop
        self._alarm = Alarm(loop)
        self._slots = asyncio.Semaphore(self._max_connections)
        self._session = aiohttp.ClientSession(
            connector=Connector(
                # `_slots` bounds the pool: waiting for a place is not on the attempt's clock.
                limit=0,
                keepalive_timeout=self._keepalive_timeout,
                ssl=True if self._ssl is None else self._ssl,
                resolver=Resolver(),
            ),
            request_class=ProbedRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            # Not those of `_headers`: aiohttp sends these to the proxy as well, in the clear.
            headers=self._common_headers,
        )
        if self._proxy is None and is_plain(self._session):
            self._plain_request = aiohttp.ClientSession._request
        # aiohttp would silently resend GET, PUT and DELETE once; there is one retry, ours.
        self._session._retry_connection = False
        # Views share a transport, so it is the transport that knows that nobody is left. Not
        # `__del__`: the garbage collector might call that of the session first.
        if not self.guarded:
            self._forget = weakref.finalize(self, _forgotten, self._session, loop, self.owner)
        _OPENED.add(self)
        return self._session

    # Not a coroutine function: where a connection is free, a call has one frame less.
    def _take_slot(self, request: Request) -> Awaitable[object]:
        return self._wait_for_slot(request) if self._slots.locked() else self._slots.acquire()

    async def _wait_for_slot(self, request: Request) -> None:
        left = None if request.deadline is None else request.deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                await self._slots.acquire()
        except TimeoutError:
            message = f"no connection of the {self._max_connections} came free before the deadline"
            raise self._too_late(request, message) from None
        if self.unpaused is not None:
            try:
                await self.unpaused(request)
            except BaseException:
                self._slots.release()
                raise

    @staticmethod
    def _too_late(request: Request, message: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            message,
            outcome=Outcome.NOT_SENT,
            method=request.method,
            path=request.path,
            attempts=0,
        )


_OPENED: weakref.WeakSet[Transport] = weakref.WeakSet()


def _disown_all() -> None:
    for transport in tuple(_OPENED):
        transport.disown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)


def _forgotten(
    session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop, owner: Owner
) -> None:
    _abandon(session, loop)
    if owner.warned:
        return
    owner.warned = True
    warnings.warn(
        f"a client of {owner.origin} was not closed; use `async with` or await aclose()",
        ResourceWarning,
        stacklevel=2,
    )


def _abandon(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    """Give the sockets back to the system when nobody can await `aclose` any more."""
    connector = session.connector
    session.detach()
    if connector is None:
        return
    with contextlib.suppress(RuntimeError):  # the loop is closed
        if loop.is_running() and asyncio._get_running_loop() is not loop:
            # The garbage collector may call from any thread; connections belong to their loop.
            loop.call_soon_threadsafe(connector._close)
        else:
            connector._close()
