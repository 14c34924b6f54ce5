"""A process for each case: allocator, caches and imports of one case never touch another.

The client side runs on the last core, the server on the first, where there are two; unless
BENCHMARKS_PIN is 0, for a machine that has other work as well.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any


def server_core() -> int | None:
    """Return the core of the server; None where all share all cores."""
    cores = _cores()
    return cores[0] if len(cores) > 1 else None


def client_core() -> int | None:
    """Return the core of the client; None where all share all cores."""
    cores = _cores()
    return cores[-1] if len(cores) > 1 else None


def _cores() -> list[int]:
    if os.environ.get("BENCHMARKS_PIN") == "0" or not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


def pin(core: int | None) -> None:
    """Keep this process on one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def peak_mib() -> float:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `ru_maxrss`: on Linux a new process begins with that of the one that started it.
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def in_process(module: str, function: str, *, pinned: bool = True, **arguments: Any) -> Any:
    """Call a function of a benchmark in a process of its own; arguments and result are JSON."""
    job = json.dumps({"pinned": pinned, "arguments": arguments})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.process", module, function, job],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _main() -> None:
    module, function, text = sys.argv[1:]
    job = json.loads(text)
    if job["pinned"]:
        pin(client_core())
    found = getattr(importlib.import_module(module), function)(**job["arguments"])
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
