"""`homebox import properties`: what it does and says."""

import errno
import json
import types
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result

from homebox_async.cli.output import Output
from homebox_async.emulator import Emulator, Fault

from .importing import IMPORT, counts, states

Run = Callable[..., Result]
Write = Callable[..., Path]
SAMPLE = Path(__file__).parents[1] / "data" / "land-registry-sample.csv"


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
    assert (
        "repeated addresses: 7 rows repeat the address of an earlier one (lines 38 and 39; "
        in result.stdout
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


def test_workbook(run: Run, folder: Path) -> None:
    """A workbook is imported as a CSV file is, its results are workbooks, and it resumes."""
    header, home = ("line1", "city", "postcode", "ref"), ("1 High St", "Leeds", "LS1 1AA", "A1")
    book = openpyxl.Workbook()
    for name in ("Lettings", "Sales"):
        sheet = book.create_sheet(name)
        for row in (header, home, (*home[:3], "")):
            sheet.append(row)
    book.save(folder / "in.xlsx")
    command = ("import", "properties", "in.xlsx", "--emulator")
    asked = run(*command)
    assert 2 == asked.exit_code
    assert "has 2 sheets with rows: 'Lettings' (3 rows), 'Sales' (3 rows)" in asked.stderr
    for _ in "ab":
        result = run(*command, "--sheet", "Sales")
        assert 1 == result.exit_code
        assert 1 == len(states(folder))
        assert (folder / "in.created.xlsx").exists()
        assert (folder / "in.rejects.xlsx").exists()


def test_stdin(run: Run, folder: Path) -> None:
    """The rows of stdin have a journal and results by that name; the same rows resume."""
    rows = "line1,city,postcode,ref\n1 High St,Leeds,LS1 1AA,A1\n"
    for _ in "ab":
        result = run("import", "properties", "-", "--emulator", "--yes", input=rows)
        assert 0 == result.exit_code, result.output
        assert 1 == len(states(folder))
        assert {"stdin.journal", "stdin.created.csv"} <= {path.name for path in folder.iterdir()}
    changed = run("import", "properties", "-", "--emulator", "--yes", input=rows + rows[24:])
    assert "stdin.journal: the input, or how it is read, changed" in changed.stderr
