"""The bridge from threads to the event loop: one background thread per client runs the loop.

A call hands its coroutine over and waits on a lock: the same coroutines, the same pool, from any
thread, also inside a running loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .errors import ConfigurationError, ConnectionFailed, Outcome
from .failures import cancellation_told
from .loading import STARTING, load_for_threads
from .loops import green_threads, loop_factory

R = TypeVar("R")

if TYPE_CHECKING:
    import anyio.from_thread

_INTERRUPT_GRACE = 0.4  # seconds that a call may take to end after Ctrl-C
SUCCEEDED = "the call had just succeeded"
_NONE_OPEN = "cancelled outside its requests: none was open"
_CLOSE_GRACE = 2.0  # seconds that closing may take before the thread is left to its fate


class Bridge:
    """A background thread with an event loop; `run` awaits a coroutine there.

    The thread does not know its bridge: when nobody holds the bridge any more, neither a client
    nor one of its resources or lists, it is collected, and then `worker` can be closed.
    """

    def __init__(self) -> None:
        self.worker = Worker()

    def run(self, make: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run a coroutine on the loop, wait for it and return what it returns.

        Ctrl-C cancels it; the KeyboardInterrupt carries a note with the call's outcome.
        """
        return self.worker.run(make)


class Worker:
    """The thread behind a `Bridge`.

    It starts with the first call. anyio's portal owns the loop's lifetime; single calls go past
    it, for a lock and `call_soon_threadsafe` cost a quarter of its hop.
    """

    def __init__(self) -> None:
        self._pid: int | None = None  # of the process that has started it
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._portal: anyio.from_thread.BlockingPortal
        self._calls: set[_Call] = set()
        self._last: asyncio.Task[None]
        self._closed = False
        self._ended = False

    def run(self, make: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """See `Bridge.run`."""
        loop = self._started()
        call = _Call(make)
        try:
            self._hand_over(call, loop)
            call.done.acquire()
            self._calls.discard(call)
            return cast("R", call.result())
        except BaseException as error:
            self._calls.discard(call)
            # Ctrl-C may come at any step above, also when the call has just ended.
            if error is not call.error:
                self._break_off(call, loop, error)
            raise

    @property
    def started(self) -> bool:
        """Whether there is a thread of this process that runs the loop."""
        return self._thread is not None and not self._closed and self._pid == os.getpid()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `last`, stop the loop and wait for the thread, all for a bounded time."""
        if self._pid is not None and self._pid != os.getpid():
            return
        with STARTING:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
        if thread is None:
            return

        async def finish() -> None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(last(), _CLOSE_GRACE)
            await self._portal.stop(True)

        def begin() -> None:
            self._last = self._loop.create_task(finish())

        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(begin)
        # The garbage collector may call from the loop's own thread, which cannot wait for itself.
        if thread is not threading.current_thread():
            thread.join(2 * _CLOSE_GRACE)

    def _hand_over(self, call: _Call, loop: asyncio.AbstractEventLoop) -> None:
        self._calls.add(call)
        try:
            if self._ended:
                raise RuntimeError("the loop has just ended")
            loop.call_soon_threadsafe(call.start, context=contextvars.copy_context())
        except RuntimeError:
            call.error = ConfigurationError("this client is closed; make a new one")
            raise call.error from None

    @staticmethod
    def _break_off(call: _Call, loop: asyncio.AbstractEventLoop, interrupt: BaseException) -> None:
        """Cancel a call, wait a moment for its end, and note on the interrupt what it did."""
        interrupts = [interrupt]
        try:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(call.cancel)
                if not call.has_ended:
                    call.done.acquire(timeout=_INTERRUPT_GRACE)
        except BaseException as again:  # the next Ctrl-C: it is the one that comes out
            interrupts.append(again)
            raise
        finally:
            for note in call.notes():
                for each in interrupts:
                    each.add_note(note)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._thread is not None and not self._closed and self._pid == os.getpid():
            if threading.get_ident() == self._thread.ident:
                raise ConfigurationError(
                    "a sync call was made on the client's own loop and would wait for itself; "
                    "use the async client there"
                )
            return self._loop
        if self._pid is not None and self._pid != os.getpid():
            raise ConfigurationError(
                "this client was made before a fork; make one in the child process"
            )
        with STARTING:
            if self._closed:
                raise ConfigurationError("this client is closed; make a new one")
            if self._thread is None:
                self._start()
        return self._loop

    def _start(self) -> None:
        if (library := green_threads()) is not None:
            raise ConfigurationError(
                f"{library} has replaced Python's threads, and a sync client needs a real one; run "
                "this in workers with real threads or processes (gunicorn: --worker-class gthread; "
                "Celery: --pool prefork or threads), or leave threads out of what is patched"
            )
        load_for_threads()
        import anyio.from_thread  # 60 ms: async users do not wait for it

        new_loop = loop_factory()
        ready = threading.Event()
        failed: list[BaseException] = []

        async def serve() -> None:
            async with anyio.from_thread.BlockingPortal() as portal:
                self._portal = portal
                self._loop = asyncio.get_running_loop()
                ready.set()
                await portal.sleep_until_stopped()

        def work() -> None:
            try:
                anyio.run(serve, backend_options={"loop_factory": new_loop})
            except BaseException as error:
                failed.append(error)
            finally:
                self._ended = True
                ready.set()
                # A call that came while the loop was ending would wait for ever.
                for call in tuple(self._calls):
                    call.release()

        # A daemon: an unclosed client must never keep the interpreter from leaving.
        thread = threading.Thread(target=work, name="homebox-client", daemon=True)
        self._ended = False
        self._pid = os.getpid()
        try:
            thread.start()
        except RuntimeError as full:  # no more threads, or Python is leaving
            raise ConfigurationError(f"the client's thread could not be started ({full})") from None
        ready.wait()
        if failed:
            raise ConfigurationError(
                f"the client's event loop could not be started ({type(failed[0]).__name__})"
            )
        self._thread = thread


class _Call:
    """One coroutine on its way over the bridge; `done` is held until it has ended."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._make = make
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self.error: BaseException | None = None
        """What `result` has raised."""
        self.done = threading.Lock()
        self.done.acquire()

    def start(self) -> None:
        if self._cancelled:
            self.release()
            return
        cancellation_told.set(True)  # by `notes`
        self._task = asyncio.get_running_loop().create_task(self._make())
        self._task.add_done_callback(self._ended)

    def cancel(self) -> None:
        self._cancelled = True
        if self._task is None:
            self.release()
        else:
            self._task.cancel()

    @property
    def has_ended(self) -> bool:
        """Whether it has a result, or an error of its own."""
        return self._task is not None and self._task.done()

    def release(self) -> None:
        with contextlib.suppress(RuntimeError):  # it was released before
            self.done.release()

    def result(self) -> Any:
        task = self._task
        if task is None:
            self.error = ConfigurationError("this client was closed before the call began")
        elif task.done() and not task.cancelled():
            self.error = task.exception()
            if self.error is None:
                return task.result()
        else:
            self.error = ConnectionFailed(
                "the client was closed while this call was under way", outcome=Outcome.UNKNOWN
            )
            for note in self.notes():
                self.error.add_note(note)
        raise self.error

    def notes(self) -> list[str]:
        """What the cancelled call says of its outcome."""
        if self._task is None:
            return ["the call had not begun [outcome: not sent]"]
        if not self._task.done():
            return ["the call had not ended yet [outcome: unknown]"]
        try:
            self._task.result()
        except asyncio.CancelledError as cancelled:
            return [*getattr(cancelled, "__notes__", [_NONE_OPEN])]
        except BaseException as error:
            return [str(error)]
        return [SUCCEEDED]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # seen here, so that nobody warns if the caller was interrupted
        self.release()
