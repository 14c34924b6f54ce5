"""Where secrets come from: what was passed, the environment, or a file that it names.

Each variable `X` has a twin `X_FILE` with the path of a file that holds the secret, as Docker,
systemd and Kubernetes hand them out. The system's keyring is asked on request only: see `keyring`.
"""

from __future__ import annotations

import os
import stat

from .errors import ConfigurationError
from .private_files import read_bounded, reason_of
from .tidying import plain
from .tracebacks import clean
from .wire import Secret

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_LONGEST = 65_536  # bytes; no secret is that long, and a wrong path may be endless


def masked(text: str | None, name: str = "token") -> Secret | None:
    """Return what a caller gave as a secret: tracebacks with locals show no more than ***.

    Raises ConfigurationError for what is no text; `name` is what the caller calls it.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        fix = "decode() it" if isinstance(text, bytes) else "give the text itself"
        raise ConfigurationError(f"{name} is {type(text).__name__}, not text; {fix}")
    return Secret(plain(text))


def from_environment(variable: str) -> Secret | None:
    """Return a secret of the environment or of the file that it names, None where neither is set.

    Raises ConfigurationError for a file that cannot be used.
    """
    value = Secret(os.environ.get(variable, ""))
    if value.strip():
        return value
    path = os.environ.get(f"{variable}_FILE")
    return read_secret(path, f"{variable}_FILE") if path else None


@clean
def read_secret(path: str | os.PathLike[str], named_by: str) -> Secret:
    """Return the secret that a file holds, without the space around it.

    `named_by`: what to call the file's path in an error. A file of ours that others may read is
    refused, as ssh does; one of another owner is taken as it is, and so is any for root: secrets
    are mounted into containers as files of root that all may read.
    Raises ConfigurationError.
    """
    where = f"{named_by} {path}"
    try:
        status, content = read_bounded(path, _LONGEST)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{where}: cannot be read ({reason_of(error)}); check the path and who may read it"
        ) from None
    if _is_open_to_others(status):
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise ConfigurationError(
            f"{where}: others may read it (mode {mode}); run: chmod 600 {path}"
        )
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeError:
        raise ConfigurationError(
            f"{where}: cannot be read (it is not text); check the path"
        ) from None
    if not text:
        raise ConfigurationError(f"{where}: is empty; put the secret into it")
    if len(content) > _LONGEST:
        raise ConfigurationError(f"{where}: is too large for a secret; check the path")
    return Secret(text)


def _is_open_to_others(status: os.stat_result) -> bool:
    if not hasattr(os, "getuid") or not stat.S_ISREG(status.st_mode):
        return False
    mine = status.st_uid == os.getuid() != 0
    return mine and bool(status.st_mode & 0o077)


def checked_token(given: Secret | None, variable: str, hint: str) -> Secret:
    """Return a token that was given or stands in the environment, or ConfigurationError."""
    found = from_environment(variable) if given is None else given
    token = Secret((found or "").strip())
    if not token:
        raise ConfigurationError(
            f"no API token; pass token=..., or set {variable} or {variable}_FILE ({hint})"
        )
    if token[0] in _QUOTES or token[-1] in _QUOTES:
        raise ConfigurationError(
            "the API token stands in quotes, which some readers of env files keep; "
            "give it without them"
        )
    if not is_token(token):
        raise ConfigurationError(
            "the API token holds a space, a line break or a character that no token has; "
            "check how it was copied"
        )
    return token


def is_token(text: str) -> bool:
    """Tell whether a text can go into an Authorization header."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
