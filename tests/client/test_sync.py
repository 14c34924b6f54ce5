"""The sync client: the same calls, from threads."""

import asyncio
import gc
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Homebox, OutcomeUnknown, Retry, ValidationError, sync
from homebox_async.base_client import BlockingClient
from homebox_async.blocking import Facade
from homebox_async.evidence import Completeness


def public(cls: type) -> set[str]:
    """Return the public methods of a class, inherited ones too."""
    return {
        name
        for base in cls.__mro__
        for name, value in vars(base).items()
        if name[0] != "_" and callable(value)
    }


FACADES = [
    (facade, facade.__orig_bases__[0].__args__[0])
    for facade in vars(sync).values()
    if isinstance(facade, type) and issubclass(facade, Facade)
    if facade not in {Facade, BlockingClient, Homebox}
]


@pytest.mark.parametrize(("facade", "target"), FACADES, ids=lambda cls: cls.__name__)
def test_parity(facade: type, target: type) -> None:
    """Each facade has the operations of its async class: the same function and signature."""
    assert public(target) == public(facade)
    assert facade.__doc__ == target.__doc__
    for name in public(target):
        ours, theirs = getattr(facade, name), getattr(target, name)
        assert theirs is ours.__wrapped__
        assert inspect.signature(theirs) == inspect.signature(ours)
        assert theirs.__doc__ == ours.__doc__


def test_parity_of_the_clients() -> None:
    """The clients have the same names, options and resources."""
    rename = {"aclose": "close"}
    assert {rename.get(name, name) for name in public(AsyncHomebox)} == public(Homebox)
    for name in ("__init__", "with_options"):
        ours, theirs = (
            [
                (p.name, p.kind, p.default)
                for p in inspect.signature(getattr(c, name)).parameters.values()
            ]
            for c in (Homebox, AsyncHomebox)
        )
        assert theirs == ours
    assert Homebox.request.__wrapped__ is AsyncHomebox.request  # type: ignore[attr-defined]
    resources = set(AsyncHomebox.__annotations__)
    with Homebox("t") as box:
        for name in resources:
            facade, target = getattr(box, name), getattr(box._target, name)
            assert target is facade._target
            assert (type(facade), type(target)) in FACADES
    of_a_branch = {"BranchProperties", "BranchOrders", "BranchInvites"}
    assert len(FACADES) == len(resources) + len(of_a_branch)


def test_lists(served: Any, box: Homebox) -> None:
    """Lists are iterated by item and by page, from where one wants."""
    pages = {
        n: b'{"data": [{"id": %d}, {"id": %d}], "meta": {"last_page": 3, "total": 7}}'
        % (2 * n - 1, 2 * n)
        for n in (1, 2, 3)
    }

    async def act(wire: Any, seen: Any) -> None:
        number = int(seen.target.rpartition("page=")[2])
        await served.say(200, pages.get(number, b'{"data": []}'))(wire, seen)

    served.default = act
    leads = box.leads.list(prefetch=2)
    assert [1, 2, 3, 4, 5, 6] == [lead.id for lead in leads]
    assert [1, 2, 3] == [page.number for page in leads.pages()]
    assert [1, 2, 3] == [lead.id for lead in leads.collect(max_items=3)]
    first = leads.first()
    assert first is not None
    assert 1 == first.id
    cursor = iter(leads)
    assert cursor is iter(cursor)
    next(cursor)
    assert 2 == cursor.pages.next_page
    assert [2, 3, 4, 5, 6] == [lead.id for lead in cursor]
    reason = "6 items came, and the server reported a total of 7"
    assert Completeness(False, reason) == cursor.pages.completeness()
    cursor = iter(leads)
    next(cursor)
    cursor.close()
    assert [2] == [lead.id for lead in cursor]


def test_threads_share_a_client(served: Any, box: Homebox) -> None:
    """Threads share one client, one pool and one loop."""
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: box.request("POST", "x", json={"n": n}), range(200)))
    assert [{}] * 200 == results
    assert 200 == len({seen.body for seen in served.seen})
    assert served.connections <= 8
    assert 1 == sum(thread.name == "homebox-client" for thread in threading.enumerate())


def test_threads_share_a_list(served: Any, box: Homebox) -> None:
    """Threads that pull from one iteration get each item once."""

    async def act(wire: Any, seen: Any) -> None:
        number = int(seen.target.rpartition("page=")[2])
        items = ", ".join(f'{{"id": {10 * number + i}}}' for i in range(5 if number < 9 else 0))
        await served.say(200, f'{{"data": [{items}]}}'.encode())(wire, seen)

    served.default = act
    cursor = iter(box.leads.list())
    with ThreadPoolExecutor(4) as pool:
        parts = [pool.submit(lambda: [lead.id for lead in cursor]) for _ in range(4)]
    found = [i for part in parts for i in part.result()]
    assert [10 * n + i for n in range(1, 9) for i in range(5)] == sorted(map(int, found))  # type: ignore[arg-type]


async def test_inside_a_running_loop(server: Any) -> None:
    """The sync client works in a thread that runs a loop, as in a notebook."""
    url = server.url

    def use() -> Any:
        async def cell() -> Any:
            with Homebox("t", base_url=url) as box:
                return box.request("GET", "x")

        return asyncio.run(cell())

    assert {} == await asyncio.to_thread(use)


def test_errors_come_through(served: Any, box: Homebox) -> None:
    """An error of the loop's thread is raised in the caller's, with nothing changed."""
    served.default = served.reset
    with pytest.raises(OutcomeUnknown, match="POST x: it may have happened"):
        box.request("POST", "x")
    with pytest.raises(ValidationError):
        box.properties.get(-1)


def test_context_variables_travel(served: Any) -> None:
    """The caller's context variables are seen by middlewares."""
    import contextvars

    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    found: list[str] = []

    async def note(request: Any, handler: Any) -> Any:
        found.append(name.get())
        return await handler(request)

    with Homebox("t", base_url=served.url, middlewares=[note]) as box:
        name.set("caller")
        box.request("GET", "x")
    assert ["caller"] == found


def test_with_options(served: Any) -> None:
    """A view shares the connections; it, too, keeps the client alive and closes it."""
    view = Homebox("t", base_url=served.url).with_options(deadline=5, retry=Retry(attempts=1))
    gc.collect()
    assert {} == view.request("GET", "x")
    other = view.with_options(deadline=None)
    del view
    gc.collect()
    assert {} == other.request("GET", "x")
    assert f"<Homebox {served.url}>" == repr(other)
    other.close()
    assert 1 == served.connections
