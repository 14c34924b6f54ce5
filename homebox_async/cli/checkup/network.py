"""What can be checked at the server: reachability, token, clock, quota."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime

import attrs
from yarl import URL

from ...client import AsyncHomebox
from ...errors import AuthenticationFailed, PermissionDenied
from ...middleware import Handler
from ...origin import checked_origin, checked_proxy, proxy_for
from ...retry import Retry
from ...wire import Request, Response, Secret
from ..session import account_name
from ..text import one_line
from . import Finding, in_thread

_SKEW = (30.0, 300.0)  # seconds that are worth a warning, and a failure
_SOON = 21  # days before a certificate ends


@attrs.define
class Heard:
    """The headers of the last answer, and when it came."""

    headers: Mapping[str, str] = attrs.field(factory=dict)
    at: float = 0.0

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Note the headers of an answer."""
        response = await handler(request)
        self.headers, self.at = response.headers, time.time()
        return response


@contextlib.asynccontextmanager
async def reading(
    origin: str, token: Secret | str, limit: float, heard: Heard
) -> AsyncIterator[AsyncHomebox]:
    """Open a client that tries nothing twice."""
    async with AsyncHomebox(
        token,
        base_url=origin,
        timeout=limit,
        deadline=limit,
        retry=Retry(attempts=1),
        attempt_middlewares=[heard],
    ) as client:
        yield client


def target(origin: str) -> tuple[str, int, bool]:
    """Return host and port of what is connected to, and whether that is a proxy."""
    proxy = checked_proxy(proxy_for(checked_origin(origin)))
    url = proxy or URL(checked_origin(origin))
    assert url.host is not None
    assert url.port is not None
    return url.host, url.port, proxy is not None


async def names(origin: str) -> Finding:
    """Look the host up."""
    host, port, is_proxy = target(origin)
    what = f"the proxy {host}" if is_proxy else host
    start = time.monotonic()
    try:
        found = await in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError:
        return Finding(
            "DNS", "failed", f"{what} has no address", "check the network and the spelling of it"
        )
    addresses = len({entry[4][0] for entry in found})
    words = "1 address" if addresses == 1 else f"{addresses} addresses"
    return Finding("DNS", "ok", f"{what} has {words}, {_ms(start)}")


async def connection(origin: str) -> Finding:
    """Connect, and check the certificate."""
    host, port, is_proxy = target(origin)
    url = URL(origin)
    start = time.monotonic()
    check = "connection"
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return Finding(
            check,
            "failed",
            f"{host}:{port} takes no connection",
            "check the network, a firewall, and HTTPS_PROXY if you need a proxy",
        )
    told = f"TCP {_ms(start)}"
    try:
        if is_proxy:
            return Finding(check, "ok", f"{told}, to the proxy")
        if url.scheme == "http":
            return Finding(check, "ok", f"{told}, plain http on this machine")
        start = time.monotonic()
        try:
            await writer.start_tls(ssl.create_default_context(), server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            return Finding(
                check,
                "failed",
                f"the certificate of {host} does not hold: {one_line(error.verify_message)}",
                "check the clock; if a company's proxy stands between, name its authority with"
                " SSL_CERT_FILE",
            )
        except OSError:
            return Finding(check, "failed", f"{host} speaks no TLS that can be used", "check it")
        return _secured(told, start, writer)
    finally:
        writer.transport.abort()


def _secured(told: str, start: float, writer: asyncio.StreamWriter) -> Finding:
    connected = writer.get_extra_info("ssl_object")
    ends = ssl.cert_time_to_seconds(connected.getpeercert()["notAfter"])
    days = int((ends - time.time()) // 86_400)
    detail = f"{told}, {connected.version()} {_ms(start)}, certificate for {days} more days"
    if days < _SOON:
        return Finding("connection", "warning", detail, "tell the vendor if it is not renewed")
    return Finding("connection", "ok", detail)


async def accepted(client: AsyncHomebox) -> Finding:
    """Ask whose token it is."""
    start = time.monotonic()
    try:
        name = one_line(await account_name(client))
    except AuthenticationFailed:
        return Finding(
            "account",
            "failed",
            "the server refuses the token (401)",
            "check that it is of this server and was copied whole; ask Homebox for a new one",
        )
    except PermissionDenied:
        return Finding(
            "account",
            "warning",
            "the token may not read its account (403)",
            "use the token of an account that may",
        )
    return Finding("account", "ok", f"{name}, {_ms(start)}")


async def clock(heard: Heard) -> Finding:
    """Compare this machine's clock with the server's."""
    said = heard.headers.get("Date")
    try:
        # It counts whole seconds: on average half of one has passed.
        skew = heard.at - parsedate_to_datetime(said or "").timestamp() - 0.5
    except ValueError:
        return Finding("clock", "skipped", "the server told no time that can be read")
    words = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's"
    if abs(skew) < _SKEW[0]:
        return Finding("clock", "ok", "as the server's" if abs(skew) < 2 else words)
    return Finding(
        "clock",
        "warning" if abs(skew) < _SKEW[1] else "failed",
        words,
        "set this machine's clock, best by NTP: logins and certificates depend on it",
    )


async def quota(heard: Heard) -> Finding:
    """Tell what the server grants, as far as it says so."""
    limit, left = (heard.headers.get(f"X-RateLimit-{word}") for word in ("Limit", "Remaining"))
    if limit is None and left is None:
        return Finding("rate limit", "ok", "the server told none")
    return Finding(
        "rate limit", "ok", one_line(f"{left or '?'} of {limit or '?'} requests are left")[:80]
    )


def _ms(start: float) -> str:
    return f"{(time.monotonic() - start) * 1000:.0f} ms"
