"""Run the benchmarks; a full run writes docs/performance.md: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from pathlib import Path
from typing import Any

from benchmarks import neutral
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


def main() -> None:
    """Measure and print."""
    known = groups()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=known, help="a group; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each comparison")
    parser.add_argument("--quick", action="store_true", help="tiny counts: does it still work?")
    arguments = parser.parse_args()
    effort = Effort(rounds=1, share=0.003) if arguments.quick else Effort(rounds=arguments.rounds)
    figures = Figures(shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]), neutral.name())
    for name in arguments.only or known:
        figures.begin(name, known[name].TITLE)
        known[name].measure(figures, effort)
        figures.end()


if __name__ == "__main__":
    main()
