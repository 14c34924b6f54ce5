"""Whatever stands in a source comes out of it."""

import csv
import io
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homebox_async.importer.sources import open_source

from .reading import cells

# Private characters stand for what no file can hold, and apostrophes may be marks of ours.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0'", exclude_categories=["Co"]), max_size=12
)
NAMES = st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=2, max_size=5, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Make column names and rows that are not all blank."""
    names = draw(NAMES)
    row = st.lists(TEXT, min_size=len(names), max_size=len(names)).filter(any)
    return names, draw(st.lists(row, min_size=1, max_size=6))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|:"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_dialect(
    tmp_path: Path,
    table: tuple[list[str], list[list[str]]],
    delimiter: str,
    quoting: Any,
    end: str,
    encoding: str,
) -> None:
    """Whatever dialect a table is written in, the same cells are read."""
    names, rows = table
    text = io.StringIO()
    # The writer quotes only the line ends it writes itself, so it writes both, and `end` is ours.
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    for row in [names, *rows]:
        start = text.tell()
        writer.writerow(row)
        text.seek(start)
        line = text.read()
        text.seek(start)
        text.truncate()
        text.write(line.removesuffix("\r\n") + end)
    path = tmp_path / "any.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    source = open_source(path, delimiter=delimiter)
    assert tuple(names) == source.columns
    assert rows == cells(source)


@settings(max_examples=100)
@given(
    rows=st.lists(
        st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.text(), min_size=1),
        min_size=1,
        max_size=6,
    )
)
def test_any_mappings(rows: list[dict[str, str]]) -> None:
    """Rows from memory come back with the same texts, lone surrogates included."""
    with open_source(rows) as source:
        read = [{k: v for k, v in row.cells.items() if v} for row in source.rows()]
    assert [{k: v for k, v in row.items() if v} for row in rows] == read
