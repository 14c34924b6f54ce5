"""`python -m homebox_async.cli.operations` writes `docs/operations.md` to stdout.

What the documents call an operation, its method and its path are read from the `Source:` of its
docstring, its name from the client, its command from the command line.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import click

from ..billing import AsyncBilling
from ..client import AsyncHomebox
from ..resources.base import Resource
from ..resources.branches import AsyncBranch
from .root import homebox

_SOURCE = re.compile(r'(GET|POST|PATCH|DELETE) (/[^\s,]+)(?: \([^)]*\))?, "([^"]+)"')
_BRANCH = "/api/partner/child/{child_id}/"
_INTRODUCTION = """\
# The operations

Every operation of the two documents, with its name in Python and in the shell; the same names
work with `AsyncHomebox` and `Homebox`, `AsyncBilling` and `Billing`. Made from the code:
`python -m homebox_async.cli.operations > docs/operations.md`.

| Heading | Request | Python | Shell |
|---|---|---|---|
"""


@attrs.frozen
class Documented:
    """An operation of the documents: `name` is "leads.create", "branch.leads.create" or so."""

    name: str
    heading: str
    method: str
    path: str

    @property
    def python(self) -> str:
        """How it is called in Python."""
        return self.name.replace("branch.", "branch(branch_id).", 1)


def operations() -> Iterator[Documented]:
    """Give every operation of the clients."""
    for resource, kind in typing.get_type_hints(AsyncHomebox).items():
        if inspect.isclass(kind) and issubclass(kind, Resource):
            yield from _of(resource, kind)
    for resource, value in vars(AsyncBranch(_never, 1)).items():
        if isinstance(value, Resource):
            yield from _of(f"branch.{resource}", type(value))
    for name in ("headers", "get", "document"):
        yield _documented(f"billing.{name}", getattr(AsyncBilling, name))


async def _never(request: Any) -> Any:
    raise AssertionError(request)


def _of(resource: str, kind: type[Resource]) -> Iterator[Documented]:
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            yield _documented(f"{resource}.{name}", method)


def _documented(name: str, method: Callable[..., Any]) -> Documented:
    """Read the source that is meant of a docstring, which may name one for branches too."""
    of_branch = name.startswith("branch.")
    text = " ".join((method.__doc__ or "").split()).partition("Source: ")[2]
    found = [
        Documented(name, heading, verb, path)
        for verb, path, heading in _SOURCE.findall(text)
        if path.startswith(_BRANCH) == of_branch
    ]
    (source,) = found
    return source


def commands(
    command: click.Command = homebox, path: str = "homebox", parent: click.Context | None = None
) -> dict[str, str]:
    """Return the command of each operation."""
    served = {
        name: f"{path} {words}".rstrip()
        for name, words in getattr(command, "operations", {}).items()
    }
    if isinstance(command, click.Group):
        context = click.Context(command, parent)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                served |= commands(child, f"{path} {name}", context)
    return served


def table() -> str:
    """Return the page of the operations."""
    shell = commands()
    lines = [
        f"| {one.heading} | `{one.method} {one.path}` | `{one.python}` | `{shell[one.name]}` |\n"
        for one in operations()
    ]
    return _INTRODUCTION + "".join(lines)


if __name__ == "__main__":
    print(table(), end="")
