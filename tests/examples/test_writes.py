"""Writes from a web application: done once, whoever leaves and whatever stops."""

import asyncio
import datetime as dt
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Emulator, Fault

from .serving import Program, command, served, until

pytestmark = pytest.mark.slow

FASTAPI = command("uvicorn fastapi_app")
LEAD = "/api/partner/lead"
INVITATION: dict[str, Any] = {
    "tenant": {
        "first_name": "Bill",
        "last_name": "Apple",
        "phone_number": "+447700900123",
        "email_address": "bill@example.com",
    },
    "home": {"line1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"},
    "start": str(dt.date.today() + dt.timedelta(days=3)),
    "end": str(dt.date.today() + dt.timedelta(days=300)),
}


@pytest.fixture(scope="module")
def server(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Return the FastAPI example."""
    with served(FASTAPI, emulator, tmp_path_factory.mktemp("app"), code=-signal.SIGTERM) as program:
        yield program


async def put(server: Program, reference: str, **changes: Any) -> tuple[int, Any]:
    """Ask for an invitation and return the status and the answer."""
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.put(f"/leads/{reference}", json=INVITATION | changes) as answer,
    ):
        return answer.status, await answer.json()


async def state_of(server: Program, reference: str) -> str:
    """Return how an invitation has ended."""
    while (state := (await put(server, reference))[1]["state"]) == "sending":
        await asyncio.sleep(0.01)
    return str(state)


async def test_lead_is_sent_once(emulator: Emulator, server: Program) -> None:
    """Asked for twenty times at once under one reference, a tenant is invited once."""
    answers = await asyncio.gather(*(put(server, "once") for _ in range(20)))

    assert {202} == {status for status, _ in answers}
    assert (await state_of(server, "once")).startswith("created as ")
    assert ["POST"] == [received.method for received in emulator.received]
    assert ["sms", "email", "supplier"] == [message.kind for message in emulator.outbox]


async def test_lead_that_may_be_there(emulator: Emulator, server: Program) -> None:
    """A lead whose answer was lost stays unknown: asking again does not send it again."""
    emulator.script("POST", LEAD, [Fault("drop-after")])

    await put(server, "open")

    assert "unknown" == await state_of(server, "open")
    assert "unknown" == await state_of(server, "open")
    assert [True] == [received.committed for received in emulator.received]
    server.provoked.append(r"ERROR:fastapi_app:lead open: POST lead: it may have happened: .*\n")


async def test_lead_that_was_not_made(emulator: Emulator, server: Program) -> None:
    """A lead that certainly did nothing may be asked for again."""
    await put(server, "again", end=INVITATION["start"])
    await until(lambda: "lead again: " in server.said)
    assert 0 == len(emulator.received)

    assert (await state_of(server, "again")).startswith("created as ")

    assert [True] == [received.committed for received in emulator.received]
    server.provoked.append(r"ERROR:fastapi_app:lead again: tenancy_end .*\(nothing was sent\)\n")


async def test_stopped_while_sending(emulator: Emulator, tmp_path: Path) -> None:
    """A server that is told to stop finishes the invitation that it has answered for."""
    emulator.script("POST", LEAD, [Fault.named("slow:0.5")])

    with served(FASTAPI, emulator, tmp_path, code=-signal.SIGTERM) as program:
        await put(program, "last")
        await until(lambda: emulator.received)
        program.stop()

    assert [(True, False)] == [(r.committed, r.cut) for r in emulator.received]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("slow:0.5", r"INFO:__main__:after its visitor left: Property\(.* is done\n"),
        ("hang-after:0.5", r"ERROR:__main__:after its visitor left: POST property: it may .*\n"),
    ],
    ids=["done", "unknown"],
)
async def test_visitor_leaves_a_write(
    fault: str, told: str, emulator: Emulator, tmp_path: Path
) -> None:
    """In aiohttp.web, which cancels handlers, a write goes on when its visitor leaves."""
    home = {"line1": "9 Long Road", "city": "Leeds", "postcode": "LS1 1AA", "reference": "L-9"}
    emulator.script("POST", "/api/partner/property", [Fault.named(fault)])

    with served(command("python aiohttp_app"), emulator, tmp_path, PORT="0") as program:
        program.provoked.append(told)
        async with aiohttp.ClientSession(program.url) as session:
            leaving = asyncio.create_task(session.post("/properties", json=home))
            await until(lambda: emulator.received)
            leaving.cancel()
            await until(lambda: "the visitor left: no call was cancelled" in program.said)
            async with session.post("/properties", json={**home, "postcode": ""}) as refused:
                assert 422 == refused.status

    assert [(True, False)] == [(r.committed, r.cut) for r in emulator.received]
