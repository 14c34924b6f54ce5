"""What is told of an import: each row once, whatever the callback does."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Event, Homebox, RequestEvent, RowEvent
from homebox_async.emulator import Emulator, Fault
from homebox_async.importer import import_properties, import_properties_sync

CREATE = ("POST", "/api/partner/property")
Write = Callable[..., Path]

LINES = (
    "1 Zqline Street,London,EC1V 2NX,R1",
    "1 Test Lane,London,EC1V 2NX,T-1",  # there already
    ",London,EC1V 2NX,R3",  # refused here
    "4 High Street,London,EC1V 2NX,R4",  # refused by the server
    "5 High Street,London,EC1V 2NX,R5",  # left without an answer, and found
)
ENDS = {(1, "created"), (2, "adopted"), (3, "rejected"), (4, "rejected"), (5, "adopted")}


async def refuse(request: Any, handler: Any) -> Any:
    """Have the server refuse the fourth row."""
    if request.method == "POST" and b'"R4"' in request.body.data:
        request.body = type(request.body)(b"{}")
    return await handler(request)


def script(emulator: Emulator) -> None:
    """Lose the answer to the last row."""
    emulator.script(*CREATE, [None, None, Fault("drop-after")])


async def run(client: AsyncHomebox, source: Path, **options: Any) -> Any:
    """Run an import one row after the other."""
    return await import_properties(client, source, settle=0.05, concurrency=1, **options)


async def test_rows(
    emulator: Emulator, homebox: AsyncHomebox, told: list[Event], write: Write
) -> None:
    """Each row is told once, with its end and its id, and nothing of what stands in it."""
    script(emulator)
    report = await run(homebox.with_options(attempt_middlewares=[refuse]), write(*LINES))
    rows = [event for event in told if isinstance(event, RowEvent)]
    assert ENDS == {(row.number, row.state) for row in rows}
    assert len(ENDS) == len(rows)
    assert [(3, "address.line1"), (4, "address")] == sorted(
        (row.number, row.field) for row in rows if row.state == "rejected"
    )
    assert all(isinstance(row.id, int) for row in rows if row.state in {"created", "adopted"})
    assert {"created": 1, "adopted": 2, "rejected": 2} == Counter(row.state for row in rows)
    assert (1, 2, 2) == (report.created, report.adopted, report.rejected)
    assert not any(word in repr(told) for word in ("Zqline", "EC1V", "High Street"))


async def test_rows_of_the_sync_importer(
    emulator: Emulator, blocking: Homebox, told: list[Event], write: Write
) -> None:
    """The sync importer tells the same rows."""
    source = write(*LINES[:3])

    def work() -> None:
        import_properties_sync(blocking, source, settle=0.05).run()

    await asyncio.to_thread(work)
    rows = {(row.number, row.state) for row in told if isinstance(row, RowEvent)}
    assert {(1, "created"), (2, "adopted"), (3, "rejected")} == rows


async def test_rows_left_open(
    emulator: Emulator, homebox: AsyncHomebox, told: list[Event], write: Write
) -> None:
    """A row that stays open is told as unknown."""
    emulator.script(*CREATE, [Fault("drop-after")])

    def stop(event: Event) -> None:
        if isinstance(event, RequestEvent) and event.method == "POST":
            running.drain()

    client = homebox.with_options(on_event=stop)
    running = import_properties(client, write(LINES[0]), settle=0.05)
    report = await running
    assert 1 == report.unknown
    assert [(1, "unknown")] == [
        (row.number, row.state) for row in told if isinstance(row, RowEvent)
    ]


async def test_a_dry_run(homebox: AsyncHomebox, told: list[Event], write: Write) -> None:
    """A dry run tells the rows that would be refused, and makes no call."""
    await run(homebox, write(*LINES), dry_run=True)
    assert [3] == [event.number for event in told if isinstance(event, RowEvent)]
    assert 1 == len(told)


async def test_a_broken_callback_loses_no_row(
    emulator: Emulator, homebox: AsyncHomebox, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """An import whose callback always raises comes to the same end; it is logged once."""
    script(emulator)

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    client = homebox.with_options(on_event=broken, attempt_middlewares=[refuse])
    report = await run(client, write(*LINES))
    assert (1, 2, 2, 0, 0) == (
        *(report.created, report.adopted, report.rejected),
        *(report.unknown, report.pending),
    )
    references = Counter(home.reference for home in emulator.store.properties)
    assert (1, 1, 0) == (references["R1"], references["R5"], references["R4"])
    assert 1 == len([r for r in caplog.records if r.levelno >= logging.ERROR])


async def test_the_log_of_an_import(
    emulator: Emulator, homebox: AsyncHomebox, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """The importer logs its phases and its end at INFO, and each row at DEBUG."""
    caplog.set_level(logging.DEBUG, "homebox_async.importer")
    script(emulator)
    await run(homebox.with_options(attempt_middlewares=[refuse]), write(*LINES))
    records = [r for r in caplog.records if r.name == "homebox_async.importer"]
    lines = [r.getMessage() for r in records if r.levelno == logging.INFO]
    begun = ["connecting", "checking", "comparing", "sending"]
    phases = [*begun, "reading back", "sending", "reconciling", "writing results"]
    names = {f"import: {phase}" for phase in phases}
    assert [f"import: {phase}" for phase in phases] == [one for one in lines if one in names]
    assert "import: writing results" == lines[-2]
    assert lines[-1].startswith(
        "import: ended, 5 rows: 1 created, 2 adopted, 2 rejected, 0 unknown, 0 pending; 3 requests"
    )
    assert {
        *("row 1: created, id 3", "row 2: adopted, id 1", "row 3: rejected, address.line1"),
        *("row 4: rejected, address", "row 5: adopted, id 4"),
    } == {r.getMessage() for r in records if r.levelno == logging.DEBUG}
