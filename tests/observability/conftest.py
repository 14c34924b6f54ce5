"""What the tests of events, log, ids and spans share: an emulator, and who listens."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Event, Homebox, Retry
from homebox_async.emulator import Address, Emulator

TOKEN = "test-token-1"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Return an emulator with two homes, ids 1 and 2."""
    async with Emulator(token=TOKEN) as running:
        for number in (1, 2):
            home = Address(f"{number} Test Lane", None, "London", None, "EC1V 2NX")
            running.store.add_property(home, reference=f"T-{number}")
        yield running


@pytest.fixture
def told() -> list[Event]:
    """Return the events that the clients tell."""
    return []


@pytest.fixture
async def homebox(emulator: Emulator, told: list[Event]) -> AsyncIterator[AsyncHomebox]:
    """Return a client of the emulator whose retries do not wait, and whose events are kept."""
    retry = Retry(backoff=0.0)
    async with AsyncHomebox(
        TOKEN, base_url=emulator.url, retry=retry, on_event=told.append
    ) as client:
        yield client


@pytest.fixture
def blocking(emulator: Emulator, told: list[Event]) -> Iterator[Homebox]:
    """Return the sync twin of `homebox`; to be used from another thread than the emulator's."""
    with Homebox(
        TOKEN, base_url=emulator.url, retry=Retry(backoff=0.0), on_event=told.append
    ) as client:
        yield client


def portfolio(*lines: str) -> Path:
    """Write an input for the importer."""
    path = Path("portfolio.csv")
    path.write_text("\n".join(["line1,city,postcode,ref", *lines, ""]))
    return path


@pytest.fixture
def write() -> Any:
    """Return what writes an input for the importer, of the lines that it is given."""
    return portfolio
