"""What the rows of each kind say, for the ledger."""

from __future__ import annotations

import functools

from ..rules import UNSET
from .leads import LeadRow
from .properties import PropertyRow
from .readings import ReadingRow
from .said import Said, day, home_text, person_texts
from .voids import VoidRow


@functools.singledispatch
def said(row: object) -> Said:
    """Return what a row says."""
    raise TypeError(f"{type(row).__name__} is no row of an import")


@said.register
def _of_property(row: PropertyRow) -> Said:
    home = home_text(row.address)
    # A reference stands for one home: another address with it is not the same home.
    return Said(keys=(f"ref {row.reference}",), home=home, content=home)


@said.register
def _of_lead(row: LeadRow) -> Said:
    homes = [f"ref {row.reference}"] if row.reference else []
    if row.address is not UNSET:
        homes.append(home_text(row.address))
    tenants = tuple(
        text
        for tenant in row.tenants
        for text in person_texts(tenant.phone_number, tenant.email_address)
    )
    # The same home and day with other people is another lead: a room of a shared house.
    return Said(
        keys=tuple(f"{home}|{row.tenancy_start}|{who}" for home in homes for who in tenants),
        home=homes[-1],
        # With another address or reference, the leads at Homebox decide.
        content="|".join(homes),
        tenancy=f"{homes[-1]}|{row.tenancy_start}",
        tenants=tenants,
        starts=row.tenancy_start,
        ends=day(row.tenancy_end),
    )


@said.register
def _of_reading(row: ReadingRow) -> Said:
    kind, number = row.home
    home = f"{kind} {number}"
    key = f"{home}|{row.type}|{row.date_of_reading}|{row.values}"
    return Said(keys=(key,), home=home, starts=row.date_of_reading)


@said.register
def _of_void(row: VoidRow) -> Said:
    home = f"property {row.property_id}" if row.address is UNSET else home_text(row.address)
    tenancy = f"{home}|{row.tenancy_start}"
    return Said(
        keys=(tenancy,),
        home=home,
        tenancy=tenancy,
        starts=row.tenancy_start,
        ends=day(row.tenancy_end),
    )
