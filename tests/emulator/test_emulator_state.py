"""The state file: what survives, and what is refused."""

import json
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Address, Assumed, Emulator, StateError, StateInUse, statelog
from homebox_async.emulator.package_records import Invite, Payer, Payment, Payout
from homebox_async.emulator.records import Reading
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
        [list(store.of_order(kind, 1)) for kind in (Reading, Payer, Payment, Payout, Invite)],
        [list(store.orders_of(partner)) + list(store.leads_of(partner)) for partner in (1, 2)],
        [list(table) for table in (store.tenancies, store.invites, store.payers)],
        [list(table) for table in (store.payments, store.payouts, store.postal_bills)],
        store.branches,
        store.billings,
        store.lead_of_property(1),
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
    await fill_packages(emulator, session, home)


async def fill_packages(
    emulator: Emulator, session: aiohttp.ClientSession, home: dict[str, Any]
) -> None:
    """Make each kind of change to bills packages, branches and billings."""
    person = {"first_name": "Jane", "last_name": "Smith", "phone_number": "+441234567890"}
    void = {
        "tenancy_start": "01/07/22",
        "address": home["address"],
        "is_premium": True,
        "property_empty": False,
        "responsible_tenant": person | {"email_address": "jane@example.com"},
        "responsible_address": home["address"],
    }
    form = aiohttp.FormData()
    form.add_field("file", b"png", filename="bill.png")
    for path, body in (
        ("child/store", {"name": "Child", "email": "child@example.com"}),
        ("void", void),
        ("order/1/invite", person),
        ("order/1/invite", person),
        ("order/1/invite", person | {"phone_number": "+449999999999"}),
        ("child/2/property", home),
    ):
        async with session.post(f"/api/partner/{path}", json=body) as response:
            assert 201 == response.status
    async with session.post("/api/partner/order/1/postal-bills", data=form) as response:
        assert 201 == response.status
    async with session.post("/api/partner/account", json={"name": "Renamed"}) as response:
        assert 200 == response.status
    emulator.sign_up(1)
    emulator.set_mandate(1, "active")
    emulator.take_payments(1)
    emulator.pay_suppliers(1)
    emulator.seed_order(3)
    emulator.seed_billing("a" * 32, date(2022, 1, 1), date(2022, 12, 31))


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


async def test_fresh_states_differ(tmp_path: Path) -> None:
    """Each fresh state has its own id and reference number, kept in the file."""
    numbers = []
    for name in ("one", "two", "one"):
        async with Emulator(state=tmp_path / name) as emulator:
            numbers.append((emulator.store.instance, emulator.store.account.reference_number))
    assert numbers[0] == numbers[2]
    assert not {*numbers[0]} & {*numbers[1]}


async def test_file_without_an_instance(tmp_path: Path) -> None:
    """A state file of an earlier version gets its id, which stays."""
    path = tmp_path / "state.jsonl"
    path.write_text('[["account",["Partner Account","10","EMU-1","...","#000000"]]]\n')
    ids = set()
    for _ in range(2):
        async with Emulator(state=path) as emulator:
            ids.add(emulator.store.instance)
    assert 1 == len(ids)


@pytest.mark.parametrize("shows", [True, False])
async def test_instance_in_answers(serve: Any, shows: bool) -> None:
    """Answers say which state they come from, refusals too; unless it is switched off."""
    assumed = Assumed(shows_instance=shows, list_lag=1.5)
    emulator, session = await serve(assumed=assumed)
    for path in ("account", "nowhere"):
        async with session.get(f"/api/partner/{path}") as response:
            shown = response.headers.get("Homebox-Emulator")
        assert (f"{emulator.store.instance}; list-lag=1.5; in-memory" if shows else None) == shown


async def test_kept_instance_in_answers(serve: Any, tmp_path: Path) -> None:
    """Answers of a state that is kept in a file do not say that it is in memory."""
    emulator, session = await serve(state=tmp_path / "state.jsonl")
    async with session.get("/api/partner/account") as response:
        shown = response.headers.get("Homebox-Emulator")
    assert f"{emulator.store.instance}; list-lag=0" == shown


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


@pytest.mark.parametrize("odd", [{"a": 1}, [[1]], float("inf"), 1 << 70], ids=str)
async def test_values_of_other_kinds(
    serve: Any, home: dict[str, Any], tmp_path: Path, odd: Any
) -> None:
    """A value that its field cannot hold is refused when it is read, whichever row has it."""
    path = tmp_path / "state.jsonl"
    emulator, session = await serve(state=path)
    await fill(emulator, session, home)
    rows = {
        table: values
        for line in path.read_text().splitlines()
        for table, values in json.loads(line)
        if table != "instance"
    }
    assert len(rows) > 8
    damaged, count = tmp_path / "damaged.jsonl", 0
    for table, values in rows.items():
        for place, value in enumerate(values):
            if odd == 1 << 70 and not isinstance(value, (str, float)):
                continue  # an id, or none, of another size
            damaged.write_text(
                json.dumps([[table, [*values[:place], odd, *values[place + 1 :]]]]) + "\n"
            )
            with pytest.raises(StateError, match=f"cannot read a '{table}' record"):
                Store(Assumed()).open(damaged)
            count += 1
    assert count > 40


# Opens a state, and says how that went.
OTHER = """
import asyncio, sys
from homebox_async.emulator import Emulator, StateInUse

async def main():
    try:
        async with Emulator(state=sys.argv[1]):
            print("open", flush=True)
            sys.stdin.read()
    except StateInUse as error:
        print(error)

asyncio.run(main())
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start processes that have an emulator on the state file until their input ends."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", OTHER, str(tmp_path / "state.jsonl")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    """Return what a process says first."""
    assert process.stdout is not None
    return process.stdout.readline()


async def test_in_use(other: Any, tmp_path: Path) -> None:
    """A state is of one emulator at a time, in this process and in others; a kill frees it."""
    path = tmp_path / "state.jsonl"
    async with Emulator(state=path) as emulator:
        before = path.read_bytes()
        with pytest.raises(StateInUse, match="another emulator is using it; wait for it, or give"):
            await Emulator(state=path).start()
        assert f"{path}: another emulator is using it" in first_line(other())
        assert before == path.read_bytes()
        emulator.store.add_property(Address("1 New Road", None, "Hove", None, "BN3 1AB"))
    process = other()
    assert "open\n" == first_line(process)
    with pytest.raises(StateInUse):
        await Emulator(state=path).start()
    process.kill()
    process.wait()
    async with Emulator(state=path) as emulator:
        assert 1 == len(emulator.store.properties)


async def test_start_that_failed_frees_the_state(tmp_path: Path) -> None:
    """An emulator that could not start lets go of its state."""
    path = tmp_path / "state.jsonl"
    async with Emulator() as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(OSError, match=str(port)):
            await Emulator(state=path, port=port).start()
    path.write_text("nonsense\n")
    with pytest.raises(StateError, match="line 1"):
        await Emulator(state=path).start()
    path.unlink()
    await (await Emulator(state=path).start()).aclose()


async def test_no_lock_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no such locks, the state is simply used."""
    monkeypatch.setattr(statelog, "sys", types.SimpleNamespace(platform="win32"))
    async with Emulator(state=tmp_path / "state"), Emulator(state=tmp_path / "state") as second:
        assert second.url


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
