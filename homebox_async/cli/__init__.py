"""The command line `homebox`: thin commands around the client, the importer and the emulator.

Nothing is imported here but what `homebox --help` needs; each command loads its own.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code: the entry point of `homebox`."""
    if any(find_spec(name) is None for name in ("click", "rich")):
        print(
            "error: the command line needs click and rich; run: pip install 'homebox-async[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2)
    from .root import homebox

    homebox.main()
