"""The workers: each sends one row at a time until it is certain what became of it.

A fixed number of workers takes rows from a short queue, the claims.
"""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from typing import Any

from ..client import AsyncHomebox
from ..errors import (
    Outcome,
    Problem,
    RateLimited,
    RedirectRefused,
    RequestError,
    ServerError,
    ValidationError,
)
from ..evidence import is_id
from ..failures import cancellation_told
from ..middleware import Handler
from ..wire import Request, Response
from .claims import Claims, Item
from .course import Course
from .ending import ended
from .failures import explain, is_hopeless
from .gate import Gate
from .journal import State
from .kinds import Kind
from .ledger_claims import TakenOver
from .ledger_values import LedgerError
from .limiter import Limiter
from .patience import IN_A_ROW, IN_A_ROW_UNLISTED, Patience
from .probing import Probe

_sending: ContextVar[Item] = ContextVar("homebox_sending")


class _Recalled(Exception):
    """A request that only waited for its turn is not made any more."""


class Sender:
    """Sends claimed rows; `sent` counts the requests that may have reached the server."""

    def __init__(
        self,
        kind: Kind[Any],
        client: AsyncHomebox,
        limiter: Limiter,
        gate: Gate,
        claims: Claims,
        probe: Probe,
        course: Course,
        patience: float,
    ) -> None:
        self._kind = kind
        self._gate = gate
        self._probe = probe
        # A pause that the server asks for may well be longer than any one call should take.
        self._client = client.with_options(
            deadline=None, attempt_middlewares=[gate, limiter, self._watch]
        )
        self._limiter = limiter
        self._claims = claims
        self._course = course
        self._patience = Patience(
            course, patience, IN_A_ROW if kind.is_listed else IN_A_ROW_UNLISTED
        )
        self._calls: set[Item] = set()
        self.sent = 0
        course.on_drain(self._recall_all)

    async def run(self) -> None:
        """Send until the input ends, or until so many rows are open that they must be looked up."""
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._limiter.most)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            try:
                await ended(workers)
            finally:
                await self._gate.aclose()
                await self._claims.filled()

    async def _work(self) -> None:
        cancellation_told.set(True)  # by the journal, which keeps the row open
        while (item := await self._claims.next()) is not None:
            try:
                async with self._limiter:
                    if self._course.draining:
                        self._claims.give_back(item)
                    elif self._probe.done:
                        await self._send(item)
                    else:
                        await self._send_in_turn(item)
            except asyncio.CancelledError:
                if item.unsent:
                    self._claims.give_back(item)
                raise

    async def _send_in_turn(self, item: Item) -> None:
        """Send one row after the other until the first that was created has been read back."""
        if await self._probe.take_turn():
            try:
                await self._probe.read_back()
                if not self._probe.done and not self._course.draining:
                    await self._send(item)
                    return
            finally:
                self._probe.end_turn()
        if self._course.draining:
            self._claims.give_back(item)
        else:
            await self._send(item)

    async def _send(self, item: Item) -> None:
        """Send one row until it is certain what became of it, or certain that it is not."""
        while True:
            began = time.monotonic()
            try:
                made = await self._create(item)
            except _Recalled:
                self._claims.give_back(item)
                return
            except TakenOver:
                self._claims.keep_open_unsent(
                    item, "another import has taken it over while this one was held up"
                )
                return
            except LedgerError as error:
                # Whether the claim stands is not known, so nothing more is sent.
                self._claims.give_back(item)
                self._claims.broken = self._claims.broken or error
                self._course.drain(str(error))
                return
            except ValidationError as wrong:  # a photo is not there any more
                await self._refused(item, *wrong.problems)
                return
            except RequestError as error:
                if await self._ended(item, error, began):
                    return
            else:
                self._patience.renew()
                if made.id is None or not is_id(made.id):
                    item.confirmed = True
                    self._claims.keep_open(
                        item, "the server answered with success, but without an id that shows it"
                    )
                else:
                    self._probe.created(item, made.id)
                    await self._claims.settle(
                        item, State.CREATED, id=made.id, tenancy_id=self._kind.tenancy_of(made)
                    )
                if otherwise := self._kind.echoed(made, item.row):
                    self._course.drain(f"{self._claims.place(item)}: {otherwise}")
                    await self._claims.note_mismatch(otherwise)
                    await self._probe.doubt()
                return

    async def _create(self, item: Item) -> Any:
        request = self._kind.request(self._client, item.row)
        item.task = task = asyncio.current_task()
        assert task is not None
        self._calls.add(item)
        _sending.set(item)
        try:
            return await self._client._call(request)
        except asyncio.CancelledError:
            if item.recalled and not task.uncancel():
                raise _Recalled from None
            raise
        finally:
            self._calls.discard(item)

    async def _watch(self, request: Request, handler: Handler) -> Response:
        """Note for each attempt whether it may reach the server: the innermost middleware."""
        item = _sending.get()
        self._claims.check(item)
        item.unsent = False
        self.sent += 1
        try:
            return await handler(request)
        except RequestError as error:
            item.unsent = error.outcome is not Outcome.UNKNOWN
            self.sent -= error.outcome is Outcome.NOT_SENT
            if error.outcome is Outcome.UNKNOWN:
                self._gate.shut(error)
            if self._course.draining:
                # Once it has begun to wait for its next attempt, if it does.
                asyncio.get_running_loop().call_soon(self._recall, item)
            raise

    def _recall_all(self) -> None:
        for item in self._calls:
            self._recall(item)

    def _recall(self, item: Item) -> None:
        """Break off a request that waits for its turn, for as long as the server likes."""
        if item in self._calls and item.unsent and item.task is not None and not item.recalled:
            item.recalled = True
            item.task.cancel()

    async def _ended(self, item: Item, error: RequestError, began: float) -> bool:
        """Deal with a request that failed; False if it is to be made again."""
        if error.outcome is Outcome.UNKNOWN or isinstance(error, RedirectRefused):
            # A redirect is how some servers answer a form that they took.
            self._claims.keep_open(item, error.message)
            self._patience.missed(error)
            if isinstance(error, RedirectRefused):
                self._course.fail(error)
            return True
        if is_hopeless(error, item.row):
            self._claims.give_back(item)
            self._course.fail(error)
            return True
        if error.outcome is Outcome.NOT_SENT or isinstance(error, (RateLimited, ServerError)):
            await self._patience.pause(error, began)
            if self._course.draining:
                self._claims.give_back(item)
            return self._course.draining
        self._patience.renew()
        field, message = explain(error)
        if item.sends > 1:
            # The request that was lost before may be why: "this reference is taken".
            item.refused = message if field == "row" else f"{field}: {message}"
            self._claims.keep_open(item, f"refused after a lost answer ({item.refused})")
            return True
        await self._claims.settle(
            item,
            State.REJECTED,
            field=field,
            error=message,
            fix="correct it and import the rejects file",
        )
        return True

    async def _refused(self, item: Item, *problems: Problem) -> None:
        """Note a row whose request could not be made, so that nothing of it was sent."""
        await self._claims.settle(
            item,
            State.REJECTED,
            field=", ".join(problem.field for problem in problems),
            error="; ".join(problem.problem for problem in problems),
            fix="; ".join(problem.fix for problem in problems),
        )
