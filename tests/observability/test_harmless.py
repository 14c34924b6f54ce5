"""What watches a call never changes what it comes to, and warnings name the record and the line."""

import asyncio
import datetime as dt
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homebox_async import (
    Address,
    AsyncHomebox,
    EchoMismatch,
    Homebox,
    NewTenant,
    NotFound,
    OutcomeUnknown,
    Retry,
)
from homebox_async.emulator import Emulator, Fault

PATH = "/api/partner/property/{property_id}"


class Broken(logging.Handler):
    """A handler that raises in `emit`, where logging does not catch it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(logging.DEBUG)
        self.error = error
        self.calls = 0

    def handle(self, record: logging.LogRecord) -> bool:
        """Fail."""
        self.calls += 1
        raise self.error


def broken_filter(record: logging.LogRecord) -> bool:
    """Fail."""
    raise LookupError("secret words")


@pytest.fixture(
    params=[RuntimeError("secret words"), asyncio.CancelledError(), "filter"],
    ids=["handler", "cancelled", "filter"],
)
def _broken(request: pytest.FixtureRequest) -> Iterator[None]:
    logger = logging.getLogger("homebox_async.client")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    if request.param == "filter":
        logger.addFilter(broken_filter)
        yield
        logger.removeFilter(broken_filter)
    else:
        handler = Broken(request.param)
        logger.addHandler(handler)
        yield
        logger.removeHandler(handler)
        assert handler.calls
    logger.setLevel(level)


def raising(_: object) -> None:
    """Fail as a callback."""
    raise RuntimeError("secret words")


@pytest.mark.usefixtures("_broken")
@pytest.mark.parametrize("on_event", [None, raising], ids=["log", "log and callback"])
async def test_a_log_that_raises(emulator: Emulator, on_event: Any) -> None:
    """Results, retries, errors and cancellations are what they are without it."""
    retry = Retry(backoff=0.0)
    options: dict[str, Any] = {"base_url": emulator.url, "retry": retry, "on_event": on_event}
    async with AsyncHomebox(emulator.token, **options) as client:
        emulator.script("GET", "/api/partner/account", [Fault("status", 503)])
        assert (await client.account.get()).name is not None
        with pytest.raises(NotFound):
            await client.properties.get(999)
        emulator.script("POST", "/api/partner/property", [Fault("drop-after")])
        with pytest.raises(OutcomeUnknown):
            await client.request("POST", "property", json={})
        emulator.script("POST", "/api/partner/property", [Fault("hang")])
        task = asyncio.create_task(client.request("POST", "property", json={}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert "outcome: unknown" in caught.value.__notes__[0]


LEAD = {
    "id": 7,
    "tenancy_start": "2021-01-05T00:00:00Z",
    "tenancy_end": "2022-01-06T00:00:00Z",
}


def lead(number: int) -> dict[str, Any]:
    """Return the arguments of a lead."""
    return {
        "tenancy_start": dt.date(2021, 5, 1),
        "tenancy_end": dt.date(2022, 6, 1),
        "notifications": False,
        "managing_party_name": f"Agent {number}",
        "address": Address(line1="1 High Street", city="Leeds", postcode="LS1 1AA"),
        "tenants": [
            NewTenant(
                first_name="A",
                last_name="B",
                email_address="a@example.com",
                phone_number="+447700900123",
            )
        ],
    }


@pytest.fixture
def _echo(server: Any) -> None:
    ids = iter(range(7, 99))

    async def act(wire: Any, seen: Any) -> None:
        body = json.dumps({"data": {**LEAD, "id": next(ids)}}).encode()
        await server.say(201, body)(wire, seen)

    server.default = act


def check(caught: list[warnings.WarningMessage], lines: list[int]) -> None:
    """Compare what was warned of with the lines that made the calls."""
    assert [__file__] * 2 == [warning.filename for warning in caught]
    assert [EchoMismatch] * 2 == [warning.category for warning in caught]
    assert lines == [warning.lineno for warning in caught]
    assert ["Lead 7: ", "Lead 8: "] == [str(warning.message)[:8] for warning in caught]
    assert all(
        "tenancy_start: the server's answer shows 2021-01-05" in str(warning.message)
        and "tenancy_end: the server's answer shows 2022-01-06" in str(warning.message)
        for warning in caught
    )


def line_of(call: Callable[..., Any], offset: int) -> int:
    """Return a line of a function."""
    return call.__code__.co_firstlineno + offset


@pytest.mark.usefixtures("_echo")
async def test_other_dates_in_async_code(server: Any) -> None:
    """Each record warns once, by its name, at the line that made it."""
    async with AsyncHomebox("t", base_url=server.url) as client:
        with warnings.catch_warnings(record=True, action="default") as caught:
            for number in range(2):
                await client.leads.create(**lead(number))
    line = line_of(test_other_dates_in_async_code, 6)
    check(caught, [line, line])


@pytest.mark.usefixtures("_echo")
async def test_other_dates_in_sync_code(server: Any) -> None:
    """So it is in sync code, whose calls run in another thread."""

    def work() -> None:
        with Homebox("t", base_url=server.url) as box:
            for number in range(2):
                box.leads.create(**lead(number))

    with warnings.catch_warnings(record=True, action="default") as caught:
        await asyncio.to_thread(work)
    line = line_of(work, 3)
    check(caught, [line, line])
