"""The sync examples: threads share a client, processes do not."""

import json
import signal
from collections.abc import Iterator

import aiohttp
import pytest

from homebox_async.emulator import Emulator, Fault, Faults

from .conftest import HOMES
from .serving import Pool, Program, command, served, statuses, until

pytestmark = pytest.mark.slow

LIST = "/api/partner/property"
BOTH = ["/properties/1", "/properties/999"] * 100


@pytest.fixture(scope="module")
def flask(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Return the Flask example under gunicorn, in two processes forked after the import."""
    gunicorn = command("gunicorn --workers 2 --threads 8 flask_app", "--preload")
    with served(gunicorn, emulator, tmp_path_factory.mktemp("flask")) as program:
        yield program


async def test_flask(emulator: Emulator, flask: Program) -> None:
    """The threads of a process share a client, and each forked process has its own."""
    emulator.faults = Faults({"slow:0.01": 1.0}, methods=None)
    pool, processes = Pool(emulator), set()

    while len(processes) < 2:
        assert [200, 404] * 100 == await statuses(flask.url, BOTH)
        processes |= {pid for pid, ports in flask.ports.items() if ports}

    assert flask.process.pid not in processes
    assert 1 < pool.opened < len(emulator.received) / 2
    assert pool.peak <= 2 * 8


async def test_flask_streams(emulator: Emulator, flask: Program) -> None:
    """A list comes page by page: the first one is there while the next is waited for."""
    emulator.script("GET", LIST, [None, Fault.named("slow:0.5")])

    async with aiohttp.ClientSession(flask.url) as session, session.get("/properties") as answer:
        lines = [await answer.content.readline() for _ in range(50)]
        await until(lambda: len(emulator.received) == 2)
        assert emulator.received[1].status is None
        lines += (await answer.read()).splitlines()

    assert [*range(1, HOMES + 1)] == [json.loads(line)["id"] for line in lines]


async def test_flask_tells_of_trouble(emulator: Emulator, flask: Program) -> None:
    """A failed call is a 502, and stands in the log."""
    emulator.script("GET", f"{LIST}/1", [Fault.named("401")])

    assert [502] == await statuses(flask.url, ["/properties/1"])

    flask.provoked.append(r"\[.*\] WARNING in flask_app: GET property/{property_id}: .* 401.*\n")


async def test_django_development_server(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Under Django's own server, which has a thread for each request, they share a client."""
    emulator.faults = Faults({"slow:0.01": 1.0}, methods=None)
    runserver = command("python django_app.py runserver", "--noreload 127.0.0.1:0")
    folder = tmp_path_factory.mktemp("django")
    pool = Pool(emulator)

    with served(runserver, emulator, folder, stop=signal.SIGINT) as program:
        # Its backlog holds ten connections: 200 at once would wait for each other's packets.
        assert [200, 404] * 100 == await statuses(program.url, BOTH, at_once=10)
        # Its log of requests; and it leaves its own socket open.
        program.provoked += [
            r"(\[.*\] \"GET .*\n)+",
            r"(.*(: |: unclosed | socket )<socket.* laddr=.*\d\)>:?\n)+",
        ]

    assert pool.opened < 150
    assert 1 < pool.peak <= 10


async def test_fastapi_in_processes(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Under gunicorn each process has its own loop, lifespan and client."""
    gunicorn = command("gunicorn --workers 2 --worker-class", "--preload")
    processes: set[int] = set()

    with served(gunicorn, emulator, tmp_path_factory.mktemp("fastapi")) as program:
        while len(processes) < 2:
            assert [200, 404] * 100 == await statuses(program.url, BOTH)
            processes |= {pid for pid, ports in program.ports.items() if ports}
        assert program.process.pid not in processes


async def test_django_in_processes(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Under gunicorn without `--preload`, each process imports the project, and works."""
    gunicorn = command("gunicorn --workers 2 --threads 8 django_app")

    with served(gunicorn, emulator, tmp_path_factory.mktemp("django")) as program:
        assert [200, 404] * 20 == await statuses(program.url, BOTH[:40])
