"""What is shown on a terminal: colours as the environment wishes them, long tables in a pager."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """Return where rich writes to.

    NO_COLOR goes before FORCE_COLOR and CLICOLOR_FORCE, these before CLICOLOR=0 and TERM=dumb.
    rich itself knows NO_COLOR, FORCE_COLOR and TERM.
    """
    from rich.console import Console

    wish: dict[str, Any] = {}
    env = os.environ.get
    forced = env("FORCE_COLOR", "0") != "0" or env("CLICOLOR_FORCE", "0") != "0"
    if env("NO_COLOR"):
        wish["no_color"] = True
    elif forced:
        # A colour system, because rich takes none for a dumb terminal.
        wish.update(force_terminal=True, color_system="standard" if _is_dumb() else "auto")
    elif env("CLICOLOR") == "0":
        wish["no_color"] = True
    return Console(stderr=stderr, **wish)


def _is_dumb() -> bool:
    return os.environ.get("TERM", "").lower() in ("", "dumb", "unknown")


def pager() -> str:
    """Return the command that shows long tables, "" for none."""
    env = os.environ.get
    command = env("HOMEBOX_PAGER", env("PAGER", "less")).strip()
    try:
        words = shlex.split(command)
    except ValueError:  # a quote that is not closed
        return ""
    return "" if words in ([], ["cat"]) or _is_dumb() else command


def show(rendered: Any, *, paged: bool) -> None:
    """Print something of rich; what is longer than the screen goes into the pager."""
    screen = console()
    command = pager() if paged and sys.stdin.isatty() and sys.stdout.isatty() else ""
    if not command:
        screen.print(rendered)
        return
    with screen.capture() as captured:
        screen.print(rendered)
    text = captured.get()
    if text.count("\n") < shutil.get_terminal_size().lines:
        click.echo(text, nl=False, color=True)
        return
    # click reads them from the environment. FRX as git does: colours, and what fits one screen is
    # left on it.
    wanted = {"PAGER": command, "LESS": os.environ.get("LESS", "FRX")}
    before = {name: os.environ[name] for name in wanted if name in os.environ}
    os.environ.update(wanted)
    try:
        click.echo_via_pager(text, color=True)
    finally:
        for name in wanted:
            del os.environ[name]
        os.environ.update(before)
