"""Fixtures of the emulator's tests: a running emulator and a plain aiohttp session on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Assumed, Emulator

from .packages import API, Start

Serve = Callable[..., Awaitable[tuple[Emulator, aiohttp.ClientSession]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start emulators with the given options; all are stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> tuple[Emulator, aiohttp.ClientSession]:
            emulator = await stack.enter_async_context(Emulator(**options))
            headers = {
                "Authorization": f"Bearer {emulator.token}",
                "Accept": "application/json",
            }
            session = await stack.enter_async_context(
                aiohttp.ClientSession(emulator.url, headers=headers)
            )
            # Otherwise aiohttp sends a GET once more when the connection is dropped.
            session._retry_connection = False
            return emulator, session

        yield start


@pytest.fixture
async def emulator(running: tuple[Emulator, aiohttp.ClientSession]) -> Emulator:
    """Return an emulator with default options."""
    return running[0]


@pytest.fixture
async def session(running: tuple[Emulator, aiohttp.ClientSession]) -> aiohttp.ClientSession:
    """Return a session on the emulator with its token."""
    return running[1]


@pytest.fixture
async def running(serve: Serve) -> tuple[Emulator, aiohttp.ClientSession]:
    """Return an emulator with default options and a session on it."""
    return await serve()


@pytest.fixture
def home() -> dict[str, Any]:
    """Return the body of a property that the emulator accepts."""
    return {
        "address": {
            "line1": "123 Test Lane",
            "line2": "",
            "city": "London",
            "county": "Greater London",
            "postcode": "EC1V2NX",
        },
        "property_reference": "A1",
    }


NOW = datetime(2024, 5, 20, 9, tzinfo=UTC).timestamp()


class Api:
    """The Partner API as short calls: status and content."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request."""
        async with self._session.request(method, f"{API}/{path}", json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        """Return the content of a GET that succeeds."""
        status, content = await self.send("GET", path)
        assert 200 == status, content
        return content

    async def post(self, path: str, body: Any) -> Any:
        """Return the content of a POST that creates."""
        status, content = await self.send("POST", path, body)
        assert 201 == status, content
        return content


@pytest.fixture
def start(serve: Any) -> Start:
    """Start an emulator with these assumptions and a stopped clock."""

    async def begin(**assumed: Any) -> tuple[Emulator, Api]:
        emulator, session = await serve(assumed=Assumed(**assumed))
        emulator.store.clock = lambda: NOW
        return emulator, Api(session)

    return begin
