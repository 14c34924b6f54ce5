"""Wall clocks that are wrong: nothing that is decided depends on them."""

from pathlib import Path

from homebox_async.emulator import Assumed, Faults

from .stand import Stand


async def test_clock_that_jumps(tmp_path: Path) -> None:
    """With a clock that steps by days, rows left by a kill still have their whole settle time."""
    lag = Assumed(list_lag=0.4)
    faults = Faults({"drop-after": 0.05, "slow:0.01": 0.9})
    async with Stand.at(tmp_path, 150, faults=faults, assumed=lag) as stand:
        for clock in (1, 2, 3):
            await stand.broken_off(30, clock=clock, settle=0.9)
        assert (await stand.finish(clock=4, settle=0.9))["adopted"]
