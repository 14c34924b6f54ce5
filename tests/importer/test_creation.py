"""What an import sends is what the typed call would send, though nothing is checked twice."""

import asyncio
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async.importer.properties import PropertyColumns, PropertyRow
from homebox_async.importer.sources import Row
from homebox_async.resources.addresses import AddressId
from homebox_async.resources.properties import AsyncProperties, Made, Property
from homebox_async.wire import Request, Response

COLUMNS = ("line1", "line2", "city", "county", "postcode", "ref")
CELL = st.text(st.characters(codec="utf-8"), max_size=20)
POSTCODE = st.sampled_from(["LS1 1AA", "ls11aa", " M1 1AE ", "nowhere"])


def sent(made: PropertyRow) -> Request:
    """Return the request that the typed call makes of a row."""
    requests: list[Request] = []

    async def send(request: Request) -> Any:
        requests.append(request)

    typed = AsyncProperties(send)
    asyncio.run(typed.create(made.address, property_reference=made.reference))
    return requests[0]


async def nobody(_: Request) -> Any:
    """Stand for a chain that is not used."""


@given(cells=st.tuples(CELL, CELL, CELL, CELL, POSTCODE, CELL), generate=st.booleans())
def test_the_same_request(cells: tuple[str, ...], generate: bool) -> None:
    """A row that is read again without checks asks for what the checked call sends."""
    columns = PropertyColumns.recognise(COLUMNS, generate_references=generate)
    row = Row(1, dict(zip(COLUMNS, cells, strict=True)))
    made = columns.read(row)
    if not isinstance(made, PropertyRow):
        return
    assert made == columns.read_again(row)
    request = AsyncProperties(nobody)._creation(made.address, made.reference)
    expected = attrs.asdict(sent(made), recurse=False)
    assert attrs.asdict(request, recurse=False) | {"read": None} == expected | {"read": None}


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"id": 7, "status": 3}}',
        b'{"data": [{"id": "7"}]}',
        b'{"id": 7}',
        b'{"data": {"9": {"id": 7}}}',
    ],
    ids=["plain", "text-in-list", "bare", "keyed"],
)
def test_the_same_id(body: bytes) -> None:
    """The id is found wherever the typed call finds it."""
    request = AsyncProperties(nobody)._creation(AddressId("a"), "R1")
    response = Response(201, {}, body)
    made = request.read(response)
    assert isinstance(made, Made)
    assert id_of_the_typed_call(body) == made.id


def id_of_the_typed_call(body: bytes) -> int | None:
    """Return the id that the typed call reads from an answer."""
    made: list[Property] = []

    async def send(request: Request) -> Any:
        made.append(request.read(Response(201, {}, body)))

    asyncio.run(AsyncProperties(send).create(AddressId("a")))
    return made[0].id
