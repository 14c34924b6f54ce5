"""Figures and ratios: printed as they come, and written to docs/performance.md at the end."""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("homebox-async", "aiohttp", "attrs", "cattrs", "msgspec", "requests", "tenacity")


class Figures:
    """What one run of the benchmarks measured."""

    def __init__(self) -> None:
        self._raw: list[str] = []
        self._ratios: list[str] = []

    def add(self, what: str, **values: float) -> None:
        """Note raw figures."""
        text = ", ".join(f"{value:,.0f} {name.replace('_', ' ')}" for name, value in values.items())
        self._raw.append(f"| {what} | {text} |")
        print(f"{what}: {text}", flush=True)

    def ratio(
        self,
        what: str,
        ratios: list[float],
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Note a ratio over the rounds, with its target and whether the median meets it."""
        median = statistics.median(ratios)
        met = (at_least is None or median >= at_least) and (at_most is None or median <= at_most)
        target = f">= {at_least:g}" if at_least is not None else f"<= {at_most:g}"
        verdict = "met" if met else "**missed**"
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        self._ratios.append(f"| {what} | {median:.2f} | {spread} | {target} | {verdict} |")
        print(f"{what}: {median:.2f} ({spread}), target {target}: {verdict}", flush=True)

    def write(self, path: Path, command: str) -> None:
        """Write the report."""
        lines = [
            "# Performance",
            "",
            "Ratios are measured side by side in one run, each contestant in a process of its own",
            "against the same local server; they say more than the raw figures, which depend on",
            "the machine.",
            "",
            f"Measured on {dt.date.today().isoformat()} with `{command}` on {_machine()}.",
            "",
            "| ratio | median | range | target | |",
            "|---|---|---|---|---|",
            *self._ratios,
            "",
            "| raw figures | |",
            "|---|---|",
            *self._raw,
            "",
        ]
        path.write_text("\n".join(lines))


def _machine() -> str:
    return (
        f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" {_versions()}"
    )


def _versions() -> str:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
