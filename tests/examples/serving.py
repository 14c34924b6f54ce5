"""The examples as their users run them: a server in a process of its own, told to stop in the end."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import aiohttp
import attrs
import psutil

from homebox_async.emulator import Emulator

EXAMPLES = Path(__file__).parents[2] / "docs/examples"

# A line of a log below WARNING, as the servers and `logging.basicConfig` write it, or a blank.
QUIET = r"(INFO|DEBUG):.*|\[[^]]+\] \[\d+\] \[INFO\] .*|={8} Running on .*|\(Press CTRL\+C.*|"

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@attrs.define(eq=False)
class Program:
    """A program that runs an example.

    `expected`: patterns of the lines that it may write on standard error besides `QUIET` ones;
    a test adds what it provokes.
    """

    process: subprocess.Popen[bytes]
    output: Path
    log: Path
    expected: list[str]
    url: str = ""

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.output.read_text() + self.log.read_text()

    @property
    def unexpected(self) -> list[str]:
        """The lines of standard error that nobody has reckoned with."""
        known = re.compile("|".join((QUIET, *self.expected)))
        return [line for line in self.log.read_text().splitlines() if not known.fullmatch(line)]

    @property
    def ports(self) -> dict[int, set[int]]:
        """Process ids of it and its children, each with the local ports of its connections."""
        main = psutil.Process(self.process.pid)
        return {
            each.pid: {c.laddr.port for c in each.net_connections() if c.raddr}
            for each in (main, *main.children())
        }

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return what the pattern finds in its words, once it is there."""
        while (found := re.search(pattern, self.said)) is None:
            assert self.process.poll() is None, self.said
            time.sleep(0.01)
        return found

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(by)
        return self.process.wait(timeout=30)


@contextmanager
def started(
    command: Sequence[str],
    emulator: Emulator,
    folder: Path,
    *,
    expected: Sequence[str] = (),
    ignored: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> Iterator[Program]:
    """Run `python COMMAND` in the folder of the examples, every warning an error.

    `ignored`: filters for warnings of other people's code.
    """
    warnings = ["error", *ignored]
    output, log = folder / "output", folder / "log"
    with output.open("wb") as out, log.open("wb") as err:
        process = start(command, emulator, warnings, out, err, environment or {})
        program = Program(process, output, log, [*expected])
        try:
            yield program
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def start(
    command: Sequence[str],
    emulator: Emulator,
    warnings: Sequence[str],
    out: IO[bytes],
    err: IO[bytes],
    environment: dict[str, str],
) -> "subprocess.Popen[bytes]":
    """Start it, its environment pointing at the emulator."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=EXAMPLES,
        stdout=out,
        stderr=err,
        env={
            **os.environ,
            "HOMEBOX_BASE_URL": emulator.url,
            "HOMEBOX_TOKEN": emulator.token,
            "PYTHONWARNINGS": ",".join(warnings),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(EXAMPLES),
            **environment,
        },
    )


@contextmanager
def served(
    command: Sequence[str],
    emulator: Emulator,
    folder: Path,
    *,
    stop: signal.Signals = signal.SIGTERM,
    code: int = 0,
    **options: object,
) -> Iterator[Program]:
    """Run a server until the end of the block; then it has to leave in order and without a word.

    `stop`: what it is told to stop by; `code`: the exit code that its server has for that.
    """
    with started(command, emulator, folder, **options) as program:  # type: ignore[arg-type]
        program.url = program.wait_for(_ADDRESS.pattern)[0]
        yield program
        left = program.stop(stop) if program.process.poll() is None else program.process.returncode
        assert (code, []) == (left, program.unexpected), (left, program.said)


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds; the test's own timeout ends it otherwise."""
    while not condition():
        await asyncio.sleep(0.01)


async def statuses(url: str, paths: Sequence[str]) -> list[int]:
    """Ask for all the paths at once, each on a connection of its own, and return the statuses."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(url, connector=connector) as session:

        async def status(path: str) -> int:
            async with session.get(path) as answer:
                await answer.read()
                return answer.status

        return await asyncio.gather(*map(status, paths))
