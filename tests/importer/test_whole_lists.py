"""Lists that are read whole: what the passes show, and what a list that ends early does not."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from homebox_async.emulator import Address, Assumed
from homebox_async.importer import import_readings
from homebox_async.importer.whole_lists import read_whole


async def readings_of_one_home(bench: Any, count: int, **assumed: Any) -> Any:
    """Serve a home with so many readings of gas, a month apart; return a client."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(reading_page_size=2, **assumed))
    store = bench.emulator.store
    home = store.add_property(Address("1 High Street", None, "Leeds", None, "LS1 1AA", None), "R1")
    for n in range(1, count + 1):
        store.add_reading(
            property_id=home.id,
            order_id=None,
            kind="Gas",
            reading=str(100 * n),
            reading2=None,
            date_of_reading=f"2026-0{n}-01",
            source=None,
        )
    return bench.client()


async def read(client: Any, witnesses: Sequence[int] = ()) -> tuple[list[int], Any]:
    """Return the ids of the readings of home 1 that came, and the verdict."""
    seen: set[int] = set()

    async def add(page: Sequence[Any]) -> None:
        seen.update(one.id for one in page)

    verdict = await read_whole(lambda: client.readings.list_for_property(1), add, witnesses)
    return sorted(seen), verdict


async def test_all_of_it(bench: Any) -> None:
    """A list of several pages that two passes show alike is complete."""
    client = await readings_of_one_home(bench, 5)
    seen, verdict = await read(client, [5])
    assert ([1, 2, 3, 4, 5], True) == (seen, verdict.complete)


@pytest.mark.parametrize(
    ("assumed", "witnesses", "reason"),
    [
        ({"page_cap": 1, "list_meta": "everywhere"}, [], "total of 5"),
        ({"page_cap": 1, "list_meta": "nothing"}, [5], "5"),
        ({"total_error": 1, "list_meta": "everywhere"}, [], "total of 6"),
    ],
    ids=["fewer-than-told", "a-known-one-is-missing", "wrong-total"],
)
async def test_incomplete_list_of_readings(
    bench: Any,
    caplog: pytest.LogCaptureFixture,
    assumed: Any,
    witnesses: list[int],
    reason: str,
) -> None:
    """A list of readings that ends early proves nothing, and the verdict says why, once."""
    client = await readings_of_one_home(bench, 5, **assumed)
    with caplog.at_level(logging.WARNING, "homebox_async"):
        _, verdict = await read(client, witnesses)
    assert (False, True) == (verdict.complete, reason in verdict.reason), verdict
    assert [] == caplog.records  # it is for whoever asked to say it


async def test_reading_beside_an_incomplete_list(bench: Any) -> None:
    """A reading of a home whose readings cannot all be seen is not sent, and says why."""
    await readings_of_one_home(bench, 5, page_cap=1, list_meta="everywhere")
    bench.write(lines=["1,gas,700,2026-11-06"], header="property_id,type,reading,date")
    report = await import_readings(
        bench.client(), bench.path, settle=0.05, results=bench.folder, mapping={"photo": ""}
    )
    assert (0, 1, 0) == (report.created, report.pending, report.sent)
    assert "2 items came, and the server reported a total of 5" in report.stopped
