"""The async client of the kit is closed on the loop that used it, whoever ends that first."""

import asyncio
import gc
import threading

import pytest

from homebox_async import AsyncHomebox, ConfigurationError
from homebox_async.testing import RunningEmulator
from homebox_async.testing.loop_end import open_client


async def use(client: AsyncHomebox) -> None:
    """Open three connections."""
    await asyncio.gather(*[client.account.get() for _ in range(3)])


def is_closed(client: AsyncHomebox) -> bool:
    """Tell whether a client refuses calls; warnings of what it left open come here, as errors."""
    gc.collect()
    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(use(client))
    return True


def test_the_loop_ends_first(homebox_emulator: RunningEmulator) -> None:
    """A loop that is closed within the test, as by pytest-asyncio and anyio, closes the client."""
    with open_client(homebox_emulator.url, homebox_emulator.token) as client:
        asyncio.run(use(client))

        assert is_closed(client)


def test_the_fixture_ends_first(homebox_emulator: RunningEmulator) -> None:
    """On a loop that lives on, as one of the whole session does, the fixture closes the client."""
    with asyncio.Runner() as runner:
        with open_client(homebox_emulator.url, homebox_emulator.token) as client:
            runner.run(use(client))
            runner.run(use(client))

        assert is_closed(client)


def test_a_loop_in_another_thread(homebox_emulator: RunningEmulator) -> None:
    """On a loop that still runs, in the thread of an application, the client is closed there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with open_client(homebox_emulator.url, homebox_emulator.token) as client:
        asyncio.run_coroutine_threadsafe(use(client), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

    assert is_closed(client)


def test_views_are_closed_as_well(homebox_emulator: RunningEmulator) -> None:
    """A view of the client with other options shares its end."""
    with open_client(homebox_emulator.url, homebox_emulator.token) as client:
        view = client.with_options(deadline=5)
        asyncio.run(use(view))

    assert is_closed(view)


def test_a_client_that_was_not_used(homebox_emulator: RunningEmulator) -> None:
    """A client that no test has used needs no end."""
    with open_client(homebox_emulator.url, homebox_emulator.token):
        pass

    assert [] == homebox_emulator.received
