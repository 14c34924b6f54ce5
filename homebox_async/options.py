"""What the options of a client may be: one of another kind is refused at once, by its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import ConfigurationError
from .retry import Retry
from .tidying import plain

Fault = str | None
"""What is to be given in place of a value; None where it is good."""


def check_options(**options: Any) -> None:
    """Raise ConfigurationError for the first option that cannot be what it is.

    It is not repeated: it may hold a secret.
    """
    for name, value in options.items():
        fault = _CHECKS[name](plain(value))
        if fault is not None:
            raise ConfigurationError(f"{name} is {_shown(value)}; give {fault}")


def _shown(value: Any) -> str:
    """Return what is said of a value: a number itself, of others the kind."""
    if value is None or isinstance(value, (int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


def _seconds(value: Any) -> Fault:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if number and 0 < value < math.inf else "a number of seconds above 0"


def _seconds_or_none(value: Any) -> Fault:
    fault = None if value is None else _seconds(value)
    return fault and f"{fault}, or None for no end"


def _seconds_or_zero(value: Any) -> Fault:
    return None if value == 0 and not isinstance(value, bool) else _seconds(value)


def _whole(value: Any) -> Fault:
    number = isinstance(value, int) and not isinstance(value, bool)
    return None if number and value > 0 else "a whole number above 0"


def _text(value: Any) -> Fault:
    return None if value is None or isinstance(value, str) else "text, or leave it out"


def _retry(value: Any) -> Fault:
    return None if isinstance(value, Retry) else "a Retry, such as Retry(attempts=1)"


def _callables(value: Any) -> Fault:
    several = isinstance(value, Sequence) and not isinstance(value, str)
    good = several and all(map(callable, value))
    return None if good else "a list of callables that take a request and a handler"


def _callable(value: Any) -> Fault:
    return None if value is None or callable(value) else "a function that takes an event"


def _ssl(value: Any) -> Fault:
    if value is None:
        return None
    import ssl

    checks = isinstance(value, ssl.SSLContext) and (
        value.verify_mode == ssl.CERT_REQUIRED and value.check_hostname
    )
    return None if checks else "an ssl.SSLContext that checks certificates and host names"


_CHECKS: Mapping[str, Callable[[Any], Fault]] = {
    "environment": lambda value: None if isinstance(value, str) else "'production' or 'sandbox'",
    "timeout": _seconds,
    "deadline": _seconds_or_none,
    "keepalive_timeout": _seconds_or_zero,
    "max_connections": _whole,
    "max_body": _whole,
    "max_document": _whole,
    "retry": _retry,
    **dict.fromkeys(("base_url", "login_url", "proxy"), _text),
    "ssl": _ssl,
    **dict.fromkeys(("middlewares", "attempt_middlewares"), _callables),
    "on_event": _callable,
    "now": lambda value: None if callable(value) else "a function that returns seconds",
}
