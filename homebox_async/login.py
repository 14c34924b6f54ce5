"""Keeps a token that runs out: fetched with username and password, renewed in time, once for all.

The Billing document says nothing of authentication; the vendor's help pages do: a POST of
username and password answers a bare JWT, good for some minutes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import math
import re
import time
from collections.abc import Callable
from typing import Any

import attrs

from .errors import (
    AuthenticationFailed,
    ConfigurationError,
    DeadlineExceeded,
    Outcome,
    RequestError,
)
from .failures import note_cancelled
from .middleware import Handler, answered
from .models import Unreadable
from .transport import Transport
from .wire import Request, Response, Safety, Secret, encode

# RFC 6750 says what a token is made of; a page that the server shows instead is made of more.
_TOKEN = re.compile(rb'(?:\xef\xbb\xbf)?\s*"?([A-Za-z0-9._~+/-]+=*)"?\s*')
_LONGEST = 16_384  # bytes; servers take no header that is longer

_MARGIN = 30.0  # seconds before its end at which a token is renewed


def bearer(token: Secret) -> dict[str, str]:
    """Return the header that a token is sent in."""
    return {"Authorization": Secret(f"Bearer {token}")}


class Login:
    """A middleware that gives each request a token which is still good.

    However many calls wait for a token, one request fetches it. It is renewed `margin` seconds
    before its end (half its life for one that is shorter), and once when the server refuses it.
    `now`: the time of day in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        username: Secret,
        password: Secret,
        *,
        margin: float = _MARGIN,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.transport = transport
        self._username = username
        self._password = password
        self._margin = margin
        self._now = now
        self._token: Secret | None = None
        self._renew_at = 0.0
        self._renewal: asyncio.Task[Secret] | None = None

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Send the request with a good token; with a new one if the server refuses it."""
        token = await self._good_token(request)
        try:
            return await self._authorized(request, handler, token)
        except AuthenticationFailed:
            # Refused means that it did nothing, so even a write may go again.
            if self._token is token:
                self._token = None
        return await self._authorized(request, handler, await self._good_token(request))

    async def aclose(self) -> None:
        """Give up a renewal under way and close the connections to the login host."""
        renewal, self._renewal = self._renewal, None
        try:
            if renewal is not None:
                renewal.cancel()
                await asyncio.wait([renewal])
        finally:  # also when the closing itself is cancelled
            self._token = None
            await self.transport.aclose()

    @staticmethod
    async def _authorized(request: Request, handler: Handler, token: Secret) -> Response:
        added = bearer(token)
        return await handler(attrs.evolve(request, headers={**(request.headers or {}), **added}))

    async def _good_token(self, request: Request) -> Secret:
        if self._token is not None and self._now() < self._renew_at:
            return self._token
        renewal = self._renewal
        if renewal is None:
            renewal = self._renewal = asyncio.create_task(self._renew(), name="homebox-login")
            renewal.add_done_callback(self._renewed)
        left = None if request.deadline is None else request.deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                # One caller that gives up must not take the renewal from the others.
                return await asyncio.shield(renewal)
        except TimeoutError:
            raise DeadlineExceeded(
                "the login had not been answered by the deadline",
                outcome=Outcome.NOT_SENT,
                method=request.method,
                path=request.path,
                attempts=0,
            ) from None
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if renewal.cancelled() and not (task is not None and task.cancelling()):
                raise ConfigurationError("the client was closed during this call") from None
            note_cancelled(cancelled, request, Outcome.NOT_SENT)
            raise
        except RequestError as failed:
            raise copy.copy(failed) from None  # each caller counts attempts on its own

    def _renewed(self, renewal: asyncio.Task[Secret]) -> None:
        if self._renewal is renewal:
            self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # seen here, so that nobody warns if every caller has left

    async def _renew(self) -> Secret:
        asked = self._now()
        request = encode(
            "POST",
            "users/authenticate",
            fields={"username": str(self._username), "password": str(self._password)},
            read=_read_token,
        )
        try:
            # It makes nothing at the server but a token: it may be asked for again.
            response = await answered(attrs.evolve(request, safety=Safety.READ), self._attempt)
        except RequestError as failed:
            if failed.outcome is Outcome.UNKNOWN:
                failed.outcome = Outcome.NOT_SENT  # of the call that needed the token
            raise
        token: Secret = response.result
        life = _life(token, asked)
        self._renew_at = asked + max(life - self._margin, life / 2)
        self._token = token
        return token

    async def _attempt(self, request: Request) -> Response:
        response = await self.transport.send(request)
        if response.status >= 300 or _token(response.body) is None:
            response.body = b""  # its words may repeat what was sent
        return response

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.transport.origin}>"


def _read_token(response: Response) -> Secret:
    """Return the JWT of an answer: bare, or as a JSON text."""
    token = _token(response.body)
    if token is None:
        raise Unreadable("holds no token")
    return Secret(token[1].decode())


def _token(body: bytes) -> re.Match[bytes] | None:
    return _TOKEN.fullmatch(body) if len(body) <= _LONGEST else None


def _life(token: str, now: float) -> float:
    """Return for how many seconds from now a JWT is good; without end where it does not tell.

    It is read, not verified: only the server can judge it. Where it tells when it was issued,
    its life is the difference, whatever this machine's clock says.
    """
    claims: Any = None
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    ends, begins = (_seconds(claims, name) for name in ("exp", "iat"))
    if ends is None:
        return float("inf")
    return max(0.0, ends - (now if begins is None else begins))


def _seconds(claims: Any, name: str) -> float | None:
    value = claims.get(name) if isinstance(claims, dict) else None
    if not isinstance(value, (int, float)):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None
