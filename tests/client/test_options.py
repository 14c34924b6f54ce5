"""How a client is set up: token, origin, limits."""

from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

from homebox_async import (
    Address,
    AsyncHomebox,
    ConfigurationError,
    Homebox,
    HomeboxError,
    Retry,
    StatusError,
    ValidationError,
)

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


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1.0},
        {"timeout": float("nan")},
        {"deadline": 0},
        {"max_connections": 0},
        {"max_body": 0},
    ],
    ids=str,
)
def test_numbers_that_make_no_sense(options: dict[str, Any]) -> None:
    """Limits have to be above 0, in a view as well."""
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"{name} is"):
        AsyncHomebox("t", **options)
    if name == "deadline":
        with pytest.raises(ConfigurationError, match="deadline is 0"):
            AsyncHomebox("t").with_options(deadline=0)


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
