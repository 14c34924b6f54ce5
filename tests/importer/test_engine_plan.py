"""Before anything is sent: planning, references, dry runs, partitions, and adopting."""

import asyncio
import csv
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.errors import ServerError, ValidationError
from homebox_async.importer import (
    ImportOptions,
    JournalError,
    MappingError,
    State,
    run_partition,
)

LIST = ("GET", "/api/partner/property")


def told(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def add(bench: Any, reference: str | None, line1: str = "The Old Mill") -> int:
    """Add a property to the emulator, at the address of the row with its reference."""
    address = Address(line1, None, "York", None, "YO1 1AA")
    if reference and reference[1:].isdigit():
        n = int(reference[1:])
        address = Address(f"{n} HIGH ST.", None, None, None, f"LS{n % 90 + 1} {n % 9}AA")
    number: int = bench.emulator.store.add_property(address, reference).id
    return number


# --- checks


async def test_bad_rows(bench: Any) -> None:
    """Rows that fail the checks are told and not sent; the others are."""
    bench.write(2, ["3 High St,,LS1 1AA,A3", "4 High St,Leeds,LS1 1AA,"])
    report = await bench.report()
    assert (2, 2, 2, False, "") == (
        report.created,
        report.rejected,
        bench.posts,
        report.done,
        report.stopped,
    )
    assert [("3", "address.city"), ("4", "property_reference")] == [
        (row["row"], row["field"]) for row in told(report.files["rejects"])
    ]


async def test_rejects_are_fed_back(bench: Any) -> None:
    """The rejects file, once corrected, is the input of another import."""
    bench.write(2, ["3 High St,,LS1 1AA,A3"])
    rejects = (await bench.report()).files["rejects"]
    corrected = bench.folder / "corrected.csv"
    corrected.write_text(rejects.read_text().replace("3 High St,", "3 High St,Leeds"))
    report = await bench.report(corrected)
    assert (1, True) == (report.created, report.done)
    assert Counter(["R1", "R2", "A3"]) == bench.references


@pytest.mark.parametrize(
    ("refs", "errors"),
    [
        (["A", "B", "A"], {"1": "line 4", "3": "line 2"}),
        (["A", "A", "B", "B"], {"1": "line 3", "2": "line 2", "3": "line 5", "4": "line 4"}),
        (
            ["A"] * 8,
            {
                **{str(n): "lines 2, 3, 4, 5, 6 and 2 more" for n in (6, 7, 8)},
                "1": "lines 3, 4, 5, 6, 7 and 2 more",
                "2": "lines 2, 4, 5, 6, 7 and 2 more",
                "3": "lines 2, 3, 5, 6, 7 and 2 more",
                "4": "lines 2, 3, 4, 6, 7 and 2 more",
                "5": "lines 2, 3, 4, 5, 7 and 2 more",
            },
        ),
    ],
    ids=["one", "two", "many"],
)
@pytest.mark.parametrize("generate", [False, True])
async def test_same_reference(
    bench: Any, refs: list[str], errors: dict[str, str], generate: bool
) -> None:
    """Rows with one reference are all rejected, each with the others named; the rest is sent."""
    bench.write(lines=[f"{n} High St,Leeds,LS1 1AA,{ref}" for n, ref in enumerate(refs)])
    for _ in range(2):
        report = await bench.report(generate_references=generate)
        start = "property_reference is the same as on "
        assert {row: start + error for row, error in errors.items()} == {
            row["row"]: row["error"] for row in told(report.files["rejects"])
        }
    assert len(refs) - len(errors) == report.created == bench.posts


async def test_same_reference_corrected(bench: Any) -> None:
    """Rows rejected for one reference go in from the rejects file, once it is corrected."""
    bench.write(3, ["9 High St,Leeds,LS1 1AA,R1"])
    rejects = (await bench.report()).files["rejects"]
    first, second = rejects.read_text().split("9 High St")
    rejects.write_text(first + "9 High St" + second.replace(",R1,", ",R4,", 1))
    report = await bench.report(rejects)
    assert (2, True) == (report.created, report.done)
    assert bench.expected(4) == bench.references


async def test_changed_file(bench: Any) -> None:
    """A file that changed after rows of it were sent is refused, and sends nothing."""
    bench.write(3)
    await bench.report()
    bench.write(4)
    with pytest.raises(JournalError, match="changed since this journal was written"):
        await bench.report()
    assert 3 == bench.posts
    report = await bench.report(journal=bench.folder / "other.journal")
    assert (1, 3, True) == (report.created, report.adopted, report.done)
    assert bench.expected(4) == bench.references


async def test_generated_references(bench: Any) -> None:
    """Rows without a reference get one of their address; a home that comes twice is sent once."""
    bench.write(
        lines=[
            "1 High St,Leeds,LS1 1AA,",
            "2 High St,Leeds,LS1 1AA,mine",
            "1 HIGH ST,Leeds,LS1 1AA,",
            "3 High St,Leeds,LS1 1AA,",
            "1 High St.,Leeds,LS11AA,",
        ]
    )
    async with bench.start(generate_references=True) as run:
        results = {row.number: row async for row in run}
    assert (3, 2) == (run.report.created, run.report.rejected)
    assert {State.CREATED: 3, State.REJECTED: 2} == {s: n for s, n in run.counts.items() if n}
    assert {1, 2, 3, 4, 5} == set(results)
    assert (State.REJECTED, "is the same home as line 2") == (results[3].state, results[3].error)
    assert [1, 1, 1] == list(bench.references.values())
    assert 1 == bench.references["mine"]
    again = await bench.report(generate_references=True)
    assert (3, 2, 0) == (again.created, again.rejected, again.sent)


async def test_no_columns(bench: Any) -> None:
    """A file whose columns say nothing is refused before a journal is made."""
    bench.write(lines=["1,2"], header="a,b")
    with pytest.raises(MappingError):
        await bench.report()
    assert [bench.path] == list(bench.folder.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [{"concurrency": 0}, {"settle": -1.0}, {"partition": (2, 2)}, {"partition": (-1, 2)}],
    ids=str,
)
def test_bad_options(wrong: dict[str, Any]) -> None:
    """Options that make no sense are refused at once."""
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        ImportOptions(**wrong)


# --- dry run


async def test_dry_run(bench: Any) -> None:
    """A dry run tells what is wrong, sends nothing and keeps nothing."""
    bench.write(2, ["3 High St,,LS1 1AA,A3", "1 High Street,Leeds,LS2 1AA,A4"])
    async with bench.start(dry_run=True) as run:
        results = [row async for row in run]
    report = run.report
    assert [(3, State.REJECTED, "address.city")] == [(r.number, r.state, r.field) for r in results]
    assert (4, 1, 3, 0, True, 1, ((1, 4),), ("lines 2 and 5",), {}) == (
        report.rows,
        report.rejected,
        report.pending,
        report.sent,
        report.dry_run,
        report.repeated_addresses,
        report.repeated_examples,
        report.repeated_at,
        report.files,
    )
    assert 0 == bench.emulator.received.total
    assert [bench.path] == list(bench.folder.iterdir())


# --- iterables


def mappings(count: int) -> Iterator[dict[str, Any]]:
    """Give rows as mappings."""
    for n in range(1, count + 1):
        yield {"line1": f"{n} High St", "city": "Leeds", "postcode": "LS1 1AA", "ref": f"R{n}"}


async def later(count: int) -> AsyncIterator[dict[str, Any]]:
    """Give rows as mappings, one at a time."""
    for row in mappings(count):
        await asyncio.sleep(0)
        yield row


@pytest.mark.parametrize(
    "rows", [lambda: mappings(20), lambda: list(mappings(20)), lambda: later(20)],
    ids=["generator", "list", "async"],
)  # fmt: skip
async def test_iterables(bench: Any, rows: Any) -> None:
    """Any iterable of mappings can be imported, and again, which sends nothing."""
    report = await bench.report(rows())
    assert (20, True, bench.folder / "rows.journal") == (
        report.created,
        report.done,
        report.journal,
    )
    assert bench.expected(20) == bench.references
    assert 0 == (await bench.report(rows())).sent


async def test_iterable_that_fails(bench: Any) -> None:
    """What an iterable raises is raised, and nothing is sent."""

    async def failing() -> AsyncIterator[dict[str, Any]]:
        async for row in later(3):
            yield row
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await bench.report(failing())
    assert 0 == bench.emulator.received.total


# --- adopting


async def test_adopt(bench: Any) -> None:
    """Properties that carry a reference of the input are adopted."""
    there = add(bench, "R2")
    add(bench, "somebody-else's")
    add(bench, None)
    bench.write(3)
    async with bench.start() as run:
        results = {row.number: (row.state, row.property_id) async for row in run}
    assert (2, 1, 0, 2) == (
        run.report.created,
        run.report.adopted,
        run.report.reconciled,
        bench.posts,
    )
    assert (State.ADOPTED, there) == results[2]
    rows = {row["ref"]: row for row in told(run.report.files["created"])}
    assert (str(there), "adopted") == (rows["R2"]["property_id"], rows["R2"]["how"])


async def test_lost_journal(bench: Any) -> None:
    """An import whose journal is lost takes over all that it had created."""
    bench.write(120)
    await bench.report()
    (bench.folder / "portfolio.journal").unlink()
    report = await bench.report()
    assert (0, 120, 0, True) == (report.created, report.adopted, report.sent, report.done)
    assert bench.expected(120) == bench.references


async def test_no_adopting(bench: Any) -> None:
    """Without `adopt_existing` the list is not read before something is sent."""
    bench.write(1)
    await bench.report(adopt_existing=False)
    assert 0 == bench.emulator.counts.requests["GET /api/partner/property"]


async def test_adopt_among_several(bench: Any) -> None:
    """A reference that two properties carry is not guessed between, and not sent."""
    both = [add(bench, "R2"), add(bench, "R2")]
    bench.write(3)
    report = await bench.report()
    assert (2, 0, 1, 2) == (report.created, report.adopted, report.unknown, bench.posts)
    [row] = told(report.files["unknown"])
    assert f"properties {both[0]}, {both[1]} all fit; none was guessed" == row["error"]


async def test_adopt_once(bench: Any) -> None:
    """A resumed import does not compare everything again, but one that sent nothing does."""
    bench.write(1)
    bench.script(Fault.named("401"))
    assert "" != (await bench.report(concurrency=1)).stopped
    lists = bench.emulator.counts.requests["GET /api/partner/property"]
    assert (1, True) == ((report := await bench.report()).created, report.done)
    assert lists == bench.emulator.counts.requests["GET /api/partner/property"]


@pytest.mark.parametrize("how", ["drain", "cancel"])
async def test_adopting_interrupted(bench: Any, how: str) -> None:
    """When comparing is interrupted, it is done again: what was not reached is not sent twice."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(property_page_size=10))
    for n in range(1, 61):
        add(bench, f"R{n}")
    bench.write(70)
    bench.script(None, None, None, Fault.named("slow:5"), on=LIST)
    run = bench.start()
    task = asyncio.ensure_future(run.wait())
    while bench.emulator.counts.faults["slow"] == 0:
        await asyncio.sleep(0.01)
    assert "comparing" == run.phase
    if how == "drain":
        run.drain()
        report = await asyncio.wait_for(task, 3)
        assert (70, 0, "interrupted") == (report.pending, report.sent, report.stopped)
    else:
        await run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    report = await bench.report()
    assert (10, 60, True) == (report.created, report.adopted, report.done)
    assert bench.expected(70) == bench.references


async def test_adopting_killed_halfway(bench: Any) -> None:
    """Rows that were adopted before the import died do not keep others from being adopted."""
    for n in range(1, 31):
        add(bench, f"R{n}")
    bench.write(40)
    run = bench.start()
    emitted = 0
    emit = run._emit

    async def dying(result: Any) -> None:
        nonlocal emitted
        emitted += 1
        await emit(result)
        if emitted == 10:
            raise SystemError("power cut")

    run._emit = dying
    with pytest.raises(SystemError):
        await run
    report = await bench.report()
    assert (10, 30, True) == (report.created, report.adopted, report.done)
    assert bench.expected(40) == bench.references


async def test_adopting_fails(bench: Any) -> None:
    """When the list cannot be read, nothing is sent, and a report tells it."""
    bench.write(3)
    bench.script(*[Fault.named("500")] * 8, on=LIST)
    report = await bench.report(patience=0.0)
    assert (3, 0, 0) == (report.pending, report.sent, bench.posts)
    assert isinstance(report.error, ServerError)
    assert (await bench.report()).done


# --- partitions


@pytest.mark.parametrize("parts", [1, 2, 5])
async def test_partitions(bench: Any, parts: int) -> None:
    """All partitions together import every row exactly once, side by side and run again."""
    bench.write(90, ["1 High St,,LS1 1AA,X1", "2 High St,,LS1 1AA,X2"])
    bench.script(*[None, None, Fault.named("drop-after"), Fault.named("503")] * 10)

    async def run(part: int) -> Any:
        options = ImportOptions(results=bench.folder, settle=0.05, partition=(part, parts))
        return await run_partition(bench.client(), bench.path, options)

    for _ in range(2):
        reports = await asyncio.gather(*map(run, range(parts)))
        assert (92, 90, 2) == (
            sum(report.rows for report in reports),
            sum(report.created + report.adopted for report in reports),
            sum(report.rejected for report in reports),
        )
        assert bench.expected(90) == bench.references
        names = {f"portfolio.part{n}of{parts}.journal" for n in range(1, parts + 1)}
        assert {report.journal.name for report in reports} == (
            names if parts > 1 else {"portfolio.journal"}
        )


async def test_same_reference_in_partitions(bench: Any) -> None:
    """Rows of one reference fall into one partition, which then rejects them all."""
    bench.write(40, [f"{n} Low St,Leeds,LS1 1AA,R{n}" for n in range(1, 41)])
    rejected = 0
    for part in range(4):
        options = ImportOptions(results=bench.folder, partition=(part, 4))
        rejected += (await run_partition(bench.client(), bench.path, options)).rejected
    assert (80, 0) == (rejected, bench.posts)


# --- what is kept


async def test_no_personal_data_in_the_journal(bench: Any) -> None:
    """Neither addresses nor the token stand in the journal, in any state of a row."""
    bench.write(lines=[f"{n} Zanzibar Crescent,Quedlington,ZE1 9AA,R{n}" for n in range(20)])
    bench.script(None, Fault.named("drop-after"), Fault.named("400"), *[Fault.named("503")] * 3)
    run = bench.start(settle=30.0)
    task = asyncio.ensure_future(run.wait())
    while run.counts[State.CREATED] < 10:
        await asyncio.sleep(0.01)
    files = [path for path in bench.folder.iterdir() if ".journal" in path.name]
    content = b"".join(path.read_bytes() for path in files).lower()
    run.drain()
    await task
    content += (bench.folder / "portfolio.journal").read_bytes().lower()
    assert b"r7" in content
    token = bench.emulator.token.encode()
    for text in (b"zanzibar", b"crescent", b"quedl", b"ze1 9aa", b"ze19aa", token):
        assert text not in content


async def test_journal_of_another_account(bench: Any) -> None:
    """A journal of another account is refused."""
    bench.write(3)
    await bench.report()
    with sqlite3.connect(bench.folder / "portfolio.journal") as connection:
        connection.execute("UPDATE meta SET value = 'elsewhere' WHERE name = 'target'")
    connection.close()
    with pytest.raises(JournalError, match="another account or server"):
        await bench.report()
