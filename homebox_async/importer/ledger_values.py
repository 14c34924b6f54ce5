"""What goes into the ledger and comes out of it: plain values."""

from __future__ import annotations

import enum
from typing import NamedTuple

import attrs

from ..errors import HomeboxError
from .said import Said


class LedgerError(HomeboxError):
    """The ledger cannot be used; one line that names the file and says what to do."""


class Standing(enum.IntEnum):
    """What the ledger knows of an item."""

    NOT_SENT = 0
    """Claimed once, and certainly not sent."""
    CLAIMED = 1
    """Perhaps being sent right now, or its import ended before the answer came."""
    CREATED = 2
    """Sent, and the server said so."""
    MATCHED = 3
    """Found at Homebox, or named by a person."""
    REJECTED = 4
    """Refused by the server."""
    UNKNOWN = 5
    """Perhaps sent: nobody knows yet."""

    @property
    def is_done(self) -> bool:
        """Whether it is at Homebox."""
        return self in (Standing.CREATED, Standing.MATCHED)

    @property
    def is_free(self) -> bool:
        """Whether it is certainly not at Homebox because of an earlier claim."""
        return self in (Standing.NOT_SENT, Standing.REJECTED)


class Known(NamedTuple):
    """What the ledger has of a row: `same` if the row says the very same as then."""

    item: int
    kind: str
    state: Standing
    claim: int
    same: bool
    id: int | None
    tenancy_id: int | None
    journal: str
    row: int
    first_seen: float
    changed: float
    mark: bytes = b""


@attrs.frozen
class Claim:
    """A row that is to be sent.

    `seen`: the claim in the ledger that was looked up and not found at Homebox, 0 where the
    ledger had none. Another one in its place means that somebody else has sent it meanwhile.
    """

    row: int
    said: Said
    seen: int = 0


@attrs.frozen
class Ticket:
    """The right to send an item, as long as its claim stands in the ledger."""

    item: int
    claim: int


@attrs.frozen
class Outcome:
    """What became of a claimed item."""

    ticket: Ticket
    state: Standing
    id: int | None = None
    tenancy_id: int | None = None
