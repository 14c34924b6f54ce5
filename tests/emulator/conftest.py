"""Fixtures of the emulator's tests: a running emulator and a plain aiohttp session on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Emulator

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
