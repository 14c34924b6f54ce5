"""Carrying out faults: one function for each kind."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

import attrs
from aiohttp import web

from .faults import Fault
from .received import Received
from .routing import Answer, json_answer

_HTML = {"Content-Type": "text/html; charset=utf-8"}

# SO_LINGER with zero seconds: closing sends a reset.
_RESET = struct.pack("ii", 1, 0)


@attrs.frozen
class Exchange:
    """A request on which a fault acts; `process` does what the request asks for.

    `closing` is set when the emulator stops: nothing may wait any longer then.
    """

    request: web.BaseRequest
    received: Received
    fault: Fault
    process: Callable[[], Answer]
    closing: asyncio.Event


async def misbehave(exchange: Exchange) -> Answer | None:
    """Carry out the fault; return the answer to send, or None when the connection was ended."""
    return await _ACTS[exchange.fault.kind](exchange)


async def _status(exchange: Exchange) -> Answer:
    status = exchange.fault.status
    known = {429: "Too Many Attempts.", 500: "Server Error"}
    message = known.get(status) or _phrase(status)
    return json_answer(status, {"message": message}, exchange.fault.headers)


async def _drop_before(exchange: Exchange) -> None:
    _drop(exchange)


async def _drop_after(exchange: Exchange) -> None:
    exchange.process()
    _drop(exchange)


async def _html500(exchange: Exchange) -> Answer:
    return _html(500)


async def _500_after(exchange: Exchange) -> Answer:
    exchange.process()
    return _html(500)


async def _503_after(exchange: Exchange) -> Answer:
    exchange.process()
    answer = _html(503)
    return attrs.evolve(answer, headers={**answer.headers, "Retry-After": "0"})


async def _hang(exchange: Exchange) -> Answer | None:
    if await _wait(exchange, exchange.fault.seconds):
        return _html(504)
    _drop(exchange)
    return None


async def _hang_after(exchange: Exchange) -> Answer | None:
    exchange.process()
    return await _hang(exchange)


async def _slow(exchange: Exchange) -> Answer | None:
    if await _wait(exchange, exchange.fault.seconds):
        return exchange.process()
    _drop(exchange)
    return None


async def _truncate(exchange: Exchange) -> None:
    answer = exchange.process()
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    # The client itself may leave in the meantime.
    with suppress(ConnectionError):
        await response.prepare(exchange.request)
        await response.write(answer.body[: len(answer.body) // 2])
        exchange.received.status = answer.status
    if exchange.request.transport is not None:
        # Unlike abort, close sends what is written so far.
        exchange.request.transport.close()


async def _garbage(exchange: Exchange) -> Answer:
    answer = exchange.process()
    return Answer(answer.status, b'{"data": {"id": 1, <<garbage>>', answer.headers)


async def _redirect(exchange: Exchange) -> Answer:
    return Answer(302, b"", {**_HTML, "Location": exchange.fault.location})


async def _empty(exchange: Exchange) -> Answer:
    answer = exchange.process()
    return Answer(answer.status, b"", answer.headers)


async def _other_id(exchange: Exchange) -> Answer:
    answer = exchange.process()
    tree = json.loads(answer.body)
    made = tree.get("data", tree)
    if "id" not in made:
        return answer
    made["id"] -= 1
    return attrs.evolve(answer, body=json.dumps(tree).encode())


_ACTS: Mapping[str, Callable[[Exchange], Awaitable[Answer | None]]] = {
    "status": _status,
    "drop-before": _drop_before,
    "drop-after": _drop_after,
    "500-after": _500_after,
    "503-after": _503_after,
    "html500": _html500,
    "hang": _hang,
    "hang-after": _hang_after,
    "slow": _slow,
    "truncate": _truncate,
    "garbage": _garbage,
    "redirect": _redirect,
    "empty": _empty,
    "other-id": _other_id,
}


def _html(status: int) -> Answer:
    title = f"{status} {_phrase(status)}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(status, body.encode(), _HTML)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"


async def _wait(exchange: Exchange, seconds: float | None) -> bool:
    # True when the time is over, False when the emulator stops before that.
    try:
        async with asyncio.timeout(seconds):
            await exchange.closing.wait()
    except TimeoutError:
        return True
    return False


def _drop(exchange: Exchange) -> None:
    transport = exchange.request.transport
    # None: the client itself has left in the meantime.
    if transport is None:
        return
    if exchange.fault.reset:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
