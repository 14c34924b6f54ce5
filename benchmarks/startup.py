"""How long it takes to get ready: CPU time of whole processes, with compiled modules cached.

The cache is a folder of its own, filled by a first run of each, whatever the environment says.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Effort
from benchmarks.process import client_core, pin
from benchmarks.report import Figures

NAME = "startup"
TITLE = "Start-up"
_HOMEBOX = Path(sys.executable).with_name("homebox")


def measure(figures: Figures, effort: Effort) -> None:
    """Measure each start in turn."""
    commands = {
        "pass": [sys.executable, "-c", "pass"],
        "aiohttp": [sys.executable, "-c", "import aiohttp"],
        "homebox_async": [sys.executable, "-c", "import homebox_async"],
        "client": [sys.executable, "-c", "from homebox_async import AsyncHomebox"],
        "help": [str(_HOMEBOX), "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="homebox-bench-cache-") as cache:
        for command in commands.values():
            _cpu_ms(command, cache)
        for _ in range(effort.count(3 * effort.rounds)):
            for name, command in commands.items():
                seconds[name].append(_cpu_ms(command, cache))
    figures.ratio(
        "import homebox_async over import aiohttp",
        seconds["homebox_async"],
        seconds["aiohttp"],
        unit="CPU ms",
        at_most=1.10,
    )
    figures.ratio(
        "homebox --help over python -c pass",
        seconds["help"],
        seconds["pass"],
        unit="CPU ms",
        at_most=5,
    )
    figures.ratio(
        "from homebox_async import AsyncHomebox over import aiohttp",
        seconds["client"],
        seconds["aiohttp"],
        unit="CPU ms",
    )


def _cpu_ms(command: list[str], cache: str) -> float:
    core = client_core()
    environment = os.environ | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        env=environment,
        preexec_fn=lambda: pin(core),
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} failed"
    return (used.ru_utime + used.ru_stime) * 1000
