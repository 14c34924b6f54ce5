"""Lists that are cut, mislabelled, shuffled, or change while they are read, in every combination.

What must hold: what a pass, two passes or an export call complete lacks nothing that was there
all the time; what comes, comes once; and a server that ignores `page` is an error.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AnswerUnusable, AsyncHomebox
from homebox_async.emulator import Address, Assumed, Emulator
from homebox_async.emulator.records import NewLead
from homebox_async.export import export

COUNT, SIZE = 11, 3
META = ["as printed", "everywhere", "total", "last page", "nothing"]
DELETED = (1, 2, 5, 6)

# name -> what is assumed
CHANGES: dict[str, dict[str, Any]] = {
    "quiet": {},
    "cut": {"page_cap": 2},
    "ties move": {"ties_move": True},
    "others add": {"others_add": 1},
    "others delete": {"others_delete": DELETED},
    "others add and delete": {"others_add": 1, "others_delete": DELETED},
    "last page too low": {"last_page_error": -1},
    "last page too high": {"last_page_error": 1},
    "total too low": {"total_error": -1},
    "total too high": {"total_error": 1},
    "total too low, and cut": {"total_error": -5, "page_cap": 2},
}
# What no client can know: the server holds pages back, and what it reports agrees.
HIDDEN = {
    ("cut", "nothing"),
    ("last page too low", "last page"),
    ("total too low, and cut", "total"),
    ("total too low, and cut", "nothing"),
}


def fill(emulator: Emulator, what: str) -> None:
    """Add some homes or leads."""
    for number in range(COUNT):
        if what == "properties":
            home = Address(f"{number} High Street", None, "Leeds", None, "LS1 1AA")
            emulator.store.add_property(home)
        else:
            day = "2030-01-01"
            emulator.store.add_lead(
                NewLead(address=None, tenancy_start=day, tenancy_end=day, notifications=False)
            )


@pytest.fixture(params=["oldest-first", "newest-first"])
def order(request: pytest.FixtureRequest) -> Any:
    """Return the order of the lists."""
    return request.param


def is_hidden(change: str, meta: str, what: str) -> bool:
    """Return whether no client can know that something is missing."""
    shown = ("everywhere" if what == "leads" else "nothing") if meta == "as printed" else meta
    return (change, shown) in HIDDEN


@pytest.mark.parametrize("what", ["properties", "leads"])
@pytest.mark.parametrize("meta", META)
@pytest.mark.parametrize("change", CHANGES)
async def test_changing_lists(
    change: str, meta: Any, what: Any, order: Any, tmp_path: Path
) -> None:
    """What is called complete is complete; nothing comes twice."""
    assumed = Assumed(
        list_order=order,
        list_meta=meta,
        property_page_size=SIZE,
        lead_page_size=SIZE,
        **CHANGES[change],
    )
    deleted = set(assumed.others_delete)
    async with Emulator(assumed=assumed) as emulator, connected(emulator) as client:
        fill(emulator, what)
        steady = set(range(1, COUNT + 1)) - deleted
        report = await export(client, what, tmp_path / "a.jsonl", format="jsonl")
        lines = (tmp_path / "a.jsonl").read_text().splitlines()
        exported = [json.loads(line)["id"] for line in lines]
        assert len(exported) == len(set(exported)) == report.rows
        if not is_hidden(change, meta, what):
            assert steady <= set(exported) or not report.complete, report
        assert report.complete == (report.reason == "")
        if change == "quiet":
            assert report.complete
    async with Emulator(assumed=assumed) as emulator, connected(emulator) as client:
        fill(emulator, what)
        pages = getattr(client, what).list(prefetch=2)
        first, second = pages.pages(), pages.pages()
        found = [
            [item.id async for page in cursor for item in page.items] for cursor in (first, second)
        ]
        assert [len(ids) for ids in found] == [len(set(ids)) for ids in found]
        if first.completeness().complete and not is_hidden(change, meta, what):
            assert steady <= set(found[0])
        if second.completeness(earlier=first).complete and not is_hidden(change, meta, what):
            assert steady <= set(found[1])
        collected = [item.id for item in await pages.collect()]
        assert len(collected) == len(set(collected))


def connected(emulator: Emulator) -> AsyncHomebox:
    """Return a client."""
    return AsyncHomebox(emulator.token, base_url=emulator.url)


@pytest.mark.parametrize("meta", META)
@pytest.mark.parametrize("what", ["properties", "leads"])
async def test_a_server_that_ignores_page(what: Any, meta: Any, tmp_path: Path) -> None:
    """Neither a list nor an export takes one page for the whole."""
    assumed = Assumed(
        list_meta=meta, property_page_size=SIZE, lead_page_size=SIZE, pages_count=False
    )
    async with Emulator(assumed=assumed) as emulator, connected(emulator) as client:
        fill(emulator, what)
        with pytest.raises(AnswerUnusable, match="ignores `page`"):
            await getattr(client, what).list().collect()
        with pytest.raises(AnswerUnusable, match="ignores `page`"):
            await export(client, what, tmp_path / "a.csv")
        assert not (tmp_path / "a.csv").exists()


async def test_many_are_added_in_front(tmp_path: Path) -> None:
    """Pages that bring nothing new are no end: all that was there is exported."""
    assumed = Assumed(list_order="newest-first", property_page_size=50)
    async with Emulator(assumed=assumed) as emulator, connected(emulator) as client:
        for number in range(1_000):
            home = Address(f"{number} High Street", None, "Leeds", None, "LS1 1AA")
            emulator.store.add_property(home)
        cursor = client.properties.list().pages()
        found: set[int | None] = set()
        for turn in itertools.count(1):
            page = await anext(cursor, None)
            if page is None:
                break
            found.update(item.id for item in page.items)
            for number in range(60 if turn == 3 else 0):
                home = Address(f"{number} New Street", None, "Leeds", None, "LS1 1AA")
                emulator.store.add_property(home)
        assert set(range(1, 1_001)) <= found
        assert not cursor.completeness().complete
        report = await export(client, "properties", tmp_path / "a.csv")
        assert (True, 1_060) == (report.complete, report.rows)
