"""`homebox import`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from ..importer import import_leads, import_properties, import_readings, import_voids
from ..importer.leads import LeadColumns
from ..importer.properties import PropertyColumns
from ..importer.readings import ReadingColumns
from ..importer.voids import VoidColumns
from .confirm import check_can_ask, confirm
from .decisions import COMMANDS, LEDGER
from .errors import Exit
from .importing import Command
from .options import Duration, Seconds, api_command, yes_option
from .output import Output
from .report import lines
from .session import Connection
from .text import counted, examples, say

F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    epilog=examples(
        "homebox import properties portfolio.csv --emulator",
        "homebox import leads tenancies.csv --dry-run",
    )
)
def group() -> None:
    """Import properties, leads, voids or meter readings from a file."""


def _concurrency(ctx: click.Context, param: click.Parameter, value: str) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    if not re.fullmatch(r"[1-9]\d{0,3}", value, re.ASCII):
        raise click.BadParameter(f"{value!r} is neither auto nor a number from 1 to 9999")
    return int(value)


def _mapping(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> Mapping[str, str]:
    mapping: dict[str, str] = {}
    for value in values:
        field, equals, column = value.partition("=")
        field = field.strip()
        if not equals:
            raise click.BadParameter(f"{value!r} has no =; write --map FIELD=COLUMN")
        if field in mapping:
            raise click.BadParameter(f"{field} is given twice")
        mapping[field] = column
    return mapping


def _map_option(fields: str) -> Callable[[F], F]:
    return click.option(
        "--map",
        "mapping",
        multiple=True,
        callback=_mapping,
        metavar="FIELD=COLUMN",
        help="The column of a field, or a template such as"
        ' "line1={No} {Street}" (repeatable).'
        f" Fields: {fields}.",
    )


_FILE = click.argument("file", type=click.Path(path_type=Path))
_DATES = click.option(
    "--date-order",
    "--dates",
    "dates",
    type=click.Choice(["auto", "iso", "dmy", "mdy"]),
    default="auto",
    show_default=True,
    help="What comes first in dates such as 01/02/2026: the day (dmy) or the month (mdy). auto"
    " detects it from all dates of the file, and asks if none shows it.",
)
_AS_IS = click.option(
    "--as-is",
    is_flag=True,
    help="Send house numbers and references that look as if a spreadsheet had made them numbers or"
    " dates (1.0 High Street, Dec-14).",
)
_JOURNAL = (
    click.option(
        "--delimiter", metavar="CHAR", help="The delimiter of a CSV file.  [default: detected]"
    ),
    click.option(
        "--encoding", metavar="NAME", help="The encoding of the file.  [default: detected]"
    ),
    click.option(
        "--sheet", metavar="NAME", help="The sheet of a workbook, where several have rows."
    ),
    click.option(
        "--journal",
        type=click.Path(path_type=Path),
        help="The file that keeps the progress.  [default: NAME.journal in --results]",
    ),
    LEDGER,
    click.option(
        "--patience",
        type=Duration(),
        default=1800.0,
        metavar="TIME",
        help="How long the server may fail at every request before the import ends, such as 12h."
        "  [default: 30m]",
    ),
    click.option(
        "--results",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The folder for NAME.created.csv, .rejects.csv and .unknown.csv (.xlsx, if FILE is a"
        " workbook), made if it is missing.  [default: the working directory]",
    ),
)


def _concurrency_option(default: str = "auto", more: str = "") -> Callable[[F], F]:
    return click.option(
        "--concurrency",
        callback=_concurrency,
        default=default,
        show_default=True,
        metavar="auto|N",
        help=f"Requests in flight; auto adapts to what the server can handle.{more}",
    )


_SETTLE = click.option(
    "--settle",
    type=Seconds(min=0),
    help="How long Homebox may take to list what it created. A row without an answer is sent"
    " again only after that."
    "  [default: 60; 1 with --emulator]",
)
_NO_ADOPT = click.option(
    "--no-adopt-existing",
    is_flag=True,
    help="Do not compare the rows with what Homebox has before they are sent.",
)
_REFERENCE_PREFIX = click.option(
    "--reference-prefix",
    default="",
    metavar="TEXT",
    help="Add this to the start of every reference, so that the references of two files that"
    " both number from 1 differ.",
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Check every row; send and keep nothing.")
_YES_NUMBER = click.option(
    "--yes",
    type=click.IntRange(min=0),
    metavar="N",
    help="For scripts: the number to confirm, as --dry-run shows it. With another number,"
    " nothing is sent.",
)


def _with(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _settle(connection: Connection, settle: float | None) -> float:
    return (1.0 if connection.emulator else 60.0) if settle is None else settle


@group.command(
    epilog=examples(
        "homebox import properties portfolio.csv --dry-run",
        "homebox import properties portfolio.csv --emulator",
        "homebox import properties portfolio.xlsx --sheet Lettings --dry-run",
        'homebox import properties portfolio.csv --map city=Town --map "line1={No} {Street}"',
        "homebox import properties sales.csv --preset land-registry --results results --yes",
        'homebox import properties portfolio.csv --emulator --faults "drop-after=0.05,503=0.05"',
    ),
)
@_with(
    _FILE,
    _map_option(", ".join(PropertyColumns.fields)),
    click.option(
        "--preset",
        type=click.Choice(sorted(PropertyColumns.presets)),
        help="A known kind of file.",
    ),
    click.option(
        "--generate-references",
        is_flag=True,
        help="Make a reference from the address for rows that have none.",
    ),
    _REFERENCE_PREFIX,
    click.option(
        "--create-them",
        is_flag=True,
        help="Create a new property for a row whose address Homebox has without a reference."
        " By default, that property is adopted.",
    ),
    *_JOURNAL,
    _concurrency_option(),
    _SETTLE,
    _NO_ADOPT,
    _AS_IS,
    _DRY_RUN,
    yes_option,
)
@api_command
def properties(
    connection: Connection,
    output: Output,
    file: Path,
    settle: float | None,
    no_adopt_existing: bool,
    dry_run: bool,
    yes: bool,
    **options: Any,
) -> Exit:
    """Import the properties of FILE, every row exactly once.

    FILE is CSV, JSON (lines or an array) or a workbook (.xlsx, .ods; needs the extra excel), also
    compressed with gzip; - is stdin, whose journal is stdin.journal unless --journal names it: give
    the same input again to resume. Columns are recognised by name; --map and --preset name the
    others. Every row is checked before the first is sent. What happened is kept in a journal:
    after a crash, a lost network or Ctrl-C, the same command resumes where it stopped and sends
    nothing twice. The first Ctrl-C waits for what is in flight, the second does not.

    The exit code is 0 when every row is created or adopted, 1 when some are rejected, unknown
    or not sent; `homebox --help` has the others.
    """
    options.update(adopt_existing=not no_adopt_existing, settle=_settle(connection, settle))
    command = Command(
        make=import_properties, connection=connection, output=output, file=file, options=options
    )
    if dry_run:
        return command.check()
    if connection.is_real and not yes:
        check_can_ask(connection, yes)
        found = command.dry()
        say(*lines(found, command.resume), err=True)
        confirm(connection, f"import {counted(found.pending, 'row')} of {command.name}", yes)
    return command.run_by_word(yes)


@group.command(
    epilog=examples(
        "homebox import leads tenancies.csv --dry-run",
        "homebox import leads tenancies.csv --emulator",
        "homebox import leads tenancies.csv --environment sandbox --date-order dmy",
        "homebox import leads tenancies.csv --yes 5",
    ),
)
@_with(
    _FILE,
    _map_option(LeadColumns.shown_fields),
    click.option(
        "--tenants",
        type=click.Choice(["joint", "separate"]),
        help="For rows with the same home and first day and different tenants: joint makes one"
        " lead of them, separate makes one each, as for rooms.",
    ),
    _REFERENCE_PREFIX,
    _DATES,
    *_JOURNAL,
    _concurrency_option(),
    _SETTLE,
    _NO_ADOPT,
    _AS_IS,
    _DRY_RUN,
    _YES_NUMBER,
)
@api_command
def leads(
    connection: Connection,
    output: Output,
    file: Path,
    settle: float | None,
    no_adopt_existing: bool,
    dry_run: bool,
    yes: int | None,
    **options: Any,
) -> Exit:
    """Import the leads of FILE: each row a tenancy with all of its tenants.

    Homebox texts and emails the tenants, and notifies suppliers unless `notifications` is
    false. The command shows how many messages that is; on a real account you type the number
    to confirm.

    Columns: tenancy_start, tenancy_end, the address, property_reference, and for each tenant
    tenant1_first_name, tenant1_last_name, tenant1_phone_number, tenant1_email_address,
    tenant2_... up to 20. A lead with the same home, first day, and phone or email of a tenant is
    adopted. Where a lead may be a row's, the row stays unknown and is not sent.
    All else is as for `homebox import properties`.
    """
    options.update(adopt_existing=not no_adopt_existing, settle=_settle(connection, settle))
    command = Command(
        make=import_leads, connection=connection, output=output, file=file, options=options
    )
    return command.check() if dry_run else command.run_by_number(yes)


@group.command(
    epilog=examples(
        "homebox import voids voids.csv --dry-run",
        "homebox import voids voids.csv --environment sandbox",
        "homebox import voids voids.csv --date-order dmy --results results --yes 3",
    ),
)
@_with(
    _FILE,
    _map_option(", ".join(VoidColumns.fields)),
    _REFERENCE_PREFIX,
    _DATES,
    *_JOURNAL,
    _concurrency_option("1", " A crash leaves so many in doubt."),
    _AS_IS,
    _DRY_RUN,
    _YES_NUMBER,
)
@api_command
def voids(
    connection: Connection,
    output: Output,
    file: Path,
    dry_run: bool,
    yes: int | None,
    **options: Any,
) -> Exit:
    """Import the void periods of FILE.

    A premium void switches the energy of its home. The command first shows what the file
    triggers; on a real account you type the number to confirm.

    Columns: property_id or the address, tenancy_start, tenancy_end, property_empty, is_premium,
    notifications, and who is responsible: responsible_first_name, responsible_line1, ...
    Homebox does not list voids. A row without an answer stays unknown and is never sent again by
    itself: ask Homebox, then run `homebox import resolve`. What the ledger knows as sent is not
    sent again.
    All else is as for `homebox import properties`.
    """
    command = Command(
        make=import_voids, connection=connection, output=output, file=file, options=options
    )
    return command.check() if dry_run else command.run_by_number(yes)


@group.command(
    epilog=examples(
        "homebox import readings readings.csv --dry-run",
        "homebox import readings readings.csv --photos photos --yes",
        "homebox import readings readings.csv --map date_of_reading=Taken --date-order dmy",
    ),
)
@_with(
    _FILE,
    click.option(
        "--photos",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="The folder of the photos. A column `photo` names them, or they are named after"
        " their row: 12-gas-2026-11-20.jpg for property 12, order-678-gas-2026-11-20.jpg.",
    ),
    _map_option(", ".join(ReadingColumns.fields)),
    _DATES,
    click.option(
        "--meter-changed",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="YYYY-MM-DD",
        help="The day on which the meters of the file were changed: readings before it are of the"
        " old ones. For single meters, a column meter_changed has the day.",
    ),
    click.option(
        "--rollover",
        is_flag=True,
        help="Accept a reading that falls from near the register's highest number to near zero"
        " (99990, then 12).",
    ),
    click.option(
        "--despite",
        type=click.IntRange(min=1),
        multiple=True,
        metavar="READING_ID",
        help="A reading at Homebox that you found to be wrong; it is ignored in the checks"
        " (repeatable).",
    ),
    *_JOURNAL,
    _concurrency_option(),
    _SETTLE,
    _DRY_RUN,
    yes_option,
)
@api_command
def readings(
    connection: Connection,
    output: Output,
    file: Path,
    settle: float | None,
    meter_changed: dt.datetime | None,
    dry_run: bool,
    yes: bool,
    **options: Any,
) -> Exit:
    """Import the meter readings of FILE, with photos from a folder.

    Columns: property_id, property_reference or order_id, type (electric, gas, water), reading,
    date_of_reading, reading2 for the second register of an Economy 7 meter, and meter_changed.
    Photos that are missing, or that no row has, are reported before anything is sent.

    A reading that Homebox has already is adopted. Readings of a meter that contradict each other
    are all rejected, each with the lines of the others. So is a reading that contradicts those
    before and after it at Homebox.
    All else is as for `homebox import properties`.
    """
    changed = None if meter_changed is None else meter_changed.date()
    options.update(settle=_settle(connection, settle), meter_changed=changed)
    command = Command(
        make=import_readings, connection=connection, output=output, file=file, options=options
    )
    return command.check() if dry_run else command.run_by_word(yes)


for _command in COMMANDS:
    group.add_command(_command)
