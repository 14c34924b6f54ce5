"""What the XML of a workbook says that its values alone do not.

Errors, formulas without a result, hidden rows and columns, merged cells, numbers that are shown
with zeros before them, and how large a sheet is: asked before any of it is held in memory.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

import attrs

_CHUNK = 1 << 16
_ERROR = "e"
_FORMULA = "f"
_NAME = re.compile("[A-Z]{1,3}")
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ZEROS = re.compile(r"0{2,}")
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_RELATION = ("officeDocument/2006/relationships id", "officeDocument/relationships id")

Attributes = Mapping[str, str]


class NotAWorkbook(ValueError):
    """The archive is none of the workbooks that can be read."""


@attrs.define
class Sheet:
    """What there is to know about a sheet; rows and columns count from 0.

    `filled`: how many rows hold anything. `height` and `width`: up to the last cell with a value.
    `special`: of cells that hold an error or a formula without a result, which of them and its
    text. `zeros`: of numbers that are shown with zeros before them, to how many digits.
    `merged`: first row, first column, last row, last column.
    """

    name: str
    is_visible: bool = True
    filled: int = 0
    height: int = 0
    width: int = 0
    hidden_rows: set[int] = attrs.field(factory=set)
    hidden_columns: set[int] = attrs.field(factory=set)
    merged: list[tuple[int, int, int, int]] = attrs.field(factory=list)
    special: dict[tuple[int, int], tuple[str, str]] = attrs.field(factory=dict)
    zeros: dict[tuple[int, int], int] = attrs.field(factory=dict)

    def hold(self, row: int, column: int) -> None:
        """Note a cell with a value."""
        if row >= self.height:
            self.height = row + 1
            self.filled += 1
        if column >= self.width:
            self.width = column + 1


def letters(column: int) -> str:
    """Return the name of a column that counts from 0: A, B, ..., AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def sheets_of(archive: zipfile.ZipFile) -> list[Sheet]:
    """Return the sheets of a workbook; NotAWorkbook, or an error of XML or zip, if it is none."""
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return list(_xlsx(archive, names))
    if "content.xml" in names and archive.read("mimetype").rstrip().endswith(b".spreadsheet"):
        document = _OpenDocument()
        with archive.open("content.xml") as stream:
            _parse(stream, document.start, document.end, document.text)
        return document.sheets
    raise NotAWorkbook


def _parse(
    stream: IO[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    parser: expat.XMLParserType | None = None,
) -> None:
    parser = parser or _parser()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _parser() -> expat.XMLParserType:
    return expat.ParserCreate(namespace_separator=" ")


def _refuse(*_: object) -> None:
    raise NotAWorkbook  # no workbook has a document type, which could define endless entities


def _elements(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, Attributes]]:
    """Give the local names and attributes of the elements of a small part."""
    found: list[tuple[str, Attributes]] = []
    with archive.open(name) as stream:
        _parse(stream, lambda tag, values: found.append((tag.rpartition(" ")[2], values)))
    return iter(found)


def _is_on(value: str | None) -> bool:
    return value in ("1", "true", "on")


# --- Office Open XML


def _xlsx(archive: zipfile.ZipFile, names: set[str]) -> Iterator[Sheet]:
    targets = {
        values["Id"]: posixpath.normpath(posixpath.join("/xl", values["Target"]))[1:]
        for tag, values in _elements(archive, "xl/_rels/workbook.xml.rels")
        if tag == "Relationship"
    }
    parts = list(_elements(archive, "xl/workbook.xml"))
    full = any(tag == "calcPr" and _is_on(v.get("fullCalcOnLoad")) for tag, v in parts)
    zeros = _zero_styles(archive) if "xl/styles.xml" in names else {}
    for tag, values in parts:
        if tag != "sheet":
            continue
        identity = next((v for k, v in values.items() if k.endswith(_RELATION)), "")
        sheet = Sheet(values["name"], values.get("state", "visible") == "visible")
        target = targets.get(identity, "")
        if target in names and "chartsheet" not in target:
            scan = _Worksheet(sheet, zeros, full)
            with archive.open(target) as stream:
                _parse(stream, scan.start, parser=scan.parser)
            scan.finish()
        yield sheet


def _zero_styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """Return the styles that show numbers with zeros before them: index -> number of digits."""
    codes: dict[str, int] = {}
    found: dict[str, int] = {}
    index = -1
    for tag, values in _elements(archive, "xl/styles.xml"):
        if tag == "numFmt" and _ZEROS.fullmatch(values.get("formatCode", "")):
            codes[values["numFmtId"]] = len(values["formatCode"])
        elif tag == "cellXfs":
            index = 0
        elif tag == "cellStyles":
            break
        elif tag == "xf" and index >= 0:
            if digits := codes.get(values.get("numFmtId", "")):
                found[str(index)] = digits
            index += 1
    return found


class _Worksheet:
    """Looks through one sheet; a cell is judged when the next one begins."""

    def __init__(self, sheet: Sheet, zeros: Mapping[str, int], full: bool) -> None:
        self._sheet = sheet
        self._zeros = zeros
        self._full = full
        self._row, self._column = -1, -1
        self._kind = self._style = ""
        self._has_formula = self._has_value = False
        self._value = ""
        self._tags: dict[str, str] = {}
        self._columns: dict[str, int] = {}
        self.parser = _parser()

    def start(self, tag: str, values: dict[str, str]) -> None:
        """Take an element."""
        # There are millions of cells: what is needed for each is looked up, not computed.
        tag = self._tags.get(tag) or self._tags.setdefault(tag, tag.rpartition(" ")[2])
        if tag == "v" or tag == "is":
            self._has_value = True
            if self._has_formula or self._kind == _ERROR:
                self.parser.CharacterDataHandler = self._text
        elif tag == "c":
            if self._has_value or self._has_formula:
                self.finish()
            name = values.get("r", "").rstrip("0123456789")
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = _number(name) if _NAME.fullmatch(name) else -1
            self._column = column if column >= 0 else self._column + 1
            self._kind = values.get("t", "")
            self._style = values.get("s", "")
        elif tag == "row":
            self.finish()
            self._row = int(values["r"]) - 1 if "r" in values else self._row + 1
            self._column = -1
            if _is_on(values.get("hidden")):
                self._sheet.hidden_rows.add(self._row)
        elif tag == "f":
            self._has_formula = True
        elif tag == "mergeCell":
            self._merge(values.get("ref", ""))
        elif tag == "col" and _is_on(values.get("hidden")):
            first, last = int(values["min"]) - 1, int(values["max"])
            self._sheet.hidden_columns.update(range(first, min(last, 1 << 14)))

    def _text(self, text: str) -> None:
        self._value += text

    def finish(self) -> None:
        """Judge the cell that has ended."""
        if self._has_value or self._has_formula:
            sheet, place = self._sheet, (self._row, self._column)
            sheet.hold(*place)
            if self._kind == _ERROR:
                sheet.special[place] = (_ERROR, self._value.strip() or "#N/A")
            elif self._has_formula and self._is_open():
                sheet.special[place] = (_FORMULA, "")
            elif self._style in self._zeros and self._kind in ("", "n"):
                sheet.zeros[place] = self._zeros[self._style]
            self.parser.CharacterDataHandler = None
        self._has_formula = self._has_value = False
        self._value = self._kind = ""

    def _is_open(self) -> bool:
        """Return True for a formula that no spreadsheet has computed yet."""
        value = self._value.strip()
        return (not value and self._kind != "str") or (self._full and value in ("", "0"))

    def _merge(self, ref: str) -> None:
        ends = [_CELL.fullmatch(end) for end in ref.split(":")]
        if len(ends) == 2 and ends[0] and ends[1]:
            self._sheet.merged.append(
                (
                    int(ends[0][2]) - 1,
                    _number(ends[0][1]),
                    int(ends[1][2]) - 1,
                    _number(ends[1][1]),
                )
            )


def _number(name: str) -> int:
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    return number - 1


# --- OpenDocument


class _OpenDocument:
    """Looks through the sheets of an OpenDocument spreadsheet."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self._styles: set[str] = set()  # of tables that are not shown
        self._style = ""
        self._row = self._column = self._columns = 0
        self._rows = self._cells = 1
        self._kind = self._value = ""
        self._is_hidden = self._is_cell = False

    def start(self, tag: str, values: dict[str, str]) -> None:
        """Take an element."""
        tag = tag.rpartition(" ")[2]
        if tag == "table-cell" or tag == "covered-table-cell":
            self._cell(values)
        elif tag == "table-row":
            self._rows = int(values.get(_TABLE + "number-rows-repeated", "1"))
            self._is_hidden = values.get(_TABLE + "visibility", "visible") != "visible"
            self._column = 0
        elif tag == "table":
            style = values.get(_TABLE + "style-name", "")
            self.sheets.append(Sheet(values[_TABLE + "name"], style not in self._styles))
            self._row = self._columns = 0
        elif tag == "table-column":
            count = int(values.get(_TABLE + "number-columns-repeated", "1"))
            if values.get(_TABLE + "visibility", "visible") != "visible":
                end = min(self._columns + count, 1 << 14)
                self.sheets[-1].hidden_columns.update(range(self._columns, end))
            self._columns += count
        elif tag == "style":
            self._style = next((v for k, v in values.items() if k.endswith(" name")), "")
        elif tag == "table-properties" and values.get(_TABLE + "display") == "false":
            self._styles.add(self._style)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        tag = tag.rpartition(" ")[2]
        if tag == "table-row":
            if self._is_hidden:
                end = min(self._row + self._rows, 1 << 20)
                self.sheets[-1].hidden_rows.update(range(self._row, end))
            self._row += self._rows
        elif tag == "table-cell" or tag == "covered-table-cell":
            if self._kind or self._value:
                self._hold()
            self._column += self._cells
            self._is_cell = False

    def text(self, text: str) -> None:
        """Take the text of a cell; whether there is any, and the words of an error."""
        if self._is_cell and len(self._value) < 80:
            self._value += text.strip()

    def _cell(self, values: Attributes) -> None:
        self._cells = int(values.get(_TABLE + "number-columns-repeated", "1"))
        kind = values.get(_OFFICE + "value-type", "")
        formula = values.get(_TABLE + "formula", "")
        # A text without text is an empty cell, not one with a value.
        self._kind, self._value, self._is_cell = "" if kind == "string" else kind, "", True
        if values.get(_CALC + "value-type") == "error":
            self._kind = _ERROR
        elif formula and not kind:
            self._kind = _FORMULA
        rows = int(values.get(_TABLE + "number-rows-spanned", "1"))
        columns = int(values.get(_TABLE + "number-columns-spanned", "1"))
        if rows > 1 or columns > 1:
            last = (self._row + rows - 1, self._column + columns - 1)
            self.sheets[-1].merged.append((self._row, self._column, *last))

    def _hold(self) -> None:
        sheet = self.sheets[-1]
        last_row, last_column = self._row + self._rows - 1, self._column + self._cells - 1
        sheet.hold(last_row, last_column)
        if self._kind in (_ERROR, _FORMULA):
            text = (self._value or "#N/A") if self._kind == _ERROR else ""
            sheet.special[self._row, self._column] = (self._kind, text)
