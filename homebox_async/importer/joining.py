"""Rows that are sent with another one: the journal's entries of joint tenants.

For the functions given to `Journal.take`.
"""

from __future__ import annotations

from .store import JOINED, Entry, Reader, State


def join(reader: Reader, number: int, first: int) -> None:
    """Note that an open row is sent with another one."""
    reader.connection.execute(
        "UPDATE rows SET state = ?, field = ?, error = '', fix = ''"
        " WHERE number = ? AND state IN (?, ?)",
        (State.PENDING, f"{JOINED}{first}", number, State.PENDING, State.UNKNOWN),
    )
    reader.forget_counts()


def settle_joined(reader: Reader) -> list[Entry]:
    """Give rows that were sent with another one what became of that; return them."""
    found = reader.connection.execute(
        "SELECT number, field FROM rows WHERE state = ? AND field LIKE ?",
        (State.PENDING, f"{JOINED}%"),
    ).fetchall()
    settled = []
    for number, field in found:
        first = reader.entry(int(field.removeprefix(JOINED)))
        if first.state is State.PENDING:
            continue
        # Not by `record`: that they share an id is no doubt.
        reader.connection.execute(
            "UPDATE rows SET state = ?, property_id = ?, field = ?, error = ?, fix = ?"
            " WHERE number = ?",
            (first.state, first.id, first.field, first.error, first.fix, number),
        )
        settled.append(reader.entry(number))
    reader.forget_counts()
    return settled
