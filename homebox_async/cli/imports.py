"""`homebox import`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from ..client import AsyncHomebox
from ..importer import Report, import_properties
from ..importer.properties import PropertyColumns
from .confirm import check_can_ask, confirm
from .errors import Exit, exit_code
from .interrupts import Interrupts, handled
from .options import Seconds, api_command, yes_option
from .output import Output
from .progress import followed, view_of
from .report import lines
from .root import typed
from .session import Connection
from .text import counted, examples


@click.group(epilog=examples("homebox import properties portfolio.csv --emulator"))
def group() -> None:
    """Import a portfolio from a file."""


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


@group.command(
    epilog=examples(
        "homebox import properties portfolio.csv --dry-run",
        "homebox import properties portfolio.csv --emulator",
        "homebox import properties portfolio.csv --map city=Town --map 'line1={No} {Street}'",
        "homebox import properties sales.csv --preset land-registry --results results --yes",
        "homebox import properties portfolio.csv --emulator --faults drop-after=0.05,503=0.05",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "mapping",
    multiple=True,
    callback=_mapping,
    metavar="FIELD=COLUMN",
    help=f"The column of a field, or a template such as 'line1={{No}} {{Street}}' (repeatable)."
    f" Fields: {', '.join(PropertyColumns.fields)}.",
)
@click.option(
    "--preset", type=click.Choice(sorted(PropertyColumns.presets)), help="A known kind of file."
)
@click.option(
    "--generate-references",
    is_flag=True,
    help="Make a reference of the address for rows that have none.",
)
@click.option("--delimiter", metavar="CHAR", help="Of the CSV file; found out by default.")
@click.option("--encoding", metavar="NAME", help="Of the file; found out by default.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="Where the progress is kept.  [default: NAME.journal beside the results]",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder for NAME.created.csv, .rejects.csv and .unknown.csv, made if it is missing."
    "  [default: the working directory]",
)
@click.option(
    "--concurrency",
    callback=_concurrency,
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Requests in flight; auto finds out what the server bears.",
)
@click.option(
    "--settle",
    type=Seconds(min=0),
    help="How long to wait before a request without an answer is taken to have failed."
    "  [default: 60; 1 with --emulator]",
)
@click.option(
    "--no-adopt-existing",
    is_flag=True,
    help="Do not look first which references Homebox has already.",
)
@click.option("--dry-run", is_flag=True, help="Check every row; send and keep nothing.")
@yes_option
@api_command
def properties(
    connection: Connection,
    output: Output,
    file: Path,
    settle: float | None,
    results: Path | None,
    no_adopt_existing: bool,
    dry_run: bool,
    yes: bool,
    **options: Any,
) -> Exit:
    """Import the properties of FILE, every row exactly once.

    FILE is CSV or JSON lines. Columns are recognised by name; --map and --preset name the
    others. Every row is checked before the first is sent. What happened is kept in a journal:
    after a crash, a lost network or Ctrl-C, the same command goes on where it stopped and sends
    nothing twice. The first Ctrl-C waits for what is in flight, the second does not.

    The exit code is 0 when every row is created or adopted, 1 when some are rejected, unknown
    or not sent; `homebox --help` has the others.
    """
    resume = typed(click.get_current_context())
    options.update(results=results, adopt_existing=not no_adopt_existing)
    options["settle"] = (1.0 if connection.emulator else 60.0) if settle is None else settle
    if dry_run:
        report = connection.run_offline(lambda client: _check(client, file, output, options))
        _show(report, output, resume)
        return Exit.FAILED if report.rejected else Exit.DONE
    _make_folder(results)
    if connection.is_real and not yes:
        check_can_ask(connection, yes)
        found = connection.run_offline(lambda client: _check(client, file, output, options))
        click.echo("\n".join(lines(found, resume)), err=True)
        confirm(connection, f"import {counted(found.pending, 'row')} of {file.name}", yes)
    report, interrupted = connection.run(
        lambda client: _import(client, file, output, options, resume)
    )
    _show(report, output, resume)
    if interrupted:
        return Exit.INTERRUPTED
    return Exit.DONE if report.done else exit_code(report.error)


async def _check(
    client: AsyncHomebox, file: Path, output: Output, options: dict[str, Any]
) -> Report:
    """Make a dry run; Ctrl-C simply ends it."""
    run = import_properties(client, file, dry_run=True, **options)
    async with followed(run, view_of(output)):
        return await run


async def _import(
    client: AsyncHomebox, file: Path, output: Output, options: dict[str, Any], resume: str
) -> tuple[Report, bool]:
    """Run an import to its report; the second value tells whether it was interrupted."""
    run = import_properties(client, file, **options)
    view = view_of(output)

    async def report() -> Report:
        return await run

    task = asyncio.create_task(report())
    interrupts = Interrupts(run, task, view.say)
    try:
        with handled(interrupts):
            async with followed(run, view):
                return await task, interrupts.count > 0
    except asyncio.CancelledError:
        if interrupts.count < 2:
            raise
        view.say(f"left at once; to go on: {resume}")
        raise click.Abort from None


def _show(report: Report, output: Output, resume: str) -> None:
    # Whoever reads the report may have left; the exit code is still that of the import.
    with contextlib.suppress(BrokenPipeError):
        if not output.json:
            click.echo("\n".join(lines(report, resume)))
            return
        output.plain(report.as_dict())
    if not report.dry_run and (report.pending or report.unknown):
        click.echo(f"to go on: {resume}", err=True)


def _make_folder(results: Path | None) -> None:
    try:
        if results is not None:
            results.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(
            f"--results {results}: no such folder can be made ({error.strerror}); name another"
        ) from None
