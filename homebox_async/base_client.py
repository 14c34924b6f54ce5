"""What the entries to both services share: the chain, its options, and the way they end."""

from __future__ import annotations

import contextlib
import functools
import platform
import time
import warnings
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Literal, NoReturn, Self, SupportsIndex, TypeVar

import attrs

from .blocking import Facade
from .bridge import Bridge, Worker
from .errors import ConfigurationError
from .events import OnEvent
from .loading import STARTING
from .loops import refuse_other_loops
from .middleware import Handler, Middleware, Throttle, answered, chain
from .observer import Listener, Observer, listeners
from .options import check_options
from .request_ids import HEADER, passed_id
from .retry import Quota, Retrier, Retry
from .transport import Transport
from .version import own_version
from .wire import Request

C = TypeVar("C", bound="BaseClient")

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes of JSON that an answer may have; a page of the API has about 50,000."""


@attrs.frozen(kw_only=True)
class Options:
    """What may differ between two views of one client; see `AsyncHomebox`."""

    deadline: float | None
    retry: Retry
    middlewares: tuple[Middleware, ...]
    attempt_middlewares: tuple[Middleware, ...]
    listeners: tuple[Listener, ...]


class _Single:
    """A client: not to be pickled or copied, as its connections belong to one process."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise ConfigurationError(
            f"{type(self).__name__} cannot be pickled or copied; make one in each process, and "
            "use with_options() for a second view of one"
        )


class BaseClient(_Single):
    """One transport, one chain above it, and views of both with other options."""

    _transport: Transport
    _throttle: Throttle
    _quota: Quota

    def _begin(self, transport: Transport, options: Options) -> None:
        self._transport, self._throttle, self._quota = transport, Throttle(), Quota()
        transport.unpaused = self._throttle.unpaused
        self._set_up(options)

    def _set_up(self, options: Options) -> None:
        check_options(
            deadline=options.deadline,
            retry=options.retry,
            middlewares=options.middlewares,
            attempt_middlewares=options.attempt_middlewares,
        )
        self._options = options
        self._deadline = options.deadline
        self._observer = Observer(options.listeners)
        inner = (*options.attempt_middlewares, *self._innermost())
        self._handle: Handler = chain(
            (
                *options.middlewares,
                self._observer,
                Retrier(options.retry, tell=self._observer.tell, quota=self._quota),
                self._throttle,
                *([self._throttle.hold] if inner else []),
                *inner,
                answered,
            ),
            self._transport.send,
        )
        self._hold_resources()

    def _innermost(self) -> tuple[Middleware, ...]:
        """Return what runs for each attempt, nearer to the transport than the user's own."""
        return ()

    def _hold_resources(self) -> None:
        """Make the resources anew, on the chain that was just built."""

    def with_options(
        self,
        *,
        deadline: float | Literal["same"] | None = "same",
        retry: Retry | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
        on_event: OnEvent | None = None,
    ) -> Self:
        """Return a second view of this client: same connections and pauses, other options.

        Middlewares and a callback that are given are added to those there are. Closing either
        closes both.
        """
        check_options(
            middlewares=middlewares, attempt_middlewares=attempt_middlewares, on_event=on_event
        )
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        mine = self._options
        view._set_up(
            Options(
                deadline=mine.deadline if deadline == "same" else deadline,
                retry=mine.retry if retry is None else retry,
                middlewares=(*mine.middlewares, *middlewares),
                attempt_middlewares=(*mine.attempt_middlewares, *attempt_middlewares),
                listeners=(*mine.listeners, *listeners(on_event)),
            )
        )
        return view

    @property
    def base_url(self) -> str:
        """The origin that every request goes to."""
        return self._transport.origin

    async def aclose(self) -> None:
        """Close every connection; a call after this raises ConfigurationError."""
        async with contextlib.AsyncExitStack() as stack:
            for transport in self._transports():  # all of them, even if this is cancelled
                stack.push_async_callback(transport.aclose)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # Also of a client that could not be made: tracebacks with locals show it.
        made = self.base_url if hasattr(self, "_transport") else "not made"
        return f"<{type(self).__name__} {made}>"

    def _transports(self) -> tuple[Transport, ...]:
        """Return every pool that this client opens."""
        return (self._transport,)

    async def _call(self, request: Request) -> Any:
        if self._deadline is not None:
            request.deadline = time.monotonic() + self._deadline
        if (own := passed_id.get()) is not None:
            request.headers = {**(request.headers or {}), HEADER: own}
        try:
            return (await self._handle(request)).result
        except RuntimeError:
            refuse_other_loops()
            raise


class BlockingClient(_Single, Facade[C]):
    """The sync side of a client: its thread, its views, and the way it ends."""

    def _begin(self, client: C) -> None:
        for transport in client._transports():
            transport.guarded = True
        self._attach(client, Bridge())
        # Runs when the bridge is collected unclosed, that is when neither this client nor a view,
        # a resource or a list of it is left; at the latest when Python leaves.
        self._leave = weakref.finalize(self._bridge, _forgotten, client, self._bridge.worker)

    def _attach(self, client: C, bridge: Bridge) -> None:
        super().__init__(client, bridge)

    def with_options(
        self,
        *,
        deadline: float | Literal["same"] | None = "same",
        retry: Retry | None = None,
        middlewares: Sequence[Middleware] = (),
        attempt_middlewares: Sequence[Middleware] = (),
        on_event: OnEvent | None = None,
    ) -> Self:
        """Return a second view of this client: same connections and pauses, other options."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)  # what a subclass has
        view._attach(
            self._target.with_options(
                deadline=deadline,
                retry=retry,
                middlewares=middlewares,
                attempt_middlewares=attempt_middlewares,
                on_event=on_event,
            ),
            self._bridge,
        )
        return view

    @property
    def base_url(self) -> str:
        """The origin that every request goes to."""
        return self._target.base_url

    def close(self) -> None:
        """Close every connection and end the background thread."""
        self._leave.detach()
        self._bridge.worker.close(self._target.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        made = self.base_url if hasattr(self, "_target") else "not made"
        return f"<{type(self).__name__} {made}>"


def _forgotten(client: BaseClient, worker: Worker) -> None:
    if worker.started:
        warnings.warn(
            f"a client of {client.base_url} was not closed; use `with` or close()",
            ResourceWarning,
            stacklevel=2,
        )
    worker.close(client.aclose)


@functools.cache
def user_agent() -> str:
    """Return how this package names itself to the servers."""
    with STARTING:  # it imports
        return f"homebox-async/{own_version()} Python/{platform.python_version()}"
