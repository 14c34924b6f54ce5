"""Which readings of a meter contradict each other: exchanges, rollovers, wrong ones, registers."""

import datetime as dt
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from homebox_async.cli.root import homebox
from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.errors import ValidationError
from homebox_async.importer import import_readings, import_status
from homebox_async.importer.meters import Meter, Point

from .tenancies import posts
from .test_readings import HEADER, LIST, READ, homes, recorded, run, there, told

__all__ = ["homes"]

CASES = Path(__file__).parents[1] / "data" / "cases" / "readings"
DAY = dt.date(2026, 1, 1)


async def imported(homes: Any, name: str, **options: Any) -> Any:
    """Import one of the cases."""
    return await run(homes, source=CASES / name, mapping={}, **options)


def points(*values: int | None, first: int = 1) -> list[Point]:
    """Return readings of consecutive days; None is a day without one."""
    days = enumerate(values)
    return [
        Point(first + n, DAY + dt.timedelta(days=n), (value, None))
        for n, value in days
        if value is not None
    ]


# --- in a file


async def test_contradicting(homes: Any) -> None:
    """Of 100, 200, 50, 60, each contradicts one of the others: none is sent."""
    report = await imported(homes, "contradicting.csv")
    assert {
        "1": "reading contradicts lines 4 and 5",
        "2": "reading contradicts lines 4 and 5",
        "3": "reading contradicts lines 2 and 3",
        "4": "reading contradicts lines 2 and 3",
    } == {row["row"]: row["error"] for row in told(report)}
    assert (4, 0) == (report.rejected, posts(homes, READ))


async def test_same_day(homes: Any) -> None:
    """Two values of one day contradict each other."""
    report = await imported(homes, "same-day.csv")
    assert ["reading contradicts line 3", "reading contradicts line 2"] == [
        row["error"] for row in told(report)
    ]
    assert 0 == posts(homes, READ)


async def test_rollover(homes: Any) -> None:
    """A register that may have run over is asked for, and sent once a person has said so."""
    report = await imported(homes, "rollover.csv")
    assert (4, 0) == (report.rejected, posts(homes, READ))
    assert all(
        "if the register ran over between line 3 and line 4, give --rollover" in row["fix"]
        for row in told(report)
    )
    report = await run(homes, source=report.files["rejects"], mapping={}, rollover=True)
    assert (4, True) == (report.created, report.done)


@pytest.mark.parametrize(
    ("values", "rejected"),
    [
        ([99980, 99999, 12, 50], 0),
        ([99980, 20000, 20010], 3),
        ([998, 3], 2),
        ([99980, 12, 99990, 15], 0),
    ],
    ids=["over", "far", "three-digits", "twice"],
)
def test_what_a_rollover_is(values: list[int], rejected: int) -> None:
    """Only a fall from the end of a register of four digits or more to its start is one."""
    meter = Meter(rollover=True)
    assert rejected == len(meter.conflicts(points(*values)))


async def test_meter_changed_in_a_column(homes: Any) -> None:
    """Readings before the day of a column are of the old meter, the others of the new one."""
    report = await run(
        homes,
        [
            "1,,gas,5000,,2026-01-01,",
            "1,,gas,5100,,2026-02-10,",
            "1,,gas,3,,2026-02-10,2026-02-10",
            "1,,gas,40,,2026-03-01,",
            "2,,gas,5000,,2026-01-01,",
            "2,,gas,40,,2026-03-01,",
        ],
        header="property_id,order_id,type,reading,reading2,date,Meter changed",
        mapping={},
    )
    assert (4, 2) == (report.created, report.rejected)
    assert {"5", "6"} == {row["row"] for row in told(report)}


async def test_meter_changed_as_an_option(homes: Any) -> None:
    """The day of the option is that of every meter; a reading of that day is of the new one."""
    lines = ["1,,gas,5000,,2026-01-01,", "1,,gas,3,,2026-02-10,", "1,,gas,2,,2026-03-01,"]
    report = await run(homes, lines, meter_changed=dt.date(2026, 2, 10))
    assert {"2": "reading contradicts line 4", "3": "reading contradicts line 3"} == {
        row["row"]: row["error"] for row in told(report)
    }
    assert 1 == report.created


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_rises(seed: int) -> None:
    """Whatever is in a file, no two readings that are left contradict each other."""
    draw = random.Random(seed)
    given = [
        Point(
            n,
            DAY + dt.timedelta(days=draw.randrange(12)),
            (draw.randrange(1, 40), draw.choice([None, draw.randrange(1, 9)])),
        )
        for n in range(draw.randrange(2, 14))
    ]
    conflicts = Meter().conflicts(given)
    left = [point for point in given if point.key not in conflicts]
    assert {} == Meter().conflicts(left)
    for key, conflict in conflicts.items():
        (one,) = [point for point in given if point.key == key]
        for other in (point for point in given if point.key in conflict.others):
            assert {one.key, other.key} == set(Meter().conflicts([one, other]))


def test_many_readings_of_one_meter() -> None:
    """Ten years of days with one wrong reading are compared at once, and name a few."""
    days = points(999_999, *range(1, 3_000))
    found = Meter().conflicts(days)
    assert (3_000, 2_999, 5) == (len(found), found[1].total, len(found[1].others))


# --- beside what is at Homebox


async def test_wrong_reading_at_homebox(homes: Any) -> None:
    """A wrong reading at Homebox blocks the later ones until a person says that it is wrong."""
    recorded(homes, "gas", 100, "2026-01-01")
    recorded(homes, "gas", 9999, "2026-02-01")
    report = await run(homes, ["1,,gas,110,,2026-03-01,", "1,,gas,120,,2026-04-01,"])
    assert ["reading is below reading 2 of 2026-02-01 at Homebox"] * 2 == [
        row["error"] for row in told(report)
    ]
    assert "import the rejects file with --despite 2" in told(report)[0]["fix"]
    report = await run(homes, source=report.files["rejects"], despite=[2])
    assert (2, True) == (report.created, report.done)


async def test_after_a_wrong_reading(homes: Any) -> None:
    """What was passed once needs no second word: the next reading is compared with the last."""
    for value, month in ((100, 1), (9999, 2), (110, 3)):
        recorded(homes, "gas", value, f"2026-{month:02}-01")
    report = await run(homes, ["1,,gas,120,,2026-04-01,"])
    assert (1, True) == (report.created, report.done)


async def test_after_a_meter_exchange(homes: Any) -> None:
    """The readings of a new meter go in, at its exchange and in every later file."""
    recorded(homes, "gas", 5000, "2026-01-01")
    report = await run(homes, ["1,,gas,12,,2026-03-01,"])
    assert "if the meter was changed, give the day (--meter-changed" in told(report)[0]["fix"]
    changed = dt.date(2026, 2, 1)
    report = await run(homes, source=report.files["rejects"], meter_changed=changed)
    assert 1 == report.created
    report = await run(homes, ["1,,gas,20,,2026-04-01,"], journal=homes.folder / "j")
    assert (1, True) == (report.created, report.done)


async def test_both_meters_on_the_day(homes: Any) -> None:
    """The last reading of the old meter, at Homebox, holds the first of the new one not back."""
    recorded(homes, "gas", 5000, "2026-02-01")
    report = await run(
        homes,
        ["1,,gas,2,,2026-02-01,", "1,,gas,9,,2026-03-01,"],
        meter_changed=dt.date(2026, 2, 1),
    )
    assert (2, True) == (report.created, report.done)


async def test_rollover_beside_homebox(homes: Any) -> None:
    """A register that ran over since the last reading at Homebox is passed when it is said."""
    recorded(homes, "gas", 99_990, "2026-01-01")
    report = await run(homes, ["1,,gas,12,,2026-03-01,"])
    assert (1, 0) == (report.rejected, posts(homes, READ))
    report = await run(homes, source=report.files["rejects"], rollover=True)
    assert (1, True) == (report.created, report.done)


@pytest.mark.parametrize(
    "assumed",
    [
        {"reading_decimals": 2},
        {"reading_midnight": "Europe/London"},
        {"reading_decimals": 1, "reading_midnight": "Europe/London"},
    ],
    ids=["decimals", "london", "both"],
)
async def test_shown_otherwise(homes: Any, assumed: dict[str, Any]) -> None:
    """``103.00`` is 103 and midnight in London is that day: none is sent twice, none stops."""
    store = homes.emulator.store
    store._assumed = homes.emulator.assumed = Assumed(**assumed)
    homes.script(None, Fault.named("drop-after"), on=READ)
    lines = [f"1,,electric,{100 + n},{n},2026-06-0{n}," for n in range(1, 5)]
    report = await run(homes, lines)
    assert (4, True, "") == (report.created + report.adopted, report.done, report.stopped)
    again = await run(homes, journal=homes.folder / "again.journal")
    assert (4, 0) == (again.adopted, again.sent)
    report = await run(homes, ["1,,electric,103,9,2026-06-05,"], journal=homes.folder / "j")
    assert "is below reading 4 of 2026-06-04" in told(report)[0]["error"]


@pytest.mark.parametrize("despite", [[0], [-1], ["7"], [True]])
def test_despite_is_an_id(homes: Any, despite: Sequence[Any]) -> None:
    """What cannot be the id of a reading is refused."""
    with pytest.raises(ValidationError, match="despite"):
        import_readings(homes.client(), homes.path, despite=despite)


def test_options_of_the_command(tmp_path: Path) -> None:
    """The command has the options, and a dry run decides with them."""
    path = CASES / "rollover.csv"
    for options, sent in (
        ([], "0 can be sent"),
        (["--rollover"], "4 can be sent"),
        (["--meter-changed", "2026-03-01", "--despite", "7"], "4 can be sent"),
    ):
        command = ["import", "readings", str(path), "--dry-run", *options]
        result = CliRunner().invoke(homebox, command)
        assert sent in result.output


async def test_homes_are_read_a_few_at_a_time(homes: Any) -> None:
    """The readings of each home are read once, whatever the order of the rows."""
    for n in range(4, 30):
        home = Address(f"{n} High Street", None, "Leeds", None, "LS1 1AA", None)
        homes.emulator.store.add_property(home, f"R{n}")
    lines = [f"{n},,gas,{month},,2026-0{month}-01," for month in (1, 2) for n in range(1, 30)]
    report = await run(homes, lines)
    assert (58, True) == (report.created, report.done)
    assert 29 == posts(homes, LIST)


# --- registers in rows of their own

TWO = "property_id,type,register,reading,date"


async def test_day_and_night_rows(homes: Any) -> None:
    """A row for Day and one for Night are one reading, which the report says."""
    report = await imported(homes, "day-and-night-rows.csv")
    assert [(1, None, "Electric", "20815", "10411", None)] == there(homes)
    assert (1, 1, True) == (report.rows, report.created, report.done)
    assert (
        "Day and Night of 1 readings were in rows of their own: sent as reading (Day) and"
        " reading2 (Night)"
    ) in report.notes


@pytest.mark.parametrize(
    ("lines", "created", "errors"),
    [
        (["1,electric,Night,5,D", "2,electric,,9,D", "1,electric,Day,7,D"], 2, {}),
        (["1,electric,Day,5,D"], 0, {"1": "register has no Night of the same meter and day"}),
        (
            ["1,electric,Day,5,D", "1,electric,Day,6,D", "1,electric,Night,6,D"],
            0,
            {
                "1": "register does not make one Day and one Night with lines 3 and 4",
                "2": "register does not make one Day and one Night with lines 2 and 4",
                "3": "register does not make one Day and one Night with lines 2 and 3",
            },
        ),
        (["1,electric,Dawn,5,D"], 0, {"1": "register is neither Day nor Night"}),
        (["1,electric,1,5,D", "2,electric,R1,5,D", "2,electric,R2,6,D"], 2, {}),
        (["1,gas,1,5,D", "1,water,whatever,5,D"], 2, {}),
        (["1,electric,Day,5,D", "1,electric,Night,six,D"], 0, {"1": "reading2 is not a whole"}),
    ],
    ids=["apart", "alone", "twice", "unknown", "numbered", "other-types", "bad-value"],
)
async def test_registers(
    homes: Any, lines: list[str], created: int, errors: dict[str, str]
) -> None:
    """Rows of registers are joined wherever they are; what does not make a pair is rejected."""
    lines = [line.removesuffix("D") + "2026-06-01" for line in lines]
    report = await run(homes, lines, header=TWO, mapping={})
    assert created == report.created
    found = {row["row"]: row["error"] for row in told(report)} if errors else {}
    assert errors.keys() == found.keys()
    assert all(found[row].startswith(error) for row, error in errors.items())


async def test_rejected_pair_comes_back(homes: Any) -> None:
    """The rejects of a pair are one row with both values, and can be imported again."""
    lines = ["1,electric,Day,7,2026-06-01", "1,electric,Night,5.x,2026-06-01"]
    report = await run(homes, lines, header=TWO, mapping={})
    rejects = report.files["rejects"]
    rejects.write_text(rejects.read_text().replace("5.x", "5"))
    report = await run(homes, source=rejects, mapping={})
    assert (1, True) == (report.created, report.done)
    assert [(1, None, "Electric", "7", "5", None)] == there(homes)


async def test_status_of_registers(homes: Any) -> None:
    """The status of an import of registers in rows of their own has its result files, whole."""
    header = TWO.replace("register", "which")
    lines = ["1,electric,Day,5,2026-06-01", "1,electric,Night,6,2026-06-01", "2,gas,,x,2026-06-01"]
    report = await run(homes, lines, header=header, mapping={"register": "which"})
    before = {kind: path.read_bytes() for kind, path in report.files.items()}
    for path in report.files.values():
        path.unlink()
    status = await import_status(report.journal)
    assert "" == status.note
    assert before == {kind: path.read_bytes() for kind, path in status.files.items()}


async def test_registers_from_memory(homes: Any) -> None:
    """Rows from memory are paired as those of a file."""
    rows = [
        {"property_id": 1, "type": "electric", "register": name, "reading": n, "date": DAY}
        for n, name in enumerate(["Day", "Night"], 5)
    ]
    journal = homes.folder / "m.journal"
    report = await run(homes, source=rows, mapping={}, journal=journal)
    assert (1, [(1, None, "Electric", "5", "6", None)]) == (report.created, there(homes))
    assert HEADER.startswith("property_id")
