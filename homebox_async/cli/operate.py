"""Commands made of operations: options from the signature, consequences, the result shown.

A command names its operations ("leads.create", below a branch "branch.leads.create"); what it
takes and what it answers is read from the client's own methods.
"""

from __future__ import annotations

import contextlib
import json
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import attrs
import click

from ..client import AsyncHomebox
from ..errors import EchoMismatch
from ..middleware import Handler
from ..models import Model
from ..pages import Pages
from ..resources.branches import AsyncBranch
from ..wire import Request, Response
from .confirm import check_can_ask, confirm
from .fields import Field, Tree, fields_of, merged, options_of, typed_tree, values_of
from .options import api_command, limit_option, yes_option
from .output import Columns, Output, plain_columns
from .session import Connection
from .text import examples, say

Effects = Callable[[Mapping[str, Any]], Iterable[str]]
"""What a write sets off in the world, told from its arguments."""


def _plain_columns(model: type[Model]) -> Columns:
    # A quote or an order's bills are a list with totals beside it.
    listed = getattr(model, "__iter__", None)
    item = typing.get_type_hints(listed)["return"] if listed else model
    return plain_columns((typing.get_args(item) or (model,))[0])


Serves = Mapping[str, str]
"""Operations that a command makes -> the words that make it that one ("--branch ID")."""


def serving(command: click.Command, serves: Serves) -> click.Command:
    """Note which operations a command makes; `operations` reads it."""
    command.operations = serves  # type: ignore[attr-defined]
    return command


def method_of(path: str) -> Callable[..., Any]:
    """Return the function of an operation, such as "leads.create" or "branch.leads.create"."""
    resource, _, name = path.removeprefix("branch.").partition(".")
    if path.startswith("branch."):
        return attrgetter(f"{resource}.{name}")(AsyncBranch(_never, 1)).__func__  # type: ignore[no-any-return]
    return getattr(typing.get_type_hints(AsyncHomebox)[resource], name)  # type: ignore[no-any-return]


async def _never(request: Request) -> Any:
    raise AssertionError(request)


def model_of(method: Callable[..., Any]) -> type[Model]:
    """Return the class of what an operation answers, or of an item of its list."""
    hint = typing.get_type_hints(method)["return"]
    found: type[Model] = (typing.get_args(hint) or (hint,))[0]
    return found


@attrs.frozen(kw_only=True)
class Operation:
    """What a command does.

    `path`: its operation; `branch`: the one with --branch; `either`: an option that takes an id
    -> its operation, of which one is given. `act`: for a write, what is confirmed ("create a
    lead"). `effects`: what the write sets off. `also`: other names of options.
    """

    path: str = ""
    branch: str = ""
    either: Mapping[str, str] = attrs.field(factory=dict)
    act: str = ""
    effects: Effects = lambda values: ()
    columns: Columns = attrs.field(
        default=attrs.Factory(lambda self: _plain_columns(self.model), takes_self=True)
    )
    also: Mapping[str, Sequence[str]] = attrs.field(factory=dict)

    @property
    def serves(self) -> Serves:
        """The operations, each with the words that make the command that one."""
        own = {self.path: ""} if self.path else {}
        branch = {self.branch: "--branch ID"} if self.branch else {}
        return own | branch | {path: f"--{name} ID" for name, path in self.either.items()}

    @property
    def fields(self) -> list[Field]:
        """The parameters; those of all its operations are the same but for the id in the path."""
        fields = fields_of(method_of(next(iter(self.serves))))
        return fields[1:] if self.either else fields

    @property
    def model(self) -> type[Model]:
        """The class of what is shown."""
        return model_of(method_of(next(iter(self.serves))))

    @property
    def is_list(self) -> bool:
        """Whether it answers page by page."""
        hint = typing.get_type_hints(method_of(next(iter(self.serves))))["return"]
        return typing.get_origin(hint) is Pages


def operation(
    group: click.Group,
    name: str,
    operation: Operation,
    help: str,
    *example_lines: str,
) -> None:
    """Add the command of an operation to a group."""
    fields = operation.fields

    def run(
        connection: Connection,
        output: Output,
        yes: bool = False,
        limit: int | None = None,
        source: str | None = None,
        **given: Any,
    ) -> None:
        path, ids = _chosen(operation, given)
        arguments = {field.name: given.pop(field.name) for field in fields if field.is_path}
        typed = typed_tree(fields, given)
        arguments |= values_of(fields, merged(fields, read_source(source), typed))
        output.check(operation.model, operation.columns)

        def call(client: AsyncHomebox) -> Any:
            target: Any = client if "branch" not in ids else client.branch(ids["branch"])
            first = [number for option, number in ids.items() if option != "branch"]
            return attrgetter(path.removeprefix("branch."))(target)(*first, **arguments)

        async def show(client: AsyncHomebox) -> None:
            await output.result(call(client), operation.columns, limit)

        if operation.act:
            check_can_ask(connection, yes)
            if connection.is_real and not yes:
                check_arguments(connection, call)
                confirm(connection, operation.act, yes, operation.effects(arguments))
        with told_warnings():
            connection.run(show)

    for decorator in reversed(list(_options(operation, fields))):
        run = decorator(run)
    command = click.command(name, help=help, epilog=examples(*example_lines))(run)
    group.add_command(serving(command, operation.serves))


def _options(operation: Operation, fields: Sequence[Field]) -> Iterator[Callable[..., Any]]:
    for number, option in enumerate(operation.either):
        words = f"{'Or the' if number else 'The'} {option}."
        yield click.option(f"--{option}", type=click.IntRange(min=1), metavar="ID", help=words)
    for field in fields:
        yield from options_of(field, operation.also.get(field.name, ()))
    if any(not field.is_path for field in fields):
        yield click.option(
            "--from",
            "source",
            metavar="FILE.json",
            type=click.Path(allow_dash=True),
            help="A JSON object with the API's field names, - for stdin; options go before it.",
        )
    if operation.branch:
        yield click.option(
            "--branch",
            type=click.IntRange(min=1),
            metavar="ID",
            help="On behalf of this branch account.",
        )
    if operation.is_list:
        yield limit_option
    if operation.act:
        yield yes_option
    yield api_command


def _chosen(operation: Operation, given: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """Return the operation that is meant, and the ids that say so."""
    named = {
        option: given.pop(option) for option in [*operation.either, "branch"] if option in given
    }
    ids = {option: number for option, number in named.items() if number is not None}
    if operation.either and len(ids) != 1:
        words = " or ".join(f"--{option} ID" for option in operation.either)
        raise click.UsageError(f"give either {words}")
    if operation.either:
        return operation.either[next(iter(ids))], ids
    return operation.branch if ids else operation.path, ids


def read_source(source: str | None) -> Tree:
    """Return the object of --from."""
    if source is None:
        return {}
    try:
        with click.open_file(source, encoding="utf-8-sig") as file:
            tree = json.load(file)
    except OSError as error:
        raise click.UsageError(f"--from {source}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise click.UsageError(f"--from {source}: is not JSON") from None
    if not isinstance(tree, dict):
        raise click.UsageError(f"--from {source}: is no JSON object")
    return tree


def check_arguments(connection: Connection, call: Callable[[AsyncHomebox], Any]) -> None:
    """Refuse bad arguments before anything is asked; nothing is sent."""

    async def work(client: AsyncHomebox) -> None:
        await call(client.with_options(middlewares=[_stop]))

    with contextlib.suppress(_Checked):
        connection.run_offline(work)


class _Checked(Exception):  # no error
    """The arguments are good."""


async def _stop(request: Request, handler: Handler) -> Response:
    raise _Checked


@contextlib.contextmanager
def told_warnings() -> Iterator[None]:
    """Tell what the client warns of in one line each, on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", EchoMismatch)
        warnings.showwarning = _tell  # type: ignore[assignment]
        yield


def _tell(message: Warning | str, *rest: Any) -> None:
    say(f"warning: {message}", err=True)
