"""The commands of the API, each against an emulator of its own."""

import asyncio
import json
import logging
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from homebox_async.cli import output, session
from homebox_async.cli.errors import explained, guarded, silence
from homebox_async.cli.root import homebox
from homebox_async.cli.text import counted, duration, one_line
from homebox_async.emulator import Emulator, Fault

Run = Callable[..., Result]

HOME = ("--line1", "1 High Street", "--city", "Leeds", "--postcode", "LS1 1AA")
NOTE = "emulator: nothing leaves this machine; its state is in homebox-emulator.jsonl\n"


@pytest.fixture
def created(run: Run) -> dict[str, Any]:
    """Create a property in the emulator's state file."""
    result = run("properties", "create", *HOME, "--reference", "A1", "--emulator", "--json")
    assert (0, NOTE) == (result.exit_code, result.stderr)
    home: dict[str, Any] = json.loads(result.stdout)
    return home


def test_create_and_get(run: Run, created: dict[str, Any]) -> None:
    """A property that one command created is what the next one gets, as the server sent it."""
    result = run("properties", "get", str(created["id"]), "--emulator", "--json")
    got = json.loads(result.stdout)
    references = [one["property_reference"] for one in got.pop("partner_properties")]
    assert (["A1"], created) == (references, got)
    assert "1 High Street" == created["address_line1"]


def test_get_as_lines(run: Run, created: dict[str, Any]) -> None:
    """Off a terminal, an object is a line for each field that has a value."""
    result = run("properties", "get", "1", "--emulator")
    assert ["id\t1", "address_line1\t1 High Street"] == result.stdout.splitlines()[:2]
    assert "None" not in result.stdout


def test_create_by_address_id(run: Run) -> None:
    """An address that was found can be created by its id."""
    found = run("addresses", "find", "LS1 1AA", "--emulator", "--json")
    first = json.loads(found.stdout.splitlines()[0])
    result = run("properties", "create", "--address-id", first["address_id"], "--emulator")
    assert 0 == result.exit_code, result.stderr
    assert "address_postcode\tLS1 1AA\n" in result.stdout


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ([], "give the address either as --address-id, or as --line1"),
        (["--address-id", "x", *HOME], "give the address either as --address-id, or as --line1"),
        (["--line1", "1 High Street"], "the address is not complete; add --city, --postcode"),
        ([*HOME[:-1], "nonsense"], "postcode"),
    ],
    ids=["nothing", "both", "half", "postcode"],
)
def test_bad_addresses(run: Run, args: list[str], error: str) -> None:
    """An address that cannot be sent is refused, with what to give instead."""
    result = run("properties", "create", *args, "--emulator")
    assert 2 == result.exit_code
    assert error in result.stderr


def test_list_lines(run: Run, created: dict[str, Any]) -> None:
    """Off a terminal, a list is tab-separated under its titles."""
    result = run("properties", "list", "--emulator")
    assert (
        "id\treference\taddress\tstatus\n1\tA1\t1 High Street, Leeds, LS1 1AA\tpending\n"
    ) == result.stdout


def test_list_json(run: Run, created: dict[str, Any]) -> None:
    """With --json, a list is one object a line."""
    run("properties", "create", *HOME, "--emulator")
    result = run("properties", "list", "--emulator", "--json")
    assert [1, 2] == [json.loads(line)["id"] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (["--limit", "1"], ["1"]),
        (["--q", "LS1"], ["1", "2"]),
        (["--q", "nowhere"], []),
        (["--status", "pending"], ["1", "2"]),
        (["--status", "VOID_PERIOD"], []),
        (["--status", "1", "--status", "partner package"], ["1", "2"]),
    ],
    ids=["limit", "q", "q-none", "status-name", "status-none", "statuses"],
)
def test_list_options(run: Run, created: dict[str, Any], args: list[str], ids: list[str]) -> None:
    """A list can be narrowed."""
    run("properties", "create", *HOME, "--emulator")
    result = run("properties", "list", *args, "--emulator")
    assert ids == [line.split("\t")[0] for line in result.stdout.splitlines()[1:]]


def test_unknown_status(run: Run) -> None:
    """A status that there is not is refused with those that there are."""
    result = run("properties", "list", "--status", "sold", "--emulator")
    assert 2 == result.exit_code
    assert "'sold' is not a status; give one of pending, tenant-package," in result.stderr


def test_readings(run: Run, created: dict[str, Any], folder: Path) -> None:
    """A reading of a property is recorded and listed."""
    (folder / "meter.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 100)
    args = ("--property", "1", "--type", "electric", "--reading", "4711", "--reading2", "8")
    result = run(
        *("readings", "add", *args, "--date", "2026-11-20", "--image", "meter.jpg", "--emulator")
    )
    assert (0, NOTE) == (result.exit_code, result.stderr)
    listed = run("readings", "list", "--property", "1", "--emulator")
    titles, line = (line.split("\t") for line in listed.stdout.splitlines())
    assert {"type": "Electric", "reading": "4711", "reading2": "8", "date": "2026-11-20"} == {
        title: cell
        for title, cell in zip(titles, line, strict=True)
        if title not in ("id", "state")
    }


def test_readings_of_an_order(run: Run, served: Emulator) -> None:
    """A reading of an order is recorded and listed."""
    run("properties", "create", *HOME)
    order = str(served.seed_order(1).id)
    args = ("--order", order, "--type", "gas", "--reading", "4711", "--date", "2026-11-20")
    result = run("readings", "add", *args, "--json")
    assert "Gas" == json.loads(result.stdout)["type"]
    listed = run("readings", "list", "--order", order, "--limit", "5", "--json")
    assert ["4711"] == [json.loads(line)["reading"] for line in listed.stdout.splitlines()]


@pytest.mark.parametrize("args", [[], ["--order", "1", "--property", "2"]], ids=["none", "both"])
def test_whose_readings(run: Run, args: list[str]) -> None:
    """Readings are of either an order or a property."""
    result = run("readings", "list", *args, "--emulator")
    assert (
        "error: give either --order ID or --property ID (see homebox readings list --help)\n"
    ) == result.stderr


def test_a_list_that_is_cut(run: Run, served: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """A list that is shorter than its server says is shown, and a warning is logged."""
    served.assumed = attrs.evolve(served.assumed, total_error=2)
    result = run("leads", "list", "--json")
    assert (0, "") == (result.exit_code, result.stdout)
    told = "items may be missing: 0 items came, and the server reported a total of 2"
    assert told in caplog.text


def test_leads(run: Run, served: Emulator) -> None:
    """Leads are listed with their property and dates."""
    import datetime as dt

    from homebox_async import Address, Homebox, NewTenant

    with Homebox() as client:
        client.leads.create(
            tenancy_start=dt.date(2026, 12, 1),
            tenancy_end=dt.date(2027, 11, 30),
            address=Address(line1="1 High Street", city="Leeds", postcode="LS1 1AA"),
            property_reference="A1",
            tenants=[
                NewTenant(
                    first_name="Ann",
                    last_name="Lee",
                    phone_number="+447700900000",
                    email_address="ann@example.com",
                )
            ],
        )
    result = run("leads", "list", "--limit", "5")
    titles, line = (line.split("\t") for line in result.stdout.splitlines())
    told = dict(zip(titles, line, strict=True))
    assert ("2026-12-01", "2027-11-30", "1", "") == tuple(
        told[title] for title in ("start", "end", "tenants", "completed")
    )
    assert "1 High Street, Leeds, LS1 1AA" == told["address"]


def test_account(run: Run, served: Emulator) -> None:
    """The account of the token is shown."""
    result = run("account", "show", "--json")
    assert served.store.account.reference_number == json.loads(result.stdout)["reference_number"]


def test_token_file(
    run: Run, served: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token may come from a file, with or without a line end."""
    monkeypatch.delenv("HOMEBOX_TOKEN")
    (folder / "token").write_text(f"{served.token}\n")
    (folder / "token").chmod(0o600)
    result = run("account", "show", "--token-file", "token", "--base-url", served.url)
    assert (0, "") == (result.exit_code, result.stderr)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ([], "no API token; set HOMEBOX_TOKEN or give --token-file PATH"),
        (["--token-file", "nothing"], "--token-file nothing: cannot be read (No such file"),
        (["--token-file", "empty"], "--token-file empty: is empty"),
        (["--token-file", "binary"], "--token-file binary: cannot be read (it is not text)"),
        (["--emulator", "--base-url", "http://127.0.0.1:1"], "--base-url means nothing with"),
        (["--emulator", "--environment", "sandbox"], "--environment means nothing with"),
        (["--emulator", "--token-file", "empty"], "--token-file means nothing with"),
        (["--faults", "503=1"], "--faults means nothing without --emulator"),
        (["--seed", "1"], "--seed means nothing without --emulator"),
        (["--emulator-state", "x"], "--emulator-state means nothing without --emulator"),
        (["--environment", "sandbox", "--base-url", "http://h"], "both name a server"),
        (["--emulator", "--faults", "nonsense=1"], "--faults: unknown fault 'nonsense'"),
        (["--emulator", "--emulator-state", "empty/x"], "--emulator-state empty/x: cannot be"),
        (["--emulator", "--emulator-state", "text"], "--emulator-state text: line 1 is not"),
        (["--emulator", "--timeout", "0"], "'--timeout': 0.0 is not in the range"),
        (["--emulator", "--timeout", "nan"], "nan is not a number of seconds"),
        (["--timeout", "x"], "'--timeout': 'x' is not a valid"),
        (["--limit", "0"], "'--limit': 0 is not in the range"),
        (["--nonsense"], "no such option"),
    ],
    ids=lambda value: " ".join(value) or "no-token" if isinstance(value, list) else "",
)
def test_bad_options(run: Run, folder: Path, args: list[str], error: str) -> None:
    """Options that cannot work are refused in one line, with exit code 2."""
    (folder / "empty").touch()
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "text").write_text("no change\n")
    result = run("properties", "list", *args)
    assert (2, "") == (result.exit_code, result.stdout)
    assert error in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize("url", ["nonsense", "http://example.com", "http://["])
def test_bad_base_url(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A base URL that a token must not go to is refused."""
    monkeypatch.setenv("HOMEBOX_TOKEN", "x")
    result = run("properties", "create", *HOME, "--base-url", url, "--yes")
    assert 2 == result.exit_code
    assert result.stderr.startswith("error: base_url")


async def test_state_in_use(folder: Path) -> None:
    """Two processes never use one state at a time."""
    async with Emulator(state=folder / "state"):
        result = await asyncio.to_thread(
            CliRunner().invoke,
            homebox,
            ["account", "show", "--emulator", "--emulator-state", "state"],
        )
    assert (2, "") == (result.exit_code, result.stdout)
    assert "--emulator-state state: another emulator is using it; wait for it" in result.stderr


def test_other_failures_than_the_state_s(folder: Path) -> None:
    """A failure that is not the state's is not told as one."""
    with pytest.raises(FileNotFoundError), session.told(folder / "state", "--state"):
        (folder / "nothing").read_text()


def test_verbose(run: Run) -> None:
    """--verbose logs to stderr, for this command only."""
    before = list(logging.getLogger("homebox_async").handlers)
    result = run("account", "show", "--emulator", "-v")
    assert " GET account: 200, " in result.stderr
    assert before == logging.getLogger("homebox_async").handlers


@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        (Fault("status", 401), 3, "check the token in HOMEBOX_TOKEN or --token-file"),
        (Fault("status", 403), 3, "use the token of an account that may do this"),
        (Fault("status", 404), 1, "check the id"),
        (Fault("status", 418), 1, "[outcome: rejected, 1 attempt]"),
        (Fault("redirect"), 1, "[outcome: rejected, 1 attempt]"),
    ],
    ids=["401", "403", "404", "418", "redirect"],
)
def test_failed_requests(run: Run, served: Emulator, fault: Fault, code: int, error: str) -> None:
    """A request that fails is told in one line, with the fix where there is one."""
    served.script("GET", "/api/partner/account", [fault])
    result = run("account", "show")
    assert (code, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("error: GET account: ")
    assert result.stderr.endswith(f"{error}\n")
    assert 1 == result.stderr.count("\n")


def test_unknown_outcome(run: Run, served: Emulator) -> None:
    """A write that may have happened says so."""
    served.script("POST", "/api/partner/property", [Fault("drop-after")])
    result = run("properties", "create", *HOME)
    assert 1 == result.exit_code
    assert "[outcome: unknown, 1 attempt]; look whether it is there before" in result.stderr


@pytest.mark.parametrize(
    ("args", "served_by", "expected"),
    [
        (["--emulator"], None, False),
        ([], None, True),
        (["--environment", "sandbox"], None, False),
        (["--environment", "production"], "http://127.0.0.1:1", True),
        (["--base-url", "https://sandbox.billingbetter.co.uk/"], None, False),
        (["--base-url", "https://example.com"], None, True),
        ([], "http://localhost:1", False),
        ([], "http://[::1]:1", False),
    ],
    ids=lambda value: " ".join(value) or "none" if isinstance(value, list) else str(value),
)
def test_what_is_confirmed(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    served_by: str | None,
    expected: bool,
) -> None:
    """Writes are confirmed but for emulators, the sandbox and this machine."""
    monkeypatch.setattr("homebox_async.cli.session.Connection.run", lambda *_: exit(7))
    if served_by is not None:
        monkeypatch.setenv("HOMEBOX_BASE_URL", served_by)
    result = run("properties", "create", *HOME, *args)
    assert (2 if expected else 7) == result.exit_code
    assert expected == ("has to be confirmed, but stdin is no terminal" in result.stderr)


def answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stdin pass for a terminal."""
    monkeypatch.setattr(
        "homebox_async.cli.confirm.sys",
        types.SimpleNamespace(stdin=types.SimpleNamespace(isatty=lambda: True)),
    )


@pytest.mark.parametrize(
    ("said", "code", "made"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 130, 0)], ids=["y", "n", "eof"]
)
def test_confirmation(
    run: Run, real: Emulator, monkeypatch: pytest.MonkeyPatch, said: str, code: int, made: int
) -> None:
    """A write asks with host and account, and does what the answer says."""
    answer(monkeypatch)
    result = run("properties", "create", *HOME, input=said)
    assert code == result.exit_code, result.stderr
    number = real.store.account.reference_number
    assert f"create a property at 127.0.0.1 for Partner Account ({number})? [y/N]" in result.stderr
    assert made == real.store.commits
    assert ("error: not confirmed; nothing was sent" in result.stderr) == (said == "n\n")


def test_confirmation_of_an_unreadable_account(
    run: Run, real: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that may not read its account can write all the same."""
    answer(monkeypatch)
    real.script("GET", "/api/partner/account", [Fault("status", 404)])
    args = ("--property", "1", "--type", "gas", "--reading", "1", "--date", "2026-11-20")
    result = run("readings", "add", *args, input="n\n")
    assert "record a meter reading at 127.0.0.1 for an account that cannot be read?" in (
        result.stderr
    )


def test_confirmation_with_a_wrong_token(
    run: Run, real: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong token is told before anything is asked."""
    answer(monkeypatch)
    monkeypatch.setenv("HOMEBOX_TOKEN", "wrong")
    result = run("properties", "create", *HOME, input="y\n")
    assert 3 == result.exit_code
    assert "?" not in result.stderr


def test_yes(run: Run, real: Emulator) -> None:
    """With --yes, nothing is asked."""
    result = run("properties", "create", *HOME, "--yes")
    assert (0, "", 1) == (result.exit_code, result.stderr, real.store.commits)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stdout pass for a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    fake = types.SimpleNamespace(stdout=types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(output, "sys", fake)


def test_table(run: Run, created: dict[str, Any], terminal: None) -> None:
    """On a terminal, a list is a table."""
    lines = run("properties", "list", "--emulator").stdout.splitlines()
    cells = [line.split() for line in lines if line.strip()]
    assert ["id", "reference", "address", "status"] == cells[0]
    assert ["1", "A1", "1", "High", "Street,", "Leeds,", "LS1", "1AA", "pending"] == cells[-1]


def test_empty_table(run: Run, terminal: None) -> None:
    """On a terminal, an empty list says so."""
    result = run("properties", "list", "--emulator")
    assert ("", NOTE + "there are none\n") == (result.stdout, result.stderr)


def test_object_on_a_terminal(run: Run, created: dict[str, Any], terminal: None) -> None:
    """On a terminal, an object is a table of its fields."""
    lines = run("properties", "get", "1", "--emulator").stdout.splitlines()
    assert ["address_line1", "1", "High", "Street"] == lines[1].split()


def test_hostile_text() -> None:
    """What a server sends cannot drive the terminal nor break a line."""
    assert "a [31mb c d" == one_line("a\x1b[31mb\nc\t\u202ed ")


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("1 row", counted(1, "row")),
        ("2,000 rows", counted(2000, "row")),
        ("2 have", counted(2, "has", "have")),
        ("9.5 s", duration(9.5)),
        ("0:01:05", duration(65)),
        ("2:00:00", duration(7199.9)),
    ],
)
def test_words(expected: str, actual: str) -> None:
    """Numbers and times read well."""
    assert expected == actual


def test_bugs_keep_their_traceback() -> None:
    """An error that is nobody's fault but ours is not dressed up."""
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(2, "No such file", "x"), ("x: No such file", 1)),
        (OSError(28, "No space left"), ("input or output failed: No space left", 1)),
        (OSError("odd"), ("input or output failed: odd", 1)),
        (KeyError("x"), None),
    ],
    ids=["named", "unnamed", "odd", "bug"],
)
def test_system_errors(error: Exception, told: tuple[str, int] | None) -> None:
    """An error of the system is told with the file it is about."""
    assert told == explained(error)


def test_silence_without_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdout that is no file needs no silencing."""
    import io
    import sys

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    silence()


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (BrokenPipeError(32, "Broken pipe"), 0, NOTE),
        (OSError(28, "No space"), 1, NOTE + "error: input or output failed: No space\n"),
    ],
    ids=["left", "full"],
)
def test_output_that_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: OSError, code: int, told: str
) -> None:
    """Whoever reads may leave; a stdout that cannot be written fails the command."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(output.Output, "one", fail)
    result = run("account", "show", "--emulator")
    assert (code, told) == (result.exit_code, result.stderr)
