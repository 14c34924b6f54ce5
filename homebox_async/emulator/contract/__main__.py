"""Prints the contract: `python -m homebox_async.emulator.contract > docs/openapi.json`."""

import sys

from .build import text

sys.stdout.write(text())
