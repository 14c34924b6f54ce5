"""Where and for whom a client works, which journals and parts of exports must not change."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import attrs

from .client import AsyncHomebox
from .errors import StatusError
from .middleware import Handler
from .origin import is_loopback
from .wire import Request, Response

# Answers to the question for the account that would stop all that follows as well.
_TELLING = {401, 403, 408, 429}
IN_MEMORY = ".memory"
"""The end of what the ledger of an emulator without a state file is called."""
_EMULATOR = re.compile(r"([0-9a-f]{16}); list-lag=(\d+(?:\.\d+)?)(; in-memory)?")


@attrs.frozen
class Target:
    """The server and the account of a client.

    `name`: both of them, as a text. `emulator`: what the ledger of the emulator's state is called,
    "" for any other server; `list_lag`: how many seconds its lists are behind. `is_named`:
    whether the server says which account it is.
    """

    name: str
    emulator: str = ""
    list_lag: float = 0.0
    is_named: bool = True


async def target_of(client: AsyncHomebox) -> Target:
    """Return the server and the account of a client.

    It also shows a wrong token or an unreachable host before any work is done.
    """
    shown = ""

    async def watch(request: Request, handler: Handler) -> Response:
        nonlocal shown
        response = await handler(request)
        shown = response.headers.get("Homebox-Emulator") or ""
        return response

    # A server on this machine may come back on another port; its account's number tells
    # whether it is the same one.
    local = is_loopback(urlsplit(client.base_url).hostname or "")
    try:
        account = await client.with_options(attempt_middlewares=[watch]).account.get()
    except StatusError as error:
        if error.status in _TELLING or not 400 <= error.status < 500:
            raise
        # Some servers may not have it, and take properties all the same.
        return Target(client.base_url, is_named=False)
    server = "this machine" if local and account.reference_number else client.base_url
    name = f"{server} account {account.reference_number or account.name or ''}"
    # No server elsewhere can pass for an emulator, which gives imports less to wait for.
    emulator = _EMULATOR.fullmatch(shown) if local else None
    if emulator is not None:
        called = emulator[1] + (IN_MEMORY if emulator[3] else "")
        return Target(name, called, float(emulator[2]))
    return Target(name, is_named=bool(account.reference_number or account.name))
