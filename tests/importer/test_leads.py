"""Importing leads: every tenant is told once, and nothing is sent that nobody has confirmed."""

import asyncio
import csv
import datetime as dt
import json
import pickle
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Assumed, Fault
from homebox_async.emulator.routes import leads as route
from homebox_async.errors import ValidationError
from homebox_async.failures import failure
from homebox_async.importer import MappingError, NotConfirmed, Preview, State
from homebox_async.importer.leads import LeadColumns, LeadRow
from homebox_async.importer.sources import Row
from homebox_async.wire import Response

from .running import until
from .tenancies import LATER, LEAD, LEADS, SOON, lead, leads, posts, texted, write

LAST = "2062-01-01"
SAME_TENANT = "lead 1 may be it: it is for one of the tenants from the same day"
OTHER_TENANTS = "lead 1 may be it: it has this home and first day, and other tenants"


def told(path: Any) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_all_is_well(bench: Any) -> None:
    """Each row is a lead with its tenants; a second run sends nothing."""
    write(bench, [lead(1, tenants=2), lead(2, start=LATER), lead(3, notifications="no")])
    report = await leads(bench)
    assert (3, 3, 3, True, "leads") == (
        report.rows,
        report.created,
        report.sent,
        report.done,
        report.kind,
    )
    there = list(bench.emulator.store.leads)
    assert {("L1", 2, True), ("L2", 1, True), ("L3", 1, False)} == {
        (row.reference, len(row.tenants), row.notifications) for row in there
    }
    assert {str(SOON), str(LATER)} == {row.tenancy_start for row in there}
    created = told(report.files["created"])
    ids = {row.reference: str(row.id) for row in there}
    assert [ids[row["ref"]] for row in created] == [row["lead_id"] for row in created]
    again = await leads(bench, confirm=None)
    assert (3, 0, True) == (again.created, again.sent, again.done)
    assert 3 == posts(bench)


async def test_preview_is_what_happens(bench: Any) -> None:
    """The preview of a dry run counts what the outbox then holds."""
    write(
        bench,
        [
            lead(1, tenants=2),
            lead(2, start=LATER, tenants=2),
            lead(3, notifications="false"),
            lead(4, start="nonsense"),
        ],
    )
    dry = await leads(bench, confirm=None, dry_run=True)
    assert Preview(kind="leads", rows=3, sms=3, emails=3, suppliers=2) == dry.preview
    assert (8, 0) == (dry.preview.number, posts(bench))
    await leads(bench, confirm=8)
    kinds = Counter(message.kind for message in bench.emulator.outbox)
    assert {"sms": 3, "email": 3, "supplier": 2} == kinds


@pytest.mark.parametrize(
    ("confirm", "says"),
    [
        (None, "2 leads will be sent; 2 SMS and 2 emails go to tenants at once; .* repeat 6"),
        (5, "5 was confirmed, but 2 leads will be sent; .* to confirm it, repeat 6"),
        (lambda preview: False, "not confirmed; nothing was sent"),
    ],
    ids=["nobody", "wrong", "no"],
)
async def test_not_confirmed(bench: Any, confirm: Any, says: str) -> None:
    """Without the number, with another one or with a no, nothing is sent; rejects are told."""
    write(bench, [lead(1), lead(2), lead(3, start="")])
    with pytest.raises(NotConfirmed, match=says) as caught:
        await leads(bench, confirm=confirm)
    assert (6, 0) == (caught.value.preview.number, posts(bench))
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(caught.value), caught.value.preview) == (str(copied), copied.preview)
    assert ["3"] == [row["row"] for row in told(bench.folder / "portfolio.rejects.csv")]


async def test_confirmed_by_a_coroutine(bench: Any) -> None:
    """A function that is asked may take its time."""
    write(bench, [lead(1)])
    seen: list[Preview] = []

    async def ask(preview: Preview) -> bool:
        seen.append(preview)
        return True

    assert (await leads(bench, confirm=ask)).done
    assert [3] == [preview.number for preview in seen]


@pytest.mark.parametrize("options", [{"confirm": True}, {"dates": "us"}], ids=["true", "dates"])
async def test_options_that_mean_nothing(bench: Any, options: dict[str, Any]) -> None:
    """True is no number, and there are two ways to write a date."""
    write(bench, [lead(1)])
    with pytest.raises(ValidationError, match=next(iter(options))):
        leads(bench, **options)


async def test_goes_on_without_asking_again(bench: Any) -> None:
    """Who resumes is not asked for what was confirmed, but for more than that."""
    write(bench, [lead(n) for n in range(1, 7)])
    bench.script(None, None, Fault("status", 401), on=LEAD)
    first = await leads(bench, confirm=18, concurrency=1)
    assert (2, 4, False) == (first.created, first.pending, first.done)
    second = await leads(bench, confirm=None)
    assert (6, True) == (second.created, second.done)
    assert {1} == set(texted(bench).values())


async def test_asked_for_rows_in_doubt(bench: Any) -> None:
    """A journal that lost its log may have sent anything: sending it again needs a confirmation."""
    write(bench, [lead(1), lead(2)])
    with pytest.raises(NotConfirmed):
        await leads(bench, confirm=None)
    with sqlite3.connect(bench.folder / "portfolio.journal") as connection:
        connection.execute("UPDATE meta SET value = 1 WHERE name = 'running'")
    connection.close()
    with pytest.raises(NotConfirmed) as caught:
        await leads(bench, confirm=None)
    assert (6, 0) == (caught.value.preview.number, posts(bench))
    assert (await leads(bench, confirm=6)).done


async def test_asked_again_for_a_changed_file(bench: Any) -> None:
    """What was confirmed for a file does not count for another one in its place."""
    write(bench, [lead(1), lead(2)])
    bench.script(Fault("status", 401), on=LEAD)
    assert 0 == (await leads(bench, confirm=6, concurrency=1)).created
    write(bench, [lead(1)])
    with pytest.raises(NotConfirmed):
        await leads(bench, confirm=None, journal=bench.folder / "other.journal")


@pytest.mark.parametrize("ref", [None, ""], ids=["reference", "address"])
@pytest.mark.parametrize(
    ("fault", "created"),
    [("drop-before", False), ("drop-after", True), ("500-after", True), ("garbage", True)],
)
async def test_open_answers(bench: Any, fault: str, created: bool, ref: str | None) -> None:
    """A row whose answer tells nothing is looked up, and sent again only if it is not there."""
    write(bench, [lead(n, ref=ref) for n in range(1, 5)])
    bench.script(None, Fault.named(fault), None, Fault.named(fault), on=LEAD)
    report = await leads(bench)
    assert (4, True, 2 * created) == (report.created + report.adopted, report.done, report.adopted)
    assert (4 + 2 * (not created), 4) == (posts(bench), len(bench.emulator.store.leads))
    assert {1} == set(texted(bench).values())


async def test_shown_late(bench: Any) -> None:
    """A lead that the list shows late is waited for."""
    bench.emulator.store._assumed = bench.emulator.assumed = Assumed(list_lag=0.2)
    write(bench, [lead(n) for n in range(1, 4)])
    bench.script(Fault.named("drop-after"), on=LEAD)
    report = await leads(bench, settle=0.5)
    assert (2, 1, 3) == (report.created, report.adopted, posts(bench))


@pytest.mark.parametrize("order", ["oldest-first", "newest-first"])
async def test_many_unknown(bench: Any, order: Any) -> None:
    """Several pages of leads are read to the end."""
    bench.emulator.assumed = Assumed(list_order=order)
    write(bench, [lead(n) for n in range(1, 131)])
    bench.script(*[Fault.named("drop-after")] * 60, on=LEAD)
    for _ in range(5):
        report = await leads(bench)
    assert report.done
    assert 130 == len(bench.emulator.store.leads) == posts(bench)


async def test_several_are_not_guessed(bench: Any) -> None:
    """Of two leads with the reference and the start of a row, none is taken, and none is sent."""
    write(bench, [lead(1)])
    await leads(bench)
    elsewhere = {"ledger": bench.folder / "elsewhere", "journal": bench.folder / "b.journal"}
    await leads(bench, adopt_existing=False, **elsewhere)
    third = await leads(bench, journal=bench.folder / "c.journal", ledger=bench.folder / "new")
    assert (1, 0, 2) == (third.unknown, third.sent, posts(bench))
    row = told(third.files["unknown"])[0]
    assert "leads 1, 2 may be it" == row["error"]
    assert "c.journal 1 --is ID (or --not-there" in row["fix"]


async def test_existing_is_adopted(bench: Any) -> None:
    """A lead of an earlier import is adopted, with or without a reference; nothing is sent."""
    write(bench, [lead(1), lead(2, ref="")])
    await leads(bench)
    report = await leads(bench, confirm=None, journal=bench.folder / "other.journal")
    assert (2, 0, True) == (report.adopted, report.sent, report.done)
    assert {"adopted"} == {row["how"] for row in told(report.files["created"])}


@pytest.mark.parametrize(
    ("row", "state", "error"),
    [
        (lead(1, ref="new"), State.UNKNOWN, SAME_TENANT),
        (lead(1, ref="l1"), State.UNKNOWN, SAME_TENANT),
        (lead(1, ref="L123"), State.UNKNOWN, SAME_TENANT),
        (lead(1, ref="L1", line1="Room 2 1 High Street"), State.UNKNOWN, SAME_TENANT),
        (lead(1, ref=""), State.ADOPTED, ""),
        (lead(1, ref="", line1="1 HIGH ST."), State.ADOPTED, ""),
        (lead(9, ref="L1", line1="1 High St"), State.UNKNOWN, OTHER_TENANTS),
        (lead(9, ref="L1", line1="Room 2 1 High Street"), State.CREATED, ""),
        (lead(9, ref="L1", line1="1 High Street", start=LATER), State.CREATED, ""),
        (lead(9, ref="L1", start="2061-01-01", end="2062-01-01"), State.CREATED, ""),
        (lead(1, ref="new", start=LATER), State.CREATED, ""),
    ],
    ids=[
        *("same-tenant", "recased", "shortened", "another-room", "no-reference", "respelt"),
        *("other-tenants", "room", "overlap", "next-tenancy", "another-day"),
    ],
)
async def test_like_an_existing_one(bench: Any, row: str, state: State, error: str) -> None:
    """A tenant who has a lead from that day is not told again; the next tenancy is."""
    write(bench, [lead(1)])
    await leads(bench)
    write(bench, [row])
    run = leads(bench, journal=bench.folder / "other.journal")
    async with run:
        results = [result async for result in run]
    assert [(state, error)] == [(result.state, result.error) for result in results]
    assert posts(bench) == 1 + (state is State.CREATED)
    again = await leads(bench, journal=bench.folder / "other.journal")
    assert (0, state is State.UNKNOWN) == (again.sent, bool(again.unknown))


async def test_lead_without_a_reference(bench: Any) -> None:
    """A lead by hand, without a reference, for the row's address, tenant and day, is the row's."""
    write(bench, [lead(1, ref="")])
    await leads(bench)
    write(bench, [lead(1), lead(2)])
    report = await leads(bench, journal=bench.folder / "other.journal")
    assert (1, 1, 2) == (report.adopted, report.created, posts(bench))


async def test_doubt_after_a_lost_answer(bench: Any) -> None:
    """A row whose lead the server shows with another reference stays open for good."""
    write(bench, [lead(1)])
    bench.script(Fault.named("drop-after"), on=LEAD)
    store = bench.emulator.store
    add = store.add_lead
    store.add_lead = lambda new: add(attrs.evolve(new, reference="other"))
    report = await leads(bench)
    assert (1, 1) == (report.unknown, posts(bench))
    assert SAME_TENANT == told(report.files["unknown"])[0]["error"]
    assert 1 == (await leads(bench, confirm=None)).unknown
    assert 1 == posts(bench)


async def test_list_that_is_too_short(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that holds less than it counts stops the import: what it hides would be sent twice."""
    write(bench, [lead(n) for n in range(1, 4)])
    await leads(bench)
    paginated = route.paginated
    monkeypatch.setattr(route, "paginated", lambda items, **more: paginated(items[1:], **more))
    report = await leads(bench, journal=bench.folder / "other.journal")
    assert (3, 0, 3) == (report.pending, report.sent, posts(bench))
    assert "2 items came, and the server reported a total of 3" in report.stopped


async def test_other_dates(bench: Any) -> None:
    """A server that takes another date than was sent stops the import."""
    write(bench, [lead(n) for n in range(1, 4)])
    store = bench.emulator.store
    add = store.add_lead
    store.add_lead = lambda new: add(attrs.evolve(new, tenancy_start="2050-07-01"))
    report = await leads(bench, concurrency=1)
    assert (1, 2, 1) == (report.created, report.pending, posts(bench))
    assert f"line 2: the server's answer shows tenancy_start 2050-07-01 where {SOON} was sent" in (
        report.stopped
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (lead(1, start="31/13/2026"), "tenancy_start|is not a date that can be read"),
        (lead(1, start="soon"), "tenancy_start|is not a date that can be read"),
        (lead(1, start="1999-12-31"), "tenancy_start|is outside 2000 to 2068"),
        (lead(1, end=""), "tenancy_end|is empty"),
        (lead(1, end=SOON), "tenancy_end|is not after tenancy_start"),
        (lead(1, notifications="perhaps"), "notifications|is neither yes nor no"),
        (lead(1, tenants=0), "tenant1_first_name|is empty"),
        (lead(1, line1=""), "address.line1|is empty"),
        (lead(1).replace("+447", "9"), "tenant1_phone_number|is not a number with country code"),
        (lead(1).replace("@", " at "), "tenant1_email_address|is not an email address"),
        (lead(1).replace("Zqlee", ""), "tenant1_last_name|is empty"),
    ],
)
async def test_rejected(bench: Any, line: str, problem: str) -> None:
    """What is wrong with a row is told by its field, without its values, and it is not sent."""
    write(bench, [line, lead(2)])
    report = await leads(bench)
    row = told(report.files["rejects"])[0]
    assert [problem] == [f"{row['field']}|{row['error'].partition(' ')[2]}"]
    assert (1, 1) == (report.rejected, posts(bench))
    assert "Zq" not in row["error"] + row["fix"]


async def test_same_home_and_start(bench: Any) -> None:
    """Two rows of one tenancy would make two leads of it: the second one is not sent."""
    lines = [lead(1), lead(1, line1="1 high st"), lead(3, ref="L1", start=LAST, end="2063-01-01")]
    write(bench, lines)
    report = await leads(bench)
    assert (2, 1, 0) == (report.created, report.rejected, report.repeated_addresses)
    row = told(report.files["rejects"])[0]
    assert ("2", "is the same lead as line 2") == (row["row"], row["error"])
    assert "leave one of them out" == row["fix"]


async def test_tenant_of_two_rows(bench: Any) -> None:
    """The preview tells of tenants who would be texted for more than one row."""
    write(bench, [lead(1), lead(1, ref="L9", line1="9 High Street")])
    dry = await leads(bench, dry_run=True)
    assert 1 == dry.preview.repeated_tenants
    assert "1 tenant of them in more than one row: texted for each" in str(dry.preview)


def read(cells: dict[str, str], **options: Any) -> Any:
    """Read one row of leads."""
    return LeadColumns.recognise(list(cells), **options).read(Row(1, cells))


TENANT = {"First name": "A", "Surname": "B", "Mobile": "+447911123456", "E-mail": "a@b.uk"}
DATES = {"Move in": "01/12/2026", "End date": "30/11/2027"}
HOME = {"Address": "1 High St", "Town": "Leeds", "Postcode": "LS1 1AA"}


def test_spreadsheet_words() -> None:
    """Columns as people name them, and days that come first where that is known."""
    made = read({**DATES, **TENANT, **HOME}, dates="dmy")
    assert isinstance(made, LeadRow)
    assert (dt.date(2026, 12, 1), dt.date(2027, 11, 30)) == (made.tenancy_start, made.tenancy_end)
    assert "B" == made.tenants[0].last_name
    assert "+447911123456" not in repr(made)
    cells = {**DATES, **TENANT, **HOME}
    (problem,) = LeadColumns.recognise(list(cells), dates="auto").checked(Row(1, cells))
    assert "--date-order dmy" in problem.fix


def test_without_an_address() -> None:
    """Without notifications a lead needs no address, but then a reference to be found by."""
    cells = {**DATES, **TENANT, "notifications": "no", "ref": "A1"}
    assert "ref:A1|2026-12-01" == read(cells, dates="dmy").key
    assert ["property_reference"] == [p.field for p in read({**cells, "ref": ""}, dates="dmy")]
    both = read({**cells, **HOME, "Address": "", "Town": "", "Postcode": ""}, dates="dmy")
    assert "ref:A1|2026-12-01" == both.key


def test_address_by_its_id() -> None:
    """A home may be named by an id, and is then the one that may be missing."""
    made = read({**DATES, **TENANT, "address_id": "VglS"}, dates="dmy")
    assert ("id:VglS|2026-12-01", True) == (made.key, made.names_an_id)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ([*DATES, *TENANT], "there is no address among the columns"),
        ([*TENANT, *HOME], "no tenancy_start and no tenancy_end among .*--map tenancy_start=COL"),
        ([*DATES, *HOME], "no tenant1_first_name and no tenant1_last_name and"),
        ([*DATES, *HOME, *TENANT, "tenant3 email"], "no tenant3_first_name"),
        ([*DATES, *HOME, *TENANT, "tenant21_email"], "'tenant21_email' is of a tenant beyond"),
        ([*DATES, *TENANT, "notifications"], "neither an address nor a property_reference"),
        ([*DATES, *HOME, *TENANT, "tenant1 phone"], "may both be tenant1_phone_number; say which"),
    ],
)
def test_columns_that_do_not_do(columns: list[str], error: str) -> None:
    """What is missing among the columns is told in one line, with what to do."""
    with pytest.raises(MappingError, match=error) as caught:
        LeadColumns.recognise(columns)
    assert "\n" not in str(caught.value)


def test_malformed_row() -> None:
    """A row that could not be taken apart is told as such."""
    columns = LeadColumns.recognise([*DATES, *HOME, *TENANT])
    fault = read({**DATES, **TENANT, **HOME})[0]
    assert [fault] == columns.read(Row(1, {}, fault))


PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from homebox_async import AsyncHomebox, Retry
    from homebox_async.importer import import_leads

    async def main(url, token, source, folder):
        async with AsyncHomebox(token, base_url=url, retry=Retry(backoff=0.0)) as client:
            await import_leads(client, source, results=folder, settle=0.2, confirm=180)

    asyncio.run(main(*sys.argv[1:]))
    """
)


@pytest.mark.parametrize("moment", [1, 25, 45])
async def test_killed(bench: Any, moment: int) -> None:
    """After kill -9 at any moment, and lost answers, no tenant is texted twice and none missed."""
    write(bench, [lead(n) for n in range(1, 61)])
    bench.script(*[None, Fault.named("drop-after"), None, Fault.named("drop-before")] * 5, on=LEAD)
    arguments = (bench.emulator.url, bench.emulator.token, bench.path, bench.folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *map(str, arguments), stderr=subprocess.DEVNULL
    )
    await until(lambda: posts(bench) >= moment)
    process.send_signal(signal.SIGKILL)
    assert -signal.SIGKILL == await process.wait()
    report = await leads(bench, confirm=180, settle=0.2)
    assert (60, True) == (report.created + report.adopted, report.done)
    assert 60 == len(texted(bench))
    assert {1} == set(texted(bench).values())


async def test_refusal_that_repeats_what_was_sent(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What the server says of a tenant in its refusal is masked everywhere."""
    caplog.set_level(1)
    said = "Zqann Zqlee (+447911000010, zq10@example.com) is known already"

    async def refuse(request: Any, handler: Any) -> Any:
        if request.method == "POST":
            body = json.dumps({"message": said, "errors": {"tenants.0.first_name": [said]}})
            raise failure(request, Response(422, {}, body.encode()), 0.0)
        return await handler(request)

    write(bench, [lead(1)])
    report = await leads(bench, client=bench.client(attempt_middlewares=[refuse]))
    row = told(report.files["rejects"])[0]
    shown = row["field"] + row["error"] + row["fix"] + caplog.text + repr(report)
    shown += (bench.folder / "portfolio.journal").read_bytes().decode("latin-1")
    for personal in ("Zqann", "Zqlee", "447911000010", "zq10@"):
        assert personal not in shown


async def test_no_personal_data_in_the_journal(bench: Any) -> None:
    """Names, numbers and addresses of tenants are not in the journal, whatever happens."""
    write(bench, [lead(1), lead(2, start=""), lead(3)])
    bench.script(None, Fault.named("drop-after"), on=LEAD)
    report = await leads(bench)
    content = b"".join(path.read_bytes() for path in bench.folder.glob("*.journal*"))
    for personal in (b"Zqann", b"Zqlee", b"+447911", b"447911", b"@example.com", b"High"):
        assert personal not in content
    assert "Zq" not in repr(report)
    assert LEADS.split(",")[-1] in report.files["created"].read_text()
