"""`homebox import properties`: Ctrl-C and SIGTERM, in this process."""

import asyncio
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.cli.output import Output
from homebox_async.cli.session import Connection
from homebox_async.emulator import Emulator, Fault

from .importing import IMPORT, counts

Run = Callable[..., Result]
Write = Callable[..., Path]


# --- signals, in this process


def later(seconds: float, number: signal.Signals) -> threading.Timer:
    """Send a signal to this process in a moment."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(seconds, lambda: signal.pthread_kill(main, number))
    timer.start()
    return timer


def interrupted(run: Run, served: Emulator, sent: int, *numbers: signal.Signals) -> Result:
    """Run an import and send it signals once so many rows have reached the server."""
    main = threading.main_thread().ident
    assert main is not None
    over = threading.Event()

    def watch() -> None:
        while served.counts.requests["POST /api/partner/property"] < sent:
            if over.wait(0.005):
                return
        for number in numbers:
            signal.pthread_kill(main, number)
            if over.wait(0.3):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return run(*IMPORT, "--concurrency", "2", "--settle", "0")
    finally:
        over.set()
        watcher.join()


def test_first_interrupt(run: Run, write: Write, served: Emulator) -> None:
    """The first Ctrl-C waits for what is in flight and tells how to go on; that does."""
    write(9)
    # The first row is sent and read back alone; then two are in flight, and Ctrl-C comes.
    served.script("POST", "/api/partner/property", [None, *[Fault("slow", seconds=1.0)] * 8])
    result = interrupted(run, served, 3, signal.SIGINT)
    assert (130, 3) == (result.exit_code, counts(result)["created"])
    assert "interrupted: waiting for what is in flight" in result.stderr
    assert 3 == len(list(served.store.properties))
    command = "import properties in.csv --concurrency 2 --settle 0"
    assert result.stdout.endswith(f"stopped: interrupted\nto go on: homebox {command}\n")
    served._scripts.clear()
    assert 0 == run(*command.split()).exit_code
    assert 9 == len(list(served.store.properties))


def test_interrupt_of_the_probe(run: Run, write: Write, served: Emulator) -> None:
    """Ctrl-C while the first row is in flight waits for that row alone; going on does the rest."""
    write(9)
    served.script("POST", "/api/partner/property", [Fault("slow", seconds=1.0)])
    result = interrupted(run, served, 1, signal.SIGINT)
    assert (130, 1) == (result.exit_code, counts(result)["created"])
    assert "interrupted: waiting for what is in flight" in result.stderr
    assert 1 == len(list(served.store.properties))
    command = "import properties in.csv --concurrency 2 --settle 0"
    assert result.stdout.endswith(f"stopped: interrupted\nto go on: homebox {command}\n")
    assert 0 == run(*command.split()).exit_code
    assert 9 == len(list(served.store.properties))


def test_second_interrupt(run: Run, write: Write, served: Emulator) -> None:
    """The second Ctrl-C, or SIGTERM, leaves at once; going on finds out what happened."""
    write(9)
    served.script("POST", "/api/partner/property", [None, *[Fault("hang-after")] * 2])
    result = interrupted(run, served, 3, signal.SIGINT, signal.SIGTERM)
    assert (130, "") == (result.exit_code, result.stdout)
    command = "import properties in.csv --concurrency 2 --settle 0"
    assert f"left at once; to go on: homebox {command}\n" in result.stderr
    assert result.stderr.endswith("error: interrupted\n")
    assert 0 == run(*command.split()).exit_code
    assert 9 == len(list(served.store.properties))


def test_interrupted_write(run: Run, served: Emulator) -> None:
    """Ctrl-C during a single write tells that it may have happened."""
    served.script("POST", "/api/partner/property", [Fault("hang")])
    timer = later(0.5, signal.SIGINT)
    result = run(
        *("properties", "create", "--line1", "1 A", "--city", "Leeds", "--postcode", "LS1 1AA")
    )
    timer.join()
    assert 130 == result.exit_code
    assert "error: interrupted; POST property: cancelled [outcome: unknown]\n" == (
        result.stderr.lstrip("\n")
    )


NOWHERE = Connection(
    emulator=False,
    emulator_state=None,
    faults=None,
    seed=None,
    environment=None,
    base_url=None,
    token_file=None,
    timeout=30.0,
)


def test_cancelled_by_another(write: Write, served: Emulator) -> None:
    """A cancellation that is no interrupt stays one."""
    from homebox_async import AsyncHomebox
    from homebox_async.cli.importing import Command
    from homebox_async.importer import import_properties

    path = write(3)
    served.script("POST", "/api/partner/property", [Fault("hang")] * 9)

    command = Command(
        make=import_properties,
        connection=NOWHERE,
        output=Output(json=True, verbose=False),
        file=path,
        options={},
        resume="",
        account="",
    )

    async def cancelled() -> None:
        async with AsyncHomebox() as client, asyncio.timeout(0.3):
            await command._import(client, lambda view: {})

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())


def test_without_signal_handlers(run: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a loop takes no signal handlers (Windows), the import runs without them."""

    def refuse(*_: object) -> None:
        raise NotImplementedError

    for name in ("add_signal_handler", "remove_signal_handler"):
        monkeypatch.setattr(asyncio.SelectorEventLoop, name, refuse)
    write(1)
    assert 0 == run(*IMPORT, "--emulator").exit_code
