"""Which properties of Homebox are those of rows: by reference, or by address where there is none.

`weigh` holds the rules, plain values; `look_up` and `compare` read the list.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from ..client import AsyncHomebox
from ..evidence import Completeness
from ..resources.addresses import AddressId
from ..resources.properties import Property
from ..rules import UNSET, Unset
from .address_matching import ADDRESS_RULE, Likeness, Place, compare, key_of, place_of, postcode_of
from .addressing import GENERATED, first_key_of
from .finding import Hits, LookUp, identity_of, may_be_it, named
from .journal import Journal, Reader, State
from .kinds import BY_ADDRESS, Pending, Tell
from .matched_rows import recased_rows
from .ownership import Owner
from .references import is_altered
from .report import RowResult
from .whole_lists import read_whole

if TYPE_CHECKING:
    from .properties import PropertyRow

# More postcodes than this: one pass over the list is cheaper than two queries for each.
_MOST_QUERIES = 25
# Properties in memory that have to be compared with rows one by one.
_AT_ONCE = 20_000
# Rows whose references begin like one that the list shows; more than these share a prefix only.
_ALIKE = 100
_NOT_ALNUM = re.compile(r"[\W_]+")
_ALTERED = "its reference comes back shortened or in another case"
_MOVED = "it has this address at another postcode"
_UNCLEAR = "it has this reference, and Homebox does not show whose reference it is"
_SIMILAR = "its address is similar, and it has no reference"
_SEVERAL = "it has the address of more than one row, and no reference"
_UNSURE = "it has this reference, but its address may be another home's"
_NOT_THIS_HOME = (
    "if another file has the same references for other homes, import this one with"
    " --reference-prefix PREFIX; if it is this home with a corrected address, run:"
    " {command}"
)

Free = Literal["match", "doubt", "ignore"]
"""What a property with a row's address and no reference is: the row's, perhaps, or not."""


@attrs.frozen
class Listed:
    """A property as the list shows it.

    `references`: the account's own; `unclear`: those whose account is not shown. `is_free`: it is
    the account's, and carries no reference of it.
    """

    id: int
    references: tuple[str, ...]
    unclear: tuple[str, ...]
    is_free: bool
    external_id: str
    key: str = attrs.field(repr=False)
    address: tuple[str | None, ...] = attrs.field(repr=False)

    @property
    def has_lines(self) -> bool:
        """Whether there is more of an address than a postcode and a town."""
        return any(self.address[:4])

    @property
    def place(self) -> Place:
        """The address taken apart."""
        *lines, city, county, postcode = self.address
        return place_of(lines, city, county, postcode)

    @property
    def text(self) -> str:
        """The address on one line."""
        *lines, city, _, postcode = self.address
        return ", ".join(part for part in (*lines, city, postcode) if part)


def listed(found: Property, owner: Owner, rule: int = ADDRESS_RULE) -> Listed:
    """Take in a property of the list; `rule`: see `addressing.address_key`."""
    own: list[str] = []
    unclear: list[str] = []
    has_none = not found.partner_properties
    for entry in found.partner_properties:
        owned = owner.owns(entry)
        if owned is False:
            continue
        if entry.property_reference:
            (own if owned else unclear).append(entry.property_reference)
        else:
            has_none = True
    lines = (found.address_line1, found.address_line2, found.address_line3, found.address_line4)
    if not any(lines):
        key = f"id:{found.external_id}"
    elif rule == 1:
        key = first_key_of(*lines[:2], found.address_city, found.address_postcode)
    else:
        key = key_of(lines, found.address_postcode)
    return Listed(
        identity_of(found),
        tuple(own),
        tuple(unclear),
        has_none and not own and not unclear,
        found.external_id or "",
        key,
        (*lines, found.address_city, found.address_county, found.address_postcode),
    )


def weigh(
    row: PropertyRow,
    there: Listed,
    hits: Hits,
    *,
    free: Free = "match",
    was_sent: bool = False,
) -> None:
    """Note what a property is to a row, if anything.

    `free`: what a property is that has the row's address and no reference. `was_sent`: the row
    may be there, so that more is a doubt.
    """
    likeness = None
    if not isinstance(row.address, AddressId) and there.has_lines:
        likeness = compare(row.place, there.place)
    if not row.references.isdisjoint(there.references):
        if likeness is Likeness.CONTRADICTS:
            hits.contradictions[there.id] = (
                f"{named('property', [there.id])} has this reference at {there.text!r}; this row"
                f" has {row.text!r}"
            )
        elif likeness is Likeness.UNSURE or (likeness is not None and _differs(row, there)):
            hits.perhaps[there.id] = _UNSURE
        else:
            hits.by_reference.add(there.id)
    elif likeness is Likeness.CONTRADICTS:
        if _is_moved(row, there, was_sent=was_sent):
            hits.perhaps[there.id] = _MOVED
    elif not row.references.isdisjoint(there.unclear):
        hits.perhaps[there.id] = _UNCLEAR
    elif there.references or there.unclear:
        others = (*there.references, *there.unclear)
        has_address = likeness is not None
        if any(is_altered(row.reference, one, has_address=has_address) for one in others) and not (
            has_address and _differs(row, there)
        ):
            hits.perhaps[there.id] = _ALTERED
    elif there.is_free and free != "ignore":
        same_id = isinstance(row.address, AddressId) and row.address.address_id == there.external_id
        same = likeness is Likeness.SAME or same_id
        if same and free == "match":
            hits.by_address.add(there.id)
        elif same or likeness in (Likeness.NEAR, Likeness.UNSURE):
            hits.perhaps[there.id] = _SIMILAR


def contradicted(number: int, reference: str, hits: Hits, journal: Journal) -> RowResult:
    """Return the result of a row that was never sent, and whose reference is another home's."""
    there, error = min(hits.contradictions.items())
    fix = _NOT_THIS_HOME.format(command=journal.resolve_command(number, f"--is {there}"))
    return RowResult(
        number, State.REJECTED, reference, field="property_reference", error=error, fix=fix
    )


def _is_moved(row: PropertyRow, there: Listed, *, was_sent: bool) -> bool:
    """Return True if a property may be the row's at a postcode that the server has corrected.

    It has the row's lines, and a reference that may be the row's; or none, and the row was sent.
    """
    ours, theirs = (attrs.evolve(place, postcode="") for place in (row.place, there.place))
    if compare(ours, theirs) < Likeness.NEAR:
        return False
    if there.is_free:
        same_outward = row.place.postcode[:-3] == there.place.postcode[:-3]
        return was_sent and same_outward
    others = (*there.references, *there.unclear)
    return any(is_altered(row.reference, one, has_address=True) for one in others)


def _differs(row: PropertyRow, there: Listed) -> bool:
    """Return True if two addresses without a number have other words: "Rose Cottage" and "Ivy"."""
    return not row.place.numbers and compare(row.place, there.place) is Likeness.OTHER_WORDS


# --- look-ups


async def look_up(
    client: AsyncHomebox,
    rows: Collection[PropertyRow],
    *,
    witnesses: Collection[int] = (),
    quick: bool = False,
    create_them: bool = False,
) -> LookUp:
    """Return what was found for each row.

    `witnesses`: ids that are known to be in the list, as those of other rows. `quick`: only ask
    for the rows' postcodes, which shows presence and never absence.
    Raises RequestError if the list cannot be read.
    """
    seeker = _Seeker(rows, await Owner.of(client), witnesses, "doubt" if create_them else "match")
    queries: Sequence[str | Unset] = _queries(rows)
    for query in queries or [UNSET] * quick:
        # What a change hides counts for nothing here: it is presence that is looked for.
        async for page in client.properties.list(q=query)._pass(warn=False):
            await seeker.add(page.items)
    absence = Completeness(False, "the whole list was not read")
    if not quick and not seeker.found_all:
        absence = await read_whole(client.properties.list, seeker.add, witnesses)
    return LookUp(seeker.settled(), absence)


class _Index:
    """Rows, by all that a property of the list can have in common with them."""

    def __init__(self, rows: Iterable[PropertyRow]) -> None:
        self._by: defaultdict[tuple[str, str], list[PropertyRow]] = defaultdict(list)
        self._without_address: list[PropertyRow] = []
        for row in rows:
            for reference in row.references:
                self._by["reference", reference].append(row)
            if isinstance(row.address, AddressId):
                self._by["id", row.address.address_id].append(row)
                self._without_address.append(row)
            else:
                self._by["postcode", row.place.postcode].append(row)
                self._by["lines", _lines_of(row.place.key)].append(row)

    def near(self, there: Listed) -> Iterable[PropertyRow]:
        """Return the rows that have something in common with a property."""
        rows = {
            row.number: row
            for key in (
                *(("reference", one) for one in (*there.references, *there.unclear)),
                ("id", there.external_id),
                ("postcode", postcode_of(there.address[-1])),
                ("lines", _lines_of(there.place.key)),
            )
            for row in self._by.get(key, ())
        }
        for row in self._without_address:
            rows.setdefault(row.number, row)
        return rows.values()


class _Seeker:
    """Collects the hits of rows from pages."""

    def __init__(
        self,
        rows: Collection[PropertyRow],
        owner: Owner,
        witnesses: Collection[int],
        free: Free,
    ) -> None:
        self.hits = {row.number: Hits() for row in rows}
        self._rows = rows
        self._index = _Index(rows)
        self._owner = owner
        self._others = witnesses
        self._free: Free = free

    @property
    def found_all(self) -> bool:
        """Whether each row was found by its reference."""
        return all(hits.by_reference for hits in self.hits.values())

    def settled(self) -> Mapping[int, Hits]:
        """Return the hits; a property with the address of several rows is none of them for sure."""
        # Of rows with the same key, the journal knows all, those that are not looked up, too.
        keys: defaultdict[int, set[str]] = defaultdict(set)
        for row in self._rows:
            for one in self.hits[row.number].by_address:
                keys[one].add(row.key)
        for hits in self.hits.values():
            for one in [one for one in hits.by_address if len(keys[one]) > 1]:
                hits.by_address.discard(one)
                hits.perhaps[one] = _SEVERAL
        return self.hits

    async def add(self, page: Sequence[Property]) -> None:
        """Compare the properties of a page with the rows."""
        for found in page:
            there = listed(found, self._owner)
            is_known = there.id in self._others
            for row in self._index.near(there):
                # What was created for another row is not this one's, however alike they are.
                if not is_known or not row.references.isdisjoint(there.references):
                    weigh(row, there, self.hits[row.number], free=self._free, was_sent=True)


def _lines_of(key: str) -> str:
    """Return the key of an address without its postcode."""
    return key.partition("|")[2]


def _queries(rows: Collection[PropertyRow]) -> list[str]:
    postcodes = {_NOT_ALNUM.sub("", row.address.postcode or "").upper() for row in rows} - {""}
    if len(postcodes) > _MOST_QUERIES:
        return []
    # How the server spells what it searches in is not documented.
    return sorted({*postcodes, *(f"{code[:-3]} {code[-3:]}" for code in postcodes)})


# --- before anything is sent


class Comparison:
    """Compares all rows of a journal with the list, in bounded memory.

    A row whose reference and `key` both agree is matched in the journal at once. All others
    are weighed one by one.
    """

    def __init__(
        self, journal: Journal, pending: Pending[PropertyRow], owner: Owner, free: Free
    ) -> None:
        self._journal = journal
        self._pending = pending
        self._owner = owner
        self._free: Free = free
        self._hits: defaultdict[int, Hits] = defaultdict(Hits)
        self._forget()

    def _forget(self) -> None:
        self._of_row: defaultdict[int, list[Listed]] = defaultdict(list)
        self._at: defaultdict[str, list[Listed]] = defaultdict(list)
        self._count = 0

    async def add(self, page: Sequence[Property]) -> None:
        """Compare the properties of a page with the rows."""
        rule = self._journal.address_rule
        there = [listed(found, self._owner, rule) for found in page]
        await self._journal.take(lambda reader: self._look(reader, there))
        if self._count >= _AT_ONCE:
            await self._weigh()

    def _look(self, reader: Reader, page: Sequence[Listed]) -> None:
        """Find the rows that a property may be, in the journal's thread."""
        for there in page:
            if there.is_free:
                self._keep_by_address(there)
                continue
            alike = {entry.number for entry in reader.find_address(there.key)}
            exact = [
                entry
                for reference in (*there.references, *there.unclear)
                for entry in reader.find(reference)
                if entry.state is State.PENDING
            ]
            for entry in exact:
                if entry.number in alike and entry.reference in there.references:
                    reader.match([(entry.reference, there.id)])
                else:
                    self._keep(entry.number, there)
            if exact:
                continue
            for reference in (*there.references, *there.unclear):
                alike |= recased_rows(reader, reference, _ALIKE)
            if any(GENERATED.match(reference) for reference in there.references):
                self._keep_by_address(there)  # perhaps made of the same address by another rule
            for number in alike:
                self._keep(number, there)

    def _keep(self, number: int, there: Listed) -> None:
        self._of_row[number].append(there)
        self._count += 1

    def _keep_by_address(self, there: Listed) -> None:
        for place in (postcode_of(there.address[-1]), f"id:{there.external_id}"):
            self._at[place].append(there)
        self._count += 1

    async def _weigh(self) -> None:
        """Compare what was kept with the rows, in one pass over them."""
        if not self._count:
            return
        of_row, at = self._of_row, self._at
        self._forget()
        async for rows in self._pending():
            for row in rows:
                place = row.place.postcode
                if isinstance(row.address, AddressId):
                    place = f"id:{row.address.address_id}"
                for there in (*of_row.get(row.number, ()), *at.get(place, ())):
                    weigh(row, there, self._hits[row.number], free=self._free)

    async def finish(self, tell: Tell) -> None:
        """Note in the journal what became of rows that were weighed."""
        await self._weigh()
        uses = Counter(one for hits in self._hits.values() for one in hits.by_address)
        for number, hits in self._hits.items():
            await self._decide(number, hits, uses, tell)
        await self._journal.flush()

    async def _decide(self, number: int, hits: Hits, uses: Mapping[int, int], tell: Tell) -> None:
        entry = await self._journal.entry(number)
        if entry.state is not State.PENDING or (entry.id is not None and not hits.by_reference):
            return  # found by its reference and its very address
        found = set(hits.by_reference) | ({entry.id} if entry.id is not None else set())
        record = self._journal.record
        if found:
            if len(found) > 1:
                error = f"{named('property', found)} all have its reference"
                record(number, State.UNKNOWN, error=error)
            else:
                record(number, State.PENDING, id=min(found))
        elif hits.contradictions:
            await tell(contradicted(number, entry.reference, hits, self._journal))
        elif hits.perhaps:
            record(number, State.UNKNOWN, error=may_be_it("property", hits.perhaps))
        elif len(hits.by_address) > 1 or any(uses[one] > 1 for one in hits.by_address):
            perhaps = dict.fromkeys(hits.by_address, _SEVERAL)
            if len(hits.by_address) > 1:
                perhaps = dict.fromkeys(hits.by_address, "all have its address, and no reference")
            record(number, State.UNKNOWN, error=may_be_it("property", perhaps))
        elif hits.by_address:
            record(number, State.PENDING, id=min(hits.by_address), field=BY_ADDRESS)


async def compare_all(
    client: AsyncHomebox,
    journal: Journal,
    pending: Pending[PropertyRow],
    tell: Tell,
    *,
    create_them: bool,
) -> Completeness:
    """Note in the journal which rows a property is there for, or may be."""
    owner = await Owner.of(client)
    comparison = Comparison(journal, pending, owner, "ignore" if create_them else "match")
    complete = await read_whole(client.properties.list, comparison.add)
    await comparison.finish(tell)
    return complete
