"""`homebox doctor`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import attrs
import click

from ..client import Environment
from ..errors import ConfigurationError
from ..loops import run
from ..wire import Secret
from . import config, tokens
from .checkup import Finding, Setup, drift, in_thread, limited, lists, local, network
from .errors import Exit
from .options import Seconds
from .output import Output
from .terminal import console
from .text import counted, examples, say, shown

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


@click.command(
    epilog=examples(
        "homebox doctor --emulator",
        "homebox doctor --environment sandbox --timeout 5",
        "homebox doctor --json",
    )
)
@click.option("--emulator", is_flag=True, help="Check against an emulator in this process.")
@click.option(
    "--environment", type=click.Choice(["production", "sandbox"]), help="The vendor's servers."
)
@click.option("--base-url", metavar="URL", help="Another server.  [env: HOMEBOX_BASE_URL]")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="A file that holds the API token."
)
@click.option(
    "--profile",
    envvar="HOMEBOX_PROFILE",
    shell_complete=config.completed,
    metavar="NAME",
    help="The settings of this profile.  [env: HOMEBOX_PROFILE]",
)
@click.option(
    "--timeout",
    type=Seconds(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long each check may take.",
)
@click.option("--json", is_flag=True, help="As a JSON object.")
def command(
    emulator: bool,
    environment: Environment | None,
    base_url: str | None,
    token_file: Path | None,
    profile: str | None,
    timeout: float,
    json: bool,
) -> Exit:
    """Check the set-up, from the config file to the server's answers.

    Each check says what it found and what to do about it: versions, config file, environment,
    server, token, keyring, proxy, terminal; then, at the server, its name, connection and
    certificate, whose token it is, the clock, the rate limit, whether the first page of some
    lists has fields that this version does not know, and how the lists that imports and exports
    rely on behave: their length, what they report of it, whether `page` counts, and whether your
    references appear. Nothing is written, here or there, and neither tokens nor values of
    answers are shown.

    The exit code is 1 when a check failed; a warning leaves it 0.
    """
    if environment is not None and base_url is not None:
        raise click.UsageError("--environment and --base-url both name a server; give one")
    used, wrong = _profile(profile)
    setup = Setup(
        profile=used,
        wrong=wrong,
        environment=environment,
        base_url=base_url,
        token_file=token_file,
        emulator=emulator,
        limit=timeout,
    )

    findings = run(_findings(setup, json))
    bad = [finding for finding in findings if finding.status == "failed"]
    if json:
        checks = [attrs.asdict(finding) for finding in findings]
        Output(json=True, verbose=False).plain({"ok": not bad, "checks": checks})
    else:
        say(
            f"{counted(len(bad), 'check')} of {len(findings)} failed"
            if bad
            else "nothing is wrong"
            if all(finding.status != "warning" for finding in findings)
            else "nothing failed, but see the warnings",
            err=True,
        )
    return Exit.FAILED if bad else Exit.DONE


def _profile(name: str | None) -> tuple[config.Profile, str]:
    """Return the profile, and why there is none: that is a finding, not the end."""
    try:
        return config.read().profile(name), ""
    except ConfigurationError as error:
        return config.Profile(), str(error)


async def _findings(setup: Setup, json: bool) -> list[Finding]:
    findings = []
    async with contextlib.aclosing(_checks(setup)) as checks:
        async for finding in checks:
            findings.append(finding)
            if not json:
                _show(finding)
    return findings


def _show(finding: Finding) -> None:
    """Show a finding as soon as it is there: a check may take its time."""
    finding = attrs.evolve(finding, detail=shown(finding.detail), fix=shown(finding.fix))
    if not sys.stdout.isatty():
        say("\t".join((finding.status, finding.check, finding.detail, finding.fix)))
        return
    from rich.text import Text

    screen = console()
    screen.print(
        Text.assemble(
            (f"{finding.status:<8}", _STYLES[finding.status]),
            (f"{finding.check}: ", "bold"),
            finding.detail,
        )
    )
    if finding.fix:
        screen.print(Text(f"{'':8}to do: {finding.fix}"))


async def _checks(setup: Setup) -> AsyncGenerator[Finding, None]:
    broken = set()
    for check, look in local.checks().items():
        finding = await limited(check, partial(in_thread, partial(look, setup)), setup.limit)
        if finding.status == "failed":
            broken.add(check)
        yield finding
    # The token must not go to another server than the one that a bad config file would name.
    if broken & {"config file", "server", "proxy"} and not setup.emulator:
        yield Finding("network", "skipped", "until the server is known")
        return
    async with contextlib.AsyncExitStack() as stack:
        if setup.emulator:
            from ..emulator import Address, Emulator  # the server half of aiohttp

            emulator = await stack.enter_async_context(Emulator())
            # Something to compare: a home with an order.
            home = emulator.store.add_property(
                Address("1 High Street", None, "Leeds", None, "LS1 1AA")
            )
            emulator.seed_order(home.id)
            origin, token = emulator.url, Secret(emulator.token)
        else:
            origin = setup.origin
            for check, connect in (("DNS", network.names), ("connection", network.connection)):
                finding = await limited(check, partial(connect, origin), setup.limit)
                yield finding
                if finding.status == "failed":
                    yield Finding("account", "skipped", "the server cannot be reached")
                    return
            if "token" in broken:
                yield Finding("account", "skipped", "there is no token that could be tried")
                return
            found = await in_thread(lambda: tokens.find(origin, setup.token_file, setup.profile))
            assert found is not None
            token = found.secret
        async with contextlib.aclosing(_at_server(origin, token, setup.limit)) as checks:
            async for finding in checks:
                yield finding


async def _at_server(origin: str, token: Secret, limit: float) -> AsyncGenerator[Finding, None]:
    heard = network.Heard()
    async with network.reading(origin, token, limit, heard) as client:
        finding = await limited("account", partial(network.accepted, client), limit)
        yield finding
        if finding.status == "failed":
            return
        yield await limited("clock", partial(network.clock, heard), limit)
        yield await limited("rate limit", partial(network.quota, heard), limit)
        for check, read in drift.reads().items():
            yield await limited(check, partial(drift.compared, check, read, client), limit)
        for check, look in (("list: properties", lists.properties), ("list: leads", lists.leads)):
            yield await limited(check, partial(look, client), limit)
