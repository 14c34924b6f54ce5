"""The fixtures; each imports what is heavy when it is used."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .guard import GUARD

if TYPE_CHECKING:
    from ..client import AsyncHomebox
    from ..sync import Homebox
    from .running import RunningEmulator


@pytest.fixture
def homebox_emulator(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[RunningEmulator]":
    """A local, empty Homebox for this test alone; the environment leads clients to it.

    HOMEBOX_BASE_URL, HOMEBOX_TOKEN and HOMEBOX_BILLING_... are set for the test and for the
    processes that it starts, and HOMEBOX_STATE to a temporary folder for what imports remember.
    """
    from ..emulator import Emulator
    from .running import RunningEmulator

    guard = pytestconfig.stash.get(GUARD, None)
    with contextlib.ExitStack() as stack:
        port = 0 if guard is None else stack.enter_context(guard.released())
        emulator = stack.enter_context(RunningEmulator(Emulator(port=port)))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in emulator.environment.items():
            patch.setenv(name, value)
        patch.setenv("HOMEBOX_STATE", str(tmp_path_factory.mktemp("homebox-state")))
        yield emulator


@pytest.fixture
def homebox(homebox_emulator: "RunningEmulator") -> "Iterator[Homebox]":
    """A sync client of the test's emulator."""
    from ..retry import Retry
    from ..sync import Homebox

    # Nobody wants to wait between two attempts in a test.
    with Homebox(
        homebox_emulator.token, base_url=homebox_emulator.url, retry=Retry(backoff=0.0)
    ) as client:
        yield client


@pytest.fixture
def async_homebox(homebox_emulator: "RunningEmulator") -> "Iterator[AsyncHomebox]":
    """An async client of the test's emulator, for any asyncio test."""
    from .loop_end import open_client

    with open_client(homebox_emulator.url, homebox_emulator.token) as client:
        yield client
