"""One exchange over a connection of the pool: a request out, the head of its answer in.

`ask` takes the steps of `ClientSession.request` that are left once redirects, cookies, proxies,
traces and retries of its own are out of the question: a fifth of the CPU time of a call is saved.
These steps are not aiohttp's public interface. So they are taken only with versions of which it is
known that they are these, and only while nobody has a hand in `ClientSession` (aioresponses, vcrpy,
tracing). `ClientSession.request` itself serves in all other cases, and for forms and proxies.
"""

from __future__ import annotations

import asyncio
import functools
import select
import types
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
import attrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import TimerNoop
from multidict import CIMultiDict
from yarl import URL

from .errors import ConfigurationError
from .origin import is_loopback

_KNOWN: Final = (3, 14)
"""The versions of aiohttp whose steps `ask` takes."""
_NO_TIMER: Final = TimerNoop()  # the time of an attempt is kept by `alarm`


@attrs.define(eq=False)
class Attempt:
    """Whether the request of one attempt has left."""

    sent: bool = False


current_attempt: ContextVar[Attempt] = ContextVar("homebox_attempt")


class ProbedRequest(aiohttp.ClientRequest):
    """Tells whether a request left.

    aiohttp calls `send` once it holds a connection and before the first byte is written; until
    then the server cannot have seen anything. It is the same proof as the trace signal
    `on_request_headers_sent`, without the price of a TraceConfig.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        """Send the request, and note that it is being sent."""
        if conn.protocol is None:
            raise aiohttp.ServerDisconnectedError
        current_attempt.get().sent = True
        return await super().send(conn)


class Connector(aiohttp.TCPConnector):
    """Opens connections that read at most 64 KiB at once, and hands out none that has ended.

    asyncio asks for 256 KiB each time, which the C library maps anew and gives back for every
    answer; a call costs a tenth less without that. Other loops and TLS have buffers of their own.
    """

    async def _create_connection(self, *args: Any, **kwargs: Any) -> ResponseHandler:
        try:
            protocol = await super()._create_connection(*args, **kwargs)
        except BaseException:
            # The next try asks for the addresses again: the server may have moved.
            self.clear_dns_cache()
            raise
        transport: Any = protocol.transport
        try:
            check_peer(args[0], transport)
        except BaseException:
            protocol.close()
            raise
        if hasattr(transport, "max_size"):
            transport.max_size = 64 * 1024
        peeked: Any = protocol  # looked at before each request: made once
        peeked.has_input = _input_of(transport)
        try:
            if not await is_open(protocol):
                raise aiohttp.ServerDisconnectedError
        except BaseException:
            protocol.close()
            raise
        return protocol

    async def _get(self, key: Any, traces: Any) -> Any:
        """Return an idle connection that the server has not closed, None if there is none."""
        while (connection := await super()._get(key, traces)) is not None:
            try:
                if await is_open(connection.protocol):
                    return connection
            except BaseException:
                connection.close()
                raise
            connection.close()
        return None


def check_peer(request: Any, transport: Any) -> None:
    """Raise ConfigurationError where plain http would leave this machine.

    A name such as localhost may be made to lead anywhere, by a hosts file or a name server.
    """
    if request.url.scheme != "http" or request.proxy is not None:
        return
    peer = transport.get_extra_info("peername")
    if not peer:  # it has ended before the system could be asked
        raise aiohttp.ServerDisconnectedError
    if not is_loopback(peer[0]):
        raise ConfigurationError(
            f"base_url uses http, and {request.url.host} leads to another machine, to which the"
            " token would go unprotected; use https"
        )


_ROUNDS: Final = 3
_TURNS: Final = 4
"""Turns of the loop in which it reads what has come, undoes TLS, and closes what has ended."""


async def is_open(protocol: Any) -> bool:
    """Return whether a connection that nothing is expected from can be written to.

    Bytes that came in while it was idle, as a proxy's 408, would be taken for the answer to the
    next request. And the server may have ended it while this process did something else: the loop
    learns that only when it reads, and a write would go nowhere. So what lies at the socket is
    read first. Under TLS it may be a session ticket, and then the connection is as good as before.
    """
    for _ in range(_ROUNDS):
        if not protocol.is_connected() or protocol.should_close:
            return False
        if not protocol.has_input():
            return True
        for _ in range(_TURNS):
            await asyncio.sleep(0)
    return False


def _input_of(transport: asyncio.BaseTransport) -> Callable[[], object]:
    """Return what shows whether bytes, an end or an error lie at the socket of a transport.

    It is called while the transport is open: the number of its socket is its own until then.
    """
    number = transport.get_extra_info("socket").fileno()
    if not hasattr(select, "poll"):  # on Windows, where `select` takes any number
        return lambda: select.select([number], [], [], 0)[0]
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return functools.partial(poll.poll, 0)


def is_plain(session: aiohttp.ClientSession) -> bool:
    """Tell whether `ask` does for a session what its `request` would."""
    own = aiohttp.ClientSession.__dict__["_request"]
    return (
        tuple(map(int, aiohttp.__version__.split(".")[:2])) == _KNOWN
        and type(own) is types.FunctionType  # what a library puts in its place often is none,
        and own.__code__.co_filename == aiohttp.client.__file__  # or comes from elsewhere
        and not session.trace_configs
    )


_idle: Final = aiohttp.BaseConnector._get


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    data: bytes | None,
    headers: CIMultiDict[str],
) -> aiohttp.ClientResponse:
    """Send a request and return the head of its answer, as `ClientSession.request` does."""
    connector = session.connector
    if connector is None:
        raise RuntimeError("Session is closed")
    request = ProbedRequest(
        method,
        url,
        headers=headers,
        data=data,
        loop=asyncio.get_running_loop(),
        timer=_NO_TIMER,
        session=session,
        traces=[],
    )
    # So does `connect` begin; here an idle connection, as there nearly always is, costs less.
    connection: Any = await _idle(connector, request.connection_key, [])
    try:
        if connection is not None:
            protocol = connection.protocol
            if (protocol.has_input() or protocol.should_close) and not await is_open(protocol):
                connection.close()
                connection = None
        if connection is None:
            connection = await connector.connect(request, traces=[], timeout=session.timeout)
        assert connection.protocol is not None
        connection.protocol.set_response_params(
            timer=_NO_TIMER, skip_payload=method == "HEAD", read_until_eof=True
        )
        response = await request.send(connection)
        try:
            await response.start(connection)
        except BaseException:
            response.close()
            raise
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    return response
