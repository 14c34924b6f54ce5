"""The version of this package, also where it is frozen into a program without its metadata."""

from __future__ import annotations

import functools


@functools.cache
def own_version() -> str:
    """Return the version, "unknown" where the package's metadata is not there."""
    from importlib import metadata  # 30 ms: not for those who only look at the help

    try:
        return metadata.version("homebox-async")
    except metadata.PackageNotFoundError:
        return "unknown"
