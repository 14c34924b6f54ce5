"""`homebox auth`, against a real keyring in a file, and where the token is taken from."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.emulator import Emulator

Run = Callable[..., Result]
Homebox = Callable[..., "subprocess.CompletedProcess[str]"]

TOKEN = "zqToken8f3aCanary"
PASSWORD = "zq Password 5c2Canary"
KEYRING = "keyring (file PlaintextKeyring)"


@pytest.fixture
def homebox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Homebox:
    """Run `homebox` as a process, with a keyring in a file of its own."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("HOME", str(folder))

    def run(*args: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "homebox_async.cli", *args],
            input=stdin,
            env={**os.environ, **more},
            capture_output=True,
            text=True,
        )

    return run


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
    assert 2 == homebox("account", "show").returncode
    kept = homebox("auth", "login", stdin=f"  {served.token}\n\n")
    assert (0, "", f"kept for {served.url} in the {KEYRING}\n") == (
        kept.returncode,
        kept.stdout,
        kept.stderr,
    )
    used = homebox("account", "show")
    assert (0, "") == (used.returncode, used.stderr)
    gone = homebox("auth", "logout")
    assert (0, f"forgotten for {served.url}\n") == (gone.returncode, gone.stderr)
    assert f"there was nothing for {served.url}\n" == homebox("auth", "logout").stderr
    refused = homebox("account", "show")
    assert (2, True) == (refused.returncode, "no API token; set HOMEBOX_TOKEN" in refused.stderr)


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
    assert [0, 0, 0] == [one.returncode for one in done]
    assert TOKEN not in "".join(one.stdout + one.stderr for one in done)


def test_status_without_a_token(homebox: Homebox) -> None:
    """Where there is none, the status fails and says so."""
    status = homebox("auth", "status")
    assert (1, True) == (status.returncode, "token\tnone\n" in status.stdout)


def test_prompt(homebox: Homebox, folder: Path) -> None:
    """On a terminal, the token is asked for and not shown."""
    shown = typed(folder, "auth", "login", lines=TOKEN)
    assert "API token" in shown
    assert f"kept for production in the {KEYRING}" in shown
    assert TOKEN not in shown


def test_billing_prompt(homebox: Homebox, folder: Path) -> None:
    """For the Billing API, username and password are asked for."""
    shown = typed(folder, "auth", "login", "--billing", lines=f"jane\n{PASSWORD}")
    assert f"kept for billing in the {KEYRING}" in shown
    assert PASSWORD not in shown
    status = json.loads(homebox("auth", "status", "--json").stdout)
    assert ("none", f"{KEYRING}, billing") == (status["token"], status["billing"])


def test_billing(homebox: Homebox, served: Emulator) -> None:
    """Commands of the Billing API log in with what the keyring has, at the server it is for."""
    urls = {
        "HOMEBOX_BILLING_URL": served.billing_url,
        "HOMEBOX_BILLING_LOGIN_URL": served.billing_url,
        "HOMEBOX_BILLING_ADMINISTRATOR_IDS": "1",
    }
    credentials = "\n".join(served.billing_login)
    assert 0 == homebox("auth", "login", "--billing", stdin=credentials, **urls).returncode
    got = homebox("billing", "get", "385619", **urls)
    assert 0 == got.returncode, got.stderr
    elsewhere = homebox("billing", "get", "385619")
    assert (2, True) == (elsewhere.returncode, "no credentials for the Billing" in elsewhere.stderr)
    assert 0 == homebox("auth", "logout", "--billing", **urls).returncode
    assert 2 == homebox("billing", "get", "385619", **urls).returncode


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
        ("keyring.backends.fail.Keyring", "the keyring cannot be used: there is none"),
        ("keyring.backends.null.Keyring", "give --token-file PATH, or store it"),
    ],
    ids=["none", "empty"],
)
def test_no_keyring(homebox: Homebox, backend: str, told: str) -> None:
    """Without a keyring, a command says what else there is, and login fails."""
    refused = homebox("account", "show", PYTHON_KEYRING_BACKEND=backend)
    assert (2, True) == (refused.returncode, told in refused.stderr)
    assert "HOMEBOX_TOKEN" in refused.stderr
    status = homebox("auth", "status", PYTHON_KEYRING_BACKEND=backend)
    assert 1 == status.returncode
    if "fail" in backend:
        kept = homebox("auth", "login", stdin=TOKEN, PYTHON_KEYRING_BACKEND=backend)
        assert (2, False) == (kept.returncode, TOKEN in kept.stderr)


def test_keyring_not_installed(homebox: Homebox) -> None:
    """Without the extra, the keyring is passed by, and `auth` says how to install it."""
    hide = "import sys; sys.modules['keyring'] = None\nfrom homebox_async.cli import main; main()"
    for args, told in ((["account", "show"], "no API token"), (["auth", "login"], "an extra")):
        done = subprocess.run(
            [sys.executable, "-c", hide, *args], input=TOKEN, capture_output=True, text=True
        )
        assert (2, True) == (done.returncode, told in done.stderr)
        assert "pip install 'homebox-async[keyring]'" in done.stderr


def test_library(homebox: Homebox) -> None:
    """The library reads the keyring when it is asked to, and only then."""
    homebox("auth", "login", stdin=TOKEN)
    homebox("auth", "login", "--billing", stdin=f"jane\n{PASSWORD}")
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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert "the keyring has no token for sandbox; run: homebox auth login" == first
    login = "https://authentication.ista-webservices.be"
    assert f"the keyring has nothing for billing https://h {login}; run: " in second
