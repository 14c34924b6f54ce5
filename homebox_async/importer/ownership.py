"""Whose reference a property shows: only the account's own entry among `partner_properties` counts.

An entry is the account's own if it shows the account's `reference_number`; where one of the two
has none, its name. Where neither can be compared, nothing is concluded. An entry without any
partner, which the document does not have, is the account's: the list is its own.
"""

from __future__ import annotations

from ..client import AsyncHomebox
from ..errors import NotFound
from ..resources.account import Account
from ..resources.properties import Partner, PartnerProperty


class Owner:
    """The account that imports; made by `Owner.of`."""

    def __init__(self, account: Account | None) -> None:
        self._number = _text(None if account is None else account.reference_number)
        self._name = _text(None if account is None else account.name)
        self._ids: set[int | None] = set()

    @classmethod
    async def of(cls, client: AsyncHomebox) -> Owner:
        """Return the account of a client; one without a name where Homebox does not show it."""
        try:
            return cls(await client.account.get())
        except NotFound:
            return cls(None)

    def owns(self, entry: PartnerProperty) -> bool | None:
        """Return whether an entry is the account's own, None where that is not shown."""
        partner = entry.partner
        if partner is None:
            return True
        number, name = _text(partner.reference_number), _text(partner.name)
        if self._number and number:
            return number == self._number and self._is_alone(partner, name)
        if self._name and name:
            return name == self._name
        return None if partner.id or number or name else True

    def _is_alone(self, partner: Partner, name: str) -> bool | None:
        """Return None if two accounts have the number, and the name is not this one's."""
        # Partners choose their numbers themselves, those of their branches, too.
        if name == self._name or not self._ids - {partner.id}:
            self._ids.add(partner.id)
            return True
        return None


def _text(value: str | None) -> str:
    return (value or "").strip().casefold()
