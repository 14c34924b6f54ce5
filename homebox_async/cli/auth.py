"""`homebox auth`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .. import keyring
from ..client import Environment
from ..credentials import is_token
from ..origin import checked_origin
from ..wire import Secret
from . import tokens
from .config import Profile
from .errors import Exit
from .options import server_options
from .output import Output
from .session import origin_of
from .text import examples, say

F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    epilog=examples(
        "homebox auth login", "homebox auth login --billing < credentials", "homebox auth status"
    )
)
def group() -> None:
    """Your API token in the system's keyring."""


class _Silent(click.Command):
    """A command that does not repeat what it was given by mistake: it may be a token."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse arguments without showing them."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as unknown:
            name = unknown.option_name.partition("=")[0]
            raise click.NoSuchOption(name, ctx=ctx) from None
        except click.UsageError as error:
            if isinstance(error, click.BadParameter):
                raise
            raise click.UsageError(
                "takes no arguments, which others can see; give the token when asked, or on stdin",
                ctx,
            ) from None


def _billing_option(function: F) -> F:
    return click.option("--billing", is_flag=True, help="For the Billing API.")(function)


@group.command(
    cls=_Silent,
    epilog=examples(
        "homebox auth login",
        "homebox auth login --environment sandbox < token.txt",
        "homebox auth login --billing",
    ),
)
@_billing_option
@server_options
def login(
    billing: bool, environment: Environment | None, base_url: str | None, profile: Profile
) -> None:
    """Keep a token in the system's keyring.

    It is asked for without being shown, or read from stdin. With --billing that is a username
    and a password, on stdin a line each; a single line, or no username, is a token. It is kept
    for one server only and sent to no other. Nothing is sent now; `homebox account show` tries it.
    """
    entry = _entry(billing, environment, base_url, profile)
    credentials = _asked(billing) if sys.stdin.isatty() else _piped(billing)
    if "token" in credentials and not is_token(credentials["token"]):
        raise click.UsageError("no token was given, or it holds a space or a line break")
    if not all(credentials.values()):
        raise click.UsageError("a username or a password is missing; give both")
    keyring.write(entry, keyring.packed(credentials) if billing else credentials["token"])
    say(f"kept for {entry} in the keyring ({keyring.backend()})", err=True)


@group.command(
    cls=_Silent,
    epilog=examples("homebox auth logout", "homebox auth logout --environment sandbox"),
)
@_billing_option
@server_options
def logout(
    billing: bool, environment: Environment | None, base_url: str | None, profile: Profile
) -> None:
    """Forget the token that the keyring has for a server."""
    entry = _entry(billing, environment, base_url, profile)
    gone = keyring.delete(entry)
    say(f"{'forgotten' if gone else 'there was nothing'} for {entry}", err=True)


@group.command(cls=_Silent, epilog=examples("homebox auth status", "homebox auth status --json"))
@click.option("--json", is_flag=True, help="As a JSON object.")
@server_options
def status(
    json: bool, environment: Environment | None, base_url: str | None, profile: Profile
) -> Exit:
    """Tell where the token and the Billing credentials come from, never what they are.

    A command takes its token from the first of these that has one: --token-file, HOMEBOX_TOKEN,
    the file that HOMEBOX_TOKEN_FILE names, that of the profile, the keyring. A token of a profile
    goes to the server of this profile only. Those of the Billing API are
    HOMEBOX_BILLING_TOKEN, or HOMEBOX_BILLING_USERNAME and HOMEBOX_BILLING_PASSWORD, each with a
    _FILE of its own, or the keyring. A file of yours that others may read is refused, as ssh
    does. The exit code is 1 where there is no token for the server.
    """
    # Checked first: what is no origin may hold a password, and is not repeated.
    origin = checked_origin(origin_of(environment, base_url, profile))
    unusable = ""
    found: tokens.Found | None = None
    billing: list[tokens.Found] = []
    try:
        found = tokens.find(origin, profile=profile)
        billing = list(tokens.find_billing(profile))
    except keyring.KeyringUnusable as error:
        unusable = f" ({error})"
        billing = billing or list(tokens.exported_billing())
    Output(json=json, verbose=False).tree(
        {
            "profile": profile.name or None,
            "server": origin,
            "token": found.source if found else f"none{unusable}",
            "billing": ", ".join(one.source for one in billing) or f"none{unusable}",
        }
    )
    return Exit.DONE if found else Exit.FAILED


def _entry(
    billing: bool, environment: Environment | None, base_url: str | None, profile: Profile
) -> str:
    if billing and environment is not None:
        raise click.UsageError("--environment means nothing with --billing; give --base-url")
    if billing:
        return tokens.billing_entry(profile, base_url)
    return tokens.partner_entry(origin_of(environment, base_url, profile), profile)


def _asked(billing: bool) -> dict[str, Secret]:
    def ask(what: str, **more: Any) -> Secret:
        return Secret(click.prompt(what, default="", show_default=False, err=True, **more).strip())

    username = ask("Username (none if you have a token)") if billing else ""
    if username:
        return {"username": Secret(username), "password": ask("Password", hide_input=True)}
    return {"token": ask("API token", hide_input=True)}


def _piped(billing: bool) -> dict[str, Secret]:
    lines = [Secret(line.strip()) for line in sys.stdin.read(65_536).splitlines()]
    lines = [line for line in lines if line]
    if billing and len(lines) == 2:
        return {"username": lines[0], "password": lines[1]}
    if len(lines) != 1:
        wanted = "one line, the token"
        wanted += ", or two, username and password" if billing else ""
        raise click.UsageError(f"stdin has {len(lines)} lines; give {wanted}")
    return {"token": lines[0]}
