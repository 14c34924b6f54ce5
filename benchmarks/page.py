"""docs/performance.md from the figures of a run and the words of `performance.md.in`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

from benchmarks.plots import PLOTS
from benchmarks.report import verdict, worded

_TEMPLATE = Path(__file__).with_name("performance.md.in")
_NOT_MEASURED = "(not measured)"


def page(groups: dict[str, Any], drawn: list[str]) -> str:
    """Return the page; `drawn`: the plots that stand in docs/performance."""
    fields = {
        "settings": "\n\n".join(_settings(groups)),
        "targets": _table(groups, with_target=True),
        "others": _table(groups, with_target=False),
        "raw": "\n".join(_raw(groups)),
        "plots": "\n\n".join(f"![{PLOTS[name]}](performance/{name}.svg)" for name in drawn),
    }
    return Template(_TEMPLATE.read_text()).substitute(fields | _scale(groups))


def _settings(groups: dict[str, Any]) -> Iterator[str]:
    """Say when and how groups were measured: once where all were measured in one run."""
    runs: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for group in groups.values():
        setting = group["setting"]
        runs.setdefault(repr(setting), (setting, []))[1].append(group["title"])
    for setting, titles in runs.values():
        versions = ", ".join(f"{name} {version}" for name, version in setting["versions"].items())
        what = "Measured" if len(runs) == 1 else f"Measured ({'; '.join(titles)})"
        yield (
            f"{what} on {setting['date']} with `{setting['command']}`: {setting['system']},"
            f" {setting['cores']} cores, Python {setting['python']},"
            f" {setting['server']} as the server, {versions}."
        )


def _table(groups: dict[str, Any], *, with_target: bool) -> str:
    head = "| | this client | the other | unit | ratio | range |"
    lines = [
        head + (" target | |" if with_target else ""),
        "|---" * (8 if with_target else 6) + "|",
    ]
    for group in groups.values():
        for what, found in group["ratios"].items():
            target = _target(found)
            if (target is not None) is not with_target:
                continue
            cells = [what, *_sides(found), *_median(found)]
            if target is not None:
                met = verdict(found)
                cells += [target, "met" if met == "met" else "**missed**"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _sides(found: dict[str, Any]) -> list[str]:
    if "ours" not in found:
        return ["", "", found["unit"]]
    return [f"{found['ours']:,g}", f"{found['theirs']:,g}", found["unit"]]


def _median(found: dict[str, Any]) -> list[str]:
    if found["low"] == found["high"]:
        return [f"{found['median']:.2f}", ""]
    return [f"{found['median']:.2f}", f"{found['low']:.2f} to {found['high']:.2f}"]


def _target(found: dict[str, Any]) -> str | None:
    if found["at_least"] is not None:
        return f">= {found['at_least']:g}"
    return None if found["at_most"] is None else f"<= {found['at_most']:g}"


def _raw(groups: dict[str, Any]) -> Iterator[str]:
    yield "| raw figures | |"
    yield "|---|---|"
    for group in groups.values():
        for what, values in group["raw"].items():
            yield f"| {group['title']}: {what} | {worded(values)} |"


def _scale(groups: dict[str, Any]) -> dict[str, str]:
    """Return the figures of "Scaling on paper"."""
    scaling = groups.get("scaling", {})
    points = scaling.get("curves", {}).get("rows")
    names = ("rate", "row_us", "hidden", "peak_less", "peak_most", "rows_less", "rows_most")
    if points is None or len(points["rows"]) < 2:
        return dict.fromkeys((*names, "journal", "results", "growth"), _NOT_MEASURED)
    rows, rates, peaks = points["rows"], points["rows_per_s"], points["peak_mib"]
    disk = scaling["raw"]["disk of a row"]
    rate, slope = rates[-1], (peaks[-1] - peaks[-2]) / (rows[-1] - rows[-2])
    growth = []
    for count in (10_000, 100_000, 1_000_000, 10_000_000):
        peak = dict(zip(rows, peaks, strict=True)).get(
            count, peaks[-1] + slope * (count - rows[-1])
        )
        times = (_duration(count / one) for one in (1, 10, 100, rate))
        bytes_ = (_size(count * disk[f"{what}_bytes"]) for what in ("journal", "results"))
        growth.append(f"| {count:,} | {' | '.join((*times, *bytes_))} | {peak:,.0f} MiB |")
    return {
        "rate": f"{rate:,.0f}",
        "row_us": f"{1e6 / rate:,.0f}",
        "hidden": f"{rate * 0.1:,.0f}",
        "peak_less": f"{peaks[-2]:,.0f}",
        "peak_most": f"{peaks[-1]:,.0f}",
        "rows_less": f"{rows[-2]:,.0f}",
        "rows_most": f"{rows[-1]:,.0f}",
        "journal": f"{disk['journal_bytes']:,.0f}",
        "results": f"{disk['results_bytes']:,.0f}",
        "growth": "\n".join(growth),
    }


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:,.0f} s"


def _size(size: float) -> str:
    for unit, length in (("GB", 1e9), ("MB", 1e6)):
        if size >= length:
            return f"{size / length:,.1f} {unit}"
    return f"{size / 1e3:,.0f} kB"
