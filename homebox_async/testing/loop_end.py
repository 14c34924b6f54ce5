"""Closing an async client in sync code, on the loop that a test has used it on.

The fixture is a plain one, so that it needs neither pytest-asyncio nor anyio's plugin, each of
which has its own loop for a test and its own moment to end it.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

from ..client import AsyncHomebox
from ..errors import ConfigurationError
from ..middleware import Handler
from ..retry import Retry
from ..wire import Request, Response


@contextmanager
def open_client(url: str, token: str) -> Iterator[AsyncHomebox]:
    """Give a client for the loop that uses it first; it is closed in the end or with the loop."""
    ending = _Ending()
    # Nobody wants to wait between two attempts in a test.
    client = AsyncHomebox(token, base_url=url, retry=Retry(backoff=0.0), middlewares=(ending,))
    ending.client = client
    try:
        yield client
    finally:
        ending.close()


class _Ending:
    """A middleware that learns from the first call on which loop the client is to be closed."""

    client: AsyncHomebox

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closer: AsyncGenerator[None, None]

    async def __call__(self, request: Request, handler: Handler) -> Response:
        if self._loop is None:
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                raise ConfigurationError(
                    "async_homebox is a client for asyncio, and this test runs on another loop; "
                    "let the fixture anyio_backend return 'asyncio', or use the fixture homebox "
                    "in a thread"
                ) from None
            # A loop that ends finishes the async generators which were begun on it, while it can
            # still run: with `asyncio.Runner` as with `asyncio.run`.
            self._closer = _close_at_end(self.client)
            await anext(self._closer)
        return await handler(request)

    def close(self) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if loop.is_running():  # in another thread, as the fixture ends in this one
            asyncio.run_coroutine_threadsafe(self._closer.aclose(), loop).result()
        else:
            loop.run_until_complete(self._closer.aclose())


async def _close_at_end(client: AsyncHomebox) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()
