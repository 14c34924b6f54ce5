"""The sync twin: reports, row results, and Ctrl-C."""

import contextlib
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async import Homebox, Retry
from homebox_async.bridge import Bridge
from homebox_async.emulator import Emulator, Fault
from homebox_async.errors import AuthenticationFailed
from homebox_async.importer import (
    BlockingImport,
    SourceError,
    State,
    import_properties,
    import_properties_sync,
)

CREATE = ("POST", "/api/partner/property")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run an emulator in a thread."""
    bridge, emulator = Bridge(), Emulator()
    bridge.run(emulator.start)
    yield emulator
    bridge.worker.close(emulator.aclose)


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Homebox]:
    """Return a sync client of the emulator."""
    with Homebox(emulator.token, base_url=emulator.url, retry=Retry(backoff=0.0)) as client:
        yield client


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Give rows as mappings."""
    for n in range(1, count + 1):
        yield {"line1": f"{n} High St", "city": "Leeds", "postcode": "LS1 1AA", "ref": f"R{n}"}


def references(emulator: Emulator) -> list[str]:
    """Return the references at the emulator, in order."""
    found = [str(home.reference) for home in emulator.store.properties]
    return sorted(found, key=lambda reference: int(reference[1:]))


def wait_for(run: BlockingImport, *, block: bool) -> None:
    """Wait for the end of an import, in a block or not."""
    if block:
        with run:
            list(run)
    else:
        run.run()


def test_report(client: Homebox, emulator: Emulator, tmp_path: Path) -> None:
    """A run ends with its report; a second one sends nothing."""
    run = import_properties_sync(client, rows(20), results=tmp_path)
    report = run.run()
    assert (20, True, 20) == (report.created, report.done, run.counts[State.CREATED])
    assert run.report is report
    assert 0 == import_properties_sync(client, rows(20), results=tmp_path).run().sent
    assert [f"R{n}" for n in range(1, 21)] == references(emulator)


def test_rows(client: Homebox, tmp_path: Path) -> None:
    """Row results come out in a block; who stops and goes on misses nothing."""
    told = []
    with import_properties_sync(client, rows(400), results=tmp_path) as run:
        for row in run:
            told.append(row.number)
            break
        told += [row.number for row in run]
    assert list(range(1, 401)) == sorted(told)
    assert run.report is not None
    assert run.report.done


def test_early_leave(client: Homebox, emulator: Emulator, tmp_path: Path) -> None:
    """Who leaves the block early drains, and can go on later."""
    with import_properties_sync(client, rows(900), results=tmp_path) as run:
        next(iter(run))
    assert run.report is not None
    assert run.report.pending > 0
    assert import_properties_sync(client, rows(900), results=tmp_path).run().done
    assert [f"R{n}" for n in range(1, 901)] == references(emulator)


@pytest.mark.parametrize("after", ["nothing", "a break"])
def test_run_inside_the_block(client: Homebox, tmp_path: Path, after: str) -> None:
    """An import that nobody reads ends, however many rows it has."""
    with import_properties_sync(client, rows(700), results=tmp_path) as run:
        for _ in run if after == "a break" else ():
            break
        report = run.run()
    assert (700, True) == (report.created, report.done)


@pytest.mark.parametrize("block", [False, True])
def test_errors(client: Homebox, tmp_path: Path, block: bool) -> None:
    """What an import cannot use is raised."""
    run = import_properties_sync(client, tmp_path / "nothing.csv", results=tmp_path)
    with pytest.raises(SourceError, match="there is no such file"):
        wait_for(run, block=block)


def test_wrong_token(emulator: Emulator, tmp_path: Path) -> None:
    """A wrong token is told at once."""
    with (
        Homebox("wrong", base_url=emulator.url) as client,
        pytest.raises(AuthenticationFailed),
    ):
        import_properties_sync(client, rows(3), results=tmp_path).run()


def test_same_words() -> None:
    """The twin has the signature and the words of the async function."""
    assert import_properties is import_properties_sync.__wrapped__  # type: ignore[attr-defined]
    assert import_properties.__doc__ == import_properties_sync.__doc__


PROGRAM = textwrap.dedent(
    """
    import logging, sys
    from homebox_async import Homebox
    from homebox_async.importer import import_properties_sync

    # The debug mode warns of slow callbacks, which a busy machine has; errors still come out.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    url, token, source, folder, how = sys.argv[1:]
    with Homebox(token, base_url=url) as client:
        run = import_properties_sync(client, source, results=folder, settle=0.1, concurrency=8)
        print("go", flush=True)
        try:
            if how == "run":
                run.run()
            else:
                with run:
                    for row in run:
                        pass
        except KeyboardInterrupt:
            report = run.report
            print("none" if report is None else f"{report.stopped} {report.unknown}")
            raise SystemExit(130)
    """
)


@pytest.fixture
def portfolio(tmp_path: Path) -> Path:
    """Write an input of 400 rows."""
    path = tmp_path / "portfolio.csv"
    lines = [f"{n} High St,Leeds,LS1 1AA,R{n}" for n in range(1, 401)]
    path.write_text("\n".join(["line1,city,postcode,ref", *lines, ""]))
    return path


def interrupted(emulator: Emulator, path: Path, how: str, fault: str, times: int) -> list[str]:
    """Interrupt an import so many times while 8 requests are in flight; return what it says."""
    emulator.script(*CREATE, [None] * 10 + [Fault.named(fault)] * 8)
    arguments = [emulator.url, emulator.token, str(path), str(path.parent), how]
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "go\n" == process.stdout.readline()
    deadline = time.monotonic() + 20
    while emulator.counts.faults[fault.partition(":")[0]] < 8 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    pause = 0.4
    # On a busy machine, the second one may come before the first one has been dealt with.
    while times > 1 and process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
            break
        process.send_signal(signal.SIGINT)
        pause = 6.0
    out, err = process.communicate(timeout=20)
    assert ("", 130) == (err, process.returncode)
    return out.split()


@pytest.mark.parametrize("how", ["run", "iterate"])
def test_ctrl_c(emulator: Emulator, client: Homebox, portfolio: Path, how: str) -> None:
    """The first Ctrl-C waits for what is in flight; the same import then goes on."""
    assert ["interrupted", "0"] == interrupted(emulator, portfolio, how, "slow:0.4", 1)
    assert 18 <= len(references(emulator)) < 60
    report = import_properties_sync(client, portfolio, results=portfolio.parent).run()
    assert (400, True) == (report.created, report.done)
    assert [f"R{n}" for n in range(1, 401)] == references(emulator)


@pytest.mark.parametrize("how", ["run", "iterate"])
def test_second_ctrl_c(emulator: Emulator, client: Homebox, portfolio: Path, how: str) -> None:
    """The second Ctrl-C breaks off what is in flight, which is looked up by the next run."""
    assert ["none"] == interrupted(emulator, portfolio, how, "hang-after:60", 2)
    run = import_properties_sync(client, portfolio, results=portfolio.parent, settle=0.1)
    report = run.run()
    assert (400, 8, 8, True) == (
        report.created + report.adopted,
        report.adopted,
        report.reconciled,
        report.done,
    )
    assert [f"R{n}" for n in range(1, 401)] == references(emulator)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("block", [False, True])
def test_interrupts_here(
    emulator: Emulator, client: Homebox, portfolio: Path, block: bool, times: int
) -> None:
    """Ctrl-C goes on as KeyboardInterrupt once the import has been drained or cancelled."""
    fault = "hang:60" if times > 1 else "slow:0.3"
    emulator.script(*CREATE, [None] * 5 + [Fault.named(fault)] * 2)
    run = import_properties_sync(client, portfolio, results=portfolio.parent, concurrency=2)
    main = threading.main_thread().ident
    assert main is not None
    ended = threading.Event()

    def interrupt() -> None:
        while emulator.counts.faults[fault.partition(":")[0]] < 2:
            time.sleep(0.005)
        for _ in range(times):
            if not ended.wait(0.5 if times > 1 else 0.0):
                signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        wait_for(run, block=block)
    ended.set()
    thread.join()
    assert (times > 1) == (run.report is None)
    if run.report is not None:
        assert (0, "interrupted") == (run.report.unknown, run.report.stopped)
