"""Figures of a run: printed as they come, kept as JSON, from which the page is made."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "homebox-async",
    "aiohttp",
    "anyio",
    "attrs",
    "cattrs",
    "httpx",
    "msgspec",
    "orjson",
    "requests",
    "tenacity",
    "urllib3",
    "uvloop",
)


class Figures:
    """What one run of the benchmarks measured, by group."""

    def __init__(self, command: str, server: str) -> None:
        self._setting = {"command": command, **_setting(), "server": server}
        self._group: dict[str, Any] = {}
        self._began = 0.0
        self.groups: dict[str, dict[str, Any]] = {}

    def begin(self, name: str, title: str) -> None:
        """Begin a group; what is noted from now on belongs to it."""
        self._group = {
            "title": title,
            "setting": self._setting,
            "ratios": {},
            "raw": {},
            "curves": {},
        }
        self._began = time.perf_counter()
        self.groups[name] = self._group
        print(f"\n{title}", flush=True)

    def end(self) -> None:
        """Note how long the group took."""
        self._group["seconds"] = round(time.perf_counter() - self._began, 1)

    def add(self, what: str, **values: float) -> None:
        """Note raw figures."""
        self._group["raw"][what] = {name: rounded(value) for name, value in values.items()}
        print(f"  {what}: {worded(values)}", flush=True)

    def ratio(
        self,
        what: str,
        ours: list[float],
        theirs: list[float],
        *,
        unit: str = "CPU us",
        inverse: bool = False,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Note a ratio round by round, `ours` over `theirs`, and whether the median meets a target.

        `inverse`: take `theirs` over `ours`, for the speed-up of times.
        """
        pairs = zip(theirs, ours, strict=True) if inverse else zip(ours, theirs, strict=True)
        self._compare(
            what,
            [one / other for one, other in pairs],
            {
                "ours": rounded(statistics.median(ours)),
                "theirs": rounded(statistics.median(theirs)),
                "unit": unit,
                "at_least": at_least,
                "at_most": at_most,
            },
        )

    def value(self, what: str, values: list[float], *, unit: str, at_most: float) -> None:
        """Note a figure of our own that has a target itself."""
        self._compare(what, values, {"unit": unit, "at_least": None, "at_most": at_most})

    def _compare(self, what: str, values: list[float], found: dict[str, Any]) -> None:
        found |= {
            "median": round(statistics.median(values), 3),
            "low": round(min(values), 3),
            "high": round(max(values), 3),
        }
        self._group["ratios"][what] = found
        print(f"  {what}: {sides(found)}{compared(found)}{target_of(found)}", flush=True)

    def curve(self, name: str, **values: list[float]) -> None:
        """Note the points of a plot: lists of the same length."""
        self._group["curves"][name] = {
            axis: [rounded(value) for value in points] for axis, points in values.items()
        }

    def flame(self, tree: list[Any]) -> None:
        """Note the frames of a flame picture: [frame, share, [children]]."""
        self._group["flame"] = tree

    def save(self, path: Path) -> dict[str, Any]:
        """Write the groups that were measured into the file, beside those it has; return all."""
        kept = json.loads(path.read_text())["groups"] if path.exists() else {}
        stored = {"groups": kept | self.groups}
        path.write_text(json.dumps(stored, indent=1) + "\n")
        return stored


def sides(found: dict[str, Any]) -> str:
    """Name both sides of a ratio, for what stands before it."""
    if "ours" not in found:
        return ""
    return f"{found['ours']:,g} / {found['theirs']:,g} {found['unit']}, ratio "


def compared(found: dict[str, Any]) -> str:
    """Name the median and the range over the rounds."""
    text = f"{found['median']:.2f}"
    if found["low"] != found["high"]:
        text += f" ({found['low']:.2f} to {found['high']:.2f})"
    return text if "ours" in found else f"{text} {found['unit']}"


def target_of(found: dict[str, Any]) -> str:
    """Return the target of a ratio in words, with the verdict; nothing where there is none."""
    if found["at_least"] is not None:
        return f", target >= {found['at_least']:g}: {verdict(found)}"
    if found["at_most"] is not None:
        return f", target <= {found['at_most']:g}: {verdict(found)}"
    return ""


def verdict(found: dict[str, Any]) -> str:
    """Tell whether the median meets the target, as it is printed: with two digits."""
    median = round(found["median"], 2)
    too_low = found["at_least"] is not None and median < found["at_least"]
    too_high = found["at_most"] is not None and median > found["at_most"]
    return "MISSED" if too_low or too_high else "met"


def rounded(value: float) -> float:
    """Keep four digits: more would be noise."""
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)


def worded(values: dict[str, float]) -> str:
    """Name raw figures in one line."""
    return ", ".join(
        f"{rounded(value):,g} {name.replace('_', ' ')}" for name, value in values.items()
    )


def _setting() -> dict[str, Any]:
    return {
        "date": dt.date.today().isoformat(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": dict(_versions()),
    }


def _versions() -> Any:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
