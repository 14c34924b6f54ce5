"""`homebox billing`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..billing import AsyncBilling
from ..resources.billing import BillingHeader, BillingResult
from .fields import fields_of, options_of, typed_tree, values_of
from .operate import serving
from .options import billing_command
from .output import Output, plain_columns
from .session import BillingConnection
from .text import examples, say


@click.group(epilog=examples("homebox billing headers 2eff1042c50c1eda889e61573e3c194c"))
def group() -> None:
    """Heat and water billings of buildings (the Billing API)."""


_HEADERS = [field for field in fields_of(AsyncBilling.headers) if not field.is_path]


def _dates(function: Callable[..., Any]) -> Callable[..., Any]:
    for field in reversed(_HEADERS):
        for option in options_of(field):
            function = option(function)
    return function


@group.command(
    epilog=examples(
        "homebox billing headers 2eff1042c50c1eda889e61573e3c194c --start-date 2020-01-01",
        "homebox billing headers 2eff1042c50c1eda889e61573e3c194c --csv",
    ),
)
@click.argument("property_uuid")
@_dates
@billing_command
def headers(
    connection: BillingConnection, output: Output, property_uuid: str, **given: Any
) -> None:
    """List the billings of a property; PROPERTY_UUID is 32 hex digits.

    The credentials come from HOMEBOX_BILLING_TOKEN, or from HOMEBOX_BILLING_USERNAME and
    HOMEBOX_BILLING_PASSWORD; --emulator needs none.
    """
    columns = plain_columns(BillingHeader)
    days = values_of(_HEADERS, typed_tree(_HEADERS, given))
    output.check(BillingHeader, columns)

    async def found(client: AsyncBilling) -> Any:
        return (await client.headers(property_uuid, **days)).headers

    connection.run(lambda client: output.result(found(client), columns))


@group.command(
    epilog=examples(
        "homebox billing get 385619", "homebox billing get 385619 --include-device-consumptions"
    ),
)
@click.argument("billing_id", type=click.IntRange(min=1))
@click.option(
    "--include-device-consumptions/--no-include-device-consumptions",
    "consumptions",
    default=None,
    help="Whether to show what each device consumed.",
)
@billing_command
def get(
    connection: BillingConnection, output: Output, billing_id: int, consumptions: bool | None
) -> None:
    """Show one billing; the references of its documents go to stderr."""
    given = {} if consumptions is None else {"include_device_consumptions": consumptions}

    async def found(client: AsyncBilling) -> BillingResult:
        return await client.get(billing_id, **given)

    result = connection.run(found)
    output.tree(result.raw)
    if result.document_references:
        say(f"documents: {', '.join(result.document_references)}", err=True)


@group.command(
    epilog=examples("homebox billing document BE03856190 --output bills/"),
)
@click.argument("document_id")
@click.option(
    "--output",
    "path",
    type=click.Path(path_type=Path),
    default=Path(),
    help="A file, or a folder that exists.  [default: the working directory]",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
@billing_command
def document(
    connection: BillingConnection, output: Output, document_id: str, path: Path, overwrite: bool
) -> None:
    """Save a billing document (PDF) and tell where it is."""

    async def saved(client: AsyncBilling) -> Path:
        return await client.document(document_id).save(path, overwrite=overwrite)

    output.tree({"path": str(connection.run(saved))})


serving(headers, {"billing.headers": ""})
serving(get, {"billing.get": ""})
serving(document, {"billing.document": ""})
