"""Workbooks as inputs: what their cells mean, what is told, and what is refused."""

import contextlib
import datetime as dt
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from homebox_async.importer import workbook
from homebox_async.importer.journal import Journal, Planned, State
from homebox_async.importer.leads import LeadColumns
from homebox_async.importer.properties import PropertyColumns
from homebox_async.importer.results import write_results
from homebox_async.importer.sources import Source, SourceError, open_source

from .workbooks import ods, ods_table, ods_text, xlsx

HEADER = ["Address", "Town", "Post Code", "Ref"]
HOME = ["1 High St", "Leeds", "LS1 1AA", "A1"]


def opened(path: Path, sheet: str | None = None) -> Source:
    """Open a workbook as an import of properties does."""
    return open_source(path, sheet=sheet, names=PropertyColumns.names)


def cells(path: Path) -> list[list[str]]:
    """Return the cells of all rows."""
    with opened(path) as source:
        return [list(row.cells.values()) for row in source.rows()]


def problems(path: Path, **options: Any) -> list[str]:
    """Return what is wrong with the rows, as properties."""
    with opened(path) as source:
        columns = PropertyColumns.recognise(source.columns, **options)
        made = [columns.checked(row) for row in source.rows()]
    return [str(problem) for each in made if isinstance(each, list) for problem in each]


VALUES: list[Any] = [
    (1234.0, "1234"),
    (1234.5, "1234.5"),
    (0.1 + 0.2, "0.3"),
    (447700900123, "447700900123"),
    (12345678901234567, "1.23456789012346E+16"),
    (dt.date(2026, 4, 22), "2026-04-22"),
    (dt.datetime(2026, 4, 22, 9, 5), "2026-04-22T09:05:00"),
    (dt.time(9, 30), "09:30:00"),
    (True, "true"),
    ("0125", "0125"),
    ("'=1+1", "'=1+1"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[text for _, text in VALUES])
def test_values(tmp_path: Path, value: Any, text: str) -> None:
    """A cell is read as what it means, not as how it is shown."""
    assert [["x", text]] == cells(xlsx(tmp_path / "a.xlsx", [["a", "b"], ["x", value]]))


def test_zeros_of_a_format(tmp_path: Path) -> None:
    """A number that its format shows with zeros before it keeps them."""

    def change(book: Any) -> None:
        book.active["B2"].number_format = "00000"

    assert [["x", "00125"]] == cells(xlsx(tmp_path / "a.xlsx", [["a", "b"], ["x", 125]], change))


def test_open_document(tmp_path: Path) -> None:
    """An .ods is read as an .xlsx is, with its repeated, empty and broken cells."""
    empty = '<table:table-cell table:number-columns-repeated="1020"/>'
    error = ods_text("#REF!", 'calcext:value-type="error"')
    rows = [
        ["Address", "Start", "Units", "Note"],
        ["1 High St", dt.date(2026, 4, 5), 1234.0, error, empty],
    ]
    end = f'<table:table-row table:number-rows-repeated="1048000">{empty}</table:table-row>'
    table = ods_table("Homes", rows).replace("</table:table>", end + "</table:table>")
    assert [["1 High St", "2026-04-05", "1234", "#REF!"]] == cells(ods(tmp_path / "a.ods", table))


def test_lines_titles_and_totals(tmp_path: Path) -> None:
    """Line numbers are the sheet's own; titles, blank rows and totals are told, not imported."""
    rows = [["Our portfolio"], [], HEADER, HOME, [], HOME, ["Total", 2]]
    with opened(xlsx(tmp_path / "a.xlsx", rows)) as source:
        assert [(1, 4), (2, 6)] == [(row.number, row.line) for row in source.rows()]
        assert "line 6" == source.places([2])
        assert (
            "the sheet 'Sheet' is read",
            "the column names are on line 3; line 1 above them left out",
            "line 7 left out: totals, not a row",
        ) == source.notes


def test_table_away_from_the_corner(tmp_path: Path) -> None:
    """A table that begins at C3 keeps its lines, and values without a name are not lost."""

    def change(book: Any) -> None:
        sheet = book.active
        for column, name in enumerate(HEADER, 3):
            sheet.cell(3, column, name)
            sheet.cell(4, column, HOME[column - 3])
        sheet["H4"] = "stray"

    with opened(xlsx(tmp_path / "a.xlsx", [], change)) as source:
        assert (*HEADER, "column H") == source.columns
        assert [(4, [*HOME, "stray"])] == [(r.line, list(r.cells.values())) for r in source.rows()]
        assert "without a name on line 3: column H" in source.notes


def test_errors_and_open_formulas_name_their_cells(tmp_path: Path) -> None:
    """Errors, formulas that were never computed and dates for texts are refused by cell."""

    def change(book: Any) -> None:
        sheet = book.active
        sheet["B3"], sheet["C4"], sheet["D5"] = "#N/A", "=C2", dt.date(2026, 12, 14)
        sheet["B3"].data_type = "e"

    found = problems(xlsx(tmp_path / "a.xlsx", [HEADER, HOME, HOME, HOME, HOME], change))
    save = "open the workbook in Excel or LibreOffice, and save it"
    made = "which a spreadsheet probably made of it (cell D5)"
    write = "format the cell as text, and write in it what is meant"
    assert [
        "address.city is the spreadsheet's error #N/A (cell B3); correct its formula",
        f"address.postcode is a formula that was never computed (cell C4); {save}",
        f"property_reference is a date in the sheet, {made}; {write}",
    ] == found


def test_formulas_have_the_values_that_were_saved(tmp_path: Path) -> None:
    """The saved result of a formula is its value; zero where none was ever computed is none."""
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    sheet.write_row(1, 0, HOME)
    sheet.write_formula(1, 3, '="A"&1', value="A1")
    sheet.write_row(2, 0, HOME)
    sheet.write_formula(2, 3, '="A"&2')
    book.close()
    assert "A1" == cells(tmp_path / "a.xlsx")[0][3]
    assert ["D3"] == [one.split("cell ")[1][:2] for one in problems(tmp_path / "a.xlsx")]


def test_numbers_for_references_and_phones_are_told(tmp_path: Path) -> None:
    """A phone or reference that is a number is told, as zeros before it may be lost."""
    header = [
        "Tenancy Start",
        "Tenancy End",
        "Ref",
        *(
            "tenant1_" + part
            for part in ("first_name", "last_name", "phone_number", "email_address")
        ),
        "line1",
        "city",
        "postcode",
    ]
    row = [
        dt.date(2027, 2, 1),
        dt.date(2027, 3, 4),
        125,
        "Ann",
        "Lee",
        7700900123,
        "a@b.test",
        *HOME[:3],
    ]
    with open_source(xlsx(tmp_path / "a.xlsx", [header, row]), names=LeadColumns.names) as source:
        columns = LeadColumns.recognise(source.columns, dates="auto")
        columns.look_through(source)
        [made] = [columns.checked(row) for row in source.rows()]
    assert not isinstance(made, list)
    assert ("125", "+447700900123") == (made.reference, made.tenants[0].phone_number)
    assert (dt.date(2027, 2, 1), dt.date(2027, 3, 4)) == (made.tenancy_start, made.tenancy_end)
    assert 2 == sum("are numbers in the sheet" in note for note in columns.notes)


def test_hidden_and_merged(tmp_path: Path) -> None:
    """Hidden rows are left out and told, hidden columns read, merged cells count for each row."""

    def change(book: Any) -> None:
        sheet = book.active
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["C"].hidden = True
        sheet.merge_cells("B4:B5")

    path = xlsx(tmp_path / "a.xlsx", [HEADER, HOME, HOME, HOME, HOME], change)
    with opened(path) as source:
        assert [HOME] * 3 == [list(row.cells.values()) for row in source.rows()]
        assert (
            "line 3 left out: hidden in the sheet (unhide to import them)",
            "hidden columns are read as well: C",
            "merged cells count for each of their rows: B4:B5",
        ) == source.notes[1:]


def test_sheets(tmp_path: Path) -> None:
    """The one sheet with rows is taken; of several, which one is asked, with their names."""

    def change(book: Any) -> None:
        book.create_sheet("Notes").append(["made by Ann"])
        hidden = book.create_sheet("Old")
        hidden.sheet_state = "hidden"
        for row in (HEADER, HOME):
            hidden.append(row)

    def more(book: Any) -> None:
        change(book)
        sheet = book.create_sheet("Sales & more")
        for row in (HEADER, HOME, HOME):
            sheet.append(row)

    assert [HOME] == cells(xlsx(tmp_path / "a.xlsx", [HEADER, HOME], change))
    path = xlsx(tmp_path / "b.xlsx", [HEADER, HOME], more)
    listed = r"'Sheet' \(2 rows\), 'Sales & more' \(3 rows\)"
    question = rf'has 2 sheets with rows: {listed}; say which one, such as --sheet "Sheet"'
    with pytest.raises(SourceError, match=question):
        opened(path)
    with opened(path, "sales & MORE") as source:
        assert 2 == len(list(source.rows()))
    with opened(path, "Old") as source:
        assert 1 == len(list(source.rows()))
    with pytest.raises(SourceError, match="has no sheet 'Rent'; its sheets are 'Sheet', 'Notes'"):
        opened(path, "Rent")


def test_the_fingerprint_is_of_the_values(tmp_path: Path) -> None:
    """A workbook that is saved again with the same values resumes; another value does not."""
    one, two, three = (
        xlsx(tmp_path / f"{n}.xlsx", [HEADER, [*HOME[:3], ref]], change)
        for n, ref, change in (
            (1, "A1", None),
            (2, "A1", lambda book: book.active.column_dimensions.__getitem__("A")),
            (3, "A2", None),
        )
    )
    prints = []
    for path in (one, two, three):
        with opened(path) as source:
            prints.append(source.fingerprint)
    assert prints[0] == prints[1] != prints[2]


def _ole(inside: str) -> bytes:
    return b"\xd0\xcf\x11\xe0" + bytes(508) + inside.encode("utf-16-le") + bytes(512)


def _zip(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("_", "/"), data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (_ole("EncryptedPackage"), "is protected with a password; open it, remove the password"),
        (_ole("Workbook"), r"in the format of Excel before 2007; open it, and save it as \.xlsx"),
        (_zip(readme=b"x"), r"is a zip archive, but no workbook that can be read"),
        (b"PK\x03\x04" + bytes(99), r"is a damaged workbook \(BadZipFile\); open it in Excel"),
        (_zip(a=bytes(6 << 20)), r"unpacks to 6 MB in 1 parts, and at most 5 MB are read"),
    ],
    ids=["password", "xls", "zip", "damaged", "bomb"],
)
def test_refused(tmp_path: Path, data: bytes, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is refused with what it is and what to do."""
    monkeypatch.setattr(workbook, "_MOST_BYTES", 5 << 20)
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=rf"^a\.xlsx: .*{error}"):
        opened(path)


def test_cut_and_flipped(tmp_path: Path) -> None:
    """A workbook that is cut, or of which any part was changed, is refused and never read half."""
    whole = xlsx(tmp_path / "a.xlsx", [HEADER, *[HOME] * 50]).read_bytes()
    path = tmp_path / "b.xlsx"
    for size in range(100, len(whole), 700):
        for data in (whole[:size], whole[:size] + bytes([whole[size] ^ 255]) + whole[size + 1 :]):
            path.write_bytes(data)
            with contextlib.suppress(SourceError), opened(path) as source:
                assert 50 == len(list(source.rows()))


def test_far_cells_are_refused(tmp_path: Path) -> None:
    """Two cells far from each other do not fill the memory, in either format."""

    def change(book: Any) -> None:
        book.active["XFD1048576"] = "x"

    with pytest.raises(SourceError, match="reaches to XFD1048576, which is more than 10,000,000"):
        opened(xlsx(tmp_path / "a.xlsx", [HEADER, HOME], change))
    many = ods_text("x", 'table:number-columns-repeated="900000000"')
    with pytest.raises(SourceError, match="which is more than 10,000,000 cells"):
        opened(ods(tmp_path / "a.ods", ods_table("S", [HEADER, [many]])))


def test_document_types_are_refused(tmp_path: Path) -> None:
    """A workbook that defines entities is none."""
    path = ods(tmp_path / "a.ods", ods_table("S", [HEADER, HOME]))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    defines = b'?><!DOCTYPE a [<!ENTITY b "c">]>'
    parts["content.xml"] = parts["content.xml"].replace(b"?>", defines, 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(SourceError, match="is a zip archive, but no workbook"):
        opened(path)


def test_a_protected_open_document(tmp_path: Path) -> None:
    """An .ods with a password says so."""
    path = ods(tmp_path / "a.ods", "", '<manifest:encryption-data xmlns:manifest="m"/>')
    with pytest.raises(SourceError, match="is protected with a password; open it, and save it"):
        opened(path)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, the error names what to install."""
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(SourceError, match=r'run: pip install "homebox-async\[excel\]"$'):
        opened(xlsx(tmp_path / "a.xlsx", [HEADER, HOME]))


def test_a_sheet_of_no_workbook(tmp_path: Path) -> None:
    """--sheet means nothing for CSV."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="is no workbook, so it has no sheets"):
        open_source(tmp_path / "a.csv", sheet="x")


async def test_results_are_workbooks_of_text(tmp_path: Path) -> None:
    """The results of a workbook are workbooks, all text, and can be imported again."""
    rows = [["1 High St", "Leeds", "LS1 1AA", ref] for ref in ("0125", "=1+1", "1E5")]

    def change(book: Any) -> None:
        book.active["D5"].data_type = "s"

    path = xlsx(tmp_path / "in.xlsx", [["Portfolio"], [], HEADER, *rows], change)
    states = (State.REJECTED, State.CREATED, State.UNKNOWN)
    with opened(path) as source:
        journal = await Journal.open(
            tmp_path / "j", kind="properties", fingerprint=source.fingerprint, target="t"
        )
        async with journal:
            plan = [Planned(r.number, journal.digest(r.cells), "", "") for r in source.rows()]
            await journal.plan(iter(plan))
            await journal.claim([1, 2, 3])
            for number, state in enumerate(states, 1):
                journal.record(number, state, id=number, error="e", fix="f")
            for _ in "ab":
                written = await write_results(journal, source, tmp_path / "in")
    results = {f"in.{kind}.xlsx" for kind in ("created", "rejects", "unknown")}
    assert results == {path.name for path in written.values()}
    assert {"in.xlsx", "j", *results} == {path.name for path in tmp_path.iterdir()}
    sheet = openpyxl.load_workbook(written["rejects"]).active
    assert sheet is not None
    assert {("s", "@")} == {(c.data_type, c.number_format) for c in sheet[2] if c.value}
    with opened(written["rejects"]) as rejected, opened(written["created"]) as created:
        [row], [other] = rejected.rows(), created.rows()
    assert ["0125", "4", "e"] == [row.cells[name] for name in ("Ref", "file_line", "error")]
    assert ["=1+1", "2"] == [other.cells[name] for name in ("Ref", "property_id")]
