"""The probe: the first row that was created is read back before the second one is sent.

It shows what this server does to what it is sent: whether references come back whole, how long
the list is behind, whether it reports a total. That costs a handful of requests. What it shows
is kept in the ledger: for 30 days, other imports begin without a probe, and have one only if a
row is left without an answer.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from ..client import AsyncHomebox
from ..errors import RequestError
from ..events import IMPORTER_LOG
from ..pages import Page
from ..resources.addresses import Address
from ..resources.leads import Lead
from ..resources.properties import Property
from .address_matching import Likeness, compare, place_of
from .addressing import place_of_address
from .claims import Claims, Item
from .course import Course
from .finding import identity_of
from .journal import Journal, Reader
from .ledger_claims import LedgerClaims
from .ownership import Owner
from .repeats import equal_references

_NOTE = "probe"
_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds between two looks at the list
_MARGIN = 2.0  # times the lag that was seen: how long to wait for what a later row left


@attrs.frozen
class Learned:
    """What the first created row showed of a server.

    `length`: to how many characters references are shortened, 0 if they are not; `case`: "lower"
    or "upper" if they are recased. `known`: whether that explains what was shown. `shown`: whether
    any reference was. `address`: "as sent", "changed", or "" where it cannot be compared.
    `seconds`: until the list showed it. `total`: whether the list reports one. `by_id`,
    `by_query`: whether it was found so.
    """

    length: int = 0
    case: str = ""
    known: bool = True
    shown: bool = True
    address: str = ""
    seconds: float = 0.0
    total: bool = False
    by_id: bool = False
    by_query: bool = False

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Learned:
        """Return what was kept, by this version or a later one."""
        return cls(**{name: kept[name] for name in attrs.fields_dict(cls) if name in kept})

    @property
    def alters(self) -> bool:
        """Whether references come back in another form, which is known."""
        return self.known and bool(self.length or self.case)

    def altered(self, reference: str) -> str:
        """Return a reference as the server shows it."""
        if self.length:
            reference = reference[: self.length]
        return getattr(reference, self.case)() if self.case else reference

    @property
    def references(self) -> str:
        """What becomes of references, in words."""
        if not self.shown:
            return "references are not shown"
        if not self.known:
            return "references come back in another form"
        ways = [f"shortened to {self.length} characters"] * bool(self.length)
        ways += [f"in {self.case} case"] * bool(self.case)
        return f"references come back {' and '.join(ways) or 'whole'}"

    def __str__(self) -> str:
        found = [way for way, yes in (("its id", self.by_id), ("q", self.by_query)) if yes]
        return "; ".join(
            [
                self.references,
                *([f"the address comes back {self.address}"] if self.address else []),
                f"in the list after {self.seconds:.1f} s",
                f"found by {' and '.join(found)}" if found else "found in the list only",
                f"the list reports {'a' if self.total else 'no'} total",
            ]
        )


def compare_references(sent: str, shown: tuple[str, ...]) -> Learned:
    """Return what became of a reference, as far as it can be seen from one."""
    if not sent or sent in shown:
        return Learned()
    if not shown:
        return Learned(shown=False)
    for one in shown:
        if not one:
            continue
        length = len(one) if len(one) < len(sent) else 0
        for case in ("", "lower", "upper"):
            learned = Learned(length=length, case=case)
            if learned.altered(sent) == one:
                return learned
    return Learned(known=False)


@attrs.frozen
class _Seen:
    """What an answer shows of the row: its references, and its address ("" if unknown)."""

    references: tuple[str, ...]
    address: str = ""


class _PropertyAnswers:
    """How properties are read back."""

    @staticmethod
    async def by_id(client: AsyncHomebox, identity: int) -> Any:
        return await client.properties.get(identity)

    @staticmethod
    async def page(client: AsyncHomebox, number: int) -> Page[Any]:
        return await client.properties.list()._fetch(number)

    @staticmethod
    async def query(client: AsyncHomebox, row: Any) -> Page[Any] | None:
        postcode = row.address.postcode
        return await client.properties.list(q=postcode)._fetch(1) if postcode else None

    @staticmethod
    async def seen(client: AsyncHomebox, found: Property, row: Any) -> _Seen:
        owner = await Owner.of(client)
        entries = [each for each in found.partner_properties if owner.owns(each) is not False]
        return _Seen(
            tuple(each.property_reference for each in entries if each.property_reference),
            _address(found, row.address),
        )


class _LeadAnswers:
    """How leads are read back; their list takes no query."""

    @staticmethod
    async def by_id(client: AsyncHomebox, identity: int) -> Any:
        return await client.leads.get(identity)

    @staticmethod
    async def page(client: AsyncHomebox, number: int) -> Page[Any]:
        return await client.leads.list()._fetch(number)

    @staticmethod
    async def query(client: AsyncHomebox, row: Any) -> Page[Any] | None:
        return None

    @staticmethod
    async def seen(client: AsyncHomebox, found: Lead, row: Any) -> _Seen:
        references = (found.property_reference,) if found.property_reference else ()
        return _Seen(references, _address(found.property, row.address) if found.property else "")


_ANSWERS: dict[str, Any] = {"properties": _PropertyAnswers, "leads": _LeadAnswers}


def _address(found: Any, sent: Any) -> str:
    if not isinstance(sent, Address):
        return ""
    lines = [getattr(found, f"address_line{n}", None) for n in range(1, 5)]
    shown = place_of(lines, found.address_city, found.address_county, found.address_postcode)
    same = compare(place_of_address(sent), shown) is Likeness.SAME
    return "as sent" if same else "changed"


class Probe:
    """Reads back the first row that was created; `done` once there is nothing left to learn.

    Until then, rows are sent one after the other, in turns.
    """

    def __init__(
        self,
        kind: str,
        client: AsyncHomebox,
        journal: Journal,
        ledger: LedgerClaims,
        claims: Claims,
        course: Course,
    ) -> None:
        self._answers: Any = _ANSWERS.get(kind)
        self._client = client
        self._journal = journal
        self._ledger = ledger
        self._claims = claims
        self._course = course
        self._created: tuple[Item, int, float] | None = None
        self._is_taken = False
        self._ended_turn = asyncio.Event()
        self.done = self._answers is None
        # What another import has learned may be true no more.
        self._is_hearsay = False
        self.learned = Learned()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the report says of it: what makes this server differ from a plain one."""
        learned = self.learned
        plain = learned.known and learned.shown and not learned.alters
        how = "an earlier import has shown" if self._is_hearsay else "the first row was read back"
        return () if plain else (f"{how}: {learned}",)

    async def load(self) -> None:
        """Take over what an earlier run has learned, or another import."""
        if self.done:
            return
        kept = await self._journal.kept(_NOTE)
        if kept is None:
            kept = await self._ledger.learned()
            self._is_hearsay = kept is not None
        if kept is not None:
            await self._take(Learned.of(kept))

    async def renew(self) -> None:
        """Have a probe of this import's own, for rows are to be looked up.

        What only another import has learned is not enough for that: the server may have changed.
        """
        if self._is_hearsay and self._created is not None:
            self.done = False
            await self.read_back()
            self.done = True

    async def doubt(self) -> None:
        """Let no other import rely on what was learned: the server has changed."""
        if self._answers is not None:
            await self._ledger.learn(None)

    async def take_turn(self) -> bool:
        """Return True when a row may be sent in a turn of its own, False when it needs none."""
        while not self.done:
            if not self._is_taken:
                self._is_taken = True
                return True
            # Not a lock: once no turns are needed, all who wait continue at once.
            self._ended_turn.clear()
            await self._ended_turn.wait()
        return False

    def end_turn(self) -> None:
        """Let the next row be sent."""
        self._is_taken = False
        self._ended_turn.set()

    def created(self, item: Item, identity: int) -> None:
        """Note a row that was created: the first one is read back, the last one to renew."""
        if self._created is None or self._is_hearsay:
            self._created = item, identity, time.monotonic()

    async def read_back(self) -> None:
        """Read back the row that was created, if one was; stop the import if it is missing."""
        if self.done or self._created is None:
            return
        course, phase = self._course, self._course.phase
        course.phase = "reading back"
        try:
            learned = await course.unless_drained(self._look(*self._created))
        except RequestError as error:
            # Look-ups meet the same failure, and stop the import where they need the list.
            IMPORTER_LOG.warning("import: the first row could not be read back: %s", error)
            self.done = True
            return
        finally:
            course.phase = phase
        if learned is None:
            await self.doubt()
            return
        IMPORTER_LOG.info("import: the first row was read back: %s", learned)
        # The longest time that was seen: a list that was late once may be late again.
        seconds = max(learned.seconds, self.learned.seconds)
        learned = attrs.evolve(learned, seconds=seconds)
        self._is_hearsay = False
        await self._journal.keep(_NOTE, attrs.asdict(learned))
        await self._ledger.learn(attrs.asdict(learned))
        await self._take(learned)

    def row_as_shown(self, row: Any) -> Any:
        """Return a row with the reference by which this server shows it."""
        if not self.learned.alters or not row.reference:
            return row
        shown = self.learned.altered(row.reference)
        if hasattr(row, "generated"):
            return attrs.evolve(row, generated=row.generated | {shown})
        return attrs.evolve(row, reference=shown)

    async def _take(self, learned: Learned) -> None:
        self.learned, self.done = learned, True
        self._claims.wait_at_least(_MARGIN * learned.seconds)
        if learned.alters:
            await self._check_references(learned)

    async def _check_references(self, learned: Learned) -> None:
        """Stop if two references of the input are one to the server."""

        def equal(reader: Reader) -> str:
            rows = equal_references(reader, learned.altered)
            return reader.places(rows) if rows else ""

        if places := await self._journal.take(equal):
            self._course.drain(
                f"{learned.references}, and those of {places} are the same then: give references"
                " that stay different, and import the rows that are left from another file"
            )

    async def _look(self, item: Item, identity: int, since: float) -> Learned | None:
        """Return what is learned; None once the import has stopped for what is missing."""
        row, answers = item.row, self._answers
        by_id = await self._or_none(lambda: answers.by_id(self._client, identity))
        query = await self._or_none(lambda: answers.query(self._client, row))
        found, total, looks = await self._find(identity, since)
        if found is None:
            self._course.drain(
                f"{self._journal.words.one} {identity}, which was just created, is not in the list"
                f" after {time.monotonic() - since:.0f} s, so that rows without an answer could"
                " not be found there; wait until Homebox lists it, or give a longer --settle"
            )
            return None
        seen = await answers.seen(self._client, found, row)
        return attrs.evolve(
            compare_references(row.reference, seen.references),
            address=seen.address,
            # One that was created long ago shows no more than that the list was faster.
            seconds=0.0 if self._is_hearsay and looks == 1 else round(time.monotonic() - since, 3),
            total=total,
            by_id=by_id is not None,
            by_query=query is not None and _on(query, identity) is not None,
        )

    async def _or_none(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await ask()
        except RequestError:
            return None

    async def _find(self, identity: int, since: float) -> tuple[Any, bool, int]:
        """Return it as the list shows it, whether that reports a total, and the looks it took."""
        last, pause, looks = 0, _PAUSE, 0
        while True:
            looks += 1
            late = time.monotonic() - since > self._claims.settle_time
            found, total, last = await self._pass(identity, 0 if late else last)
            if found is not None or late:
                return found, total, looks
            await asyncio.sleep(min(pause, max(0.0, self._claims.settle_time / 4)))
            pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _pass(self, identity: int, last: int) -> tuple[Any, bool, int]:
        """Look at the first page and the last one, or at all where no last one is known."""
        page = await self._answers.page(self._client, 1)
        total = page.total is not None
        if (found := _on(page, identity)) is not None or not page.items:
            return found, total, 1
        start = number = max(2, page.last_page or last)
        for number in itertools.count(start):
            page = await self._answers.page(self._client, number)
            if not page.items or (found := _on(page, identity)) is not None:
                return _on(page, identity), total, max(1, number - 1)
            if page.last_page is not None and number >= page.last_page:
                break
        return None, total, number


def _on(page: Page[Any], identity: int) -> Any:
    return next((found for found in page.items if identity_of(found) == identity), None)
