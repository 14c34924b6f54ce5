"""The progress and the report of an import, as plain values."""

import asyncio
import types
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AuthenticationFailed, Outcome
from homebox_async.cli import progress
from homebox_async.cli.output import Output
from homebox_async.cli.progress import Bar, Lines, Moment, Pace, Silence, followed, view_of
from homebox_async.cli.report import lines
from homebox_async.importer import Report


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
    run = types.SimpleNamespace(
        phase="opening", rows=0, sent=0, counts=dict.fromkeys(range(6), 0), said=()
    )

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
        repeated_at=("line 5", "line 7", "line 9", "line 11"),
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
        "  unknown           1   may exist; the next run looks them up first",
        "  not sent        982",
        "repeated addresses: 1 row repeats the address of an earlier one (line 5; line 7; line 9)",
        "time: 2.0 s, 500.5 requests a second",
        "created: in.created.csv",
        "rejects: in.rejects.csv",
        "journal: in.journal",
        f"stopped: {str(error).strip()}; check the token in HOMEBOX_TOKEN or --token-file",
        "to settle unknown rows yourself: homebox import status in.journal",
        "to go on: homebox again",
    ] == list(lines(told, "homebox again"))
