"""Outages: a lost answer shuts the gate, and nothing more is written until a read succeeds."""

import asyncio
from typing import Any

import pytest

from homebox_async.emulator import Address, Fault
from homebox_async.errors import AuthenticationFailed, OutcomeUnknown, ServerError

from .running import until
from .tenancies import VOID, VOIDS, void, voids, write

READ = ("GET", "/api/partner/property")


async def import_five_voids(bench: Any) -> Any:
    """Import voids of five homes."""
    for n in range(1, 6):
        home = Address(f"{n} High Street", None, "Leeds", None, "LS1 1AA", None)
        bench.emulator.store.add_property(home, f"R{n}")
    write(bench, [void(n, home=n) for n in range(1, 6)], VOIDS)
    return await voids(bench, confirm=5)


@pytest.mark.parametrize("fault", ["502", "503", "503-after", "504", "521", "drop-after"])
async def test_one_void_in_doubt(bench: Any, fault: str) -> None:
    """A lost answer is followed by reads until one succeeds; the other voids are sent then."""
    bench.script(None, Fault.named(fault), on=VOID)
    bench.script(*[Fault.named("503")] * 5, on=READ)
    report = await import_five_voids(bench)
    assert (4, 1, "") == (report.created, report.unknown, report.stopped)
    made = [(seen.method, seen.path) for seen in bench.emulator.received][-12:]
    # At the end, the status of the home is read: evidence for a person.
    status = ("GET", f"{READ[1]}/2")
    assert [VOID, VOID, *[READ] * 6, VOID, VOID, VOID, status] == made


@pytest.mark.parametrize("concurrency", [1, 6])
async def test_in_flight_in_doubt(bench: Any, concurrency: int) -> None:
    """An outage that does not end leaves in doubt what was in flight; the rest is not sent."""
    bench.write(60)
    bench.script(*[None] * 9, *[Fault.named("503")] * 60)
    bench.script(*[Fault.named("502")] * 60, on=READ)
    report = await bench.report(concurrency=concurrency, adopt_existing=False, patience=0.01)
    assert isinstance(report.error, ServerError)
    assert 1 <= report.unknown <= concurrency
    assert (9, 51 - report.unknown) == (report.created, report.pending)
    bench.emulator._scripts.clear()
    assert (await bench.report()).done
    assert bench.expected(60) == bench.references


async def test_voids_stop_soon(bench: Any) -> None:
    """Where reads succeed and writes do not, three voids are in doubt before the import ends."""
    bench.script(*[Fault.named("503")] * 9, on=VOID)
    report = await import_five_voids(bench)
    assert (3, 2) == (report.unknown, report.pending)
    assert isinstance(report.error, OutcomeUnknown)


async def test_retry_after_is_waited_for(bench: Any) -> None:
    """Before the server is read again, the pause that it asked for is waited for."""
    bench.script(Fault("status", 503, headers={"Retry-After": "0.2"}), on=VOID)
    loop = asyncio.get_running_loop()
    began = loop.time()
    report = await import_five_voids(bench)
    assert (4, 1) == (report.created, report.unknown)
    assert loop.time() - began >= 0.2


async def test_pause_that_is_too_long(bench: Any) -> None:
    """A pause of more than an hour ends the import; what is left is sent later."""
    bench.script(None, Fault("status", 503, headers={"Retry-After": "7200"}), on=VOID)
    report = await import_five_voids(bench)
    assert (1, 1, 3) == (report.created, report.unknown, report.pending)


async def test_read_that_is_refused(bench: Any) -> None:
    """A read that is refused ends the import with the refusal."""
    bench.script(None, Fault.named("504"), on=VOID)
    bench.script(Fault.named("401"), on=READ)
    report = await import_five_voids(bench)
    assert (1, 1, 3) == (report.created, report.unknown, report.pending)
    assert isinstance(report.error, AuthenticationFailed)


@pytest.mark.parametrize("after", [0.0, 0.03])
async def test_drained_at_the_gate(bench: Any, after: float) -> None:
    """An import that is drained while nothing is written ends at once, and is finished later."""
    bench.write(20)
    bench.script(*[None] * 5, Fault("status", 503, headers={"Retry-After": "600"}))
    run = bench.start(concurrency=4)
    task = asyncio.ensure_future(run.wait())
    await until(lambda: bench.posts >= 6)
    await asyncio.sleep(after)
    run.drain()
    async with asyncio.timeout(5):
        report = await task
    assert 20 == report.created + report.unknown + report.pending
    assert (await bench.report()).done
    assert bench.expected(20) == bench.references
