"""`homebox export`: files and stdout, what is told, what is refused, and with which exit code."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.emulator import Address, Emulator, Fault

Run = Callable[..., Result]


def fill(emulator: Emulator) -> None:
    """Add 60 homes, the first two with an order."""
    for number in range(1, 61):
        emulator.store.add_property(
            Address(f"{number} =Lane", None, "Leeds", None, "LS1 1AA"), reference=f"R{number}"
        )
    for number in (1, 2):
        emulator.activate(emulator.seed_order(number).id)


@pytest.mark.parametrize(
    ("args", "rows"),
    [
        (("export", "properties"), 60),
        (("export", "orders"), 2),
        (("export", "leads"), 0),
        (("export", "readings"), 0),
        (("export", "payments"), 0),
    ],
    ids=lambda value: str(value),
)
def test_export(args: tuple[str, ...], rows: int, run: Run, served: Emulator, folder: Path) -> None:
    """Each list comes to a file of its own, which stderr tells, with a note that it is personal."""
    fill(served)
    result = run(*args, "-o", "a.csv")
    assert (0, "") == (result.exit_code, result.stdout), result.stderr
    assert "note: exports hold personal data" in result.stderr
    assert f"{rows} rows in a.csv" in result.stderr
    with (folder / "a.csv").open(newline="") as file:
        assert rows == len(list(csv.DictReader(file)))


def test_stdout(run: Run, served: Emulator, folder: Path) -> None:
    """With - the rows go to stdout, and no file is made."""
    fill(served)
    lines = run("export", "properties", "-o", "-", "--format", "jsonl").stdout.splitlines()
    assert list(range(1, 61)) == [json.loads(line)["id"] for line in lines]
    table = run("export", "properties", "-o", "-", "--format", "csv").stdout
    assert 60 == len(list(csv.DictReader(io.StringIO(table))))
    assert [] == list(folder.iterdir())


def test_report_as_json(run: Run, served: Emulator) -> None:
    """With --json the report of an export to a file is one object on stdout."""
    fill(served)
    report = json.loads(run("export", "orders", "-o", "a.parquet", "--json").stdout)
    assert ("orders", "a.parquet", 2, 0) == tuple(
        report[name] for name in ("what", "path", "rows", "gone")
    )


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("properties", "-o", "a.txt"), "-o a.txt: does not tell the format"),
        (("properties",), "missing option '-o'"),
        (("properties", "-o", "-", "--format", "parquet"), "cannot be written to a stream"),
        (("properties", "-o", "a.csv", "--since", "1/2/2026"), "is not a day; write YYYY-MM-DD"),
        (("properties", "-o", "a.jsonl", "--bom"), "bom means nothing for jsonl"),
        (("properties", "-o", "a.csv", "--csv"), "--csv and --fields mean nothing here"),
        (("payments", "-o", "a.csv", "--branch", "7"), "no such option"),
        (("properties", "-o", "no/a.csv"), "there is no folder no"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_refused(args: tuple[str, ...], told: str, run: Run, served: Emulator) -> None:
    """What cannot be is refused in one line, with the exit code of usage."""
    result = run("export", *args)
    assert (2, 1) == (result.exit_code, result.stderr.count("error: ")), result.stderr
    assert told in result.stderr


def test_failure(run: Run, served: Emulator, folder: Path) -> None:
    """A failed request tells how to go on; a refused token has its own exit code."""
    fill(served)
    path = "/api/partner/property"
    served.script("GET", path, [None, Fault("status", 403)])
    result = run("export", "properties", "-o", "a.csv")
    assert 3 == result.exit_code
    assert "to go on: homebox export properties -o a.csv" in result.stderr
    result = run("export", "properties", "-o", "a.csv")
    assert "50 rows of them from an earlier run" in result.stderr


def test_gone(run: Run, served: Emulator) -> None:
    """An order that vanished is told, and the exit code says that a request failed."""
    fill(served)
    served.script("GET", "/api/partner/order/2/payments", [Fault("status", 404)])
    result = run("export", "payments", "-o", "a.csv")
    assert 1 == result.exit_code
    assert "warning: 1 orders or properties were gone" in result.stderr


def test_branch_and_since(run: Run, served: Emulator) -> None:
    """A branch has leads and orders; what is older than --since is told."""
    fill(served)
    served.script("GET", "/api/partner/child/7/orders", [Fault("status", 404)])
    assert 1 == run("export", "orders", "-o", "a.csv", "--branch", "7").exit_code
    result = run("export", "properties", "-o", "b.csv", "--since", "2999-01-01")
    assert "60 rows from before --since left out" in result.stderr


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "no terminal"])
def test_progress(
    terminal: bool, run: Run, served: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it reads, stderr tells how far it is; what it tells is no row."""
    fill(served)
    monkeypatch.setattr("homebox_async.cli.exports.is_interactive", lambda: terminal)
    monkeypatch.setattr("homebox_async.cli.exports._POLL", 0.01)
    monkeypatch.setattr("homebox_async.cli.exports._LINE_EVERY", 0.0)
    told: list[int] = []
    monkeypatch.setattr(
        "homebox_async.cli.exports._told", lambda run: told.append(run.rows) or "reading: so far"
    )
    served.script("GET", "/api/partner/property", [None, Fault("slow", seconds=0.3)])
    result = run("export", "properties", "-o", "a.csv")
    assert 0 == result.exit_code
    assert 50 in told
    assert terminal or "reading: so far" in result.stderr


def test_quiet_json(run: Run, served: Emulator) -> None:
    """With --json nothing is told of the progress."""
    fill(served)
    result = run("export", "properties", "-o", "a.csv", "--json")
    assert "note: exports hold personal data; keep the file safe\n" == result.stderr


def test_report_lines() -> None:
    """The report tells all that is out of the ordinary."""
    from homebox_async.cli.exports import _lines
    from homebox_async.export import ExportReport

    report = ExportReport(
        what="leads",
        path=None,
        rows=2000,
        resumed_rows=1,
        before_since=2,
        undated=3,
        gone=0,
        shifted=True,
        complete=False,
        reason="6 items came, and the server reported a total of 10",
        drift=-4,
        seconds=1.0,
    )
    assert [
        "2,000 rows; 1.0 s",
        "1 row of them from an earlier run",
        "the list changed while it was read: it was read again, and no id is there twice",
        "2 rows from before --since left out",
        "3 rows without a date kept",
    ] == list(_lines(report))[:-1]
    assert (
        "warning: rows may be missing: 6 items came, and the server reported a total of 10; export"
        " again to be sure"
    ) == list(_lines(report))[-1]
