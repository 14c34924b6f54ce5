"""What the files say to do about a row is done here, and the row ends as it should."""

import csv
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.importer import resolve_row

from .tenancies import LEAD, VOIDS, lead, leads, void, voids, write


def told(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_generate_references_instead(bench: Any) -> None:
    """Rows of one reference go in with generated ones, and their own column left out."""
    bench.write(lines=[f"{n} High St,Leeds,LS1 1AA,OWNER-7" for n in (1, 2)])
    report = await bench.report()
    fix = told(report.files["rejects"])[0]["fix"]
    assert "--generate-references and without these (--map property_reference=)" in fix
    report = await bench.report(
        report.files["rejects"], generate_references=True, mapping={"property_reference": ""}
    )
    assert (2, True) == (report.created, report.done)


@pytest.mark.parametrize("both", [False, True], ids=["delete-it", "references-of-their-own"])
async def test_same_home_twice(bench: Any, both: bool) -> None:
    """A home that comes twice is deleted from the file, or both rows get references."""
    lines = ["1 High St,Leeds,LS1 1AA,", "1 HIGH ST,Leeds,LS1 1AA,"]
    bench.write(lines=lines)
    report = await bench.report(generate_references=True)
    [row] = told(report.files["rejects"])
    assert "delete it, or give both rows references of their own" == row["fix"]
    bench.write(lines=[lines[0] + "A", lines[1] + "B"] if both else lines[:1])
    afresh = {"journal": bench.folder / "b.journal", "ledger": bench.folder / "b"}
    report = await bench.report(
        generate_references=not both,
        adopt_existing=not both,
        **(afresh if both else {"journal": afresh["journal"]}),
    )
    assert (True, 3 if both else 1) == (report.done, bench.posts)


async def test_same_void_twice(bench: Any) -> None:
    """A void that comes twice is left out of the file."""
    home = Address("1 High Street", None, "Leeds", None, "LS1 1AA", None)
    bench.emulator.store.add_property(home, "R1")
    write(bench, [void(1), void(1)], header=VOIDS)
    report = await voids(bench)
    [row] = told(report.files["rejects"])
    assert "leave one of them out" == row["fix"]
    write(bench, [void(1)], header=VOIDS)
    report = await voids(bench, journal=bench.folder / "b.journal")
    assert (1, 0, True) == (report.adopted, report.created, report.done)


async def test_may_be_another_lead(bench: Any) -> None:
    """A lead that may be one of Homebox is resolved as not there, and then sent once."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(addresses_come_back="corrected"))
    write(bench, [lead(1)])
    bench.script(Fault("drop-after"), on=LEAD)
    report = await leads(bench)
    [row] = told(report.files["unknown"])
    assert ("lead 1 may be it", True) == (
        row["error"].partition(":")[0],
        "homebox import resolve" in row["fix"] and "--is ID" in row["fix"],
    )
    await resolve_row(bench.client(), report.journal, 1, id=1)
    report = await leads(bench)
    assert (1, True, 0) == (report.adopted, report.done, report.sent)
