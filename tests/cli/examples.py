"""The examples of the helps, and a world in which they find what they name."""

import datetime as dt
import functools
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import openpyxl

from homebox_async.cli.reference import commands
from homebox_async.emulator import Address, Emulator
from homebox_async.emulator.package_records import Branch, Invite, Payer, Payment
from homebox_async.emulator.records import PARTNER, Lead, Record, Tenant

SAMPLE = Path(__file__).parents[1] / "data" / "land-registry-sample.csv"
PEOPLE = {"first_name": "Ann", "last_name": "Lee", "phone_number": "+447700900000"}
HOME = {"line1": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"}
BANK = {"account_name": "Ann Lee", "account_number": "12345678", "sort_code": "000000"}
DATES = {"tenancy_start": "2026-12-01", "tenancy_end": "2027-11-30"}
PERSON = {**PEOPLE, "email_address": "ann@example.com"}
PAYER = {
    **PEOPLE,
    **BANK,
    "email": "ann@example.com",
    "birthday": "1990-01-31",
    "nationality": "GB",
    "billing_address": HOME,
}


def _tenancies(written: Callable[[dt.date], str]) -> str:
    """Return a tenancy of two tenants that starts soon."""
    days = (dt.date.today() + dt.timedelta(days=days) for days in (7, 372))
    people = ["first_name", "last_name", "phone_number", "email_address"]
    header = [f"tenant{n}_{part}" for n in (1, 2) for part in people]
    tenants = [
        f"{name},Fox,+44770090{n},{name}@example.com" for n, name in ((1111, "jo"), (2222, "al"))
    ]
    return (
        f"line1,city,postcode,reference,tenancy_start,tenancy_end,{','.join(header)}\n"
        f"1 High Street,Leeds,LS1 1AA,T1,{','.join(map(written, days))},{','.join(tenants)}\n"
    )


def _voids(start: str) -> str:
    """Return a premium void, and one that suppliers are told of."""
    person = ",".join(PERSON.values())
    return (
        "property_id,tenancy_start,is_premium,property_empty,notifications,"
        f"{','.join(f'responsible_{part}' for part in (*PERSON, *HOME))}\n"
        f"1,{start},yes,yes,no,{person},{','.join(HOME.values())}\n"
        f"2,{start},no,yes,yes,{person},{','.join(HOME.values())}\n"
    )


# What the files of the examples hold; a word before the name tells two of one name apart.
FILES: Mapping[str, Any] = {
    "account.json": {"name": "Lee Lettings"},
    "mandates account.json": BANK,
    "payer.json": PAYER,
    "all.json": {"payer": PAYER, "more": 1},
    "invite.json": PEOPLE,
    "lead.json": {"address": HOME, "tenants": [PERSON], **DATES},
    "tenant-packages order.json": {
        "package_id": 2,
        "address": HOME,
        "total_occupants": 2,
        "household_type": "student",
        "tenancy_move_in": "2026-12-01",
        **DATES,
    },
    "partner-packages order.json": {
        "bills": [{"id": "1"}],
        "address": HOME,
        "housemates": 2,
        "is_student": False,
        "billing_address": HOME,
        "tenants": [PERSON],
        **BANK,
        **DATES,
    },
    "void.json": {
        "property_id": 12,
        "tenancy_start": "2026-12-01",
        "property_empty": True,
        "responsible_tenant": PERSON,
        "responsible_address": HOME,
    },
    "responsible.json": {"responsible_tenant": PERSON, "responsible_address": HOME},
    "token.txt": "a-token\n",
    "credentials": "user\npassword\n",
    "bill.pdf": b"%PDF-1.7\n" + b"\0" * 32,
    "logo.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 32,
    "meter.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + b"\0" * 32,
    "portfolio.csv": "line1,city,postcode,reference\n1 High Street,Leeds,LS1 1AA,A1\n",
    "tenancies.csv": _tenancies(dt.date.isoformat),
    "dmy tenancies.csv": _tenancies(lambda day: day.strftime("%d/%m/%Y")),
    "voids.csv": _voids("2026-12-01"),
    "dmy voids.csv": _voids("01/12/2026"),
    "readings.csv": "property_id,type,reading,date\n1,gas,4711,2026-11-20\n",
    "dmy readings.csv": "property_id,type,reading,Taken\n1,gas,4711,20/11/2026\n",
    "city=Town portfolio.csv": "No,Street,Town,postcode,reference\n1,High St,Leeds,LS1 1AA,A1\n",
}


def examples() -> list[str]:
    """Return every example line of every help once; lines that go on are joined."""
    found: dict[str, None] = {}
    for _, text in commands():
        block = text.partition("  Examples:\n")[2].replace("\\\n", " ")
        for line in block.splitlines():
            if not line.startswith("    "):
                break
            found[line.strip()] = None
    return list(found)


def write_files(line: str, folder: Path) -> None:
    """Write the files that an example reads."""
    words = shlex.split(line)
    for name, content in FILES.items() if "export" not in words else ():
        word, _, file = name.rpartition(" ")
        if file in words and word in {"", *words}:
            if not isinstance(content, str | bytes):
                content = json.dumps(content)
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "bills").mkdir()
    (folder / "photos").mkdir()
    (folder / "photos" / "1-gas-2026-11-20.jpg").write_bytes(FILES["meter.jpg"])
    if "portfolio.xlsx" in words and "import" in words:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.title = "Lettings"
        for text in FILES["portfolio.csv"].splitlines():
            book.active.append(text.split(","))
        book.save(folder / "portfolio.xlsx")
    if "sales.csv" in words:
        rows = SAMPLE.read_text().splitlines(keepends=True)[:21]
        (folder / "sales.csv").write_text("".join(rows))


def fill(emulator: Emulator, line: str) -> None:
    """Let an emulator hold all that an example names by its id."""
    for name in ("123", "1234567890"):
        emulator.store.remember_address(
            Address("9 Mill Lane", None, "Leeds", None, "LS1 1AA", name)
        )
    emulator.store.commit(*_records(12345 if "12345" in line else 678))


@functools.cache
def _records(properties: int) -> tuple[Record, ...]:
    """Return so many properties, order 678, and all that is 34 of order 12, which branch 7 has.

    The ids of a table have no gaps, so whatever is before them is there as well.
    """
    maker = Emulator()
    home = maker.store.add_property(
        Address(line1="1 High Street", line2=None, city="Brighton", county=None, postcode="BN1 1AB")
    )
    order = maker.seed_order(home.id)
    tenancy = maker.store.tenancies[order.tenancy_id]
    at = maker.store.clock()
    evolve = attrs.evolve
    person = ("Ann", "Lee")
    tenant = Tenant(1, *person, "+447700900000", "ann@example.com")

    def order_of(number: int) -> int:
        return 12 if number == 34 else 1

    def of(number: int) -> int:
        return 7 if number in {12, 34} else PARTNER

    return (
        *(Branch(n, f"Branch {n}", None, None, None, None, at) for n in range(2, 8)),
        *(
            evolve(home, id=n, reference=f"R{n}", partner_id=of(n))
            for n in range(1, properties + 1)
        ),
        *(
            evolve(tenancy, id=n, property_id=12 if n == 34 else n, order_id=n, partner_id=of(n))
            for n in range(1, 679)
        ),
        *(
            evolve(order, id=n, property_id=n, tenancy_id=34 if n == 12 else n, partner_id=of(n))
            for n in range(1, 679)
        ),
        *(
            Lead(n, n, "2026-12-01", "2027-11-30", False, True, None, None, (tenant,), at, 7)
            for n in range(1, 13)
        ),
        *(Invite(n, order_of(n), *person, "+447700900000", 1, at, at) for n in range(1, 35)),
        *(
            Payer(
                *(n, order_of(n), *person, "ann@example.com", "+447700900000"),
                *("1990-01-31", "GB", "Ann Lee", "rejected", at),
            )
            for n in range(1, 35)
        ),
        *(
            Payment(
                *(n, order_of(n), "50.00", "direct-debit", "failed", 1, None, None),
                *("ann@example.com", *person, None, at),
            )
            for n in range(1, 35)
        ),
    )
