"""The receive log: what reached the emulator, over which connections, and what came of it."""

import json
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

import attrs
from multidict import CIMultiDictProxy, MultiDictProxy
from yarl import URL

from .faults import Fault
from .forms import form_fields

_MOST_BYTES = 64 << 20
_LIGHT = _MOST_BYTES // 10_000
"""Bodies that cannot add up to too much; what is longer makes the log look at them all."""


@attrs.define(eq=False)
class Received:
    """One request: `status` is None as long as no answer was sent, for ever if it never is.

    `raw_path` is the target as it was on the wire, query included; `template` is that of its route
    ("/api/partner/property/{property_id}"), None where there is no such route. `committed` tells
    whether the request changed the store, `cut` whether the connection ended, by whichever side,
    before the answer was sent. Headers and body are left out of the repr: they hold the token and
    personal data.
    """

    method: str
    url: URL = attrs.field(repr=False)
    raw_path: str = attrs.field(repr=False)
    headers: CIMultiDictProxy[str] = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    status: int | None = None
    fault: Fault | None = None
    committed: bool = False
    template: str | None = None
    cut: bool = False

    @property
    def path(self) -> str:
        """The decoded path without the query."""
        return self.url.path

    @property
    def query(self) -> MultiDictProxy[str]:
        """The decoded query parameters."""
        return self.url.query

    @property
    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def form(self) -> Mapping[str, object]:
        """The fields of the body's form, texts and `Upload`s; none where it is no form."""
        return form_fields(self.body, self.headers.get("Content-Type", ""))


class ReceivedLog(deque[Received]):
    """The last requests, oldest first; `total` counts all that ever came."""

    def __init__(self, limit: int) -> None:
        super().__init__(maxlen=limit)
        self.total = 0

    def record(self, received: Received) -> None:
        """Add a request; the oldest one leaves when the log is full."""
        self.total += 1
        self.append(received)

    def keep(self, received: Received, body: bytes) -> None:
        """Keep the body of a request; the oldest requests leave when all take too much memory."""
        received.body = body
        if len(body) > _LIGHT:
            while len(self) > 1 and sum(len(each.body) for each in self) > _MOST_BYTES:
                self.popleft()


@attrs.frozen
class Counts:
    """Counters: `requests` by method and route ("POST /api/partner/lead"), `faults` by name."""

    requests: Counter[str] = attrs.field(factory=Counter)
    faults: Counter[str] = attrs.field(factory=Counter)


@attrs.define
class Connections:
    """The TCP connections: how many are `open`, their `peak`, and the `total` that ever came.

    One that the client has dropped is not open any more, whatever its request still waits for.
    """

    open: int = 0
    peak: int = 0
    total: int = 0

    def made(self) -> None:
        """Count one that was opened."""
        self.open += 1
        self.total += 1
        self.peak = max(self.peak, self.open)

    def lost(self) -> None:
        """Count one that has ended, by whichever side."""
        self.open -= 1
