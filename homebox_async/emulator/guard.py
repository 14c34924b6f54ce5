"""What the emulator does not answer: pages of the web, and bodies that are made to take long."""

import functools
import ipaddress
from typing import Final

from yarl import URL

_MOST_OBJECTS: Final = 20_000
"""Objects, lists or fields of a body: more than any operation takes, in the time of a few ms."""


@functools.lru_cache(64)
def is_here(origin: str) -> bool:
    """Return True if a `Host` or an `Origin` names this machine.

    A browser lets a page of the web talk to a server on this machine once the page's own name
    leads here, and then says that name.
    """
    try:
        host = URL(origin if "//" in origin else f"//{origin}").host
        if host is None:
            return False
        if host == "localhost" or host.endswith(".localhost"):
            return True
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_unwieldy(body: bytes) -> bool:
    """Return True for a body of so many parts that to read them would take long.

    PHP has such a bound, too (`max_input_vars`).
    """
    if len(body) <= _MOST_OBJECTS:
        return False
    return any(body.count(mark) > _MOST_OBJECTS for mark in (b"{", b"[", b",", b"&", b"\r\n--"))
