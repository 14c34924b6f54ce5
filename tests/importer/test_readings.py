"""Importing meter readings: photos matched, readings that contradict each other not sent."""

import csv
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.errors import RequestError
from homebox_async.importer import MappingError, NotConfirmed, Preview, SourceError, import_readings
from homebox_async.importer.readings import ReadingColumns
from homebox_async.importer.sources import Row

from .tenancies import posts

HEADER = "property_id,order_id,utility,reading,reading2,date,photo"
READ = ("POST", "/api/partner/property/{property_id}/readings")
READ_ORDER = ("POST", "/api/partner/order/{order_id}/readings")
LIST = ("GET", "/api/partner/property/{property_id}/readings")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + b"\0" * 600


@pytest.fixture
async def homes(bench: Any) -> Any:
    """Return a bench with three properties, the last of which has an order, and photos."""
    for n in range(1, 4):
        home = Address(f"{n} High Street", None, "Leeds", None, "LS1 1AA", None)
        bench.emulator.store.add_property(home, f"R{n}")
    bench.emulator.seed_order(3)
    (bench.folder / "photos").mkdir()
    return bench


def run(homes: Any, lines: list[str] | None = None, **options: Any) -> Any:
    """Return a run of an input."""
    if lines is not None:
        homes.write(lines=lines, header=options.pop("header", HEADER))
    if "photos" not in options:
        options.setdefault("mapping", {"photo": ""})
    options = {"settle": 0.05, "results": homes.folder, **options}
    return import_readings(homes.client(), options.pop("source", homes.path), **options)


def photo(homes: Any, *names: str, content: bytes = JPEG) -> Path:
    """Put photos into the folder."""
    folder: Path = homes.folder / "photos"
    for name in names:
        (folder / name).write_bytes(content)
    return folder


def told(report: Any, kind: str = "rejects") -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with report.files[kind].open(newline="") as file:
        return list(csv.DictReader(file))


def there(homes: Any) -> list[tuple[Any, ...]]:
    """Return the readings that the emulator holds."""
    return [
        (row.property_id, row.order_id, row.type, row.reading, row.reading2, row.source)
        for row in homes.emulator.store.readings
    ]


def recorded(homes: Any, kind: str, reading: int, date: str, reading2: str | None = None) -> None:
    """Let property 1 have a reading."""
    homes.emulator.store.add_reading(
        property_id=1,
        order_id=None,
        kind=kind.capitalize(),
        reading=str(reading),
        reading2=reading2,
        date_of_reading=date,
        source=None,
    )


async def test_all_is_well(homes: Any) -> None:
    """Readings of properties and orders go in with their photos; a second run sends nothing."""
    folder = photo(homes, "m1.JPG", "order-1-electric-2026-11-21.jpeg", "2-WATER-2026-11-20.jpg")
    report = await run(
        homes,
        [
            "1,,Gas,299,,2026-11-20,M1.jpg",
            "2,,water,12,,2026-11-20,",
            ",1,electricity,4711,815,2026-11-21,",
            "1,,gas,310,,2026-12-20,",
        ],
        photos=folder,
        concurrency=1,
    )
    assert (4, 4, True) == (report.created, report.sent, report.done)
    assert Preview(kind="readings", rows=4, photos=3) == report.preview
    assert [
        (1, None, "Gas", "299", None, "readings/m1.JPG"),
        (2, None, "Water", "12", None, "readings/2-WATER-2026-11-20.jpg"),
        (3, 1, "Electric", "4711", "815", "readings/order-1-electric-2026-11-21.jpeg"),
        (1, None, "Gas", "310", None, None),
    ] == there(homes)
    assert ["1", "2", "3", "4"] == [row["reading_id"] for row in told(report, "created")]
    again = await run(homes, photos=folder)
    assert (4, 0, ()) == (again.created, again.sent, again.preview.surplus_photos)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "garbage"])
async def test_open_answers(homes: Any, fault: str) -> None:
    """A reading without an answer is looked up, and sent again only if it is not there."""
    homes.script(None, Fault.named(fault), on=READ)
    report = await run(homes, [f"1,,gas,{n},,2026-11-0{n}," for n in range(1, 5)])
    assert (4, True) == (report.created + report.adopted, report.done)
    assert 4 == len(there(homes)) == posts(homes, READ) - (fault == "drop-before")


async def test_shown_late(homes: Any) -> None:
    """A reading that the list shows late is waited for."""
    homes.emulator.store._assumed = homes.emulator.assumed = Assumed(list_lag=0.2)
    homes.script(Fault.named("drop-after"), on=READ)
    report = await run(homes, ["1,,gas,5,,2026-11-01,"], settle=0.5)
    assert (1, 1) == (report.adopted, posts(homes, READ))


async def test_recorded_already(homes: Any) -> None:
    """A reading that is there is adopted, over several pages too."""
    for n in range(1, 121):
        recorded(homes, "gas", n, f"2025-{(n - 1) // 28 + 1:02}-{(n - 1) % 28 + 1:02}")
    report = await run(homes, ["1,,gas,120,,2025-05-08,", "1,,gas,121,,2025-06-01,"])
    assert (1, 1, True) == (report.adopted, report.created, report.done)


@pytest.mark.parametrize(
    ("known", "line", "error"),
    [
        (("gas", 300, "2026-01-01"), "1,,gas,299,,2026-02-01,", "is below reading 1 of 2026-01-01"),
        (("gas", 300, "2026-03-01"), "1,,gas,301,,2026-02-01,", "is above reading 1 of 2026-03-01"),
        (("gas", 300, "2026-02-01"), "1,,gas,301,,2026-02-01,", "differs from reading 1 of "),
        (("water", 300, "2026-01-01"), "1,,gas,299,,2026-02-01,", ""),
        (("electric", 9, "2026-01-01", "8"), "1,,electric,10,7,2026-02-01,", "is below reading 1"),
        (("electric", 9, "2026-01-01", "8"), "1,,electric,10,,2026-02-01,", "has not as many val"),
        (("electric", 9, "2026-01-01"), "1,,electric,10,7,2026-02-01,", "has not as many values"),
        (("electric", 9, "2026-01-01", "8"), "1,,electric,9,9,2026-02-01,", ""),
        (("gas", 1, "2026-01-01"), "77,,gas,10,,2026-02-01,", "is not among yours at Homebox"),
        (("electricity", 9, "2026-01-01"), "1,,elec,8,,2026-02-01,", "is below reading 1 of"),
    ],
    ids=[
        *("below", "above", "same-day", "other-meter", "night", "one", "two", "rises", "no-home"),
        "spelling",
    ],
)
async def test_beside_what_is_there(homes: Any, known: Any, line: str, error: str) -> None:
    """A reading that contradicts what Homebox has of its meter is rejected before it is sent."""
    recorded(homes, *known)
    report = await run(homes, [line])
    assert bool(error) is bool(report.rejected)
    assert (0 if error else 1) == posts(homes, READ)
    if error:
        assert error in told(report)[0]["error"]


@pytest.mark.parametrize(
    ("lines", "errors"),
    [
        (
            ["1,,gas,500,,2026-11-20,", "1,,gas,600,,2026-10-20,", "1,,gas,510,,2026-12-20,"],
            {"1": "line 3", "2": "lines 2 and 4", "3": "line 3"},
        ),
        (
            ["1,,electric,5,5,2026-11-20,", "1,,electric,6,,2026-12-20,"],
            {
                "1": "reading2 has not as many values as on line 3",
                "2": "reading2 has not as many values as on line 2",
            },
        ),
        (
            ["1,,gas,5,,2026-11-20,", "1,,gas,5,,2026-11-20,"],
            {"2": "is the same reading as line 2"},
        ),
        (
            ["1,,gas,5,,2026-11-20,", "1,,gas,6,,2026-11-20,", "1,,gas,7,,2026-11-21,"],
            {"1": "line 3", "2": "line 2"},
        ),
        (
            ["1,,electric,5,9,2026-11-20,", "1,,electric,6,8,2026-12-20,"],
            {"1": "line 3", "2": "line 2"},
        ),
        (["1,,gas,5,,2026-11-20,", "2,,gas,4,,2026-12-20,"], {}),
        (["1,,gas,5,,2026-11-20,", "1,,water,4,,2026-12-20,"], {}),
    ],
    ids=["falls", "registers", "repeat", "same-day", "night-falls", "two-homes", "two-meters"],
)
async def test_within_the_file(homes: Any, lines: list[str], errors: dict[str, str]) -> None:
    """Rows of a meter that contradict each other are all rejected, with the others named."""
    report = await run(homes, lines, dry_run=True)
    assert (len(errors), 0) == (report.rejected, posts(homes, READ))
    for _ in range(2):
        report = await run(homes)
        assert {
            row: error if error[0] in "ri" else f"reading contradicts {error}"
            for row, error in errors.items()
        } == ({row["row"]: row["error"] for row in told(report)} if errors else {})
        assert len(lines) - len(errors) == report.created


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,,steam,5,,2026-11-20,", "type|is not one the API knows"),
        ("1,,gas,5a,,2026-11-20,", "reading|is not a whole number above 0"),
        ("1,,gas,0,,2026-11-20,", "reading|is not a whole number above 0"),
        ("1,,gas,,,2026-11-20,", "reading|is empty"),
        ("1,,gas,5,6,2026-11-20,", "reading2|is given for a meter that is not electric"),
        ("1,,gas,5,,20/13/2026,", "date_of_reading|is not a date that can be read"),
        (",,gas,5,,2026-11-20,", "property_id|is empty"),
        ("1,1,gas,5,,2026-11-20,", "order_id|is given beside property_id"),
        ("1,,gas,5,,2026-11-20,gone.jpg", "photo|is not in the folder"),
        ("1,,gas,5,,2026-11-20,../portfolio.csv", "photo|is not in the folder"),
        ("1,,gas,5,,2026-11-20,notes.txt", "photo|is not an image"),
        ("1,,gas,5,,2026-11-20,empty.jpg", "photo|is empty"),
        ("2,,gas,5,,2026-11-20,", "photo|is there more than once"),
    ],
)
async def test_rejected(homes: Any, line: str, problem: str) -> None:
    """What is wrong with a row, or with its photo, is told by its field before anything is sent."""
    photo(homes, "2-gas-2026-11-20.jpg", "2-gas-2026-11-20.png", "good.jpg")
    photo(homes, "notes.txt", content=b"words")
    folder = photo(homes, "empty.jpg", content=b"")
    report = await run(homes, [line, "3,,gas,5,,2026-11-20,good.jpg"], photos=folder)
    row = told(report)[0]
    assert [problem] == [f"{row['field']}|{row['error'].partition(' ')[2]}"]
    assert (1, 1) == (report.rejected, report.created)


async def test_surplus_photos(homes: Any) -> None:
    """Photos that no row has are told before anything is sent; other files are not photos."""
    folder = photo(homes, "1-gas-2026-11-20.jpg", "1-gas-2026-11-19.jpg", "Thumbs.db")
    lines = ["1,,gas,5,,2026-11-20,", "2,,gas,5,,2026-11-20,"]
    with pytest.raises(NotConfirmed) as caught:
        await run(homes, lines, photos=folder, confirm=lambda preview: False)
    preview = caught.value.preview
    assert (2, 1, ("1-gas-2026-11-19.jpg",)) == (
        preview.number,
        preview.photos,
        preview.surplus_photos,
    )
    assert (
        "2 readings will be sent; 1 of them with a photo, 1 without;"
        " 1 photo without a reading: 1-gas-2026-11-19.jpg"
    ) == str(preview)
    assert 0 == posts(homes, READ)


async def test_photo_that_goes_away(homes: Any) -> None:
    """A photo that is gone when its row is sent rejects the row; the others are sent."""
    folder = photo(homes, "a.jpg", "b.jpg")

    def remove(preview: Preview) -> bool:
        (folder / "a.jpg").unlink()
        return True

    lines = ["1,,gas,5,,2026-11-20,a.jpg", "2,,gas,5,,2026-11-20,b.jpg"]
    report = await run(homes, lines, photos=folder, confirm=remove)
    assert (1, 1, 1) == (report.rejected, report.created, posts(homes, READ))
    assert "image" == told(report)[0]["field"]


@pytest.mark.parametrize(
    ("name", "error"),
    [("none", "the photos cannot be read"), ("portfolio.csv", "is a file; name the folder")],
)
async def test_no_folder(homes: Any, name: str, error: str) -> None:
    """A folder of photos that is none is told in one line."""
    with pytest.raises(SourceError, match=error):
        await run(homes, ["1,,gas,5,,2026-11-20,"], photos=homes.folder / name)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (HEADER, "'photo' names photos; say where they are .--photos FOLDER., or leave it out"),
        ("property_id,reading,date,x,y,z,w", "there is no type among the columns"),
        ("site,type,reading,date,x,y,z", "there is no property_id among the columns"),
    ],
)
async def test_columns_that_do_not_do(homes: Any, header: str, error: str) -> None:
    """What is missing among the columns, or beside them, is told in one line."""
    with pytest.raises(MappingError, match=error):
        await run(homes, ["1,,gas,5,,2026-11-20,"], header=header, mapping={})


async def test_other_dates(homes: Any) -> None:
    """A server that takes another date than was sent stops the import."""
    store = homes.emulator.store
    add = store.add_reading
    store.add_reading = lambda **more: add(**{**more, "date_of_reading": "2026-06-11"})
    lines = [f"{n},,gas,5,,2026-11-06," for n in range(1, 4)]
    report = await run(homes, lines, concurrency=1)
    assert (1, 2) == (report.created, report.pending)
    assert "date_of_reading 2026-06-11 where 2026-11-06 was sent" in report.stopped


async def test_list_that_fails(homes: Any) -> None:
    """Where the readings of a home cannot be read, nothing is sent."""
    homes.script(*[Fault("status", 403)] * 3, on=LIST)
    report = await run(homes, ["1,,gas,5,,2026-11-06,"])
    assert (1, 0) == (report.pending, posts(homes, READ))
    assert "403" in report.stopped


async def test_list_with_holes(homes: Any) -> None:
    """Readings without a date or a number are nothing to compare with."""
    recorded(homes, "gas", 900, "2026-01-01")
    store = homes.emulator.store
    store.readings.put(attrs.evolve(store.readings[1], reading="about 900"))
    report = await run(homes, ["1,,gas,5,,2026-11-06,"])
    assert 1 == report.created


def test_malformed_row() -> None:
    """A row that could not be taken apart is told as such."""
    columns = ReadingColumns.recognise(["property_id", "type", "reading", "date"])
    cells = {"property_id": "", "type": "gas", "reading": "1", "date": "2026-11-20"}
    (fault,) = columns.read(Row(1, cells))
    assert [fault] == columns.read(Row(1, {}, fault))


# --- homes by their references


async def test_by_reference(homes: Any) -> None:
    """Rows may name the home by the agency's reference; numbers are what the register shows."""
    cases = Path(__file__).parents[1] / "data" / "cases" / "readings"
    for number, name in enumerate(["A-1", "A-2"], 4):
        home = Address(f"{number} High Street", None, "Leeds", None, "LS1 1AA", None)
        homes.emulator.store.add_property(home, name)
    source = cases / "by-reference.csv"
    with pytest.raises(MappingError, match="01/06/2026 in 'Read Date' may have the day or the mon"):
        await run(homes, source=source, mapping={})
    report = await run(homes, source=source, mapping={}, dates="dmy")
    assert (2, True) == (report.created, report.done)
    assert [
        (4, None, "Electric", "20815", None, None),
        (5, None, "Gas", "1234", None, None),
    ] == sorted(there(homes))
    assert {"2026-06-01"} == {row.date_of_reading for row in homes.emulator.store.readings}
    assert "'Meter Reading': 1 value cut to what the register shows" in report.notes


async def test_references_that_name_no_home(homes: Any) -> None:
    """A reference that is on no home, or on two, rejects its row; the others are sent."""
    home = Address("9 High Street", None, "Leeds", None, "LS1 1AA", None)
    homes.emulator.store.add_property(home, "R1")
    lines = ["R1,,gas,5,2026-06-01", "R2,,gas,5,2026-06-01", "X,,gas,5,2026-06-01"]
    lines += ["X,3,gas,5,2026-06-01", ",,gas,5,2026-06-01"]
    header = "reference,property_id,type,reading,date"
    assert 4 == (await run(homes, lines, header=header, dry_run=True)).pending
    report = await run(homes)
    assert [
        ("1", "property_reference is on several properties at Homebox"),
        ("3", "property_reference is on no property of yours at Homebox"),
        ("5", "property_id is empty"),
    ] == [(row["row"], row["error"]) for row in told(report)]
    assert {(2, "Gas"), (3, "Gas")} == {row[0:3:2] for row in there(homes)}


async def test_references_of_a_list_that_breaks_off(homes: Any) -> None:
    """Where the homes cannot all be seen, an unknown reference stops the import, not a row."""
    homes.emulator.store._assumed = homes.emulator.assumed = Assumed(property_page_size=2)
    homes.script(None, Fault("status", 403), on=("GET", "/api/partner/property"))
    with pytest.raises(RequestError):
        await run(homes, ["R9,gas,5,2026-06-01"], header="reference,type,reading,date")
    assert 0 == posts(homes, READ)
