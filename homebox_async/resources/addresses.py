"""The two ways in which the API takes the address of a home."""

from __future__ import annotations

import attrs

from ..rules import (
    UNSET,
    Input,
    Unset,
    address_line,
    field,
    input_model,
    made_of,
    optional_address_line,
    text,
    uk_postcode,
)
from ..tidying import plain


@input_model
class Address(Input):
    """A complete address, as in "Create a Property".

    `line1`, `city` and `postcode` are required; `line2` and `county` may be left out.
    The postcode is a full UK one, with or without its space. All is trimmed and has single spaces
    inside, and the postcode its one space; upper and lower case stay. The address may be a
    person's, so it stays out of the repr.
    """

    line1: str = field(address_line, secret=True)
    line2: str | Unset = field(optional_address_line, default=UNSET, secret=True)
    city: str = field(address_line, secret=True)
    county: str | Unset = field(optional_address_line, default=UNSET, secret=True)
    postcode: str = field(uk_postcode, secret=True)


def _text(value: str) -> str:
    return plain(value)


@attrs.frozen
class AddressId(Input):
    """An address that `addresses.find` returned: the API prefers it to a complete one.

    `address_id`: as found ("Find an Address"). `postcode` may go with it ("Create Lead"),
    and goes out with its one space.
    """

    # Not by `field`: type checkers would take it for optional in a class that is not `input_model`.
    address_id: str = attrs.field(converter=_text, metadata={"rule": text, "wire": None})
    postcode: str | Unset = field(uk_postcode, default=UNSET)


AnyAddress = Address | AddressId

any_address = made_of(Address, AddressId, what="an address")
complete_address = made_of(Address, what="a complete address")
