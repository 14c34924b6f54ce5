"""The state file: what survives, and what is refused."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Address, Assumed, Emulator, StateError
from homebox_async.emulator.store import Store
from homebox_async.emulator.table import Table

LEAD = {
    "tenancy_start": "01/07/22",
    "tenancy_end": "01/07/23",
    "tenants": [
        {
            "first_name": "Bill",
            "last_name": "Appleseed",
            "phone_number": "+441234567890",
            "email_address": "bill@example.com",
        }
    ],
}
READING = {"date_of_reading": "2021-06-20", "reading": "299", "type": "gas"}


def contents(store: Store) -> list[Any]:
    """Return all that a store holds."""
    return [
        store.account,
        list(store.properties),
        list(store.leads),
        list(store.orders),
        list(store.readings),
        store.addresses,
        store.outbox,
        list(store.at_postcode("bn1 1ab")),
        list(store.readings_of_property(1)),
        list(store.readings_of_order(1)),
    ]


async def fill(emulator: Emulator, session: aiohttp.ClientSession, home: dict[str, Any]) -> None:
    """Make each kind of change once."""
    async with session.get("/api/partner/address/find/BN11AB") as response:
        found = (await response.json())["data"][0]
    address = {"address_id": found["address_id"]}
    for path, body in (
        ("property", {"address": address}),
        ("property", home),
        ("lead", LEAD | {"address": address}),
        ("lead", LEAD | {"address": home["address"] | {"line1": "1 Other Road"}}),
        ("lead", LEAD | {"notifications": False}),
    ):
        async with session.post(f"/api/partner/{path}", json=body) as response:
            assert 201 == response.status
    emulator.seed_order(1)
    emulator.store.set_status(2, 4)
    for path in ("order/1", "property/1"):
        async with session.post(f"/api/partner/{path}/readings", json=READING) as response:
            assert 201 == response.status


async def test_survives(serve: Any, home: dict[str, Any], tmp_path: Path) -> None:
    """All that was answered is in the file at once, as after a kill, and after a close."""
    path = tmp_path / "state.jsonl"
    emulator, session = await serve(state=path)
    await fill(emulator, session, home)
    expected = contents(emulator.store)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(path.read_bytes())
    killed, _ = await serve(state=str(copy))
    assert expected == contents(killed.store)
    await emulator.aclose()
    await emulator.start()
    assert expected == contents(emulator.store)


async def test_fresh_states_differ(serve: Any, tmp_path: Path) -> None:
    """Each fresh state has its own reference number, kept in the file."""
    numbers = []
    for name in ("one", "two", "one"):
        emulator, _ = await serve(state=tmp_path / name)
        numbers.append(emulator.store.account.reference_number)
    assert numbers[0] == numbers[2]
    assert numbers[0] != numbers[1]


async def test_cut_off_line(serve: Any, home: dict[str, Any], tmp_path: Path) -> None:
    """A last line that was cut off is dropped, and the log goes on after the one before it."""
    path = tmp_path / "state.jsonl"
    emulator, session = await serve(state=path)
    for _ in range(2):
        async with session.post("/api/partner/property", json=home) as response:
            assert 201 == response.status
    await emulator.aclose()
    path.write_bytes(path.read_bytes()[:-20])
    await emulator.start()
    assert 1 == len(emulator.store.properties)
    emulator.store.add_property(Address("1 New Road", None, "Hove", None, "BN3 1AB"))
    await emulator.aclose()
    await emulator.start()
    assert ["123 Test Lane", "1 New Road"] == [each.line1 for each in emulator.store.properties]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,postcode\n", "line 1 is not an emulator change"),
        ("{}\n3\n", "line 2 is not an emulator change"),
        ('[["nix",[1]]]\n', "cannot read a 'nix' record"),
        ('[["property",[1]]]\n', "cannot read a 'property' record"),
        ('[["account",[1]]]\n', "cannot read a 'account' record"),
    ],
    ids=["csv", "number", "table", "row", "account"],
)
async def test_not_a_state_file(tmp_path: Path, text: str, message: str) -> None:
    """Another file is refused and left as it is."""
    path = tmp_path / "state.jsonl"
    path.write_text(text)
    with pytest.raises(StateError, match=message):
        await Emulator(state=path).start()
    assert text == path.read_text()


def test_store_without_a_file() -> None:
    """A store works without a file, and rows can be had by their id."""
    store = Store(Assumed())
    row = store.add_property(Address("1 New Road", None, None, None, "BN3 1AB"), "A1")
    assert row is store.properties[1]
    assert None is store.properties.get(2)
    with pytest.raises(KeyError):
        _ = store.properties[0]


def test_table_counts_by_time() -> None:
    """A table tells how many rows there were at a time."""
    store = Store(Assumed(), clock=iter([1.0, 2.0, 3.0]).__next__)
    for number in range(3):
        store.add_property(Address(f"{number} New Road", None, None, None, "BN3 1AB"))
    assert [0, 1, 2, 3] == [store.properties.before(moment) for moment in (0.5, 1.0, 2.9, 9.0)]
    assert 0 == Table[Any]().before(1.0)
