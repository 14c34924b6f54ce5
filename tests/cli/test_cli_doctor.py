"""`homebox doctor`: what each check finds, and that it tells no secret and writes nothing."""

import ast
import asyncio
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import keyring
import pytest
import trustme
from click.testing import Result
from keyring.backends import fail, null
from keyrings.alt.file import PlaintextKeyring

import homebox_async
from homebox_async import AsyncHomebox
from homebox_async.cli.checkup import Finding, in_thread, limited, lists, local
from homebox_async.emulator import Address, Assumed, Emulator, Fault
from homebox_async.errors import ConfigurationError

from .terminals import on_a_terminal
from .vendor import Vendor, serving

Run = Callable[..., Result]
Check = Callable[..., tuple[Result, dict[str, Finding]]]

PACKAGE = Path(homebox_async.__file__).parent
TOKEN = "zqToken8f3aCanary"
NAME = "Zqfirst Zqlast"


@pytest.fixture
def check(run: Run) -> Check:
    """Run the doctor and return its findings by their names."""

    def doctor(*args: str, **env: str) -> tuple[Result, dict[str, Finding]]:
        result = run("doctor", "--json", *args, env=env)
        told = json.loads(result.stdout)
        assert told["ok"] == (result.exit_code == 0)
        assert TOKEN not in result.stdout + result.stderr
        return result, {one["check"]: Finding(**one) for one in told["checks"]}

    return doctor


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Return a server whose account is like the documents'."""
    with serving({"account": {"data": {"name": "Lee", "reference_number": "R1"}}}) as server:
        yield server


def statuses(found: dict[str, Finding], *names: str) -> list[str]:
    """Return how some checks ended."""
    return [found[name].status for name in names]


def test_emulator(check: Check, folder: Path) -> None:
    """With --emulator nothing fails, answers are as expected, and no file is left."""
    result, found = check("--emulator")
    assert 0 == result.exit_code, result.stdout
    assert {"ok", "skipped"} == {one.status for one in found.values()}
    assert all(one.fix == "" for one in found.values())
    compared = ("answer: account", "answers: properties", "answers: orders")
    assert ["ok"] * 5 == statuses(found, *compared, "answers: bills of an order", "clock")
    assert f"homebox-async {metadata.version('homebox-async')}" in found["versions"].detail
    assert [] == list(folder.iterdir())


def test_only_reads(check: Check, served: Emulator) -> None:
    """Nothing but GET is sent, and nothing changes at the server."""
    address = Address("1 High Street", None, "Leeds", None, "LS1 1AA")
    home = served.store.add_property(address)
    served.seed_order(home.id)
    commits = served.store.commits
    result, found = check()
    assert 0 == result.exit_code, result.stdout
    assert {"GET"} == {key.split()[0] for key in served.counts.requests}
    assert commits == served.store.commits
    assert "warning" == found["server"].status  # for this is no server of the vendor
    assert "HOMEBOX_BASE_URL" in found["server"].detail + found["server"].fix
    assert "environment HOMEBOX_TOKEN" == found["token"].detail


def test_as_text(run: Run) -> None:
    """For other programs, each finding is a line of four cells; a summary goes to stderr."""
    result = run("doctor", "--emulator")
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert {4} == set(map(len, lines))
    assert "versions" == lines[0][1]
    assert (0, "nothing is wrong\n") == (result.exit_code, result.stderr)


def test_on_a_terminal() -> None:
    """On a terminal, each finding is there as soon as it is made, with what to do below."""
    code, shown = on_a_terminal(
        [sys.executable, "-m", "homebox_async.cli", "doctor", "--base-url", "https://x.invalid"], {}
    )
    assert 1 == code
    assert "failed  token: there is none for this server\r\n" in shown
    assert "        to do: set HOMEBOX_TOKEN, or run: homebox auth login" in shown
    assert "checks of 12 failed" in shown


def test_no_token(check: Check, vendor: Vendor) -> None:
    """Without a token, the server is reached and nothing is asked of it."""
    result, found = check("--base-url", vendor.url)
    assert (1, []) == (result.exit_code, vendor.asked)
    assert ["ok", "ok", "failed", "skipped"] == statuses(
        found, "DNS", "connection", "token", "account"
    )
    assert "homebox auth login" in found["token"].fix


@pytest.mark.parametrize(
    ("status", "expected", "told"),
    [
        (401, "failed", "refuses the token (401)"),
        (403, "warning", "may not read its account (403)"),
        (500, "ok", "an account that cannot be read"),
    ],
)
def test_refused_token(check: Check, vendor: Vendor, status: int, expected: str, told: str) -> None:
    """A token that the server refuses is told of; what it may not read is no failure of its own."""
    vendor.status = status
    result, found = check("--base-url", vendor.url, HOMEBOX_TOKEN=TOKEN)
    assert 1 == result.exit_code
    assert (expected, True) == (found["account"].status, told in found["account"].detail)
    if status == 403:
        assert "failed" == found["answers: leads"].status


@pytest.mark.parametrize(
    ("slow", "status", "words"),
    [
        (0, "ok", "as the server's"),
        (-100, "warning", "behind the server's"),
        (100, "warning", "100 s ahead of the server's"),
        (4000, "failed", "4000 s ahead of the server's"),
    ],
)
def test_clock(check: Check, vendor: Vendor, slow: float, status: str, words: str) -> None:
    """A clock that is wrong is told of, with by how much."""
    vendor.slow = slow
    result, found = check("--base-url", vendor.url, HOMEBOX_TOKEN=TOKEN)
    assert (status, int(status == "failed")) == (found["clock"].status, result.exit_code)
    assert words.split()[-3:] == found["clock"].detail.split()[-3:]
    assert (status != "ok") == ("NTP" in found["clock"].fix)


def test_no_clock(check: Check, vendor: Vendor) -> None:
    """A server that tells no time leaves the clock alone."""
    vendor.date = "soon"
    _, found = check("--base-url", vendor.url, HOMEBOX_TOKEN=TOKEN)
    assert "skipped" == found["clock"].status


def test_quota(check: Check, vendor: Vendor) -> None:
    """What is left of the rate limit is told."""
    vendor.headers = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "57"}
    _, found = check("--base-url", vendor.url, HOMEBOX_TOKEN=TOKEN)
    assert "57 of 60 requests are left" == found["rate limit"].detail


def test_drift(check: Check, vendor: Vendor) -> None:
    """New fields, other types and missing envelopes are told by name, never by value."""
    odd = {"id": 3, "Zqfirst Zqlast 1": NAME, "colour": NAME, "created_at": {"at": NAME}}
    vendor.answers = {
        "account": {"name": NAME, "reference_number": "R"},
        "property": {"data": [{"id": 1, "partner_properties": [{"shade": NAME}]}]},
        "order": {"data": [odd]},
        "order/3/bill": {"data": [{"id": 1, "tone": NAME}], "sum": NAME},
        "lead": {"data": [{"id": 1, **{f"k_{letter}": 1 for letter in "abcdefghij"}}]},
    }
    result, found = check("--base-url", vendor.url, HOMEBOX_TOKEN=TOKEN)
    details = {name: one.detail for name, one in found.items() if name.startswith("answer")}
    asked = "\n".join(vendor.asked)
    assert "the envelope `data` is missing" == details["answer: account"], asked
    assert (
        "new fields: (a name not shown), colour; other types: created_at"
        == (details["answers: orders"])
    )
    assert "new fields: partner_properties[].shade" == details["answers: properties"], asked
    assert "new fields: data[].tone, sum, tone" == details["answers: bills of an order"]
    assert (
        "new fields: k_a, k_b, k_c, k_d, k_e, k_f, k_g, k_h and 2 more"
        == (details["answers: leads"])
    )
    # Drift is no failure: nothing of it is lost.
    assert (0, "warning") == (result.exit_code, found["answers: orders"].status)
    for name, one in found.items():
        assert name == "account" or "Zqfirst" not in one.detail + one.fix


def _homes(emulator: Emulator, count: int) -> None:
    for number in range(count):
        home = Address(f"{number} High Street", None, "Leeds", None, "LS1 1AA")
        emulator.store.add_property(home, f"R{number}" if number else None)


LISTS: list[tuple[dict[str, Any], int, str, str]] = [
    ({}, 0, "ok", "is empty"),
    (
        {},
        7,
        "ok",
        (
            "7 items; reports neither total nor last page; own references on 6 of 7 on the first"
            " page; one page"
        ),
    ),
    (
        {"property_page_size": 3},
        20,
        "ok",
        (
            "20 items; reports neither total nor last page; own references on 2 of 3 on the first"
            " page; `page` counts"
        ),
    ),
    (
        {"property_page_size": 3, "list_meta": "everywhere"},
        9,
        "ok",
        (
            "9 items; reports a total and a last page; own references on 2 of 3 on the first page;"
            " `page` counts"
        ),
    ),
    (
        {"property_page_size": 3, "list_meta": "everywhere", "page_cap": 2},
        9,
        "warning",
        (
            "its pages hold 6, and it reports a total of 9; reports a total and a last page; own"
            " references on 2 of 3 on the first page; `page` counts"
        ),
    ),
    (
        {"property_page_size": 3, "list_meta": "last page", "last_page_error": -1},
        9,
        "warning",
        (
            "continues after page 2, which it reports as the last; reports a last page; own"
            " references on 2 of 3 on the first page; `page` counts"
        ),
    ),
    (
        {"property_page_size": 3, "pages_count": False},
        9,
        "warning",
        (
            "ignores `page`: page 2 is page 1; reports neither total nor last page; own references"
            " on 2 of 3 on the first page"
        ),
    ),
]


@pytest.mark.parametrize(("assumed", "homes", "status", "detail"), LISTS)
async def test_lists(assumed: dict[str, Any], homes: int, status: str, detail: str) -> None:
    """How a list behaves is said in one line, a warning where it cannot be seen whole."""
    async with (
        Emulator(assumed=Assumed(**assumed)) as emulator,
        AsyncHomebox(emulator.token, base_url=emulator.url) as client,
    ):
        _homes(emulator, homes)
        found = await lists.properties(client)
        assert (status, detail) == (found.status, found.detail)
        assert (status == "warning") == bool(found.fix)
        assert "is empty" == (await lists.leads(client)).detail
        assert {"GET"} == {received.method for received in emulator.received}


def test_unreachable(check: Check) -> None:
    """A server that takes no connection, and a host without an address, end the checks there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result, found = check("--base-url", f"http://127.0.0.1:{port}", HOMEBOX_TOKEN=TOKEN)
    assert (1, "failed", "skipped") == (
        result.exit_code,
        found["connection"].status,
        found["account"].status,
    )
    assert "HTTPS_PROXY" in found["connection"].fix
    result, found = check("--base-url", "https://nowhere.invalid", HOMEBOX_TOKEN=TOKEN)
    assert (1, "failed") == (result.exit_code, found["DNS"].status)
    assert "connection" not in found


def test_hanging_server(check: Check, served: Emulator) -> None:
    """A server that does not answer ends the check within its time."""
    served.script("GET", "/api/partner/account", [Fault("hang")])
    start = time.monotonic()
    result, found = check("--timeout", "0.5")
    assert (1, "failed") == (result.exit_code, found["account"].status)
    assert time.monotonic() - start < 30
    assert "--timeout" in found["account"].detail + found["account"].fix


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_tls(check: Check, is_known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate is checked as the client does; its days are told."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if is_known:
        trusted = ssl.create_default_context()
        authority.configure_trust(trusted)
        monkeypatch.setattr(ssl, "create_default_context", lambda *a, **k: trusted)
    with serving({}, context) as server:
        url = server.url.replace("http", "https")
        _, found = check("--base-url", url, HOMEBOX_TOKEN=TOKEN)
    if is_known:
        assert "more days" in found["connection"].detail
        assert found["connection"].status in ("ok", "warning")
        assert "TLSv1.3" in found["connection"].detail
    else:
        assert "failed" == found["connection"].status
        assert "does not hold" in found["connection"].detail
        assert "SSL_CERT_FILE" in found["connection"].fix


def test_no_tls(check: Check, vendor: Vendor) -> None:
    """A server that speaks no TLS is told of."""
    url = vendor.url.replace("http", "https")
    _, found = check("--base-url", url, HOMEBOX_TOKEN=TOKEN)
    assert ("failed", True) == (
        found["connection"].status,
        "speaks no TLS" in found["connection"].detail,
    )


def test_proxy(check: Check, vendor: Vendor) -> None:
    """The proxy is told without its password, and it is the one that is connected to."""
    proxy = f"http://user:{TOKEN}@127.0.0.1:{vendor.server_port}"
    env = {"HTTPS_PROXY": proxy, "NO_PROXY": "other.test"}
    _, found = check("--base-url", "https://h.invalid", HOMEBOX_TOKEN=TOKEN, **env)
    assert f"http://127.0.0.1:{vendor.server_port} (HTTPS_PROXY, NO_PROXY=other.test)" == (
        found["proxy"].detail
    )
    assert found["connection"].detail.endswith("to the proxy")
    assert "failed" == found["account"].status
    env["NO_PROXY"] = "h.invalid"
    _, found = check("--base-url", "https://h.invalid", HOMEBOX_TOKEN=TOKEN, **env)
    assert found["proxy"].detail.startswith("none for https://h.invalid")
    _, found = check("--base-url", "https://h.invalid", HTTPS_PROXY=f"ftp://{TOKEN}")
    assert ("failed", "skipped") == (found["proxy"].status, found["network"].status)


@pytest.mark.parametrize(
    ("args", "env", "status", "told"),
    [
        ((), {}, "ok", "production, https://accounts.billingbetter.co.uk (the default)"),
        (("--environment", "sandbox"), {}, "ok", "sandbox, https://sandbox.billingbetter.co.uk"),
        ((), {"HOMEBOX_BASE_URL": "https://h.invalid"}, "warning", "no server of the vendor"),
        (("--base-url", "http://127.0.0.1:9"), {}, "warning", "this machine, such as an emulator"),
        ((), {"HOMEBOX_BASE_URL": "http://h.invalid"}, "failed", "base_url uses http"),
        ((), {"HOMEBOX_BASE_URL": "nonsense"}, "failed", "is not a URL"),
    ],
    ids=["default", "sandbox", "other", "loopback", "http", "nonsense"],
)
def test_server(
    check: Check,
    args: tuple[str, ...],
    env: dict[str, str],
    status: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that is not the vendor's is told of, and one that cannot be used ends it there."""
    monkeypatch.setattr("homebox_async.cli.checkup.network.names", _nothing)
    _, found = check(*args, **env)
    assert (status, True) == (found["server"].status, told in found["server"].detail)
    assert (status == "failed") == ("network" in found)


async def _nothing(origin: str) -> Finding:
    return Finding("DNS", "failed", "not asked in this test")


def test_config_file(check: Check, folder: Path) -> None:
    """A bad config file, an unknown profile and one that others may change are findings."""
    (folder / "c.toml").write_text("[profiles.p]\ntimeout = 0\n")
    env = {"HOMEBOX_CONFIG": "c.toml"}
    result, found = check("--emulator", **env)
    assert (1, "failed") == (result.exit_code, found["config file"].status)
    assert "c.toml: profiles.p.timeout: is no number of seconds" == found["config file"].detail
    assert "write one above 0, without quotes" == found["config file"].fix
    # What the file would have named is not known: the token goes nowhere.
    _, found = check(HOMEBOX_TOKEN=TOKEN, **env)
    assert ("skipped", False) == (found["network"].status, "DNS" in found)
    (folder / "c.toml").write_text("[profiles.p]\nenvironment = 'sandbox'\n")
    (folder / "c.toml").chmod(0o600)
    _, found = check("--emulator", "--profile", "q", **env)
    assert "failed" == found["config file"].status
    _, found = check("--emulator", HOMEBOX_PROFILE="p", **env)
    assert "c.toml, profile p" == found["config file"].detail
    (folder / "c.toml").chmod(0o666)
    result, found = check("--emulator", **env)
    assert (0, "warning", "run: chmod go-w c.toml") == (
        result.exit_code,
        found["config file"].status,
        found["config file"].fix,
    )


def test_variables(check: Check) -> None:
    """A misspelt variable is told of, by its name alone."""
    _, found = check("--emulator", HOMEBOX_TOKN=TOKEN)
    assert "HOMEBOX_TOKN means nothing, did you mean HOMEBOX_TOKEN?" == found["environment"].detail


def test_variables_are_known() -> None:
    """Every variable that the package reads is known to the check."""
    read = {
        name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in re.findall(r"\bHOMEBOX_[A-Z_]*[A-Z]\b", node.value)
    }
    assert read - {"HOMEBOX_BILLING"} == local.VARIABLES


def test_token_file(check: Check, folder: Path, vendor: Vendor) -> None:
    """The mode of a token file is told; what is no token is refused unseen."""
    (folder / "t").write_text(TOKEN)
    (folder / "t").chmod(0o600)
    _, found = check("--base-url", vendor.url, "--token-file", "t")
    assert "file t, mode 0600" == found["token"].detail
    (folder / "t").write_text(f"{TOKEN} {TOKEN}")
    result, found = check("--base-url", vendor.url, HOMEBOX_TOKEN_FILE="t")
    assert (1, "failed") == (result.exit_code, found["token"].status)
    assert "holds a space" in found["token"].detail
    _, found = check("--base-url", vendor.url, "--token-file", "missing")
    assert "--token-file missing: cannot be read (No such file or directory)" == (
        found["token"].detail
    )


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file")
def test_open_token_file(check: Check, folder: Path, vendor: Vendor) -> None:
    """A token file that others may read is a failure, with the command that closes it."""
    (folder / "t").write_text(TOKEN)
    (folder / "t").chmod(0o644)
    _, found = check("--base-url", vendor.url, "--token-file", "t")
    assert ("failed", "run: chmod 600 t") == (found["token"].status, found["token"].fix)


@pytest.mark.parametrize(
    ("backend", "status"),
    [(fail.Keyring, "skipped"), (null.Keyring, "ok"), (PlaintextKeyring, "ok")],
    ids=["none", "null", "file"],
)
def test_keyring(check: Check, backend: Any, status: str, folder: Path) -> None:
    """The keyring is told; without one, nothing has failed."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend())
    try:
        result, found = check("--emulator")
    finally:
        keyring.set_keyring(before)
    assert (0, status) == (result.exit_code, found["keyring"].status)


def test_billing(check: Check) -> None:
    """The sources of the Billing credentials are told, not their values."""
    env = {"HOMEBOX_BILLING_TOKEN": TOKEN, "HOMEBOX_BILLING_URL": "https://b.test/v1"}
    _, found = check("--emulator", **env)
    assert "environment HOMEBOX_BILLING_TOKEN, for https://b.test/v1" == found["billing"].detail


def test_versions(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dependency that is missing or too old fails; an extra that is missing does not."""
    real = metadata.version

    def version(name: str) -> str:
        if name in ("tenacity", "keyring"):
            raise metadata.PackageNotFoundError(name)
        return "3.14.0" if name == "aiohttp" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    _, found = check("--emulator")
    assert "failed" == found["versions"].status
    assert found["versions"].detail.startswith(
        "tenacity is missing; aiohttp 3.14.0 is older than 3.14.1 ("
    )
    extras = found["versions"].detail.rpartition("extras: ")[2].split(", ")
    assert (True, False) == ("speed" in extras, "keyring" in extras)


def test_loop(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra `speed`, asyncio's loop is in use, and that is well."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    _, found = check("--emulator")
    assert ("ok", True) == (found["event loop"].status, "asyncio" in found["event loop"].detail)


def test_encoding(start: Callable[..., Any]) -> None:
    """A terminal that lacks letters is a warning."""
    process = start(
        *("doctor", "--emulator", "--json"),
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PAGER": "no-such-pager"},
    )
    out, _ = process.communicate(timeout=30)
    [found] = [one for one in json.loads(out)["checks"] if one["check"] == "terminal"]
    assert ("warning", True) == (found["status"], "PYTHONUTF8=1" in found["fix"])
    assert "iso8859-1" in found["detail"]


def test_two_servers(run: Run) -> None:
    """Two servers are refused."""
    result = run("doctor", "--environment", "sandbox", "--base-url", "https://h")
    assert (2, True) == (result.exit_code, "both name a server" in result.stderr)


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (ConfigurationError("it is wrong; do this"), "it is wrong"),
        (RuntimeError(TOKEN), "ended with RuntimeError"),
        (TimeoutError(), "took longer than 5 s"),
    ],
    ids=["ours", "bug", "time"],
)
async def test_failing_check(error: Exception, detail: str) -> None:
    """Whatever goes wrong in a check is its finding; words of others are not repeated."""

    async def work() -> Finding:
        raise error

    found = await limited("x", work, 5)
    assert ("failed", detail) == (found.status, found.detail)
    assert found.fix


async def test_thread_that_hangs() -> None:
    """A check that hangs in a thread ends in time; what it does later is nobody's concern."""
    go, done = threading.Event(), threading.Event()

    def hang() -> Finding:
        go.wait(20)
        done.set()
        return Finding("x", "ok", "too late")

    found = await limited("x", lambda: in_thread(hang), 0.05)
    assert "took longer than 0.05 s" == found.detail
    go.set()
    assert await asyncio.to_thread(done.wait, 10)
    await asyncio.sleep(0)
