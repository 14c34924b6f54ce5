"""Profiles: named settings in a TOML file, so that they need not be typed each time.

What is typed goes before the environment, that before the profile, and that before the default.
The file holds no secret: it names a token file or an entry of the keyring, and one that holds a
token all the same is refused.
"""

from __future__ import annotations

import difflib
import math
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from ..errors import ConfigurationError
from ..private_files import is_writable_by_others, read_bounded, reason_of

VARIABLE: Final = "HOMEBOX_CONFIG"
FORMS: Final = ("table", "json", "csv")

_LONGEST: Final = 1 << 20  # bytes; a wrong path may be endless

Tree = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class BillingProfile:
    """What a profile says of the Billing API."""

    base_url: str | None = None
    login_url: str | None = None
    administrator_ids: tuple[int, ...] = ()
    token_file: Path | None = None


@attrs.frozen(kw_only=True)
class Profile:
    """What a profile says; the one without a name says nothing.

    `keyring` is added to the name of the keyring's entry: two accounts of one server have a token
    each.
    """

    name: str = ""
    environment: Literal["production", "sandbox"] | None = None
    base_url: str | None = None
    token_file: Path | None = None
    keyring: str = ""
    timeout: float | None = None
    output: Literal["table", "json", "csv"] = "table"
    billing: BillingProfile = BillingProfile()


@attrs.frozen
class Config:
    """The config file: `default` is the profile that is used where none is named."""

    path: Path
    profiles: Mapping[str, Profile]
    default: str | None = None

    def profile(self, name: str | None, named_by: str = "--profile") -> Profile:
        """Return a profile, the default one for None; ConfigurationError where there is none."""
        name = self.default if name is None else name
        if name is None:
            return Profile()
        if name in self.profiles:
            return self.profiles[name]
        if not self.profiles:
            hint = f"{self.path} has none; run: homebox profiles init"
        else:
            hint = _meant(name, self.profiles)
        raise ConfigurationError(f"{named_by}: there is no profile {name!r}; {hint}")


def config_path() -> Path:
    """Return where the config file is, or would be."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path("homebox", appauthor=False) / "config.toml"


def read() -> Config:
    """Read the config file; where there is none, there are no profiles.

    Raises ConfigurationError with all that is wrong with it.
    """
    path = config_path()
    tree = _parsed(path)
    problems: list[str] = []
    _refuse_strangers(tree, ("default_profile", "profiles"), "", problems)
    found = tree.get("profiles", {})
    if not isinstance(found, dict):
        problems.append("profiles: is no table; write [profiles.NAME]")
        found = {}
    profiles = {name: _profile(name, one, path.parent, problems) for name, one in found.items()}
    default = tree.get("default_profile")
    if default is not None and default not in profiles:
        known = _meant(str(default), profiles) if profiles else "add [profiles.NAME]"
        problems.append(f"default_profile: names no profile of this file; {known}")
    if problems:
        raise ConfigurationError(f"{path}: {'; '.join(problems)}")
    return Config(path, profiles, default)


def names() -> list[str]:
    """Return the names of the profiles, as far as the file can be read."""
    try:
        return sorted(_parsed(config_path()).get("profiles", {}))
    except (ConfigurationError, TypeError):
        return []


def _parsed(path: Path) -> dict[str, Any]:
    try:
        status, content = read_bounded(path, _LONGEST)
        text = content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        if os.environ.get(VARIABLE):
            raise ConfigurationError(
                f"{VARIABLE} {path}: there is no such file; run: homebox profiles init"
            ) from None
        return {}
    except UnicodeError:
        raise ConfigurationError(f"{path}: is not text in UTF-8; save it as such") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({reason_of(error)}); check the path and who may read it"
        ) from None
    if len(content) > _LONGEST:
        raise ConfigurationError(f"{path}: is too large for a config file; check the path")
    if is_writable_by_others(status):
        # It names the server that the token goes to.
        raise ConfigurationError(
            f"{path}: others may write to it (mode {stat.S_IMODE(status.st_mode):04o});"
            f" run: chmod go-w {path}"
        )
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # Its words end with the line: "Expected '=' after a key (at line 3, column 8)".
        why = str(error) or "is nested too deeply"
        raise ConfigurationError(
            f"{path}: is not TOML: {why}; correct it, texts stand in quotes"
        ) from None


def completed(ctx: object, param: object, incomplete: str) -> list[str]:
    """Give the names that begin so, for the shell."""
    return [name for name in names() if name.startswith(incomplete) and name.isprintable()]


# --- what may stand there: each returns the value, or raises _Bad


class _Bad(Exception):
    """What is wrong with a value, and what to write instead."""


def _text(value: Any, folder: Path) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _Bad("is no text; write one in quotes")
    return value.strip()


def _path(value: Any, folder: Path) -> Path:
    return folder / Path(_text(value, folder)).expanduser()


def _seconds(value: Any, folder: Path) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise _Bad("is no number of seconds; write one above 0, without quotes")
    return float(value)


def _origin(value: Any, folder: Path) -> str:
    from ..origin import checked_origin

    url = _text(value, folder)
    try:
        checked_origin(url)
    except ConfigurationError as error:
        raise _Bad(f"cannot be used: {error}") from None
    return url


def _url(value: Any, folder: Path) -> str:
    from ..origin import split_base

    url = _text(value, folder)
    _origin(split_base(url)[0], folder)
    return url


def _ids(value: Any, folder: Path) -> tuple[int, ...]:
    if not isinstance(value, list) or not value or any(type(item) is not int for item in value):
        raise _Bad("is no list of ids; write one such as [1, 2]")
    return tuple(value)


def _one_of(*words: str) -> Callable[[Any, Path], str]:
    def check(value: Any, folder: Path) -> str:
        if value not in words:
            given = f"{value!r}, not" if isinstance(value, str) else "not"
            raise _Bad(f"is {given} one of {', '.join(words)}; write one of them in quotes")
        return str(value)

    return check


_Checks = Mapping[str, Callable[[Any, Path], Any]]
_BILLING: Final[_Checks] = {
    "base_url": _url,
    "login_url": _url,
    "administrator_ids": _ids,
    "token_file": _path,
}
_PROFILE: Final[_Checks] = {
    "environment": _one_of("production", "sandbox"),
    "base_url": _origin,
    "token_file": _path,
    "keyring": _text,
    "timeout": _seconds,
    "output": _one_of(*FORMS),
}
_EITHER: Final = (("environment", "base_url"), ("token_file", "keyring"))


def _profile(name: str, tree: Any, folder: Path, problems: list[str]) -> Profile:
    where = f"profiles.{name}"
    if not isinstance(tree, dict):
        problems.append(f"{where}: is no table; write [{where}]")
        return Profile(name=name)
    values = _values(tree, _PROFILE, f"{where}.", folder, problems, inner=("billing",))
    problems += [
        f"{where}: has both {' and '.join(pair)}; keep one"
        for pair in _EITHER
        if {*pair} <= {*tree}
    ]
    billing = tree.get("billing", {})
    if not isinstance(billing, dict):
        problems.append(f"{where}.billing: is no table; write [{where}.billing]")
        billing = {}
    inside = _values(billing, _BILLING, f"{where}.billing.", folder, problems)
    return Profile(name=name, billing=BillingProfile(**inside), **values)


def _values(
    tree: Tree,
    checks: _Checks,
    where: str,
    folder: Path,
    problems: list[str],
    inner: tuple[str, ...] = (),
) -> dict[str, Any]:
    _refuse_strangers(tree, (*checks, *inner), where, problems)
    values: dict[str, Any] = {}
    for key in checks.keys() & tree.keys():
        try:
            values[key] = checks[key](tree[key], folder)
        except _Bad as bad:
            problems.append(f"{where}{key}: {bad}")
    return values


_SECRET = ("token", "password", "passwd", "secret", "api_key", "apikey", "bearer", "username")


def _refuse_strangers(tree: Tree, known: tuple[str, ...], where: str, problems: list[str]) -> None:
    """Refuse keys that mean nothing here; the value of none is repeated."""
    for key in tree:
        if key in known:
            continue
        if any(word in key.lower() for word in _SECRET):
            problems.append(
                f"{where}{key}: no secret belongs into this file; take it out and run"
                " `homebox auth login`, or put it into a file of its own and name that one"
                ' with token_file = "PATH"'
            )
        else:
            problems.append(f"{where}{key}: is unknown; {_meant(key, known)}")


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


# --- a first file

TEMPLATE: Final = """\
# Profiles of the command `homebox`: settings that need not be typed each time.
# What is typed goes before the environment, that before the profile, and that before the default.
# No token belongs into this file: `homebox auth login --profile NAME` keeps it in the keyring,
# or token_file names a file that only you can read.

# The profile that is used where neither --profile nor HOMEBOX_PROFILE names one.
default_profile = "sandbox"

[profiles.sandbox]
environment = "sandbox"

# [profiles.live]
# environment = "production"
# token_file = "live.token"         # beside this file, or a whole path
# timeout = 60                      # seconds
# output = "json"                   # table, json or csv

# [profiles.north]                  # a second account of the same server
# environment = "production"
# keyring = "north"                 # its own entry in the keyring

# [profiles.live.billing]
# administrator_ids = [1, 2]
# token_file = "billing.token"
"""


def create(path: Path) -> None:
    """Write the template; ConfigurationError where there is a file, or none can be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x" and the mode in one step: never over a file, and never open to others.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(f"{path}: is there already; edit it, or move it away") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror})") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(TEMPLATE)


def described(config: Config) -> Iterator[dict[str, object]]:
    """Give the profiles, each as its settings."""
    for name, profile in config.profiles.items():
        billing = profile.billing
        yield {
            "profile": name,
            "default": name == config.default,
            "server": profile.base_url or profile.environment or "production",
            "token": str(profile.token_file)
            if profile.token_file
            else f"keyring {profile.keyring}".strip(),
            "timeout": profile.timeout,
            "output": profile.output,
            "billing": billing.base_url or ("set up" if billing != BillingProfile() else None),
        }
