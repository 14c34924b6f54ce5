"""A place for single imports in processes of their own, on an emulator that can be watched."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Emulator

from .checker import Findings, Portfolio, check
from .import_history import Watched, Zygote


@attrs.define(eq=False)
class Stand:
    """An emulator, a portfolio and a worker; `settle` is short, for nothing lags here."""

    folder: Path
    emulator: Emulator
    zygote: Zygote
    portfolio: Portfolio

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, folder: Path, rows: int = 200, **options: Any) -> AsyncIterator[Stand]:
        """Make one; the options are those of the emulator."""
        portfolio = Portfolio.drawn(folder / "portfolio.csv", rows, 1)
        emulator = Emulator(**options)
        emulator.received = Watched()
        async with emulator, Zygote.started(folder) as zygote:
            yield cls(folder, emulator, zygote, portfolio)

    @property
    def log(self) -> Watched:
        """What the emulator received."""
        assert isinstance(self.emulator.received, Watched)
        return self.emulator.received

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.portfolio.journal

    async def start(self, **changes: Any) -> int:
        """Start an import and return its process id; `changes` are of its job."""
        job = {
            "url": self.emulator.url,
            "token": self.emulator.token,
            "source": str(self.portfolio.path),
            "results": str(self.folder),
            "settle": 0.1,
            "timeout": 10.0,
            "options": {},
            "told": str(self.folder / "told"),
            "sabotage": False,
            "clock": 0,
        }
        (self.folder / "told").unlink(missing_ok=True)
        return await self.zygote.fork(job | changes)

    async def told(self) -> dict[str, Any]:
        """Wait for the end of the import and return what it told, {} if it was killed."""
        if await self.zygote.ended():
            return {}
        answer: dict[str, Any] = json.loads((self.folder / "told").read_text())
        return answer

    async def run(self, **changes: Any) -> dict[str, Any]:
        """Run an import to its end."""
        await self.start(**changes)
        return await self.told()

    async def broken_off(self, posts: int, **changes: Any) -> None:
        """Run an import and kill it once it has sent so many requests."""
        process = await self.start(**changes)
        await self.log.reached("POST", posts)
        os.kill(process, signal.SIGKILL)
        assert {} == await self.told()

    async def finish(self, **changes: Any) -> dict[str, Any]:
        """Run the import to its end, compare all that is told of it, and return its report."""
        report: dict[str, Any] = (await self.run(**changes))["report"]
        assert Findings() == check(self.portfolio, self.folder, self.emulator, report)
        return report


def failure_of(answer: dict[str, Any]) -> str:
    """Return the error with which an import broke and its notes, or all that it reported."""
    lines = answer.get("broke", str(answer)).strip().splitlines()
    traceback = max((n for n, line in enumerate(lines, 1) if line.startswith(" ")), default=0)
    return "\n".join(lines[traceback:])


@contextlib.contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """Mount a small disk at a folder, or skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None or os.geteuid():
        pytest.skip("only root can mount a disk")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, "-l", str(folder)], check=True)
