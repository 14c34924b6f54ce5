"""Exports that were interrupted resume; no id comes twice, and no row is missing."""

import asyncio
import datetime as dt
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Homebox, ServerError
from homebox_async.emulator import Assumed, Emulator, Fault
from homebox_async.export import ExportError, export, export_sync
from homebox_async.pages import Page

from .filling import add_homes, add_reading

PROPERTY = "/api/partner/property"


def ids(path: Path, key: str = "id") -> list[int]:
    """Return the ids in a file of JSON lines."""
    return [json.loads(line)[key] for line in path.read_text().splitlines()]


async def stopped(client: AsyncHomebox, emulator: Emulator, path: Path, **options: Any) -> None:
    """Let an export of properties fail at its third page."""
    emulator.script("GET", PROPERTY, [None, None, Fault("status", 500)])
    with pytest.raises(ServerError):
        await export(client, "properties", path, **options)
    assert not path.exists()


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
async def test_goes_on(name: Any, client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """After a failure the same export writes only what is missing, and the file is whole."""
    path = tmp_path / "a"
    await stopped(client, emulator, path, format=name)
    emulator.received.clear()
    report = await export(client, "properties", path, format=name)
    assert (120, 100, False) == (report.rows, report.resumed_rows, report.shifted)
    assert (True, "") == (report.complete, report.reason)
    pages = [r.query["page"] for r in emulator.received if r.path == PROPERTY]
    # Without a total, only a second pass shows that nothing was deleted meanwhile.
    assert ["1", "2", "3", "4"] * 2 == pages
    assert [path] == list(tmp_path.iterdir())
    await export(client, "properties", tmp_path / "b", format=name)
    assert (tmp_path / "b").read_bytes() == path.read_bytes()


async def test_shifted_list(tmp_path: Path) -> None:
    """What was added at the front since the earlier run is there, and no id comes twice."""
    path = tmp_path / "a.jsonl"
    async with (
        Emulator(assumed=Assumed(list_order="newest-first")) as emulator,
        AsyncHomebox(emulator.token, base_url=emulator.url) as client,
    ):
        add_homes(emulator, 120)
        emulator.script("GET", PROPERTY, [None, None, *[Fault("status", 500)] * 3])
        with pytest.raises(ServerError):
            await export(client, "properties", path, format="jsonl")
        add_homes(emulator, 7)
        report = await export(client, "properties", path, format="jsonl")
    assert report.complete
    found = ids(path)
    assert (127, set(range(1, 128))) == (len(found), set(found))


async def test_drift_is_told(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """An export that differs from the total that the server tells says by how much."""
    report = await export(client, "leads", tmp_path / "a.csv")
    assert (0, 0) == (report.rows, report.drift)
    assert (await export(client, "orders", tmp_path / "b.csv")).drift is None


@pytest.mark.parametrize("per", ["property", "order"])
async def test_children_go_on(
    per: Any, client: AsyncHomebox, emulator: Emulator, tmp_path: Path
) -> None:
    """An export per property or order goes on with the next one, in order, each with its id."""
    for number in range(1, 61):
        order = emulator.seed_order(number)
        add_reading(emulator, number, order.id)
        if number % 3 == 0:
            add_reading(emulator, number, order.id)
    path = tmp_path / "a.jsonl"
    emulator.script("GET", f"/api/partner/{per}/30/readings", [Fault("status", 500)])
    with pytest.raises(ServerError):
        await export(client, "readings", path, format="jsonl", per=per)
    emulator.received.clear()
    report = await export(client, "readings", path, format="jsonl", per=per)
    assert (80, 29 + 9) == (report.rows, report.resumed_rows)
    asked = {int(r.path.split("/")[-2]) for r in emulator.received if "readings" in r.path}
    # None is asked again, with or without readings; 61 to 120 have none.
    assert set(range(30, 121 if per == "property" else 61)) == asked
    expected = [n for n in range(1, 61) for _ in range(2 if n % 3 == 0 else 1)]
    assert expected == ids(path, f"{per}_id")
    assert 80 == len(set(ids(path)))


async def test_parents_that_are_gone(
    client: AsyncHomebox, emulator: Emulator, tmp_path: Path
) -> None:
    """An order that is not there any more is counted, and the others are exported."""
    for number in (1, 2, 3):
        emulator.seed_order(number)
    emulator.script("GET", "/api/partner/order/2/payments", [Fault("status", 404)])
    report = await export(client, "payments", tmp_path / "a.csv")
    assert 1 == report.gone


async def test_since(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """Rows from before the day are left out and counted."""
    today = dt.datetime.now(dt.UTC).date()
    report = await export(client, "properties", tmp_path / "a.csv", since=today)
    assert (120, 0) == (report.rows, report.before_since)
    tomorrow = today + dt.timedelta(days=1)
    report = await export(client, "properties", tmp_path / "a.csv", since=tomorrow, overwrite=True)
    assert (0, 120) == (report.rows, report.before_since)


async def test_few_pages_are_held(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """However long the list is, only the pages of the window are held."""
    add_homes(emulator, 1000)
    most = 0

    async def look(request: Any, handler: Any) -> Any:
        nonlocal most
        most = max(most, sum(type(one) is Page for one in gc.get_objects()))
        return await handler(request)

    async with AsyncHomebox(emulator.token, base_url=emulator.url, middlewares=[look]) as other:
        report = await export(other, "properties", tmp_path / "a.csv")
    assert 1120 == report.rows
    assert 1 <= most <= 6


async def test_sync(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """The sync client exports the same."""

    def work() -> tuple[int, int]:
        with Homebox(emulator.token, base_url=emulator.url) as sync:
            run = export_sync(sync, "properties", tmp_path / "a.csv")
            return run.run().rows, run.rows

    assert (120, 120) == await asyncio.to_thread(work)


# --- parts that cannot be used


async def test_another_export(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """A part of another export is refused, told why, and dropped only if asked for."""
    path = tmp_path / "a"
    await stopped(client, emulator, path)
    with pytest.raises(ExportError, match=r"another export \(other list, per\).*restart"):
        await export(client, "payments", path)
    report = await export(client, "orders", path, restart=True)
    assert (0, 0) == (report.rows, report.resumed_rows)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda part, state: state.unlink(), "no part of an export"),
        (lambda part, state: state.write_text("{"), "cannot be read"),
        (lambda part, state: part.write_text(""), "is shorter"),
    ],
    ids=["no state", "garbage", "short"],
)
async def test_damaged_part(
    damage: Any, told: str, client: AsyncHomebox, emulator: Emulator, tmp_path: Path
) -> None:
    """A part that does not fit its state is refused and left as it is."""
    path = tmp_path / "a"
    await stopped(client, emulator, path)
    damage(tmp_path / "a.part", tmp_path / "a.part.json")
    before = (tmp_path / "a.part").read_bytes()
    with pytest.raises(ExportError, match=told):
        await export(client, "properties", path)
    assert before == (tmp_path / "a.part").read_bytes()


async def test_part_without_the_rest(
    client: AsyncHomebox, emulator: Emulator, tmp_path: Path
) -> None:
    """A state whose part is gone says nothing: the export begins anew."""
    await stopped(client, emulator, tmp_path / "a")
    (tmp_path / "a.part").unlink()
    report = await export(client, "properties", tmp_path / "a")
    assert (120, 0) == (report.rows, report.resumed_rows)


async def test_two_at_once(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """Of two exports to one file, the second is refused, also when it wants to restart."""
    emulator.script("GET", PROPERTY, [None, Fault("slow", seconds=1.0)])
    first = asyncio.ensure_future(export(client, "properties", tmp_path / "a").run())
    while not (tmp_path / "a.part").exists():
        await asyncio.sleep(0.01)
    with pytest.raises(ExportError, match="another export is writing it"):
        await export(client, "properties", tmp_path / "a", restart=True)
    assert 120 == (await first).rows


@pytest.mark.parametrize(("name", "told"), [("", "is a folder"), ("no/a", "there is no folder")])
async def test_bad_place(name: str, told: str, client: AsyncHomebox, tmp_path: Path) -> None:
    """A place that cannot be is refused before the list is read."""
    with pytest.raises(ExportError, match=told):
        await export(client, "orders", tmp_path / name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk")
async def test_full_disk(client: AsyncHomebox, emulator: Emulator, tmp_path: Path) -> None:
    """A full disk is the system's error with the file's name."""
    (tmp_path / "a.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"a\.part"):
        await export(client, "properties", tmp_path / "a")


# --- killed


def serve(*more: str) -> "tuple[subprocess.Popen[str], dict[str, str]]":
    """Start an emulator as a process of its own; return it and the environment that names it."""
    server: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-m", "homebox_async.cli", "emulator", "serve", "--port", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    lines = [server.stdout.readline().strip() for _ in range(2)]
    return server, dict(line.split("=", 1) for line in lines)


def started(words: Sequence[str], env: dict[str, str]) -> "subprocess.Popen[str]":
    """Start `homebox` with an environment."""
    return subprocess.Popen(
        [sys.executable, "-m", "homebox_async.cli", *words],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
async def test_killed(how: signal.Signals, tmp_path: Path) -> None:
    """An export that was killed halfway goes on from there, and has every id once."""
    async with Emulator(state=tmp_path / "state.jsonl") as emulator:
        add_homes(emulator, 400)
    await asyncio.to_thread(kill_and_go_on, how, tmp_path)


def kill_and_go_on(how: signal.Signals, folder: Path) -> None:
    """Kill an export once its state tells of some pages, and run the same command again."""
    path, state = folder / "a.jsonl", folder / "a.jsonl.part.json"
    server, env = serve("--rate-limit", "4/1", "--state", str(folder / "state.jsonl"))
    try:
        words = ["export", "properties", "-o", str(path)]
        process = started(words, env)
        end = time.monotonic() + 40
        while time.monotonic() < end:
            if state.exists() and json.loads(state.read_text())["state"]["rows"] >= 100:
                break
            time.sleep(0.01)
        process.send_signal(how)
        _, told = process.communicate(timeout=30)
        assert (-9 if how is signal.SIGKILL else 130) == process.returncode, told
        assert (how is signal.SIGINT) == ("to go on: " in told)
        assert not path.exists()
        done = started(words, env)
        _, told = done.communicate(timeout=50)
    finally:
        server.kill()
        server.communicate()
    assert (0, list(range(1, 401))) == (done.returncode, ids(path)), told
    assert "of them from an earlier run" in told


async def test_cancelled_while_converting(
    client: AsyncHomebox, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export that is cancelled while it makes the Parquet file reads nothing again."""
    from homebox_async.export.formats import Parquet

    convert = Parquet.convert
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait(self: Any, source: Any, to: Any, stop: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert stop.wait(20)
        convert(self, source, to, stop)

    monkeypatch.setattr(Parquet, "convert", wait)
    path = tmp_path / "a"
    run = asyncio.ensure_future(export(client, "properties", path, format="parquet").run())
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not path.exists()
    monkeypatch.setattr(Parquet, "convert", convert)
    emulator.received.clear()
    report = await export(client, "properties", path, format="parquet")
    assert (120, 120) == (report.rows, report.resumed_rows)
    assert [] == [r for r in emulator.received if r.path == PROPERTY]
    assert [path] == list(tmp_path.iterdir())


async def test_nothing_personal_in_state_and_errors(
    client: AsyncHomebox, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The state, the log, the report and a failure show nothing of the rows and no token."""
    caplog.set_level(1)
    emulator.script("GET", PROPERTY, [None, None, Fault("status", 500)])
    with pytest.raises(ServerError) as failed:
        await export(client, "properties", tmp_path / "a")
    state = (tmp_path / "a.part.json").read_text()
    report = await export(client, "properties", tmp_path / "a")
    for text in (state, caplog.text, repr(report), repr(failed.value), str(failed.value)):
        assert [] == [word for word in ("High Street", "LS1", emulator.token) if word in text]


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
async def test_payments(
    name: Any, client: AsyncHomebox, emulator: Emulator, tmp_path: Path
) -> None:
    """Payments come order by order, each with the id of its order."""
    for number in (1, 2, 3):
        order = emulator.seed_order(number)
        _add_payment(emulator, order.id)
    report = await export(client, "payments", tmp_path / "a", format=name)
    assert 3 == report.rows
    if name == "jsonl":
        assert [1, 2, 3] == ids(tmp_path / "a", "order_id")


def _add_payment(emulator: Emulator, order_id: int) -> None:
    from homebox_async.emulator.package_records import Payment

    number, at = len(emulator.store.payments) + 1, emulator.store.clock()
    emulator.store.commit(
        Payment(
            *(number, order_id, "50.00", "direct-debit", "failed", 1, None, None),
            *("ann@example.com", "Ann", "Lee", None, at),
        )
    )
