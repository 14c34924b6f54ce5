"""Looking up rows: by reference or address, over any list, and nothing is missed or guessed."""

from typing import Any

import attrs
import pytest

from homebox_async import AnswerUnusable
from homebox_async.emulator import Address as Home
from homebox_async.emulator import Assumed, Fault
from homebox_async.importer.finding import Hits
from homebox_async.importer.properties import PropertyRow
from homebox_async.importer.property_lookup import look_up
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


async def hits_of(bench: Any, *rows: PropertyRow, **options: Any) -> dict[int, Hits]:
    """Return what is found of some rows."""
    return dict((await look_up(bench.client(), rows, **options)).hits)


@pytest.mark.parametrize(
    "line1", ["1 High St", "1 HIGH STREET", "High Street 1, Headingley", "The Mill, 1 High St"]
)
async def test_by_reference(bench: Any, add: Any, line1: str) -> None:
    """A reference finds its property, as long as nothing contradicts it."""
    add("9 Elsewhere", "other")
    there = add(line1, "R1")
    found = await hits_of(bench, row(1), row(2))
    assert {1: Hits({there}), 2: Hits()} == found
    assert [there] == found[1].ids


@pytest.mark.parametrize(
    ("line1", "postcode"),
    [("2 High St", "LS1 1AA"), ("1 High St", "LS1 1AB"), ("Flat 1, 1 High St", "LS1 1AA")],
    ids=["number", "postcode", "flat"],
)
async def test_contradiction(bench: Any, add: Any, line1: str, postcode: str) -> None:
    """The reference at another address is another home: both addresses are shown."""
    there = add(line1, "R1", postcode=postcode)
    found = await hits_of(bench, row(1))
    assert [] == found[1].ids
    assert list(found[1].contradictions) == [there]
    [text] = found[1].contradictions.values()
    assert f"{line1}, Leeds, {postcode}" in text
    assert "1 High St, Leeds, LS1 1AA" in text


@pytest.mark.parametrize("line1", ["1 HIGH ST.", "1, High Street", " 1  high st "])
async def test_by_address(bench: Any, add: Any, line1: str) -> None:
    """Where a property has no reference, its address finds it in any spelling."""
    there = add(line1, None)
    found = await hits_of(bench, row(1), row(2))
    assert {1: Hits(set(), {there}), 2: Hits()} == found


async def test_similar_address(bench: Any, add: Any) -> None:
    """A home without a reference and with more words in its address is a doubt."""
    there = add("The Annexe, 1 High St", None)
    assert [there] == list((await hits_of(bench, row(1)))[1].perhaps)


async def test_address_of_another_reference(bench: Any, add: Any) -> None:
    """A property that has a reference of its own is not found by its address."""
    add("1 High St", "somebody-else's")
    assert {1: Hits()} == await hits_of(bench, row(1))


@pytest.mark.parametrize("shown", ["ref-1", "REF", "Ref", "REF1", "ref 1"])
async def test_altered_reference(bench: Any, add: Any, shown: str) -> None:
    """A reference that comes back recased or shortened leaves a doubt."""
    there = add("1 High Street", shown)
    found = await hits_of(bench, attrs.evolve(row(1), reference="REF-1"))
    assert (set(), set(), [there]) == (
        found[1].by_reference,
        found[1].by_address,
        list(found[1].perhaps),
    )
    assert "shortened or in another case" in found[1].perhaps[there]


@pytest.mark.parametrize(
    ("line1", "reference"),
    [("1 High Street", "r1"), ("1 High Street", "R"), ("1 HIGH ST", None)],
    ids=["recased", "shortened", "none"],
)
async def test_corrected_postcode(bench: Any, add: Any, line1: str, reference: str | None) -> None:
    """The row's lines at a corrected postcode, and no other reference, leave a doubt."""
    there = add(line1, reference, postcode="LS1 1AB")
    assert [there] == list((await hits_of(bench, row(1)))[1].perhaps)
    assert {1: Hits()} == await hits_of(bench, row(1), witnesses=[there])


@pytest.mark.parametrize("reference", ["X-9", None], ids=["another", "none"])
async def test_same_lines_elsewhere(bench: Any, add: Any, reference: str | None) -> None:
    """A street of the same name in another town is another home."""
    add("1 High Street", reference, postcode="YO1 1AA")
    assert {1: Hits()} == await hits_of(bench, row(1))


async def test_altered_reference_of_another_home(bench: Any, add: Any) -> None:
    """A recased reference at an address that contradicts is another home's."""
    add("2 High Street", "r1")
    assert {1: Hits()} == await hits_of(bench, row(1))


async def test_other_partners(bench: Any, add: Any) -> None:
    """Only the account's own entry counts: another partner may use the same reference."""
    bench.emulator.assumed = Assumed(other_partner_references=("R1", "R2", "R2"))
    add("9 High St", "R9")
    mine = add("2 High St", "R2")
    add("3 High St", None)
    found = await hits_of(bench, row(1), row(2))
    assert {1: Hits(), 2: Hits({mine})} == found


async def test_reference_goes_first(bench: Any, add: Any) -> None:
    """What has the reference counts, though another one has the address."""
    add("1 High St", None)
    there = add("1 High St", "R1")
    assert [there] == (await hits_of(bench, row(1)))[1].ids


async def test_several(bench: Any, add: Any) -> None:
    """Several properties with the reference are all found."""
    both = [add("1 High St", "R1"), add("1 High St", "R1")]
    assert both == (await hits_of(bench, row(1)))[1].ids


async def test_known_as_another_rows(bench: Any, add: Any) -> None:
    """A property that was created for another row is not found by its address."""
    there = add("1 High St", None)
    assert {1: Hits()} == await hits_of(bench, row(1), witnesses=[there])


async def test_by_address_id(bench: Any, add: Any) -> None:
    """A row with an address id is found by what the list shows as external id."""
    there = add("1 High St", None, address_id="abc-1")
    rows = [PropertyRow(1, AddressId("abc-1"), "R1"), PropertyRow(2, AddressId("abc-2"), "R2")]
    assert {1: Hits(set(), {there}), 2: Hits()} == await hits_of(bench, *rows)


async def test_address_id_by_reference(bench: Any, add: Any) -> None:
    """For a row with an address id, the reference alone is presence."""
    there = add("9 Elsewhere", "R1", postcode="YO1 1AA")
    assert [there] == (await hits_of(bench, PropertyRow(1, AddressId("abc-1"), "R1")))[1].ids


@pytest.mark.parametrize(
    ("postcodes", "queries"), [(3, 6), (25, 50), (26, 0)], ids=["few", "more", "many"]
)
async def test_queries(bench: Any, add: Any, postcodes: int, queries: int) -> None:
    """Few postcodes are asked for one by one, for many the whole list is read."""
    rows = [row(n, f"LS{n} 1AA") for n in range(1, postcodes + 1)]
    ids = [add(f"{n} High St", f"R{n}", postcode=f"LS{n} 1AA") for n in range(1, postcodes + 1)]
    found = await hits_of(bench, *rows)
    assert ids == [found[number].ids[0] for number in range(1, postcodes + 1)]
    asked = {seen.query["q"] for seen in bench.emulator.received if "q" in seen.query}
    assert queries == len(asked)


async def test_absence(bench: Any, add: Any) -> None:
    """What is not found by its postcode is looked for in the whole list, which shows absence."""
    add("2 High St", "R2")
    quick = await look_up(bench.client(), [row(1)], quick=True)
    assert (False, "the whole list was not read") == attrs.astuple(quick.absence)
    assert (await look_up(bench.client(), [row(1)])).absence.complete
    missing = await look_up(bench.client(), [row(1)], witnesses=[77])
    assert not missing.absence.complete
    assert "77" in missing.absence.reason


async def test_server_that_does_not_count_pages(bench: Any, server: Any) -> None:
    """A list that is the same on every page is an error: the rest of it cannot be read."""
    page = b'{"data": [{"id": 1, "partner_properties": [{"property_reference": "R1"}]}]}'
    server.default = server.say(body=page)
    with pytest.raises(AnswerUnusable, match="ignores `page`"):
        await look_up(bench.client(base_url=server.url), [row(1)])


async def test_property_without_id(bench: Any, server: Any) -> None:
    """A property that is listed without its id is found all the same."""
    page = b'{"data": [{"partner_properties": [{"property_reference": "R1"}]}]}'
    server.acts = [server.say(body=b'{"data": {}}'), server.say(body=page)]
    server.default = server.say(body=b'{"data": []}')
    found = await look_up(bench.client(base_url=server.url), [row(1)])
    assert {1: Hits({0}, set())} == found.hits


@pytest.mark.parametrize(
    "kind", ["503", "html500", "drop-after", "truncate", "garbage", "empty", "429:0"]
)
async def test_list_that_fails(bench: Any, add: Any, kind: str) -> None:
    """A page that fails is asked for again: it must not pass for the end of the list."""
    there = add("1 High St", "R1")
    bench.script(Fault.named(kind), on=LIST)
    assert [there] == (await hits_of(bench, row(1)))[1].ids
