"""Run every benchmark and write docs/performance.md: `python -m benchmarks`."""

import argparse
import shlex
import sys
from pathlib import Path

from benchmarks import bulk_import
from benchmarks.report import Figures

PERFORMANCE = Path(__file__).parents[1] / "docs/performance.md"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=15_374, help="rows of the bulk import")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison")
    parser.add_argument("--memory-rows", type=int, default=1_000_000, help="0 leaves it out")
    parser.add_argument("--output", type=Path, default=PERFORMANCE)
    arguments = parser.parse_args()
    figures = Figures()
    bulk_import.measure(figures, rounds=arguments.rounds, count=arguments.rows)
    if arguments.memory_rows:
        bulk_import.memory(figures, small=arguments.memory_rows // 10, large=arguments.memory_rows)
    figures.write(arguments.output, shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
