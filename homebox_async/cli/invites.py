"""`homebox invites`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox invites list 12"))
def group() -> None:
    """Invitations to pay for a tenant package."""


operation(
    group,
    "create",
    Operation(
        path="invites.create",
        branch="branch.invites.create",
        act="invite a bill payer",
        effects=lambda values: ["1 SMS goes to the tenant now, with a link to sign up and pay"],
    ),
    "Invite a tenant by SMS to pay for the order ORDER_ID.",
    "homebox invites create 12 --first-name Ann --last-name Lee --phone-number +447700900000",
    "homebox invites create 12 --from invite.json --branch 7",
)
operation(
    group,
    "list",
    Operation(path="invites.list"),
    "List the invited who have not signed up yet.",
    "homebox invites list 12",
)
operation(
    group,
    "delete",
    Operation(path="invites.delete", act="delete an invitation"),
    "Delete the invitation INVITE_ID.",
    "homebox invites delete 12 34",
)
