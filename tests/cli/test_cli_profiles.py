"""Profiles: the config file, what is refused of it, and what goes before what."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from click.testing import Result
from keyrings.alt.file import PlaintextKeyring

from homebox_async.emulator import Emulator, Fault

Run = Callable[..., Result]
Configure = Callable[[str], Path]

CANARY = "zqToken8f3aCanary"


@pytest.fixture
def configure(folder: Path) -> Configure:
    """Write the config file and return its path."""

    def write(text: str) -> Path:
        path = folder / "config" / "homebox" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def _file_keyring(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep what is kept in a file of this test."""
    monkeypatch.setattr(PlaintextKeyring, "file_path", str(folder / "keyring.cfg"))
    before = keyring.get_keyring()
    keyring.set_keyring(PlaintextKeyring())
    yield
    keyring.set_keyring(before)


def status(run: Run, *args: str) -> tuple[str, str]:
    """Return which server and which token a command would use."""
    told = json.loads(run("auth", "status", "--json", *args).stdout)
    return told["server"], told["token"]


def test_init(run: Run, folder: Path) -> None:
    """The first file is private and good as it stands, and is never written over."""
    path = folder / "config" / "homebox" / "config.toml"
    assert f"{path}\n" == run("profiles", "path").stdout
    made = run("profiles", "init")
    assert (0, "") == (made.exit_code, made.stdout), made.stderr
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert ["sandbox"] == [
        json.loads(line)["profile"]
        for line in run("profiles", "list", "--json").stdout.split("\n")[:-1]
    ]
    again = run("profiles", "init")
    assert (2, True) == (again.exit_code, "is there already; edit it" in again.stderr)


def test_template(run: Run, configure: Configure) -> None:
    """All that the first file shows as comments is good, too."""
    run("profiles", "init")
    path = configure("")
    path.unlink()
    run("profiles", "init")
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join(
            line.removeprefix("# ") if " = " in line or "[" in line else line for line in lines
        )
    )
    listed = run("profiles", "list", "--json")
    assert 0 == listed.exit_code, listed.stderr
    assert {"sandbox", "live", "north"} == {
        json.loads(line)["profile"] for line in listed.stdout.splitlines()
    }


def test_list(run: Run, configure: Configure) -> None:
    """The list tells server, token source and default of each, as lines for programs."""
    configure(
        'default_profile = "b"\n[profiles.a]\nkeyring = "north"\n'
        '[profiles.b]\nbase_url = "https://h.test"\ntoken_file = "t"\ntimeout = 5\noutput = "csv"\n'
        '[profiles.b.billing]\nbase_url = "https://b.test/v1"\n'
    )
    listed = run("profiles", "list").stdout.splitlines()
    assert "profile\tdefault\tserver\ttoken\ttimeout\toutput\tbilling" == listed[0]
    assert "a\t\tproduction\tkeyring north\t\ttable\t" == listed[1]
    assert listed[2].startswith("b\tyes\thttps://h.test\t")
    assert listed[2].endswith("/t\t5.0\tcsv\thttps://b.test/v1")


def test_empty_list(run: Run) -> None:
    """Where there is no file, the list says how to make one."""
    listed = run("profiles", "list")
    assert (0, "") == (listed.exit_code, listed.stdout)
    assert "run: homebox profiles init" in listed.stderr


BAD = {
    "toml": ("[profiles.a]\ntimeout =\n", "is not TOML: Invalid value (at line 2, column 10)"),
    "profiles": ("profiles = 1", "profiles: is no table; write [profiles.NAME]"),
    "profile": ("profiles.a = 1", "profiles.a: is no table; write [profiles.a]"),
    "table": ("[profile.a]", "profile: is unknown; did you mean profiles?"),
    "key": ("[profiles.a]\ntimout = 1", "profiles.a.timout: is unknown; did you mean timeout?"),
    "text": ("[profiles.a]\ntimeout = '5'", "profiles.a.timeout: is no number of seconds; write"),
    "zero": ("[profiles.a]\ntimeout = 0", "profiles.a.timeout: is no number of seconds"),
    "flag": ("[profiles.a]\ntimeout = true", "profiles.a.timeout: is no number of seconds"),
    "endless": ("[profiles.a]\ntimeout = inf", "profiles.a.timeout: is no number of seconds"),
    "output": ("[profiles.a]\noutput = 'xml'", "output: is 'xml', not one of table, json, csv"),
    "environment": ("[profiles.a]\nenvironment = 1", "environment: is not one of production"),
    "token_file": ("[profiles.a]\ntoken_file = 1", "a.token_file: is no text; write one in quotes"),
    "keyring": ("[profiles.a]\nkeyring = ''", "profiles.a.keyring: is no text"),
    "http": ("[profiles.a]\nbase_url = 'http://h.test'", "a.base_url: cannot be used: base_url us"),
    "url": ("[profiles.a]\nbase_url = 'h'", "a.base_url: cannot be used: base_url 'h' is not a"),
    "servers": (
        "[profiles.a]\nenvironment = 'sandbox'\nbase_url = 'https://h'",
        "profiles.a: has both environment and base_url; keep one",
    ),
    "tokens": (
        "[profiles.a]\ntoken_file = 'f'\nkeyring = 'k'",
        "profiles.a: has both token_file and keyring; keep one",
    ),
    "billing": ("[profiles.a]\nbilling = 1", "a.billing: is no table; write [profiles.a.billing]"),
    "billing-http": (
        "[profiles.a.billing]\nbase_url = 'http://h/v1'",
        "profiles.a.billing.base_url: cannot be used: base_url uses http",
    ),
    "ids": (
        "[profiles.a.billing]\nadministrator_ids = '1'",
        "profiles.a.billing.administrator_ids: is no list of ids; write one such as [1, 2]",
    ),
    "flags": (
        "[profiles.a.billing]\nadministrator_ids = [true]",
        "profiles.a.billing.administrator_ids: is no list of ids",
    ),
    "default": (
        "default_profile = 'b'\n[profiles.a]",
        "default_profile: names no profile of this file; known are a",
    ),
    "default-number": (
        "default_profile = 1",
        "default_profile: names no profile of this file; add [profiles.NAME]",
    ),
}


@pytest.mark.parametrize(("text", "told"), BAD.values(), ids=BAD)
def test_bad_file(run: Run, configure: Configure, text: str, told: str) -> None:
    """A bad file is refused with its name, the line or key, the problem and the fix."""
    path = configure(text)
    for args in (("profiles", "list"), ("account", "show", "--emulator")):
        result = run(*args)
        assert (2, "") == (result.exit_code, result.stdout)
        assert result.stderr.startswith(f"error: {path}: ")
        assert told in result.stderr


def test_all_problems_at_once(run: Run, configure: Configure) -> None:
    """All that is wrong is told in one go."""
    configure("[profiles.a]\ntimeout = 0\noutput = 1\n[profiles.b]\nx = 1")
    told = run("profiles", "list").stderr
    assert [True] * 3 == [word in told for word in ("a.timeout", "a.output", "b.x")]


@pytest.mark.parametrize("key", ["token", "api_key", "password", "API_TOKEN", "username"])
@pytest.mark.parametrize("table", ["profiles.a", "profiles.a.billing"])
def test_no_secret_in_the_file(run: Run, configure: Configure, key: str, table: str) -> None:
    """A secret in the file is refused with what to do instead, and is not repeated."""
    configure(f'[{table}]\n{key} = "{CANARY}"')
    for args in (("profiles", "list"), ("account", "show"), ("doctor", "--emulator")):
        result = run(*args)
        assert result.exit_code in (1, 2)
        assert f"{table}.{key}: no secret belongs into this file" in result.stdout + result.stderr
        assert "homebox auth login" in result.stdout + result.stderr
        assert CANARY not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe[\x00", "is not text in UTF-8; save it as such"),
        (None, "cannot be read (it is a folder)"),
    ],
    ids=["encoding", "folder"],
)
def test_unreadable_file(run: Run, configure: Configure, content: bytes | None, told: str) -> None:
    """A file that cannot be read is told of in one line."""
    path = configure("")
    if content is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(content)
    result = run("account", "show", "--emulator")
    assert (2, True) == (result.exit_code, told in result.stderr)


def test_mark_of_an_editor(run: Run, configure: Configure) -> None:
    """The mark that some editors put before UTF-8 does no harm."""
    configure("").write_bytes(b"\xef\xbb\xbf[profiles.a]\n")
    assert 0 == run("profiles", "list").exit_code


def test_another_file(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOMEBOX_CONFIG names another file, which has to be there."""
    monkeypatch.setenv("HOMEBOX_CONFIG", "mine.toml")
    refused = run("account", "show", "--emulator")
    assert (2, True) == (
        refused.exit_code,
        "HOMEBOX_CONFIG mine.toml: there is no" in refused.stderr,
    )
    assert 0 == run("profiles", "init").exit_code
    assert "mine.toml\n" == run("profiles", "path").stdout
    assert (folder / "mine.toml").exists()
    assert 0 == run("account", "show", "--emulator").exit_code


def test_cannot_write(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be made is told of in one line."""
    (folder / "file").touch()
    monkeypatch.setenv("HOMEBOX_CONFIG", "file/config.toml")
    result = run("profiles", "init")
    assert (2, True) == (result.exit_code, "file/config.toml: " in result.stderr)


@pytest.mark.parametrize(
    ("text", "args", "env", "told"),
    [
        (
            "[profiles.live]",
            ["--profile", "life"],
            "",
            "--profile: there is no profile 'life'; did",
        ),
        ("[profiles.live]", [], "x", "HOMEBOX_PROFILE: there is no profile 'x'; known are live"),
        ("", ["--profile", "live"], "", "config.toml has none; run: homebox profiles init"),
    ],
    ids=["close", "environment", "none"],
)
def test_unknown_profile(
    run: Run, configure: Configure, text: str, args: list[str], env: str, told: str
) -> None:
    """A profile that there is not is refused, and says who named it."""
    configure(text)
    result = run("account", "show", "--emulator", *args, env={"HOMEBOX_PROFILE": env})
    assert (2, True) == (result.exit_code, told in result.stderr), result.stderr


FILE = """
default_profile = "first"
[profiles.first]
base_url = "https://first.test"
[profiles.second]
base_url = "https://second.test"
[profiles.third]
environment = "sandbox"
"""


@pytest.mark.parametrize(
    ("args", "env", "server"),
    [
        ([], {}, "https://first.test"),
        ([], {"HOMEBOX_PROFILE": "second"}, "https://second.test"),
        (
            ["--profile", "third"],
            {"HOMEBOX_PROFILE": "second"},
            "https://sandbox.billingbetter.co.uk",
        ),
        (["--profile", "second"], {"HOMEBOX_BASE_URL": "https://env.test"}, "https://env.test"),
        (
            ["--profile", "second", "--base-url", "https://typed.test"],
            {"HOMEBOX_BASE_URL": "https://env.test"},
            "https://typed.test",
        ),
        (
            ["--environment", "production"],
            {"HOMEBOX_BASE_URL": "https://env.test"},
            "https://accounts.billingbetter.co.uk",
        ),
    ],
    ids=["default", "variable", "option", "exported-server", "typed-server", "typed-environment"],
)
def test_precedence(
    run: Run, configure: Configure, args: list[str], env: dict[str, str], server: str
) -> None:
    """What is typed goes before the environment, that before the profile, that the default."""
    configure(FILE)
    assert server == json.loads(run("auth", "status", "--json", *args, env=env).stdout)["server"]


def test_precedence_of_tokens(
    run: Run, configure: Configure, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile's token file goes after the environment, and to the profile's server only."""
    for name in ("typed", "exported", "mine"):
        (folder / name).write_text(f"{name}-token")
        (folder / name).chmod(0o600)
    path = configure(f'[profiles.p]\nenvironment = "sandbox"\ntoken_file = "{folder}/mine"')
    assert path.exists()
    profile = ("--profile", "p")
    own = f"file {folder}/mine (profiles.p.token_file)"
    assert own == status(run, *profile)[1]
    assert "none" == status(run, *profile, "--environment", "production")[1]
    assert "none" == status(run, *profile, "--base-url", "https://other.test")[1]
    assert own == status(run, *profile, "--base-url", "https://sandbox.billingbetter.co.uk")[1]
    refused = run("account", "show", *profile, "--environment", "production")
    assert (2, True) == (refused.exit_code, "is for its own server only" in refused.stderr)
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", "exported")
    assert "file exported (HOMEBOX_TOKEN_FILE)" == status(run, *profile)[1]
    monkeypatch.setenv("HOMEBOX_TOKEN", "token")
    assert "environment HOMEBOX_TOKEN" == status(run, *profile)[1]


def test_token_file(
    run: Run, configure: Configure, served: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command runs with the server and the token file of the default profile, beside the file."""
    monkeypatch.delenv("HOMEBOX_BASE_URL")
    monkeypatch.delenv("HOMEBOX_TOKEN")
    path = configure(
        'default_profile = "p"\n'
        f'[profiles.p]\nbase_url = "{served.url}"\ntoken_file = "p.token"\noutput = "json"'
    )
    missing = run("account", "show")
    assert (2, True) == (missing.exit_code, "profiles.p.token_file " in missing.stderr)
    token = path.with_name("p.token")
    token.write_text(served.token)
    token.chmod(0o600)
    shown = run("account", "show")
    assert (0, "") == (shown.exit_code, shown.stderr)
    assert json.loads(shown.stdout)["reference_number"]
    token.chmod(0o644)
    if os.getuid():
        assert 2 == run("account", "show").exit_code


@pytest.mark.parametrize(
    ("args", "start"),
    [([], "{"), (["--table"], "name\t"), (["--csv"], "name,")],
    ids=["profile", "table", "csv"],
)
def test_output(run: Run, configure: Configure, args: list[str], start: str) -> None:
    """A profile says how results are shown; what is typed goes before it."""
    configure('default_profile = "p"\n[profiles.p]\noutput = "json"')
    assert run("account", "show", "--emulator", *args).stdout.startswith(start)


def test_two_forms(run: Run) -> None:
    """Two forms of output are refused."""
    result = run("account", "show", "--emulator", "--table", "--csv")
    assert (2, True) == (result.exit_code, "--csv and --table are both given" in result.stderr)


def test_timeout(run: Run, configure: Configure, served: Emulator) -> None:
    """A profile says how long a request may take; what is typed goes before it."""
    configure('default_profile = "p"\n[profiles.p]\ntimeout = 0.05')
    for args, seconds in (([], "0.05 s"), (["--timeout", "0.1"], "0.1 s")):
        served.script("GET", "/api/partner/account", [Fault("hang")] * 3)
        result = run("account", "show", *args)
        assert (1, True) == (result.exit_code, f"within {seconds}" in result.stderr), result.stderr


@pytest.mark.usefixtures("_file_keyring")
def test_keyring(run: Run, configure: Configure) -> None:
    """Two accounts of one server have an entry each; another server gets neither."""
    configure(
        '[profiles.north]\nkeyring = "north"\n[profiles.south]\nkeyring = "south"\n'
        "[profiles.plain]\n"
    )
    for name in ("north", "south"):
        kept = run("auth", "login", "--profile", name, input=f"{name}-token")
        assert (0, True) == (kept.exit_code, f"kept for production {name}" in kept.stderr)
    file = "keyring (file PlaintextKeyring)"
    assert f"{file}, production north" == status(run, "--profile", "north")[1]
    assert f"{file}, production south" == status(run, "--profile", "south")[1]
    assert "none" == status(run, "--profile", "plain")[1]
    assert "none" == status(run, "--profile", "north", "--environment", "sandbox")[1]
    assert "forgotten for production north" in run("auth", "logout", "--profile", "north").stderr
    assert "none" == status(run, "--profile", "north")[1]


@pytest.mark.usefixtures("_file_keyring")
def test_billing(run: Run, configure: Configure, served: Emulator, folder: Path) -> None:
    """A profile sets up the Billing API: addresses, administrators, a token or the keyring."""
    username, password = served.billing_login
    setup = (
        '[profiles.p]\nkeyring = "north"\n'
        f'[profiles.p.billing]\nbase_url = "{served.billing_url}"\n'
        f'login_url = "{served.billing_url}"\nadministrator_ids = [1]\n'
    )
    configure(setup)
    get = ("billing", "get", "385619", "--profile", "p")
    assert 2 == run(*get).exit_code
    kept = run("auth", "login", "--billing", "--profile", "p", input=f"{username}\n{password}\n")
    assert (0, True) == (kept.exit_code, " north in the keyring" in kept.stderr)
    got = run(*get)
    assert 0 == got.exit_code, got.stderr
    # A token of the profile's file goes before the keyring, and to its own server only.
    (folder / "billing.token").write_text("no-such-token")
    (folder / "billing.token").chmod(0o600)
    configure(f'{setup}token_file = "{folder}/billing.token"')
    assert 3 == run(*get).exit_code
    assert "billing.token" in run("auth", "status", "--profile", "p").stdout
    elsewhere = run(*get, "--base-url", "https://other.test/v1")
    assert (2, True) == (elsewhere.exit_code, "no credentials" in elsewhere.stderr)
    # The environment goes before both.
    env = {"HOMEBOX_BILLING_USERNAME": username, "HOMEBOX_BILLING_PASSWORD": password}
    assert 0 == run(*get, env=env).exit_code
    refused = run(*get, env={**env, "HOMEBOX_BILLING_ADMINISTRATOR_IDS": "x"})
    assert (2, True) == (refused.exit_code, "administrator" in refused.stderr)
