"""The regression check: short measurements beside the committed figures, on ratios only.

A ratio that is worse by more than half is measured once more, with more rounds; only one that
is still that much worse fails. Ratios by the wall clock are left out: a shared machine moves
them.
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
    committed = json.loads(path.read_text())["groups"]
    failed = []
    for name in GROUPS:
        if name not in committed:
            print(f"{name}: no committed figures")
            continue
        ratios = committed[name]["ratios"]
        for effort in (_FIRST, _AGAIN):
            figures.begin(name, modules[name].TITLE)
            modules[name].measure(figures, effort)
            figures.end()
            worse = dict(_worse(ratios, figures.groups[name]["ratios"]))
            if not worse:
                break
        failed += [f"{what}: {factor:.2f} x the committed ratio" for what, factor in worse.items()]
    print("\nagainst the committed figures:", "; ".join(failed) or f"none worse by {WORSE} x")
    return 1 if failed else 0


def _worse(committed: dict[str, Any], now: dict[str, Any]) -> Any:
    """Yield the ratios that are worse than committed, and by which factor."""
    for what, found in now.items():
        if what in committed:
            factor = found["median"] / committed[what]["median"]
            if committed[what]["at_least"] is not None:
                factor = 1 / factor
            if factor > WORSE:
                yield what, factor
