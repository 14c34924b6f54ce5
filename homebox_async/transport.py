"""The only room that talks to aiohttp: a `Request` in, a `Response` out, or our own error."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
import attrs
from multidict import CIMultiDict
from yarl import URL

from .errors import (
    AnswerUnusable,
    AttemptTimeout,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Outcome,
)
from .origin import checked_origin, proxy_for
from .stream import Stream, describe, failed, packed
from .wire import FormBody, JsonBody, Receive, Request, Response, Safety, Upload


class Secret(str):
    """Text that shows itself as *** in every repr: logs, tracebacks with locals, debuggers."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@attrs.define(eq=False)
class _Attempt:
    sent: bool = False


_attempt: ContextVar[_Attempt] = ContextVar("homebox_attempt")


class _ProbedRequest(aiohttp.ClientRequest):
    """Tells whether a request left.

    aiohttp calls `send` once it holds a connection and before the first byte is written; until
    then the server cannot have seen anything. It is the same proof as the trace signal
    `on_request_headers_sent`, without the price of a TraceConfig.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        _attempt.get().sent = True
        return await super().send(conn)


class Transport:
    """One pool of connections to one origin; opened on first use, on the loop that uses it."""

    def __init__(
        self,
        *,
        base_url: str,
        token: str | None,
        root: str,
        timeout: float,
        max_connections: int,
        keepalive_timeout: float,
        max_body: int,
        proxy: str | None,
        user_agent: str,
    ) -> None:
        self._base = checked_origin(base_url)
        self._root = f"{self._base}{root}"
        self._token = None if token is None else Secret(token)
        self._timeout = timeout
        self._max_connections = max_connections
        self._keepalive_timeout = keepalive_timeout
        self._max_body = max_body
        self._proxy = proxy_for(self._base) if proxy is None else proxy or None
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: asyncio.Semaphore
        self._closed = False
        self._pid = os.getpid()

    @property
    def origin(self) -> str:
        """Scheme, host and port that every request goes to."""
        return str(self._base)

    async def send(self, request: Request) -> Response:
        """Make one attempt; every failure comes out as our own error, with its outcome."""
        if request.receive is not None:
            return await self._received(request, request.receive)
        session = self._opened()
        attempt = _Attempt()
        _attempt.set(attempt)
        await self._take_slot(request)
        try:
            return await self._exchange(session, request, attempt)
        except asyncio.CancelledError as cancelled:
            outcome = Outcome.UNKNOWN if attempt.sent else Outcome.NOT_SENT
            cancelled.add_note(
                f"{request.method} {request.path}: cancelled [outcome: {outcome.value}]"
            )
            raise
        finally:
            self._slots.release()

    async def open(self, request: Request) -> Stream:
        """Make one attempt as `send` does, and return as soon as the answer's head is there.

        For reads without a body. The caller takes the chunks and closes the stream, which holds
        a connection until then; `timeout` is for the head, and again for each chunk.
        """
        session = self._opened()
        attempt = _Attempt()
        _attempt.set(attempt)
        await self._take_slot(request)
        stream = Stream(request, self._timeout, self._max_body, self._slots.release)
        try:
            async with stream.step(attempt):
                answer = await session.request(
                    request.method,
                    URL(f"{self._root}/{request.target}", encoded=True),
                    headers=request.headers,
                    allow_redirects=False,
                    proxy=self._proxy,
                )
            stream.begin(answer)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def _received(self, request: Request, receive: Receive) -> Response:
        stream = await self.open(request)
        try:
            if stream.status < 300:
                result = await receive(stream)
                return Response(stream.status, stream.headers, b"", result)
            body = bytearray()
            with contextlib.suppress(ConnectionFailed, AnswerUnusable):
                async for chunk in stream:
                    body += chunk
        except BaseException:
            await stream.aclose()
            raise
        await stream.aclose()
        return Response(stream.status, stream.headers, bytes(body))

    async def aclose(self) -> None:
        """Close every connection; requests after this are refused."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def abandon(self) -> None:
        """Give the sockets back to the system when nobody can await `aclose` any more."""
        session, self._session = self._session, None
        if session is not None and session.connector is not None:
            session.connector._close()
            session.detach()

    @property
    def unclosed(self) -> bool:
        """Whether there are connections that nobody has closed."""
        return self._session is not None and not self._session.closed

    # --- one exchange

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, attempt: _Attempt
    ) -> Response:
        now = time.monotonic()
        ends = now + self._timeout
        late = request.deadline is not None and request.deadline < ends
        if request.deadline is not None and late:
            ends = request.deadline
        status = 0
        try:
            async with _Files() as files:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + ends - now):
                    data, headers = files.body(request)
                    if request.headers is not None:
                        headers = {**(headers or {}), **request.headers}
                    async with session.request(
                        request.method,
                        URL(f"{self._root}/{request.target}", encoded=True),
                        data=data,
                        headers=headers,
                        allow_redirects=False,
                        proxy=self._proxy,
                    ) as answer:
                        status = answer.status
                        body = await self._read(request, answer)
                        return Response(status, answer.headers, body)
        except TimeoutError:
            error, message = (
                (DeadlineExceeded, "the deadline passed")
                if late
                else (AttemptTimeout, f"no whole answer within {self._timeout:g} s")
            )
            raise failed(error, message, request, attempt.sent, status) from None
        except (aiohttp.ClientError, OSError, ValueError) as broken:
            if request.safety is Safety.DELETE and 200 <= status < 300:
                return Response(status, {}, b"")  # it is gone; the words about it do not matter
            message = describe(broken)
            raise failed(ConnectionFailed, message, request, attempt.sent, status) from None

    async def _read(self, request: Request, answer: aiohttp.ClientResponse) -> bytes:
        """Read the body, no more of it than `max_body` once it is unpacked."""
        if answer.status >= 300:
            # The status says what happened; a body that breaks off must not hide it.
            with contextlib.suppress(aiohttp.ClientError, AnswerUnusable):
                return await self._capped(request, answer)
            return b""
        return await self._capped(request, answer)

    async def _capped(self, request: Request, answer: aiohttp.ClientResponse) -> bytes:
        length = answer.content_length
        if length is not None and length <= self._max_body and not packed(answer):
            return await answer.read()
        chunks: list[bytes] = []
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._max_body:
                raise AnswerUnusable(
                    f"the answer is larger than {self._max_body} bytes",
                    outcome=Outcome.REJECTED if request.safety is Safety.READ else Outcome.UNKNOWN,
                    method=request.method,
                    path=request.path,
                )
            chunks.append(chunk)
        return b"".join(chunks)

    # --- the pool

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is loop and self._pid == os.getpid():
            return self._session
        if self._closed:
            raise ConfigurationError("this client is closed; make a new one")
        if self._pid != os.getpid():
            raise ConfigurationError(
                "this client was made before a fork; make one in the child process"
            )
        if self._session is not None:
            raise ConfigurationError(
                "this client is in use on another event loop; make one for each loop, "
                "or use the sync client, which works from every thread"
            )
        self._loop = loop
        self._slots = asyncio.Semaphore(self._max_connections)
        headers = CIMultiDict(
            {
                # Laravel answers a failed validation with a redirect otherwise.
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": self._user_agent,
            }
        )
        if self._token is not None:
            headers["Authorization"] = Secret(f"Bearer {self._token}")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # `_slots` bounds the pool: waiting for a place is not on the attempt's clock.
                limit=0,
                keepalive_timeout=self._keepalive_timeout,
            ),
            request_class=_ProbedRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers=headers,
        )
        # aiohttp would silently resend GET, PUT and DELETE once; there is one retry, ours.
        self._session._retry_connection = False
        return self._session

    async def _take_slot(self, request: Request) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        left = None if request.deadline is None else request.deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                await self._slots.acquire()
        except TimeoutError:
            raise DeadlineExceeded(
                f"no connection of the {self._max_connections} came free before the deadline",
                outcome=Outcome.NOT_SENT,
                method=request.method,
                path=request.path,
            ) from None


class _Files:
    """Builds a body for one attempt and closes what it opened for it."""

    def __init__(self) -> None:
        self._stack: contextlib.ExitStack | None = None

    async def __aenter__(self) -> _Files:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._stack is not None:
            self._stack.close()

    def body(self, request: Request) -> tuple[Any, dict[str, str] | None]:
        body = request.body
        if body is None:
            return None, None
        if isinstance(body, JsonBody):
            return body.data, {"Content-Type": body.content_type}
        return self._form(body), None

    def _form(self, body: FormBody) -> aiohttp.FormData:
        self._stack = contextlib.ExitStack()
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in body.fields:
            form.add_field(name, value)
        for name, upload in body.files:
            form.add_field(
                name,
                self._opened(upload),
                filename=upload.filename,
                content_type=upload.content_type,
            )
        return form

    def _opened(self, upload: Upload) -> BinaryIO:
        assert self._stack is not None
        content = upload.content
        if isinstance(content, bytes):
            return io.BytesIO(content)
        if isinstance(content, Path):
            return self._stack.enter_context(content.open("rb"))
        return _Borrowed(content, upload.start)


class _Borrowed(io.RawIOBase, BinaryIO):
    """The caller's open file, read from where it stood at first and left open.

    aiohttp closes what it has sent, which would make a second attempt impossible.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()
