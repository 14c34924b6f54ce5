"""Lists over pages, with fetches that the test controls."""

import asyncio
import gc
import json
import logging
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

from homebox_async import AnswerUnusable, Lead, Page, Pages
from homebox_async.codec import decode_list
from homebox_async.pages import page_of


class Listing:
    """A list of leads behind `fetch`; it tells what it is asked to tell."""

    def __init__(self, *pages: list[int], tell: str = "nothing", last: int | None = None) -> None:
        self.pages = pages
        self.tell = tell
        self.last = len(pages) if last is None else last
        self.asked: list[int] = []
        self.failures: dict[int, list[Exception]] = {}
        self.under_way = 0
        self.peak = 0
        self.delay: Callable[[int], float] = lambda _: 0.0

    async def fetch(self, number: int) -> Page[Lead]:
        """Return a page."""
        self.asked.append(number)
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        try:
            await asyncio.sleep(self.delay(number))
            if self.failures.get(number):
                raise self.failures[number].pop(0)
            return self.page(number)
        finally:
            self.under_way -= 1

    def page(self, number: int) -> Page[Lead]:
        """Make a page."""
        ids = self.pages[number - 1] if 0 < number <= len(self.pages) else []
        total = sum(map(len, self.pages))
        meta: dict[str, Any] = {
            "nothing": {},
            "last_page": {"last_page": self.last, "total": total, "current_page": number},
            "page_count": {"page_count": self.last, "total_count": total},
            "order_count": {"order_count": len(ids)},
        }[self.tell]
        return Page(
            tuple(Lead(id=i) for i in ids),
            number,
            meta.get("last_page", meta.get("page_count")),
            meta.get("total", meta.get("total_count")),
        )

    def __call__(self, start: int = 1, prefetch: int = 0) -> Pages[Lead]:
        """Return the list."""
        return Pages(self.fetch, start, prefetch)


async def ids(items: Any) -> list[int | None]:
    """Return the ids that an iteration gives."""
    return [item.id async for item in items]


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    """No test of this module leaves a task behind."""
    before = asyncio.all_tasks()
    yield
    gc.collect()
    for _ in range(3):
        await asyncio.sleep(0)
    assert set() == asyncio.all_tasks() - before - {asyncio.current_task()}


SHAPES = ["nothing", "last_page", "page_count", "order_count"]


@pytest.mark.parametrize("prefetch", [0, 1, 3, 20])
@pytest.mark.parametrize("tell", SHAPES)
async def test_every_shape(tell: str, prefetch: int) -> None:
    """Every pagination shape is read to its end, in order, each item once."""
    listing = Listing([1, 2], [3, 4], [5], tell=tell)
    assert [1, 2, 3, 4, 5] == await ids(listing(prefetch=prefetch))
    pages = 3 if tell in {"last_page", "page_count"} else 4
    assert list(range(1, pages + 1)) == sorted(set(listing.asked))
    assert len(listing.asked) <= pages + (1 if prefetch else 0)


@pytest.mark.parametrize("tell", SHAPES)
async def test_empty_lists(tell: str) -> None:
    """An empty list is empty after one page."""
    listing = Listing([], tell=tell)
    assert [] == await ids(listing())
    assert [] == [page async for page in listing().pages()]
    assert await listing().first() is None
    assert [] == await listing().collect()
    assert [1] * 4 == listing.asked


async def test_first_and_collect() -> None:
    """`first` asks for one page, `collect` for no more than it needs."""
    listing = Listing([1, 2], [3, 4], [5])
    found = await listing().first()
    assert found is not None
    assert 1 == found.id
    assert [1] == listing.asked
    assert [1, 2, 3] == [lead.id for lead in await listing().collect(max_items=3)]
    assert [1, 1, 2] == listing.asked
    assert [] == await listing().collect(max_items=0)
    assert 5 == len(await listing().collect(max_items=99))
    assert 3 == len(await listing(prefetch=3).collect(max_items=3))


async def test_start_page() -> None:
    """An iteration starts where it is told, and again there the next time."""
    listing = Listing([1, 2], [3, 4], [5], tell="last_page")
    pages = listing(start=2)
    assert [3, 4, 5] == await ids(pages)
    assert [3, 4, 5] == await ids(pages)
    assert [2, 3, 2, 3] == listing.asked
    assert [] == await ids(listing(start=9))


async def test_order_with_prefetch() -> None:
    """Pages that arrive in another order come out in theirs, and are fetched together."""
    listing = Listing(*([n] for n in range(1, 9)), tell="last_page")
    listing.delay = lambda number: 0.02 / number
    assert list(range(1, 9)) == await ids(listing(prefetch=4))
    assert 4 <= listing.peak <= 5


async def test_one_ahead_when_the_end_is_not_known() -> None:
    """Without a last page no more than one page is asked for ahead."""
    listing = Listing(*([n] for n in range(1, 6)))
    listing.delay = lambda _: 0.001
    cursor = listing(prefetch=9).pages()
    await anext(cursor)
    assert 1 == len(cursor._ahead)
    assert [2, 3, 4, 5] == [page.items[0].id async for page in cursor]


@pytest.mark.parametrize("prefetch", [0, 1, 4])
async def test_a_failure_resumes_at_the_same_page(prefetch: int) -> None:
    """After a failure the next step asks for the same page again; nothing is lost or doubled."""
    listing = Listing([1], [2], [3], [4], tell="last_page")
    listing.failures = {1: [OSError("a")], 3: [OSError("b"), OSError("c")], 4: [OSError("d")]}
    cursor = aiter(listing(prefetch=prefetch))
    found: list[int | None] = []
    failed: list[int] = []
    while True:
        try:
            found.append((await anext(cursor)).id)
        except OSError:
            failed.append(cursor.pages.next_page)
        except StopAsyncIteration:
            break
    assert [1, 2, 3, 4] == found
    assert {1, 3} <= set(failed)


async def test_failures_ahead_make_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """A page that fails ahead of a stop is not reported as never retrieved."""
    listing = Listing([1], [2], [3], [4], tell="last_page")
    listing.failures = {3: [OSError("x")], 4: [OSError("y")]}
    cursor = listing(prefetch=4).pages()
    await anext(cursor)
    await asyncio.sleep(0.005)
    await cursor.aclose()
    del cursor
    gc.collect()
    await asyncio.sleep(0)
    assert [] == caplog.records
    with pytest.raises(StopAsyncIteration):
        await anext(listing(start=9).pages())


@pytest.mark.parametrize("how", ["break", "aclose", "raise", "cancel"])
async def test_nothing_is_left_behind(how: str) -> None:
    """However an iteration ends, what was asked for ahead is cancelled."""
    listing = Listing(*([n] for n in range(1, 30)), tell="last_page")
    listing.delay = lambda number: 0.0 if number == 1 else 60.0

    async def run() -> None:
        cursor = aiter(listing(prefetch=8))
        async for _ in cursor:
            assert cursor.pages._ahead
            if how in {"break", "cancel"}:
                break
            if how == "aclose":
                await cursor.aclose()
                await cursor.aclose()
            if how == "raise":
                raise KeyError
        if how == "cancel":
            await anext(cursor)

    task = asyncio.create_task(run())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert (how == "cancel") == task.cancelled()
    assert how != "raise" or isinstance(task.exception(), KeyError)
    del task


async def test_cancelled_and_continued() -> None:
    """A step that is cancelled can be taken again."""
    listing = Listing([1], [2], [3], tell="last_page")
    listing.delay = lambda number: 0.0 if number == 1 else 60.0
    cursor = aiter(listing(prefetch=2))
    await anext(cursor)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(cursor)
    listing.delay = lambda _: 0.0
    assert [2, 3] == await ids(cursor)


async def test_many_tasks_share_one_pass() -> None:
    """Workers that pull from one iteration get each item once, and all of them."""
    listing = Listing(*([10 * n + i for i in range(5)] for n in range(6)))
    listing.delay = lambda _: 0.001
    cursor = aiter(listing(prefetch=1))
    found: list[int | None] = []

    async def work() -> None:
        async for lead in cursor:
            found.append(lead.id)
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(4)))
    assert [10 * n + i for n in range(6) for i in range(5)] == sorted(map(int, found))  # type: ignore[arg-type]


async def test_seen_ids_are_not_given_twice() -> None:
    """When the list shifts under the reader, an item that was seen does not come again."""
    listing = Listing([1, 2], [2, 3], [3, 4], tell="last_page")
    assert [1, 2, 3, 4] == await ids(listing())
    pages = [page async for page in listing().pages()]
    assert [2, 1, 1] == [len(page.items) for page in pages]


async def test_items_without_id() -> None:
    """Items without an id are told apart by what they hold."""
    body = b'{"data": [{"tenancy_type": "a"}, {"tenancy_type": "b"}, {"tenancy_type": "a"}]}'

    async def fetch(number: int) -> Page[Lead]:
        return page_of(*decode_list(body if number == 1 else b"[]", Lead), number)

    assert ["a", "b"] == [lead.tenancy_type async for lead in Pages(fetch)]


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize(
    ("tell", "last"), [("nothing", 1), ("last_page", 10**12), ("page_count", 5)], ids=str
)
async def test_a_server_that_ignores_page(tell: str, last: int, prefetch: int) -> None:
    """A server that always sends the first page gets an error that says so, again and again."""
    listing = Listing([1, 2], tell=tell, last=last)

    def first(number: int) -> Page[Lead]:
        return attrs.evolve(Listing.page(listing, 1), number=number)

    listing.page = first  # type: ignore[method-assign]
    cursor = listing(prefetch=prefetch).pages()
    assert [1, 2] == [lead.id for lead in (await anext(cursor)).items]
    for _ in range(2):
        with pytest.raises(AnswerUnusable, match="the server ignores `page`"):
            await anext(cursor)
    assert len(listing.asked) <= 4 + 2 * prefetch
    await cursor.aclose()


@pytest.mark.parametrize("last", [0, 1, 2, 10**15])
async def test_hostile_last_pages(last: int) -> None:
    """A wrong last page costs no more than the pages that there are, and loses none."""
    listing = Listing([1], [2], [3], tell="last_page", last=last)
    assert [1, 2, 3] == await ids(listing(prefetch=2))
    assert len(listing.asked) <= 8


@pytest.mark.parametrize(
    ("pages", "complete"),
    [(([1, 2], [2, 3]), False), (([1, 2], [3, 4]), True)],
    ids=["shifted", "steady"],
)
async def test_completeness(
    pages: tuple[list[int], ...], complete: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A difference to the total that the server reports is said and logged, not hidden."""
    listing = Listing(*pages, tell="last_page")
    cursor = aiter(listing())
    assert not cursor.pages.completeness().complete
    await ids(cursor)
    again = aiter(listing())
    await ids(again)
    found = again.pages.completeness(earlier=cursor.pages)
    assert complete == found.complete
    logged = [record.getMessage() for record in caplog.records]
    said = f"GET (a list): items may be missing: {found.reason}"
    assert ([] if complete else [said] * 2) == logged
    late = aiter(listing(start=2))
    await ids(late)
    assert "the pass began at page 2" == late.pages.completeness().reason


async def test_a_finished_pass_stays_finished() -> None:
    """After its end an iteration gives nothing and asks for nothing."""
    listing = Listing([1])
    cursor = aiter(listing())
    assert [1] == await ids(cursor)
    asked = len(listing.asked)
    assert [] == await ids(cursor)
    assert asked == len(listing.asked)


@pytest.mark.parametrize(
    ("meta", "last", "total"),
    [
        ({"last_page": 3, "total": 120, "per_page": 50}, 3, 120),
        ({"page_count": 2, "total_count": 60}, 2, 60),
        ({"order_count": 9}, None, None),
        ({"last_page": "3", "total": "120"}, 3, 120),
        ({"last_page": "3.0", "total": "-1"}, None, None),
        ({"last_page": "9" * 19, "total": None}, None, None),
        ({"last_page": True, "total": -1}, None, None),
        ({}, None, None),
    ],
)
def test_what_meta_tells(meta: dict[str, Any], last: int | None, total: int | None) -> None:
    """Only whole numbers of pages and items are believed."""
    page = page_of([], meta, None, 1)  # type: ignore[arg-type, var-annotated]
    assert (last, total, None) == (page.last_page, page.total, page.answer)


def test_a_cursor_outlives_its_loop(caplog: pytest.LogCaptureFixture) -> None:
    """A pass that is dropped after its loop has ended makes no noise."""
    caplog.set_level(logging.DEBUG, "homebox_async")
    listing = Listing([1], [2], tell="last_page")

    async def step() -> Any:
        cursor = aiter(listing(prefetch=1))
        await anext(cursor)
        return cursor

    loop = asyncio.new_event_loop()
    try:
        left = loop.run_until_complete(step())
        loop.run_until_complete(asyncio.gather(*left.pages._ahead))
    finally:
        loop.close()
    del left
    gc.collect()
    assert [] == caplog.records


async def _decoded(number: int) -> Page[Lead]:
    """Return one of nine pages as the server would send it, each with two leads of its own."""
    leads = [{"id": 2 * number + n, "tenants": [{"id": n, "new": n}], "x": "y"} for n in (0, 1)]
    body = json.dumps({"data": leads, "meta": {"last_page": 9}}).encode()
    return page_of(*decode_list(body, Lead), number)


async def test_early_pages_that_are_kept_are_compressed() -> None:
    """The bytes of the newest four pages stay as they came; nothing of the others is lost."""
    kept = await Pages(_decoded).collect()

    answers = [lead._source for lead in kept[::2]]
    assert [True] * 5 + [False] * 4 == [answer._packed for answer in answers]
    assert [(n, n % 2) for n in range(2, 20)] == [
        (lead.raw["id"], lead.tenants[0].raw["new"]) for lead in kept
    ]
    assert [{"x": "y"}] * 18 == [lead.extra for lead in kept]
    assert {"last_page": 9} == kept[0].answer["meta"]


async def test_bytes_that_were_read_are_not_compressed() -> None:
    """What was asked for its JSON keeps that, and is not packed beside it."""
    cursor = Pages(_decoded).pages()
    first = await anext(cursor)
    assert 2 == first.items[0].raw["id"]
    rest = [page async for page in cursor]

    assert not first.items[0]._source._packed
    assert rest[0].items[0]._source._packed


async def test_pages_that_are_gone_are_not_held() -> None:
    """A pass holds no page that its user has let go."""
    cursor = Pages(_decoded).pages()
    seen = [weakref.ref(page._answer) async for page in cursor if page._answer is not None]
    gc.collect()

    assert [None] * 9 == [answer() for answer in seen]
