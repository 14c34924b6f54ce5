"""Rows of a journal that repeat others: found, and rejected where they are one thing.

For the functions given to `Journal.take`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .places import SHOWN
from .store import Reader, State


def duplicate_references(reader: Reader, limit: int, *, but: str) -> list[tuple[str, list[int]]]:
    """Return references that more than one row has, each with its first rows.

    References that start with `but`, if it is not "", are left out.
    """
    found = reader.connection.execute(
        "SELECT reference FROM rows WHERE reference <> ''"
        " AND (:but = '' OR substr(reference, 1, length(:but)) <> :but) GROUP BY reference"
        " HAVING count(*) > 1 ORDER BY min(number) LIMIT :limit",
        {"but": but, "limit": limit},
    ).fetchall()
    return [(one, reader.numbers("reference = ?", one, limit)) for (one,) in found]


def reject_repeats(reader: Reader, prefix: str) -> None:
    """Reject pending rows whose reference, which has this prefix, an earlier row has."""
    _reject_later(
        reader,
        "reference",
        "substr(reference, 1, length(:prefix)) = :prefix",
        {"prefix": prefix},
        "is the same home",
        "delete it, or give both rows references of their own",
    )


def reject_same(reader: Reader, one: str, fix: str) -> None:
    """Reject pending rows that ask for the same `one` as an earlier row."""
    _reject_later(reader, "address", "address IS NOT NULL", {}, f"is the same {one}", fix)


def _reject_later(
    reader: Reader, column: str, where: str, values: Mapping[str, str], error: str, fix: str
) -> None:
    """Reject pending rows that have in a column what an earlier row has."""
    found = reader.connection.execute(
        f"SELECT number, (SELECT min(number) FROM rows AS r WHERE r.{column} = rows.{column})"  # noqa: S608
        f" AS first FROM rows WHERE state = :pending AND {where} AND number > first",
        {"pending": State.PENDING, **values},
    ).fetchall()
    reader.reject(
        (number, "row", f"{error} as {reader.places([first])}", fix) for number, first in found
    )


def reject_duplicates(reader: Reader, *, but: str) -> None:
    """Reject pending rows whose reference other rows have, each with the others named.

    References that start with `but`, if it is not "", are left out.
    """
    fix = (
        "give each home a reference of its own, or import with --generate-references and"
        " without these (--map property_reference=)"
    )
    for _, numbers in duplicate_references(reader, limit=-1, but=but):
        # Naming a few is enough, and a reference may be on every row of a large file.
        first, more = numbers[: SHOWN + 1], len(numbers) - 1
        reader.reject(
            (
                number,
                "property_reference",
                "property_reference is the same as on "
                + reader.places([one for one in first if one != number], more),
                fix,
            )
            for number in numbers
        )


def equal_references(reader: Reader, altered: Callable[[str], str]) -> list[int]:
    """Return the first rows whose references are equal once they are altered."""
    reader.connection.create_function("altered", 1, altered, deterministic=True)
    found = reader.connection.execute(
        "SELECT min(number), max(number) FROM rows WHERE reference <> '' AND state <> ?"
        " GROUP BY altered(reference) HAVING count(*) > 1 ORDER BY 1 LIMIT 1",
        (State.REJECTED,),
    )
    return [number for pair in found for number in pair]


def duplicate_addresses(reader: Reader, limit: int) -> tuple[int, list[list[int]]]:
    """Return how many rows repeat an earlier one's address, and groups of such rows."""
    ((repeated,),) = reader.connection.execute(
        "SELECT count(address) - count(DISTINCT address) FROM rows"
    )
    if not repeated:
        return 0, []
    found = reader.connection.execute(
        "SELECT address FROM rows WHERE address IS NOT NULL GROUP BY address"
        " HAVING count(*) > 1 ORDER BY min(number) LIMIT ?",
        (limit,),
    ).fetchall()
    return repeated, [reader.numbers("address = ?", one, limit) for (one,) in found]
