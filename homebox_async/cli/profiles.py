"""`homebox profiles`."""

from __future__ import annotations

import sys

import click

from . import config
from .output import Output, print_table
from .text import examples, say


@click.group(epilog=examples("homebox profiles init", "homebox profiles list"))
def group() -> None:
    """Named settings in a config file, for --profile."""


@group.command("init", epilog=examples("homebox profiles init"))
def init() -> None:
    """Write a config file to begin with, if there is none.

    A profile holds a server, where the token is (never the token itself), a timeout and how
    results are shown. --profile or HOMEBOX_PROFILE names one; without them, default_profile of
    the file does. What is typed goes before the environment, that before the profile, and that
    before the default. The token of a profile goes to the server of this profile only.
    """
    path = config.config_path()
    config.create(path)
    say(f"written: {path}; edit it, then: homebox profiles list", err=True)


@group.command("list", epilog=examples("homebox profiles list", "homebox profiles list --json"))
@click.option("--json", is_flag=True, help="JSON, one object a line.")
def list_(json: bool) -> None:
    """List the profiles of the config file."""
    found = config.read()
    rows = list(config.described(found))
    if json:
        for row in rows:
            Output(json=True, verbose=False).plain(row)
        return
    if not rows:
        say(f"there are none in {found.path}; run: homebox profiles init", err=True)
        return
    cells = [tuple(_cell(value) for value in row.values()) for row in rows]
    if sys.stdout.isatty():
        print_table(list(rows[0]), cells, pager=True)
        return
    for line in (tuple(rows[0]), *cells):
        say("\t".join(line))


@group.command("path", epilog=examples("homebox profiles path"))
def path() -> None:
    """Tell where the config file is, or would be; HOMEBOX_CONFIG names another."""
    say(config.config_path())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)
