"""The commands of the operations: every one of them, and what they have in common."""

import csv
import datetime as dt
import io
import json
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from homebox_async.cli import output
from homebox_async.cli.operations import commands
from homebox_async.emulator import Emulator
from homebox_async.emulator.addresses import Address as Known

Run = Callable[..., Result]

BUILDING = "2eff1042c50c1eda889e61573e3c194c"
HOME = ("--line1", "1 High Street", "--city", "Leeds", "--postcode", "LS1 1AA")
DATES = ("--tenancy-start", "2026-12-01", "--tenancy-end", "2027-11-30")
ANN = "Ann,Lee,+447700900000,ann@example.com"
INVITED = ("--first-name", "Ann", "--last-name", "Lee", "--phone-number", "+447700900111")
BANK = ("--account-name", "Ann Lee", "--account-number", "12345678", "--sort-code", "000000")
FLAT = ("--billing-line1", "2 High Street", "--billing-city", "Leeds", "--billing-postcode")
LEAD = (*HOME, *DATES, "--tenant", ANN)
ORDER = (
    *("--package-id", "2", "--address-id", "known", "--total-occupants", "2"),
    *("--household-type", "student", "--tenancy-move-in", "2026-12-01", *DATES),
)
RESPONSIBLE = (
    *("--responsible-first-name", "Ann", "--responsible-last-name", "Lee"),
    *("--responsible-phone-number", "+447700900000"),
    *("--responsible-email-address", "ann@example.com"),
    *("--responsible-line1", "2 High Street", "--responsible-city", "Leeds"),
    *("--responsible-postcode", "LS1 1AA"),
)
VOID = ("--tenancy-start", "2026-12-01", "--property-empty", *RESPONSIBLE)
FORWARDING = (
    *("--forwarding-name", "Ann", "--forwarding-email-address", "ann@example.com"),
    *("--forwarding-line1", "3 High Street", "--forwarding-city", "Leeds"),
    *("--forwarding-postcode", "LS1 1AA"),
)
PAYER = (
    *("--first-name", "Ann", "--last-name", "Lee", "--phone-number", "+447700900000"),
    *("--email", "ann@example.com", "--nationality", "GB", "--birthday", "1990-01-31"),
    *(*BANK, *FLAT, "LS1 1AA"),
)
PARTNER = (
    *("--bill", "1,GB-1", "--bill", "2", "--address-id", "known", "--housemates", "2"),
    *("--no-is-student", *DATES, *BANK, *FLAT, "LS1 1AA", "--tenant", ANN),
)
READING = ("--type", "gas", "--reading", "4711", "--date", "2026-11-20")
RUNS: list[tuple[str, ...]] = [
    ("addresses", "find", "LS1 1AA"),
    ("properties", "create", *HOME),
    ("properties", "create", *HOME, "--branch", "2"),
    ("properties", "list", "--q", "Leeds"),
    ("properties", "get", "1"),
    ("orders", "list"),
    ("orders", "list", "--branch", "2"),
    ("orders", "get", "1"),
    ("orders", "get", "2", "--branch", "2"),
    ("orders", "bills", "1"),
    ("orders", "payments", "1"),
    ("orders", "replace-payment", "1", "1", "--payment-method", "bank-transfer"),
    ("orders", "payouts", "1"),
    ("orders", "property-details", "1"),
    ("tenant-packages", "quote", "--postcode", "LS1 1AA", "--is-student"),
    ("tenant-packages", "create", *ORDER, "--add-on", "27", "--reference", "R1"),
    ("tenant-packages", "create", *ORDER, "--branch", "2"),
    ("partner-packages", "quote", "--housemates", "3", "--address-id", "known"),
    ("partner-packages", "create", *PARTNER),
    ("invites", "create", "1", *INVITED),
    ("invites", "create", "2", *INVITED, "--branch", "2"),
    ("invites", "list", "1"),
    ("invites", "delete", "1", "1"),
    ("bill-payers", "add", "1", *PAYER),
    ("bill-payers", "list", "1"),
    ("bill-payers", "update", "1", "1", "--email", "new@example.com"),
    ("bill-payers", "delete", "1", "1"),
    ("mandates", "get", "1", "1"),
    ("mandates", "update", "1", "1", *BANK),
    ("tenancies", "get", "1", "1"),
    ("tenancies", "update-dates", "1", "1", *DATES),
    ("leads", "create", *LEAD),
    ("leads", "create", *LEAD, "--branch", "2"),
    ("leads", "list"),
    ("leads", "list", "--branch", "2"),
    ("leads", "get", "1"),
    ("leads", "get", "2", "--branch", "2"),
    ("readings", "add", "--order", "1", *READING),
    ("readings", "add", "--property", "1", *READING),
    ("readings", "list", "--order", "1"),
    ("readings", "list", "--property", "1"),
    ("postal-bills", "create", "1", "--file", "bill.pdf"),
    ("postal-bills", "list", "1"),
    ("voids", "create", "--property-id", "1", *VOID),
    ("voids", "create", *HOME, *VOID, *FORWARDING, "--branch", "2"),
    ("account", "show"),
    ("account", "update", "--name", "New"),
    ("branches", "create", "--name", "Leeds", "--email", "leeds@example.com"),
    ("branches", "update", "2", "--name", "New"),
    ("branches", "list"),
    ("branches", "get", "2"),
    *(
        ("metrics", "show", name.removeprefix("homebox metrics show "))
        for operation, name in commands().items()
        if operation.startswith("metrics.")
    ),
    ("metrics", "show", "--all"),
    ("billing", "headers", BUILDING, "--start-date", "2019-01-01"),
    ("billing", "get", "385619", "--include-device-consumptions"),
    ("billing", "document", "BE03856190"),
]


@pytest.fixture
def filled(run: Run, served: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Fill the served emulator, so that every command finds something."""
    username, password = served.billing_login
    for name, value in {
        "URL": served.billing_url,
        "LOGIN_URL": served.billing_url,
        "USERNAME": username,
        "PASSWORD": password,
        "ADMINISTRATOR_IDS": "1",
    }.items():
        monkeypatch.setenv(f"HOMEBOX_BILLING_{name}", value)
    (folder / "bill.pdf").write_bytes(b"%PDF-1.7\n" + b"\0" * 32)
    served.store.remember_address(Known("9 Mill Lane", None, "Leeds", None, "LS1 1AA", "known"))
    run("properties", "create", *HOME, "--reference", "A1")
    served.seed_order(1)
    for args in (
        ("branches", "create", "--name", "Leeds", "--email", "leeds@example.com"),
        ("bill-payers", "add", "1", *PAYER),
        ("invites", "create", "1", *INVITED),
        ("leads", "create", *LEAD),
        ("leads", "create", *LEAD, "--branch", "2"),
        ("tenant-packages", "create", *ORDER, "--branch", "2"),
        ("readings", "add", "--order", "1", *READING),
        ("postal-bills", "create", "1", "--file", "bill.pdf"),
    ):
        result = run(*args)
        assert 0 == result.exit_code, result.stderr
    served.set_mandate(1, "rejected")
    served.take_payments(1, "failed")
    return served


@pytest.mark.parametrize("args", RUNS, ids=lambda args: " ".join(args)[:60])
def test_command(run: Run, filled: Emulator, args: tuple[str, ...]) -> None:
    """Every command makes its request and shows what came."""
    before = filled.received.total
    result = run(*args)
    assert 0 == result.exit_code, result.stderr
    assert result.stdout.strip()
    assert filled.received.total > before


READS = [args for args in RUNS if not {"create", "add", "update", "delete"} & set(args)]


@pytest.mark.parametrize("args", READS, ids=lambda args: " ".join(args)[:60])
def test_json_and_csv(run: Run, filled: Emulator, args: tuple[str, ...]) -> None:
    """Every read can be had as JSON and as CSV."""
    if args[:2] in (("billing", "document"), ("orders", "replace-payment")):
        return
    objects = run(*args, "--json")
    assert all(isinstance(json.loads(line), dict) for line in objects.stdout.splitlines())
    rows = list(csv.reader(io.StringIO(run(*args, "--csv").stdout)))
    assert {len(rows[0])} == set(map(len, rows))


def test_every_operation_is_run() -> None:
    """The commands above are those of all operations."""
    words = [" ".join(("homebox", *args)) for args in RUNS]
    missing = [
        (operation, command)
        for operation, command in commands().items()
        if not any(
            line.startswith(command.partition(" --")[0])
            and all(word in line for word in command.split() if word != "ID")
            for line in words
        )
    ]
    assert [] == missing


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--fields", "id,property.address_postcode"), [["id", "property.address_postcode"]]),
        (("--fields", "tenants"), [["tenants"], ["1"]]),
    ],
    ids=["dotted", "column"],
)
def test_fields(run: Run, filled: Emulator, args: tuple[str, ...], told: list[list[str]]) -> None:
    """--fields names columns, fields, and fields inside fields."""
    rows = [line.split("\t") for line in run("leads", "list", *args).stdout.splitlines()]
    assert told == rows[: len(told)]


def test_fields_as_json(run: Run, filled: Emulator) -> None:
    """With --json, an object holds the chosen fields only."""
    shown = json.loads(run("leads", "get", "1", "--json", "--fields", "id,tenancy_type").stdout)
    listed = json.loads(run("leads", "list", "--json", "--fields", "id").stdout.splitlines()[0])
    assert (["id", "tenancy_type"], {"id": 1}) == (list(shown), listed)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("leads", "list", "--fields", "tenanst"), "tenanst is unknown; did you mean tenants?"),
        (("leads", "list", "--fields", "zzz"), "zzz is unknown; known are address, "),
        (("leads", "list", "--csv", "--json"), "--json and --csv are both given; give one"),
        (("metrics", "show"), "give either the name of a metric or --all"),
        (("metrics", "show", "active-orders", "--from", "2026-01-01"), "has no range"),
        (("metrics", "show", "new-orders", "--from", "01/02/26"), "--from: is not a date"),
        (("leads", "create"), "add --tenancy-start, --tenancy-end, --tenant, or a JSON object"),
        (("voids", "create"), "--property-empty, --responsible-first-name,"),
        (("partner-packages", "create"), "something is missing; add --bill, --address-id, "),
        (("leads", "create", *DATES, "--tenant", "a,b,c,d,e"), "--tenant: has 5 parts; give"),
        (("leads", "create", *DATES, "--tenant", "Ann"), "tenants.0 is not complete; add"),
        (("leads", "create", *DATES[:3], "2026-02-30"), "something is missing; add --tenant"),
        (("leads", "create", *DATES[:3], "2026-02-30", "--tenant", ANN), "--tenancy-end: is not"),
        (("mandates", "update", "1", "1", *BANK[:-1], "12-34-56"), "sort_code is not 6 digits"),
        (("billing", "headers", BUILDING, "--emulator-state", "x"), "means nothing without"),
        (("billing", "headers", BUILDING, "--emulator", "--base-url", "http://h"), "give one"),
        (("billing", "get", "1", "--administrator-ids", "x"), "holds what is no id"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, tuple) else "",
)
def test_refused(run: Run, filled: Emulator, args: tuple[str, ...], error: str) -> None:
    """What cannot be sent is refused in one line that says what to give."""
    before = filled.received.total
    result = run(*args)
    assert (2, before) == (result.exit_code, filled.received.total)
    assert error in result.stderr
    assert "12-34-56" not in result.stderr


BODY: dict[str, Any] = {
    "tenancy_start": "2026-12-01",
    "tenancy_end": "2027-11-30",
    "notifications": False,
    "address": {"line1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"},
    "tenants": [
        dict(
            zip(
                ("first_name", "last_name", "phone_number", "email_address"),
                ANN.split(","),
                strict=True,
            )
        )
    ],
    "property_reference": None,
}


def test_from(run: Run, filled: Emulator, folder: Path) -> None:
    """--from gives the body, and options go before it, part by part of an object."""
    (folder / "lead.json").write_text(json.dumps(BODY))
    result = run("leads", "create", "--from", "lead.json", "--line1", "7 Mill Lane", "--json")
    assert 0 == result.exit_code, result.stderr
    sent = json.loads(filled.received[-1].body)
    expected = {**BODY, "tenancy_start": "01/12/26", "tenancy_end": "30/11/27"}
    expected["address"] = {**BODY["address"], "line1": "7 Mill Lane"}
    assert expected == sent


def test_from_stdin(run: Run, filled: Emulator) -> None:
    """With -, the object comes from stdin; another kind of address replaces the file's."""
    result = run("leads", "create", "--from", "-", "--address-id", "known", input=json.dumps(BODY))
    assert 0 == result.exit_code, result.stderr
    assert {"address_id": "known"} == json.loads(filled.received[-1].body)["address"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "--from x.json: is not JSON"),
        ("[]", "--from x.json: is no JSON object"),
        ('{"tenancy_strat": 1}', "--from: tenancy_strat is unknown; did you mean tenancy_start?"),
        ('{"zzz": 1}', "--from: zzz is unknown; known are tenancy_start,"),
        (json.dumps(BODY | {"address": 1}), "--from: address is no object"),
        (json.dumps(BODY | {"tenants": 1}), "--from: tenants is no list"),
        (json.dumps(BODY | {"tenants": [1]}), "--from: tenants.0 is no object"),
        (json.dumps(BODY | {"tenants": [{"x": 1}]}), "--from: tenants.0.x is unknown"),
        (json.dumps(BODY | {"address": {"address_id": "1", "city": "x"}}), "give the address"),
        (json.dumps(BODY | {"tenancy_start": "01/12/26"}), "--tenancy-start: is not a date"),
        (json.dumps(BODY | {"notifications": "no"}), "notifications is str, not true or false"),
        (json.dumps(BODY | {"tenancy_start": None}), "something is missing; add --tenancy-start"),
        (json.dumps(BODY | {"notifications": None}), "notifications is None"),
        (json.dumps(BODY | {"address": BODY["address"] | {"city": None}}), "city is"),
    ],
    ids=[
        "empty",
        "list",
        "close",
        "far",
        "object",
        "list-due",
        "item",
        "part",
        "both",
        "date",
        "rule",
        "null",
        "null-optional",
        "null-inside",
    ],
)
def test_bad_from(run: Run, filled: Emulator, folder: Path, text: str, error: str) -> None:
    """A file that cannot be sent is refused before anything is."""
    (folder / "x.json").write_text(text)
    before = filled.received.total
    result = run("leads", "create", "--from", "x.json")
    assert (2, before) == (result.exit_code, filled.received.total)
    assert error in result.stderr


def test_from_nothing(run: Run, filled: Emulator) -> None:
    """A file that is not there, or is named by no text, is told."""
    assert "cannot be read (No such file" in run("leads", "create", "--from", "x.json").stderr
    result = run("postal-bills", "create", "1", "--from", "-", input='{"file": 1}')
    assert "--from: file is not the path of a file" in result.stderr


LATER = ("--tenancy-start", "2059-01-01", "--tenancy-end", "2060-01-01")
NOW = ("--tenancy-start", dt.date.today().isoformat(), "--tenancy-end", "2060-01-01")


@pytest.mark.parametrize(
    ("args", "effects"),
    [
        (
            ("leads", "create", *HOME, *NOW, "--tenant", ANN, "--tenant", ANN),
            ["2 SMS and 2 emails go to tenants now", "suppliers are notified after 6 days"],
        ),
        (
            ("leads", "create", *HOME, *LATER, "--tenant", ANN, "--no-notifications"),
            ["go to tenants if the tenancy starts within two weeks; it starts later"],
        ),
        (("bill-payers", "add", "1", *PAYER), ["a direct debit is set up", "1 email tells"]),
        (("mandates", "update", "1", "1", *BANK), ["a direct debit is set up"]),
        (("partner-packages", "create", *PARTNER), ["2 bills are", "a direct debit is set up"]),
        (("partner-packages", "create", *PARTNER, "--payment-method", "bank-transfer"), ["2 bi"]),
        (
            ("voids", "create", "--property-id", "1", *VOID, "--is-premium", "--notifications"),
            ["the energy is switched to the void supplier", "Homebox writes", "suppliers are"],
        ),
        (("voids", "create", "--property-id", "1", *VOID), []),
        (
            ("orders", "replace-payment", "1", "1", "--payment-method", "direct-debit"),
            ["the payment is cancelled", "the money is taken from the tenant's account"],
        ),
        (("invites", "create", "1", *INVITED), ["1 SMS goes to the tenant now"]),
        (("tenant-packages", "create", *ORDER), ["a bills package is ordered"]),
        (("account", "update", "--name", "New"), ["what your tenants and branches see"]),
        (("branches", "create", "--name", "L", "--email", "a@example.com"), ["1 email invites"]),
        (("bill-payers", "delete", "1", "1"), ["the tenant no longer pays"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_consequences(
    run: Run,
    filled: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...],
    effects: list[str],
) -> None:
    """What a write sets off is told before it is confirmed, and a no sends nothing."""
    monkeypatch.setattr("homebox_async.cli.session.is_loopback", lambda host: False)
    before = filled.store.commits
    refused = run(*args)
    assert (2, True) == (refused.exit_code, "has to be confirmed" in refused.stderr)
    fake = types.SimpleNamespace(stdin=types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("homebox_async.cli.confirm.sys", fake)
    result = run(*args, input="n\n")
    assert (1, before) == (result.exit_code, filled.store.commits)
    notes = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
    assert len(effects) == len(notes)
    assert all(effect in note for effect, note in zip(effects, notes, strict=True))
    assert "12345678" not in result.stderr
    assert 0 == run(*args, "--yes").exit_code


def test_checked_before_asked(run: Run, filled: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client would refuse is refused before anybody is asked."""
    monkeypatch.setattr("homebox_async.cli.session.is_loopback", lambda host: False)
    fake = types.SimpleNamespace(stdin=types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("homebox_async.cli.confirm.sys", fake)
    result = run("account", "update", "--theme-color-primary", "red", input="y\n")
    assert 2 == result.exit_code
    assert "?" not in result.stderr


def test_csv_formulas(run: Run, filled: Emulator) -> None:
    """What a spreadsheet would run is escaped, in lists and in objects."""
    run("properties", "create", "--line1", "=1+1", *HOME[2:], "--reference", "@x")
    listed = run("properties", "list", "--csv", "--fields", "reference,address_line1").stdout
    assert "'@x,'=1+1" in listed.splitlines()
    home = str(len(filled.store.properties))
    assert ",'=1+1," in run("properties", "get", home, "--csv").stdout


def test_totals(run: Run, filled: Emulator) -> None:
    """The totals beside a list go to stderr."""
    result = run("orders", "bills", "1")
    assert "total_price: " in result.stderr
    assert "total_price" not in result.stdout


def test_echo(run: Run, filled: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date that comes back otherwise is one line of warning."""
    monkeypatch.setattr("homebox_async.resources.leads.check_echo", _warn)
    result = run("leads", "create", *LEAD)
    assert (0, "warning: odd\n") == (result.exit_code, result.stderr)


def _warn(*_: object, **__: object) -> None:
    import warnings

    from homebox_async import EchoMismatch

    warnings.warn("odd", EchoMismatch, stacklevel=2)


def test_billing_in_the_shell(run: Run, folder: Path) -> None:
    """The Billing API can be rehearsed with --emulator, too."""
    assert 0 == run("billing", "headers", BUILDING, "--emulator").exit_code
    found = run("billing", "get", "385619", "--emulator", "--json")
    assert "documents: BE03856190, " in found.stderr
    saved = run("billing", "document", "BE03856190", "--emulator", "--json")
    assert b"%PDF-" == Path(json.loads(saved.stdout)["path"]).read_bytes()[:5]
    again = run("billing", "document", "BE03856190", "--emulator")
    assert 1 == again.exit_code


def test_no_object(capsys: pytest.CaptureFixture[str]) -> None:
    """A billing that is no JSON object is shown all the same."""
    output.Output(json=True, verbose=False).tree([1])
    assert '{"value":[1]}\n' == capsys.readouterr().out
