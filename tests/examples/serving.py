"""The examples as their users run them: servers in processes of their own, stopped in the end."""

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

import aiohttp
import attrs
import psutil

from homebox_async.emulator import Emulator

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples"
PAGE = (DOCS / "how-to/web-frameworks.md").read_text()

# What the page tells its readers to run.
_COMMANDS = [
    line
    for block in re.findall(r"<!-- snippet: serve -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
# What makes them take a free port of this machine, and be quiet about it.
_HERE = {
    "uvicorn": "-m uvicorn --port 0",
    "gunicorn": "-m gunicorn --bind 127.0.0.1:0",
    "celery": "-m celery",
    "python": "",
}

# A line of a log below WARNING, as the servers and `logging.basicConfig` write it, or a blank.
QUIET = re.compile(r"(INFO|DEBUG):.*|\[[^]]+\] \[\d+\] \[INFO\] .*|")

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def command(start: str, *more: str) -> str:
    """Return the page's command that starts so, as arguments of Python, with more at its end."""
    [line] = [line for line in _COMMANDS if line.startswith(start)]
    program, _, rest = line.partition(" ")
    return " ".join((_HERE[program], rest, *more))


@attrs.define(eq=False)
class Program:
    """A program that runs an example; `provoked` is what tests made it say, a pattern for each."""

    process: subprocess.Popen[bytes]
    output: Path
    log: Path
    provoked: list[str] = attrs.field(factory=list)
    url: str = ""
    told_to_stop: bool = False

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.output.read_text() + self.log.read_text()

    @property
    def unexpected(self) -> list[str]:
        """The lines of standard error that nobody has reckoned with."""
        text = self.log.read_text()
        for pattern in self.provoked:
            assert re.search(pattern, text), (pattern, text)
            text = re.sub(pattern, "", text, count=1)
        return [line for line in text.splitlines() if not QUIET.fullmatch(line)]

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

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Tell it to stop, once: a second signal would cut short what the first began."""
        if not self.told_to_stop:
            self.told_to_stop = True
            self.process.send_signal(by)


@contextmanager
def started(
    command: str, emulator: Emulator, folder: Path, *ignored: str, **environment: str
) -> Iterator[Program]:
    """Run `python COMMAND` in the folder of the examples, every warning an error.

    `ignored`: filters for warnings of other people's code. `environment`: more variables.
    """
    output, log = folder / "output", folder / "log"
    with output.open("wb") as out, log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=EXAMPLES,
            stdout=out,
            stderr=err,
            env={
                **os.environ,
                "HOMEBOX_BASE_URL": emulator.url,
                "HOMEBOX_TOKEN": emulator.token,
                "PYTHONWARNINGS": ",".join(("error", *ignored)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONUNBUFFERED": "1",
                "PYTHONPATH": str(EXAMPLES),
                "XDG_RUNTIME_DIR": str(folder),  # where gunicorn keeps a socket
                **environment,
            },
        )
    program = Program(process, output, log)
    try:
        yield program
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@attrs.frozen
class Finished:
    """What a program said, and its exit code."""

    code: int
    output: str
    log: str


def finished(
    command: str, emulator: Emulator, folder: Path, *ignored: str, **environment: str
) -> Finished:
    """Run a program to its end."""
    with started(command, emulator, folder, *ignored, **environment) as program:
        code = program.process.wait(timeout=50)
        return Finished(code, program.output.read_text(), program.log.read_text())


@contextmanager
def served(
    command: str,
    emulator: Emulator,
    folder: Path,
    *ignored: str,
    stop: signal.Signals = signal.SIGTERM,
    code: int = 0,
    **environment: str,
) -> Iterator[Program]:
    """Run a server for the block; afterwards it has to leave in order and without a bad word.

    `stop`: the signal it is stopped by, if the block has not done so; `code`: the exit code that
    it has to have then.
    """
    with started(command, emulator, folder, *ignored, **environment) as program:
        program.url = program.wait_for(_ADDRESS.pattern)[0]
        yield program
        program.stop(stop)
        left = program.process.wait(timeout=30)
        assert (code, []) == (left, program.unexpected), program.said


class Pool:
    """The connections that an emulator has seen come and be there at once since this was made."""

    def __init__(self, emulator: Emulator) -> None:
        self._connections = emulator.connections
        self._open, self._total = self._connections.open, self._connections.total
        self._connections.peak = self._open

    @property
    def opened(self) -> int:
        """How many were opened."""
        return self._connections.total - self._total

    @property
    def peak(self) -> int:
        """How many were open at once, besides those that had been there before."""
        return self._connections.peak - self._open


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds; the test's own timeout ends it otherwise."""
    while not condition():
        await asyncio.sleep(0.01)


async def statuses(url: str, paths: Sequence[str], at_once: int = 0) -> list[int]:
    """Ask for the paths, each on a connection of its own, and return the statuses.

    `at_once`: how many requests are open at most; all of them where it is 0.
    """
    connector = aiohttp.TCPConnector(limit=at_once, force_close=True)
    async with aiohttp.ClientSession(url, connector=connector) as session:

        async def status(path: str) -> int:
            async with session.get(path) as answer:
                await answer.read()
                return answer.status

        return await asyncio.gather(*map(status, paths))
