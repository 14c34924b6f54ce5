"""Writes to a real account are confirmed first."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator

import click

from .session import Connection, account_name
from .text import one_line, say


def check_can_ask(connection: Connection, yes: bool, option: str = "--yes") -> None:
    """Fail early if confirmation is needed but stdin is not a terminal."""
    if connection.is_real and not yes and not sys.stdin.isatty():
        raise click.UsageError(
            f"this writes to {connection.host} and has to be confirmed, but stdin is no terminal;"
            f" add {option}, or rehearse with --emulator or --environment sandbox"
        )


@contextlib.contextmanager
def answered(option: str) -> Iterator[None]:
    """Report a question that stdin ends without answering; `option` answers it in a script."""
    try:
        yield
    except click.Abort as stopped:
        if not isinstance(stopped.__context__, EOFError):  # Ctrl-C
            raise
        raise click.UsageError(
            f"this has to be confirmed, but stdin has no answer; add {option}"
        ) from None


def confirm(connection: Connection, what: str, yes: bool, effects: Iterable[str] = ()) -> None:
    """Ask before something is written to a real account; a no ends the command.

    `effects`: what it triggers in the world, shown first.
    """
    if not connection.is_real or yes:
        return
    check_can_ask(connection, yes)
    # Asked between two sessions: no connection goes stale while a person thinks.
    account = one_line(connection.run(account_name))
    for effect in effects:
        say(f"note: {effect}", err=True)
    if not click.confirm(f"{what} at {connection.host} for {account}?", err=True):
        raise click.ClickException("not confirmed; nothing was sent")


def confirm_number(connection: Connection, what: str, number: int) -> None:
    """Ask for the number of what reaches people; any other answer ends the command."""
    account = one_line(connection.run(account_name))
    typed = click.prompt(
        f"{what} at {connection.host} for {account}? To send, type {number}", err=True
    )
    if typed.strip().replace(",", "") != str(number):
        raise click.ClickException("not confirmed; nothing was sent")
