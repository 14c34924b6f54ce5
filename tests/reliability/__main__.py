"""The long run of the importer's histories::

    python -m tests.reliability --seeds 200 --rows 1500 --budget 45m

Prints a line for each history and a table of all. The exit code is 0 when nothing is missing,
nothing is there twice and nothing disagrees, 1 when something does, 3 when the budget was over
before all histories were begun.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import time
from pathlib import Path

from . import campaign


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)([smh]?)", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 90s, 45m or 2h")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Run the histories that the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--seeds", type=_count, default=200, help="how many histories")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--rows", type=_count, default=1500, help="of each file")
    parser.add_argument("--budget", type=_seconds, default=45 * 60.0, help="such as 45m")
    parser.add_argument(
        "--jobs", type=_count, default=3 * (os.cpu_count() or 1), help="histories at a time"
    )
    parser.add_argument("--figures", type=Path, help="a page to put the table into")
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    seeds = range(options.first, options.first + options.seeds)
    began = time.monotonic()
    done = campaign.run(
        seeds, options.rows, options.jobs, options.budget, lambda told: print(told, flush=True)
    )
    command = shlex.join(["python", "-m", "tests.reliability", *given])
    table = campaign.summary(done, seeds, options.rows, command)
    print(f"\n{table}\n{len(done)} histories in {(time.monotonic() - began) / 60:.1f} min")
    if options.figures is not None:
        campaign.write_figures(options.figures, table)
    if wrong := sorted(told.seed for told in done if told.wrong):
        print(f"wrong: seeds {', '.join(map(str, wrong))}")
        return 1
    return 0 if len(done) == len(seeds) else 3


if __name__ == "__main__":
    sys.exit(main())
