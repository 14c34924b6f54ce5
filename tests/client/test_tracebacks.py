"""Tracebacks with locals: what was received and sent is not in them, and the user's own are."""

import asyncio
import io
import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from homebox_async import AsyncHomebox, Homebox, HomeboxError, NotFound, Retry
from homebox_async.export import export, export_sync

SECRET = "Appleseed"


def pages(server: Any, *, broken: int = 2) -> None:
    """Serve pages of leads until one of them is an error."""

    async def act(wire: Any, seen: Any) -> None:
        if "account" in seen.target:
            await server.say(200, b'{"data": {"name": "A"}}')(wire, seen)
            return
        number = int(seen.target.rpartition("page=")[2])
        lead = {"id": number, "tenants": [{"id": 1, "last_name": SECRET}], "managing_party_name": 1}
        body = json.dumps({"data": [lead], "meta": {"last_page": 9, "new": SECRET}})
        await server.say(500 if number == broken else 200, body.encode())(wire, seen)

    server.default = act


def shown(error: BaseException) -> str:
    """Return a traceback with locals, at their full length."""
    trace = Traceback.from_exception(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_length=None,
        locals_max_string=None,
    )
    console = Console(width=1000, file=io.StringIO())
    console.print(trace)
    return console.file.getvalue()  # type: ignore[attr-defined]


async def batches(client: AsyncHomebox) -> None:
    """Read a list as record batches, and keep none."""
    steps = client.leads.list().record_batches()
    await anext(steps)
    await anext(steps)


async def items(client: AsyncHomebox) -> None:
    """Read a list item by item."""
    async for _ in client.leads.list(prefetch=2):
        pass


ASYNC: dict[str, Any] = {
    "collect": lambda client, path: client.leads.list().collect(),
    "arrow": lambda client, path: client.leads.list().to_arrow(),
    "record_batches": lambda client, path: batches(client),
    "items": lambda client, path: items(client),
    "export": lambda client, path: export(client, "leads", path / "a.csv").run(),
}
SYNC: dict[str, Any] = {
    "collect": lambda client, path: client.leads.list().collect(),
    "arrow": lambda client, path: client.leads.list().to_arrow(),
    "record_batches": lambda client, path: list(client.leads.list().record_batches()),
    "items": lambda client, path: list(client.leads.list()),
    "export": lambda client, path: export_sync(client, "leads", path / "a.csv").run(),
}


@pytest.mark.parametrize("name", ASYNC)
async def test_what_was_received(server: Any, connect: Any, tmp_path: Path, name: str) -> None:
    """When page 2 fails, the traceback shows nothing of page 1."""
    pages(server)
    client = connect(retry=Retry(attempts=1))
    with pytest.raises(HomeboxError) as caught:
        await ASYNC[name](client, tmp_path)
    text = shown(caught.value)
    assert SECRET not in text
    assert "pages.py" in text


@pytest.mark.parametrize("name", SYNC)
async def test_what_was_received_in_sync_code(server: Any, tmp_path: Path, name: str) -> None:
    """The sync twins show nothing of it either."""
    pages(server)

    def run() -> str:
        with Homebox("t", base_url=server.url, retry=Retry(attempts=1), proxy="") as client:
            with pytest.raises(HomeboxError) as caught:
                SYNC[name](client, tmp_path)
            return shown(caught.value)

    assert SECRET not in await asyncio.to_thread(run)


async def test_the_users_own_frames(server: Any, connect: Any) -> None:
    """A middleware's variables stay, wherever in the call it stands, and so does its context."""
    server.default = server.say(404, b'{"message": "no"}')

    async def mine(request: Any, handler: Any) -> Any:
        note = "note of mine"
        try:
            raise LookupError(note)
        except LookupError:
            return await handler(request)

    client = connect(middlewares=[mine], attempt_middlewares=[mine])
    with pytest.raises(NotFound) as caught:
        await client.bill_payers.update(1, 2, first_name=SECRET)
    text = shown(caught.value)
    assert SECRET not in text
    assert text.count("note = 'note of mine'") >= 3  # twice on the way, and in its context


async def test_the_places_stay(server: Any, connect: Any) -> None:
    """File, line and function of every frame are what they were."""
    server.default = server.say(404, b"{}")
    with pytest.raises(NotFound) as caught:
        await connect().leads.get(1)
    frames = traceback.extract_tb(caught.value.__traceback__)
    for frame in frames:
        assert frame.line  # the source is found
        assert "ZeroDivisionError" not in frame.line
    names = [frame.name for frame in frames if "homebox_async" in frame.filename]
    assert ["clean_call", "get", "_get"] == names[:3]
    assert any("raise failure(" in str(frame.line) for frame in frames)
    formatted = "".join(traceback.format_exception(caught.value))
    assert "return await self._get(" in formatted


async def test_one_error_of_two_calls(server: Any, connect: Any) -> None:
    """An error object that two calls raise ends neither of them."""
    server.default = server.say(200, b'{"data": {"name": "A"}}')
    error, waiting = RuntimeError("mine"), asyncio.Event()
    order: list[str] = []

    async def mine(request: Any, handler: Any) -> Any:
        try:
            raise error
        except RuntimeError:
            order.append("raised")
            if len(order) == 2:
                waiting.set()
                raise
            await waiting.wait()
            await asyncio.sleep(0.01)
            return await handler(request)

    client = connect(middlewares=[mine])
    first = asyncio.create_task(client.account.get())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="mine"):
        await client.account.get()
    assert "A" == (await first).name
