"""`homebox account`."""

from __future__ import annotations

import click

from .options import api_command
from .output import Output
from .session import Connection
from .text import examples


@click.group(epilog=examples("homebox account show"))
def group() -> None:
    """Your partner account."""


@group.command(
    epilog=examples("homebox account show", "homebox account show --environment sandbox --json"),
)
@api_command
def show(connection: Connection, output: Output) -> None:
    """Show the account that the token belongs to."""
    output.one(connection.run(lambda client: client.account.get()))
