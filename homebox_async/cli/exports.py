"""`homebox export`."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from ..client import AsyncHomebox
from ..errors import HomeboxError
from ..export import Export, ExportReport, export
from ..export.lists import OF_BRANCHES, SINCE
from .errors import Exit
from .options import api_command
from .output import Output
from .progress import is_interactive
from .root import typed
from .session import Connection
from .terminal import console
from .text import counted, duration, examples, say

_FORMATS = ("csv", "jsonl", "parquet", "xlsx")
_POLL = 0.1  # seconds
_LINE_EVERY = 5.0  # seconds
_HELP = {
    "properties": "your properties",
    "leads": "your leads",
    "readings": "the meter readings of every property, or of every order",
    "orders": "your orders of bills packages",
    "payments": "the payments of every order",
}


@click.group(
    epilog=examples(
        "homebox export properties -o properties.csv", "homebox export payments -o payments.jsonl"
    )
)
def group() -> None:
    """Write whole lists to CSV, JSON lines, Parquet or Excel files."""


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> dt.date | None:
    try:
        return None if value is None else dt.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day; write YYYY-MM-DD") from None


def _add(what: str) -> None:
    def command(
        connection: Connection,
        output: Output,
        to: str,
        format_: str | None,
        **options: Any,
    ) -> Exit:
        if output.csv or output.fields:
            raise click.UsageError("--csv and --fields mean nothing here; give --format")
        options["format"] = format_ or _format_of(to)
        destination: str | BinaryIO = sys.stdout.buffer if to == "-" else to
        resume = typed(click.get_current_context())
        report = connection.run(
            lambda client: _export(client, what, destination, output, options, resume)
        )
        _show(report, output)
        return Exit.DONE if report.complete and not report.gone else Exit.FAILED

    # The help is made for each list.
    command.__doc__ = (
        f"Export {_HELP[what]}.\n\nAn export that was interrupted resumes where it stopped when"
        " the same command is run again: FILE.part holds what is there so far, and FILE appears"
        " when it is whole. It holds personal data; who may read it is up to your umask."
    )
    wrapped: Any = api_command(command)
    if what in OF_BRANCHES:
        wrapped = click.option(
            "--branch", type=click.IntRange(min=1), metavar="ID", help="Of this branch account."
        )(wrapped)
    if what == "readings":
        wrapped = click.option(
            "--per",
            type=click.Choice(["property", "order"]),
            default="property",
            show_default=True,
            help="Ask for the readings of each property or of each order.",
        )(wrapped)
    if what in ("readings", "payments"):
        wrapped = click.option(
            "--concurrency",
            type=click.IntRange(min=1, max=100),
            default=4,
            show_default=True,
            help="How many properties or orders to ask for at once.",
        )(wrapped)
    for option in reversed(_options(what)):
        wrapped = option(wrapped)
    group.command(what, epilog=_examples(what))(wrapped)


def _options(what: str) -> list[Any]:
    return [
        click.option(
            "-o",
            "--output",
            "to",
            required=True,
            metavar="FILE",
            help="The file; - is stdout, for csv and jsonl.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(_FORMATS),
            help="How to write it.  [default: by the end of FILE's name]",
        ),
        click.option(
            "--since",
            callback=_day,
            metavar="YYYY-MM-DD",
            help=f"Only those with {SINCE[what]} on that day (UTC) or later.",
        ),
        click.option("--bom", is_flag=True, help="With csv: let Excel recognise UTF-8."),
        click.option("--overwrite", is_flag=True, help="Replace FILE if it is there."),
        click.option("--restart", is_flag=True, help="Drop FILE.part and begin again."),
    ]


def _examples(what: str) -> str:
    also = {
        "leads": f"homebox export {what} -o {what}.parquet --branch 7",
        "readings": f"homebox export {what} -o {what}.parquet --per order",
        "orders": f"homebox export {what} -o {what}.parquet --branch 7",
    }.get(what, f"homebox export {what} -o {what}.parquet")
    return examples(
        f"homebox export {what} -o {what}.xlsx",
        f"homebox export {what} -o - --format jsonl --since 2026-11-01",
        also,
    )


def _format_of(to: str) -> str:
    suffix = Path(to).suffix.lower().removeprefix(".")
    if suffix not in _FORMATS:
        raise click.UsageError(
            f"-o {to}: does not tell the format; give --format, or a name that ends in"
            " .csv, .jsonl, .parquet or .xlsx"
        )
    return suffix


async def _export(
    client: AsyncHomebox,
    what: Any,
    to: str | BinaryIO,
    output: Output,
    options: dict[str, Any],
    resume: str,
) -> ExportReport:
    run = export(client, what, to, **options)
    say("note: exports hold personal data; keep the file safe", err=True)
    follower = asyncio.create_task(_follow(run, output))
    try:
        return await run
    except (HomeboxError, OSError, asyncio.CancelledError):
        if isinstance(to, str) and run.rows:
            say(f"to go on: {resume}", err=True)
        raise
    finally:
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)


async def _follow(run: Export, output: Output) -> None:
    """Show how far it is: a line that changes on a terminal, a line now and then elsewhere."""
    if output.json and not output.verbose:
        return
    if is_interactive() and not output.verbose:
        with console(stderr=True).status("") as status:
            while True:
                status.update(_told(run))
                await asyncio.sleep(_POLL)
    told = time.monotonic()
    while True:
        await asyncio.sleep(_POLL)
        if time.monotonic() - told >= _LINE_EVERY:
            told = time.monotonic()
            say(_told(run), err=True)


def _told(run: Export) -> str:
    return f"{run.phase}: {counted(run.rows, 'row')}"


def _show(report: ExportReport, output: Output) -> None:
    if output.json and report.path is not None:
        output.plain(report.as_dict())
        return
    with contextlib.suppress(BrokenPipeError):
        say(*_lines(report), err=True)


def _lines(report: ExportReport) -> Iterator[str]:
    where = "" if report.path is None else f" in {report.path}"
    yield f"{counted(report.rows, 'row')}{where}; {duration(report.seconds)}"
    if report.resumed_rows:
        yield f"{counted(report.resumed_rows, 'row')} of them from an earlier run"
    if report.shifted:
        yield "the list changed while it was read: it was read again, and no id is there twice"
    if report.before_since:
        yield f"{counted(report.before_since, 'row')} from before --since left out"
    if report.undated:
        yield f"{counted(report.undated, 'row')} without a date kept"
    if not report.complete:
        yield f"warning: rows may be missing: {report.reason}; export again to be sure"
    if report.gone:
        which = "orders or properties were"
        yield f"warning: {report.gone:,} {which} gone when their rows were asked for"


for _what in _HELP:
    _add(_what)
