"""What a row says, as texts by which the ledger recognises it in another file, folder or process.

The texts are stable: an upgrade that reads addresses in another way must not forget what was sent.
The ledger keeps keyed hashes of them only.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import attrs

from ..resources.addresses import Address, AddressId
from ..rules import Unset

_WORD = re.compile(r"[^\W_]+")


@attrs.frozen(kw_only=True)
class Said:
    """What identifies what a row asks for.

    `keys`: rows that share one of these ask for the same thing. `content`: what has to agree as
    well before such a row counts as done; "" for nothing more. `home`, `tenancy`, `tenants`,
    `starts` and `ends` are kept for those who read the ledger later.
    """

    keys: tuple[str, ...] = attrs.field(repr=False)
    home: str = attrs.field(repr=False)
    content: str = attrs.field(default="", repr=False)
    tenancy: str = attrs.field(default="", repr=False)
    tenants: tuple[str, ...] = attrs.field(default=(), repr=False)
    starts: dt.date | None = None
    ends: dt.date | None = None


def home_text(address: Address | AddressId) -> str:
    """Return the text of an address; case, spaces between words and punctuation do not count."""
    if isinstance(address, AddressId):
        return f"id {address.address_id}"
    # Both lines are one: servers and spreadsheets break them where they like.
    lines = " ".join(filter(None, (address.line1, address.line2 or "")))
    words = _WORD.findall(unicodedata.normalize("NFKC", lines).casefold())
    postcode = "".join(_WORD.findall(address.postcode.casefold()))
    return f"at {postcode} {' '.join(words)}"


def day(date: dt.date | Unset) -> dt.date | None:
    """Return a date, None for one that is not given."""
    return date if isinstance(date, dt.date) else None


def person_texts(phone: str | None, email: str | None) -> tuple[str, ...]:
    """Return the texts by which a person is known: how they are reached."""
    texts = []
    if phone:
        digits = "".join(filter(str.isdigit, phone))
        # 07911 is +44 7911 and 0044 7911.
        texts.append(f"phone {digits.lstrip('0').removeprefix('44').lstrip('0')}")
    if email:
        texts.append(f"email {email.strip().casefold()}")
    return tuple(texts)
