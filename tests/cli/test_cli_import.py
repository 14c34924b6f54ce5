"""`homebox import properties`: what it does, says and refuses."""

import asyncio
import errno
import json
import signal
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from homebox_async import AuthenticationFailed, Outcome
from homebox_async.cli import progress
from homebox_async.cli.output import Output
from homebox_async.cli.progress import Bar, Lines, Moment, Pace, Silence, followed, view_of
from homebox_async.cli.report import lines
from homebox_async.emulator import Emulator, Fault
from homebox_async.importer import Report

Run = Callable[..., Result]
Write = Callable[..., Path]

IMPORT = ("import", "properties", "in.csv")
SAMPLE = Path(__file__).parents[1] / "data" / "land-registry-sample.csv"


def states(folder: Path) -> list[Any]:
    """Return the properties in the emulator's state file."""
    changes = map(json.loads, (folder / "homebox-emulator.jsonl").read_text().splitlines())
    return [values for change in changes for table, values in change if table == "property"]


def counts(result: Result) -> dict[str, int]:
    """Return the numbers of a report."""
    rows = [line for line in result.stdout.splitlines() if line.startswith("  ")]
    return {line[2:11].strip(): int(line[11:21].replace(",", "")) for line in rows}


def test_import(run: Run, write: Write, folder: Path) -> None:
    """Every row is created, and the next command reads them back."""
    write(3)
    result = run(*IMPORT, "--emulator")
    assert 0 == result.exit_code, result.stderr
    assert result.stdout.startswith("all done\n")
    assert {"rows": 3, "created": 3, "adopted": 0, "rejected": 0, "unknown": 0, "not sent": 0} == (
        counts(result)
    )
    assert "created: in.created.csv\njournal: in.journal\n" in result.stdout
    assert "emulator: nothing leaves this machine" in result.stderr
    listed = run("properties", "list", "--emulator")
    assert ["A1", "A2", "A3"] == [line.split("\t")[1] for line in listed.stdout.splitlines()[1:]]


def test_import_again(run: Run, write: Write, folder: Path) -> None:
    """The same command again sends nothing; the emulator on a new port is still the same."""
    write(3)
    run(*IMPORT, "--emulator")
    again = run(*IMPORT, "--emulator", "--json")
    assert (0, 3, 0) == (
        again.exit_code,
        (report := json.loads(again.stdout))["created"],
        report["sent"],
    )
    assert 3 == len(states(folder))


def test_json(run: Run, write: Write) -> None:
    """With --json the report is one object, and no progress is shown."""
    write(3)
    result = run(*IMPORT, "--emulator", "--json")
    assert 1 == result.stdout.count("\n")
    assert {"rows": 3, "done": True, "files": {"created": "in.created.csv"}} == {
        key: json.loads(result.stdout)[key] for key in ("rows", "done", "files")
    }
    assert 1 == result.stderr.count("\n")


def test_verbose_json(run: Run, write: Write) -> None:
    """With --json and --verbose the progress is on stderr, beside the log."""
    write(3)
    result = run(*IMPORT, "--emulator", "--json", "--verbose")
    assert "opening\n" in result.stderr
    assert " POST property: 201, " in result.stderr
    assert json.loads(result.stdout)["done"]


def test_sample(run: Run) -> None:
    """A real file of 1,000 rows goes in with its preset; repeated addresses are reported."""
    result = run(
        *("import", "properties", str(SAMPLE), "--preset", "land-registry", "--emulator"),
        *("--concurrency", "16", "--results", "some/where", "--no-adopt-existing"),
    )
    assert 0 == result.exit_code, result.stderr
    assert 1000 == counts(result)["created"]
    assert "repeated addresses: 7 rows repeat the address of an earlier one (rows 37, 38; " in (
        result.stdout
    )
    assert Path("some/where/land-registry-sample.created.csv").exists()


def test_map(run: Run, folder: Path) -> None:
    """Columns and templates are mapped by hand."""
    (folder / "in.csv").write_text("No,Way,Place,PC\n7,High St,Leeds,LS1 1AA\n")
    result = run(
        *IMPORT,
        *("--emulator", "--generate-references", "--map", "line1={No} {Way}"),
        *("--map", "city=Place", "--map", "postcode=PC", "--settle", "0"),
    )
    assert 0 == result.exit_code, result.stderr
    assert "7 High St" == states(folder)[0][1]


def test_rejected(run: Run, folder: Path, write: Write) -> None:
    """Rows that cannot be sent are reported, with what to do."""
    path = write(2)
    path.write_text(path.read_text() + "3 High Street,Leeds,nonsense,A3\n")
    result = run(*IMPORT, "--emulator")
    assert 1 == result.exit_code
    assert (2, 1) == (counts(result)["created"], counts(result)["rejected"])
    assert "to do: correct in.rejects.csv and import that file\n" in result.stdout


def test_faults(run: Run, write: Write, folder: Path) -> None:
    """Lost answers are found again; nothing is there twice."""
    write(40)
    result = run(
        *IMPORT, "--emulator", "--faults", "drop-after=0.2", "--seed", "1", "--settle", "0.1"
    )
    assert 0 == result.exit_code, result.stderr
    assert sorted(f"A{n}" for n in range(1, 41)) == sorted(row[10] for row in states(folder))
    adopted = counts(result)["adopted"]
    assert f"adopted {adopted:>11,}   {adopted} of them found after a lost answer" in result.stdout


def test_dry_run(run: Run, write: Write, folder: Path) -> None:
    """A dry run needs no token, sends nothing and keeps nothing."""
    write(3)
    result = run(*IMPORT, "--dry-run")
    assert (0, "dry run: 3 rows; 3 can be sent, 0 would be rejected; nothing was sent\n") == (
        result.exit_code,
        result.stdout,
    )
    assert ["in.csv"] == [path.name for path in folder.iterdir()]


def test_dry_run_with_rejects(run: Run, write: Write) -> None:
    """A dry run that finds bad rows says so by its exit code too."""
    path = write(1)
    path.write_text(path.read_text() + "3 High Street,Leeds,nonsense,A3\n")
    result = run(*IMPORT, "--dry-run", "--json")
    assert (1, 1, 1) == (
        result.exit_code,
        (report := json.loads(result.stdout))["pending"],
        report["rejected"],
    )


def test_stopped_by_authentication(run: Run, write: Write, served: Emulator) -> None:
    """A token that stops working stops the import, with exit code 3 and the way to go on."""
    write(3)
    served.script("POST", "/api/partner/property", [Fault("status", 401)] * 9)
    result = run(*IMPORT, "--concurrency", "1")
    assert (3, 3) == (result.exit_code, counts(result)["not sent"])
    assert "check the token in HOMEBOX_TOKEN or --token-file\n" in result.stdout
    assert result.stdout.endswith("to go on: homebox import properties in.csv --concurrency 1\n")


def test_resume_command_with_json(run: Run, write: Write, served: Emulator) -> None:
    """With --json, how to go on is told on stderr."""
    write(3)
    served.script("POST", "/api/partner/property", [Fault("status", 403)] * 9)
    result = run(*IMPORT, "--json")
    assert (3, False) == (result.exit_code, json.loads(result.stdout)["done"])
    assert "to go on: homebox import properties in.csv --json\n" == result.stderr


def test_reader_that_left(run: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is that of the import, though nobody reads the report any more."""
    path = write(2)
    path.write_text(path.read_text() + "3 High Street,Leeds,nonsense,A3\n")

    def left(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(Output, "plain", left)
    assert 1 == run(*IMPORT, "--emulator", "--json").exit_code


def test_confirmed(run: Run, write: Write, real: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before production, the rows are checked and the number of them is asked about."""
    fake = types.SimpleNamespace(stdin=types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("homebox_async.cli.confirm.sys", fake)
    write(3)
    no = run(*IMPORT, input="n\n")
    assert (1, 0) == (no.exit_code, real.store.commits)
    assert "dry run: 3 rows; 3 can be sent, 0 would be rejected" in no.stderr
    assert "import 3 rows of in.csv at 127.0.0.1 for Partner Account (EMU-" in no.stderr
    yes = run(*IMPORT, "--settle", "1", input="y\n")
    assert (0, 3) == (yes.exit_code, real.store.commits), yes.stderr


def test_cannot_be_confirmed(run: Run, write: Write, real: Emulator) -> None:
    """Where nobody can be asked, nothing is done."""
    write(3)
    result = run(*IMPORT)
    assert (2, "", 0) == (result.exit_code, result.stdout, real.store.commits)
    assert "add --yes" in result.stderr
    assert 0 == run(*IMPORT, "--yes").exit_code


# --- what is refused


def merged(folder: Path) -> None:
    """Write a file whose header has no line end."""
    (folder / "in.csv").write_text("line1,city,postcode,reference1 High St,Leeds,LS1 1AA,A1\n")


def changed(folder: Path) -> None:
    """Change the file after its import."""
    emulated(folder, "in.csv")
    path = folder / "in.csv"
    path.write_text(path.read_text() + "9 High Street,Leeds,LS1 1AA,A9\n")


def emulated(folder: Path, name: str) -> None:
    """Import a file of one row."""
    from click.testing import CliRunner

    from homebox_async.cli.root import homebox

    (folder / name).write_text("line1,city,postcode,reference\n1 High St,Leeds,LS1 1AA,A1\n")
    assert 0 == CliRunner().invoke(homebox, [*IMPORT, "--emulator"]).exit_code


def corrupt(folder: Path) -> None:
    """Damage the journal."""
    emulated(folder, "in.csv")
    path = folder / "in.journal"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * len(content[4096:])
    path.write_bytes(content)


def one(folder: Path) -> None:
    """Write a file of one row."""
    (folder / "in.csv").write_text("line1,city,postcode,reference\n1 High St,Leeds,LS1 1AA,A1\n")


def holds(name: str, content: bytes) -> Callable[[Path], None]:
    """Return what writes a file."""

    def prepare(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return prepare


def also(name: str, content: bytes) -> Callable[[Path], None]:
    """Return what writes a good input and another file."""

    def prepare(folder: Path) -> None:
        one(folder)
        (folder / name).write_bytes(content)

    return prepare


def in_use(folder: Path) -> None:
    """Lock the journal as a running import does."""
    import sqlite3

    emulated(folder, "in.csv")
    connection = sqlite3.connect(folder / "in.journal", isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    LOCKS.append(connection)


LOCKS: list[Any] = []

TWICE = b"line1,city,postcode,reference\n1 A,Leeds,LS1 1AA,A1\n2 B,Leeds,LS1 1AA,A1\n"


@pytest.mark.parametrize(
    ("prepare", "args", "error"),
    [
        (lambda _: None, [], "in.csv: there is no such file; check the path"),
        (lambda folder: (folder / "in.csv").mkdir(), [], "in.csv: is a folder; name a file in it"),
        (holds("in.csv", b""), [], "in.csv: is empty; it needs a line of column names and rows"),
        (holds("in.csv", b"\x00\x01\x02" * 99), [], "in.csv: holds NUL bytes, so it is not text"),
        (holds("in.csv", b"PK\x03\x04" + b"\0" * 99), [], "in.csv: is an Excel workbook or a zip"),
        (merged, [], "in.csv: line 1 "),
        (holds("in.csv", b"a,b\n1,2\n"), [], "there is no address among the columns 'a', 'b'"),
        (holds("in.csv", TWICE), [], "in.csv: rows 1, 2 have the same reference 'A1'; make each"),
        (changed, [], "in.journal: the input, or how it is read, changed since this journal"),
        (in_use, [], "in.journal: another import is using this journal; wait for it"),
        (corrupt, [], "in.journal: the journal is damaged; restore it"),
        (also("in.journal", b"notes\n" * 99), [], "in.journal: is not a journal of homebox_async"),
        (also("there", b""), ["--results", "there"], "--results there: no such folder can be made"),
        (one, ["--journal", "/dev/full/x"], "/dev/full/x: the journal cannot be opened"),
        (one, ["--map", "line1"], "'line1' has no =; write --map FIELD=COLUMN"),
        (one, ["--map", "a=b", "--map", "a=c"], "a is given twice"),
        (one, ["--map", "street=line1"], "--map: there is no field 'street'"),
        (one, ["--map", "line1=Street"], "--map line1: there is no column 'Street'"),
        (one, ["--preset", "x"], "'--preset': 'x' is not"),
        (one, ["--encoding", "klingon"], "in.csv: there is no encoding 'klingon'"),
        (one, ["--concurrency", "0"], "'0' is neither auto nor a number from 1 to 9999"),
        (one, ["--concurrency", "many"], "'many' is neither auto nor a number"),
        (one, ["--settle", "-1"], "'--settle': -1.0 is not in the range"),
        (one, ["--settle", "inf"], "inf is not a number of seconds"),
    ],
    ids=[
        *("missing-file", "folder", "empty-file", "binary-file", "excel", "merged-header"),
        *("no-address", "duplicate-references", "changed-file", "locked-journal"),
        *("corrupt-journal", "other-journal", "results-a-file", "journal-nowhere", "map-bare"),
        *("map-twice", "map-field", "map-column", "preset", "encoding", "no-concurrency"),
        *("bad-concurrency", "settle-below", "settle-endless"),
    ],
)
def test_unusable(
    run: Run, folder: Path, prepare: Callable[[Path], None], args: list[str], error: str
) -> None:
    """What cannot be imported is refused in one line that says what to do, with exit code 2."""
    prepare(folder)
    result = run(*IMPORT, "--emulator", *args)
    while LOCKS:
        LOCKS.pop().close()
    assert (2, "") == (result.exit_code, result.stdout)
    *_, last = result.stderr.splitlines()
    assert last.startswith("error: ")
    assert error in last


def test_wrong_token(
    run: Run, write: Write, served: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token ends the import before anything is done, with exit code 3."""
    write(3)
    monkeypatch.setenv("HOMEBOX_TOKEN", "wrong")
    result = run(*IMPORT)
    assert (3, "") == (result.exit_code, result.stdout)
    assert "error: GET account: " in result.stderr
    assert "wrong" not in result.stderr


def test_unreachable(run: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there ends the import before anything is done."""
    write(3)
    monkeypatch.setenv("HOMEBOX_TOKEN", "x")
    result = run(*IMPORT, "--base-url", "http://127.0.0.1:9")
    assert (1, "") == (result.exit_code, result.stdout)
    assert "[outcome: not sent, " in result.stderr
    assert "check the network" in result.stderr


def test_results_that_cannot_be_written(run: Run, write: Write, folder: Path) -> None:
    """Results that cannot be written fail the command; the import itself is done."""
    write(3)
    (folder / "in.created.csv").mkdir()
    result = run(*IMPORT, "--emulator")
    assert (1, "", 3) == (result.exit_code, result.stdout, len(states(folder)))
    assert "error: in.created.csv: cannot be written (" in result.stderr


# --- signals, in this process


def later(seconds: float, number: signal.Signals) -> threading.Timer:
    """Send a signal to this process in a moment."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(seconds, lambda: signal.pthread_kill(main, number))
    timer.start()
    return timer


def interrupted(run: Run, *numbers: signal.Signals) -> Result:
    """Run an import and send it signals."""
    timers = [later(0.5 + 0.3 * index, number) for index, number in enumerate(numbers)]
    try:
        return run(*IMPORT, "--concurrency", "2", "--settle", "0")
    finally:
        for timer in timers:
            timer.join()


def test_first_interrupt(run: Run, write: Write, served: Emulator) -> None:
    """The first Ctrl-C waits for what is in flight and tells how to go on; that does."""
    write(9)
    served.script("POST", "/api/partner/property", [Fault("slow", seconds=1.0)] * 9)
    result = interrupted(run, signal.SIGINT)
    assert (130, 2) == (result.exit_code, counts(result)["created"])
    assert "interrupted: waiting for what is in flight" in result.stderr
    command = "import properties in.csv --concurrency 2 --settle 0"
    assert result.stdout.endswith(f"stopped: interrupted\nto go on: homebox {command}\n")
    served._scripts.clear()
    assert 0 == run(*command.split()).exit_code
    assert 9 == len(list(served.store.properties))


def test_second_interrupt(run: Run, write: Write, served: Emulator) -> None:
    """The second Ctrl-C, or SIGTERM, leaves at once; going on finds out what happened."""
    write(9)
    served.script("POST", "/api/partner/property", [Fault("hang-after")] * 2)
    result = interrupted(run, signal.SIGINT, signal.SIGTERM)
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


def test_cancelled_by_another(write: Write, served: Emulator) -> None:
    """A cancellation that is no interrupt stays one."""
    from homebox_async import AsyncHomebox
    from homebox_async.cli.imports import _import

    path = write(3)
    served.script("POST", "/api/partner/property", [Fault("hang")] * 9)

    async def cancelled() -> None:
        async with AsyncHomebox() as client, asyncio.timeout(0.3):
            await _import(client, path, Output(json=True, verbose=False), {}, "")

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


# --- progress and report, as plain values


def moment(phase: str = "sending", rows: int = 100, **counts: int) -> Moment:
    """Return a moment of a run."""
    names = ("sent", "created", "adopted", "rejected", "unknown")
    return Moment(phase=phase, rows=rows, **{**dict.fromkeys(names, 0), **counts})


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Off a terminal there is a line at each phase and every few seconds."""
    time = 0.0
    view = Lines(lambda: time)
    for at, what in [
        (0.0, moment("opening", 0)),
        (0.1, moment("checking", 0)),
        (5.2, moment("checking", 5000)),
        (6.0, moment("comparing", adopted=10)),
        (7.0, moment("sending", adopted=10)),
        (8.0, moment("sending", adopted=10, created=1)),
        (12.0, moment("sending", adopted=10, created=50)),
        (17.0, moment("sending", adopted=10, created=51, rejected=1)),
        (30.0, moment("reconciling", adopted=10, created=52, rejected=1)),
        (31.0, moment("writing results", adopted=10, created=89, rejected=1)),
    ]:
        time = at
        view.show(what)
    assert [
        "opening",
        "checking",
        "checking: 5,000 rows",
        "comparing: 10 of 100 rows, 10 adopted",
        "sending: 10 of 100 rows, 10 adopted",
        "sending: 60 of 100 rows, 50 created, 10 adopted, 10 rows/s, 4.0 s left",
        "sending: 62 of 100 rows, 51 created, 10 adopted, 1 rejected, 5.2 rows/s, 7.3 s left",
        "reconciling: 63 of 100 rows, 52 created, 10 adopted, 1 rejected",
        "writing results: 100 of 100 rows, 89 created, 10 adopted, 1 rejected, 37 rows/s",
    ] == capsys.readouterr().err.splitlines()


def test_pace_without_progress() -> None:
    """Nothing is said of a pace that there is not."""
    pace = Pace(lambda: 0.0)
    pace.see(moment())
    pace.see(moment())
    assert [] == list(pace.told(moment()))


def test_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal there is a bar, and what is said stands above it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    bar = Bar()
    bar.show(moment("checking", 5000))
    bar.show(moment(created=40, rejected=2))
    bar.say("said [bold]")
    bar.close()
    shown = capsys.readouterr().err
    for text in ("checking", "sending", "40 created, 2 rejected", "said [bold]"):
        assert text in shown


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    """Without progress, what has to be said is said."""
    silence = Silence()
    silence.show(moment())
    silence.say("said")
    silence.close()
    assert "said\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("terminal", "term", "output", "expected"),
    [
        (True, "xterm", Output(json=False, verbose=False), Bar),
        (True, "dumb", Output(json=False, verbose=False), Lines),
        (False, "xterm", Output(json=False, verbose=False), Lines),
        (True, "xterm", Output(json=False, verbose=True), Lines),
        (True, "xterm", Output(json=True, verbose=True), Lines),
        (True, "xterm", Output(json=True, verbose=False), Silence),
    ],
    ids=["terminal", "dumb", "no-terminal", "verbose", "verbose-json", "json"],
)
def test_view(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str, output: Output, expected: type
) -> None:
    """The progress fits stderr and the options."""
    monkeypatch.setenv("TERM", term)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    fake = types.SimpleNamespace(stderr=types.SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setattr(progress, "sys", fake)
    view = view_of(output)
    view.close()
    assert expected is type(view)


async def test_followed_to_the_end() -> None:
    """A view is closed when the run fails, too."""
    closed = []
    view = types.SimpleNamespace(show=lambda moment: None, close=lambda: closed.append(True))
    run = types.SimpleNamespace(phase="opening", rows=0, sent=0, counts=dict.fromkeys(range(6), 0))

    async def fail() -> None:
        async with followed(run, view):  # type: ignore[arg-type]
            await asyncio.sleep(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert [True] == closed


def report(**values: Any) -> Report:
    """Return a report."""
    return Report(
        **{
            **dict.fromkeys(
                ("rows", "created", "adopted", "rejected", "unknown", "pending", "sent"), 0
            ),
            "reconciled": 0,
            "repeated_addresses": 0,
            "repeated_examples": (),
            "stopped": "",
            "error": None,
            "dry_run": False,
            "seconds": 2.0,
            "journal": Path("in.journal"),
            "files": {},
            **values,
        }
    )


def test_report() -> None:
    """A report tells all, and how to go on."""
    error = AuthenticationFailed("no", outcome=Outcome.REJECTED, status=401)
    told = report(
        rows=2000,
        created=1000,
        adopted=10,
        reconciled=3,
        rejected=7,
        unknown=1,
        pending=982,
        sent=1001,
        repeated_addresses=1,
        repeated_examples=((4, 5), (6, 7), (1, 9), (2, 3)),
        stopped="no",
        error=error,
        files={"created": Path("in.created.csv"), "rejects": Path("in.rejects.csv")},
    )
    assert [
        "not everything is done",
        "  rows          2,000",
        "  created       1,000",
        "  adopted          10   3 of them found after a lost answer",
        "  rejected          7",
        "  unknown           1   perhaps created; looked up first when it goes on",
        "  not sent        982",
        "repeated addresses: 1 row repeats the address of an earlier one (rows 4, 5; 6, 7; 1, 9)",
        "time: 2.0 s, 500.5 requests a second",
        "created: in.created.csv",
        "rejects: in.rejects.csv",
        "journal: in.journal",
        f"stopped: {str(error).strip()}; check the token in HOMEBOX_TOKEN or --token-file",
        "to go on: homebox again",
    ] == list(lines(told, "homebox again"))
