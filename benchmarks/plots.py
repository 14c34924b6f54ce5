"""The plots of docs/performance.md, as SVG, from the figures of a run.

The same figures give the same bytes: no dates, no random names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt  # after the choice of a backend
from matplotlib.axes import Axes

_STYLE = {
    "svg.hashsalt": "homebox",
    "svg.fonttype": "none",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.alpha": 0.3,
    "font.family": "sans-serif",
    "font.size": 10,
}
_COLOURS = {"homebox": "#6fa8dc", "aiohttp": "#e07a5f", "asyncio": "#8d99ae"}
_OTHER = "#c9ada7"

PLOTS = {
    "concurrency": "CPU of a call over the number in flight",
    "latency": "Latency over the number in flight",
    "pages": "CPU of a page, and memory, over the length of the list",
    "rows": "Rows/s and memory of an import over its rows",
    "call": "Where the time of a typed GET goes",
}


def draw(groups: dict[str, Any], folder: Path) -> list[str]:
    """Draw what there are figures for; return the names of the plots."""
    folder.mkdir(exist_ok=True)
    curves = groups.get("scaling", {}).get("curves", {})
    drawn = []
    with mpl.rc_context(_STYLE):
        if "concurrency, typed" in curves:
            _save(_concurrency(curves), folder / "concurrency.svg", drawn)
            _save(_latency(curves), folder / "latency.svg", drawn)
        if "pages" in curves:
            _save(_two(curves["pages"], "pages", "cpu_us_per_page"), folder / "pages.svg", drawn)
        if "rows" in curves:
            _save(_two(curves["rows"], "rows", "rows_per_s"), folder / "rows.svg", drawn)
        if "flame" in groups.get("flame", {}):
            _save(_flame(groups["flame"]["flame"]), folder / "call.svg", drawn)
    return drawn


def _save(figure: Any, path: Path, drawn: list[str]) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
    # Without the blanks that matplotlib leaves at the ends of lines.
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
    drawn.append(path.stem)


def _axes(title: str, x: str, y: str) -> tuple[Any, Axes]:
    figure, axes = plt.subplots(figsize=(7, 3.6))
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _concurrency(curves: dict[str, Any]) -> Any:
    figure, axes = _axes(PLOTS["concurrency"], "calls in flight", "CPU us a call")
    for name, label in (("typed", "homebox_async, typed"), ("bare", "aiohttp, get + read")):
        points = curves[f"concurrency, {name}"]
        axes.plot(points["in_flight"], points["cpu_us"], "o-", label=label, color=_colour(label))
    axes.set_xscale("log")
    axes.set_xticks(points["in_flight"], [f"{level:g}" for level in points["in_flight"]])
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def _latency(curves: dict[str, Any]) -> Any:
    figure, axes = _axes(PLOTS["latency"], "calls in flight", "ms")
    points, bare = curves["concurrency, typed"], curves["concurrency, bare"]
    for name, style in (("p50_ms", "o-"), ("p95_ms", "o--"), ("p99_ms", "o:")):
        label = f"homebox_async, {name[:3]}"
        axes.plot(points["in_flight"], points[name], style, label=label, color=_colour(label))
    axes.plot(
        bare["in_flight"], bare["p50_ms"], "o-", label="aiohttp, p50", color=_colour("aiohttp")
    )
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(points["in_flight"], [f"{level:g}" for level in points["in_flight"]])
    axes.legend()
    return figure


def _two(points: dict[str, list[float]], x: str, y: str) -> Any:
    figure, axes = _axes(PLOTS[x], x, y.replace("_", " "))
    axes.plot(points[x], points[y], "o-", color=_colour("homebox"), label=y.replace("_", " "))
    axes.set_xscale("log")
    axes.set_ylim(bottom=0, top=1.25 * max(points[y]))
    memory = axes.twinx()
    memory.plot(points[x], points["peak_mib"], "s--", color=_OTHER, label="peak MiB")
    memory.set_ylabel("peak MiB")
    memory.set_ylim(bottom=0, top=1.25 * max(points["peak_mib"]))
    memory.grid(visible=False)
    memory.spines["right"].set_visible(True)
    lines = [*axes.get_lines(), *memory.get_lines()]
    axes.legend(lines, [line.get_label() for line in lines], loc="lower center", ncols=2)
    return figure


def _flame(tree: list[Any]) -> Any:
    """Draw the frames from the loop down: as wide as their share of the samples."""
    figure, axes = plt.subplots(figsize=(12, 8))
    depths: list[int] = []

    def bar(frame: list[Any], left: float, depth: int) -> None:
        name, share, children = frame
        depths.append(depth)
        axes.barh(
            -depth, share, left=left, height=0.94, color=_colour(name), edgecolor="white", lw=0.5
        )
        short = name.rpartition(": ")[2]
        fitting = (
            text
            for text in (f"{name} {share:.0%}", f"{short} {share:.0%}", short)
            if 3.4 * len(text) < 660 * share
        )  # points, of the picture's width
        if text := next(fitting, ""):
            axes.text(left + share / 2, -depth, text, ha="center", va="center", fontsize=6)
        for child in children:
            bar(child, left, depth + 1)
            left += child[1]

    bar(tree, 0.0, 0)
    axes.set(title=PLOTS["call"], xlim=(0, 1), ylim=(-max(depths) - 0.6, 0.6))
    axes.axis("off")
    return figure


def _colour(label: str) -> str:
    return next((colour for name, colour in _COLOURS.items() if label.startswith(name)), _OTHER)
