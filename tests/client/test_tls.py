"""TLS: a server whose certificate does not hold gets nothing, not even the token."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from homebox_async import (
    AsyncHomebox,
    ConfigurationError,
    ConnectionFailed,
    Homebox,
    Outcome,
    Retry,
)

BODY = b'{"data": {"id": 7}}'
GET = """
import asyncio, sys
from homebox_async import AsyncHomebox

async def main():
    async with AsyncHomebox("t", base_url=sys.argv[1]) as client:
        print((await client.properties.get(7)).id)

asyncio.run(main())
"""


class Secure:
    """A server that speaks TLS; `received` is what came through it."""

    def __init__(self, authority: trustme.CA, name: str) -> None:
        self.received = b""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(self.context)
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        try:
            self.received += await reader.readuntil(b"\r\n\r\n")
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            writer.write(head + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
def authority() -> trustme.CA:
    """Return an authority that nobody trusts."""
    return trustme.CA()


@pytest.fixture(params=["127.0.0.1"])
async def secure(request: pytest.FixtureRequest, authority: trustme.CA) -> AsyncIterator[Secure]:
    """Serve with a certificate for the name that the test gives, by default its true one."""
    made = Secure(authority, request.param)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0, ssl=made.context)
    made.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


async def get(url: str, authority: Path) -> "tuple[int, str, str]":
    """Get a property from a program of its own, which trusts an authority by its environment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", GET, url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SSL_CERT_FILE": str(authority)},
    )
    out, told = await process.communicate()
    return process.returncode or 0, out.decode(), told.decode()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return the file of the authority's certificate."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


async def test_unknown_authority(secure: Secure) -> None:
    """A certificate of an authority that is not trusted: nothing is sent."""
    async with AsyncHomebox("t", base_url=secure.url, retry=Retry(attempts=1)) as client:
        with pytest.raises(ConnectionFailed, match="certificate") as caught:
            await client.properties.get(7)

    assert (Outcome.NOT_SENT, b"") == (caught.value.outcome, secure.received)


async def test_known_authority(secure: Secure, trusted: Path) -> None:
    """SSL_CERT_FILE names another authority to trust; no option of ours turns the check off."""
    assert (0, "7\n", "") == await get(secure.url, trusted)
    assert b"GET /api/partner/property/7 HTTP/1.1\r\n" in secure.received


@pytest.mark.parametrize("secure", ["elsewhere.example"], indirect=True)
async def test_another_host(secure: Secure, trusted: Path) -> None:
    """A certificate for another host: nothing is sent, though its authority is trusted."""
    code, out, told = await get(secure.url, trusted)

    assert (1, "", b"") == (code, out, secure.received)
    assert "ConnectionFailed: " in told.splitlines()[-1]
    assert "[outcome: not sent" in told.splitlines()[-1]


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_a_hint_for_users_of_other_libraries(
    secure: Secure, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Who has set another library's variable is told which one is read here."""
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "/etc/company.pem")
    async with AsyncHomebox("t", base_url=secure.url, retry=Retry(attempts=1)) as client:
        with pytest.raises(ConnectionFailed, match=f"{name} is not read here: set SSL_CERT_FILE"):
            await client.properties.get(7)


async def test_a_client_certificate(authority: trustme.CA, trusted: Path) -> None:
    """A context of the user's brings a certificate of its own, in async and sync code."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    mine = ssl.create_default_context(cafile=str(trusted))
    authority.issue_cert("client.example").configure_cert(mine)
    served = Secure(authority, "127.0.0.1")
    server = await asyncio.start_server(served.answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    without = ssl.create_default_context(cafile=str(trusted))
    async with server:
        async with AsyncHomebox("t", base_url=url, ssl=mine, proxy="") as client:
            assert 7 == (await client.properties.get(7)).id

        def blocking() -> int | None:
            with Homebox("t", base_url=url, ssl=mine, proxy="") as client:
                return client.properties.get(7).id

        assert 7 == await asyncio.to_thread(blocking)
        once = Retry(attempts=1)
        async with AsyncHomebox("t", base_url=url, ssl=without, proxy="", retry=once) as client:
            with pytest.raises(ConnectionFailed):
                await client.properties.get(7)


def test_contexts_that_check_nothing() -> None:
    """No option turns the check of certificates or host names off."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    nothing = ssl.create_default_context()
    nothing.check_hostname = False
    nothing.verify_mode = ssl.CERT_NONE
    for context in (unchecked, nothing, False, True, "x"):
        with pytest.raises(ConfigurationError, match=r"ssl is .* checks certificates and host"):
            AsyncHomebox("t", ssl=context)  # type: ignore[arg-type]


async def test_a_log_of_keys(secure: Secure, trusted: Path, tmp_path: Path) -> None:
    """SSLKEYLOGFILE, which Python reads, writes down the keys of connections."""
    log = tmp_path / "keys"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSLKEYLOGFILE", str(log))
        assert 0 == (await get(secure.url, trusted))[0]
    assert log.exists()
