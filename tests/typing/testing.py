"""What type checkers see of the testing kit; checked, not run."""

from typing import assert_type

from homebox_async import Address, AsyncHomebox, Homebox, NewTenant
from homebox_async.emulator import Emulator, Message, Received
from homebox_async.emulator.package_records import Payment
from homebox_async.emulator.records import Lead, Property
from homebox_async.testing import RunningEmulator, Seed, SeededOrder


def test_sync(homebox_emulator: RunningEmulator, homebox: Homebox) -> None:
    """Seeds, faults and expectations are typed to the last."""
    seed = homebox_emulator.seed
    assert_type(seed, Seed)
    assert_type(seed.address(), Address)
    assert_type(seed.tenant(), NewTenant)
    assert_type(seed.property(), Property)
    assert_type(seed.lead(tenants=[seed.tenant()]), Lead)
    order = seed.order(payments=["success", "failed"])
    assert_type(order, SeededOrder)
    assert_type(order.id, int)
    assert_type(order.payments, tuple[Payment, ...])
    homebox_emulator.fail("POST", "/property", status=503, retry_after=1, times=2)
    homebox_emulator.fail("PUT", "/property", status=503)  # type: ignore[arg-type]  # pyright: ignore
    homebox_emulator.drop("POST", "/property")  # type: ignore[call-arg]  # pyright: ignore
    assert_type(homebox_emulator.received, list[Received])
    assert_type(homebox_emulator.assert_received("POST", "/lead", json={"a": 1}), list[Received])
    assert_type(homebox_emulator.outbox, list[Message])
    assert_type(homebox_emulator.assert_outbox("sms", times=1), list[Message])
    homebox_emulator.assert_outbox("letter")  # type: ignore[arg-type]  # pyright: ignore
    assert_type(homebox_emulator.do(lambda emulator: len(emulator.store.leads)), int)
    assert_type(homebox.base_url, str)


async def test_async(async_homebox: AsyncHomebox) -> None:
    """The async client is the real one."""
    async with async_homebox as client:
        assert_type(client, AsyncHomebox)


def test_own() -> None:
    """An emulator with options of its own is one by its type."""
    with RunningEmulator(Emulator(rate_limit=None)) as emulator:
        assert_type(emulator, RunningEmulator)
