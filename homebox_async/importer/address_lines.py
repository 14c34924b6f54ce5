"""Address lines that are spread over more columns than the API has, put together.

What is not recognised is left out of what is sent, so nothing of an address may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .header import plain

_NUMBER = (
    *(
        "house",
        "houseno",
        "housenumber",
        "housenameno",
        "housenamenumber",
        "housenumbername",
        "nameno",
    ),
    *("buildingnumber", "buildingno", "streetnumber", "streetno", "propertyno", "propertynumber"),
)
_STREET = ("street", "streetname", "road", "roadname")
# The number of the house alone would take the homes of one building for one home.
_FLAT = (
    *("flat", "flatno", "flatnumber", "unit", "unitno", "unitnumber", "apartment", "apartmentno"),
    *("room", "roomno", "subdwelling", "buildingname", "housename", "saon", "paon"),
)
_PREFIXES = ("", "address", "property", "propertyaddress")


def _numbered(number: int, word: str) -> tuple[str, ...]:
    names = (f"line{number}", f"line{word}", f"address{number}", f"address{word}")
    more = (f"addr{number}", f"addrline{number}", f"addressline{number}", f"streetline{number}")
    return (*names, *more, f"addressline{word}", f"street{number}", f"{word}line")


_THIRD, _FOURTH = _numbered(3, "three"), _numbered(4, "four")


def joined_lines(columns: Sequence[str], found: Mapping[str, str]) -> dict[str, str]:
    """Return templates for `line1` and `line2` where several columns make them.

    `found`: field -> column, as far as it is recognised. A house number goes before its street,
    unless there is a column for flats: then a person has to say how they go together. Of four
    lines, two make one; the third of three goes to the second.
    """
    by_name = {plain(column): column for column in columns if not {"{", "}"} & set(column)}

    def column_of(names: Sequence[str]) -> str | None:
        known = (by_name.get(prefix + name) for name in names for prefix in _PREFIXES)
        return next(filter(None, known), None)

    line1, line2 = (_template(found.get(field)) for field in ("line1", "line2"))
    number, street = column_of(_NUMBER), column_of(_STREET)
    if street and not line1 and not column_of(_FLAT):
        line1 = f"{_template(number)} {_template(street)}" if number else _template(street)
    third, fourth = _template(column_of(_THIRD)), _template(column_of(_FOURTH))
    if line1 and line2 and third:
        if fourth:
            line1, line2 = f"{line1}, {line2}", f"{third}, {fourth}"
        else:
            line2 = f"{line2}, {third}"
    made = {"line1": line1, "line2": line2}
    return {
        field: template
        for field, template in made.items()
        if template and template != _template(found.get(field))
    }


def _template(column: str | None) -> str:
    return f"{{{column}}}" if column else ""
