"""The regression check: short measurements beside the committed figures, on ratios only.

A ratio that is worse by more than half is measured once more, with more rounds; it fails only
if each of those rounds is that much worse. Ratios by the wall clock are left out: a shared
machine moves them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measuring import Effort
from benchmarks.report import Figures

GROUPS = ("calls", "decode", "sync", "kept", "startup")
WORSE = 1.5
_FIRST, _AGAIN = Effort(rounds=3, share=0.15), Effort(rounds=7, share=0.15)


def check(path: Path, modules: dict[str, Any], figures: Figures) -> int:
    """Measure, print what became worse, and return the exit code."""
    if not path.exists():
        print("no committed figures")
        return 0
    committed = json.loads(path.read_text())["groups"]
    failed = []
    for name in GROUPS:
        if name not in committed:
            print(f"{name}: no committed figures")
            continue
        ratios = committed[name]["ratios"]
        for effort, rounds in ((_FIRST, "median"), (_AGAIN, "best")):
            figures.begin(name, modules[name].TITLE)
            modules[name].measure(figures, effort)
            figures.end()
            worse = dict(_worse(ratios, figures.groups[name]["ratios"], rounds))
            if not worse:
                break
        failed += [f"{what}: {factor:.2f} x the committed ratio" for what, factor in worse.items()]
    print("\nagainst the committed figures:", "; ".join(failed) or f"none worse by {WORSE} x")
    return 1 if failed else 0


def _worse(committed: dict[str, Any], now: dict[str, Any], rounds: str) -> Any:
    """Yield the ratios that are worse than committed, and by which factor."""
    for what, found in now.items():
        if what in committed:
            # In these groups less is better.
            measured = found["median" if rounds == "median" else "low"]
            factor = measured / committed[what]["median"]
            if factor > WORSE:
                yield what, factor
