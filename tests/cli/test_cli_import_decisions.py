"""`homebox import status`, `history`, `resolve` and `forget`, done as the printed text says."""

import csv
import datetime as dt
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from homebox_async.emulator import Address, Emulator, Fault

Run = Callable[..., Result]
SOON = dt.date.today() + dt.timedelta(days=3)
FOLDER = "it's a folder; echo"
JOURNAL = f"{FOLDER}/in.journal"
RESULTS = ("--results", FOLDER)


@pytest.fixture
def lead(folder: Path, served: Emulator) -> tuple[str, ...]:
    """Write a lead whose request is answered by a server that lost it; return its import."""
    (folder / "in.csv").write_text(
        "line1,city,postcode,ref,tenancy_start,tenancy_end,first_name,last_name,phone_number,"
        "email_address\n"
        f"1 High St,Leeds,LS1 1AA,L1,{SOON},2060-01-01,Zqjo,Fox,+447911123451,z@x.uk\n"
    )
    return ("import", "leads", "in.csv", "--settle", "0", *RESULTS)


def unknown(folder: Path) -> list[dict[str, str]]:
    """Return the rows of the file of unknown rows."""
    with (folder / FOLDER / "in.unknown.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pasted(run: Run, text: str, **options: Any) -> Result:
    """Run the command that a text names, as a shell would read it."""
    [command] = re.findall(r"(homebox import resolve .*?)(?: \(or |$)", text)
    name, *words = shlex.split(command)
    assert "homebox" == name
    id = options.pop("id", "")
    return run(*(id if word == "ID" else word for word in words), **options)


def test_void_walk(run: Run, folder: Path, served: Emulator) -> None:
    """From an unknown void to a settled one, by nothing but the commands that are printed."""
    served.store.add_property(Address("1 High St", None, "Leeds", None, "LS1 1AA", None), "R1")
    parts = "first_name,last_name,phone_number,email_address,line1,city,postcode"
    header = ",".join(f"responsible_{part}" for part in parts.split(","))
    (folder / "in.csv").write_text(
        f"property_id,tenancy_start,property_empty,{header}\n"
        f"1,{SOON},yes,Zqjo,Fox,+447911123456,zq@x.uk,1 High St,Leeds,LS1 1AA\n"
    )
    command = ("import", "voids", "in.csv", *RESULTS)
    served.script("POST", "/api/partner/void", [Fault.named("drop-before")])
    assert 1 == run(*command).exit_code
    status = run("import", "status", JOURNAL)
    assert 1 == status.exit_code
    [line] = [line for line in status.stdout.splitlines() if "homebox import resolve" in line]
    assert unknown(folder)[0]["fix"] in line.strip()
    # In another folder, under another name, it is the same void: not sent.
    (folder / "b.csv").write_text((folder / "in.csv").read_text())
    assert 1 == run("import", "voids", "b.csv", "--results", str(folder)).exit_code
    assert 1 == served.counts.requests["POST /api/partner/void"]
    wanted = line.replace("--is ID", "--not-there")
    unasked = pasted(run, wanted, input="")
    assert (2, True) == (unasked.exit_code, "stdin has no answer; add --yes ROW" in unasked.stderr)
    refused = pasted(run, wanted, input="2\n")
    assert (2, "repeat the number of the row: 1" in refused.stderr) == (refused.exit_code, True)
    assert 0 == pasted(run, wanted, input="1\n").exit_code
    assert 0 == run(*command).exit_code
    assert 2 == served.counts.requests["POST /api/partner/void"]
    # Once more elsewhere: it is known with its date, and not sent.
    (folder / "c.csv").write_text((folder / "in.csv").read_text())
    again = run("import", "voids", "c.csv")
    assert 0 == again.exit_code
    assert f"1 void was sent before (first on {dt.date.today()}), so not again" in again.stderr
    assert 2 == served.counts.requests["POST /api/partner/void"]


@pytest.mark.parametrize("there", [True, False], ids=["is", "not-there"])
def test_lead_walk(
    run: Run, folder: Path, served: Emulator, lead: tuple[str, ...], there: bool
) -> None:
    """From an unknown lead to a settled one, by nothing but the commands that are printed."""
    # Its list shows one that is nearly the row's: which one it is, only a person can say.
    (folder / "by-hand.csv").write_text((folder / "in.csv").read_text().replace(",L1,", ",other,"))
    elsewhere = ("--ledger", str(folder / "elsewhere"))
    assert 0 == run("import", "leads", "by-hand.csv", *elsewhere).exit_code
    assert 1 == run(*lead).exit_code
    [row] = unknown(folder)
    assert "lead 1 may be it" in row["error"]
    fix = row["fix"] if there else row["fix"].replace("--is ID", "--not-there")
    if there:
        wrong = pasted(run, fix, id="99")
        assert "lead 99 is not among those of this account" in wrong.stderr
        settled = pasted(run, fix, id="1")
    else:
        settled = pasted(run, fix, input="1\n")
    assert 0 == settled.exit_code, settled.output
    assert 0 == run(*lead).exit_code
    assert (1 if there else 2) == len(served.store.leads)
    status = run("import", "status", JOURNAL, "--json")
    assert {"adopted": int(there), "created": int(not there)}.items() <= json.loads(
        status.stdout
    ).items()
    assert 0 == status.exit_code


def test_options_of_the_account(run: Run, folder: Path, write: Callable[..., Path]) -> None:
    """The printed command names the account as the import did."""
    write(1)
    command = ("import", "properties", "in.csv", "--emulator", "--emulator-state", "a b.jsonl")
    more = ("--ledger", "led ger", "--faults", "drop-after=1", "--settle", "0")
    run(*command, *more, *RESULTS)
    status = run("import", "status", JOURNAL)
    if "homebox import resolve" in status.stdout:
        assert "--emulator --emulator-state 'a b.jsonl' --ledger 'led ger'" in status.stdout


def test_status_of_a_folder(run: Run, folder: Path, write: Callable[..., Path]) -> None:
    """Without a journal, those of the folder are shown; result files come again."""
    write(2)
    assert 0 == run("import", "properties", "in.csv", "--emulator").exit_code
    (folder / "in.created.csv").unlink()
    status = run("import", "status")
    assert 0 == status.exit_code
    assert re.search(r"created +2\n", status.stdout)
    assert (folder / "in.created.csv").exists()
    (folder / "in.csv").unlink()
    assert "the result files were not written" in run("import", "status").stdout


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (
            (
                "import",
                "status",
            ),
            "there is no journal in this folder",
        ),
        (("import", "status", "no.journal"), "no.journal: there is no such journal"),
        (("import", "status", "in.csv"), "is not a journal"),
        (("import", "resolve", "in.journal", "1", "--emulator"), "give --is ID or --not-there"),
        (("import", "resolve", "in.journal", "9", "--is", "5", "--emulator"), "has no row 9"),
        (("import", "resolve", "in.journal", "1", "--is", "5", "--emulator"), "row 1 is created"),
    ],
    ids=["none", "missing", "no-journal", "neither", "no-row", "settled"],
)
def test_refused(
    run: Run, folder: Path, write: Callable[..., Path], args: tuple[str, ...], error: str
) -> None:
    """What makes no sense is refused in one line, with what to do."""
    write(1)
    if args[1] == "resolve":
        assert 0 == run("import", "properties", "in.csv", "--emulator").exit_code
    result = run(*args)
    assert (2, True) == (result.exit_code, error in result.stderr), result.stderr


def test_history_and_forget(run: Run, folder: Path, write: Callable[..., Path]) -> None:
    """What was sent is shown by journal, and forgotten when it is asked for."""
    write(3)
    assert 0 == run("import", "properties", "in.csv", "--emulator").exit_code
    shown = run("import", "history", "--emulator").stdout
    assert re.fullmatch(rf"{dt.date.today()}  properties  3 created  .*in\.journal\n", shown)
    assert 1 == run("import", "forget", "--emulator", input="n\n").exit_code
    unasked = run("import", "forget", "--emulator", input="")
    assert (2, True) == (unasked.exit_code, "stdin has no answer; add --yes" in unasked.stderr)
    gone = run("import", "forget", "--emulator", "--yes", "--json")
    assert {"forgotten": 3} == json.loads(gone.stdout)
    assert (
        "the ledger has no entry of this account" in run("import", "history", "--emulator").stderr
    )


def test_server_that_was_reset(
    run: Run, folder: Path, served: Emulator, write: Callable[..., Path]
) -> None:
    """What the ledger knows and Homebox lost is not sent, until one command forgets it."""
    write(3)
    assert 0 == run("import", "properties", "in.csv", *RESULTS).exit_code
    served.store.properties._rows.clear()
    command = ("import", "properties", "in.csv", "--journal", "b.journal", "--settle", "0")
    before = served.counts.requests["POST /api/partner/property"]
    lost = run(*command)
    assert 1 == lost.exit_code
    assert "3 of the rows were sent before, and Homebox does not show them" in lost.stderr
    [said] = re.findall(r"run: (homebox import forget --missing)", lost.stderr)
    assert 1 == run(*command).exit_code
    assert before == served.counts.requests["POST /api/partner/property"]
    forgotten = run(*shlex.split(said)[1:], input="y\n")
    assert "3 items forgotten" in forgotten.stdout
    assert 0 == run(*command).exit_code
    assert before + 3 == served.counts.requests["POST /api/partner/property"]
    nothing = run("import", "forget", "--missing", "--json")
    assert ({"forgotten": 0}, "nothing is missing\n") == (
        json.loads(nothing.stdout),
        nothing.stderr.splitlines(keepends=True)[-1],
    )
