"""`homebox branches`."""

from __future__ import annotations

import click

from .operate import Operation, operation
from .text import examples


@click.group(epilog=examples("homebox branches list"))
def group() -> None:
    """Branch accounts; --branch of other commands acts for one."""


operation(
    group,
    "create",
    Operation(
        path="branches.create",
        act="create a branch account",
        effects=lambda values: ["1 email invites the branch to set its account up now"],
    ),
    "Create a branch account and show its id; it is invited by email.",
    "homebox branches create --name Leeds --email leeds@example.com --image-path logo.png",
)
operation(
    group,
    "update",
    Operation(path="branches.update", act="change a branch account"),
    "Change what is given of the branch account BRANCH_ID.",
    'homebox branches update 7 --name "Leeds North"',
)
operation(
    group,
    "list",
    Operation(path="branches.list"),
    "List your branch accounts.",
    "homebox branches list",
    'homebox branches list --fields "id,name"',
)
operation(
    group,
    "get",
    Operation(path="branches.get"),
    "Show the branch account BRANCH_ID.",
    "homebox branches get 7",
)
