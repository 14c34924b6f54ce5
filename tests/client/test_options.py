"""How a client is set up: token, origin, limits."""

import datetime as dt
import inspect
import ssl
from importlib import metadata
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses
from click.testing import CliRunner

from homebox_async import (
    Address,
    AsyncBilling,
    AsyncHomebox,
    Billing,
    ConfigurationError,
    Homebox,
    HomeboxError,
    Retry,
    StatusError,
    ValidationError,
)
from homebox_async.base_client import user_agent
from homebox_async.cli.root import homebox
from homebox_async.version import own_version

PRODUCTION = "https://accounts.billingbetter.co.uk"


# --- token and origin


@pytest.mark.parametrize(
    ("environment", "origin"),
    [("production", PRODUCTION), ("sandbox", "https://sandbox.billingbetter.co.uk")],
)
def test_environments(environment: Any, origin: str) -> None:
    """The vendor's two environments are known by name."""
    client = AsyncHomebox("t", environment=environment)
    assert origin == client.base_url
    assert f"<AsyncHomebox {origin}>" == repr(client)


async def test_the_environment_variables(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token and origin come from the environment unless they are given."""
    monkeypatch.setenv("HOMEBOX_TOKEN", " from-env\n")
    monkeypatch.setenv("HOMEBOX_BASE_URL", server.url)
    async with AsyncHomebox() as client:
        await client.request("GET", "x")
    async with AsyncHomebox("given") as client:
        await client.request("GET", "x")
    assert ["Bearer from-env", "Bearer given"] == [s.headers["authorization"] for s in server.seen]


@pytest.mark.parametrize("make", [AsyncHomebox, Homebox])
@pytest.mark.parametrize("token", [None, "", "  "])
def test_no_token(make: Any, token: str | None) -> None:
    """Without a token there is no client."""
    with pytest.raises(ConfigurationError, match="no API token; pass token"):
        make(token)


@pytest.mark.parametrize("token", ["a b", "a\nb", "tokén", "a\x00b", "Bearer abc"], ids=ascii)
def test_ill_formed_tokens(token: str) -> None:
    """A token that cannot be one is refused without being repeated."""
    with pytest.raises(ConfigurationError, match="check how it was copied") as caught:
        AsyncHomebox(token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://192.168.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://example.com",
        "example.com",
        "https://",
        "https://user:secret@example.com",
        "https://example.com/api",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com:99999999",
        "//example.com",
    ],
)
def test_origins_that_are_refused(url: str) -> None:
    """A token goes to an origin over https, or to loopback."""
    with pytest.raises(ConfigurationError, match="base_url"):
        AsyncHomebox("t", base_url=url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("https://example.com:8443", "https://example.com:8443"),
    ],
)
def test_origins_that_are_fine(url: str, origin: str) -> None:
    """Plain http is fine to loopback, https everywhere."""
    assert origin == AsyncHomebox("t", base_url=url).base_url


NO_NUMBERS = [
    "30",
    "",
    (3, 10),
    dt.timedelta(seconds=3),
    [],
    object(),
    True,
    b"1",
    float("nan"),
    {},
]
NO_OPTIONS: dict[str, list[Any]] = {
    "timeout": [None, 0, -1.0, float("inf"), *NO_NUMBERS],
    "deadline": [0, -1, float("inf"), *NO_NUMBERS],
    "keepalive_timeout": [None, -1, float("inf"), *NO_NUMBERS],
    "max_connections": [None, 0, 1.5, *NO_NUMBERS],
    "max_body": [None, 0, 1.5, *NO_NUMBERS],
    "max_document": [None, 0, 1.5, *NO_NUMBERS],
    "retry": [None, 3, True, {}, Retry],
    "middlewares": [None, "x", print, [None], {}, 5],
    "attempt_middlewares": [None, "x", print, [None], {}, 5],
    "on_event": ["x", 5, []],
    "base_url": [5, b"http://127.0.0.1", object()],
    "login_url": [5, b"http://127.0.0.1", object()],
    "ssl": [False, True, "x", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), object()],
    "proxy": [5, b"http://127.0.0.1", {"http": "x"}],
    "environment": [None, 5, b"sandbox", "live", []],
    "administrator_ids": ["1;2", 5, [-1], [True], {"1": 2}],
    "now": [None, 5],
    "token": [b"t", ["t"], 5, object()],
    "username": [b"u", 5],
    "password": [b"p", 5],
}
CLIENTS = (AsyncHomebox, Homebox, AsyncBilling, Billing)
# What one of them is made with, if that is not what is tried.
GOOD: dict[Any, dict[str, str]] = {AsyncHomebox: {"token": "t"}, Homebox: {"token": "t"}}
BILLING = {"username": "u", "password": "p"}


def test_every_option_is_tried() -> None:
    """No option of a client is forgotten."""
    names = {name for client in CLIENTS for name in inspect.signature(client).parameters}
    assert set(NO_OPTIONS) == names


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
@pytest.mark.parametrize("name", NO_OPTIONS)
def test_options_of_another_kind(client: Any, name: str) -> None:
    """An option of another kind, or that makes no sense, is refused at once and by its name."""
    if name not in inspect.signature(client).parameters:
        return
    for value in NO_OPTIONS[name]:
        given = {"token": value} if name == "token" else {**GOOD.get(client, BILLING), name: value}
        with pytest.raises(ConfigurationError, match=name) as caught:
            client(**given)
        assert "; give" in str(caught.value) or "decode" in str(caught.value)


VIEWS = [name for name in inspect.signature(AsyncHomebox.with_options).parameters if name != "self"]


@pytest.mark.parametrize("client", [AsyncHomebox, Homebox], ids=lambda client: client.__name__)
@pytest.mark.parametrize("name", VIEWS)
def test_options_of_a_view(client: Any, name: str) -> None:
    """A view refuses the same; None for a retry or a callback means that of the client."""
    whole = client("t")
    for value in NO_OPTIONS[name]:
        if (name, value) != ("retry", None):
            with pytest.raises(ConfigurationError, match=name):
                whole.with_options(**{name: value})


@pytest.mark.parametrize("quoted", ['"abc"', "'abc'", "`abc`", "\u201cabc\u201d", '"abc', "abc'"])
@pytest.mark.parametrize("where", ["argument", "variable", "file"])
def test_a_token_in_quotes(
    quoted: str, where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token in quotes, as env files have it, is refused with words and not shown."""
    if where == "variable":
        monkeypatch.setenv("HOMEBOX_TOKEN", quoted)
    elif where == "file":
        file = tmp_path / "token"
        file.write_text(quoted, encoding="utf-8")
        file.chmod(0o600)
        monkeypatch.setenv("HOMEBOX_TOKEN_FILE", str(file))
    with pytest.raises(ConfigurationError, match="stands in quotes") as caught:
        AsyncHomebox(quoted if where == "argument" else None)
    assert "abc" not in str(caught.value)


def test_without_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a frozen program, which has no metadata of packages, clients and commands work."""

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setattr(metadata, "requires", missing)
    for function in (own_version, user_agent):
        function.cache_clear()
    try:
        assert user_agent().startswith("homebox-async/unknown Python/")
        AsyncHomebox("t")
        shown = CliRunner().invoke(homebox, ["--version"])
        assert (0, "homebox, version unknown\n") == (shown.exit_code, shown.output)
    finally:
        for function in (own_version, user_agent):
            function.cache_clear()


# --- with aioresponses


async def test_aioresponses() -> None:
    """Users may fake small cases with aioresponses."""
    with aioresponses() as fake:
        url = f"{PRODUCTION}/api/partner/account"
        fake.get(url, payload={"data": {"name": "Agency", "management_fee": "12.5"}})
        async with AsyncHomebox("t") as client:
            account = await client.account.get()
    assert ("Agency", "12.5") == (account.name, str(account.management_fee))


async def test_aioresponses_with_failures() -> None:
    """Errors and exceptions of aioresponses come out as ours."""
    with aioresponses() as fake:
        url = f"{PRODUCTION}/api/partner/property"
        fake.post(url, status=422, payload={"errors": {"address": ["bad"]}})
        fake.post(url, exception=aiohttp.ServerDisconnectedError())
        async with AsyncHomebox("t", retry=Retry(attempts=1)) as client:
            home = Address(line1="1", city="L", postcode="EC1V 2NX")
            with pytest.raises(StatusError) as caught:
                await client.properties.create(home)
            with pytest.raises(HomeboxError):
                await client.properties.create(home)
    assert {"address": ("bad",)} == caught.value.errors


def test_a_validation_error_is_a_value_error() -> None:
    """A validation error is also a ValueError, for those who catch these."""
    with pytest.raises(ValueError, match="nothing was sent"):
        raise ValidationError([])


async def test_localhost_that_leads_elsewhere(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of this machine that is made to lead to another one gets nothing, not even a head."""
    url = server.url.replace("127.0.0.1", "localhost")
    async with AsyncHomebox("t", base_url=url, retry=Retry(attempts=1)) as client:
        # There is no other machine in a test, so it is this one that counts as such.
        monkeypatch.setattr("homebox_async.exchange.is_loopback", lambda host: host != "127.0.0.1")
        with pytest.raises(ConfigurationError, match="localhost leads to another machine"):
            await client.account.get()
        with pytest.raises(ConfigurationError, match="localhost leads to another machine"):
            await client.account.update(name="x")
    assert [] == server.seen
