"""Tables: rows by id, compact and quick for a million rows."""

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """A row that has an id and a time of creation."""

    @property
    def id(self) -> int:
        """The id, counted from 1."""
        ...

    @property
    def created_at(self) -> float:
        """When the row was added, in seconds since 1970."""
        ...


Row = TypeVar("Row", bound=Numbered)


class Table(Generic[Row]):
    """Rows by id; ids count from 1 without gaps, so a list is the index."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __getitem__(self, row_id: int) -> Row:
        row = self.get(row_id)
        if row is None:
            raise KeyError(row_id)
        return row

    def get(self, row_id: int) -> Row | None:
        """Return the row with this id, or None."""
        return self._rows[row_id - 1] if 0 < row_id <= len(self._rows) else None

    @property
    def next_id(self) -> int:
        """The id of the next row."""
        return len(self._rows) + 1

    def put(self, row: Row) -> bool:
        """Add the row or replace the one with its id; tell whether it was added."""
        if row.id == self.next_id:
            self._rows.append(row)
            return True
        self._rows[row.id - 1] = row
        return False

    def before(self, moment: float) -> int:
        """Return how many rows were created at or before this time."""
        return bisect_right(self._rows, moment, key=attrgetter("created_at"))
