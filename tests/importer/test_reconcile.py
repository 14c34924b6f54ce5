"""Looking up rows: by reference or address, over any list, and nothing is missed or guessed."""

from typing import Any

import pytest

from homebox_async import AnswerUnusable
from homebox_async.emulator import Address as Home
from homebox_async.emulator import Assumed, Fault
from homebox_async.importer.finding import Hits
from homebox_async.importer.properties import PropertyRow, look_up, properties
from homebox_async.resources.addresses import Address, AddressId

LIST = ("GET", "/api/partner/property")


def row(number: int, postcode: str = "LS1 1AA", line1: str = "") -> PropertyRow:
    """Return a row with the reference R<number>."""
    address = Address(line1=line1 or f"{number} High St", city="Leeds", postcode=postcode)
    return PropertyRow(number, address, f"R{number}")


def home(line1: str, postcode: str = "LS1 1AA", address_id: str | None = None) -> Home:
    """Return an address as the emulator keeps it."""
    return Home(line1, None, "Leeds", None, postcode, address_id)


@pytest.fixture
async def add(bench: Any) -> Any:
    """Return what adds a property to the emulator and returns its id."""

    def add(line1: str, reference: str | None, **more: Any) -> int:
        number: int = bench.emulator.store.add_property(home(line1, **more), reference).id
        return number

    return add


async def test_by_reference(bench: Any, add: Any) -> None:
    """A reference finds its property, whatever the address looks like."""
    add("9 Elsewhere", "other")
    there = add("The Old Mill", "R1")
    found = await look_up(bench.client(), [row(1), row(2)])
    assert {1: Hits({there}, set()), 2: Hits()} == found
    assert [there] == found[1].ids


@pytest.mark.parametrize("line1", ["1 HIGH ST.", "1, High St", " 1  high st "])
async def test_by_address(bench: Any, add: Any, line1: str) -> None:
    """Where a property has no reference, its address finds it in any spelling."""
    there = add(line1, None)
    found = await look_up(bench.client(), [row(1), row(2)])
    assert {1: Hits(set(), {there}), 2: Hits()} == found


async def test_address_of_another_reference(bench: Any, add: Any) -> None:
    """A property that has a reference of its own is not found by its address."""
    add("1 High St", "somebody-else's")
    assert {1: Hits()} == await look_up(bench.client(), [row(1)])


async def test_reference_goes_first(bench: Any, add: Any) -> None:
    """What has the reference counts, though another one has the address."""
    add("1 High St", None)
    there = add("1 High St", "R1")
    assert [there] == (await look_up(bench.client(), [row(1)]))[1].ids


async def test_everywhere(bench: Any, add: Any) -> None:
    """A property at another postcode is found if it is looked for."""
    there = add("The Old Mill", "R1", postcode="YO1 1AA")
    assert [] == (await look_up(bench.client(), [row(1)]))[1].ids
    assert [there] == (await look_up(bench.client(), [row(1)], everywhere=True))[1].ids


async def test_several(bench: Any, add: Any) -> None:
    """Several properties with the reference are all told."""
    both = [add("1 High St", "R1"), add("1 High St", "R1")]
    assert both == (await look_up(bench.client(), [row(1)]))[1].ids


async def test_by_address_id(bench: Any, add: Any) -> None:
    """A row with an address id is found by what the list shows as external id."""
    there = add("1 High St", None, address_id="abc-1")
    rows = [PropertyRow(1, AddressId("abc-1"), "R1"), PropertyRow(2, AddressId("abc-2"), "R2")]
    found = await look_up(bench.client(), rows)
    assert {1: Hits(set(), {there}), 2: Hits()} == found


async def test_address_id_with_postcode(bench: Any, add: Any) -> None:
    """An address id that comes with a postcode needs no look at the whole list."""
    there = add("1 High St", None, address_id="abc-1")
    found = await look_up(bench.client(), [PropertyRow(1, AddressId("abc-1", "LS1 1AA"), "R1")])
    assert [there] == found[1].ids
    assert {"LS1 1AA", "LS11AA"} == {seen.query["q"] for seen in bench.emulator.received}


@pytest.mark.parametrize(
    ("postcodes", "queries"), [(3, 6), (25, 50), (26, 0)], ids=["few", "more", "many"]
)
async def test_queries(bench: Any, add: Any, postcodes: int, queries: int) -> None:
    """Few postcodes are asked for one by one, for many the whole list is read."""
    rows = [row(n, f"LS{n} 1AA") for n in range(1, postcodes + 1)]
    ids = [add(f"{n} High St", f"R{n}", postcode=f"LS{n} 1AA") for n in range(1, postcodes + 1)]
    found = await look_up(bench.client(), rows)
    assert ids == [found[number].ids[0] for number in range(1, postcodes + 1)]
    asked = {seen.query["q"] for seen in bench.emulator.received if "q" in seen.query}
    assert queries == len(asked)


@pytest.mark.parametrize("order", ["oldest-first", "newest-first"])
async def test_list_that_grows(bench: Any, order: Any) -> None:
    """What others add while the list is read hides nothing that was there before."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_order=order, property_page_size=5))
    store = bench.emulator.store
    there = store.add_property(home("1 High St"), "R1").id
    for n in range(20):
        store.add_property(home(f"{n} Low St"), f"old-{n}")
    client = bench.client()
    pages = 0
    seen: set[int | None] = set()
    async for page in properties(client):
        pages += 1
        seen.update(found.id for found in page)
        for n in range(6 if pages < 6 else 0):
            store.add_property(home(f"{n} New St"), f"new-{pages}-{n}")
    assert there in seen


async def test_server_that_does_not_count_pages(bench: Any, server: Any) -> None:
    """A list that is the same on every page is an error: the rest of it cannot be read."""
    page = b'{"data": [{"id": 1, "partner_properties": [{"property_reference": "R1"}]}]}'
    server.default = server.say(body=page)
    with pytest.raises(AnswerUnusable, match="ignores `page`"):
        await look_up(bench.client(base_url=server.url), [row(1)], everywhere=True)
    assert 3 == len(server.seen)


async def test_property_without_id(bench: Any, server: Any) -> None:
    """A property that is listed without its id is found all the same."""
    page = b'{"data": [{"partner_properties": [{"property_reference": "R1"}]}]}'
    server.acts = [server.say(body=page)]
    server.default = server.say(body=b'{"data": []}')
    found = await look_up(bench.client(base_url=server.url), [row(1)])
    assert {1: Hits({0}, set())} == found


@pytest.mark.parametrize(
    "kind", ["503", "html500", "drop-after", "truncate", "garbage", "empty", "429:0"]
)
async def test_list_that_fails(bench: Any, add: Any, kind: str) -> None:
    """A page that fails is asked for again: it must not pass for the end of the list."""
    there = add("1 High St", "R1")
    bench.script(Fault.named(kind), on=LIST)
    assert [there] == (await look_up(bench.client(), [row(1)]))[1].ids
