"""The imports that there are, as functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from os import PathLike
from pathlib import Path
from typing import Literal

from ..client import AsyncHomebox
from ..errors import Problem, ValidationError
from ..rules import positive_integers
from ..tracebacks import clean
from .leads import Leads
from .options import DateOrder, ImportOptions, Tenancies
from .preview import Confirm
from .properties import Properties
from .readings import Readings
from .report import Report
from .run import Import, Input
from .voids import Voids


def _ids(name: str, ids: Collection[int]) -> frozenset[int]:
    if fault := positive_integers(list(ids)):
        raise ValidationError([Problem(name, *fault)])
    return frozenset(ids)


@clean
def import_properties(
    client: AsyncHomebox,
    source: Input,
    *,
    confirm: Confirm | None = None,
    mapping: Mapping[str, str] | None = None,
    preset: str | None = None,
    generate_references: bool = False,
    reference_prefix: str = "",
    create_them: bool = False,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    journal: str | PathLike[str] | None = None,
    ledger: str | PathLike[str] | None = None,
    results: str | PathLike[str] | None = None,
    concurrency: int | Literal["auto"] = "auto",
    patience: float = 1800.0,
    settle: float = 60.0,
    adopt_existing: bool = True,
    as_is: bool = False,
    dry_run: bool = False,
) -> Import:
    """Import properties from a CSV, JSON or Excel file, or from any iterable of rows.

    ::

        report = await import_properties(client, "portfolio.csv")

    `source`: a path of CSV, JSON or a workbook (.xlsx and .ods, with the extra `excel`), a binary
    stream, or an iterable or async iterable of mappings; `sheet`: which one of a workbook.
    Columns are recognised by the API's names and common synonyms; `mapping` names them otherwise,
    as a column or a template (``{"line1": "{saon} {paon} {street}", "city": "town"}``), and
    `preset` is a named mapping
    ("land-registry"). Every row needs a `property_reference` that no other row has, unless
    `generate_references` makes one of its address. `reference_prefix` becomes the
    start of each reference, so that those of two files that both number from 1 differ.
    `journal`: where progress is kept, by default ``<name>.journal`` beside the results; running
    the same import again resumes where it stopped and sends nothing twice.
    `ledger`: the folder of the ledger, which all imports of an account share: what one has sent,
    no other sends again. By default HOMEBOX_STATE or the platform's folder for state.
    `results`: the folder for ``<name>.created.csv``, ``.rejects.csv`` and ``.unknown.csv``, by
    default the working directory.
    `concurrency`: requests in flight, "auto" adapts to what the server can handle.
    `patience`: seconds for which the server may fail at every request before the import ends; until
    then it is asked again, at longer and longer intervals.
    `settle`: seconds after which a request that was left without an answer has either taken
    effect visibly or never will: the server's longest execution and the lag of its list.
    `adopt_existing`: properties that carry a reference of the input already are adopted first,
    and those that carry none and have a row's address, unless `create_them` is true. A row whose
    reference Homebox has at another address is rejected.
    `as_is`: sends house numbers and references that look as if a spreadsheet had made them numbers
    or dates (1.0 High Street, Dec-14); otherwise their rows are rejected.
    `confirm`: as for `import_leads`, but asked only where rows are adopted by their address.
    `dry_run`: check every row and report; nothing is sent, nothing is kept.

    Raises SourceError, MappingError or JournalError for an input or a journal that cannot be
    used, ValidationError for bad options, RequestError if Homebox cannot be reached at all.
    What goes wrong with single rows, or later, is in the report.
    Source: POST /api/partner/property, "Create a Property", for each row.
    """
    return Import(
        client,
        source,
        ImportOptions(
            confirm=confirm,
            mapping=mapping or {},
            preset=preset,
            generate_references=generate_references,
            reference_prefix=reference_prefix,
            create_them=create_them,
            delimiter=delimiter,
            encoding=encoding,
            sheet=sheet,
            journal=None if journal is None else Path(journal),
            ledger=None if ledger is None else Path(ledger),
            results=None if results is None else Path(results),
            concurrency=concurrency,
            patience=patience,
            settle=settle,
            adopt_existing=adopt_existing,
            as_is=as_is,
            dry_run=dry_run,
        ),
        Properties(create_them=create_them or not adopt_existing),
    )


@clean
def import_leads(
    client: AsyncHomebox,
    source: Input,
    *,
    confirm: Confirm | None = None,
    tenants: Tenancies | None = None,
    reference_prefix: str = "",
    mapping: Mapping[str, str] | None = None,
    dates: DateOrder = "auto",
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    journal: str | PathLike[str] | None = None,
    ledger: str | PathLike[str] | None = None,
    results: str | PathLike[str] | None = None,
    concurrency: int | Literal["auto"] = "auto",
    patience: float = 1800.0,
    settle: float = 60.0,
    adopt_existing: bool = True,
    as_is: bool = False,
    dry_run: bool = False,
) -> Import:
    """Import leads: each row a tenancy with all of its tenants, whom Homebox texts and emails.

    ::

        report = await import_leads(client, "tenancies.csv", dry_run=True)
        print(report.preview)
        report = await import_leads(client, "tenancies.csv", confirm=report.preview.number)

    A row has `tenancy_start` and `tenancy_end`, an address unless `notifications` is false, and
    up to 20 tenants in numbered columns (``tenant1_first_name``, ``tenant1_last_name``,
    ``tenant1_phone_number``, ``tenant1_email_address``, ``tenant2_...``); `property_reference`,
    `notifications`, `existing_tenancy` and `managing_party_name` may be there.
    `confirm`: the `number` of the preview, or a function (plain or async) that is given the
    `Preview` and returns True. Without it, or with another number, NotConfirmed is raised and
    nothing is sent. An import that goes on is not asked for what was confirmed before.
    `dates`: "auto" finds out from all dates of the file whether days or months come first, and
    raises MappingError where nothing shows it; "dmy" and "mdy" say it, "iso" takes 2026-12-31 only.
    `tenants`: what rows are that have one home and one first day, and different tenants: "joint"
    makes one lead of them, "separate" one of each. Without it, such a file raises SourceError.
    `adopt_existing`: a lead with a row's home, first day, and a phone or email of one of its
    tenants is adopted. A lead that may be the row's leaves it unknown, and not sent: one for one
    of its tenants from the same day, or one for its home and day with other tenants.
    The other options are those of `import_properties`.

    A row without an answer is looked up in the list of leads; where that leaves a doubt, it
    stays unknown and is not sent again.
    Raises NotConfirmed, and what `import_properties` raises.
    Source: POST /api/partner/lead, "Create Lead", for each row.
    """
    return Import(
        client,
        source,
        ImportOptions(
            mapping=mapping or {},
            tenants=tenants,
            reference_prefix=reference_prefix,
            dates=dates,
            confirm=confirm,
            delimiter=delimiter,
            encoding=encoding,
            sheet=sheet,
            journal=None if journal is None else Path(journal),
            ledger=None if ledger is None else Path(ledger),
            results=None if results is None else Path(results),
            concurrency=concurrency,
            patience=patience,
            settle=settle,
            adopt_existing=adopt_existing,
            as_is=as_is,
            dry_run=dry_run,
        ),
        Leads(tenants=tenants),
    )


@clean
def import_voids(
    client: AsyncHomebox,
    source: Input,
    *,
    confirm: Confirm | None = None,
    reference_prefix: str = "",
    mapping: Mapping[str, str] | None = None,
    dates: DateOrder = "auto",
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    journal: str | PathLike[str] | None = None,
    ledger: str | PathLike[str] | None = None,
    results: str | PathLike[str] | None = None,
    concurrency: int | Literal["auto"] = 1,
    patience: float = 1800.0,
    as_is: bool = False,
    dry_run: bool = False,
) -> Import:
    """Import void periods; a premium one switches the energy of its home.

    A row has `property_id` or an address, `tenancy_start`, `property_empty`, and who is
    responsible: ``responsible_first_name``, ``responsible_last_name``,
    ``responsible_phone_number``, ``responsible_email_address``, ``responsible_line1``,
    ``responsible_city``, ``responsible_postcode``. `tenancy_end`, `is_premium`, `notifications`,
    `property_reference` and ``forwarding_...`` may be there.
    `confirm`, `dates`: as for `import_leads`. The other options are those of
    `import_properties`.

    Homebox does not list voids: a row without an answer stays unknown and is never sent again
    by itself, and what another journal has sent is not known. Somebody has to ask Homebox. So
    that a crash leaves one row in doubt at the most, one is sent at a time.
    Raises NotConfirmed, and what `import_properties` raises.
    Source: POST /api/partner/void, "Create Void Period", for each row.
    """
    return Import(
        client,
        source,
        ImportOptions(
            mapping=mapping or {},
            reference_prefix=reference_prefix,
            dates=dates,
            confirm=confirm,
            delimiter=delimiter,
            encoding=encoding,
            sheet=sheet,
            journal=None if journal is None else Path(journal),
            ledger=None if ledger is None else Path(ledger),
            results=None if results is None else Path(results),
            concurrency=concurrency,
            patience=patience,
            adopt_existing=False,
            as_is=as_is,
            dry_run=dry_run,
        ),
        Voids(),
    )


@clean
def import_readings(
    client: AsyncHomebox,
    source: Input,
    *,
    photos: str | PathLike[str] | None = None,
    confirm: Confirm | None = None,
    mapping: Mapping[str, str] | None = None,
    dates: DateOrder = "auto",
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    journal: str | PathLike[str] | None = None,
    ledger: str | PathLike[str] | None = None,
    results: str | PathLike[str] | None = None,
    concurrency: int | Literal["auto"] = "auto",
    patience: float = 1800.0,
    settle: float = 60.0,
    meter_changed: dt.date | None = None,
    rollover: bool = False,
    despite: Collection[int] = (),
    dry_run: bool = False,
) -> Import:
    """Import meter readings, with photos from a folder.

    A row has `property_id`, `property_reference` or `order_id`, `type` (electric, gas, water),
    `reading`, `date_of_reading`, for a meter with two registers (Economy 7) `reading2`, and maybe
    `photo` and `meter_changed`.
    `photos`: the folder of the photos. A row's photo is the file that its `photo` names, or the
    one named after it: ``12-gas-2026-11-20.jpg`` for property 12, ``order-678-...`` for an order.
    `confirm`: as for `import_leads`, but none is needed: the number is that of the rows. The
    preview also names photos that no row has.
    `meter_changed`: the day on which the meters of the file were changed; a column of that name
    gives it for single meters. Readings before it are of the old meter. `rollover`: takes a fall
    from near a register's last number to near zero for a register that ran over.
    `despite`: ids of readings at Homebox that a person found to be wrong; the checks
    ignore them.
    `dates`: as for `import_leads`. The other options are those of `import_properties`.

    Before anything is sent, the readings of each home are read from Homebox. A reading that is
    there is adopted. Readings of a meter that contradict each other, as they fall, are of one day,
    or have more or fewer values, are all rejected; one that contradicts the readings before and
    after it at Homebox is rejected, too.
    Raises NotConfirmed, and what `import_properties` raises.
    Source: POST /api/partner/property/{property_id}/readings, "Create Meter Reading for a
    Property", or POST /api/partner/order/{order_id}/readings, "Create Meter Reading for an
    Order", for each row.
    """
    return Import(
        client,
        source,
        ImportOptions(
            mapping=mapping or {},
            dates=dates,
            photos=None if photos is None else Path(photos),
            confirm=confirm,
            delimiter=delimiter,
            encoding=encoding,
            sheet=sheet,
            journal=None if journal is None else Path(journal),
            ledger=None if ledger is None else Path(ledger),
            results=None if results is None else Path(results),
            concurrency=concurrency,
            patience=patience,
            settle=settle,
            dry_run=dry_run,
        ),
        Readings(despite=_ids("despite", despite), meter_changed=meter_changed, rollover=rollover),
    )


@clean
async def run_partition(client: AsyncHomebox, source: Input, options: ImportOptions) -> Report:
    """Import the properties of one partition: `options.partition` (which, of how many).

    It needs nothing but its arguments, and may be run again anywhere: all rows of one reference
    fall into the same partition, in any process, and each partition has a journal of its own.
    """
    kind = Properties(create_them=options.create_them or not options.adopt_existing)
    return await Import(client, source, options, kind)
