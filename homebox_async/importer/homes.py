"""The properties at Homebox that carry the references of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import attrs

from ..client import AsyncHomebox
from ..evidence import Completeness
from ..resources.properties import Property
from .ownership import Owner
from .property_lookup import listed
from .whole_lists import read_whole


@attrs.frozen
class Homes:
    """The ids of the properties with a reference; `absence`: whether the others are not there."""

    ids: Mapping[str, frozenset[int]]
    absence: Completeness


async def find_homes(client: AsyncHomebox, references: Collection[str]) -> Homes:
    """Look for the properties that carry references of this account.

    Raises RequestError if the list cannot be read.
    """
    owner = await Owner.of(client)
    found: defaultdict[str, set[int]] = defaultdict(set)

    async def add(page: Sequence[Property]) -> None:
        for one in page:
            there = listed(one, owner)
            # One of another account may be anybody's home.
            for reference in there.references:
                if reference in references and there.id:
                    found[reference].add(there.id)

    absence = await read_whole(client.properties.list, add)
    return Homes({one: frozenset(ids) for one, ids in found.items()}, absence)
