"""What the tests of the examples share: an emulator with homes."""

from collections.abc import Iterator

import pytest

from homebox_async.bridge import Bridge
from homebox_async.emulator import Address, Emulator

HOMES = 120  # three pages


def add_homes(emulator: Emulator, first: int, last: int) -> None:
    """Give an emulator the homes with these numbers."""
    for number in range(first, last + 1):
        address = Address(
            line1=f"{number} Test Lane", line2=None, city="London", county=None, postcode="EC1V 2NX"
        )
        emulator.store.add_property(address, reference=f"T-{number}")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Return an emulator with three pages of homes, which runs in a thread."""
    bridge = Bridge()
    emulator = Emulator()
    bridge.run(emulator.start)
    add_homes(emulator, 1, HOMES)
    yield emulator
    bridge.worker.close(emulator.aclose)


@pytest.fixture(autouse=True)
def _fresh(emulator: Emulator) -> None:
    """Forget what the test before did."""
    emulator.faults = None
    emulator.received.clear()
    emulator.outbox.clear()
