"""DNS look-ups, each in a thread of its own.

asyncio's own go through the pool of `concurrent.futures`, which Python shuts as soon as the main
thread ends: a thread that outlives it could not open a connection any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from aiohttp.abc import AbstractResolver, ResolveResult

R = TypeVar("R")


class Resolver(AbstractResolver):
    """Asks the system for the addresses of a host."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses; OSError where there is none."""
        return await in_thread(lambda: _addresses(host, port, family))

    async def close(self) -> None:
        """Keep nothing."""


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found: list[ResolveResult] = []
    for kind, _, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
    ):
        name, number = socket.getnameinfo(
            address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        )  # with the scope of a link-local address
        found.append(
            ResolveResult(
                hostname=host,
                host=name,
                port=int(number),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
        )
    return found


async def in_thread(work: Callable[[], R]) -> R:
    """Run something that waits in a daemon thread, which keeps no program from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def run() -> None:
        try:
            result, error = work(), None
        except Exception as broken:
            result, error = None, broken

        def settle() -> None:
            if done.done():  # cancelled meanwhile
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, name="homebox-resolver", daemon=True).start()
    return await done
