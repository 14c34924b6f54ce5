"""What is left behind: journals, result files, shell output, arguments, children, crash dumps."""

import asyncio
import contextlib
import csv
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from homebox_async import AsyncHomebox, Event, Retry, RowEvent
from homebox_async.cli import root
from homebox_async.emulator import Emulator, Fault
from homebox_async.failures import failure
from homebox_async.importer import import_properties
from homebox_async.wire import Response

from .canaries import TOKEN, everything_of, leaks, ours

HEADER = "line1,city,postcode,reference,tenant,phone,account"
ECHO = b'{"message": "Zqcity", "errors": {"city": ["17 ZQLINE STREET, zqcity?", "ZE1 0ZQ"]}}'
PERSON = "Zqfirst Zqlast,+447911813627,73195284"


def portfolio(folder: Path, rows: int) -> Path:
    """Write a portfolio in which other columns are personal, and some rows cannot be sent."""
    lines = [f"{n} Zqline Street,Zqcity,ZE1 0ZQ,R{n},{PERSON}" for n in range(1, rows + 1)]
    lines += [f"9{n} Zqline Street,,zqPostcode,X{n},{PERSON}" for n in range(3)]
    path = folder / "in.csv"
    path.write_text("\n".join([HEADER, *lines, ""]))
    return path


async def test_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal never has a row's values; the result files are the rows, and no secret."""
    caplog.set_level(1)
    monkeypatch.chdir(tmp_path)
    snapshots: dict[str, bytes] = {}
    events: list[Event] = []

    async def look(request: Any, handler: Any) -> Any:
        try:
            if request.method == "POST" and b'"R7"' in request.body.data:
                raise failure(request, Response(422, {}, ECHO), 0.0)
            return await handler(request)
        finally:
            for path in tmp_path.glob("*.journal*"):
                with contextlib.suppress(FileNotFoundError):
                    snapshots[path.name] = snapshots.get(path.name, b"") + path.read_bytes()

    async with Emulator(token=TOKEN) as emulator:
        emulator.script("POST", "/api/partner/property", [None, Fault("drop-after")])
        async with AsyncHomebox(
            TOKEN,
            base_url=emulator.url,
            retry=Retry(backoff=0.0),
            attempt_middlewares=[look],
            on_event=events.append,
        ) as client:
            source = portfolio(tmp_path, 20)
            report = await import_properties(client, source, settle=0.05)
    assert (23, 1 + 3) == (report.rows, report.rejected)
    snapshots |= {path.name: path.read_bytes() for path in tmp_path.glob("*.journal*")}
    assert {"in.journal", "in.journal-wal"} <= set(snapshots)
    for name, content in snapshots.items():
        assert set() == leaks(content.decode("latin-1")), name
    assert 23 == sum(isinstance(event, RowEvent) for event in events)
    assert set() == leaks(f"{report!r} {caplog.text} {events!r} {[*map(str, events)]}")
    rejects = (tmp_path / "in.rejects.csv").read_text()
    assert {"Zqfirst", "73195284"} <= leaks(
        rejects
    )  # the caller's own columns, to be corrected and fed back
    for row in csv.DictReader(rejects.splitlines()):
        assert set() == leaks(row["error"] + row["fix"] + row["field"])
    assert TOKEN not in "".join(path.read_text() for path in tmp_path.glob("in.*.csv"))


async def test_import_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that ends with an error shows none of its rows, wherever they came from."""
    monkeypatch.chdir(tmp_path)
    rows = [{"line1": "17 Zqline Street", "city": "Zqcity", "postcode": "ZE1 0ZQ"}] * 3

    async def running_dry() -> Any:
        for row in rows:
            yield row
        raise OSError

    async with (
        Emulator(token=TOKEN) as emulator,
        AsyncHomebox(TOKEN, base_url=emulator.url) as client,
    ):
        for given in (rows, running_dry(), portfolio(tmp_path, 2)):
            emulator.script("GET", "/api/partner/account", [Fault("status", 401)] * 2)
            try:
                await import_properties(client, given, mapping={"line1": "line1"})
            except Exception as failed:
                error = ours(failed)
            for where, text in everything_of(error):
                assert set() == leaks(text), where


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Serve an emulator whose token is a canary from a thread, and let the environment name it."""
    monkeypatch.chdir(tmp_path)
    emulator, ready, ended = Emulator(token=TOKEN), threading.Event(), []

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        ended.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with emulator:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    monkeypatch.setenv("HOMEBOX_BASE_URL", emulator.url)
    monkeypatch.setenv("HOMEBOX_TOKEN", TOKEN)
    yield emulator
    ended[0]()
    thread.join()


# Notes what a process tells of itself, and whether it starts others.
WATCHED = """
import faulthandler, os, sys
started = []
def hook(event, args):
    if event in {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork",
                 "os.forkpty", "os.spawn"}:
        started.append(event)
sys.addaudithook(hook)
import atexit
def tell():
    with open("told", "wb") as told:
        told.write(open("/proc/self/cmdline", "rb").read())
        told.write(repr(started).encode())
        faulthandler.dump_traceback(told, all_threads=True)
atexit.register(tell)
from homebox_async.cli import main
main()
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_process(served: Emulator, tmp_path: Path) -> None:
    """A command shows no secret in its arguments, starts nothing, and dumps no values."""
    portfolio(tmp_path, 5)
    command = ["import", "properties", "in.csv", "-v", "--settle", "0.1"]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", WATCHED, *command], capture_output=True, text=True
    )
    assert 1 == done.returncode, done.stderr  # some rows are rejected
    told = (tmp_path / "told").read_text()
    assert "in.csv" in told
    assert "[]" in told  # no child
    assert set() == leaks(told)
    assert set() == leaks(done.stdout + done.stderr)


LEAD = {
    "tenancy_start": "2030-12-01",
    "tenancy_end": "2031-11-30",
    "address": {"line1": "17 Zqline Street", "city": "Zqcity", "postcode": "ZE1 0ZQ"},
    "tenants": [
        {
            "first_name": "Zqfirst",
            "last_name": "Zqlast",
            "phone_number": "+447911813627",
            "email_address": "zq.mail@example.test",
        }
    ],
}


def homebox(*args: str, **options: Any) -> Any:
    """Run a command of the shell."""
    return CliRunner().invoke(root.homebox, args, **options)


class Echo(http.server.BaseHTTPRequestHandler):
    """A server that refuses a request in the request's own words."""

    def do_POST(self) -> None:
        """Say back what was sent."""
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        words = json.dumps({"message": sent, "errors": {sent: [self.headers["Authorization"]]}})
        self.send_response(422)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing of it."""


def test_shell(served: Emulator) -> None:
    """Personal data can come by stdin; the log and the errors of a command do not show it."""
    lead = json.dumps(LEAD)
    made = homebox("leads", "create", "--from", "-", "--json", "-v", input=lead)
    assert 0 == made.exit_code, made.stderr
    assert "Zqfirst" in made.stdout  # what was asked for
    assert "POST lead: 2" in made.stderr
    assert set() == leaks(made.stderr)
    shown = [homebox("leads", "get", "1"), homebox("leads", "list", "--csv")]
    assert TOKEN not in "".join(one.stdout + one.stderr for one in shown)
    with http.server.HTTPServer(("127.0.0.1", 0), Echo) as echo:
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{echo.server_port}"
        refused = homebox("leads", "create", "--from", "-", "-v", "--base-url", url, input=lead)
        echo.shutdown()
    assert (1, "") == (refused.exit_code, refused.stdout)
    assert "[first_name]" in refused.stderr
    assert set() == leaks(refused.stderr)
    bad = json.dumps(LEAD | {"tenants": [LEAD["tenants"][0] | {"phone_number": "zqPhone"}]})  # type: ignore[operator,index]
    wrong = homebox("leads", "create", "--from", "-", "-v", input=bad)
    assert (2, "") == (wrong.exit_code, wrong.stdout)
    assert set() == leaks(wrong.stderr)


UNSEEN: dict[str, Callable[[], str]] = {
    "unclosed": lambda: "AsyncHomebox(os.environ['HOMEBOX_TOKEN'])\n",
    "unawaited": lambda: (
        "c = AsyncHomebox()\nc.invites.create(1, first_name='zq' + 'First', last_name='x',"
        " phone_number='+447911' + '813627')\n"
    ),
    "never-retrieved": lambda: (
        "import asyncio\n"
        "async def main():\n"
        "    async with AsyncHomebox(base_url='http://127.0.0.1:9') as c:\n"
        "        t = asyncio.create_task(c.invites.create(1, first_name='zq' + 'First',\n"
        "            last_name='x', phone_number='+447911' + '813627'))\n"
        "        await asyncio.sleep(3)\n"
        "        del t\n"
        "asyncio.run(main(), debug=True)\n"
    ),
    "uncaught": lambda: (
        "from rich.traceback import install\n"
        "install(show_locals=True, width=200)\n"
        "from homebox_async import Homebox\n"
        "Homebox(base_url='http://127.0.0.1:9').invites.create(1, first_name='zq' + 'First',"
        " last_name='x', phone_number='+447911' + '813627')\n"
    ),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_unseen(tmp_path: Path, name: str) -> None:
    """What Python says of failures that nobody looked at shows nothing of the calls."""
    code = (
        "import os, logging\nfrom homebox_async import AsyncHomebox\nlogging.basicConfig(level=1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code + UNSEEN[name]()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOMEBOX_TOKEN": TOKEN},
    )
    told = {
        "unclosed": "",
        "unawaited": "was never awaited",
        "never-retrieved": "never retrieved",
        "uncaught": "ConnectionFailed",
    }
    assert told[name] in done.stderr
    assert set() == leaks(done.stdout + done.stderr)
