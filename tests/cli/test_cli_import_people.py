"""`homebox import leads`, `voids` and `readings`: what is told, and what has to be confirmed."""

import datetime as dt
import json
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.emulator import Address, Emulator, Fault

from .importing import counts

Run = Callable[..., Result]
LEADS = ("import", "leads", "in.csv")
VOIDS = ("import", "voids", "in.csv")
READINGS = ("import", "readings", "in.csv")
SOON = dt.date.today() + dt.timedelta(days=3)
TEXTED = (
    "2 SMS and 2 emails go to tenants at once; those who do not sign up in 72 hours get a reminder"
)
PEOPLE = "first_name,last_name,phone_number,email_address"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody be there who can be asked."""
    fake = types.SimpleNamespace(stdin=types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("homebox_async.cli.confirm.sys", fake)


@pytest.fixture
def leads(folder: Path) -> None:
    """Write two leads of one tenant each, and one that cannot be sent."""
    lines = [
        "line1,city,postcode,ref,tenancy_start,tenancy_end," + PEOPLE,
        *(
            f"{n} High St,Leeds,LS1 1AA,L{n},{SOON},2060-01-01,Zqjo,Fox,+44791112345{n},z{n}@x.uk"
            for n in range(2)
        ),
        f"9 High St,Leeds,LS1 1AA,L9,{SOON},soon,Zqjo,Fox,+447911123459,z9@x.uk",
    ]
    (folder / "in.csv").write_text("\n".join([*lines, ""]))


@pytest.fixture
def voids(folder: Path, served: Emulator) -> None:
    """Write a premium void of a home that is there."""
    served.store.add_property(Address("1 High St", None, "Leeds", None, "LS1 1AA", None), "R1")
    parts = ",".join(f"responsible_{part}" for part in (*PEOPLE.split(","), "line1", "city"))
    (folder / "in.csv").write_text(
        f"property_id,tenancy_start,is_premium,property_empty,{parts},responsible_postcode\n"
        f"1,{SOON},yes,yes,Zqjo,Fox,+447911123456,zq@x.uk,1 High St,Leeds,LS1 1AA\n"
    )


@pytest.fixture
def readings(folder: Path, served: Emulator) -> None:
    """Write readings of a home that is there, and photos."""
    served.store.add_property(Address("1 High St", None, "Leeds", None, "LS1 1AA", None), "R1")
    (folder / "in.csv").write_text(
        "property_id,type,reading,date\n1,gas,5,2026-11-01\n1,gas,6,2026-11-20\n"
    )
    (folder / "photos").mkdir()
    for name in ("1-gas-2026-11-20.jpg", "1-gas-2026-11-21.jpg"):
        (folder / "photos" / name).write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + b"\0" * 32)


@pytest.mark.usefixtures("leads")
def test_dry_run(run: Run, folder: Path) -> None:
    """A dry run tells what would be set off, and how a script confirms it; nothing is kept."""
    result = run(*LEADS, "--dry-run")
    assert 1 == result.exit_code
    assert [
        "dry run: 3 rows; 2 can be sent, 1 would be rejected; nothing was sent",
        "2 leads will be sent",
        TEXTED,
        "the suppliers of 2 homes are notified after 6 days; their tenants are notified of it",
        "to confirm: --yes 6",
    ] == result.stdout.splitlines()
    assert ["in.csv"] == [path.name for path in folder.iterdir()]
    told = json.loads(run(*LEADS, "--dry-run", "--json").stdout)
    assert ("leads", 6, 2) == (told["kind"], told["preview"]["number"], told["preview"]["sms"])


@pytest.mark.usefixtures("leads")
def test_in_an_emulator(run: Run) -> None:
    """An emulator reaches nobody: what is set off is told, and not asked about."""
    result = run(*LEADS, "--emulator")
    assert (1, 2, 1) == (result.exit_code, counts(result)["created"], counts(result)["rejected"])
    assert "2 SMS and 2 emails go to tenants at once" in result.stderr


@pytest.mark.usefixtures("leads", "terminal")
@pytest.mark.parametrize("answer", ["y", "5", "2", "yes 6"])
def test_wrong_number(run: Run, real: Emulator, answer: str) -> None:
    """Anything but the number ends the command; nothing is sent."""
    result = run(*LEADS, input=f"{answer}\n")
    assert (1, 0, []) == (result.exit_code, real.store.commits, real.outbox)
    assert "checked 3 rows: 1 rejected" in result.stderr
    assert "import 2 rows of in.csv at 127.0.0.1 for Partner Account (EMU-" in result.stderr
    assert "To send, type 6" in result.stderr
    assert result.stderr.endswith("error: not confirmed; nothing was sent\n")
    assert Path("in.rejects.csv").exists()


@pytest.mark.usefixtures("leads", "terminal")
def test_right_number(run: Run, real: Emulator) -> None:
    """With the number, each tenant is told once; the same command again asks nothing."""
    result = run(*LEADS, input="6\n")
    assert (1, 2) == (result.exit_code, counts(result)["created"]), result.stderr
    assert 2 == sum(message.kind == "sms" for message in real.outbox)
    again = run(*LEADS, input="")
    assert (1, 2, 2) == (again.exit_code, counts(again)["created"], real.store.commits)


@pytest.mark.usefixtures("leads", "terminal")
def test_resumed_after_its_confirmation(run: Run, real: Emulator) -> None:
    """What was confirmed and broken off goes on without a question."""
    real.script("POST", "/api/partner/lead", [None, Fault("status", 401)])
    first = run(*LEADS, "--concurrency", "1", input="6\n")
    assert (3, 1) == (first.exit_code, counts(first)["not sent"])
    again = run(*LEADS, "--concurrency", "1", input="")
    assert (2, False) == (counts(again)["created"], "type" in again.stderr)


@pytest.mark.usefixtures("leads")
@pytest.mark.parametrize("where", ["real", "served"])
def test_yes(run: Run, where: str, request: pytest.FixtureRequest) -> None:
    """A script repeats the number, in a rehearsal too; with another one nothing is sent."""
    emulator = request.getfixturevalue(where)
    wrong = run(*LEADS, "--yes", "5")
    assert (2, "", 0) == (wrong.exit_code, wrong.stdout, emulator.store.commits)
    assert "error: 5 was confirmed, but 2 leads will be sent; 2 SMS and 2 emails" in wrong.stderr
    assert wrong.stderr.endswith("nothing was sent: to confirm it, repeat 6\n")
    right = run(*LEADS, "--yes", "6")
    assert 2 == counts(right)["created"]


@pytest.mark.usefixtures("leads")
def test_nobody_to_ask(run: Run, real: Emulator) -> None:
    """Where nobody can be asked, nothing is done, and a plain --yes does not do."""
    result = run(*LEADS)
    assert (2, 0) == (result.exit_code, real.store.commits)
    assert "add --yes N, or rehearse with --emulator" in result.stderr
    bare = run(*LEADS, "--yes")
    assert (2, 0) == (bare.exit_code, real.store.commits)


@pytest.mark.usefixtures("leads")
@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--map", "tenant1_name=Name"], "there is no field 'tenant1_name'; did you mean 'tenant1"),
        (["--map", "tenancy_start=Begin"], "there is no column 'Begin'; the columns are 'line1'"),
        (["--map", "tenancy_end="], "there is no tenancy_end among the columns"),
        (["--dates", "ymd"], "'ymd' is not one of 'auto', 'iso', 'dmy', 'mdy'"),
        (["--yes", "many"], "'many' is not a valid integer range"),
        (["--journal", "in.csv"], "is not a journal of homebox_async"),
    ],
)
def test_refused(run: Run, options: list[str], error: str) -> None:
    """What cannot be used is one line, and exit code 2."""
    result = run(*LEADS, "--emulator", *options)
    assert (2, "") == (result.exit_code, result.stdout)
    last = result.stderr.splitlines()[-1]
    assert error in last
    assert last.startswith("error: ")


@pytest.mark.usefixtures("leads")
def test_journal_of_another_kind(run: Run) -> None:
    """A journal belongs to one kind of import."""
    run(*LEADS, "--emulator")
    Path("in.csv").write_text("line1,city,postcode,ref\n1 High St,Leeds,LS1 1AA,A1\n")
    result = run("import", "properties", "in.csv", "--emulator")
    assert 2 == result.exit_code
    assert "is the journal of an import of leads, not of properties" in result.stderr


@pytest.mark.usefixtures("voids", "terminal")
def test_voids(run: Run, real: Emulator) -> None:
    """A switch of the supplier is told and has to be confirmed by its number."""
    before = real.store.commits
    no = run(*VOIDS, input="1\n")
    assert (1, before) == (no.exit_code, real.store.commits)
    assert "the energy is switched to the void supplier in 1 home" in no.stderr
    yes = run(*VOIDS, input="2\n")
    assert (0, 1) == (yes.exit_code, counts(yes)["created"]), yes.stderr


@pytest.mark.usefixtures("voids")
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_unknown_void(run: Run, served: Emulator, more: tuple[str, ...]) -> None:
    """A void without an answer is told as what somebody has to ask about."""
    served.script("POST", "/api/partner/void", [Fault("drop-after")])
    result = run(*VOIDS, "--yes", "2", *more)
    assert 1 == result.exit_code
    told = result.stdout + result.stderr
    assert "to do: ask Homebox whether the voids of in.unknown.csv are there" in told
    if not more:
        assert "unknown           1   may exist; Homebox does not list voids" in told


@pytest.mark.usefixtures("readings", "terminal")
def test_readings(run: Run, real: Emulator) -> None:
    """Readings with and without photos, and photos that belong to none, are told and confirmed."""
    before = real.store.commits
    no = run(*READINGS, "--photos", "photos", input="n\n")
    assert (1, before) == (no.exit_code, real.store.commits)
    assert "1 of them with a photo, 1 without" in no.stderr
    assert "1 photo without a reading: 1-gas-2026-11-21.jpg" in no.stderr
    yes = run(*READINGS, "--photos", "photos", input="y\n")
    assert (0, 2) == (yes.exit_code, counts(yes)["created"]), yes.stderr
    assert 0 == run(*READINGS, "--photos", "photos", "--yes").exit_code


@pytest.mark.usefixtures("readings")
def test_readings_rehearsed(run: Run, served: Emulator) -> None:
    """A dry run tells of the photos as well, and needs no number."""
    dry = run(*READINGS, "--photos", "photos", "--dry-run")
    assert (0, False) == (dry.exit_code, "to confirm" in dry.stdout)
    assert "1 photo without a reading: 1-gas-2026-11-21.jpg" in dry.stdout
    missing = run(*READINGS, "--photos", "none")
    assert (2, "error: none: the photos cannot be read") == (
        missing.exit_code,
        missing.stderr.splitlines()[-1].partition(" (")[0],
    )
    assert 0 == run(*READINGS).exit_code
