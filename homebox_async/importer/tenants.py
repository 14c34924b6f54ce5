"""Rows with one home and one first day: the same lead twice, joint tenants, or separate rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..resources.addresses import Address, AddressId
from ..resources.leads import NewTenant
from .address_matching import Likeness, compare
from .addressing import place_of_address
from .joining import join
from .journal import Journal, State
from .options import Tenancies
from .sources import Source, SourceError

if TYPE_CHECKING:
    from .leads import LeadColumns, LeadRow

_MOST = 20
_SHOWN = 5
_TWICE_FIX = "leave one of them out"
_ALIKE = ("tenancy_end", "notifications", "existing_tenancy", "managing_party_name")


async def check_tenancies(
    source: Source, columns: LeadColumns, journal: Journal, tenants: Tenancies | None
) -> Mapping[int, tuple[NewTenant, ...]]:
    """Reject rows that repeat a lead, and return the tenants that join those of each row.

    Raises SourceError if rows may be of joint tenants or of separate rooms, and it is not given
    which.
    """
    _, groups = await journal.duplicate_addresses(limit=-1)
    if not groups:
        return {}
    wanted = {number for group in groups for number in group}
    rows = await asyncio.to_thread(_rows, source, columns, wanted)
    joint: dict[int, tuple[NewTenant, ...]] = {}
    asked: list[Sequence[int]] = []
    for group in groups:
        for home in _homes(rows[number] for number in group if number in rows):
            first, *others = [row for row in home if await _is_kept(row, home, journal, source)]
            if not others or tenants == "separate":
                continue
            if tenants is None:
                asked.append([row.number for row in (first, *others)])
            else:
                joint[first.number] = await _join(first, others, journal, source)
    await journal.flush()
    if asked:
        raise _question(source, asked)
    return joint


def _rows(source: Source, columns: LeadColumns, wanted: set[int]) -> dict[int, LeadRow]:
    rows = {}
    for row in source.rows():
        if row.number in wanted:
            made = columns.read(row)
            if not isinstance(made, list):
                rows[row.number] = made
    return rows


def _homes(rows: Iterable[LeadRow]) -> list[list[LeadRow]]:
    """Part rows by their home: rooms of one house may share a reference."""
    homes: list[list[LeadRow]] = []
    for row in rows:
        for home in homes:
            if not _contradict(row, home[0]):
                home.append(row)
                break
        else:
            homes.append([row])
    return homes


def _contradict(one: LeadRow, other: LeadRow) -> bool:
    if isinstance(one.address, Address) and isinstance(other.address, Address):
        places = place_of_address(one.address), place_of_address(other.address)
        return compare(*places) is Likeness.CONTRADICTS
    if isinstance(one.address, AddressId) and isinstance(other.address, AddressId):
        return one.address.address_id != other.address.address_id
    return False


async def _is_kept(row: LeadRow, home: Sequence[LeadRow], journal: Journal, source: Source) -> bool:
    """Return True if no earlier row of the home has one of the row's tenants; else reject it."""
    contacts = set(row.contacts)
    for earlier in home:
        if earlier.number == row.number:
            return True
        if not contacts.isdisjoint(earlier.contacts):
            await _reject(
                row, journal, f"is the same lead as {source.places([earlier.number])}", _TWICE_FIX
            )
            return False
    return True


async def _join(
    first: LeadRow, others: Sequence[LeadRow], journal: Journal, source: Source
) -> tuple[NewTenant, ...]:
    """Have rows sent with the first one; return their tenants."""
    tenants: tuple[NewTenant, ...] = ()
    place = source.places([first.number])
    for row in others:
        differing = [name for name in _ALIKE if getattr(row, name) != getattr(first, name)]
        if differing:
            error = f"is of the same tenancy as {place}, with another {differing[0]}"
            await _reject(row, journal, error, f"make {differing[0]} the same in both rows")
        elif len(first.tenants) + len(tenants) + len(row.tenants) > _MOST:
            error = f"with it, the tenancy of {place} has more than {_MOST} tenants"
            await _reject(row, journal, error, "make two tenancies of it, with a reference each")
        else:
            tenants += row.tenants
            await journal.take(partial(join, number=row.number, first=first.number))
    return tenants


async def _reject(row: LeadRow, journal: Journal, error: str, fix: str) -> None:
    if (await journal.entry(row.number)).state is State.PENDING:
        journal.record(row.number, State.REJECTED, field="row", error=error, fix=fix)
        await journal.flush()


def _question(source: Source, asked: Sequence[Sequence[int]]) -> SourceError:
    rows = "; ".join(source.places(group) for group in asked[:_SHOWN])
    more = f" (and {len(asked) - _SHOWN} homes more)" if len(asked) > _SHOWN else ""
    return SourceError(
        f"{source.name}: {rows}{more} have the same home and first day, and different"
        " tenants; if they are joint tenants of one tenancy, import with --tenants joint, which"
        " makes one lead of them; if each has a tenancy of their own, with --tenants separate"
    )
