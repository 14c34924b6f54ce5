"""Lists of a server that lies about them: a pass ends, yields nothing twice, goes nowhere else."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from homebox_async import AnswerUnusable, HomeboxError, Retry
from homebox_async.evidence import MAX_PAGES, ListPass
from homebox_async.importer.whole_lists import read_whole

Answer = Callable[[int], Any]
MOST = 60  # requests; a pass that needs more does not end


def serve(server: Any, answer: Answer) -> None:
    """Let the server answer each page by its number."""

    async def act(wire: Any, seen: Any) -> None:
        assert len(server.seen) <= MOST, "this pass does not end"
        number = int(parse_qs(urlsplit(seen.target).query)["page"][0])
        tree = answer(number)
        await server.say(200, tree if isinstance(tree, bytes) else json.dumps(tree).encode())(
            wire, seen
        )

    server.default = act


def page(*ids: Any, **meta: Any) -> dict[str, Any]:
    """Return a page of leads."""
    return {"data": [{"id": one} for one in ids], **({"meta": meta} if meta else {})}


# name -> the answer to each page, the ids that a pass gives, "..." where an error ends it
LISTS: dict[str, tuple[Answer, list[Any]]] = {
    "loops": (lambda n: page((n - 1) % 3), [0, 1, 2, ...]),
    "loops with a last page": (lambda n: page((n - 1) % 3, last_page=10**9), [0, 1, 2, ...]),
    "ignores page": (lambda n: page(1, 2), [1, 2, ...]),
    "ignores page with a last page": (lambda n: page(1, 2, last_page=10**9), [1, 2, ...]),
    "ignores page with a total": (lambda n: page(1, 2, last_page=5, total=10), [1, 2, ...]),
    "repeats its last page": (lambda n: page(min(n, 3)), [1, 2, 3, ...]),
    "repeats its last page, told": (lambda n: page(min(n, 3), last_page=3), [1, 2, 3]),
    "grows as it is read": (
        lambda n: page(*[n] * (n < 10), last_page=min(n + 1, 9)),
        [*range(1, 10)],
    ),
    "shrinks as it is read": (
        lambda n: page(*[n] * (n < 6), last_page=9 - n),
        [1, 2, 3, 4, 5],
    ),
    "last page too low": (
        lambda n: page(*[n] * (n < 4), last_page=1, total=3),
        [1, 2, 3],
    ),
    "last page below 0": (lambda n: page(*[n] * (n < 3), last_page=-5), [1, 2]),
    "last page 0": (lambda n: page(1, last_page=0), [1]),
    "last page in words": (lambda n: page(*[n] * (n < 3), last_page="9999"), [1, 2]),
    "last page true": (lambda n: page(*[n] * (n < 3), last_page=True), [1, 2]),
    "last page a list": (lambda n: page(*[n] * (n < 3), last_page=[9]), [1, 2]),
    "last page a fraction": (lambda n: page(*[n] * (n < 3), last_page=1.5), [1, 2]),
    "last page of 400 digits": (lambda n: page(*[n] * (n < 3), last_page=10**400), [1, 2]),
    "total below 0": (lambda n: page(1, last_page=1, total=-1), [1]),
    "total of 10^18": (lambda n: page(1, last_page=1, total=10**18), [1]),
    "meta a list": (lambda n: {"data": [{"id": 1}] * (n < 2), "meta": [1]}, [1]),
    "meta in words": (lambda n: {"data": [{"id": 1}] * (n < 2), "meta": "x"}, [1]),
    "empty with more told": (lambda n: page(last_page=10**9), []),
    "ids of 400 digits": (lambda n: page(10**400, last_page=1), [10**400]),
    "ids below 0": (lambda n: page(-1, -2, -1, last_page=1), [-1, -2]),
    "ids in words": (lambda n: page("x", "y", last_page=1), [None, None]),
    "no ids, the same again": (
        lambda n: {"data": [{"tenancy_type": "a"}, {"tenancy_type": "b"}]},
        [None, None, ...],
    ),
}


@pytest.mark.parametrize("prefetch", [0, 4])
@pytest.mark.parametrize("name", LISTS)
async def test_lists(server: Any, client: Any, name: str, prefetch: int) -> None:
    """However a list lies, a pass over it ends with each item once, or says what is wrong."""
    answer, expected = LISTS[name]
    serve(server, answer)
    found: list[Any] = []
    try:
        async for lead in client.leads.list(prefetch=prefetch):
            found.append(lead.id)  # noqa: PERF401  # the items before an error count
    except AnswerUnusable:
        found.append(...)
    assert expected == found


async def test_a_list_that_brings_new_items_for_ever(server: Any, client: Any) -> None:
    """Only the reader can tell that enough is enough: `max_items` and `break` do."""
    serve(server, lambda n: page(n, last_page=n + 1))
    assert 20 == len(await client.leads.list(prefetch=4).collect(max_items=20))
    assert len(server.seen) < 30


LINKS = ["http://{host}/steal", "https://{host}/steal", "//{host}/steal", "file:///etc/passwd"]


@pytest.mark.parametrize("link", LINKS)
async def test_links_to_another_host(server: Any, client: Any, link: str) -> None:
    """The server's links are never followed, wherever they lead: no request, no token."""
    other = type(server)()
    await other.start()
    where = link.format(host=other.url.removeprefix("http://"))
    links = dict.fromkeys(("first", "last", "prev", "next"), where)

    def answer(number: int) -> Any:
        told = {"next_page_url": where, "path": where, "last_page": 2, "links": [{"url": where}]}
        return {**page(number, **told), "links": links, "next_page_url": where}

    serve(server, answer)
    assert [1, 2] == [lead.id async for lead in client.leads.list()]
    await other.stop()
    assert (2, 0) == (len(server.seen), other.connections)


@pytest.mark.parametrize(
    "body",
    [b'{"message": "Server Error"}', b'{"error": "x", "data": 5}', b"[[1]]", b"<html>", b'"x"'],
    ids=repr,
)
async def test_no_list(server: Any, connect: Any, body: bytes) -> None:
    """What is no list is our own error, and not an empty list."""
    serve(server, lambda n: body)
    with pytest.raises(HomeboxError):
        await connect(retry=Retry(attempts=1)).leads.list().collect()


async def test_an_error_in_the_middle(server: Any, connect: Any) -> None:
    """A list that breaks into an error is never taken for a shorter one."""
    serve(server, lambda n: page(n, last_page=5) if n < 3 else {"error": "Server Error"})
    pages = connect(retry=Retry(attempts=1)).leads.list().pages()
    assert [1, 2] == [(await anext(pages)).items[0].id for _ in range(2)]
    with pytest.raises(HomeboxError, match="Server Error"):
        await anext(pages)


async def test_the_importer_reads_no_list_that_loops(server: Any, client: Any) -> None:
    """The importer's reading of a list that returns to its start is an error, not an absence."""
    serve(server, lambda n: page(n % 7, last_page=10**9))

    async def add(items: Any) -> None:
        pass

    with pytest.raises(AnswerUnusable, match="returns to its start"):
        await read_whole(client.properties.list, add)


@pytest.mark.parametrize("told", [{}, {"total": 3}, {"total": 10**18}], ids=str)
def test_no_list_is_read_for_ever(told: dict[str, int]) -> None:
    """A list that always has more ends at a bound: twice its total, or an absolute one."""
    evidence = ListPass(path="lead")
    most = 1_006 if told.get("total") == 3 else MAX_PAGES
    for number in range(1, most + 1):
        evidence.feed(number, [number], **told)
    with pytest.raises(AnswerUnusable) as found:
        evidence.feed(most + 1, [most + 1], **told)
    assert "lead" == found.value.path
