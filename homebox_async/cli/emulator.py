"""`homebox emulator`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..loops import run
from .session import parse_faults, told
from .text import examples, say

if TYPE_CHECKING:
    from ..emulator import Emulator, RateLimit

_PORT = 8642


@click.group(epilog=examples("homebox emulator serve"))
def group() -> None:
    """A local Partner API for rehearsals and tests."""


def _rate_limit(ctx: click.Context, param: click.Parameter, value: str | None) -> RateLimit | None:
    from ..emulator import RateLimit

    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d*)/(\d+|\d*\.\d+)", value, re.ASCII)
    if found is None or not float(found[2]):
        raise click.BadParameter(f"{value!r} is not N/SECONDS; write 60/60 for 60 a minute")
    return RateLimit(int(found[1]), float(found[2]))


@group.command(
    epilog=examples(
        "homebox emulator serve",
        'homebox emulator serve --state emulator.jsonl --faults "drop-after=0.02,503=0.1"',
        "homebox emulator serve --port 0 --rate-limit 60/60",
    ),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that keeps the state; without it, it ends with the emulator.",
)
@click.option("--faults", metavar="NAME=RATE,...", help="What goes wrong with POST requests.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Decides the addresses and the faults."
)
@click.option(
    "--rate-limit", callback=_rate_limit, metavar="N/SECONDS", help="Answer 429 beyond it."
)
@click.option(
    "--token",
    envvar="HOMEBOX_EMULATOR_TOKEN",
    show_envvar=True,
    help="The token that it accepts.  [default: a random one]",
)
def serve(
    port: int,
    state: Path | None,
    faults: str | None,
    seed: int,
    rate_limit: RateLimit | None,
    token: str | None,
) -> None:
    """Serve an emulator on this machine until Ctrl-C.

    Prints the environment that makes `homebox` and the Python client use it.
    """
    from ..emulator import Emulator

    emulator = Emulator(
        port=port,
        state=state,
        faults=None if faults is None else parse_faults(faults, seed),
        seed=seed,
        rate_limit=rate_limit,
        token=token or secrets.token_hex(16),
    )
    with contextlib.ExitStack() as stack:
        if state is not None:
            stack.enter_context(told(state, "--state"))
        run(_serve(emulator, port))


async def _serve(emulator: Emulator, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Where signals cannot be handled so (Windows), Ctrl-C interrupts.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    try:
        await emulator.start()
    except OSError as error:
        if error.filename is not None:  # the state's, and not the port's
            raise
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.UsageError(
            f"--port {port}: cannot listen there ({reason}); give another, or 0 for a free one"
        ) from None
    try:
        say(f"emulator at {emulator.url}; Ctrl-C stops it", err=True)
        say(f"HOMEBOX_BASE_URL={emulator.url}")
        say(f"HOMEBOX_TOKEN={emulator.token}")
        await stop.wait()
    finally:
        await emulator.aclose()
