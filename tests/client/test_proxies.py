"""Which proxy a client uses, if any."""

from typing import Any

import pytest

from homebox_async import AsyncHomebox, ConfigurationError, HomeboxError, Retry
from homebox_async.origin import proxy_for


@pytest.mark.parametrize(
    ("environment", "origin", "expected"),
    [
        ({"https_proxy": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example", "http://p:1"),
        ({"http_proxy": "http://p:1"}, "http://127.0.0.1:5", None),
        ({"https_proxy": "http://p:1", "no_proxy": "example"}, "https://a.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "b.example"}, "https://a.example", "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "a.example:443"}, "https://a.example", None),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://a.example", None),
        ({}, "https://a.example", None),
    ],
    ids=str,
)
def test_proxy_of_the_environment(
    environment: dict[str, str],
    origin: str,
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HTTPS_PROXY and NO_PROXY decide, once per client; plain http never uses a proxy."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert expected == proxy_for(origin)
    made = AsyncHomebox("t", base_url=origin)._transport._proxy
    assert expected == (None if made is None else str(made).rstrip("/"))


@pytest.mark.parametrize("proxy", ["socks5://p:1", "ftp://p", "http:///x", "http://p:99999999"])
def test_proxies_that_cannot_be_used(proxy: str) -> None:
    """A proxy that cannot be used is refused at once, unrepeated: it may hold a password."""
    with pytest.raises(ConfigurationError, match="the proxy is not one that can be used") as caught:
        AsyncHomebox("t", proxy=proxy)
    assert proxy not in str(caught.value)


def test_a_proxy_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A given proxy wins, "" switches the environment's off, and a bare host is one too."""
    monkeypatch.setenv("https_proxy", "http://p:1")
    assert AsyncHomebox("t", proxy="")._transport._proxy is None
    assert "http://q:3128" == str(AsyncHomebox("t", proxy="q:3128")._transport._proxy)


async def test_a_proxy_that_refuses(server: Any) -> None:
    """What a proxy refuses was not sent to the server, and the token was not shown to it."""
    server.default = server.say(407)
    async with AsyncHomebox("canary", proxy=server.url, retry=Retry(attempts=1)) as client:
        with pytest.raises(HomeboxError, match="not sent"):
            await client.request("POST", "x", json={"secret": 1})
    (seen,) = server.seen
    assert "CONNECT" == seen.method
    assert "canary" not in str(seen.headers)
    assert b"" == seen.body


@pytest.mark.parametrize(
    ("exceptions", "host", "excepted"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("fd00::/8", "fd00::1", True),
        ("10.0.0.0/8", "ten.example.com", False),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "example.com", True),
        (".example.com", "api.example.com", True),
        ("example.com", "notexample.com", False),
        ("EXAMPLE.com", "api.example.com", True),
        ("[::1]", "::1", True),
        ("::1", "::1", True),
        ("[::1]:443", "::1", True),
        ("[::1]:80", "::1", False),
        ("a.example b.example", "b.example", True),
        (" a.example ,\tb.example ", "b.example", True),
        ("b.example:443", "b.example", True),
        ("b.example:8443", "b.example", False),
        ("*", "b.example", True),
        ("", "b.example", False),
        (",,", "b.example", False),
        ("*x", "b.example", False),
        ("10.0.0.0/99", "10.0.0.1", False),
    ],
)
def test_exceptions(
    monkeypatch: pytest.MonkeyPatch, exceptions: str, host: str, excepted: bool
) -> None:
    """NO_PROXY is read as other programs read it: networks, stars, brackets, blanks and ports."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", exceptions)
    shown = f"[{host}]" if ":" in host else host
    assert excepted == (proxy_for(f"https://{shown}") is None)


def test_a_proxy_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """ALL_PROXY is taken where HTTPS_PROXY names none."""
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "http://all.example:1")
    assert "http://all.example:1" == proxy_for("https://api.example.com")
    assert proxy_for("http://127.0.0.1:1") is None
    monkeypatch.setenv("HTTPS_PROXY", "http://https.example:2")
    assert "http://https.example:2" == proxy_for("https://api.example.com")
