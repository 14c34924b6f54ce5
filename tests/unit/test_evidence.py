"""What a pass over a list proves, tried on a model of servers that knows nothing of the emulator.

A server is a list of numbers, cut into pages. Between two answers others add and delete items,
and items that the server sorts by nothing in particular change places. It may report a total and
a last page, or neither, hold pages back, or get the last page wrong. What must hold: if a pass
is called complete, every item that was there from its first answer to its last one has come.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homebox_async import AnswerUnusable
from homebox_async.evidence import Completeness, IdSet, ListPass

ADD = ["add in front", "add at the end", "add somewhere"]
Shown = tuple[list[int], int | None, int | None]


@attrs.define
class Server:
    """A list, and what happens to it after each answer."""

    items: list[int]
    size: int
    total: bool
    last_page: bool
    events: Iterator[list[str]]
    chance: random.Random
    cap: int | None = None  # pages
    wrong_last: int | None = None
    gone: set[int] = attrs.field(factory=set)
    _made: int = 10_000

    def ask(self, number: int) -> Shown:
        """Answer a page, its total and last page; then let things happen."""
        shown = self.items[(number - 1) * self.size : number * self.size]
        if self.cap is not None and number > self.cap:
            shown = []
        total = len(self.items) if self.total else None
        last = max(1, -(-len(self.items) // self.size)) if self.last_page else None
        for event in next(self.events, []):
            self.happen(event)
        return shown, total, last if self.wrong_last is None else self.wrong_last

    def happen(self, event: str) -> None:
        """Let one thing happen."""
        end = len(self.items)
        if event == "shuffle":
            self.chance.shuffle(self.items)
        elif event == "swap" and end > 1:
            first = self.chance.randrange(end - 1)
            self.items[first : first + 2] = self.items[first : first + 2][::-1]
        elif event == "delete" and end:
            self.gone.add(self.items.pop(self.chance.randrange(end)))
        elif event.startswith("add"):
            self._made += 1
            place = {"add in front": 0, "add at the end": end}.get(event)
            self.items.insert(self.chance.randint(0, end) if place is None else place, self._made)


def read(server: Server, ahead: int = 0) -> tuple[ListPass, set[int]]:
    """Read the list once as a cursor does; return the evidence and what was there at first.

    Pages that are asked for ahead are answered in any order.
    """
    there = set(server.items)
    evidence, number, answered = ListPass(), 1, {1: server.ask(1)}
    while not evidence.ended:
        if number not in answered:
            answered[number] = server.ask(number)
        shown, total, last = answered.pop(number)
        evidence.feed(number, shown, total=total, last_page=last)
        number += 1
        if ahead and last is not None and total is not None and not answered:
            window = [n for n in range(number, number + ahead) if n <= last]
            server.chance.shuffle(window)
            answered = {n: server.ask(n) for n in window}
    return evidence, there


def missing(evidence: ListPass, steady: set[int]) -> set[int]:
    """Return what has not come."""
    return {item for item in steady if item not in evidence.seen}


def servers(*events: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Server]:
    """Make servers to which these events happen."""
    happenings = st.lists(st.lists(st.sampled_from(events), max_size=2), max_size=12)
    parts: dict[str, st.SearchStrategy[Any]] = {
        "items": st.integers(0, 12).map(lambda n: list(range(1, n + 1))),
        "size": st.integers(1, 4),
        "total": st.booleans(),
        "last_page": st.booleans(),
        "events": happenings.map(iter),
        "chance": st.randoms(use_true_random=False),
    }
    return st.builds(Server, **{**parts, **more})


CAP = st.none() | st.integers(1, 4)
AHEAD = st.sampled_from([0, 0, 1, 3])
calm = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@calm
@given(
    server=servers(*ADD, "delete", "shuffle", "swap", cap=CAP, wrong_last=CAP),
    ahead=AHEAD,
    witnesses=st.lists(st.integers(1, 12), max_size=2),
)
def test_one_pass(server: Server, ahead: int, witnesses: list[int]) -> None:
    """What one pass calls complete lacks nothing, whatever happens between any two answers."""
    try:
        evidence, there = read(server, ahead)
    except AnswerUnusable:
        return  # refused with words, and nothing is concluded
    if evidence.completeness(witnesses).complete:
        assert set() == missing(evidence, there - server.gone)


# What the server reports, and what is wrong with it that no report hides.
REPORTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "total": {"total": st.just(True), "cap": CAP, "wrong_last": CAP},
    "last page": {"total": st.just(False), "last_page": st.just(True), "cap": CAP},
    "nothing": {"total": st.just(False), "last_page": st.just(False)},
}
TIES = {"items": st.integers(2, 4).map(lambda n: list(range(1, n + 1))), "size": st.integers(1, 2)}
TIES["events"] = st.just(["shuffle"]).map(itertools.repeat)


@pytest.mark.parametrize("ties", [False, True], ids=["all", "ties"])
@pytest.mark.parametrize("reports", REPORTS)
@settings(calm, max_examples=100)
@given(data=st.data())
def test_two_passes_that_agree(reports: str, ties: bool, data: st.DataObject) -> None:
    """Two passes are a proof whatever happens between any two answers of both.

    Pages that a server holds back without reporting a total are what no client can see.
    """
    more = REPORTS[reports] | (TIES if ties else {})
    server = data.draw(servers(*ADD, "delete", "shuffle", "swap", **more))
    ahead = data.draw(AHEAD)
    try:
        first, there = read(server, ahead)
        second, _ = read(server, ahead)
    except AnswerUnusable:
        return
    alone = second.completeness().complete
    if second.completeness(earlier=first).complete and not alone:
        assert set() == missing(second, there - server.gone)


def test_an_addition_hides_no_deletion() -> None:
    """A deletion that an addition hides from the total shows in a second pass."""
    first, second = ListPass(), ListPass()
    first.feed(1, [1, 2], total=4, last_page=2)
    first.feed(2, [4, 5], total=4, last_page=2)  # 1 is deleted, 5 added, 3 is on page 1 now
    second.feed(1, [2, 3], total=4, last_page=2)
    second.feed(2, [4, 5], total=4, last_page=2)
    assert "" == first.disturbance == second.disturbance
    assert not second.completeness(earlier=first).complete


@settings(calm, max_examples=100)
@given(server=servers("swap"), ahead=AHEAD)
def test_a_quiet_list_is_proved_by_two_passes(server: Server, ahead: int) -> None:
    """A list to which nothing happens is complete after two passes, often after one."""
    server.events = iter([])
    first, _ = read(server, ahead)
    second, _ = read(server, ahead)
    one_page = server.total and len(server.items) <= server.size
    assert (not server.items or one_page) == first.completeness().complete
    assert second.completeness(earlier=first).complete
    assert "" == first.disturbance == second.disturbance


@settings(calm, max_examples=100)
@given(server=servers(*ADD, total=st.just(True)))
def test_a_list_that_only_grew_meanwhile_is_proved(server: Server) -> None:
    """What others add after a pass does not disprove it."""
    events, server.events = list(server.events), iter([])
    first, there = read(server)
    server.events = iter(events)
    try:
        second, _ = read(server)
    except AnswerUnusable:
        return
    assert set() == missing(second, there) or not second.completeness(earlier=first).complete
    assert (first.seen <= second.seen) == second.completeness(earlier=first).complete


ONE_PASS = "one pass over the list does not show whether items were deleted while it was read"
# name -> the pages (ids, total, last page) of one pass, and why it is not complete
CHANGED = "the list changed while it was read: "
REASONS: dict[str, tuple[list[Shown], str]] = {
    "not read": ([], "the list was not read to its end"),
    "not to its end": ([([1], 9, 9)], "the list was not read to its end"),
    "page cap": (
        [([1, 2], 100, 50), ([], 100, 50)],
        "2 items came, and the server reported a total of 100",
    ),
    "page cap without a total": ([([1], None, 9), ([], None, 9)], "1 of 9 pages have items"),
    "total changed": (
        [([1, 2], 4, 2), ([3, 4, 5], 5, 2)],
        CHANGED + "its total was 4, then 5",
    ),
    "total gone": (
        [([1], 2, None), ([2], None, None), ([], None, None)],
        CHANGED + "its total was 2, then none",
    ),
    "last page changed": (
        [([1], 3, 2), ([2], 3, 3), ([3], 3, 3)],
        CHANGED + "its last page was 2, then 3",
    ),
    "last page too low": (
        [([1], 2, 1), ([2], 2, 1)],
        "page 2 has items, and the server reported 1 page",
    ),
    "repeated": (
        [([1, 2], None, None), ([2, 3], None, None), ([], None, None)],
        CHANGED + "1 item came twice, so that others may be missing",
    ),
    "too many": ([([1, 2, 3], 2, 1)], "3 items came, and the server reported a total of 2"),
    "no total": ([([1], None, None), ([], None, None)], ONE_PASS),
    "total on two pages": ([([1], 2, 2), ([2], 2, 2)], ONE_PASS),
}


@pytest.mark.parametrize("name", REASONS)
def test_reasons(name: str) -> None:
    """What is not complete says why in words."""
    pages, reason = REASONS[name]
    evidence = ListPass()
    for number, (shown, total, last) in enumerate(pages, 1):
        assert not evidence.ended
        evidence.feed(number, shown, total=total, last_page=last)
    assert Completeness(False, reason) == evidence.completeness()


def test_witnesses() -> None:
    """A list that does not show what is known to be there is not complete, total or not."""
    evidence = ListPass()
    evidence.feed(1, [1, 2], total=2, last_page=1)
    assert evidence.completeness([1, 2]).complete
    told = "the list does not show 3 and 1 more, which are known to be there"
    assert Completeness(False, told) == evidence.completeness([2, 3, 4])
    told = "the list does not show 3, which is known to be there"
    assert Completeness(False, told) == evidence.completeness([3], earlier=evidence)


@given(st.sets(st.integers()), st.sets(st.integers()))
def test_id_sets(some: set[int], others: set[int]) -> None:
    """A set of ids is a set of numbers of any sign and length."""
    left, right = IdSet(), IdSet()
    assert [left.add(n) for n in some] == [True] * len(some)
    assert [left.add(n) for n in some] == [False] * len(some)
    for n in others:
        right.add(n)
    assert (some <= others) == (left <= right)
    assert [n in some for n in others] == [n in left for n in others]
    left |= right
    assert all(n in left for n in some | others)
