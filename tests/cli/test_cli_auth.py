"""`homebox auth`, against a real keyring in a file, and where the token is taken from."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from click.testing import CliRunner, Result
from keyring.backends import fail, null
from keyring.errors import KeyringLocked
from keyrings.alt.file import PlaintextKeyring

from homebox_async.cli import root
from homebox_async.emulator import Emulator

Run = Callable[..., Result]
Homebox = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]

TOKEN = "zqToken8f3aCanary"
CLI = "homebox_async.cli"
PASSWORD = "zq Password 5c2Canary"
KEYRING = "keyring (file PlaintextKeyring)"


@pytest.fixture
def homebox(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Homebox]:
    """Run `homebox` with a keyring in a file of its own; `backend` is another one."""
    monkeypatch.setattr(PlaintextKeyring, "file_path", str(folder / "keyring.cfg"))
    before = keyring.get_keyring()

    def invoke(*args: str, stdin: str = "", backend: Any = PlaintextKeyring, **env: str) -> Result:
        keyring.set_keyring(backend())
        return run(*args, input=stdin, env=env)

    yield invoke
    keyring.set_keyring(before)


@pytest.fixture
def process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    """Run Python as a process, with a keyring in a file of its own."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("HOME", str(folder))

    def run(*args: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, *args], input=stdin, capture_output=True, text=True)

    return run


class Locked(PlaintextKeyring):
    """A keyring that is locked; its words hold what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Refuse."""
        raise KeyringLocked(password)


def typed(folder: Path, *args: str, lines: str) -> str:
    """Run `homebox` on a terminal, type some lines and return what the terminal shows."""
    reader, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "homebox_async.cli", *args],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    shown = ""
    for line in lines.splitlines():
        # Python drops what was typed before it asked without an echo.
        while not shown.rstrip().endswith(":"):
            shown += os.read(reader, 1024).decode()
        os.write(reader, f"{line}\n".encode())
        shown += os.read(reader, 1024).decode()
    os.close(terminal)
    process.wait(30)
    while True:
        try:
            more = os.read(reader, 1024)
        except OSError:  # how Linux says that the other side has gone
            break
        if not more:
            break
        shown += more.decode()
    os.close(reader)
    assert 0 == process.returncode, shown
    return shown


def test_login_logout(homebox: Homebox, served: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token from stdin is kept for its server, used by commands, and forgotten again."""
    monkeypatch.delenv("HOMEBOX_TOKEN")
    assert 2 == homebox("account", "show").exit_code
    kept = homebox("auth", "login", stdin=f"  {served.token}\n\n")
    assert (0, "", f"kept for {served.url} in the {KEYRING}\n") == (
        kept.exit_code,
        kept.stdout,
        kept.stderr,
    )
    used = homebox("account", "show")
    assert (0, "") == (used.exit_code, used.stderr)
    gone = homebox("auth", "logout")
    assert (0, f"forgotten for {served.url}\n") == (gone.exit_code, gone.stderr)
    assert f"there was nothing for {served.url}\n" == homebox("auth", "logout").stderr
    refused = homebox("account", "show")
    assert (2, True) == (refused.exit_code, "no API token; set HOMEBOX_TOKEN" in refused.stderr)


def test_one_server_only(homebox: Homebox) -> None:
    """What is kept for one server is not found for another."""
    homebox("auth", "login", "--environment", "sandbox", stdin=TOKEN)
    found = {
        where: json.loads(homebox("auth", "status", "--json", *where).stdout)["token"]
        for where in [(), ("--environment", "sandbox"), ("--base-url", "https://other.test")]
    }
    expected = {
        (): "none",
        ("--environment", "sandbox"): f"{KEYRING}, sandbox",
        ("--base-url", "https://other.test"): "none",
    }
    assert expected == found


def test_precedence(homebox: Homebox, folder: Path) -> None:
    """The environment goes before the file that it names, and that before the keyring."""
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    homebox("auth", "login", stdin=TOKEN)
    file = {"HOMEBOX_TOKEN_FILE": "token"}
    both = {"HOMEBOX_TOKEN": TOKEN, **file}
    done = [homebox("auth", "status", "--json", **more) for more in (both, file, {})]
    assert [
        "environment HOMEBOX_TOKEN",
        "file token (HOMEBOX_TOKEN_FILE)",
        f"{KEYRING}, production",
    ] == [json.loads(one.stdout)["token"] for one in done]
    assert [0, 0, 0] == [one.exit_code for one in done]
    assert TOKEN not in "".join(one.stdout + one.stderr for one in done)


def test_status_without_a_token(homebox: Homebox) -> None:
    """Where there is none, the status fails and says so."""
    status = homebox("auth", "status")
    assert (1, True) == (status.exit_code, "token\tnone\n" in status.stdout)


def test_prompt(process: Process, folder: Path) -> None:
    """On a terminal, the token is asked for and not shown."""
    shown = typed(folder, "auth", "login", lines=TOKEN)
    assert "API token" in shown
    assert f"kept for production in the {KEYRING}" in shown
    assert TOKEN not in shown


def test_billing_prompt(process: Process, folder: Path) -> None:
    """For the Billing API, username and password are asked for; a process finds them again."""
    shown = typed(folder, "auth", "login", "--billing", lines=f"jane\n{PASSWORD}")
    assert f"kept for billing in the {KEYRING}" in shown
    assert PASSWORD not in shown
    status = json.loads(process("-m", CLI, "auth", "status", "--json").stdout)
    assert ("none", f"{KEYRING}, billing") == (status["token"], status["billing"])


def test_billing(homebox: Homebox, served: Emulator) -> None:
    """Commands of the Billing API log in with what the keyring has, at the server it is for."""
    urls = {
        "HOMEBOX_BILLING_URL": served.billing_url,
        "HOMEBOX_BILLING_LOGIN_URL": served.billing_url,
        "HOMEBOX_BILLING_ADMINISTRATOR_IDS": "1",
    }
    credentials = "\n".join(served.billing_login)
    assert 0 == homebox("auth", "login", "--billing", stdin=credentials, **urls).exit_code
    got = homebox("billing", "get", "385619", **urls)
    assert 0 == got.exit_code, got.stderr
    elsewhere = homebox("billing", "get", "385619")
    assert (2, True) == (elsewhere.exit_code, "no credentials for the Billing" in elsewhere.stderr)
    assert 0 == homebox("auth", "logout", "--billing", **urls).exit_code
    assert 2 == homebox("billing", "get", "385619", **urls).exit_code


@pytest.mark.parametrize(
    ("args", "stdin", "error"),
    [
        (("login", TOKEN), "", "takes no arguments, which others can see"),
        (("login", f"--token={TOKEN}"), "", "no such option '--token'"),
        (("login",), "", "stdin has 0 lines; give one line, the token"),
        (("login",), f"{TOKEN}\n{TOKEN}", "stdin has 2 lines"),
        (("login",), f"{TOKEN} x", "it holds a space"),
        (("login", "--billing"), f"a\n{TOKEN}\nc", "give one line, the token, or two"),
        (("login", "--billing", "--environment", "sandbox"), "", "--environment means nothing"),
        (("login", "--environment", "sandbox", "--base-url", "https://h"), "", "give one"),
        (("login", "--base-url", "http://h"), TOKEN, "base_url uses http"),
        (("login", "--environment", TOKEN), "", "invalid value for '--environment'"),
    ],
    ids=["argument", "option", "none", "two", "space", "three", "both", "servers", "http", "value"],
)
def test_refused_login(run: Run, args: tuple[str, ...], stdin: str, error: str) -> None:
    """What cannot be kept is refused, and not repeated."""
    result = run("auth", *args, input=stdin)
    assert (2, "") == (result.exit_code, result.stdout)
    assert error in result.stderr
    if args[-1] != TOKEN or len(args) == 2:
        assert TOKEN not in result.stderr


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        (fail.Keyring, "the keyring cannot be used: there is none"),
        (null.Keyring, "give --token-file PATH, or store it"),
    ],
    ids=["none", "empty"],
)
def test_no_keyring(homebox: Homebox, backend: Any, told: str) -> None:
    """Without a keyring, a command says what else there is."""
    refused = homebox("account", "show", backend=backend)
    assert (2, True) == (refused.exit_code, told in refused.stderr)
    assert "HOMEBOX_TOKEN" in refused.stderr
    assert 1 == homebox("auth", "status", backend=backend).exit_code


@pytest.mark.parametrize("error", [fail.Keyring, Locked], ids=["none", "locked"])
def test_cannot_keep(homebox: Homebox, error: Any) -> None:
    """A keyring that refuses is told of, in words of our own."""
    kept = homebox("auth", "login", stdin=TOKEN, backend=error)
    assert (2, "") == (kept.exit_code, kept.stdout)
    assert "error: the keyring cannot be used: " in kept.stderr
    assert TOKEN not in kept.stderr


def test_foreign_entry(homebox: Homebox) -> None:
    """An entry that somebody else made is refused, not guessed at."""
    homebox("auth", "login", "--billing", stdin=TOKEN)
    keyring.set_password("homebox", "billing", TOKEN)
    result = homebox("billing", "get", "1")
    assert (2, True) == (result.exit_code, "is not one of ours" in result.stderr)
    assert TOKEN not in result.stderr


def test_keyring_not_installed(homebox: Homebox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the keyring is passed by, and `auth` says how to install it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    for args, told in ((["account", "show"], "no API token"), (["auth", "logout"], "an extra")):
        done = CliRunner().invoke(root.homebox, args)
        assert (2, True) == (done.exit_code, told in done.stderr)
        assert "pip install 'homebox-async[keyring]'" in done.stderr
    monkeypatch.undo()


def test_library(process: Process) -> None:
    """The library reads the keyring when it is asked to, and only then."""
    process("-m", CLI, "auth", "login", stdin=TOKEN)
    process("-m", CLI, "auth", "login", "--billing", stdin=f"jane\n{PASSWORD}")
    code = f"""
import sys
from homebox_async import AsyncBilling, AsyncHomebox, ConfigurationError
try:
    AsyncHomebox()
except ConfigurationError:
    assert "keyring" not in sys.modules
from homebox_async.keyring import stored_billing, stored_token
token = stored_token()
assert (token, repr(token)) == ({TOKEN!r}, "'***'")
AsyncHomebox(token)
found = stored_billing()
assert found == {{"username": "jane", "password": {PASSWORD!r}}}
assert repr(found) == "{{'username': '***', 'password': '***'}}"
AsyncBilling(**found)
for missing in (lambda: stored_token("sandbox"), lambda: stored_billing(base_url="https://h/v1")):
    try:
        missing()
    except ConfigurationError as error:
        print(error)
"""
    done = process("-c", code)
    first, second = done.stdout.splitlines()
    assert "the keyring has no token for sandbox; run: homebox auth login" == first
    login = "https://authentication.ista-webservices.be"
    assert f"the keyring has nothing for billing https://h {login}; run: " in second
