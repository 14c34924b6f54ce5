"""Redirects: none is followed, by nobody, and no secret leaves the origin."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Outcome, RedirectRefused, RequestError, Retry
from homebox_async.billing import AsyncBilling
from homebox_async.importer import import_properties

Use = Callable[[str, Any], Awaitable[Any]]
ONCE = Retry(attempts=1)


async def read(url: str, _: Any) -> None:
    """Read with the Partner client."""
    async with AsyncHomebox("t", base_url=url) as client:
        await client.account.get()


async def write(url: str, _: Any) -> None:
    """Write with the Partner client."""
    async with AsyncHomebox("t", base_url=url) as client:
        await client.request("POST", "x", json={"a": 1})


async def delete(url: str, _: Any) -> None:
    """Delete with the Partner client."""
    async with AsyncHomebox("t", base_url=url) as client:
        await client.request("DELETE", "x")


async def turn_pages(url: str, _: Any) -> None:
    """Read a list."""
    async with AsyncHomebox("t", base_url=url) as client:
        await client.leads.list(prefetch=2).collect()


async def upload(url: str, folder: Any) -> None:
    """Send a file."""
    async with AsyncHomebox("t", base_url=url) as client:
        await client.postal_bills.create(1, file=b"%PDF-1.7\n%%EOF")


async def log_in(url: str, _: Any) -> None:
    """Log in to Billing."""
    login = {"username": "jane", "password": "hunter2", "login_url": url}
    async with AsyncBilling(base_url=url, proxy="", **login) as client:
        await client.get(1)


async def save(url: str, folder: Any) -> None:
    """Save a document."""
    async with AsyncBilling("t", base_url=url, proxy="") as client:
        await client.document("BE00000001").save(folder)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize("use", [read, write, delete, turn_pages, upload, log_in, save])
async def test_redirects(server: Any, tmp_path: Any, use: Use, status: int) -> None:
    """To another origin, to plain http, back to itself: it is one request and an error."""
    other = type(server)()
    await other.start()
    secret = "canary"
    for where in (f"{other.url}/{secret}", "http://127.0.0.1:1/x", "https://example.com/x", "/x"):
        server.seen.clear()
        body = b"<html>go</html>"
        server.default = server.say(status, b"" if status == 304 else body, [("Location", where)])
        with pytest.raises(RedirectRefused) as caught:
            await use(server.url, tmp_path)
        assert caught.value.outcome in {Outcome.REJECTED, Outcome.NOT_SENT}
        assert secret not in str(caught.value)
        assert 1 == len(server.seen)
    await other.stop()
    assert 0 == other.connections
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("header", ["Refresh", "Content-Location", "Alt-Svc", "Link"])
async def test_other_headers_that_point_elsewhere(server: Any, client: Any, header: str) -> None:
    """No other header moves a call to another place either."""
    other = type(server)()
    await other.start()
    value = {
        "Refresh": f"0; url={other.url}",
        "Content-Location": other.url,
        "Alt-Svc": f'h2="{other.url.removeprefix("http://")}"',
        "Link": f"<{other.url}>; rel=next",
    }[header]
    server.default = server.say(200, b'{"data": {"name": "x"}}', [(header, value)])
    for _ in range(2):
        await client.account.get()
    await other.stop()
    assert (2, 0) == (len(server.seen), other.connections)


async def test_an_import_that_is_redirected(server: Any, tmp_path: Any) -> None:
    """An import whose first answer is a redirect ends before anything is sent."""
    path = tmp_path / "in.csv"
    path.write_text("line1,city,postcode,ref\n1 High St,Leeds,LS1 1AA,A1\n")
    server.default = server.say(302, b"", [("Location", "https://example.com/login")])
    async with AsyncHomebox("t", base_url=server.url) as client:
        with pytest.raises(RequestError):
            await import_properties(client, path, results=tmp_path)
    assert ["GET"] == [seen.method for seen in server.seen]
