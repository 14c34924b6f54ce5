"""The async examples, each under its server: one pool, visitors who leave, lists that stream."""

import asyncio
import json
import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import aiohttp
import attrs
import pytest

from homebox_async.emulator import Emulator, Fault, Faults

from .conftest import HOMES
from .serving import Pool, Program, command, served, statuses, until

pytestmark = pytest.mark.slow

# uvicorn finishes what it has begun, closes the application, and then lets the signal do its work.
KILLED = -signal.SIGTERM
LIST = "/api/partner/property"


@attrs.frozen
class App:
    """An example: how it is run, where it serves one property, and what it says of trouble."""

    command: str
    code: int
    show: str = "/properties/"
    cancels: bool = True
    broken: str = (
        r"ERROR: +Exception in ASGI application\n"
        r"(\n|  .*\n|Traceback .*\n|(The above|During) .*\n|.*NotFound: .*\n"
        r"|.* already started\.\n)+"
    )

    def run(self, emulator: Emulator, folder: Path) -> AbstractContextManager[Program]:
        """Serve it for the block."""
        # Django leaves the file of a request's body open when its answer breaks off.
        ignored = "ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning"
        return served(self.command, emulator, folder, ignored, code=self.code, PORT="0")


APPS = {
    "fastapi": App(command("uvicorn fastapi_app"), KILLED),
    "starlette": App(command("uvicorn starlette_app"), KILLED, cancels=False),
    "aiohttp": App(
        command("python aiohttp_app"), 0, broken=r"ERROR:__main__:the list ends early: GET prop.*\n"
    ),
    "django": App(command("uvicorn --lifespan on django_app"), KILLED, "/async/properties/"),
}


@pytest.fixture(scope="module", params=APPS.values(), ids=APPS)
def app(request: pytest.FixtureRequest) -> App:
    """Return each example."""
    return request.param


@pytest.fixture(scope="module")
def server(
    app: App, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """Return the running example; in the end it has to leave in order."""
    with app.run(emulator, tmp_path_factory.mktemp("app")) as program:
        yield program


async def test_requests_share_a_pool(app: App, emulator: Emulator, server: Program) -> None:
    """Two hundred requests at once go through one client, and its limit holds."""
    emulator.faults = Faults({"slow:0.01": 1.0}, methods=None)
    pool = Pool(emulator)

    answered = await statuses(server.url, [f"{app.show}1", f"{app.show}999"] * 100)

    assert [200, 404] * 100 == answered
    assert 200 == len(emulator.received)
    assert 1 < pool.opened < 150
    assert pool.peak <= 100  # `max_connections`


async def test_list_streams(emulator: Emulator, server: Program) -> None:
    """A list comes whole, a JSON object a line."""
    async with aiohttp.ClientSession(server.url) as session, session.get("/properties") as answer:
        lines = (await answer.read()).splitlines()

    assert "application/x-ndjson" == answer.content_type
    assert [*range(1, HOMES + 1)] == [json.loads(line)["id"] for line in lines]


async def test_list_is_not_held(emulator: Emulator, server: Program) -> None:
    """A page is with the visitor before the next one is there; who leaves then ends the call."""
    emulator.script("GET", LIST, [None, Fault("hang")])

    async with aiohttp.ClientSession(server.url) as session, session.get("/properties") as answer:
        lines = [await answer.content.readline() for _ in range(50)]
        await until(lambda: len(emulator.received) == 2)
        assert not emulator.received[1].cut

    assert [*range(1, 51)] == [json.loads(line)["id"] for line in lines]
    await until(lambda: emulator.received[1].cut)


async def test_list_that_breaks(app: App, emulator: Emulator, server: Program) -> None:
    """A page that fails breaks the answer off: nobody takes half of a list for the whole."""
    emulator.script("GET", LIST, [None, Fault.named("404")])

    async with aiohttp.ClientSession(server.url) as session, session.get("/properties") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()

    server.provoked.append(app.broken)


async def test_list_that_fails_at_once(emulator: Emulator, server: Program) -> None:
    """A list whose first page fails has a status that says so."""
    emulator.script("GET", LIST, [Fault.named("404")])

    assert [404] == await statuses(server.url, ["/properties"])


async def test_visitor_leaves(app: App, emulator: Emulator, server: Program) -> None:
    """A visitor who leaves cancels the call to Homebox, and the log has its outcome.

    Starlette goes on with it, unless one does as the FastAPI example.
    """
    emulator.script("GET", f"{LIST}/1", [Fault.named("hang" if app.cancels else "slow:0.3")])

    async with aiohttp.ClientSession(server.url) as session:
        leaving = asyncio.create_task(session.get(f"{app.show}1"))
        await until(lambda: emulator.received)
        [received] = emulator.received
        assert not received.cut
        leaving.cancel()
        await until(lambda: received.cut or received.status)

    assert app.cancels == received.cut
    if app.cancels:
        told = "the visitor left: GET property/{property_id}: cancelled [outcome: unknown]\n"
        await until(lambda: told in server.said)
        if "django" in app.command:  # it logs this as a warning
            server.provoked.append(re.escape(told))
    assert [200] == await statuses(server.url, [f"{app.show}1"])


@pytest.mark.parametrize("name", ["fastapi", "aiohttp", "django"])
async def test_stopped_while_serving(name: str, emulator: Emulator, tmp_path: Path) -> None:
    """A server that is told to stop finishes the request in hand, and leaves in order."""
    app = APPS[name]
    emulator.script("GET", f"{LIST}/1", [Fault.named("slow:0.5")])

    with app.run(emulator, tmp_path) as program:
        async with aiohttp.ClientSession(program.url) as session:
            asking = asyncio.create_task(session.get(f"{app.show}1"))
            await until(lambda: emulator.received)
            program.stop()
            answer = await asking
            assert (200, 1) == (answer.status, (await answer.json())["id"])
