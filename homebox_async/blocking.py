"""What turns an async class into a sync one: methods, lists and downloads that block."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import warnings
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    NoReturn,
    ParamSpec,
    TypeVar,
    overload,
)

from .bridge import SUCCEEDED, Bridge
from .download import Download, Progress
from .errors import (
    ConfigurationError,
    EchoMismatch,
    held_warnings,
)
from .evidence import Completeness
from .models import Model
from .pages import Page, PageCursor, Pages
from .rules import UNSET
from .tracebacks import clean, clear_locals

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
A = TypeVar("A")
T = TypeVar("T", bound=Model)

if TYPE_CHECKING:
    import pyarrow


class Facade(Generic[A]):
    """The sync side of an async class; its methods are made by `blocking`."""

    def __init__(self, target: A, bridge: Bridge) -> None:
        self._target = target
        self._bridge = bridge


class BlockingPages(Generic[T]):
    """The sync side of `Pages`: iterate the items, or `.pages()`, or take some at once.

    Each page is one hop to the loop; its items come out in the caller's thread.
    """

    def __init__(self, bridge: Bridge, pages: Pages[T]) -> None:
        self._bridge = bridge
        self._pages = pages

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "whether a list is empty is not known before it is fetched;"
            " ask `pages.first() is not None`, or collect() it"
        )

    def __iter__(self) -> BlockingCursor[T]:
        return BlockingCursor(self.pages())

    def pages(self) -> BlockingPageCursor[T]:
        """Iterate page by page."""
        return BlockingPageCursor(self._bridge, self._pages.pages())

    @clean
    def first(self) -> T | None:
        """Return the first item, None for an empty list."""
        return self._bridge.run(self._pages.first)

    @clean
    def collect(self, *, max_items: int | None = None) -> list[T]:
        """Return the items as a list, at most `max_items` of them."""
        return self._bridge.run(lambda: self._pages.collect(max_items=max_items))

    @clean
    def to_arrow(self) -> pyarrow.Table:
        """Return the items as an Arrow table; see `Pages.to_arrow`."""
        return self._bridge.run(self._pages.to_arrow)

    @clean
    def record_batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Iterate the list as Arrow record batches, one a page; see `Pages.to_arrow`."""
        from .arrow import batch_of, schema_of

        schema = schema_of(self._pages.model)
        for page in self.pages():
            yield batch_of(page.items, schema)


class BlockingPageCursor(Generic[T]):
    """The sync side of `PageCursor`: one pass over the pages of a list."""

    def __init__(self, bridge: Bridge, pages: PageCursor[T]) -> None:
        self._bridge = bridge
        self._pages = pages
        # What has been fetched and not handed out: Ctrl-C may come in between.
        self._fetched: deque[Page[T]] = deque()

    def __iter__(self) -> Iterator[Page[T]]:
        return self

    def __next__(self) -> Page[T]:
        while True:
            try:
                return self._fetched.popleft()
            except IndexError:
                if not self._bridge.run(self._step):
                    raise StopIteration from None

    async def _step(self) -> bool:
        """Fetch the next page; False if there is none."""
        # A StopAsyncIteration cannot leave a coroutine as itself.
        async for page in self._pages:
            self._fetched.append(page)
            return True
        return False

    @property
    def next_page(self) -> int:
        """The number of the page that comes next."""
        return self._pages.next_page

    def completeness(
        self, witnesses: Iterable[int] = (), *, earlier: BlockingPageCursor[T] | None = None
    ) -> Completeness:
        """See `PageCursor`."""
        before = None if earlier is None else earlier._pages
        return self._pages.completeness(witnesses, earlier=before)

    def close(self) -> None:
        """Stop reading ahead."""
        self._bridge.run(self._pages.aclose)


class BlockingCursor(Generic[T]):
    """The sync side of `Cursor`: one pass over the items of a list."""

    def __init__(self, pages: BlockingPageCursor[T]) -> None:
        self.pages = pages
        self._items: deque[T] = deque()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        # Threads may share a pass: between a look and a step another one may take the item.
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                self._items.extend(next(self.pages).items)

    def close(self) -> None:
        """Stop reading ahead."""
        self.pages.close()


class BlockingDownload:
    """The sync side of `Download`: `save` it, or iterate its chunks.

    `progress` is called in the client's own thread; it must be quick and make no sync calls.
    """

    def __init__(self, bridge: Bridge, download: Download) -> None:
        self._bridge = bridge
        self._download = download

    @property
    def filename(self) -> str:
        """The name that the file gets in a folder."""
        return self._download.filename

    def __iter__(self) -> Iterator[bytes]:
        """Yield the content in chunks as they come, each one hop to the loop."""
        chunks = aiter(self._download)

        async def step() -> bytes | None:
            return await anext(chunks, None)

        chunk: bytes | None = None
        try:
            while (chunk := self._bridge.run(step)) is not None:
                yield chunk
        except BaseException as error:
            del chunk  # the document is personal, and this frame runs
            clear_locals(error)
            raise
        finally:
            # Also runs when a pass left in the middle is collected, maybe after the client closed.
            with contextlib.suppress(ConfigurationError):
                self._bridge.run(chunks.aclose)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Save the document and return where it is; see `Download.save`."""
        return self._bridge.run(
            lambda: self._download.save(path, overwrite=overwrite, progress=progress)
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename}>"


@overload
def blocking(
    method: Callable[Concatenate[S, P], Download],
) -> Callable[Concatenate[Any, P], BlockingDownload]: ...
@overload
def blocking(
    method: Callable[Concatenate[S, P], Pages[T]],
) -> Callable[Concatenate[Any, P], BlockingPages[T]]: ...
@overload
def blocking(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Any, P], R]: ...
def blocking(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make the sync twin of an async method, or of one that returns `Pages` or a `Download`."""
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        def call(self: Facade[Any], *args: Any, **kwargs: Any) -> Any:
            held: list[EchoMismatch] = []
            result: Any = UNSET
            try:
                result = self._bridge.run(_bound(method, self._target, held, args, kwargs))
                for warning in held:
                    warnings.warn(warning, stacklevel=2)
                return result
            except BaseException as error:
                if result is not UNSET:  # Ctrl-C may come here, too
                    error.add_note(SUCCEEDED)
                del args, kwargs, result  # this frame runs, so it is not cleared
                clear_locals(error)
                raise

    else:

        @functools.wraps(method)
        def call(self: Facade[Any], *args: Any, **kwargs: Any) -> Any:
            try:
                found = method(self._target, *args, **kwargs)
            except BaseException as error:
                del args, kwargs
                clear_locals(error)
                raise
            if isinstance(found, Download):
                return BlockingDownload(self._bridge, found)
            return BlockingPages(self._bridge, found)

    return call


def _bound(
    method: Callable[..., Coroutine[Any, Any, R]],
    target: Any,
    held: list[EchoMismatch],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Callable[[], Coroutine[Any, Any, R]]:
    # Not a partial, whose repr shows its arguments.
    def make() -> Coroutine[Any, Any, R]:
        held_warnings.set(held)  # in the context of the call's own task
        return method(target, *args, **kwargs)

    return make
