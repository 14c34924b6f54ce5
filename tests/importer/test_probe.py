"""The probe: what the first created row shows of a server, and when it stops the import."""

import logging
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Retry
from homebox_async.emulator import Assumed, Fault
from homebox_async.importer import Import, import_properties
from homebox_async.importer.probing import Learned, compare_references

from ..reliability.strange_server import TOKEN, Quirks, StrangeServer

LIST = "GET /api/partner/property"


@pytest.mark.parametrize(
    ("sent", "shown", "learned"),
    [
        ("AbC-1", ("AbC-1",), Learned()),
        ("AbC-1", ("x", "AbC-1"), Learned()),
        ("", (), Learned()),
        ("AbC-1", ("abc-1",), Learned(case="lower")),
        ("AbC-1", ("ABC-1",), Learned(case="upper")),
        ("AbC-1", ("AbC",), Learned(length=3)),
        ("AbC-1", ("abc",), Learned(length=3, case="lower")),
        ("AbC-1", ("aBc-1",), Learned(known=False)),
        ("AbC-1", ("other",), Learned(known=False)),
        ("AbC-1", ("",), Learned(known=False)),
        ("AbC-1", (), Learned(shown=False)),
    ],
    ids=str,
)
def test_references(sent: str, shown: tuple[str, ...], learned: Learned) -> None:
    """What became of a reference is known where one rule explains it."""
    assert learned == compare_references(sent, shown)
    if learned.known and learned.shown and sent:
        assert learned.altered(sent) in shown


@pytest.mark.parametrize("concurrency", [1, "auto"])
async def test_first_row_is_read_back(
    bench: Any, caplog: pytest.LogCaptureFixture, concurrency: Any
) -> None:
    """Between the first row and the second one come a few reads, and none later on."""
    bench.write(40)
    caplog.set_level(logging.INFO, "homebox_async")
    report = await bench.report(concurrency=concurrency, adopt_existing=False)
    assert (40, ()) == (report.created, report.notes)
    made = [f"{seen.method} {seen.path}" for seen in bench.emulator.received]
    first, second, *_ = [n for n, one in enumerate(made) if one.startswith("POST")]
    assert 2 <= second - first - 1 <= 6
    assert all(one.startswith("POST") for one in made[second:])
    assert "the first row was read back: references come back whole; the address" in caplog.text
    await bench.report(adopt_existing=False)
    assert len(made) + 1 == len(bench.emulator.received)  # the account


async def test_one_row(bench: Any) -> None:
    """An import of one row reads nothing back: there is no second row to protect."""
    bench.write(1)
    await bench.report(adopt_existing=False)
    assert 0 == bench.emulator.counts.requests[LIST]


async def test_list_lag_lengthens_the_settle_time(bench: Any) -> None:
    """A list that is behind is waited for, and rows without an answer have twice that time."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_lag=0.3))
    bench.write(12)
    bench.script(None, *[Fault("drop-after"), None] * 4)
    started = bench.start(settle=0.35)
    assert (await started).done
    assert started._engine is not None
    assert started._engine._claims.settle_time >= 0.6
    assert bench.expected(12) == bench.references


async def test_missing_from_the_list(bench: Any) -> None:
    """An import into a list that does not show the first row stops before the second."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_lag=60.0))
    bench.write(5)
    report = await bench.report(settle=0.05)
    assert (1, 4, 1) == (report.created, report.pending, bench.posts)
    assert report.stopped.startswith("property 1, which was just created, is not in the list")
    assert "wait until Homebox lists it, or give a longer --settle" in report.stopped
    bench.emulator.assumed = Assumed()


async def test_a_longer_settle_time_helps(bench: Any) -> None:
    """What the message says is done: with a longer settle time the import ends well."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_lag=0.4))
    bench.write(5)
    assert (await bench.report(settle=0.0)).stopped
    assert (await bench.report(settle=1.0)).done
    assert bench.expected(5) == bench.references


async def test_read_that_fails(bench: Any) -> None:
    """A read that fails does not stop the import: only what needs the list does."""
    bench.write(5)
    bench.script(*[Fault.named("500")] * 60, on=("GET", "/api/partner/property"))
    report = await bench.report(adopt_existing=False)
    assert (5, "") == (report.created, report.stopped)


# --- servers that alter what they are sent


def start(server: StrangeServer, folder: Path, **options: Any) -> tuple[AsyncHomebox, Import]:
    """Return a client of a server, and an import of twelve homes, not started yet."""
    path = folder / "homes.csv"
    if not path.exists():
        rows = [f"{n} High St,Leeds,LS1 {n % 9}AA,Home-{n:02}" for n in range(1, 13)]
        path.write_text("\n".join(["line1,city,postcode,ref", *rows, ""]))
    client = AsyncHomebox(TOKEN, base_url=server.url, retry=Retry(backoff=0.0), timeout=2)
    return client, import_properties(client, path, results=folder, settle=0.3, **options)


@pytest.mark.parametrize("meta", ["none", "whole"])
@pytest.mark.parametrize(
    ("quirks", "note"),
    [
        ({"reference": "lower case"}, "references come back in lower case"),
        ({"reference": "lower case", "address": "upper case"}, "in lower case"),
        ({"address": "street"}, ""),
        ({"address": "four lines"}, ""),
        ({"order": "newest first", "page_size": 1}, ""),
        ({"order": "ties move", "page_size": 3}, ""),
    ],
    ids=str,
)
async def test_altered(tmp_path: Path, meta: str, quirks: dict[str, Any], note: str) -> None:
    """Rows without an answer are found by the reference as the server shows it."""
    lost = (("drop", 0.4),)
    server = StrangeServer(Quirks(meta=meta, after_commit=lost, **quirks), seed=5)
    async with server.running():
        client, run = start(server, tmp_path)
        async with client:
            report = await run
        shown = [item.sent["property_reference"] for _, item in server.commits]
    assert len(shown) == len(set(shown))
    if quirks.get("order") != "ties move":
        assert (12, 0, True) == (report.created + report.adopted, report.unknown, report.done)
        assert report.reconciled > 0
    assert (note in report.notes[0]) if note else not report.notes


async def test_references_that_become_equal(tmp_path: Path) -> None:
    """Where a server shortens references so that two rows have the same, the import stops."""
    server = StrangeServer(Quirks(reference="shortened"), seed=1)
    async with server.running():
        client, run = start(server, tmp_path)
        async with client:
            report = await run
    assert (1, 11, 1) == (report.created, report.pending, len(server.commits))
    assert report.stopped.startswith("references come back shortened to 6 characters, and those of")
    assert "lines 2 and 10 are the same then" in report.stopped


# --- what other imports have learned


def homes(folder: Path, name: str, first: int) -> Path:
    """Write a file of six homes."""
    numbers = range(first, first + 6)
    rows = [f"{n} High St,Leeds,LS1 {n % 9}AA,Home-{n:02}" for n in numbers]
    (folder / name).write_text("\n".join(["line1,city,postcode,ref", *rows, ""]))
    return folder / name


async def imported(server: StrangeServer, source: Path, **options: Any) -> Any:
    """Import a file; return the run, which has ended."""
    options = {"settle": 0.3, "results": source.parent, **options}
    async with AsyncHomebox(
        TOKEN, base_url=server.url, retry=Retry(backoff=0.0), timeout=2
    ) as client:
        run = import_properties(client, source, **options)
        await run
    return run


def reads_between_posts(bench: Any, since: int) -> int:
    """Return how many reads came between the first and the last row."""
    made = [one.method for one in list(bench.emulator.received)[since:]]
    first = made.index("POST")
    last = len(made) - made[::-1].index("POST")
    return made[first:last].count("GET")


async def test_one_probe_for_an_account(bench: Any) -> None:
    """A second import within 30 days, of another file, is not probed again."""
    bench.write(5)
    await bench.report(adopt_existing=False)
    since = len(bench.emulator.received)
    bench.write(0, [f"{n} High Street,Leeds,LS1 1AA,S{n}" for n in range(5)])
    report = await bench.report(adopt_existing=False, journal=bench.folder / "b.journal")
    assert (5, 0) == (report.created, reads_between_posts(bench, since))


async def test_learned_applies_elsewhere(tmp_path: Path) -> None:
    """What one import has learned, references in lower case and a lag, applies to another."""
    server = StrangeServer(Quirks(meta="whole", reference="lower case"), seed=5)
    async with server.running():
        await imported(server, homes(tmp_path, "a.csv", 1))
        second = await imported(server, homes(tmp_path, "b.csv", 11))
    assert (6, True) == (second.report.created, second.report.done)
    assert second.report.notes[0].startswith("an earlier import has shown: references come back in")


@pytest.mark.parametrize("lag", [0.4, 0.0], ids=["longer", "shorter"])
async def test_learned_lag_only_lengthens(bench: Any, lag: float) -> None:
    """A lag that was seen once is waited for later; one that was short shortens nothing."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_lag=lag))
    bench.write(3)
    await bench.report(settle=1.0, adopt_existing=False)
    bench.write(0, [f"{n} High Street,Leeds,LS1 1AA,S{n}" for n in range(3)])
    run = bench.start(settle=0.5, adopt_existing=False, journal=bench.folder / "b.journal")
    await run
    assert run._engine is not None
    waited = run._engine._claims.settle_time
    assert waited >= 0.8 if lag else waited == 0.5


@pytest.mark.parametrize(
    "later",
    [{"reference": "lower case"}, {"reference": "lower case", "page_size": 3}],
    ids=str,
)
async def test_server_that_changed(tmp_path: Path, later: dict[str, Any]) -> None:
    """After a lost answer, what another import has learned is not enough: a row is read back."""
    server = StrangeServer(Quirks(meta="whole"), seed=5)
    async with server.running():
        await imported(server, homes(tmp_path, "a.csv", 1))
        server.quirks = Quirks(meta="whole", after_commit=(("drop", 0.4),), **later)
        second = await imported(server, homes(tmp_path, "b.csv", 11))
        shown = [item.sent["property_reference"] for _, item in server.commits]
    assert len(shown) == len(set(shown)) == 12
    assert (6, 0) == (second.report.created + second.report.adopted, second.report.unknown)
    assert second.report.notes[0].startswith("the first row was read back: references come back in")


async def test_server_that_became_slow(bench: Any) -> None:
    """A list that became slow since is seen after a lost answer, and waited for."""
    bench.write(3)
    await bench.report(adopt_existing=False)
    bench.emulator.assumed = bench.emulator.store._assumed = Assumed(list_lag=0.4)
    bench.write(0, [f"{n} High Street,Leeds,LS1 1AA,S{n}" for n in range(8)])
    bench.script(None, Fault("drop-after"), None)
    run = bench.start(settle=0.45, adopt_existing=False, journal=bench.folder / "b.journal")
    assert (await run).done
    assert 11 == sum(bench.references.values())
    assert 11 == len(bench.references)


async def test_references_that_became_equal(tmp_path: Path) -> None:
    """References that are one to the server stop every run, also of another file."""
    server = StrangeServer(Quirks(reference="shortened"), seed=1)
    async with server.running():
        first = await imported(server, homes(tmp_path, "a.csv", 9))
        again = await imported(server, tmp_path / "a.csv")
        other = await imported(server, homes(tmp_path, "b.csv", 29))
        sent = len(server.commits)
    assert first.report.stopped
    assert again.report.stopped
    assert other.report.stopped
    assert 1 == sent
