"""Evidence about lists: has a list ended, and does a pass over it prove that nothing is missing?

Plain values, no I/O. A `ListPass` is given each page of a pass as it comes and notices what a
server can do to a list meanwhile: items that move between two pages, a total that changes, pages
that are missing or repeated. Nothing is concluded from what did not come unless `completeness`
says so.

A list was read whole if as many different items came as it held at one moment, and all of them
were there at that moment. How many it held is the reported total, or where there is none the
number of places on all pages. That all of them were there shows in a second pass that brings
them again; a total does not show it, as it stays the same if one item is deleted and another one
is added between two pages. Only a single page that holds the reported total is a proof by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import attrs

from .errors import AnswerUnusable, Outcome

# The third page in a row with the same items: exactly a page of items may have been added in
# front between two requests, but not twice.
_SAME_PAGES = 3
# More pages in a row than this, and than all pages before them, that bring nothing new: a list
# that returns to its start.
_STALE_PAGES = 20
# Items that may come beyond twice the reported total.
_SLACK = 1_000
# At 50 items a page, a list of five million.
MAX_PAGES = 100_000


@attrs.frozen
class Completeness:
    """True `complete`: everything that was in a list all the time has come. `reason` says why."""

    complete: bool
    reason: str


class IdSet(Collection[int]):
    """A set of whole numbers, a bit each: a million ids take about 200 kB."""

    def __init__(self) -> None:
        self._bits: dict[int, int] = {}

    def add(self, number: int) -> bool:
        """Add a number; False if it was there."""
        place, bit = number >> 10, 1 << (number & 1023)
        bits = self._bits.get(place, 0)
        if bits & bit:
            return False
        self._bits[place] = bits | bit
        return True

    def __contains__(self, number: object) -> bool:
        assert isinstance(number, int)
        return bool(self._bits.get(number >> 10, 0) >> (number & 1023) & 1)

    def __iter__(self) -> Iterator[int]:
        for place, bits in self._bits.items():
            yield from (place << 10 | bit for bit in range(1024) if bits >> bit & 1)

    def __len__(self) -> int:
        return sum(map(int.bit_count, self._bits.values()))

    def __le__(self, other: IdSet) -> bool:
        bits_of = other._bits.get
        return all(not bits & ~bits_of(place, 0) for place, bits in self._bits.items())

    def __ior__(self, other: IdSet) -> IdSet:
        for place, bits in other._bits.items():
            self._bits[place] = self._bits.get(place, 0) | bits
        return self


def is_id(number: int) -> bool:
    """Return True if a number can be an id: databases hold no larger ones, nor does the journal."""
    return 0 < number < 1 << 63


class ListPass:
    """One pass over a list, page by page.

    `path` is the list's, for errors. `ended` is True once nothing more is to be read. `seen`
    are the identities that came, `count` is the number of them, `total` what the server last
    reported.
    """

    def __init__(self, start: int = 1, *, path: str = "") -> None:
        self.seen = IdSet()
        self.count = 0
        self.ended = False
        self._start = start
        self.path = path
        self._places = 0
        self._pages = 0
        self._filled = 0
        self._same = 1
        self._stale = 0
        self._last: Sequence[int] | None = None
        self.total: int | None = None
        self._first_total: int | None = None
        self._last_page: int | None = None
        self._most = 0
        self._changes: list[str] = []

    def feed(
        self,
        number: int,
        identities: Sequence[int],
        *,
        total: int | None = None,
        last_page: int | None = None,
    ) -> list[bool]:
        """Take the next page in; return for each of its items if it is new.

        Raises AnswerUnusable if the server ignores `page`, or if the list has no end.
        """
        self._same = self._same + 1 if identities and identities == self._last else 1
        if self._same >= _SAME_PAGES:
            self._refuse(
                f"page {number} holds the same items as the {_SAME_PAGES - 1} pages before it: the"
                " server ignores `page`, so that only a part of the list can be read"
            )
        self._bound(number, len(identities), total)
        self._last = identities
        self._pages += 1
        self._filled += bool(identities)
        self._places += len(identities)
        self._compare(number, len(identities), total, last_page)
        add = self.seen.add
        new = [add(identity) for identity in identities]
        fresh = sum(new)
        self.count += fresh
        self._stale = 0 if fresh else self._stale + 1
        beyond = last_page is not None and number > last_page
        reached = last_page is not None and number >= last_page
        self.ended = (
            not identities
            # Short of the total, the last page may be wrong: the page after it shows whether it is.
            or (reached and (total is None or self._start != 1 or self.count >= total))
            or (beyond and not fresh)
        )
        return new

    def completeness(
        self, witnesses: Iterable[int] = (), *, earlier: ListPass | None = None
    ) -> Completeness:
        """Say whether the pass proves that nothing is missing.

        `witnesses`: identities that are known to be in the list. `earlier`: a pass before this
        one. With it, the question is whether the two together prove that nothing is missing
        that was there from the start of the earlier one.
        """
        if missing := [one for one in witnesses if one not in self.seen]:
            more = len(missing) - 1
            which = f" and {more:,} more, which are" if more else ", which is"
            return Completeness(
                False, f"the list does not show {missing[0]}{which} known to be there"
            )
        if earlier is not None and self._confirms(earlier):
            return Completeness(True, "a second pass showed all that came in the first")
        if self.fault:
            return Completeness(False, self.fault)
        if self._changes:
            return Completeness(False, self._changes[0])
        if not self.count:
            return Completeness(True, "the list is empty")
        if self.total is not None and self._filled == 1:
            return Completeness(True, "one page held the reported total")
        if earlier is not None:
            return Completeness(False, "two passes over the list did not agree")
        return Completeness(
            False,
            "one pass over the list does not show whether items were deleted while it was read",
        )

    @property
    def fault(self) -> str:
        """Why the items that came are not the whole list at the end of the pass, "" if they are.

        It takes for granted that none of them was deleted while the list was read.
        """
        if self._start != 1:
            return f"the pass began at page {self._start}"
        if not self.ended:
            return "the list was not read to its end"
        if self.total is not None and self.count != self.total:
            return f"{self.count:,} items came, and the server reported a total of {self.total:,}"
        if self._is_short:
            return f"{self._filled:,} of {self._last_page:,} pages have items"
        if self.total is None and self.count != self._places:
            return _twice(self._places - self.count)
        return ""

    @property
    def _is_short(self) -> bool:
        """True if fewer pages had items than the server reported."""
        return bool(self.count and self._filled < (self._last_page or 0))

    def _confirms(self, earlier: ListPass) -> bool:
        """True if all that came in an earlier pass was the whole list at its end."""
        if not (self.ended and earlier.ended and earlier.seen <= self.seen) or earlier._is_short:
            return False
        # What came before a moment and after it was there in that moment. Pages that are asked
        # for together may be answered in any order, so the last total is not that of the end
        # unless no other one was reported; the first one of this pass is that of its start.
        whole = not earlier.fault and (earlier.total is None or not earlier._changes)
        return whole or (self._start == 1 and self._first_total == earlier.count)

    @property
    def disturbance(self) -> str:
        """What shows that the list changed, or that its end is not its end; "" if nothing does."""
        if self._changes:
            return self._changes[0]
        return self.fault if self._start == 1 and self.ended else ""

    # --- how

    def _compare(self, number: int, items: int, total: int | None, last_page: int | None) -> None:
        """Note what this page reports otherwise than those before it."""
        first = self._pages == 1
        if first:
            self._first_total = total
        if items and last_page is not None and number > max(last_page, 1):
            pages = "1 page" if last_page < 2 else f"{last_page:,} pages"
            self._note(f"page {number:,} has items, and the server reported {pages}")
        # The empty page after the last one may report nothing.
        if first or total is not None:
            if not first and total != self.total:
                self._note(_changed("total", self.total, total))
            self.total = total
        elif items and self.total is not None:
            self._note(_changed("total", self.total, None))
        if first or last_page is not None:
            if not first and last_page != self._last_page:
                self._note(_changed("last page", self._last_page, last_page))
            self._last_page = last_page

    def _note(self, change: str) -> None:
        if not self._changes:
            self._changes.append(change)

    def _bound(self, number: int, items: int, total: int | None) -> None:
        self._most = max(self._most, total or 0)
        if (self.total is not None or total is not None) and (
            self._places + items > 2 * self._most + _SLACK
        ):
            self._refuse(
                f"{self._places + items:,} items came up to page {number:,}, and the server"
                f" reported a total of {self._most:,}; the list does not end"
            )
        if self._pages >= MAX_PAGES:
            self._refuse(f"the list has more than {MAX_PAGES:,} pages")
        if self._stale > max(_STALE_PAGES, self._pages - self._stale):
            self._refuse(
                f"{self._stale:,} pages up to page {number - 1:,} brought nothing new; the list"
                " returns to its start and does not end"
            )

    def _refuse(self, message: str) -> None:
        raise AnswerUnusable(
            message, outcome=Outcome.REJECTED, method="GET", path=self.path, attempts=1
        )


def _changed(what: str, before: int | None, now: int | None) -> str:
    then, later = ("none" if n is None else f"{n:,}" for n in (before, now))
    return f"the list changed while it was read: its {what} was {then}, then {later}"


def _twice(number: int) -> str:
    came = "1 item came" if number == 1 else f"{number:,} items came"
    return f"the list changed while it was read: {came} twice, so that others may be missing"
