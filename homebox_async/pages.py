"""Lists that fetch themselves: `async for item in client.leads.list()`.

The next page is always asked for by its number with the original query, never by the server's
`links.next`: Laravel drops `filter` and `q` from it, and it may name another host.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import attrs

from .events import CLIENT_LOG
from .evidence import Completeness, IdSet, ListPass, is_id
from .models import Answer, Model
from .tracebacks import clean

if TYPE_CHECKING:
    import pyarrow

T = TypeVar("T", bound=Model)

# Passes over a list that changes while it is read.
_PASSES = 4
_DIGITS = re.compile(r"[0-9]{1,18}")

_UNPACKED = 4
"""Pages of a pass whose bytes stay as they came; those of earlier ones are compressed.

The objects of a page hold its bytes, for `raw` and `extra`. Most are gone by then; who keeps
thousands of pages needs two fifths less memory, for a quarter of a page's CPU.
"""


@attrs.frozen(eq=False)
class Page(Generic[T]):
    """One page as the server sent it.

    `number` counts from 1. `last_page` and `total` are None where the server does not tell them.
    `answer` is the JSON of the whole answer.
    """

    items: tuple[T, ...]
    number: int
    last_page: int | None = None
    total: int | None = None
    _answer: Answer | None = attrs.field(default=None, repr=False)

    @property
    def answer(self) -> Any:
        """The JSON of the whole answer, with all that stands beside `data`."""
        return None if self._answer is None else self._answer.tree


def page_of(items: list[T], meta: Mapping[str, Any], answer: Answer, number: int) -> Page[T]:
    """Make a page from a decoded list and its `meta`.

    Leads have `last_page` and `total`, branch orders `page_count` and `total_count`, orders only
    `order_count`, which may be the page's, so it is not used.
    """
    return Page(
        tuple(items),
        number,
        _count(meta, "last_page", "page_count"),
        _count(meta, "total", "total_count"),
        answer,
    )


def _count(meta: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = meta.get(name)
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            return int(value)  # PHP often sends numbers as text
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


Fetch = Callable[[int], Awaitable[Page[T]]]


@attrs.frozen(eq=False)
class Pages(Generic[T]):
    """A list that may span many pages; nothing is fetched until it is iterated.

    ::

        async for lead in client.leads.list(): ...
        async for page in client.leads.list().pages(): ...
        first = await client.leads.list().first()
        some = await client.leads.list().collect(max_items=200)

    Items arrive as soon as their page does. An id that was seen before is not yielded again.
    Each iteration starts a new pass over the list at `start_page`. `prefetch` pages are asked
    for ahead of the one in use: all at once where the server reports last page and total, one
    ahead where it does not; the order stays.

    A list may change while it is read: what is deleted or added moves other items to another
    page. A change that shows is logged as a warning, and `pages().completeness()` says what a
    pass proves. `collect` and `to_arrow` read a list again that changed, four times at most.
    """

    _fetch: Fetch[T]
    start_page: int = 1
    prefetch: int = 0
    # What the items are: an empty list has columns, too.
    model: type[Model] = Model
    # The template of the list's path, for errors.
    path: str = ""

    def __aiter__(self) -> Cursor[T]:
        return Cursor(self.pages())

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "whether a list is empty is not known before it is fetched;"
            " ask `await pages.first() is not None`, or await collect()"
        )

    def pages(self) -> PageCursor[T]:
        """Iterate page by page."""
        return self._pass(warn=True)

    def _pass(self, *, warn: bool) -> PageCursor[T]:
        return PageCursor(self._fetch, self.start_page, self.prefetch, self.path, warn=warn)

    @clean
    async def first(self) -> T | None:
        """Return the first item, None for an empty list."""
        page = await self._fetch(self.start_page)
        return page.items[0] if page.items else None

    @clean
    async def collect(self, *, max_items: int | None = None) -> list[T]:
        """Return the items as a list, at most `max_items` of them."""
        found: list[T] = []
        async with contextlib.aclosing(Passes(self)) as passes:
            while max_items is None or len(found) < max_items:
                page = await anext(passes, None)
                if page is None:
                    return found
                found.extend(page.items)
        return found[:max_items]

    @clean
    async def to_arrow(self) -> pyarrow.Table:
        """Return the items as an Arrow table, typed by their class; see `homebox_async.arrow`.

        ``.to_pandas()`` of it is a pandas frame, ``polars.from_arrow(table)`` one of polars.
        Raises ConfigurationError without the extra `arrow`, RequestError for a failed call.
        """
        from .arrow import batch_of, library, schema_of

        schema = schema_of(self.model)
        async with contextlib.aclosing(Passes(self)) as passes:
            batches = [batch_of(page.items, schema) async for page in passes]
        return library().Table.from_batches(batches, schema)

    @clean
    async def record_batches(self) -> AsyncIterator[pyarrow.RecordBatch]:
        """Iterate the list as Arrow record batches, one a page; see `to_arrow`."""
        from .arrow import batch_of, schema_of

        schema = schema_of(self.model)
        pages = self.pages()
        try:
            async for page in pages:
                yield batch_of(page.items, schema)
        finally:
            await pages.aclose()


class PageCursor(Generic[T]):
    """One pass over the pages of a list.

    If a page fails, the error comes out and the next step asks for the same page again.
    `next_page` is the page that it yields next. After the end, `completeness` says whether the
    pass proves that nothing is missing. Several tasks may share one pass.
    """

    def __init__(
        self, fetch: Fetch[T], start: int, prefetch: int, path: str = "", *, warn: bool = True
    ) -> None:
        self._fetch = fetch
        self.next_page = start
        self.evidence = ListPass(start, path=path)
        self._prefetch = prefetch
        self._warn = warn
        self._ahead: deque[asyncio.Task[Page[T]]] = deque()
        self._last_page: int | None = None
        self._done = False
        self._bytes: deque[weakref.ref[Answer]] = deque()
        self._turn = asyncio.Lock()

    def __del__(self) -> None:
        # After a `break` nobody calls `aclose`; the last reference may go in another thread.
        for task in self._ahead:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                task.get_loop().call_soon_threadsafe(task.cancel)

    def __aiter__(self) -> PageCursor[T]:
        return self

    async def __anext__(self) -> Page[T]:
        async with self._turn:
            return await self._next()

    async def _next(self) -> Page[T]:
        while not self._done:
            page = await self._take()
            self._note_bytes(page)
            new = self.evidence.feed(
                page.number,
                [identity(item) for item in page.items],
                total=page.total,
                last_page=page.last_page,
            )
            self._last_page = page.last_page
            self.next_page += 1
            self._done = self.evidence.ended
            if self._done:
                self._finish()
            else:
                self._read_ahead()
            if all(new) and new:
                return page
            if any(new):
                return attrs.evolve(page, items=tuple(compress(page.items, new)))
        raise StopAsyncIteration

    def completeness(
        self, witnesses: Iterable[int] = (), *, earlier: PageCursor[T] | None = None
    ) -> Completeness:
        """Say whether this pass proves that nothing is missing that was there all the time.

        `witnesses`: ids that are known to be in the list. `earlier`: the pass before this one
        over the same list. A list of several pages is proved by two passes that agree.
        """
        before = None if earlier is None else earlier.evidence
        return self.evidence.completeness(witnesses, earlier=before)

    async def aclose(self) -> None:
        """Stop reading ahead."""
        self._done = True
        await self._drop_ahead()

    # --- how

    async def _take(self) -> Page[T]:
        if not self._ahead:
            return await self._fetch(self.next_page)
        task = self._ahead.popleft()
        try:
            return await task
        except BaseException:
            # What was read ahead of a failure is asked for again, in order.
            task.cancel()
            await self._drop_ahead()
            raise

    def _note_bytes(self, page: Page[T]) -> None:
        if page._answer is not None:
            self._bytes.append(weakref.ref(page._answer))
        if len(self._bytes) > _UNPACKED:
            kept = self._bytes.popleft()()
            if kept is not None:
                kept.pack()

    def _read_ahead(self) -> None:
        known = self._last_page is not None and self.evidence.total is not None
        room = self._prefetch if known else min(self._prefetch, 1)
        while len(self._ahead) < room:
            number = self.next_page + len(self._ahead)
            if self._last_page is not None and number > self._last_page:
                return
            task = asyncio.ensure_future(self._fetch(number))
            task.add_done_callback(_note_failure)
            self._ahead.append(task)

    def _cancel_ahead(self) -> list[asyncio.Task[Page[T]]]:
        tasks, self._ahead = list(self._ahead), deque()
        for task in tasks:
            task.cancel()
        return tasks

    async def _drop_ahead(self) -> None:
        if tasks := self._cancel_ahead():
            await asyncio.wait(tasks)

    def _finish(self) -> None:
        # Nothing is awaited here: the page in hand would be lost if the caller were cancelled.
        self._cancel_ahead()
        if self._warn and (trouble := self.evidence.disturbance):
            _warn_of(self.evidence, trouble)


class Passes(Generic[T]):
    """The pages of a list, read again until no change shows, or until nothing can be missing.

    A page holds what has not come before, in its own pass or an earlier one. With `prove`, a
    list of several pages is read twice at least. `completeness` is the verdict
    after the end; `changed` is True once the list was seen to change, or to end too early.
    """

    def __init__(self, pages: Pages[T], *, prove: bool = False) -> None:
        self._pages = pages
        self._prove = prove
        self._left = _PASSES
        self._seen = IdSet()
        self._earlier: PageCursor[T] | None = None
        self.cursor = self._next_pass()
        self.completeness = self.cursor.completeness()
        self.changed = False

    def __aiter__(self) -> Passes[T]:
        return self

    async def __anext__(self) -> Page[T]:
        while True:
            page = await anext(self.cursor, None)
            if page is None:
                self.completeness = self.cursor.completeness(earlier=self._earlier)
                trouble = self.cursor.evidence.disturbance
                self.changed = self.changed or bool(trouble)
                if self.completeness.complete or not (self._prove or trouble) or not self._left:
                    # Who wants a proof asks for the verdict.
                    if trouble and not self.completeness.complete and not self._prove:
                        _warn_of(self.cursor.evidence, trouble)
                    raise StopAsyncIteration
                self._seen |= self.cursor.evidence.seen
                self._earlier, self.cursor = self.cursor, self._next_pass()
            elif self._earlier is None:
                return page
            elif new := tuple(one for one in page.items if identity(one) not in self._seen):
                return attrs.evolve(page, items=new)

    async def aclose(self) -> None:
        """Stop reading ahead."""
        await self.cursor.aclose()

    def _next_pass(self) -> PageCursor[T]:
        self._left -= 1
        return self._pages._pass(warn=False)


def _warn_of(evidence: ListPass, trouble: str) -> None:
    CLIENT_LOG.warning("GET %s: items may be missing: %s", evidence.path or "(a list)", trouble)


def _note_failure(task: asyncio.Task[Any]) -> None:
    """Note the failure of a page, so that nobody warns: it is asked for again if need be."""
    if not task.cancelled():
        task.exception()


class Cursor(Generic[T]):
    """One pass over the items of a list; see `PageCursor` for failures."""

    def __init__(self, pages: PageCursor[T]) -> None:
        self.pages = pages
        self._items: deque[T] = deque()

    def __aiter__(self) -> Cursor[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            self._items.extend((await anext(self.pages)).items)
        return self._items.popleft()

    async def aclose(self) -> None:
        """Stop reading ahead."""
        await self.pages.aclose()


def identity(item: Model) -> int:
    """Return the id of an item, or a number made of its content where it has none.

    Several items may have the same number where it can be no id: 0, for example.
    """
    number = getattr(item, "id", None)
    return number if isinstance(number, int) and is_id(number) else hash(repr(item.raw))
