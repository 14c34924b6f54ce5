"""`homebox` as a process: pipes, signals, kills and terminals."""

import functools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.emulator import Emulator, Fault

from .terminals import on_a_terminal

Run = Callable[..., Result]
Write = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]

IMPORT = ("import", "properties", "in.csv")
# Lets an emulator on this machine pass for production.
AS_PRODUCTION = """
from homebox_async.cli import main, session
session.is_loopback = lambda host: False
main()
"""


def references(path: Path) -> list[str]:
    """Return the references of the properties in a state file, in order."""
    found = []
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            found += [values[10] for table, values in json.loads(line) if table == "property"]
    return found


def has(path: Path, goal: int) -> bool:
    """Say whether a state file holds so many properties already."""
    return path.exists() and len(references(path)) >= goal


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_serve(start: Start, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A served emulator prints the environment that makes other commands use it."""
    state = ("--state", "state.jsonl", "--token", "secret", "--rate-limit", "1000/0.5")
    process = start("emulator", "serve", "--port", "0", *state, "--faults", "slow:0.01=1")
    assert process.stdout is not None
    for _ in range(2):
        name, _, value = process.stdout.readline().strip().partition("=")
        monkeypatch.setenv(name, value)
    assert "secret" == os.environ["HOMEBOX_TOKEN"]
    result = run("account", "show", "--json")
    assert 0 == result.exit_code, result.stderr
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert 0 == process.returncode
    assert re.fullmatch(r"emulator at http://127\.0\.0\.1:\d+; Ctrl-C stops it\n", told)
    assert json.loads(result.stdout)["reference_number"] in (folder / "state.jsonl").read_text()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--port", "{taken}"], "--port {taken}: cannot listen there (Address already in use)"),
        (["--rate-limit", "fast"], "'fast' is not N/SECONDS; write 60/60 for 60 a minute"),
        (["--rate-limit", "0/5"], "'0/5' is not N/SECONDS"),
        (["--rate-limit", "5/0.0"], "'5/0.0' is not N/SECONDS"),
        (["--faults", "slow=1"], "--faults: a slow fault needs its seconds"),
        (
            ["--state", "no/where"],
            "--state no/where: cannot be written (No such file or directory)",
        ),
    ],
    ids=["port", "rate-limit", "no-rate", "no-time", "faults", "state"],
)
def test_cannot_serve(run: Run, served: Emulator, args: list[str], error: str) -> None:
    """What cannot be served is refused in one line."""
    taken = served.url.rpartition(":")[2]
    result = run("emulator", "serve", *[arg.format(taken=taken) for arg in args])
    assert (2, "") == (result.exit_code, result.stdout)
    assert error.format(taken=taken) in result.stderr


def test_serve_in_this_process(run: Run) -> None:
    """SIGTERM ends a served emulator as Ctrl-C does."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGTERM))
    timer.start()
    result = run("emulator", "serve", "--port", "0")
    timer.join()
    assert 0 == result.exit_code
    assert re.search(r"^HOMEBOX_TOKEN=[0-9a-f]{32}$", result.stdout, re.MULTILINE)


def test_broken_pipe(run: Run, write: Write, start: Start) -> None:
    """`| head` ends a list quietly."""
    write(300)
    run(*IMPORT, "--emulator")
    process = start("properties", "list", "--emulator", "--json")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert 1 == len(process.stderr.read().splitlines())
    assert 0 == process.wait(10)


def test_full_disk(start: Start) -> None:
    """Output that cannot be written is told in one line."""
    with Path("/dev/full").open("w") as full:
        process = start("account", "show", "--emulator", stdout=full)
        _, told = process.communicate(timeout=30)
    assert (1, "error: input or output failed: No space left on device") == (
        process.returncode,
        told.splitlines()[-1],
    )
    assert 2 == len(told.splitlines())


@pytest.mark.parametrize(
    ("args", "size", "code", "error"),
    [
        (["account", "show"], 8, 1, "error: input or output failed: File too large"),
        (
            IMPORT,
            4000,
            2,
            "error: in.journal: the journal cannot be read or written (disk I/O error);",
        ),
    ],
    ids=["emulator", "journal"],
)
def test_no_room(
    start: Start, write: Write, args: list[str], size: int, code: int, error: str
) -> None:
    """A file that cannot grow ends the import in one line."""
    write(300)

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    out, told = (process := start(*args, "--emulator", preexec_fn=bound)).communicate(timeout=30)
    assert (code, "") == (process.returncode, out), told
    assert told.splitlines()[-1].startswith(error)
    assert "Traceback" not in told


def test_encoding(start: Start, folder: Path) -> None:
    """A name that the terminal's encoding lacks does not end a list."""
    (folder / "in.csv").write_text("line1,city,postcode,reference\n1 Łódź St,Leeds,LS1 1AA,A1\n")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    assert 0 == start(*IMPORT, "--emulator").wait(30)
    listing = start(
        "properties", "list", "--emulator", env=environment, text=False, encoding="latin-1"
    )
    out, _ = listing.communicate(timeout=30)
    assert "1 \\u0141ód\\u017a St" in out


def test_kill_and_resume(start: Start, write: Write, folder: Path) -> None:
    """After kill -9, the same command goes on; in the end every row is there exactly once."""
    write(300)
    state = folder / "homebox-emulator.jsonl"
    args = (*IMPORT, "--emulator", "--faults", "slow:0.02=0.5,drop-after=0.05", "--settle", "0.2")
    for goal in (60, 150):
        process = start(*args)
        wait_for(functools.partial(has, state, goal))
        process.kill()
        process.wait(10)
    assert len(references(state)) < 300
    out, told = start(*args, "--json").communicate(timeout=60)
    assert True is json.loads(out)["done"], told
    assert sorted(f"A{n}" for n in range(1, 301)) == sorted(references(state))


def test_interrupt_and_resume(start: Start, write: Write, folder: Path) -> None:
    """Ctrl-C ends an import with the command that goes on, which works as it stands."""
    write(200)
    state = folder / "homebox-emulator.jsonl"
    process = start(*IMPORT, "--emulator", "--faults", "slow:0.05=1")
    wait_for(functools.partial(has, state, 10))
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=30)
    assert 130 == process.returncode
    assert "sending: " in told
    assert "interrupted: waiting for what is in flight; once more leaves at once\n" in told
    _, _, command = out.rpartition("to go on: ")
    program = command.replace("python -m", f"{sys.executable} -m").replace(
        " slow:0.05=1", " slow:0=1"
    )
    assert command.startswith("python -m homebox_async.cli import properties in.csv --emulator")
    done = subprocess.run(program, shell=True, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
    assert sorted(f"A{n}" for n in range(1, 201)) == sorted(references(state))


def test_bar_on_a_terminal(write: Write) -> None:
    """On a terminal, an import shows a bar with phase, counts, rate and time left."""
    write(100)
    code, shown = on_a_terminal(
        [
            *(sys.executable, "-m", "homebox_async.cli", *IMPORT, "--emulator"),
            *("--faults", "slow:0.05=1"),
        ],
        {},
    )
    assert 0 == code
    assert re.search(r"sending +[━╸╺]+ +\d+/100 +\d+ created, [\d.]+ rows/s, [\d.]+ s left", shown)
    assert "all done\r\n" in shown


def test_interrupt_on_a_terminal(write: Write) -> None:
    """On a terminal, Ctrl-C says what happens above the bar."""
    write(100)
    code, shown = on_a_terminal(
        [
            *(sys.executable, "-m", "homebox_async.cli", *IMPORT, "--emulator"),
            *("--faults", "slow:0.1=1"),
        ],
        {"rows/s": "\x03"},
    )
    assert 130 == code
    assert "interrupted: waiting for what is in flight; once more leaves at once\r\n" in shown
    assert "to go on: " in shown


@pytest.mark.parametrize(("reply", "code", "made"), [("y\n", 0, 3), ("\n", 1, 0)], ids=["y", "no"])
def test_confirmation_on_a_terminal(
    write: Write, served: Emulator, reply: str, code: int, made: int
) -> None:
    """On a terminal, an import into production is asked about, and nothing is sent before."""
    write(3)
    argv = [sys.executable, "-c", AS_PRODUCTION, *IMPORT, "--settle", "1"]
    left, shown = on_a_terminal(argv, {"[y/N]": reply})
    assert (code, made) == (left, served.store.commits), shown
    assert "import 3 rows of in.csv at 127.0.0.1 for Partner Account (EMU-" in shown


def test_interrupt_at_the_question(write: Write, served: Emulator) -> None:
    """Ctrl-C at the question sends nothing."""
    write(3)
    argv = [sys.executable, "-c", AS_PRODUCTION, *IMPORT]
    left, shown = on_a_terminal(argv, {"[y/N]": "\x03"})
    assert (130, 0) == (left, served.store.commits)
    assert "error: interrupted\r\n" in shown


def test_table_on_a_terminal(run: Run) -> None:
    """On a terminal, a list is a table, without colours if so wished."""
    home = ("--line1", "1 [red]High", "--city", "Leeds", "--postcode", "LS1 1AA")
    run("properties", "create", *home, "--emulator")
    code, shown = on_a_terminal(
        [sys.executable, "-m", "homebox_async.cli", "properties", "list", "--emulator"], {}
    )
    assert (0, True) == (code, "1 [red]High, Leeds, LS1 1AA" in shown)


def test_interrupted_before_anything(start: Start, write: Write, served: Emulator) -> None:
    """A signal while the server is asked for the first time ends the import as well."""
    write(3)
    served.script("GET", "/api/partner/account", [Fault("hang")])
    process = start(*IMPORT)
    wait_for(lambda: served.counts.requests.total() > 0)
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    _, told = process.communicate(timeout=10)
    assert 130 == process.returncode
    assert told.endswith("error: interrupted\n")
