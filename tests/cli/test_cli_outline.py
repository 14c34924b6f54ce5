"""The outline: what it tells of a command is what the command itself tells."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from homebox_async import cli
from homebox_async.cli import outline
from homebox_async.cli.root import homebox

FILE = Path(outline.__file__).with_name("outline.json")


def helps(command: click.Command, width: int, parent: click.Context | None = None) -> list[str]:
    """Return the helps of a command's subcommands, all the way down."""
    found = []
    names = ["-h", "--help"] if parent is None else None
    context = click.Context(
        command, parent, command.name, terminal_width=width, help_option_names=names
    )
    if parent is not None:
        found.append(command.get_help(context))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            child.name = name
            found += helps(child, width, context)
    return found


def test_outline_is_current() -> None:
    """outline.json is what the commands say now, in letters that every terminal has."""
    assert "\\u" not in outline.outline()
    assert FILE.read_text() == outline.outline(), (
        "run: python -m homebox_async.cli.outline > homebox_async/cli/outline.json"
    )


@pytest.mark.parametrize("width", [50, 78, 120])
def test_same_help(width: int) -> None:
    """The help of the outline is that of the command, at any width."""
    real = helps(homebox, width)
    assert len(real) > 70
    assert real == helps(outline.known(), width)


def test_as_a_program() -> None:
    """The module writes the outline to stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "homebox_async.cli.outline"], capture_output=True, text=True
    )
    assert (0, "", outline.outline()) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["leads", "list", "--help"], 0, "Usage: homebox leads list [OPTIONS]"),
        (["leads", "-h"], 0, "Usage: homebox leads [OPTIONS] COMMAND"),
        (["leads", "lisst", "--help"], 2, "no such command 'lisst'"),
        (["leads", "list", "--limit", "--help"], 2, "is not a valid integer"),
    ],
    ids=["command", "group", "unknown", "value"],
)
def test_help_without_the_command(
    args: list[str],
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A plain question for help is answered from the outline; all else goes to the command."""
    monkeypatch.setattr(sys, "argv", ["homebox", *args])
    with pytest.raises(SystemExit) as left:
        cli.main()
    shown = capsys.readouterr()
    assert (code, True) == (left.value.code, told in shown.out + shown.err)
