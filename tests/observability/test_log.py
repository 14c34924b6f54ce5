"""The log: one tree, its levels, and what its lines say."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from homebox_async import (
    AsyncHomebox,
    Outcome,
    PageEvent,
    PauseEvent,
    RequestEvent,
    RetryEvent,
    RowEvent,
    request_id,
)
from homebox_async.emulator import Emulator, Fault

Lines = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Return the lines of the tree: logger, level and message."""
    caplog.set_level(logging.DEBUG, "homebox_async")
    return lambda: [(r.name, r.levelname, r.getMessage()) for r in caplog.records]


async def test_one_story(server: Any, connect: Any, lines: Lines) -> None:
    """A call that is slowed down, tried again and answered is told in order."""
    server.acts = [server.say(429, headers=[("Retry-After", "0")]), server.reset]
    server.default = server.say(headers=[("X-Request-Id", "srv-7")])
    with request_id("job-42"):
        await connect().request("GET", "lead/{lead_id}/notes", params={"lead_id": "private"})
    first, second, third, call = lines()
    client = "homebox_async.client"
    assert (client, "INFO") == first[:2] == second[:2] == third[:2]
    assert "paused for 0.0 s: the server asked GET lead/{lead_id}/notes to wait" == first[2]
    assert second[2].startswith("GET lead/{lead_id}/notes: the server answered 429: ")
    assert second[2].endswith("; attempt 2 in 0.00 s")
    assert third[2].endswith("; attempt 3 in 0.00 s")
    assert (client, "DEBUG") == call[:2]
    assert call[2].startswith("GET lead/{lead_id}/notes: 200, 2 bytes, ")
    assert call[2].endswith(" ms, 3 attempts, request id srv-7, sent as job-42")


async def test_pages(emulator: Emulator, homebox: AsyncHomebox, lines: Lines) -> None:
    """Each page of a list has a line of its own."""
    await homebox.properties.list().collect()
    pages = ["property: page 1, 2 items", "property: page 2, 0 items"]
    assert pages == [line for _, _, line in lines() if line.startswith("property")]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            RequestEvent(
                method="GET", path="x", outcome=None, seconds=0.5, status=200, attempts=1, size=7
            ),
            "GET x: 200, 7 bytes, 500 ms",
        ),
        (
            RequestEvent(
                method="GET",
                path="x",
                outcome=Outcome.REJECTED,
                seconds=0.5,
                status=404,
                error="NotFound",
                message="GET x: the server answered 404 [..]",
                request_id="a",
                sent_request_id="a",
            ),
            "GET x: the server answered 404 [..] after 500 ms, request id a",
        ),
        (
            RequestEvent(
                method="POST",
                path="x",
                outcome=Outcome.UNKNOWN,
                seconds=0.001,
                error="CancelledError",
                sent_request_id="b",
            ),
            "POST x: CancelledError [outcome: unknown] after 1 ms, sent as b",
        ),
        (
            RetryEvent(
                method="GET",
                path="x",
                attempt=1,
                wait=0.25,
                outcome=Outcome.UNKNOWN,
                error="ConnectionFailed",
                message="GET x: broke",
            ),
            "GET x: broke; attempt 2 in 0.25 s",
        ),
        (
            PauseEvent(method="GET", path="x", seconds=2.5),
            "paused for 2.5 s: the server asked GET x to wait",
        ),
        (PageEvent(path="x", number=2, items=50), "x: page 2, 50 items"),
        (PageEvent(path="x", number=2, items=50, last_page=9), "x: page 2 of 9, 50 items"),
        (RowEvent(number=3, state="created", id=7), "row 3: created, id 7"),
        (RowEvent(number=3, state="rejected", field="city"), "row 3: rejected, city"),
        (RowEvent(number=3, state="adopted"), "row 3: adopted"),
    ],
    ids=[
        *("call", "failure", "cancelled", "retry", "pause"),
        *("page", "last-page", "created", "rejected", "no-id"),
    ],
)
def test_lines(event: Any, line: str) -> None:
    """Each event is a line that people can read."""
    assert line == str(event)


async def test_quiet_by_default(
    emulator: Emulator, homebox: AsyncHomebox, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a level of its own, nothing is logged of calls that end well."""
    emulator.script("GET", "/api/partner/property/1", [Fault("status", 503)])
    await homebox.properties.get(1)
    assert [] == caplog.records
