"""What the tests of `homebox import` share."""

import json
from pathlib import Path
from typing import Any

from click.testing import Result

IMPORT = ("import", "properties", "in.csv")


def states(folder: Path) -> list[Any]:
    """Return the properties in the emulator's state file."""
    changes = map(json.loads, (folder / "homebox-emulator.jsonl").read_text().splitlines())
    return [values for change in changes for table, values in change if table == "property"]


def counts(result: Result) -> dict[str, int]:
    """Return the numbers of a report."""
    rows = [line for line in result.stdout.splitlines() if line.startswith("  ")]
    return {line[2:11].strip(): int(line[11:21].replace(",", "")) for line in rows}
