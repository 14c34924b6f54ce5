"""`python -m homebox_async.cli.reference` writes `docs/cli.md` to stdout."""

from __future__ import annotations

from collections.abc import Iterator

import click

from .root import homebox

_WIDTH = 88
_INTRODUCTION = """\
# The command line

Made from the commands' own `--help`:
`python -m homebox_async.cli.reference > docs/cli.md`.

Data goes to stdout, and progress, notes and errors go to stderr; an error is one line.
On a terminal, data is a table; otherwise, tab-separated lines under a line of titles.
With `--json`, it is as the server sent it: a single object, or a list with one object a line.
The report of an import is one object then.
"""


def commands(
    command: click.Command = homebox, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Give every command with its help, the outermost first."""
    name = command.name if parent else "homebox"
    context = command.make_context(name, [], parent, resilient_parsing=True, terminal_width=_WIDTH)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            child.name = child_name
            yield from commands(child, context)


def reference() -> str:
    """Return the reference of the command line."""
    parts = [_INTRODUCTION]
    for path, text in commands():
        level = "#" * min(3, 1 + len(path.split()))
        parts.append(f"{level} {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(reference(), end="")
