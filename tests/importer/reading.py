"""What a source holds, for the tests of sources."""

from homebox_async.errors import Problem
from homebox_async.importer.sources import Source


def cells(source: Source) -> list[list[str]]:
    """Return the cells of all rows, which have no fault, and close the source."""
    with source:
        rows = list(source.rows())
    assert [row for row in rows if row.fault] == []
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [list(row.cells.values()) for row in rows]


def faults(source: Source) -> dict[int, Problem]:
    """Return the faults by row number, and close the source."""
    with source:
        return {row.number: row.fault for row in source.rows() if row.fault}
