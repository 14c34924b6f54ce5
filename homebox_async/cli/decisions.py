"""`homebox import status`, `history`, `resolve` and `forget`: what people ask and decide."""

from __future__ import annotations

import datetime as dt
import shlex
from pathlib import Path

import attrs
import click
from click.core import ParameterSource

from ..importer import (
    JournalStatus,
    State,
    find_missing,
    forget_sent,
    import_history,
    import_status,
    resolve_row,
)
from ..importer.words import WORDS
from ..loops import run
from .confirm import answered
from .errors import Exit
from .options import api_command
from .output import Output
from .session import Connection
from .text import counted, examples, one_line

LEDGER = click.option(
    "--ledger",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of the ledger, which all imports of an account share.  [env: HOMEBOX_STATE]",
)
_SHOWN = 20


@click.command(
    epilog=examples(
        "homebox import status portfolio.journal",
        "homebox import status",
        "homebox import status portfolio.journal --json",
    )
)
@click.argument("journals", nargs=-1, metavar="[JOURNAL]...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One object a journal.")
def status(journals: tuple[Path, ...], as_json: bool) -> Exit:
    """Show where imports stand, and write their result files again.

    Without a JOURNAL, those of the working directory. Nothing is sent, and no server is asked.
    The exit code is 1 while rows are unknown or not sent.
    """
    paths = journals or tuple(sorted(Path().glob("*.journal")))
    if not paths:
        raise click.UsageError(
            "there is no journal in this folder; name one, such as results/portfolio.journal"
        )
    open_rows = 0
    output = Output(json=as_json, csv=False, verbose=False, fields=(), pager=False)
    for path in paths:
        found = run(import_status(path))
        open_rows += found.counts[State.PENDING] + found.counts[State.UNKNOWN]
        if as_json:
            output.plain(found.as_dict())
        else:
            _show(found)
    return Exit.FAILED if open_rows else Exit.DONE


def _show(found: JournalStatus) -> None:
    click.echo(f"{found.journal}: {found.kind}, {one_line(found.account)}")
    names = {State.PENDING: "not sent"}
    for state, number in found.counts.items():
        if number:
            click.echo(f"  {names.get(state, state.name.lower()):<9} {number:>9,}")
    for entry in found.unknown[:_SHOWN]:
        click.echo(f"  row {entry.number}: {one_line(entry.error)}")
        click.echo(f"    {one_line(entry.fix)}")
    if len(found.unknown) > _SHOWN:
        click.echo(f"  ... and {len(found.unknown) - _SHOWN:,} more, in the file of unknown rows")
    for kind, path in found.files.items():
        click.echo(f"  {kind}: {path}")
    if found.note:
        click.echo(f"  {one_line(found.note)}")


@click.command(
    epilog=examples(
        "homebox import history --emulator",
        "homebox import history --environment sandbox --json",
    )
)
@LEDGER
@api_command
def history(connection: Connection, output: Output, ledger: Path | None) -> None:
    """Show what the ledger knows as sent to the account, by kind and journal."""
    found = connection.run(lambda client: import_history(client, ledger=ledger))
    if output.json:
        for line in found:
            output.plain(line.as_dict())
        return
    for line in found:
        day = dt.datetime.fromtimestamp(line.first).date()
        counts = ", ".join(
            f"{number:,} {state.name.lower().replace('_', ' ')}"
            for state, number in line.counts.items()
        )
        click.echo(f"{day}  {line.kind:<10}  {counts}  {line.journal}")
    if not found:
        click.echo("the ledger has no entry of this account", err=True)


@click.command(
    epilog=examples(
        "homebox import resolve portfolio.journal 5 --is 12345",
        "homebox import resolve portfolio.journal 6 --not-there",
        "homebox import resolve tenancies.journal 7 --not-there --yes 7",
    )
)
@click.argument("journal", type=click.Path(path_type=Path))
@click.argument("row", type=click.IntRange(min=1))
@click.option(
    "--is", "id", type=click.IntRange(min=1), metavar="ID", help="The id that it has at Homebox."
)
@click.option("--not-there", is_flag=True, help="Homebox does not have it: the next run sends it.")
@click.option(
    "--yes",
    type=click.IntRange(min=1),
    metavar="ROW",
    help="For scripts, with --not-there: the number of the row, which confirms it.",
)
@LEDGER
@api_command
def resolve(
    connection: Connection,
    output: Output,
    journal: Path,
    row: int,
    id: int | None,
    not_there: bool,
    yes: int | None,
    ledger: Path | None,
) -> None:
    """Settle ROW of JOURNAL once you know whether Homebox has it.

    Look in Homebox's dashboard, or ask Homebox. With --is, the id of a property or a lead is
    checked at Homebox. With --not-there, the next run sends the row; for a lead or a void you
    type the row's number to confirm, because people are contacted twice if Homebox has it after
    all.
    """
    if (id is None) is not not_there:
        raise click.UsageError("give --is ID or --not-there, one of them")
    kind = run(import_status(journal)).kind
    if not_there and kind in ("leads", "voids") and yes is None:
        one = WORDS[kind].one
        with answered("--yes ROW"):
            yes = click.prompt(
                f"If Homebox has this {one} after all, sending it again creates it twice and"
                f" contacts people twice. To send it, type the number of the row, {row}",
                type=int,
                err=True,
            )
    state = connection.run(
        lambda client: resolve_row(
            client, journal, row, id=id, not_there=not_there, confirm=yes, ledger=ledger
        )
    )
    result = {"row": row, "state": state.name.lower(), "id": id}
    if output.json:
        output.plain(result)
    elif state is State.PENDING:
        click.echo(f"row {row} is not at Homebox; the next run of its import sends it")
    else:
        click.echo(f"row {row} is {WORDS[kind].one} {id}")


@click.command(
    epilog=examples(
        "homebox import forget --missing --environment sandbox",
        "homebox import forget --emulator",
    )
)
@click.option("--missing", is_flag=True, help="Only what Homebox's lists do not show.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@LEDGER
@api_command
def forget(
    connection: Connection, output: Output, missing: bool, yes: bool, ledger: Path | None
) -> None:
    """Delete what the ledger knows as sent to the account.

    With --missing, only what Homebox's complete lists of properties and leads do not show, as
    after the reset of a sandbox. What is forgotten can be sent again. Imports still find what is
    in the lists; voids are in none, so check them first.
    """
    items = connection.run(lambda client: find_missing(client, ledger=ledger)) if missing else None
    if items is not None:
        for known in items[:_SHOWN]:
            day = dt.datetime.fromtimestamp(known.changed).date()
            what = f"{WORDS[known.kind].one} {known.id or ''}".strip()
            click.echo(
                f"missing: {what}, sent on {day} as row {known.row} of {known.journal}", err=True
            )
        if len(items) > _SHOWN:
            click.echo(f"... and {len(items) - _SHOWN:,} more", err=True)
    if items == []:
        click.echo("nothing is missing", err=True)
        if output.json:
            output.plain({"forgotten": 0})
        return
    what = "all that was sent" if items is None else counted(len(items), "missing item")
    if not yes:
        with answered("--yes"):
            agreed = click.confirm(f"forget {what}?", err=True)
        if not agreed:
            raise click.ClickException("not confirmed; nothing was forgotten")
    number = connection.run(lambda client: forget_sent(client, items, ledger=ledger))
    if output.json:
        output.plain({"forgotten": number})
    else:
        click.echo(f"{counted(number, 'item')} forgotten")


COMMANDS = (status, history, resolve, forget)


def account_options(ctx: click.Context) -> str:
    """Return the options that name the account and its ledger, as they were typed."""
    names = ("emulator", "emulator_state", "environment", "base_url", "token_file", "profile")
    words = []
    for param in ctx.command.params:
        typed = ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        if param.name in (*names, "ledger") and typed:
            value = ctx.params[param.name]
            words.append(param.opts[0])
            if value is not True:
                words.append(str(value.name if attrs.has(type(value)) else value))
    return shlex.join(words)
