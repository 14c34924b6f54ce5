"""Answers that contradict what is known: a refusal after a lost answer, an id that comes twice."""

import csv
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.importer import State
from homebox_async.importer.properties import Properties


def told(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_refused_after_a_lost_answer(bench: Any) -> None:
    """A reference that is taken by the row's own lost request is found, never rejected."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(unique_references=True, list_lag=0.3))
    bench.write(3)
    bench.script(None, Fault("drop-after"))
    # The list shows it too late, so the row is sent again.
    report = await bench.report(settle=0.02, concurrency=1)
    assert 0 == report.rejected
    report = await bench.report(settle=0.4)
    assert (3, 0, True) == (report.created + report.adopted, report.rejected, report.done)
    assert bench.expected(3) == bench.references


@pytest.mark.parametrize("status", [400, 409, 413, 422])
async def test_refused_and_not_there(bench: Any, status: int) -> None:
    """A row that was refused after a lost answer, and is not listed, is unknown with both facts."""
    bench.write(2)
    bench.script(None, Fault("drop-before"), Fault("status", status))
    report = await bench.report(concurrency=1)
    assert (1, 1, 0, 3) == (report.created, report.unknown, report.rejected, bench.posts)
    [row] = told(report.files["unknown"])
    assert row["error"].startswith("an answer was lost, then the server refused it (the server")
    assert "but its list does not show it" in row["error"]
    other = report.files["unknown"].rename(bench.folder / "other.csv")
    assert (await bench.report(other)).done
    assert bench.expected(2) == bench.references


async def test_refused_at_once(bench: Any) -> None:
    """A row whose first request is refused is rejected as ever."""
    bench.write(2)
    bench.script(None, Fault("status", 422))
    report = await bench.report(concurrency=1)
    assert (1, 1, 0) == (report.created, report.rejected, report.unknown)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_id_of_another_row(bench: Any, concurrency: int) -> None:
    """Two rows that the server gave one id are unknown, both told, and found in the next run."""
    bench.write(5)
    bench.script(None, None, Fault("other-id"))
    async with bench.start(concurrency=concurrency) as run:
        results = [row async for row in run]
    report = run.report
    assert (3, 2, False) == (report.created, report.unknown, report.done)
    unknown = told(report.files["unknown"])
    lines = " and ".join(str(int(row["row"]) + 1) for row in unknown)
    assert {f"the server gave the id 2 to lines {lines}"} == {row["error"] for row in unknown}
    again = "run the same command again, which looks it up first"
    assert all(row["fix"].startswith(again) for row in unknown)
    numbers = [str(row.number) for row in results if row.state is State.UNKNOWN]
    assert [row["row"] for row in unknown] == numbers
    assert {"created": 3, "unknown": 2}.items() <= {
        state.name.lower(): number for state, number in run.counts.items()
    }.items()
    report = await bench.report()
    assert (3, 2, 5) == (report.created, report.adopted, bench.posts)
    by_id = {home.id: home.reference for home in bench.emulator.store.properties}
    created = told(report.files["created"])
    assert [by_id[int(row["property_id"])] for row in created] == [row["ref"] for row in created]


async def test_id_of_a_row_that_was_found(bench: Any) -> None:
    """An id that was answered for one row, and found for another, makes both unknown."""
    bench.write(3)
    bench.script(None, Fault("drop-after"), Fault("other-id"))
    report = await bench.report(concurrency=1)
    assert (1, 0, 2) == (report.created, report.adopted, report.unknown)
    unknown = told(report.files["unknown"])
    assert {"the server gave the id 2 to lines 3 and 4"} == {row["error"] for row in unknown}
    report = await bench.report()
    assert (1, 2, 3) == (report.created, report.adopted, bench.posts)
    by_id = {home.id: home.reference for home in bench.emulator.store.properties}
    created = told(report.files["created"])
    assert [by_id[int(row["property_id"])] for row in created] == [row["ref"] for row in created]
    # The ledger has not kept the wrong one, either.
    again = await bench.report(bench.path.rename(bench.folder / "again.csv"))
    created = told(again.files["created"])
    assert [by_id[int(row["property_id"])] for row in created] == [row["ref"] for row in created]


async def test_same_id_three_times(bench: Any) -> None:
    """A third row with the id is unknown, too, also in a later run."""
    bench.write(4)
    bench.script(None, Fault("other-id"), None, Fault("status", 401))
    first = await bench.report(concurrency=1)
    assert (1, 2, 1) == (first.created, first.unknown, first.pending)
    bench.emulator._scripts.clear()
    bench.script(Fault("other-id"))
    report = await bench.report(concurrency=1)
    assert (2, 4) == (
        report.unknown,
        bench.emulator.counts.requests["POST /api/partner/property"] - 1,
    )
    assert (await bench.report()).done


async def test_server_that_merges_homes(bench: Any) -> None:
    """Where the second of two equal addresses makes no new home, both rows stay unknown."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(repeated_address_makes_new=False))
    bench.write(lines=["1 High St,Leeds,LS1 1AA,A1", "1 High St,Leeds,LS1 1AA,A2"])
    report = await bench.report(concurrency=1)
    assert (0, 2) == (report.created, report.unknown)
    report = await bench.report(concurrency=1)
    assert (1, 1, 2) == (report.adopted, report.unknown, bench.posts)
    [row] = told(report.files["unknown"])
    assert ("2", True) == (row["row"], row["error"].startswith("the server answered with success"))


async def test_id_of_a_matched_row(bench: Any) -> None:
    """A created row that was given the id of a matched one makes both unknown."""
    bench.write(2)
    home = Address("1 High Street", None, "Leeds", None, "LS2 1AA")
    bench.emulator.store.add_property(home, "R1")
    bench.script(Fault("other-id"))
    report = await bench.report()
    assert (0, 0, 2) == (report.created, report.adopted, report.unknown)
    assert (await bench.report()).done
    assert 1 == bench.posts


async def test_after_a_mismatch(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a server has shown something otherwise than it was sent, not found is not absent."""
    bench.write(3)
    bench.script(Fault("drop-before"))
    monkeypatch.setattr(Properties, "echoed", lambda *_: "the answer shows other dates; look")
    assert (await bench.report(concurrency=1)).stopped.endswith(
        "the answer shows other dates; look"
    )
    monkeypatch.undo()
    for _ in range(2):
        report = await bench.report()
        assert (2, 1, 3) == (report.created, report.unknown, bench.posts)
    [row] = told(report.files["unknown"])
    assert row["error"].endswith("may be there in another form: the answer shows other dates")
