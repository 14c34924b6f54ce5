"""Columns recognised and mapped, rows made into requests, addresses compared."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async.errors import Problem
from homebox_async.importer.addressing import address_key, first_key_of
from homebox_async.importer.columns import MappingError
from homebox_async.importer.leads import LeadColumns
from homebox_async.importer.properties import PropertyColumns, PropertyRow
from homebox_async.importer.readings import ReadingColumns
from homebox_async.importer.sources import Row, open_source
from homebox_async.resources.addresses import Address, AddressId
from homebox_async.rules import UNSET

API = ("line1", "line2", "city", "county", "postcode", "property_reference")
GOOD = {
    "line1": "1 High St",
    "line2": "",
    "city": "Leeds",
    "county": "",
    "postcode": "LS1 1AA",
    "property_reference": "A1",
}
CONTROL = "holds a control character; remove tabs, line breaks and unprintable characters"
LAND_REGISTRY = {
    "unique_id": "8A78",
    "postcode": "BL0 0AG",
    "saon": "",
    "paon": "56",
    "street": "PEEL  BROW ",
    "locality": "RAMSBOTTOM",
    "town": "BURY",
    "county": "GREATER MANCHESTER",
}


def read(columns: PropertyColumns, cells: dict[str, str]) -> PropertyRow:
    """Read a row that has no problems."""
    made = columns.read(Row(7, cells))
    assert isinstance(made, PropertyRow), made
    return made


def problems(columns: PropertyColumns, cells: dict[str, str]) -> list[str]:
    """Read a row that has problems, as texts."""
    made = columns.read(Row(7, cells))
    assert isinstance(made, list)
    return list(map(str, made))


@pytest.mark.parametrize(
    "columns",
    [
        API,
        ("Address 1", "Address 2", "Town", "County", "Post Code", "Ref"),
        ("address_line1", "address-line-2", "CITY", "county", "postal_code", "Reference"),
        (*(f"address.{name}" for name in API[:5]), "property ref"),
        ("Street Address", "Line 2", "Post Town", "County", "ZIP", "Your Reference"),
        (
            "Property Address Line 1",
            "Property Address Line 2",
            "town/city",
            "county",
            "Postcode",
            "Client Ref",
        ),
        ("Address", "Address Line 2", "Town", "County", "Postcode", "Property Reference"),
    ],
    ids=["api", "numbered", "snake", "nested", "street", "long", "address-alone"],
)
def test_recognised(columns: tuple[str, ...]) -> None:
    """The API's names and the common synonyms are recognised, however they are written."""
    found = PropertyColumns.recognise([*columns, "UPRN", "Notes"])
    assert dict(zip(API, columns, strict=True)) == dict(found.uses)
    assert ("UPRN", "Notes") == found.ignored


def test_result_columns_are_ignored() -> None:
    """What our own result files add is never taken for a field."""
    ours = (
        "row",
        "file_line",
        "field",
        "error",
        "fix",
        "property_id",
        "how",
        "sent_reference",
        "sent_at",
    )
    assert ours == PropertyColumns.recognise([*API, *ours]).ignored


def test_address_is_weak() -> None:
    """A column "Address" beside a first line is left alone: it may be the whole address."""
    assert ("Address",) == PropertyColumns.recognise(["Address", *API]).ignored


def test_address_id() -> None:
    """An id alone is an address."""
    columns = PropertyColumns.recognise(["address_id", "reference"])
    made = read(columns, {"address_id": " VglS_-3 ", "reference": "A1"})
    assert PropertyRow(7, AddressId("VglS_-3"), "A1") == made
    assert "id:VglS_-3" == made.key


def test_address_id_or_lines() -> None:
    """Where a file has ids and lines, a row without an id uses its lines."""
    columns = PropertyColumns.recognise(["address_id", *API])
    assert AddressId("x1") == read(columns, {**GOOD, "address_id": "x1"}).address
    assert Address(line1="1 High St", city="Leeds", postcode="LS1 1AA") == (
        read(columns, {**GOOD, "address_id": ""}).address
    )


def test_land_registry_preset() -> None:
    """The preset makes the first line of three columns and names the ignored ones."""
    columns = PropertyColumns.recognise([*LAND_REGISTRY, "price_paid"], preset="land-registry")
    assert ("price_paid",) == columns.ignored
    expected = Address(
        line1="56 PEEL BROW",
        line2="RAMSBOTTOM",
        city="BURY",
        county="GREATER MANCHESTER",
        postcode="BL0 0AG",
    )
    assert PropertyRow(7, expected, "8A78") == read(columns, LAND_REGISTRY)


def test_mapping_goes_first() -> None:
    """A mapping goes before the preset, the preset before the names; "" leaves a field out."""
    columns = PropertyColumns.recognise(
        [*LAND_REGISTRY, "line1"],
        preset="land-registry",
        mapping={"city": "locality", "county": "", "line2": " "},
    )
    assert {
        "line1": "{saon} {paon} {street}",
        "city": "locality",
        "postcode": "postcode",
        "property_reference": "unique_id",
    } == dict(columns.uses)


@pytest.mark.parametrize(
    ("template", "cells", "expected"),
    [
        ("{a} {b}", ("1", "High St"), "1 High St"),
        ("{a} {b}", ("", "High  St "), "High St"),
        ("{a}, {b}", ("Flat 1", ""), "Flat 1"),
        ("{a}, {b}", ("", "High St"), "High St"),
        ("Flat {a}, {b}", ("2", "High St"), "Flat 2, High St"),
        ("Flat {a}, {b}", ("", "High St"), "High St"),
        ("{a}, {c} {b}", ("1", "High St"), "1, High St"),
        ("{a} ({b})", ("1", ""), "1"),
        ("{a} ({b})", ("1", "x"), "1 (x)"),
        ("- {a}/{b}", ("1", "2"), "- 1/2"),
        ("{ A }{B}", ("1", "2"), "12"),
        ("{a}", ("1  2", ""), "1 2"),
    ],
)
def test_template(template: str, cells: tuple[str, str], expected: str) -> None:
    """A template keeps a separator only between two values, and words with their value."""
    columns = PropertyColumns.recognise(["a", "b", "c", *API], mapping={"line1": template})
    made = read(columns, {**GOOD, "a": cells[0], "b": cells[1], "c": ""})
    assert isinstance(made.address, Address)
    assert expected == made.address.line1


def test_reference_is_exact() -> None:
    """A reference keeps the spaces inside, from a column or a template."""
    plain = PropertyColumns.recognise(API)
    assert "A  1" == read(plain, {**GOOD, "property_reference": " A  1 "}).reference
    made = PropertyColumns.recognise(
        API, mapping={"property_reference": "{property_reference}-{city}"}
    )
    assert "A  1-Leeds" == read(made, {**GOOD, "property_reference": "A  1"}).reference


@pytest.mark.parametrize(
    ("columns", "options", "error"),
    [
        (["x", "y"], {}, "there is no address among the columns 'x', 'y'; .* --map line1="),
        (["line1", "postcode", "ref"], {}, "there is no city among the columns"),
        (["address_id", "line1", "ref"], {}, r"part of an address, but no city and no postcode.*"),
        (list(API[:5]), {}, "no property_reference among .* or import with --generate-references"),
        ([*API, "Town"], {}, "'city' and 'Town' may both be city; .* --map city=\"city\""),
        (["Address", "property address", *API[1:]], {}, "may both be line1"),
        (API, {"mapping": {"line": "x"}}, "no field 'line'; did you mean 'line.'. the fields are"),
        (API, {"mapping": {"zzzz": "x"}}, "no field 'zzzz'; the fields are"),
        (API, {"mapping": {"line1": "Lime1"}}, "--map line1: .*'Lime1'; did you mean 'line1'"),
        (API, {"mapping": {"line1": "{lime1} x"}}, "--map line1: there is no column 'lime1'"),
        (API, {"mapping": {"line1": "{line1"}}, "has a brace without its partner"),
        (API, {"mapping": {"line1": "{line1}}"}}, "has a brace without its partner"),
        (API, {"mapping": {"line1": "{}"}}, "there is no column ''"),
        (API, {"preset": "land-reg"}, "no preset 'land-reg'; the presets are land-registry"),
        (API, {"preset": "land-registry"}, "preset land-registry line1: there is no column 'saon'"),
    ],
)
def test_bad_mapping(columns: list[str], options: dict[str, object], error: str) -> None:
    """Columns that cannot be used are named, with the option that puts it right."""
    with pytest.raises(MappingError, match=error) as caught:
        PropertyColumns.recognise(columns, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_mapping_resolves_ambiguity() -> None:
    """Naming one of two candidates leaves the other one alone."""
    columns = PropertyColumns.recognise([*API, "Town"], mapping={"city": "town"})
    assert "town" == columns.uses["city"]
    assert ("city",) == columns.ignored


def test_lines_left_out() -> None:
    """What the error for a part of an address proposes works."""
    columns = PropertyColumns.recognise(["address_id", "line1", "ref"], mapping={"line1": ""})
    assert {"address_id": "address_id", "property_reference": "ref"} == dict(columns.uses)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"postcode": "LS1"},
            ["address.postcode is not a full UK postcode; give one such as EC1V 2NX"],
        ),
        (
            {"city": " ", "line1": ""},
            [
                "address.line1 is empty; fill in the column 'line1'",
                "address.city is empty; fill in the column 'city'",
            ],
        ),
        ({"line2": "x" * 256}, ["address.line2 has 256 characters; shorten it to 255"]),
        (
            {"county": "a\0"},
            [
                f"address.county {CONTROL}",
            ],
        ),
        (
            {"property_reference": ""},
            ["property_reference is empty; give a reference, or import with --generate-references"],
        ),
        (
            {"property_reference": "a\nb", "postcode": ""},
            [
                "address.postcode is empty; fill in the column 'postcode'",
                f"property_reference {CONTROL}",
            ],
        ),
    ],
    ids=["postcode", "empty", "long", "control", "no-reference", "two"],
)
def test_problems(change: dict[str, str], expected: list[str]) -> None:
    """All that is wrong with a row is told at once, in the API's names."""
    assert expected == problems(PropertyColumns.recognise(API), {**GOOD, **change})


@pytest.mark.parametrize(
    ("address_id", "expected"),
    [
        ("", "address.address_id is empty; fill in the column 'address_id'"),
        ("1 High St, Leeds", "address.address_id is not an id; give one that the API found"),
    ],
    ids=["empty", "not-an-id"],
)
def test_address_id_problems(address_id: str, expected: str) -> None:
    """An id that cannot be one is told, such as the text of a faulty row fed back."""
    columns = PropertyColumns.recognise(["address_id", "ref"])
    assert [expected] == problems(columns, {"address_id": address_id, "ref": "A1"})


def test_faulty_row() -> None:
    """A row that is malformed has its fault as its only problem."""
    fault = Problem("row", "has 3 cells", "fix it")
    assert [fault] == PropertyColumns.recognise(API).read(Row(1, GOOD, fault))


def test_generated_references() -> None:
    """A generated reference depends on the home alone, and a given one is kept."""
    columns = PropertyColumns.recognise(API[:5], generate_references=True)
    first = read(columns, GOOD).reference
    same = read(columns, {**GOOD, "line1": "1  HIGH st.", "county": "Yorks"}).reference
    other = read(columns, {**GOOD, "line1": "2 High St"}).reference
    assert first == same != other
    assert "hbx2-" == first[:5]
    assert 20 == len(bytes.fromhex(first[5:])) * 2
    some = PropertyColumns.recognise(API, generate_references=True)
    assert "A1" == read(some, GOOD).reference
    assert first == read(some, {**GOOD, "property_reference": " "}).reference


def test_signature() -> None:
    """The signature changes with the mapping and with generated references, not otherwise."""
    one = PropertyColumns.recognise(API)
    assert one.signature == PropertyColumns.recognise([*reversed(API), "more"]).signature
    assert one.signature != PropertyColumns.recognise(API, mapping={"line2": "county"}).signature
    assert one.signature != PropertyColumns.recognise(API, generate_references=True).signature


def test_address_key() -> None:
    """The key of an address is the same for what the server lists, whatever it made of it."""
    address = Address(
        line1="Flat 1, 2-4 Straße", line2=UNSET, city="St. Ives", county="X", postcode="tr26 1aa"
    )
    assert "TR261AA|flat 1 2-4 strasse" == address_key(address)
    assert "flat124strasse||stives|tr261aa" == address_key(address, 1)
    again = first_key_of("FLAT 1 24 STRASSE", None, "st ives", "TR261AA")
    assert address_key(address, 1) == again
    assert "|||" == first_key_of(None, None, None, None)


@given(st.text(st.characters(codec="ascii")))
def test_key_of_ascii(line1: str) -> None:
    """The short way for ASCII gives the key that the long way gives."""
    assert f"é{first_key_of(line1, None, None, None)}" == first_key_of(
        f"é{line1}", None, None, None
    )


@given(st.text(), st.text())
def test_key_is_normal(line1: str, city: str) -> None:
    """A key is unchanged by case and by spaces around words."""
    key = first_key_of(line1, None, city, None)
    assert key == first_key_of(f" {line1} ", "", f"\t{city}", "")
    assert key.count("|") == 3 + line1.count("|") + city.count("|") or not key.isascii()


# --- addresses over many columns

REST = ["Town", "Postcode", "Ref"]


@pytest.mark.parametrize(
    ("columns", "cells", "lines"),
    [
        (["Address 1", "Address 2", "Address 3"], ["Flat 2", "The Mill", "High St"],
         ("Flat 2", "The Mill, High St")),
        (["Address 1", "Address 2", "Address 3"], ["1 High St", "", "Headingley"],
         ("1 High St", "Headingley")),
        (["House No", "Street"], ["17", "High Street"], ("17 High Street", "")),
        (["House", "Street"], ["17", "High Street"], ("17 High Street", "")),
        (["House Number", "Street Name", "Address Line 2"], ["17", "High Street", "Headingley"],
         ("17 High Street", "Headingley")),
        (["Street"], ["17 High Street"], ("17 High Street", "")),
        (["Address", "Street"], ["17 High Street", "High Street"], ("17 High Street", "")),
    ],
    ids=["three", "gap", "number", "house", "number-and-line", "street", "address-and-street"],
)  # fmt: skip
def test_lines_of_addresses(columns: list[str], cells: list[str], lines: tuple[str, str]) -> None:
    """Columns that together are the address are put together; nothing of it is left out."""
    found = PropertyColumns.recognise([*columns, *REST])
    row = dict(zip([*columns, *REST], [*cells, "Leeds", "LS1 1AA", "A1"], strict=True))
    got = found.got(Row(1, row))
    assert lines == (got["line1"], got.get("line2", ""))


def test_four_lines() -> None:
    """Of four lines, two make one, and the report says so."""
    cases = Path(__file__).parents[1] / "data" / "cases" / "properties"
    with open_source(cases / "four-lines.csv") as source:
        columns = PropertyColumns.recognise(source.columns)
        (row,) = source.rows()
    got = columns.got(row)
    assert ("Flat 2, The Old Mill", "17 High Street, Headingley") == (got["line1"], got["line2"])
    assert (
        "line1 is made of {Address Line 1}, {Address Line 2}",
        "line2 is made of {Address Line 3}, {Address Line 4}",
    ) == columns.notes


@pytest.mark.parametrize("flat", ["Flat", "Flat No", "Unit", "Building Name"])
def test_flats_are_not_left_out(flat: str) -> None:
    """With a column for flats, number and street alone would be another home: a person decides."""
    with pytest.raises(MappingError, match="no line1"):
        PropertyColumns.recognise([flat, "House No", "Street", *REST])


def test_lines_that_are_mapped() -> None:
    """What a person maps is all there is: no other column joins it."""
    columns = ["Address 1", "Address 2", "Address 3", *REST]
    found = PropertyColumns.recognise(columns, mapping={"line1": "Address 1"})
    assert "Address 3" in found.ignored
    assert () == found.notes


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            LeadColumns,
            {
                "Lease Start": "tenancy_start",
                "Lease End": "tenancy_end",
                "Tel": "tenant1_phone_number",
                "Contact Email": "tenant1_email_address",
                "Forename": "tenant1_first_name",
                "Surname": "tenant1_last_name",
                "Landlord Ref": "property_reference",
                "Street": "line1",
                "Post Town": "city",
                "Post Code": "postcode",
            },
        ),
        (
            ReadingColumns,
            {
                "Landlord Ref.": "property_reference",
                "Fuel Type": "type",
                "Meter Reading": "reading",
                "Date Read": "date_of_reading",
                "Meter Changed": "meter_changed",
            },
        ),
        (
            PropertyColumns,
            {"UPRN": "property_reference", "Address": "line1", "Town": "city", "Zip": "postcode"},
        ),
    ],
    ids=["leads", "readings", "properties"],
)
def test_usual_names(kind: Any, names: dict[str, str]) -> None:
    """The names that spreadsheets of agencies have are recognised."""
    uses = kind.recognise(list(names)).uses
    assert {field: column for column, field in names.items()} == {
        field: use.strip("{}") for field, use in uses.items()
    }
    assert set(names) == {use.strip("{}") for use in uses.values()}


def test_weak_names_give_way() -> None:
    """A column that is surely the field is taken, beside one that may be."""
    columns = ["Tel", "Mobile", "Email", "First name", "Surname", "Start date", "End date"]
    found = LeadColumns.recognise([*columns, "Address", *REST])
    assert ("Mobile", ("Tel",)) == (found.uses["tenant1_phone_number"], found.ignored)
