"""Runs that are made first and run later: on the right client, and not forgotten."""

from __future__ import annotations

import warnings

from .errors import ConfigurationError


class Pending:
    """The base of what is made by one call and run by another; one that never runs warns."""

    _waits = False

    def _made(self) -> None:
        """Note that it can be run now."""
        self._waits = True

    def _runs(self) -> None:
        """Note that it has been run."""
        self._waits = False

    def __del__(self) -> None:
        if self._waits:
            name = type(self).__name__.lower()
            warnings.warn(
                f"an {name} was made and never run: nothing was sent; await it, or in sync code"
                " call run()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


def refuse_client(client: object, wanted: type, function: str, twin: str) -> None:
    """Raise ConfigurationError for a client of another kind than a function takes."""
    if isinstance(client, wanted):
        return
    given = type(client).__name__
    fix = f"call {twin}" if given in ("AsyncHomebox", "Homebox") else f"give {wanted.__name__}(...)"
    raise ConfigurationError(f"{function} takes a client of {wanted.__name__}, not {given}; {fix}")
