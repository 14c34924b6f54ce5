"""How references and addresses come back in lists, where the emulator is to change them."""

from __future__ import annotations

from .addresses import Addressed, compact
from .routing import Call

_SHORT = 6
_SPELT_OUT = {"St": "Street", "Rd": "Road", "Ave": "Avenue", "Ln": "Lane", "Apt": "Apartment"}
_LINES = ("address_line1", "address_line2", "address_line3", "address_line4")


def shown_reference(call: Call, reference: str | None) -> str | None:
    """Return a reference as lists show it."""
    if reference is None:
        return None
    way = call.assumed.references_come_back
    if way == "lower-case":
        return reference.lower()
    return reference[:_SHORT] if way == "shortened" else reference


def shown_address(call: Call, address: Addressed) -> dict[str, object]:
    """Return the fields of an address that lists show otherwise than they were sent."""
    way, city, postcode = call.assumed.addresses_come_back, address.city, address.postcode
    lines = [line for line in (address.line1, address.line2) if line]
    if way == "as-sent":
        return {}
    if way == "upper-case":
        lines, city = [line.upper() for line in lines], city and city.upper()
    elif way == "spelt-out":
        lines = [" ".join(_SPELT_OUT.get(word, word) for word in line.split()) for line in lines]
    elif way == "four-lines":
        lines = [part for line in lines for part in line.split(", ")]
        lines = [*lines[:3], ", ".join(lines[3:])]
    elif way == "respaced":
        postcode = compact(postcode)
    else:
        postcode = f"{postcode[:-1]}{'Z' if postcode[-1:] != 'Z' else 'Y'}"
    shown: dict[str, object] = dict(zip(_LINES, [*lines, None, None, None], strict=False))
    return {**shown, "address_city": city, "address_postcode": postcode}
