"""Where requests may go: one origin for each client, plain http to loopback only."""

from __future__ import annotations

import contextlib
import re
import urllib.request
from ipaddress import ip_address, ip_network

from yarl import URL

from .errors import ConfigurationError


def split_base(base_url: str) -> tuple[str, str]:
    """Return what may be an origin (see `checked_origin`), and the root path below it."""
    url = _url(base_url)
    if not url.host:
        return base_url, ""
    # Query and fragment stay with the origin, where they are refused.
    return str(url.with_path("", keep_query=True, keep_fragment=True)), url.raw_path.rstrip("/")


def checked_origin(base_url: str) -> str:
    """Return scheme, host and port; a token never goes over plain http except to loopback."""
    url = _url(base_url)
    if url.scheme not in {"http", "https"} or not url.host:
        # One with an @ is not repeated: it may hold a password.
        given = "base_url" if "@" in base_url else f"base_url {base_url!r}"
        raise ConfigurationError(f"{given} is not a URL; give one such as https://host")
    if url.user or url.password or url.query_string or url.fragment or url.path not in {"", "/"}:
        raise ConfigurationError("base_url is more than scheme, host and port; give only these")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(
            f"base_url uses http, which would show the token to the network between here and "
            f"{url.host}; use https (plain http is allowed to loopback only)"
        )
    return str(url.origin())


def _url(text: str) -> URL:
    try:
        return URL(text)
    except ValueError:
        return URL()  # which has no host and is refused for it


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(origin: str) -> str | None:
    """Return the proxy that the environment names for an origin, unless NO_PROXY excepts it.

    Looked up once for each client: aiohttp's own `trust_env` does it for every request. Plain
    http goes to loopback only and never through a proxy, which would see the token.
    """
    url = URL(origin)
    assert url.host is not None
    if url.scheme == "http" or urllib.request.proxy_bypass(f"{url.host}:{url.port}"):
        return None
    known = urllib.request.getproxies()
    if is_excepted(url.host, url.port, known.get("no", "")):
        return None
    return known.get(url.scheme) or known.get("all")


def is_excepted(host: str, port: int | None, exceptions: str) -> bool:
    """Return True if NO_PROXY names a host, as curl, requests and Go read it.

    urllib knows neither networks (10.0.0.0/8) nor `*.domain`, brackets or blanks as separators.
    """
    for entry in re.split(r"[\s,]+", exceptions.lower()):
        if found := re.fullmatch(r"(\[[^]]+\]|[^:]+)(?::(\d+))?", entry):
            name, of_port = found[1].strip("[]"), found[2]
        else:
            name, of_port = entry, None  # an IPv6 address without brackets, or nothing
        if of_port is not None and int(of_port) != port:
            continue
        with contextlib.suppress(ValueError):
            if ip_address(host) in ip_network(name, strict=False):
                return True
            continue
        domain = name.removeprefix("*").strip(".")
        if name == "*" or (domain and f".{host}".endswith(f".{domain}")):
            return True
    return False


def checked_proxy(proxy: str | None) -> URL | None:
    """Return the URL of a proxy, None for "" and None; ConfigurationError for what is none."""
    if not proxy:
        return None
    url = _url(proxy if "://" in proxy else f"http://{proxy}")
    if url.scheme not in {"http", "https"} or not url.host:
        # It is not repeated: it may hold a password.
        raise ConfigurationError(
            "the proxy is not one that can be used; give a URL such as http://host:3128, "
            'or "" for none (by default HTTPS_PROXY or ALL_PROXY names it)'
        )
    return url
