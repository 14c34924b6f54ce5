"""The testing kit: fixtures and helpers for the tests of applications that use Homebox.

pytest finds the fixtures `homebox_emulator`, `homebox` and `async_homebox` by itself. The names
below are what they give, for annotations and for tests without pytest; they are imported when
they are first used, so that test suites without Homebox pay nothing for the plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .running import RunningEmulator
    from .seeding import Seed, SeededOrder

__all__ = ["RunningEmulator", "Seed", "SeededOrder"]

_HOMES = {"RunningEmulator": "running", "Seed": "seeding", "SeededOrder": "seeding"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
