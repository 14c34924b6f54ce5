"""Sending: every answer, and every way to get none, ends with each row there exactly once."""

import asyncio
import csv
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from homebox_async import Retry
from homebox_async.emulator import Address, Assumed, Fault, RateLimit
from homebox_async.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RedirectRefused,
    RequestError,
    ServerError,
    StatusError,
    UnprocessableEntity,
)
from homebox_async.importer import State, claims, failures
from homebox_async.importer.journal import Entry, Journal
from homebox_async.importer.sources import open_source

CREATE = ("POST", "/api/partner/property")
LIST = ("GET", "/api/partner/property")


def told(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def entries(bench: Any) -> dict[int, Entry]:
    """Return what the journal of the input holds."""
    with open_source(bench.path) as source:
        fingerprint = source.fingerprint
    path = bench.folder / "portfolio.journal"
    connection = sqlite3.connect(path)
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta"))
    finally:
        connection.close()
    assert meta["fingerprint"].startswith(fingerprint)
    facts = {name: meta[name] for name in ("kind", "fingerprint", "target")}
    async with await Journal.open(path, **facts) as journal:
        return {entry.number: entry async for entry in journal.rows(list(State))}


def whole(report: Any, rows: int) -> bool:
    """Whether every row has an end and none is left."""
    return (report.rows, report.created + report.adopted, report.done) == (rows, rows, True)


async def test_all_is_well(bench: Any) -> None:
    """Every row is created once, told in the file, and counted; a second run sends nothing."""
    bench.write(30)
    report = await bench.report()
    assert (30, 30, 0, 0, 0, 0, 30, 0, "", None, True) == (
        report.rows,
        report.created,
        report.adopted,
        report.rejected,
        report.unknown,
        report.pending,
        report.sent,
        report.reconciled,
        report.stopped,
        report.error,
        report.done,
    )
    assert bench.expected(30) == bench.references
    created = told(report.files["created"])
    by_id = {home.id: home.reference for home in bench.emulator.store.properties}
    assert [by_id[int(row["property_id"])] for row in created] == [row["ref"] for row in created]
    assert ["created"] == list(report.files)
    again = await bench.report()
    assert (30, 0, True) == (again.created, again.sent, again.done)
    assert 30 == bench.posts


@pytest.mark.parametrize(
    ("fault", "created"),
    [
        ("drop-before", False),
        ("drop-after", True),
        ("500-after", True),
        ("503-after", True),
        ("html500", False),
        ("503", False),
        ("503:0", False),
        ("425", False),
        ("521", False),
        ("502", False),
        ("504", False),
        ("408", False),
        ("truncate", True),
        ("garbage", True),
        ("empty", True),
        ("hang", False),
        ("hang-after", True),
    ],
)
@pytest.mark.parametrize("concurrency", [1, "auto"])
async def test_open_answers(bench: Any, fault: str, created: bool, concurrency: Any) -> None:
    """A row whose answer tells nothing is looked up, and sent again only if it is not there."""
    bench.write(6)
    bench.script(None, Fault.named(fault), None, Fault.named(fault))
    report = await bench.report(client=bench.client(timeout=0.15), concurrency=concurrency)
    assert bench.expected(6) == bench.references
    assert whole(report, 6)
    assert (2 * created, 2 * created) == (report.adopted, report.reconciled)
    assert report.sent == bench.posts == 6 + 2 * (not created)
    states = {entry.state for entry in (await entries(bench)).values()}
    assert states == ({State.CREATED, State.ADOPTED} if created else {State.CREATED})


@pytest.mark.parametrize("kind", ["429", "429:0"])
async def test_refusals(bench: Any, kind: str) -> None:
    """What the server surely did not take is sent again without a look, however often it takes."""
    bench.write(5)
    bench.script(*[Fault.named(kind)] * 23)
    report = await bench.report()
    assert (5, 0, 0, 28) == (report.created, report.adopted, report.unknown, report.sent)
    assert bench.expected(5) == bench.references
    # One, when the first row was read back.
    assert 1 == len([seen for seen in bench.emulator.received if "q" in seen.query])


async def test_rate_limit(bench: Any) -> None:
    """A rate limit slows an import down and does nothing else."""
    await bench.emulator.aclose()
    await bench.serve(rate_limit=RateLimit(60, 0.9))
    bench.write(150)
    report = await bench.report(concurrency=64)
    assert whole(report, 150)
    assert (150, 0, "") == (report.created, report.unknown, report.stopped)
    assert bench.expected(150) == bench.references


async def test_endless_refusals(bench: Any) -> None:
    """A server that refuses for ever stops the import in the end; nothing is open then."""
    bench.write(80)
    bench.script(None, *[Fault.named("429:0")] * 5000)
    report = await bench.report(concurrency=32, patience=0.05)
    assert (1, 79, 0) == (report.created, report.pending, report.unknown)
    assert isinstance(report.error, RateLimited)
    assert str(report.error) == report.stopped
    assert not report.done


async def test_many_at_once_are_one_round(bench: Any) -> None:
    """That many requests are refused together is no reason to give up."""
    bench.write(90)
    bench.script(None, *[Fault.named("429:0")] * 180)
    client = bench.client(retry=Retry(attempts=1))
    report = await bench.report(client=client, concurrency=60, patience=60.0)
    assert whole(report, 90)


async def test_fifty_in_a_row(bench: Any) -> None:
    """Fifty answers that tell nothing, one after the other, stop the import; they stay open."""
    bench.write(80)
    bench.script(*[Fault.named("drop-after")] * 80)
    report = await bench.report(concurrency=1)
    assert (0, 50, 30, 50) == (report.created, report.unknown, report.pending, report.sent)
    assert isinstance(report.error, OutcomeUnknown)
    assert {"row": "1", "ref": "R1"}.items() <= told(report.files["unknown"])[0].items()
    bench.emulator._scripts.clear()
    report = await bench.report()
    assert (30, 50, 50) == (report.created, report.adopted, report.reconciled)
    assert bench.expected(80) == bench.references


# --- refusals of a row


@pytest.mark.parametrize(
    ("lines", "field", "error"),
    [
        (["1 High St,Leeds,LS1 1AA,A1"], "row", "the server answered 400: Bad Request"),
    ],
)
async def test_rejected(bench: Any, lines: list[str], field: str, error: str) -> None:
    """A row that the server refuses is told with its words; the others go on."""
    bench.write(lines=[*lines, "2 High St,Leeds,LS1 1AA,A2"])
    bench.script(Fault.named("400"))
    report = await bench.report(concurrency=1)
    assert (1, 1, False) == (report.created, report.rejected, report.done)
    [row] = told(report.files["rejects"])
    assert (field, error, "correct it and import the rejects file") == (
        row["field"],
        row["error"],
        row["fix"],
    )
    assert 2 == (await bench.report()).rows
    assert 2 == bench.posts


async def test_rejected_fields(bench: Any, server: Any) -> None:
    """All fields that a refusal names are told, with all their messages."""
    bench.write(2)
    body = b"""{"message": "The given data was invalid.", "errors": {
        "address.line1": ["is bad.", "is very bad."], "property_reference": ["is taken."]}}"""
    server.acts = [server.say(body=b'{"data": {}}'), server.say(422, body)]
    server.default = server.say(201, b'{"data": {"id": 7}}')
    client = bench.client(base_url=server.url)
    async with bench.start(client=client, adopt_existing=False, concurrency=1) as run:
        first, second = [row async for row in run]
    assert (
        1,
        State.REJECTED,
        "address.line1, property_reference",
        "is bad. is very bad.; is taken.",
    ) == (first.number, first.state, first.field, first.error)
    assert (2, State.CREATED, 7) == (second.number, second.state, second.property_id)


@pytest.mark.parametrize("status", [404, 409, 413, 422])
async def test_row_with_address_id(bench: Any, status: int) -> None:
    """An address id that is not known is the row's own fault, also if it is said with 404."""
    bench.write(lines=["abc,A1", "def,A2"], header="address_id,ref")
    bench.script(Fault("status", status), Fault("status", status))
    report = await bench.report()
    assert (0, 2, "") == (report.created, report.rejected, report.stopped)


# --- refusals of all


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationFailed), (403, PermissionDenied), (404, StatusError), (405, StatusError)],
)
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_hopeless(
    bench: Any, status: int, error: type[StatusError], concurrency: int
) -> None:
    """A refusal that is not the row's fault stops the import at once; its row stays pending."""
    bench.write(400)
    bench.script(*[None] * 9, *[Fault("status", status)] * 400)
    report = await bench.report(concurrency=concurrency)
    assert (9, 0, 0, 391) == (report.created, report.rejected, report.unknown, report.pending)
    assert isinstance(report.error, error)
    assert 9 < report.sent == bench.posts <= 9 + concurrency
    bench.emulator._scripts.clear()
    report = await bench.report()
    assert (400, 391, True) == (report.created, report.sent, report.done)
    assert bench.expected(400) == bench.references


async def test_redirect(bench: Any) -> None:
    """A redirect stops the import; its row may be there, so it is looked up before all else."""
    bench.write(5)
    bench.script(None, Fault.named("redirect:/login"))
    report = await bench.report(concurrency=1)
    assert (1, 1, 3) == (report.created, report.unknown, report.pending)
    assert isinstance(report.error, RedirectRefused)
    report = await bench.report()
    assert whole(report, 5)
    assert bench.expected(5) == bench.references


# --- a server that goes away


async def test_server_comes_back(bench: Any) -> None:
    """What could not be sent while the server was away is sent once it is back."""
    bench.write(300)
    run = bench.start(concurrency=8)
    task = asyncio.ensure_future(run.wait())
    while bench.posts < 50:
        await asyncio.sleep(0)
    await bench.emulator.aclose()
    await asyncio.sleep(0.1)
    await bench.emulator.start()
    report = await task
    assert whole(report, 300)
    assert "" == report.stopped
    assert bench.expected(300) == bench.references


async def test_server_stays_away(bench: Any) -> None:
    """When the server does not come back, the import ends with a report, and goes on later."""
    bench.write(300)
    run = bench.start(concurrency=8, patience=0.1)
    task = asyncio.ensure_future(run.wait())
    while bench.posts < 50:
        await asyncio.sleep(0)
    await bench.emulator.aclose()
    report = await task
    assert isinstance(report.error, RequestError)
    assert report.pending > 200
    assert 300 == report.created + report.unknown + report.pending
    assert report.unknown <= 8
    await bench.emulator.start()
    assert whole(await bench.report(), 300)
    assert bench.expected(300) == bench.references


async def test_unreachable_at_start(bench: Any) -> None:
    """A server that cannot be reached at all is told as an error, and no journal is left."""
    bench.write(3)
    client = bench.client()
    await bench.emulator.aclose()
    with pytest.raises(ConnectionFailed) as caught:
        await bench.report(client=client)
    assert Outcome.NOT_SENT is caught.value.outcome
    assert [bench.path] == list(bench.folder.iterdir())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", AuthenticationFailed),
        ("403", PermissionDenied),
        ("302", RedirectRefused),
        ("429:0", RateLimited),
        ("503", ServerError),
    ],
)
async def test_refused_at_start(bench: Any, fault: str, error: type[StatusError]) -> None:
    """What would stop the import later is told before any work is done."""
    bench.write(3)
    bench.script(*[Fault.named(fault)] * 9, on=("GET", "/api/partner/account"))
    with pytest.raises(error):
        await bench.report()
    assert [bench.path] == list(bench.folder.iterdir())


async def test_wrong_token(bench: Any) -> None:
    """A wrong token is told before any work is done, and is not in the message."""
    bench.write(3)
    with pytest.raises(AuthenticationFailed) as caught:
        await bench.report(client=bench.client(token="wrong-token-9"))
    assert "wrong-token-9" not in str(caught.value)


async def test_account_that_is_not_there(bench: Any) -> None:
    """A server that has no account to tell takes properties all the same."""
    bench.write(3)
    bench.script(Fault.named("404"), on=("GET", "/api/partner/account"))
    assert whole(await bench.report(), 3)


# --- what is looked up


async def test_answer_without_id(bench: Any, server: Any) -> None:
    """A property that was created is never sent again, though nobody tells its id."""
    bench.write(1)

    async def act(wire: Any, seen: Any) -> None:
        data = b'{"data": {}}' if seen.method == "POST" or "account" in seen.target else b"[]"
        await wire.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data))

    server.default = act
    for run in range(2):
        report = await bench.report(client=bench.client(base_url=server.url))
        assert (0, 1, run == 0) == (report.created, report.unknown, report.sent == 1)
        [row] = told(report.files["unknown"])
        assert "the server answered with success, but its list does not show it" == row["error"]
    assert 1 == len([seen for seen in server.seen if seen.method == "POST"])


async def test_answer_without_id_is_found(bench: Any, server: Any) -> None:
    """The id that an answer does not tell is taken from the list."""
    bench.write(1)
    page = b'{"data": [{"id": 5, "partner_properties": [{"property_reference": "R1"}]}]}'

    async def act(wire: Any, seen: Any) -> None:
        data = page if seen.target.endswith("page=1") else b'{"data": []}'
        if seen.method == "POST" or "account" in seen.target:
            data = b'{"data": {}}'
        await wire.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data))

    server.default = act
    client = bench.client(base_url=server.url)
    report = await bench.report(client=client, adopt_existing=False)
    assert (0, 1, 1) == (report.created, report.adopted, report.reconciled)
    assert "5" == told(report.files["created"])[0]["property_id"]


async def test_found_without_id(bench: Any, server: Any) -> None:
    """A property that the list shows without an id is there: it is not sent again."""
    bench.write(1)
    page = b'{"data": [{"partner_properties": [{"property_reference": "R1"}]}]}'

    async def act(wire: Any, seen: Any) -> None:
        if seen.method == "POST":
            wire.reset()
            return
        data = b'{"data": {}}' if "account" in seen.target else b'{"data": []}'
        if "q=" in seen.target and seen.target.endswith("page=1"):
            data = page
        await wire.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data))

    server.default = act
    report = await bench.report(client=bench.client(base_url=server.url), adopt_existing=False)
    assert (1, 1) == (report.adopted, report.sent)
    assert "" == told(report.files["created"])[0]["property_id"]


async def test_several_hits(bench: Any) -> None:
    """Between several properties that fit nothing is guessed, in this run and the next."""
    bench.write(2)
    bench.script(Fault.named("drop-after"))
    bench.emulator.store.add_property(_home("1 High St", "LS2 1AA"), "R1")
    report = await bench.report(concurrency=1, adopt_existing=False)
    for _ in range(2):
        assert (1, 1, 2) == (report.created, report.unknown, bench.posts)
        [row] = told(report.files["unknown"])
        assert "properties 1, 2 all fit; none was guessed" == row["error"]
        report = await bench.report()


async def test_address_of_several_rows(bench: Any) -> None:
    """A property without a reference is not given to one of several rows with its address."""
    bench.write(lines=["1 High St,Leeds,LS1 1AA,A1", "1 HIGH ST,Leeds,LS1 1AA,A2"])
    bench.script(Fault.named("drop-before"), Fault.named("drop-before"))
    bench.emulator.store.add_property(_home("1 High St"), None)
    report = await bench.report(concurrency=1)
    assert (0, 0, 2) == (report.created, report.adopted, report.unknown)
    assert [
        "property 1 has its address, and so has what is on line 3",
        "property 1 has its address, and so has what is on line 2",
    ] == [row["error"] for row in told(report.files["unknown"])]


async def test_address_of_one_row(bench: Any) -> None:
    """A property without a reference is adopted by the only row with its address.

    Without a comparison it may have been there before, so that after a lost answer it is a doubt.
    """
    bench.write(lines=["1 High St,Leeds,LS1 1AA,A1"])
    bench.script(Fault.named("drop-before"))
    bench.emulator.store.add_property(_home("1 High St"), None)
    report = await bench.report(adopt_existing=False)
    assert (0, 0, 1, 1) == (report.created, report.adopted, report.unknown, bench.posts)
    other = bench.folder / "other"
    report = await bench.report(journal=bench.folder / "b.journal", ledger=other)
    assert (0, 1, 1) == (report.created, report.adopted, bench.posts)


def _home(line1: str, postcode: str = "LS1 1AA") -> Address:
    return Address(line1, None, "Leeds", None, postcode)


async def test_sent_five_times(bench: Any) -> None:
    """A row that fails each time it is sent is left open; its rows import from another file."""
    bench.write(2)
    bench.script(None, *[Fault.named("drop-before")] * 5)
    report = await bench.report(settle=0.01, concurrency=1)
    assert (1, 1, 6) == (report.created, report.unknown, report.sent)
    [row] = told(report.files["unknown"])
    assert row["error"].startswith("sent 5 times; last: it may have happened: the connection broke")
    assert row["fix"].startswith("see whether Homebox has it; once you know, run: homebox import")
    assert 1 == (await bench.report()).unknown
    assert 6 == bench.posts
    assert [row] == told(report.files["unknown"])
    other = report.files["unknown"].rename(bench.folder / "other.csv")
    assert whole(await bench.report(other), 1)
    assert bench.expected(2) == bench.references


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_list_lag(bench: Any, concurrency: int) -> None:
    """As long as the list lags less than the settle time, nothing is sent twice."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_lag=0.25))
    bench.write(60)
    bench.script(*[None, Fault.named("drop-after"), Fault.named("drop-before")] * 20)
    report = await bench.report(settle=0.4, concurrency=concurrency)
    assert whole(report, 60)
    assert (20, 20) == (report.adopted, report.reconciled)
    assert bench.expected(60) == bench.references


async def test_look_up_fails(bench: Any) -> None:
    """When the list cannot be read, open rows stay open, with a report."""
    bench.write(3)
    bench.script(None, Fault.named("drop-after"))
    # The first row is read back by two reads; one more opens the gate.
    bench.script(None, None, None, *[Fault.named("500")] * 8, on=LIST)
    report = await bench.report(concurrency=1, adopt_existing=False, patience=0.0)
    assert (2, 1) == (report.created, report.unknown)
    assert isinstance(report.error, ServerError)
    assert "stopped before it could be looked up" == told(report.files["unknown"])[0]["error"]
    report = await bench.report()
    assert (2, 1, True) == (report.created, report.adopted, report.done)


async def test_many_open(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open rows are looked up before they become too many, and found in one sweep."""
    monkeypatch.setattr(claims, "_OPEN_AT_MOST", 60)
    bench.write(300)
    bench.script(*[Fault.named("drop-after"), None] * 100)
    report = await bench.report()
    assert whole(report, 300)
    assert 100 == report.reconciled
    assert bench.expected(300) == bench.references


def test_errors_are_explained() -> None:
    """A refusal without fields is told by its message."""
    error = UnprocessableEntity(
        "the server answered 422: no", outcome=Outcome.REJECTED, status=422, errors={"a": ()}
    )
    assert ("a", "the server answered 422: no") == failures.explain(error)
