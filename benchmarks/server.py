"""The neutral server: answers each POST of a property at once, in a process of its own.

It parses no more of HTTP than it needs, so that it is not what is measured.
"""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

_ACCOUNT = b'{"data": {"name": "Bench", "reference_number": "BENCH"}}'
_EMPTY = b'{"data": []}'


class _Protocol(asyncio.Protocol):
    made = 0

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"post"):
            _Protocol.made += 1
            body = (
                b'{"data": {"id": %d, "address_line1": "1 HIGH STREET", "address_line2": null,'
                b' "address_line3": null, "address_line4": null, "address_city": "BURY",'
                b' "address_county": "GREATER MANCHESTER", "address_postcode": "BL0 0AG",'
                b' "status_id": 1, "status": "New Tenancy",'
                b' "created_at": "2022-01-06T10:27:12.000000Z",'
                b' "updated_at": "2022-01-06T10:27:12.000000Z", "external_id": null,'
                b' "retrieved_at": null, "mpan": null, "mprn": null, "uprn": null}}'
            ) % _Protocol.made
        else:
            body = _ACCOUNT if b"/account" in head else _EMPTY
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )


async def _serve(told: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(_Protocol, "127.0.0.1", 0)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _main(told: Connection) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(told))


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run the server in another process while the block runs; gives its URL."""
    context = multiprocessing.get_context("spawn")
    told, tells = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(tells,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{told.recv()}"
    finally:
        process.terminate()
        process.join()
