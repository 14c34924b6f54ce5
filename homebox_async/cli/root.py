"""The command `homebox` itself, which loads its commands when they are used."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from ..version import own_version
from .errors import EXIT_CODES, Exit, guarded, silence
from .text import examples

# name: module, and the help that is shown without loading it.
COMMANDS: Final = {
    "account": ("account", "Your partner account."),
    "addresses": ("addresses", "Addresses that Homebox knows."),
    "auth": ("auth", "Your API token in the system's keyring."),
    "bill-payers": ("bill_payers", "The tenants who pay for a tenant package."),
    "billing": ("billing", "Heat and water billings of buildings (the Billing API)."),
    "branches": ("branches", "Branch accounts; --branch of other commands acts for one."),
    "completion": ("completion", "Completion of commands and options for your shell."),
    "doctor": ("doctor", "Check the set-up, from the config file to the server's answers."),
    "emulator": ("emulator", "A local Partner API for rehearsals and tests."),
    "export": ("exports", "Write whole lists to CSV, JSON lines, Parquet or Excel files."),
    "import": ("imports", "Import properties, leads, voids or meter readings from a file."),
    "invites": ("invites", "Invitations to pay for a tenant package."),
    "leads": ("leads", "Leads: invitations of tenants to a bills package."),
    "mandates": ("mandates", "The direct debit mandates of bill payers."),
    "metrics": ("metrics", "Numbers of orders, payments, leads and notifications."),
    "orders": ("orders", "Orders of bills packages: their bills, payments and payouts."),
    "partner-packages": ("partner_packages", "Bills packages that a business pays for."),
    "postal-bills": ("postal_bills", "Bills that came by post."),
    "profiles": ("profiles", "Named settings in a config file, for --profile."),
    "properties": ("properties", "The properties of your portfolio."),
    "readings": ("readings", "Meter readings of orders and properties."),
    "tenancies": ("tenancies", "The tenancies of a property."),
    "tenant-packages": (
        "tenant_packages",
        "Bills packages that the residents of a home pay together.",
    ),
    "voids": ("voids", "Void periods: times in which a home is not let."),
}
_ARGUMENTS = f"{__name__}.arguments"


class Root(click.Group):
    """A group that imports a command only when it is run or asked for its own help."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command line and leave with its exit code."""
        for stream in (sys.stdout, sys.stderr):
            # A name that the terminal's encoding lacks must not end a list halfway.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        extra["standalone_mode"] = False
        code = guarded(lambda: super(Root, self).main(*args, **extra))
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        sys.exit(code)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they were typed, for the command that resumes."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; if whoever reads has seen enough (`| head`), that is all."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            silence()
            return Exit.DONE

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        if self.help is None:
            from .outline import restore_help

            restore_help("", self)
        super().format_help_text(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name][0]}", __package__)
        command: click.Command = getattr(module, "group", None) or module.command
        if command.help is None:
            from .outline import restore_help

            restore_help(cmd_name, command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"homebox, version {own_version()}")
        ctx.exit()


def typed(ctx: click.Context) -> str:
    """Return the command as it was typed, to be pasted into a shell."""
    root = ctx.find_root()
    return " ".join([root.info_name or "homebox", *map(shlex.quote, ctx.meta[_ARGUMENTS])])


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "homebox import properties portfolio.csv --emulator",
        "homebox properties list --q Brighton",
        "homebox doctor --emulator",
        "homebox completion bash",
        "homebox properties list --help",
    )
    + EXIT_CODES,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def homebox() -> None:
    """Homebox Partner API: bulk imports, lists, and an emulator to rehearse with.

    The API token comes from HOMEBOX_TOKEN, a file (--token-file, HOMEBOX_TOKEN_FILE) or the
    keyring (`homebox auth login`), never from an option; --emulator needs none.
    HOMEBOX_BASE_URL names another server, and --profile or HOMEBOX_PROFILE settings of a config
    file (`homebox profiles init`). `homebox doctor` finds what is wrong with a set-up, and
    `homebox completion` completes commands and options in your shell. Data goes to stdout, and
    everything else to stderr; long tables go into PAGER or HOMEBOX_PAGER; NO_COLOR
    switches colours off.
    """
