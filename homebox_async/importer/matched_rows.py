"""Which rows of a journal were matched, and which may be a reference's.

For the functions given to `Journal.take`.
"""

from __future__ import annotations

from .store import Reader, State, storable

_LAST = "\U0010ffff"  # sorts behind all that may follow a beginning


def count_matched(reader: Reader, field: str) -> int:
    """Return how many rows were adopted because of a field."""
    ((count,),) = reader.connection.execute(
        "SELECT count(*) FROM rows WHERE state = ? AND field = ?", (State.ADOPTED, field)
    )
    return int(count)


def recased_rows(reader: Reader, reference: str, limit: int) -> set[int]:
    """Return pending rows whose reference is this one in another case, or begins with it.

    None where there are more than `limit`: the beginning is common to many.
    """
    # Made when it is first needed: most imports meet no such references.
    reader.connection.execute(
        "CREATE INDEX IF NOT EXISTS by_recased ON rows (reference COLLATE NOCASE)"
    )
    start = storable(reference)
    found = reader.connection.execute(
        "SELECT number FROM rows WHERE reference COLLATE NOCASE >= ?"
        " AND reference COLLATE NOCASE < ? AND state = ? LIMIT ?",
        (start, start + _LAST, State.PENDING, limit + 1),
    ).fetchall()
    return {number for (number,) in found} if len(found) <= limit else set()
