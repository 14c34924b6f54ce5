"""Where and for whom a client works, which journals and parts of exports must not change."""

from __future__ import annotations

from urllib.parse import urlsplit

from .client import AsyncHomebox
from .errors import StatusError
from .origin import is_loopback

# Answers to the question for the account that would stop all that follows as well.
_TELLING = {401, 403, 408, 429}


async def target_of(client: AsyncHomebox) -> str:
    """Return the server and the account of a client.

    It also shows a wrong token or an unreachable host before any work is done.
    """
    try:
        account = await client.account.get()
    except StatusError as error:
        if error.status in _TELLING or not 400 <= error.status < 500:
            raise
        # Some servers may not have it, and take properties all the same.
        return client.base_url
    # A server on this machine may come back on another port; its account's number tells
    # whether it is the same one.
    local = account.reference_number and is_loopback(urlsplit(client.base_url).hostname or "")
    server = "this machine" if local else client.base_url
    return f"{server} account {account.reference_number or account.name or ''}"
