"""The two ways in which the API takes the address of a home."""

from __future__ import annotations

import attrs

from ..rules import UNSET, Input, Unset, Verdict, field, optional_text, text, uk_postcode


@attrs.frozen(kw_only=True)
class Address(Input):
    """A complete address, as in "Create a Property".

    `line1`, `city` and `postcode` are required; `line2` and `county` may be left out.
    The postcode is a full UK one, with or without its space.
    """

    line1: str = field(text)
    line2: str | Unset = field(optional_text, default=UNSET)
    city: str = field(text)
    county: str | Unset = field(optional_text, default=UNSET)
    postcode: str = field(uk_postcode)


@attrs.frozen
class AddressId(Input):
    """An address that `addresses.find` returned: the API prefers it to a complete one.

    `address_id`: as found ("Find an Address"). `postcode` may go with it ("Create Lead").
    """

    address_id: str = field(text)
    postcode: str | Unset = field(uk_postcode, default=UNSET)


AnyAddress = Address | AddressId


def an_address(value: object) -> Verdict:
    """Accept one of the two, whose own rules then apply; nothing else."""
    return f"is {type(value).__name__}, not an address", "give an Address or an AddressId"
