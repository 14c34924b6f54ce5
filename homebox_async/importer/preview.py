"""What sending the rows of an import sets off in the world, told before any of it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol, TypeVar

import attrs

from ..errors import HomeboxError
from .columns import Asked
from .words import WORDS

C = TypeVar("C", bound=Asked, contravariant=True)

_SHOWN = 5


@attrs.frozen(kw_only=True)
class Preview:
    """What an import would send, and whom that reaches.

    `kind` and `rows`: so many leads, voids or readings. `sms`, `emails`: to tenants at once;
    those who do not sign up within 72 hours get a reminder. `suppliers`: homes whose suppliers
    are told, `switches`: homes whose energy goes to another supplier.
    `repeated_tenants`: tenants of more than one row, who get the messages of each.
    `by_address`: rows that are not sent because Homebox has their address, without a reference.
    `overlaps`: rows whose tenancy overlaps one that Homebox has for the home; `overlaps_at`:
    where they are in the file, in words.
    `photos`: rows with a photo, `surplus_photos`: files of the folder that belong to no row.
    """

    kind: str
    rows: int
    sms: int = 0
    emails: int = 0
    suppliers: int = 0
    switches: int = 0
    repeated_tenants: int = 0
    by_address: int = 0
    overlaps: tuple[int, ...] = ()
    overlaps_at: str = ""
    photos: int = 0
    surplus_photos: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """What has to be repeated to confirm: all messages, notices and switches together.

        Where there are none of these, it is the number of rows.
        """
        return self.sms + self.emails + self.suppliers + self.switches or self.rows

    def lines(self) -> Iterator[str]:
        """Yield the lines that show it to a person."""
        yield f"{_counted(self.rows, WORDS[self.kind].one)} will be sent"
        if self.sms or self.emails:
            yield (
                f"{self.sms:,} SMS and {_counted(self.emails, 'email')} go to tenants at once;"
                " those who do not sign up in 72 hours get a reminder"
            )
        if self.repeated_tenants:
            yield (
                f"{_counted(self.repeated_tenants, 'tenant')} of them in more than one row:"
                " texted for each"
            )
        if self.switches:
            yield (
                f"the energy is switched to the void supplier in {_counted(self.switches, 'home')}"
            )
        if self.suppliers:
            more = "; their tenants are notified of it" if self.kind == "leads" else ""
            when = " after 6 days" if self.kind == "leads" else ""
            yield f"the suppliers of {_counted(self.suppliers, 'home')} are notified{when}{more}"
        if self.by_address:
            rows = _counted(self.by_address, "row")
            more = "; --create-them creates a home for each" if self.kind == "properties" else ""
            yield f"{rows} more adopted by address, as Homebox has it without a reference{more}"
        if self.overlaps:
            yield (
                f"{len(self.overlaps):,} of them overlap an earlier tenancy of the home"
                f" ({self.overlaps_at}): sent all the same"
            )
        if self.kind == "readings":
            yield f"{self.photos:,} of them with a photo, {self.rows - self.photos:,} without"
        if self.surplus_photos:
            names = ", ".join(self.surplus_photos[:_SHOWN])
            more = ", ..." if len(self.surplus_photos) > _SHOWN else ""
            yield f"{_counted(len(self.surplus_photos), 'photo')} without a reading: {names}{more}"

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {**attrs.asdict(self), "number": self.number}


Confirm = int | Callable[[Preview], bool | Awaitable[bool]]
"""Who confirms: the `number` of the preview that is expected, or a function that sees it."""


class NotConfirmed(HomeboxError):
    """Nothing was sent, because no one confirmed what it would trigger: `preview`."""

    def __init__(self, message: str, preview: Preview) -> None:
        super().__init__(message, preview)
        self.preview = preview

    def __str__(self) -> str:
        return str(self.args[0])


class Tally(Protocol[C]):
    """Adds up what rows set off."""

    def add(self, row: C) -> None:
        """Count a row that would be sent."""

    def preview(self) -> Preview:
        """Return the sum."""
        ...


def _counted(number: int, thing: str) -> str:
    many = {"property": "properties"}.get(thing, f"{thing}s")
    return f"{number:,} {thing if number == 1 else many}"
