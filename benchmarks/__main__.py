"""Run the benchmarks: `python -m benchmarks`.

A full run writes docs/performance.json, and from it docs/performance.md and its plots. With
--only nothing is written, unless --write puts the groups in the place of those that are there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import neutral
from benchmarks.check import check
from benchmarks.measuring import Effort
from benchmarks.report import Figures

DOCS = Path(__file__).parents[1] / "docs"
MODULES = (
    "typed_calls",
    "decoding",
    "sync_calls",
    "paging",
    "bulk_import",
    "bulk_core",
    "kept",
    "startup",
    "loops",
    "scaling",
    "flame",
)


def groups() -> dict[str, Any]:
    """Return the module of each group, by the name of the group."""
    found = (importlib.import_module(f"benchmarks.{module}") for module in MODULES)
    return {module.NAME: module for module in found}


def write_page(stored: dict[str, Any], docs: Path) -> None:
    """Make the page and its plots from figures."""
    # Not before all is measured: a process begins with a copy of what its parent holds.
    from benchmarks.page import page
    from benchmarks.plots import draw

    drawn = draw(stored["groups"], docs / "performance")
    (docs / "performance.md").write_text(page(stored["groups"], drawn))


def _command(arguments: argparse.Namespace) -> str:
    """Return the command that measures the same again."""
    words = ["python -m benchmarks", *(f"--only {name}" for name in arguments.only or ())]
    if arguments.quick:
        words.append("--quick")
    else:
        words.append(f"--rounds {arguments.rounds}")
    return " ".join(words)


def main() -> None:
    """Measure and print, and write where that was asked for."""
    known = groups()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=known, help="a group; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each comparison")
    parser.add_argument("--quick", action="store_true", help="tiny counts: does it still work?")
    parser.add_argument("--write", action="store_true", help="write what --only measured")
    parser.add_argument("--page", action="store_true", help="measure nothing, make the page anew")
    parser.add_argument("--check", action="store_true", help="has anything become 1.5 x worse?")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the page is written")
    arguments = parser.parse_args()
    arguments.docs.mkdir(exist_ok=True)
    stored = arguments.docs / "performance.json"
    if arguments.page:
        write_page(json.loads(stored.read_text()), arguments.docs)
        return
    figures = Figures(_command(arguments), neutral.name())
    if arguments.check or arguments.quick:
        os.environ["BENCHMARKS_PIN"] = "0"  # fair on a machine that has other work, and no slower
    if arguments.check:
        sys.exit(check(stored, known, figures))
    effort = Effort(rounds=1, share=0.003) if arguments.quick else Effort(rounds=arguments.rounds)
    for name in arguments.only or known:
        figures.begin(name, known[name].TITLE)
        known[name].measure(figures, effort)
        figures.end()
    if arguments.write or not (arguments.only or arguments.quick):
        write_page(figures.save(stored), arguments.docs)


if __name__ == "__main__":
    main()
