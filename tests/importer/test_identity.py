"""Which home is a row's: whole imports of files whose references or addresses are alike."""

import csv
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.importer import State
from homebox_async.importer.addressing import generated_reference
from homebox_async.resources.addresses import Address as Sent

CASES = Path(__file__).parents[1] / "data" / "cases" / "properties"
HEADER = "line1,city,postcode,ref"
LIST = ("GET", "/api/partner/property")
LOOK_ALIKE = [
    '"Flat 1, 23 High Street",Leeds,LS1 1AA',
    '"Flat 12, 3 High Street",Leeds,LS1 1AA',
    "Flat 2/1 9 Byres Road,Glasgow,G11 5RD",
    "Flat 21 9 Byres Road,Glasgow,G11 5RD",
    "12-14 Mill Lane,Leeds,LS1 1AB",
    "1214 Mill Lane,Leeds,LS1 1AB",
]


def afresh(bench: Any) -> dict[str, Any]:
    """Return the options of an import that knows of no earlier one."""
    return {"journal": bench.folder / "b.journal", "ledger": bench.folder / "b"}


def told(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def add(bench: Any, line1: str, reference: str | None, postcode: str = "LS1 1AA") -> int:
    """Add a property to the emulator."""
    address = Address(line1, None, "Leeds", None, postcode)
    number: int = bench.emulator.store.add_property(address, reference).id
    return number


async def serve(bench: Any, **assumed: Any) -> None:
    """Serve as a server that differs in some behaviour."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(**assumed))


# --- references that several homes have


async def test_numbered_from_one(bench: Any) -> None:
    """A second file that also numbers from 1 matches nothing: both addresses are shown."""
    smith, jones = (CASES / f"numbered-from-one-{name}.csv" for name in ("smith", "jones"))
    assert (await bench.report(smith)).done
    report = await bench.report(jones)
    assert (0, 0, 2, 2) == (report.created, report.adopted, report.rejected, bench.posts)
    first, _ = told(report.files["rejects"])
    assert "1 High Street, Leeds, LS1 1AA" in first["error"]
    assert "10 Mill Lane, York, YO1 7HU" in first["error"]
    assert "--reference-prefix" in first["fix"]
    assert "homebox import resolve" in first["fix"]
    # What the fix says.
    again = await bench.report(jones, reference_prefix="jones-", **afresh(bench))
    assert (2, True) == (again.created, again.done)
    assert {"1", "2", "jones-1", "jones-2"} == set(bench.references)


async def test_rejected_row_comes_back(bench: Any) -> None:
    """A row that is corrected to another home of the same reference is not matched."""
    add(bench, "1 High Street", "R1")
    bench.write(lines=["7 Low Street,Leeds,LS1 1AA,R1"], header=HEADER)
    report = await bench.report()
    assert (1, 0) == (report.rejected, bench.posts)


async def test_other_partners(bench: Any) -> None:
    """Another partner's reference for a home is not ours: the row's home is created."""
    await serve(bench, other_partner_references=("R1",))
    add(bench, "1 High Street", "mine")
    bench.write(lines=["1 High Street,Leeds,LS1 1AA,R1"], header=HEADER)
    report = await bench.report()
    assert (1, 0, True) == (report.created, report.adopted, report.done)


# --- addresses


async def test_look_alike_file(bench: Any) -> None:
    """The six homes of the file are six homes, with their references and with generated ones."""
    file = CASES / "look-alike-addresses.csv"
    assert (6, True) == ((report := await bench.report(file)).created, report.done)
    without = {"mapping": {"property_reference": ""}, "generate_references": True}
    again = await bench.report(file, **without, **afresh(bench))
    assert (6, True) == (again.created, again.done)
    assert 12 == len(bench.emulator.store.properties)


@pytest.mark.parametrize("generate", [False, True], ids=["given", "generated"])
@pytest.mark.parametrize("fault", [None, "drop-after", "drop-before"])
async def test_look_alike_addresses(bench: Any, fault: str | None, generate: bool) -> None:
    """Homes whose addresses differ in the boundaries of their numbers only are six homes."""
    lines = [line + ("," if generate else f",A-{n}") for n, line in enumerate(LOOK_ALIKE, 1)]
    bench.write(lines=lines, header=HEADER)
    if fault:
        bench.script(*[Fault.named(fault), None] * 3)
    report = await bench.report(generate_references=generate)
    assert (6, True) == (report.created + report.adopted, report.done)
    assert 6 == len(bench.emulator.store.properties)
    assert 6 == len({row["property_id"] for row in told(report.files["created"])})
    again = await bench.report(generate_references=generate, **afresh(bench))
    assert (6, 0, True) == (again.adopted, again.sent, again.done)


REWRITTEN = ["upper-case", "spelt-out", "four-lines", "respaced"]
PORTFOLIO = [
    '"Flat 2, The Old Mill",17 High St,Leeds,LS1 1AA,P-1',
    '"Flat 2, 17 High St",,Leeds,LS1 1AA,P-2',
    "Rose Cottage,Mill Ln,York,YO1 7HU,P-3",
    "12a St Johns Rd,,York,YO1 7HU,P-4",
    "Flat 2/1 9 Byres Rd,,Glasgow,G11 5RD,P-5",
    '"Apt B, 1-3 The Ave",,Leeds,LS1 1AB,P-6',
    "Ground Floor Flat,9 Park St,Leeds,LS1 1AB,P-7",
]


@pytest.mark.parametrize("way", REWRITTEN)
@pytest.mark.parametrize("generate", [False, True], ids=["given", "generated"])
async def test_rewritten_addresses(bench: Any, way: str, generate: bool) -> None:
    """A server that spells addresses otherwise re-imports a portfolio without a row unknown."""
    await serve(bench, addresses_come_back=way)
    lines = [line.rpartition(",")[0] + "," if generate else line for line in PORTFOLIO]
    bench.write(lines=lines, header="line1,line2,city,postcode,ref")
    bench.script(None, Fault.named("drop-after"), None, Fault.named("drop-before"))
    report = await bench.report(generate_references=generate)
    assert (7, True) == (report.created + report.adopted, report.done)
    again = await bench.report(generate_references=generate, **afresh(bench))
    assert (7, 0, True) == (again.adopted, again.sent, again.done)
    assert 7 == len(bench.emulator.store.properties)


async def test_corrected_postcode(bench: Any) -> None:
    """A home whose postcode the server corrects is not sent again, and not matched in silence."""
    await serve(bench, addresses_come_back="corrected")
    bench.write(lines=["1 High Street,Leeds,LS1 1AA,R1"], header=HEADER)
    bench.script(Fault.named("drop-after"))
    report = await bench.report(adopt_existing=False)
    assert (1, 1) == (report.unknown, bench.posts)
    assert "LS1 1AZ" in told(report.files["unknown"])[0]["error"]
    again = await bench.report(**afresh(bench))
    assert (1, 0, 1) == (again.rejected, again.adopted, bench.posts)


@pytest.mark.parametrize(
    "searches", ["address-case-sensitive", "address-without-postcode"], ids=["case", "no-postcode"]
)
@pytest.mark.parametrize("postcode", ["LS1 1AA", "ls1 1aa"])
async def test_postcode_that_is_not_found(bench: Any, searches: str, postcode: str) -> None:
    """What a query does not find may be there: the list is read before a row is sent again."""
    await serve(bench, q_searches=searches)
    bench.write(lines=[f"1 High Street,Leeds,{postcode},R1"], header=HEADER)
    bench.script(Fault.named("drop-after"))
    report = await bench.report()
    assert (1, 1, True) == (report.adopted, bench.posts, report.done)


# --- references that come back otherwise


@pytest.mark.parametrize("way", ["lower-case", "shortened"])
async def test_altered_references(bench: Any, way: str) -> None:
    """Recased or shortened references are known from the probe, and to a later run a doubt."""
    await serve(bench, references_come_back=way)
    lines = [f"{n} High Street,Leeds,LS1 1AA,{n}-OF-A-PORTFOLIO" for n in range(1, 4)]
    bench.write(lines=lines, header=HEADER)
    bench.script(None, Fault.named("drop-after"))
    report = await bench.report(concurrency=1)
    assert (2, 1, 3) == (report.created, report.adopted, bench.posts)
    again = await bench.report(**afresh(bench))
    assert (3, 0, 3) == (again.unknown, again.sent, bench.posts)
    assert "may be it" in told(again.files["unknown"])[0]["error"]


async def test_references_shortened_to_one(bench: Any) -> None:
    """Where the server makes references of the input equal, only the first row is sent."""
    await serve(bench, references_come_back="shortened")
    lines = [f"{n} High Street,Leeds,LS1 1AA,PORTFOLIO-{n}" for n in range(1, 4)]
    bench.write(lines=lines, header=HEADER)
    report = await bench.report(concurrency=1)
    assert (1, 2, 1) == (report.created, report.pending, bench.posts)
    assert "references come back shortened" in report.stopped


# --- homes without a reference


@pytest.mark.parametrize("fault", [None, "drop-after"], ids=["answered", "lost"])
@pytest.mark.parametrize("create", [False, True], ids=["adopted", "created"])
async def test_home_without_reference(bench: Any, fault: str | None, create: bool) -> None:
    """A home that is there without a reference is matched by its address, or created if asked."""
    add(bench, "1 HIGH ST", None)
    bench.write(lines=["1 High Street,Leeds,LS1 1AA,R1"], header=HEADER)
    bench.script(fault and Fault.named(fault))
    report = await bench.report(create_them=create)
    assert (1, 1 - create) == (report.created + report.adopted, report.by_address)
    assert 1 + create == len(bench.emulator.store.properties)
    if not create:
        assert report.preview is not None
        assert "--create-them" in str(report.preview)


async def test_similar_home_without_reference(bench: Any) -> None:
    """A home that is similar leaves a doubt, and `create_them` settles it."""
    there = add(bench, "The Annexe, 1 High St", None)
    bench.write(lines=["1 High Street,Leeds,LS1 1AA,R1"], header=HEADER)
    report = await bench.report()
    assert (1, 0) == (report.unknown, bench.posts)
    assert f"property {there} may be it" in told(report.files["unknown"])[0]["error"]
    again = await bench.report(create_them=True, **afresh(bench))
    assert again.done


async def test_two_rows_with_one_home(bench: Any) -> None:
    """A home without a reference is not given to one of two rows with its address."""
    add(bench, "Flat 2, 17 High St", None)
    lines = ['"Flat 2, 17 High Street",Leeds,LS1 1AA,A', '"17 High St, Flat 2",Leeds,LS1 1AA,B']
    bench.write(lines=lines, header=HEADER)
    report = await bench.report()
    assert (2, 0, 0) == (report.unknown, report.adopted, bench.posts)


# --- keys have a version


def as_version_2(path: Path, references: list[str]) -> None:
    """Make a journal what the version before would have left: not sent, with its references."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = 1 WHERE name = 'address_rule'")
    connection.execute("UPDATE meta SET value = 0 WHERE name = 'compared'")
    for number, reference in enumerate(references, 1):
        changed = "UPDATE rows SET reference = ?, state = ?, property_id = NULL WHERE number = ?"
        connection.execute(changed, (reference, State.PENDING, number))
    connection.commit()
    connection.close()


async def test_older_journal(bench: Any) -> None:
    """A journal of the rule before finishes with it, and what it made is found by the new one."""
    bench.write(lines=["1 High St,Leeds,LS1 1AA,", "2 High St,Leeds,LS1 1AA,"], header=HEADER)
    old = [
        generated_reference(Sent(line1=f"{n} High St", city="Leeds", postcode="LS1 1AA"), 1)
        for n in (1, 2)
    ]
    add(bench, "1 High St", old[0])
    bench.script(Fault.named("401"))
    assert "" != (await bench.report(generate_references=True, concurrency=1)).stopped
    as_version_2(bench.folder / "portfolio.journal", old)
    report = await bench.report(generate_references=True)
    assert (1, 1, True) == (report.created, report.adopted, report.done)
    assert set(old) == set(bench.references)
    again = await bench.report(generate_references=True, **afresh(bench))
    assert (0, 2, True) == (again.created, again.adopted, again.done)
