"""The fixtures of the kit, for its own tests."""

from homebox_async.testing.fixtures import async_homebox, homebox, homebox_emulator

__all__ = ["async_homebox", "homebox", "homebox_emulator"]
