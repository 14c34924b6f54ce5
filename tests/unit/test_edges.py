"""Corners of the bridge and the transport that no real server can be made to show."""

import asyncio
import os
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from homebox_async import (
    AsyncHomebox,
    ConfigurationError,
    ConnectionFailed,
    HomeboxError,
    PartnerProperty,
    Property,
    Retry,
)
from homebox_async import transport as transport_module
from homebox_async.bridge import Bridge, Worker, _Call


async def five() -> int:
    """Return 5."""
    return 5


async def nothing() -> None:
    """Do nothing."""


def test_a_loop_that_has_just_ended() -> None:
    """A call that comes while the loop ends is refused instead of waiting for ever."""
    worker = Worker()
    assert 5 == worker.run(five)
    worker._ended = True
    with pytest.raises(ConfigurationError, match="closed"):
        worker.run(five)
    worker._ended = False
    worker.close(nothing)
    worker._closed = False  # as another thread may still see it
    with pytest.raises(ConfigurationError, match="closed"):
        worker.run(five)
    worker.close(nothing)


def test_calls_that_never_began_are_let_go() -> None:
    """When the loop ends, whoever waits on it is woken and told."""
    worker = Worker()
    worker.run(five)
    call = _Call(five)
    worker._calls.add(call)
    worker.close(nothing)
    assert call.done.acquire(timeout=5)
    with pytest.raises(ConfigurationError, match="before the call began"):
        call.result()
    call.release()
    call.release()


def test_a_call_that_is_cancelled_before_it_begins() -> None:
    """A call that is interrupted before its start never starts, and says so."""
    call = _Call(five)
    call.cancel()
    call.start()
    assert call.done.acquire(blocking=False)
    assert ["the call had not begun [outcome: not sent]"] == call.notes()


def test_closing_twice_and_unused() -> None:
    """Closing is done once; a bridge that was never used has nothing to close."""
    bridge = Bridge()
    assert not bridge.worker.started
    bridge.worker.close(nothing)
    bridge.worker.close(nothing)


def test_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fork a bridge refuses calls and leaves the thread of its parent alone."""
    bridge = Bridge()
    bridge.run(five)
    pid = os.getpid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid + 1)
        with pytest.raises(ConfigurationError, match="made before a fork"):
            bridge.run(five)
        assert not bridge.worker.started
        bridge.worker.close(nothing)
    assert 5 == bridge.run(five)
    bridge.worker.close(nothing)


async def test_a_transport_in_another_process(server: Any, client: AsyncHomebox) -> None:
    """After a fork a transport refuses calls and gives its connections up without a word."""
    await client.request("GET", "x")
    session = client._transport._session
    assert session is not None
    connector = session.connector
    transport_module._disown_all()
    with pytest.raises(ConfigurationError, match="made before a fork"):
        await client.request("GET", "x")
    assert session.closed
    assert connector is not None
    assert connector.closed
    transport_module._disown_all()
    connector._closed = False
    await connector.close()


def test_interrupted_before_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt before the call was handed over leaves it undone."""
    worker = Worker()
    worker.run(five)
    loop = worker._loop
    handed: list[Any] = []

    def interrupt(*args: Any, **kwargs: Any) -> Any:
        handed.append(args)
        if len(handed) == 1:
            raise KeyboardInterrupt
        raise RuntimeError("closed")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_soon_threadsafe", interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            worker.run(five)
    assert ["the call had not begun [outcome: not sent]"] == caught.value.__notes__
    worker.close(nothing)


def test_references() -> None:
    """A property collects the references that partners gave it."""
    mine = PartnerProperty(property_reference="A1")
    assert ("A1",) == Property(partner_properties=(mine, PartnerProperty())).references


async def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    """A server that cannot prove who it is gets nothing."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x"
    made = subprocess.run(
        ["openssl", *words.split(), "-keyout", key, "-out", cert], capture_output=True
    )
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    origin = f"https://127.0.0.1:{port}"
    async with AsyncHomebox("t", base_url=origin, retry=Retry(attempts=1)) as client:
        with pytest.raises(ConnectionFailed, match="certificate is not trusted") as caught:
            await client.request("POST", "x", json={})
    assert "not sent" == caught.value.outcome.value
    server.close()
    assert [] == [data for data in seen if data]


async def test_an_attempt_while_the_loop_is_elsewhere(server: Any) -> None:
    """A client whose loop runs in another thread is closed there when it is forgotten."""
    client = AsyncHomebox("t", base_url=server.url)
    ready, leave = threading.Event(), threading.Event()

    async def use() -> None:
        await client.request("GET", "x")
        ready.set()
        await asyncio.to_thread(leave.wait, 5)

    thread = threading.Thread(target=asyncio.run, args=(use(),))
    thread.start()
    await asyncio.to_thread(ready.wait, 5)
    with pytest.raises(HomeboxError, match="another event loop"):
        await client.request("GET", "x")
    await client.aclose()
    leave.set()
    await asyncio.to_thread(thread.join)
