"""`homebox addresses`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import click

from ..client import AsyncHomebox
from ..resources.properties import FoundAddress
from .options import api_command
from .output import Columns, Output
from .session import Connection
from .text import examples

COLUMNS: Columns = {"address_id": lambda a: a.address_id, "address": lambda a: a.address}


@click.group(epilog=examples("homebox addresses find 'BN1 1AB'"))
def group() -> None:
    """Addresses that Homebox knows."""


@group.command(
    epilog=examples("homebox addresses find BN11AB", "homebox addresses find 'BN1 1AB' --json"),
)
@click.argument("query")
@api_command
def find(connection: Connection, output: Output, query: str) -> None:
    """Find addresses by QUERY, as a rule a postcode.

    The address_id of one that was found goes into `homebox properties create`.
    """

    async def found(client: AsyncHomebox) -> AsyncIterator[FoundAddress]:
        for address in await client.addresses.find(query):
            yield address

    connection.run(lambda client: output.items(found(client), COLUMNS))
