"""What the FastAPI example answers when a call fails."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Emulator, Fault

from .serving import Program, command, served

pytestmark = pytest.mark.slow

COMMAND = command("uvicorn fastapi_app")
TERMINATED = -signal.SIGTERM
LOGGED = r"WARNING:fastapi_app:GET property/{property_id}: .*\n"


@pytest.fixture(scope="module")
def server(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Return the FastAPI example."""
    with served(COMMAND, emulator, tmp_path_factory.mktemp("app"), code=TERMINATED) as program:
        yield program


@pytest.mark.parametrize(
    ("number", "faults", "status", "told"),
    [
        (999, [], 404, {"outcome": "rejected"}),
        (1, ["422"], 422, {"outcome": "rejected"}),
        (1, ["401"], 502, {"outcome": "rejected"}),
        (1, ["500"] * 3, 502, {"outcome": "rejected"}),
        (1, ["drop-after"] * 3, 502, {"outcome": "unknown"}),
        (1, ["hang:0"] * 3, 502, {"outcome": "rejected"}),
    ],
    ids=["missing", "refused", "token", "failed", "dropped", "late"],
)
async def test_failed_call(
    number: int,
    faults: list[str],
    status: int,
    told: dict[str, str],
    emulator: Emulator,
    server: Program,
) -> None:
    """A failed call is told in HTTP's words, with its outcome; the log has the whole of it."""
    emulator.script("GET", f"/api/partner/property/{number}", map(Fault.named, faults))

    assert (status, told, None) == await ask(server, f"/properties/{number}")
    if status >= 500:
        server.provoked.append(LOGGED)


async def test_refused_before_it_is_sent(emulator: Emulator, server: Program) -> None:
    """What the client refuses comes back as what to correct."""
    problem = {"field": "q", "problem": "has 300 characters", "fix": "shorten it to 255"}

    answer = await ask(server, "/properties?q=" + "x" * 300)

    assert (422, {"problems": [problem]}, None) == answer
    assert 0 == len(emulator.received)


async def test_pause(emulator: Emulator, tmp_path: Path) -> None:
    """When Homebox asks for a pause, it holds for all requests of the process."""
    emulator.script("GET", "/api/partner/property/1", [Fault.named("429:100")])

    with served(COMMAND, emulator, tmp_path, code=TERMINATED) as program:
        first = await ask(program, "/properties/1")
        second = await ask(program, "/properties/2")
        program.provoked += [LOGGED, LOGGED]

    assert (503, {"outcome": "rejected"}, "100") == first
    assert (503, {"outcome": "not sent"}, None) == second
    assert 1 == len(emulator.received)


async def ask(server: Program, path: str) -> tuple[int, Any, str | None]:
    """Return the status, the answer and when to come back."""
    async with aiohttp.ClientSession(server.url) as session, session.get(path) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After")
