"""Where the time of one typed call goes: the stacks that py-spy saw in a run of typed GETs.

Time inside C code counts for the Python function that called it.
"""

from __future__ import annotations

import asyncio
import collections
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import Effort, in_flight
from benchmarks.neutral import neutral
from benchmarks.report import Figures
from benchmarks.typed_calls import IN_FLIGHT

NAME = "flame"
TITLE = "Where the time of a typed GET goes"
_PY_SPY = Path(sys.executable).with_name("py-spy")
_THINNEST = 0.004  # share of the samples below which a frame is left out
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(:\d+)?\)")
_LOOP = "asyncio: BaseEventLoop._run_once"


def measure(figures: Figures, effort: Effort) -> None:
    """Sample a run of typed GETs: the share of each package, and the picture's frames."""
    stacks = _calls(_sampled(effort.count(15_000, least=300)))
    total = sum(stacks.values())
    shares: collections.Counter[str] = collections.Counter()
    for stack, samples in stacks.items():
        shares[_owner(stack[-1])] += samples
    figures.add(
        "share of the samples in %",
        **{name: 100 * samples / total for name, samples in shares.most_common(8)},
    )
    figures.flame(tree(stacks))


def case(url: str, count: int) -> int:
    """Make so many typed GETs: this is what is sampled."""

    from homebox_async import AsyncHomebox

    async def calls() -> None:
        async with AsyncHomebox("bench", base_url=url) as client:

            async def get() -> Any:
                return await client.properties.get(1)

            await in_flight(get, IN_FLIGHT)(count)

    asyncio.run(calls())
    return count


def tree(stacks: dict[tuple[str, ...], int]) -> list[Any]:
    """Merge stacks into one tree: [frame, share of all, [children]]; thin frames are left out."""
    total = sum(stacks.values())

    def below(part: dict[tuple[str, ...], int]) -> list[Any]:
        groups: dict[str, dict[tuple[str, ...], int]] = {}
        for stack, samples in part.items():
            if stack:
                groups.setdefault(stack[0], {})[stack[1:]] = samples
        weighed = [(sum(group.values()) / total, name, group) for name, group in groups.items()]
        return [
            [name, round(share, 4), below(group)]
            for share, name, group in sorted(weighed, key=lambda one: -one[0])
            if share >= _THINNEST
        ]

    return ["all calls", 1.0, below(stacks)]


def _sampled(count: int) -> str:
    with neutral() as url, tempfile.TemporaryDirectory(prefix="homebox-bench-") as folder:
        output = Path(folder) / "stacks.txt"
        job = json.dumps({"pinned": True, "arguments": {"url": url, "count": count}})
        subprocess.run(
            [
                *(_PY_SPY, "record", "--rate", "400", "--format", "raw", "--function"),
                *("--output", output, "--"),
                *(sys.executable, "-m", "benchmarks.process", __name__, "case", job),
            ],
            check=True,
            capture_output=True,
        )
        return output.read_text()


def _calls(text: str) -> dict[tuple[str, ...], int]:
    """Return the stacks of the event loop at work, without what stands below it."""
    found: collections.Counter[tuple[str, ...]] = collections.Counter()
    for line in text.splitlines():
        frames, _, samples = line.rpartition(" ")
        stack = tuple(_named(frame) for frame in frames.split(";"))
        if _LOOP in stack:
            found[stack[stack.index(_LOOP) :]] += int(samples)
    return dict(found)


def _named(frame: str) -> str:
    found = _FRAME.fullmatch(frame)
    if found is None:
        return frame
    return f"{_package(found['file'])}: {found['function'].rpartition('<locals>.')[2]}"


def _package(file: str) -> str:
    parts = file.replace("\\", "/").split("/")
    if "homebox_async" in parts:
        return "homebox " + parts[-1].removesuffix(".py")
    return parts[0].removesuffix(".py")


def _owner(frame: str) -> str:
    return frame.split(":")[0].split(" ")[0]
