"""`homebox completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from .text import examples

_WHERE = {
    "bash": "~/.local/share/bash-completion/completions/homebox",
    "zsh": "a folder of $fpath, as _homebox",
    "fish": "~/.config/fish/completions/homebox.fish",
}


@click.command(
    epilog=examples(
        "homebox completion bash > ~/.local/share/bash-completion/completions/homebox",
        "homebox completion zsh > ~/.zfunc/_homebox",
        "homebox completion fish > ~/.config/fish/completions/homebox.fish",
    )
)
@click.argument("shell", type=click.Choice(list(_WHERE)))
def command(shell: str) -> None:
    """Completion of commands and options for your shell.

    Prints a script for SHELL, which completes commands, options, files and profiles. Try it with
    `eval "$(homebox completion bash)"`, in zsh after `autoload -U compinit; compinit`, in fish
    with `homebox completion fish | source`. To keep it, write it to the file that your shell
    loads it from, as below.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(click.Group(), {}, "homebox", "_HOMEBOX_COMPLETE").source()
    # zsh loads the function at the first tab and calls it at each other one: click's script knows
    # the first alone, and would complete nothing at the second.
    click.echo(script.replace("== loadautofunc ]]", "== (loadautofunc|shfunc) ]]"))
    if sys.stdout.isatty():
        click.echo(f"to keep it, write this to {_WHERE[shell]}", err=True)
