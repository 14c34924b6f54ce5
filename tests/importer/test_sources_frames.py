"""Tables of pandas, polars and Arrow as sources, and what their values mean."""

import datetime as dt
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest

from homebox_async.importer.sources import SourceError, open_source, spool

ROWS = [
    {"ref": 125.0, "day": dt.datetime(2026, 4, 22), "town": "Leeds"},
    {"ref": None, "day": None, "town": None},
]
TABLES: dict[str, Any] = {
    "pandas": pandas.DataFrame(ROWS),
    "polars": polars.DataFrame(ROWS),
    "arrow": pyarrow.Table.from_pylist(ROWS),
    "batch": pyarrow.RecordBatch.from_pylist(ROWS),
    "rows": ROWS,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
async def test_tables(table: Any) -> None:
    """Every table has the same rows, opened at once or in a running loop."""
    expected = [{"ref": "125", "day": "2026-04-22", "town": "Leeds"}, dict.fromkeys(ROWS[0], "")]
    with open_source(table) as source, await spool(table) as spooled:
        assert expected == [row.cells for row in source.rows()]
        assert expected == [row.cells for row in spooled.rows()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (numpy.int64(7), "7"),
        (numpy.float64(7.0), "7"),
        (numpy.float32(1.5), "1.5"),
        (numpy.bool_(True), "true"),
        (numpy.str_("07"), "07"),
        (numpy.datetime64("2026-04-22T00:00:00.000000000"), "2026-04-22"),
        (numpy.datetime64("NaT", "ns"), ""),
        (float("nan"), ""),
        (pandas.NaT, ""),
        (pandas.NA, ""),
        (pandas.Timestamp("2026-04-22 09:05"), "2026-04-22T09:05:00"),
        (1.5, "1.5"),
    ],
    ids=str,
)
def test_values(value: Any, text: str) -> None:
    """A value of numpy or pandas is what it means, also inside of an object."""
    with open_source([{"ref": "A", "a": value, "b": {"c": value}}]) as source:
        [row] = source.rows()
    assert ["A", text, text] == list(row.cells.values())


def test_columns_of_one_name() -> None:
    """Two columns of a frame with one name are refused: one of them would be lost."""
    with pytest.raises(SourceError, match="two columns are named 'a'; rename one of them"):
        open_source(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
