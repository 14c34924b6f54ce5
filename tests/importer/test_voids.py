"""Importing void periods: what cannot be looked up is never sent again."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Address, Fault
from homebox_async.emulator.routes import voids as route
from homebox_async.importer import MappingError, NotConfirmed, Preview
from homebox_async.importer.sources import Row
from homebox_async.importer.voids import VoidColumns

from .tenancies import SOON, VOID, VOIDS, posts, void, voids, write


@pytest.fixture
async def homes(bench: Any) -> Any:
    """Return a bench whose emulator has three properties."""
    for n in range(1, 4):
        home = Address(f"{n} High Street", None, "Leeds", None, "LS1 1AA", None)
        bench.emulator.store.add_property(home, f"R{n}")
    return bench


def told(path: Any) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_all_is_well(homes: Any) -> None:
    """Each row is a void; the preview has counted what the outbox holds."""
    rows = [
        void(1, home=1, more=f"{SOON.replace(year=2050)},yes,yes,"),
        void(2, home=2, more=",no,no,true"),
        void(3, home=3),
    ]
    write(homes, rows, VOIDS)
    dry = await voids(homes, dry_run=True)
    assert Preview(kind="voids", rows=3, suppliers=2, switches=1) == dry.preview
    assert "the energy is switched to the void supplier in 1 home" in str(dry.preview)
    report = await voids(homes, confirm=3)
    assert (3, 3, True) == (report.created, report.sent, report.done)
    subjects = Counter(message.subject for message in homes.emulator.outbox)
    assert {"Supplier switch": 1, "Change of tenancy": 1} == subjects
    there = list(homes.emulator.store.tenancies)
    assert [(1, True), (2, False), (3, True)] == [
        (row.property_id, row.void.property_empty) for row in there
    ]
    assert {"Zqann"} == {row.void.tenant.first_name for row in there}
    ids = {row["ref"]: row["tenancy_id"] for row in told(report.files["created"])}
    assert {f"V{row.property_id}": str(row.id) for row in there} == ids


async def test_not_confirmed(homes: Any) -> None:
    """A void is not sent unless somebody has confirmed it, though nobody hears of it."""
    write(homes, [void(1)], VOIDS)
    with pytest.raises(NotConfirmed, match=r"1 void will be sent; nothing was sent: .* repeat 1"):
        await voids(homes, confirm=None)
    assert 0 == posts(homes, VOID)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "garbage"])
async def test_never_sent_again(homes: Any, fault: str) -> None:
    """A void without an answer stays unknown in every later run, with what a person can do."""
    write(homes, [void(1, home=1), void(2, home=2)], VOIDS)
    homes.script(Fault.named(fault), on=VOID)
    for sent in (2, 0, 0):
        report = await voids(homes, confirm=2)
        assert (sent, 1, 1, False) == (
            report.sent,
            report.created,
            report.unknown,
            report.done,
        )
    assert 2 == posts(homes, VOID)
    row = told(report.files["unknown"])[0]
    assert row["fix"].startswith("ask Homebox whether the void is there; once you know, run: ")
    # The person has asked: it is not there, and what was left is sent as a file of its own.
    settled = await voids(homes, source=report.files["unknown"], confirm=1, ledger=homes.folder)
    assert (1, True) == (settled.created, settled.done)


async def test_stopped_before_it_is_told(homes: Any) -> None:
    """What was open when the import stopped is told as what nobody can look up."""
    write(homes, [void(n, home=n) for n in range(1, 4)], VOIDS)
    homes.script(Fault.named("drop-after"), Fault("status", 401), on=VOID)
    report = await voids(homes, concurrency=1)
    assert (1, 2, 0) == (report.unknown, report.pending, report.created)
    assert "ask Homebox" in told(report.files["unknown"])[0]["fix"]
    second = await voids(homes, confirm=None)
    assert (1, 2) == (second.unknown, second.created)


async def test_other_dates(homes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes another date than was sent stops the import."""
    write(homes, [void(n, home=n) for n in range(1, 4)], VOIDS)
    add = route.add_void
    monkeypatch.setattr(
        route,
        "add_void",
        lambda *by, last="2050-07-01": add(*by[:2], attrs.evolve(by[2], start=last)),
    )
    report = await voids(homes, concurrency=1)
    assert (1, 2) == (report.created, report.pending)
    assert "tenancy_start 2050-07-01 where" in report.stopped


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (void(1, home=""), "property_id|is empty"),
        (void(1, home="x1"), "property_id|is not a whole number above 0"),
        (void(1, more=",maybe,yes,"), "is_premium|is neither yes nor no"),
        (void(1, more=",,,"), "property_empty|is empty"),
        (void(1, more=f"{SOON},,yes,"), "tenancy_end|is not after tenancy_start"),
        (
            void(1).replace("LS1 1AB", "LS1"),
            "responsible_postcode|is incomplete: it has no second part",
        ),
        (void(1).replace("9 Mill Lane", ""), "responsible_line1|is empty"),
        (void(1).replace("Zqann", ""), "responsible_first_name|is empty"),
        (void(1, home=99), "property_id|selected property id is invalid."),
    ],
)
async def test_rejected(homes: Any, line: str, problem: str) -> None:
    """What is wrong with a row is told by its field, without its values."""
    write(homes, [line, void(2, home=2)], VOIDS)
    report = await voids(homes)
    row = told(report.files["rejects"])[0]
    assert [problem] == [f"{row['field']}|{row['error'].partition(' ')[2]}"]
    assert (1, 1) == (report.rejected, report.created)
    assert "Zq" not in row["error"] + row["fix"]


async def test_same_home_and_start(homes: Any) -> None:
    """Of two voids of a home from the same day, the second one is not sent."""
    write(homes, [void(1, home=1), void(2, home=1)], VOIDS)
    report = await voids(homes)
    assert (1, 1, 1) == (report.created, report.rejected, posts(homes, VOID))
    assert "is the same void as line 2" == told(report.files["rejects"])[0]["error"]


HOME = {"line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA"}
CELLS = dict(zip(VOIDS.split(","), void(1).split(","), strict=True))
FORWARDING = {f"forwarding_{part}": value for part, value in {**HOME, "name": "Zqbob"}.items()}


def read(cells: dict[str, str]) -> Any:
    """Read one row of voids."""
    return VoidColumns.recognise(list(cells)).read(Row(1, cells))


def test_address_and_forwarding() -> None:
    """A home may be an address; where the tenant has gone may be told, in full."""
    without = {name: cell for name, cell in CELLS.items() if name != "property_id"}
    made = read({**without, **HOME, **FORWARDING})
    assert (f"LS11AA|1 high st|{SOON}", False) == (made.key, made.names_an_id)
    assert "Zqbob" == made.forwarding_details.name
    assert "Zq" not in repr(made)
    assert ["forwarding_name"] == [
        problem.field for problem in read({**CELLS, **FORWARDING, "forwarding_name": ""})
    ]
    assert "property:1" in read({**CELLS, **HOME}).key


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        (["tenancy_start"], "there is no tenancy_start among the columns"),
        (["property_id"], "there is no address among the columns"),
        (["responsible_city"], "there is no responsible_city among .*--map responsible_city=COL"),
    ],
)
def test_columns_that_do_not_do(missing: list[str], error: str) -> None:
    """What is missing among the columns is told in one line."""
    with pytest.raises(MappingError, match=error):
        VoidColumns.recognise([name for name in CELLS if name not in missing])


def test_malformed_row() -> None:
    """A row that could not be taken apart is told as such."""
    fault = read({**CELLS, "property_empty": ""})[0]
    assert [fault] == VoidColumns.recognise(list(CELLS)).read(Row(1, {}, fault))


async def test_no_personal_data_in_the_journal(homes: Any) -> None:
    """Names and numbers of who is responsible are not in the journal."""
    write(homes, [void(1, home=1), void(2, home="")], VOIDS)
    homes.script(Fault.named("drop-after"), on=VOID)
    await voids(homes)
    content = b"".join(path.read_bytes() for path in homes.folder.glob("*.journal*"))
    for personal in (b"Zqann", b"Zqlee", b"447911", b"@example.com", b"Mill"):
        assert personal not in content


async def test_homes_that_look_alike(bench: Any) -> None:
    """Homes whose addresses differ in the boundaries of their numbers only have a void each."""
    header = VOIDS.replace("property_id,", "line1,city,postcode,")
    homes = ["Flat 1 23 High St", "Flat 12 3 High St", "Flat 2/1 9 Byres Rd", "Flat 21 9 Byres Rd"]
    lines = [void(n, home=f"{home},Leeds,LS1 1AA") for n, home in enumerate(homes, 1)]
    lines.append(void(5, home="Flat 1 - 23 HIGH STREET,Leeds,LS11AA"))
    write(bench, lines, header=header)
    report = await voids(bench)
    assert (4, 1) == (report.created, report.rejected)


async def test_forwarding_without_its_columns(homes: Any) -> None:
    """A forwarding city alone is a rejected row that names the columns to add, no traceback."""
    cases = Path(__file__).parents[1] / "data" / "cases" / "people"
    report = await voids(homes, source=cases / "voids-forwarding-city-only.csv")
    assert (1, 0) == (report.rejected, posts(homes, VOID))
    (row,) = told(report.files["rejects"])
    assert row["error"].startswith("forwarding_name is empty")
    assert "add a column forwarding_name, or leave the other forwarding_... empty" in row["fix"]


@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
async def test_status_of_the_home(homes: Any, fault: str) -> None:
    """For an unknown void, the person who decides sees which status its home has now."""
    write(homes, [void(1, home=1)], VOIDS)
    homes.script(Fault.named(fault), on=VOID)
    for _ in range(2):
        report = await voids(homes)
        [row] = told(report.files["unknown"])
        assert 1 == row["error"].count("; now property 1 has the status ")
        home = homes.emulator.store.properties[1]
        assert ("speaks for it" in row["error"]) is (4 == home.status_id)
