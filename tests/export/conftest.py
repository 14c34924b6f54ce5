"""What the tests of exports share: a filled emulator and a client of it."""

from collections.abc import AsyncIterator

import pytest

from homebox_async import AsyncHomebox, Retry
from homebox_async.emulator import Emulator

from .filling import add_homes


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Run an emulator with 120 homes, which are three pages."""
    async with Emulator() as emulator:
        add_homes(emulator, 120)
        yield emulator


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[AsyncHomebox]:
    """Return a client that does not try again."""
    async with AsyncHomebox(
        emulator.token, base_url=emulator.url, retry=Retry(attempts=1)
    ) as client:
        yield client
