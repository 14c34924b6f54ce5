"""Every operation of the two documents, over real sockets, from end to end."""

import asyncio
import email
import json
import re
import subprocess
import sys
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncBilling, AsyncHomebox, Billing, Homebox
from homebox_async.cli.operations import Documented, commands, operations, table
from homebox_async.emulator import Emulator
from homebox_async.emulator.received import Received
from homebox_async.emulator.routes import ROUTES

from .cases import CASES, Case

DOCUMENTED = {one.name: one for one in operations()}
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


async def made(emulator: Emulator, kind: str, name: str) -> Any:
    """Make the call of a case with the "async" or the "sync" client and return its result."""
    call: Callable[[Any], Any] = CASES[name].call
    if name.startswith("billing."):
        username, password = emulator.billing_login
        url = emulator.billing_url
        options: dict[str, Any] = {
            "username": username,
            "password": password,
            "administrator_ids": [1],
            "base_url": url,
            "login_url": url,
        }
        clients: tuple[Any, Any] = (AsyncBilling, Billing)
    else:
        options = {"token": emulator.token, "base_url": emulator.url}
        clients = (AsyncHomebox, Homebox)
    if kind == "async":
        async with clients[0](**options) as client:
            return await call(client)

    def blocking() -> Any:
        with clients[1](**options) as client:
            return call(client)

    return await asyncio.to_thread(blocking)


def parts_of(sent: Received) -> dict[str, Any]:
    """Return the parts of a multipart form: text, or the type and content of a file."""
    head = f"Content-Type: {sent.headers['Content-Type']}\r\n\r\n".encode()
    parts: dict[str, Any] = {}
    for part in email.message_from_bytes(head + sent.body).get_payload():
        assert isinstance(part, email.message.Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        is_file = part.get_filename() is not None
        parts[name] = (part.get_content_type(), content) if is_file else content.decode()
    return parts


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES)
async def test_operation(emulator: Emulator, kind: str, name: str, case: Case) -> None:
    """Each operation sends exactly the documented request and returns its typed result."""
    result = await made(emulator, kind, name)
    sent = emulator.received[-1]
    assert (case.method, case.path) == (sent.method, sent.raw_path)
    assert sent.status is not None
    assert 200 <= sent.status < 300
    if case.parts is not None:
        assert case.parts == parts_of(sent)
    else:
        assert case.body == (json.loads(sent.body) if sent.body else None)
    assert isinstance(result, case.result)
    others = [one for one in emulator.received if not one.path.endswith("/authenticate")]
    assert [sent] == others


@pytest.mark.parametrize("name", DOCUMENTED)
def test_request_as_documented(name: str) -> None:
    """The request that a case expects is the one of the table."""
    one, case = DOCUMENTED[name], CASES[name]
    pattern = re.sub(r"\\{[^}]*\\}", "[^/?]+", re.escape(one.path))
    path = case.path.removeprefix("/billing").partition("?")[0]
    assert one.method == case.method
    assert re.fullmatch(pattern, path)


def test_there_are_63() -> None:
    """The documents have 63 operations, and all of them are there."""
    assert 63 == len(DOCUMENTED)


def test_every_operation_has_a_case() -> None:
    """No operation is without a case here, and no case without its operation."""
    assert sorted(DOCUMENTED) == sorted(CASES)


def test_every_operation_has_a_command() -> None:
    """No operation is without a command, and no command claims another one."""
    assert sorted(DOCUMENTED) == sorted(commands())


def test_every_operation_has_a_route() -> None:
    """The emulator has a route for each operation and no more, whatever it calls its ids."""

    def shape(one: Any, path: str) -> tuple[str, str]:
        return one.method, re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/billing"))

    routes = sorted(shape(route, route.template) for route in ROUTES)
    assert sorted(shape(one, one.path) for one in DOCUMENTED.values()) == routes


@pytest.mark.parametrize("one", DOCUMENTED.values(), ids=DOCUMENTED)
def test_every_operation_has_a_sync_twin(one: Documented) -> None:
    """The sync client has every operation under the same name."""
    client: Any = Homebox("token", base_url="http://127.0.0.1:9")
    with client:
        target = client.branch(1) if one.name.startswith("branch.") else client
        if one.name.startswith("billing."):
            target = type("All", (), {"billing": Billing})
        assert callable(attrgetter(one.name.removeprefix("branch."))(target))


def test_page_is_current() -> None:
    """docs/operations.md is what the code says now."""
    assert PAGE.read_text() == table(), (
        "run: python -m homebox_async.cli.operations > docs/operations.md"
    )


def test_page_as_a_program() -> None:
    """The module writes the page to stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "homebox_async.cli.operations"], capture_output=True, text=True
    )
    assert (0, "", table()) == (done.returncode, done.stderr, done.stdout)
