"""An emulator in which every operation has something to find."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homebox_async import Address, AsyncHomebox
from homebox_async.emulator import Emulator
from homebox_async.emulator.addresses import Address as Known


@pytest.fixture
async def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """Run an emulator whose branch is 2, and whose property, order, payer, invite and lead are 1.

    The branch has property 3, order 2 and lead 2.
    """
    monkeypatch.chdir(tmp_path)
    async with Emulator() as running:
        await prepare(running)
        running.received.clear()
        yield running


async def prepare(emulator: Emulator) -> None:
    """Fill an emulator."""
    home = Address(line1="1 High Street", city="London", postcode="EC1V 2NX")
    known = Known("9 High Street", None, "Norwich", "Norfolk", "NR3 2AG", "VglSD9KF3EKcNz_RRXPVV")
    emulator.store.remember_address(known)
    async with AsyncHomebox(emulator.token, base_url=emulator.url) as client:
        from .cases import CASES, FOUND_ID

        assert known.address_id == FOUND_ID
        await client.properties.create(home)
        emulator.seed_order(1)
        for name in (
            *("bill_payers.add", "invites.create", "leads.create", "branches.create"),
            *("branch.leads.create", "branch.orders.create"),
            *("readings.create_for_order", "readings.create_for_property", "postal_bills.create"),
        ):
            await CASES[name].call(client)
    emulator.set_mandate(1, "rejected")
    emulator.take_payments(1, "failed")
