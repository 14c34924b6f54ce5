"""The command line `homebox`: thin commands around the client, the importer and the emulator.

Nothing is imported here but what `homebox --help` needs; each command loads its own.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

_EXTRA = ("click", "rich")


def main() -> NoReturn:
    """Run the command line and leave with its exit code: the entry point of `homebox`."""
    try:
        if "_HOMEBOX_COMPLETE" in os.environ:
            from .outline import answer

            answer()
        if len(sys.argv) > 2 and sys.argv[-1] in ("-h", "--help"):
            from .outline import help_of

            help_of(sys.argv[1:])
        from .root import homebox

        homebox.main()
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        print(
            "error: the command line needs click and rich; run: pip install 'homebox-async[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
