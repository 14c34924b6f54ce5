"""Inputs of leads and voids, for the tests of their imports."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from homebox_async.importer import Import, import_leads, import_voids

LEAD = ("POST", "/api/partner/lead")
VOID = ("POST", "/api/partner/void")
PERSON = "Zqann,Zqlee,+447911{:06},zq{}@example.com"
LEADS = (
    "line1,city,postcode,ref,start date,end date,notifications,"
    "tenant1_first_name,tenant1_last_name,tenant1_phone,tenant1_email,"
    "tenant2_first_name,tenant2_last_name,tenant2_phone,tenant2_email"
)
VOIDS = (
    "property_id,ref,tenancy_start,tenancy_end,is_premium,property_empty,notifications,"
    "responsible_first_name,responsible_last_name,responsible_phone_number,"
    "responsible_email_address,responsible_line1,responsible_city,responsible_postcode"
)
SOON = dt.date.today() + dt.timedelta(days=7)
LATER = dt.date.today() + dt.timedelta(days=60)


def lead(
    n: int,
    *,
    ref: str | None = None,
    start: object = SOON,
    end: object = dt.date(2060, 12, 31),
    notifications: str = "",
    tenants: int = 1,
    line1: str | None = None,
) -> str:
    """Return the line of a lead; tenant k of row n has a number of their own."""
    people = [PERSON.format(10 * n + k, 10 * n + k) if k < tenants else ",,," for k in range(2)]
    reference = f"L{n}" if ref is None else ref
    home = f"{n} High Street" if line1 is None else line1
    return f"{home},Leeds,LS1 1AA,{reference},{start},{end},{notifications},{','.join(people)}"


def void(n: int, *, home: object = 1, start: object = SOON, more: str = ",,yes,") -> str:
    """Return the line of a void; `more`: tenancy_end, is_premium, property_empty, notifications."""
    return f"{home},V{n},{start},{more},{PERSON.format(n, n)},9 Mill Lane,Leeds,LS1 1AB"


def write(bench: Any, lines: Iterable[str], header: str = LEADS) -> None:
    """Write the input of a bench."""
    bench.write(lines=lines, header=header)


def leads(bench: Any, confirm: Any = lambda preview: True, **options: Any) -> Import:
    """Return a run of the input as leads."""
    return _run(import_leads, bench, {"settle": 0.05, "confirm": confirm, **options})


def voids(bench: Any, confirm: Any = lambda preview: True, **options: Any) -> Import:
    """Return a run of the input as voids."""
    return _run(import_voids, bench, {"confirm": confirm, **options})


def _run(make: Any, bench: Any, options: dict[str, Any]) -> Import:
    client = options.pop("client", None) or bench.client()
    source = options.pop("source", bench.path)
    run: Import = make(client, source, **{"results": bench.folder, "patience": 3.0, **options})
    return run


def texted(bench: Any) -> Counter[str]:
    """Return how often each tenant was sent an SMS."""
    return Counter(message.to for message in bench.emulator.outbox if message.kind == "sms")


def posts(bench: Any, to: tuple[str, str] = LEAD) -> int:
    """Return how many requests to create something came in."""
    return int(bench.emulator.counts.requests[" ".join(to)])
