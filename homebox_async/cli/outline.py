"""The outline of all commands: what completes them and shows their help, without loading them.

A command reads its options from the client's methods, which takes half a second: too long for a
press of the tab key. `python -m homebox_async.cli.outline > homebox_async/cli/outline.json` writes
down what completion and help need; a test says when that is to be done again.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import click

_FILE: Final = Path(__file__).with_name("outline.json")
_HELP: Final = ("-h", "--help")
_VARIABLE: Final = "_HOMEBOX_COMPLETE"

Node = dict[str, Any]
"""A command: its `help`, `epilog`, `usage` and `params`, and the `commands` of a group.

A parameter that several commands have stands in `shared` of the outermost, under a name.
"""


class _Command(click.Command):
    def __init__(self, name: str, node: Node, shared: Mapping[str, Node]) -> None:
        super().__init__(
            name,
            params=[
                _parameter(shared[param] if isinstance(param, str) else param)
                for param in node["params"]
            ],
            help=node["help"],
            epilog=node["epilog"],
            context_settings={"help_option_names": list(_HELP)},
        )
        self._usage: list[str] = node["usage"]

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return self._usage


class Outline(_Command, click.Group):
    """A group that is made of its node; its commands are made when they are asked for."""

    def __init__(self, name: str, node: Node, shared: Mapping[str, Node]) -> None:
        super().__init__(name, node, shared)
        self._nodes: dict[str, Node] = node["commands"]
        self._shared = shared

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of its commands."""
        return list(self._nodes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the outline of a command."""
        node = self._nodes.get(cmd_name)
        if node is None:
            return None
        return (Outline if "commands" in node else _Command)(cmd_name, node, self._shared)


class _Option(click.Option):
    """An option that tells its line of the help as the command itself did."""

    def __init__(self, param: Node, **known: Any) -> None:
        super().__init__([*param["options"], param["name"]], help=param["help"][1], **known)
        self._record = (param["help"][0], param["help"][1])

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        return self._record


def restore_help(name: str, command: click.Command) -> None:
    """Give a command, and those below it, the help that `python -OO` has taken out of the code."""
    node: Node = json.loads(_FILE.read_bytes())
    _restore(command, node["commands"][name] if name else node)


def _restore(command: click.Command, node: Node) -> None:
    command.help = node["help"]
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            _restore(child, node["commands"][name])


def answer() -> NoReturn:
    """Answer the shell, which has set _HOMEBOX_COMPLETE, and leave."""
    known().main(prog_name="homebox", complete_var=_VARIABLE)


def help_of(words: Sequence[str]) -> None:
    """Show the help of a command and leave; return where the words are more than its name."""
    root = known()
    node: click.Command = root
    context = click.Context(root)
    for word in words[:-1]:
        found = node.get_command(context, word) if isinstance(node, Outline) else None
        if found is None:
            return
        node = found
    root.main(words)


def known() -> Outline:
    """Return the outline as it was written down."""
    node: Node = json.loads(_FILE.read_bytes())
    return Outline("homebox", node, node["shared"])


def _parameter(param: Node) -> click.Parameter:
    known: dict[str, Any] = {}
    if "nargs" in param:
        known["nargs"] = param["nargs"]
    if "choices" in param:
        known["type"] = click.Choice(param["choices"])
    elif "path" in param:
        known["type"] = click.Path(file_okay=param["path"] == "file")
    if "options" not in param:
        return click.Argument([param["name"]], required=False, **known)
    if param["name"] == "profile":
        known["shell_complete"] = _profiles
    if "flag" in param:
        known["is_flag"] = True
    return _Option(param, multiple="multiple" in param, **known)


def _profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from .config import completed  # here, because most completions need no config file

    return completed(ctx, param, incomplete)


# --- how the outline is made


def outline() -> str:
    """Return the outline of the commands as they are."""
    from .root import homebox

    context = homebox.make_context("homebox", [], resilient_parsing=True)
    root = _node(homebox, context)
    root["shared"] = _share(root)
    return json.dumps(root, indent=1) + "\n"


def _share(root: Node) -> dict[str, Node]:
    """Take what several commands have out of them and return it by its new name."""
    counts = Counter(json.dumps(param) for node in _all(root) for param in node["params"])
    shared: dict[str, Node] = {}
    names: dict[str, str] = {}
    for text, count in counts.items():
        if count > 1:
            param = json.loads(text)
            alike = sum(name.partition(" ")[0] == param["name"] for name in shared)
            names[text] = f"{param['name']} {alike + 1}" if alike else param["name"]
            shared[names[text]] = param
    for node in _all(root):
        node["params"] = [names.get(json.dumps(param), param) for param in node["params"]]
    return shared


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("commands", {}).values():
        yield from _all(child)


def _node(command: click.Command, context: click.Context) -> Node:
    node: Node = {
        # Python 3.13 takes the indentation out of docstrings itself.
        "help": command.help and inspect.cleandoc(command.help),
        "epilog": command.epilog,
        "usage": command.collect_usage_pieces(context),
        "params": [_described(param, context) for param in command.params],
    }
    if isinstance(command, click.Group):
        node["commands"] = {}
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            node["commands"][name] = _node(child, click.Context(child, context, name))
    return node


def _described(param: click.Parameter, context: click.Context) -> Node:
    told: Node = {"name": param.name}
    if param.nargs != 1:
        told["nargs"] = param.nargs
    if isinstance(param.type, click.Choice):
        told["choices"] = list(param.type.choices)
    elif isinstance(param.type, click.Path):
        told["path"] = "file" if param.type.file_okay else "dir"
    if isinstance(param, click.Option):
        # A switch in one word, as click declares it: --premium/--no-premium.
        switch = [f"{param.opts[0]}/{other}" for other in param.secondary_opts]
        told["options"] = switch or param.opts
        told["help"] = param.get_help_record(context)
        if param.is_flag:
            told["flag"] = True
        if param.multiple:
            told["multiple"] = True
    return told


if __name__ == "__main__":
    print(outline(), end="")
