"""Values as people and spreadsheets leave them: cleaned where that is certain, else refused."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from homebox_async.importer import MappingError, import_properties
from homebox_async.importer.dates import Ambiguous, read_date
from homebox_async.importer.leads import LeadColumns
from homebox_async.importer.properties import PropertyColumns
from homebox_async.importer.readings import ReadingColumns
from homebox_async.importer.sources import Source, open_source

CASES = Path(__file__).parents[1] / "data" / "cases"


def check(columns: Any, source: Source) -> tuple[Any, dict[str, Any]]:
    """Return the columns and what each row of a source makes, by its first cell."""
    with source:
        columns.look_through(source)
        return columns, {
            next(iter(row.cells.values())): columns.checked(row) for row in source.rows()
        }


def checked(kind: Any, path: str, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Check one of the cases."""
    source = open_source(CASES / path, names=kind.names)
    return check(kind.recognise(source.columns, dates="auto", **options), source)


def problems(made: dict[str, Any]) -> dict[str, list[str]]:
    """Return the problems of the rows that have any, as field, problem and fix."""
    return {
        key: [f"{one.field} {one.problem}; {one.fix}" for one in row]
        for key, row in made.items()
        if isinstance(row, list)
    }


# --- phones and emails


def test_phones() -> None:
    """Every spelling of one British mobile is the same number; lost digits are refused."""
    columns, made = checked(LeadColumns, "people/phones.csv")
    numbers = {k: row.tenants[0].phone_number for k, row in made.items() if k != "P-7"}
    assert {"+447700900123"} == set(numbers.values())
    assert 8 == len(numbers)
    [problem] = problems(made)["P-7"]
    assert "tenant1_phone_number has lost its last digits in a spreadsheet" in problem
    assert ("'phone': 4 values given the country code +44",) == columns.notes


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("(020) 7946 0018", "+442079460018"),
        ("+353 1 234 5678", "+35312345678"),
        ("+91 99110 00010", "+919911000010"),
        ("0033 1 23 45 67 89", "+33123456789"),
        ("447700900123.0", "+447700900123"),
        ("07700 900123 ext 4", "07700 900123 ext 4"),
        ("07700 900", "07700 900"),
        ("9911000010", "9911000010"),
        ("call me", "call me"),
    ],
)
def test_other_phones(written: str, number: str) -> None:
    """Other countries and landlines are read; what is no certain number is left to the rule."""
    cells = {"Phone": written}
    columns = LeadColumns.recognise.__func__(_Phones, list(cells))
    assert number == columns.got(_row(cells))["tenant1_phone_number"]


class _Phones(LeadColumns):
    """Leads of which only the phone matters."""

    @classmethod
    def check_complete(cls, *_: Any, **__: Any) -> None:
        """Miss nothing."""


def _row(cells: dict[str, str]) -> Any:
    return type("_", (), {"cells": cells})


def test_emails() -> None:
    """What a clipboard leaves around an address is taken off; a wrong address is refused."""
    columns, made = checked(LeadColumns, "people/emails.csv")
    found = {
        k: row.tenants[0].email_address for k, row in made.items() if not isinstance(row, list)
    }
    assert dict.fromkeys(["E-1", "E-2", "E-4", "E-5", "E-7", "E-8"], "a@example.com") == found
    assert {
        "E-3": ["tenant1_email_address is not an email address; write one dot between its parts"],
        "E-6": [
            (
                "tenant1_email_address is not an email address; write a dot where it has a comma,"
                " if that is meant"
            )
        ],
    } == problems(made)
    assert ("'email': 5 values freed of what is around the address",) == columns.notes


# --- addresses and references


def test_excel_damage() -> None:
    """What a spreadsheet damaged is refused with what it was; ``="0125"`` is 0125."""
    _, made = checked(PropertyColumns, "properties/excel-damage.csv")
    as_text = "format its column as text before it is exported"
    as_is = "if it is right as it is, import with --as-is"
    assert {
        "A-1": [
            "address.line1 is the spreadsheet's error #N/A; correct its formula",
            "address.city is the spreadsheet's error #REF!; correct its formula",
        ],
        "A-2": [
            (
                "address.line1 holds 1.0, which a spreadsheet probably made of 1; write 1;"
                f" {as_text}; {as_is}"
            )
        ],
        "A-3": [
            (
                "address.line1 holds Dec-14, which a spreadsheet probably made of 12-14; write"
                f" 12-14; {as_text}; {as_is}"
            )
        ],
        "1.00040312292E+11": [
            (
                "property_reference holds 1.00040312292E+11, which a spreadsheet probably made of"
                f" 100040312292; write 100040312292; {as_text}; {as_is}"
            )
        ],
        "A-5": ["address.line1 is 'nan', a word for nothing; give it, or leave it empty"],
        "A-6": ["address.line1 is 'NULL', a word for nothing; give it, or leave it empty"],
    } == problems(made)
    assert "0125" == made['="0125"'].reference


def test_damage_as_it_is() -> None:
    """A person may say that house numbers and references are right as they are."""
    _, made = checked(PropertyColumns, "properties/excel-damage.csv", as_is=True)
    assert {"A-1", "A-5", "A-6"} == set(problems(made))
    assert "1.0 High Street" == made["A-2"].address.line1


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("1.5E+10", "was made a number"),
        ("125.0", "holds 125.0, which a spreadsheet probably made of 125"),
        ("14-Dec", "holds 14-Dec, which a spreadsheet probably made of 14-12"),
        ("1E5-02", ""),
        ("Dec-14-A", ""),
        ("Null Street 3", ""),
        ("12.50", ""),
    ],
)
def test_references(reference: str, problem: str) -> None:
    """Only what a spreadsheet writes by itself is taken for damage."""
    cells = {"ref": reference, "line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA"}
    made = PropertyColumns.recognise(list(cells)).checked(_whole(cells))
    assert problem in (made[0].problem if isinstance(made, list) else "")
    assert bool(problem) is isinstance(made, list)


def _whole(cells: dict[str, str]) -> Any:
    from homebox_async.importer.sources import Row

    return Row(1, cells)


def test_names_that_look_like_nothing() -> None:
    """Null and Nan are names of people."""
    cells = {
        "first_name": "Nan",
        "last_name": "Null",
        "phone": "+447700900123",
        "email": "n@example.com",
        "start date": "2026-12-01",
        "end date": "2027-11-30",
        "line1": "1 High St",
        "city": "Leeds",
        "postcode": "LS1 1AA",
    }
    made = LeadColumns.recognise(list(cells)).checked(_whole(cells))
    assert ("Nan", "Null") == (made.tenants[0].first_name, made.tenants[0].last_name)


def test_postcodes() -> None:
    """Spellings are written as they should be; wrong ones name the rule and the likely code."""
    columns, made = checked(PropertyColumns, "properties/postcodes.csv")
    codes = {k: row.address.postcode for k, row in made.items() if not isinstance(row, list)}
    assert dict.fromkeys(["A-1", "A-4", "A-5"], "LS1 4AB") == codes
    mixed = "is not a full UK postcode: it has a letter for a digit, or a digit for a letter"
    assert {
        "A-2": [f"address.postcode {mixed}; it may be LS1 4AB"],
        "A-3": [f"address.postcode {mixed}; it may be M1 0AA"],
        "A-6": [
            (
                "address.postcode is incomplete: it has no second part; give all of it, such as"
                " EC1V 2NX"
            )
        ],
        "A-7": [
            (
                "address.postcode is not a postcode: its last two letters are never C, I, K, M, O"
                " or V; look it up"
            )
        ],
    } == problems(made)
    assert ("'Postcode': 2 values written as the Royal Mail does",) == columns.notes


# --- dates


@pytest.mark.parametrize(
    "written",
    [
        *("2026-06-01", "2026/6/1", "2026-06-01T00:00:00Z", "2026-05-31T23:00:00Z"),
        *("2026-06-01 09:24", "2026-06-01T09:24:00+01:00", "1/6/26", "01/06/2026", "1.6.2026"),
        *("01-06-2026", "01/06/2026 09:24", "1/6/2026 9:24 am", "1 June 2026", "1st June 2026"),
        *("01-Jun-26", "1 Jun 2026", "Mon 1 June 2026", "Monday, 1st of June 2026"),
        *("June 1, 2026", "Jun 1 2026", "46174", "46174.375"),
    ],
)
def test_a_day_in_every_spelling(written: str) -> None:
    """1 June 2026 as people, databases and spreadsheets write it."""
    assert dt.date(2026, 6, 1) == read_date(written, "dmy")


@pytest.mark.parametrize(
    "written",
    [
        *("31/02/2026", "2026-02-31", "13/13/2026", "soon", "1/6", "2026", "June 2026", "1-6/2026"),
        *("99999", "12345", "1 Ju 2026", "00/06/2026", "2026-06-01x", "20260601"),
    ],
)
def test_no_date(written: str) -> None:
    """What is no date, or could be several, is none."""
    with pytest.raises(ValueError):
        read_date(written, "dmy")


def test_order_of_one_date() -> None:
    """A date by itself decides where one order only makes a date."""
    assert dt.date(2026, 12, 31) == read_date("31/12/2026", None) == read_date("12/31/2026", None)
    assert dt.date(2026, 5, 5) == read_date("5/5/2026", None)
    with pytest.raises(Ambiguous):
        read_date("1/6/2026", None)
    with pytest.raises(ValueError, match="31/12/2026"):
        read_date("31/12/2026", "iso")


def test_odd_dates() -> None:
    """Dates of readings in every form; a day first by another row; no year that cannot be."""
    source = open_source(CASES / "readings/odd-dates.csv")
    columns = ReadingColumns.recognise(source.columns, dates="auto")
    with source:
        columns.look_through(source)
        made = {row.cells["reading"]: columns.checked(row) for row in source.rows()}
    assert {
        "100": ["date_of_reading is more than a year ahead; give the day of the reading"],
        "101": ["date_of_reading is before 2000; give the day of the reading"],
    } == problems(made)
    assert ["2026-04-22", "2026-05-01", "2026-06-01", "2026-07-01"] == [
        str(made[n].date_of_reading) for n in ("102", "103", "104", "105")
    ]


def test_columns_of_dates_count_together() -> None:
    """The end of a tenancy shows how its start is written."""
    rows = "start date,end date\n1/12/26,30/11/27\n2/12/26,1/1/28\n"
    made = _dates(rows)
    assert ["2026-12-01", "2026-12-02"] == [row["tenancy_start"] for row in made]


def _dates(rows: str) -> list[dict[str, str]]:
    names, *lines = [line.split(",") for line in rows.splitlines()]
    columns = LeadColumns.recognise.__func__(_Phones, names, dates="auto")
    cells = [_whole(dict(zip(names, line, strict=True))) for line in lines]
    columns.look_through(type("_", (), {"rows": lambda _: iter(cells)})())
    return [columns.got(row) for row in cells]


@pytest.mark.parametrize(
    ("dates", "why"),
    [
        (["01/06/2026"], "no other date shows which"),
        (["01/06/2026", "13/06/2026", "06/13/2026"], "others have each of them first"),
    ],
    ids=["one", "both"],
)
def test_one_question(dates: list[str], why: str) -> None:
    """Where no order is certain, one question names a date, its columns and the option."""
    with pytest.raises(MappingError, match=f"{why}; say it: --date-order dmy, or mdy"):
        _dates("\n".join(["start date", *dates]))


@pytest.mark.parametrize(("order", "day"), [("dmy", "2026-06-01"), ("mdy", "2026-01-06")])
def test_order_that_is_given(order: str, day: str) -> None:
    """The answer decides; a date that is none in that order is refused."""
    cells = {"start date": "01/06/2026"}
    columns = LeadColumns.recognise.__func__(_Phones, list(cells), dates=order)
    assert day == columns.got(_whole(cells))["tenancy_start"]


# --- numbers of meters


@pytest.mark.parametrize(
    ("written", "reading"),
    [("20,815", 20815), ("1234.56", 1234), ("1,234,567.9", 1234567), ("4711.00", 4711), ("12", 12)],
)
def test_registers_as_they_show(written: str, reading: int) -> None:
    """Separators and decimals are cut, as the register does not count them."""
    cells = {"property_id": "1", "type": "gas", "reading": written, "date": "2026-06-01"}
    assert reading == ReadingColumns.recognise(list(cells)).checked(_whole(cells)).reading


# --- in a whole import


async def test_what_was_cleaned_is_reported(bench: Any) -> None:
    """The report says what was cleaned, once for each row; the emulator has the cleaned values."""
    lines = [f"{n} High Street,Leeds,ls1-1aa,R{n}" for n in range(1, 4)]
    bench.write(lines=lines)
    report = await import_properties(bench.client(), bench.path, results=bench.folder)
    assert (3, ("'postcode': 3 values written as the Royal Mail does",)) == (
        report.created,
        report.notes,
    )
    assert {"LS1 1AA"} == {home.postcode for home in bench.emulator.store.properties}


async def test_damage_fixed_by_what_is_said(bench: Any) -> None:
    """A rejected house number goes in with --as-is, and another one once it is corrected."""
    bench.write(lines=["1.0 High Street,Leeds,LS1 1AA,R1", "2.0 High Street,Leeds,LS1 1AA,R2"])
    report = await bench.report()
    assert (0, 2) == (report.created, report.rejected)
    rejects = report.files["rejects"]
    first, _ = csv.DictReader(rejects.read_text().splitlines())
    assert "write 1;" in first["fix"]
    rejects.write_text(rejects.read_text().replace("1.0 High", "1 High"))
    report = await bench.report(rejects, as_is=True)
    assert (2, True) == (report.created, report.done)
