"""The options that commands share."""

from __future__ import annotations

import functools
import logging
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
import click
from click.core import ParameterSource

from . import config
from .output import Output
from .session import DEFAULT_STATE, BillingConnection, Connection

F = TypeVar("F", bound=Callable[..., Any])

HELP = {"help_option_names": ["-h", "--help"]}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smh]?)", re.ASCII)
DEFAULT_TIMEOUT: Final = 30.0  # seconds


class Seconds(click.FloatRange):
    """A number of seconds; neither endless nor "nan"."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or refuse the option."""
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return seconds


class Duration(click.ParamType):  # type: ignore[type-arg]  # no generic before click 8.3
    """A time: seconds, or a number with s, m or h."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or refuse the option."""
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no time; give one such as 90, 30m or 12h", param, ctx)
        return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name for name in map(str.strip, (value or "").split(",")) if name)


def _profile(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> config.Profile | None:
    if ctx.resilient_parsing:  # which is for helps and completions, and reads no file
        return None
    typed = ctx.get_parameter_source("profile") is ParameterSource.COMMANDLINE
    return config.read().profile(value, "--profile" if typed else "HOMEBOX_PROFILE")


_PROFILE = click.option(
    "--profile",
    envvar="HOMEBOX_PROFILE",
    callback=_profile,
    shell_complete=config.completed,
    metavar="NAME",
    help="The settings of this profile (see `homebox profiles`).  [env: HOMEBOX_PROFILE]",
)
_TIMEOUT = click.option(
    "--timeout",
    type=Seconds(min=0, min_open=True),
    help=f"How long a request may take.  [default: {DEFAULT_TIMEOUT:g}]",
)
_CONNECTION = (
    click.option(
        "--emulator",
        is_flag=True,
        help="Run against an emulator inside this process: no token, no set-up, nothing leaves"
        " this machine.",
    ),
    click.option(
        "--emulator-state",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --emulator: the file that keeps its state between commands."
        f"  [default: {DEFAULT_STATE}]",
    ),
    click.option(
        "--faults",
        metavar="NAME=RATE,...",
        help="With --emulator: what goes wrong with requests that create something, e.g."
        " drop-after=0.02,503=0.1.",
    ),
    click.option(
        "--seed",
        type=int,
        help="With --emulator: decides which addresses exist and where the faults fall.",
    ),
    click.option(
        "--environment",
        type=click.Choice(["production", "sandbox"]),
        help="The vendor's servers to use.  [default: production]",
    ),
    click.option(
        "--base-url",
        metavar="URL",
        help="Another server, as scheme://host:port.  [env: HOMEBOX_BASE_URL]",
    ),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="A file that holds the API token and that only you can read.  [default: see"
        " `homebox auth status`]",
    ),
    _PROFILE,
    _TIMEOUT,
)
_BILLING = (
    *_CONNECTION[:2],
    click.option(
        "--base-url",
        metavar="URL",
        help="Another server, with its path.  [env: HOMEBOX_BILLING_URL]",
    ),
    click.option(
        "--administrator-ids",
        metavar="1;2;3",
        help="The administrators to act for.  [env: HOMEBOX_BILLING_ADMINISTRATOR_IDS]",
    ),
    _PROFILE,
    _TIMEOUT,
)
_OUTPUT = (
    click.option(
        "--json",
        is_flag=True,
        help="JSON as the server sent it: one object, and a list as one object a line.",
    ),
    click.option("--csv", is_flag=True, help="CSV, escaped so that spreadsheets run no formulas."),
    click.option(
        "--table",
        is_flag=True,
        help="A table, or tab-separated lines for another program.  [default]",
    ),
    click.option(
        "--no-pager", is_flag=True, help="Print a long table instead of showing it page by page."
    ),
    click.option(
        "--fields",
        callback=_names,
        metavar="a,b,c",
        help="Show these fields only, those inside others by a dot: property.id.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Log every request to stderr."),
)


def api_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the connection options, as its arguments `connection` and `output`."""
    return _connected(function, Connection, _CONNECTION)


def billing_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command of the Billing API its connection options; see `api_command`."""
    return _connected(function, BillingConnection, _BILLING)


def _connected(
    function: Callable[..., Any],
    kind: type[Connection] | type[BillingConnection],
    options: tuple[Callable[..., Any], ...],
) -> Callable[..., Any]:
    names = [field.name for field in attrs.fields(kind)]

    @functools.wraps(function)
    def command(
        json: bool,
        csv: bool,
        table: bool,
        no_pager: bool,
        fields: tuple[str, ...],
        verbose: bool,
        profile: config.Profile,
        timeout: float | None,
        **values: Any,
    ) -> Any:
        given = {"json": json, "csv": csv, "table": table}
        forms = [form for form, is_given in given.items() if is_given]
        if len(forms) > 1:
            raise click.UsageError(
                f"{' and '.join(f'--{form}' for form in forms)} are both given; give one"
            )
        [form] = forms or [profile.output]
        if verbose:
            _log_to_stderr()
        values |= {"profile": profile, "timeout": timeout or profile.timeout or DEFAULT_TIMEOUT}
        connection = kind(**{name: values.pop(name) for name in names})
        output = Output(
            json=form == "json",
            csv=form == "csv",
            verbose=verbose,
            fields=fields,
            pager=not no_pager,
        )
        return function(connection=connection, output=output, **values)

    return _with(command, (*options, *_OUTPUT))


def server_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --environment and --base-url, of which one is given, and --profile."""

    @functools.wraps(function)
    def command(environment: str | None, base_url: str | None, **values: Any) -> Any:
        if environment is not None and base_url is not None:
            raise click.UsageError("--environment and --base-url both name a server; give one")
        return function(environment=environment, base_url=base_url, **values)

    return _with(command, (*_CONNECTION[4:6], _PROFILE))


def limit_option(function: F) -> F:
    """Add --limit."""
    return click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="Stop after so many."
    )(function)


def yes_option(function: F) -> F:
    """Add --yes."""
    return click.option(
        "--yes", is_flag=True, help="Do not ask before something is written to production."
    )(function)


def _with(command: F, options: tuple[Callable[..., Any], ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("homebox_async")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)

    def stop() -> None:
        logger.setLevel(before)
        logger.removeHandler(handler)

    click.get_current_context().call_on_close(stop)
