"""What can be checked on this machine alone."""

from __future__ import annotations

import difflib
import os
import platform
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from yarl import URL

from ... import keyring
from ...client import ENVIRONMENTS
from ...credentials import is_token
from ...errors import ConfigurationError
from ...loops import loop_factory
from ...origin import checked_origin, checked_proxy, is_loopback, proxy_for
from ...version import own_version
from .. import config, terminal, tokens
from . import Finding, Setup, Status, refused

VARIABLES: Final = frozenset(
    {
        "HOMEBOX_BASE_URL",
        "HOMEBOX_CONFIG",
        "HOMEBOX_EMULATOR_TOKEN",
        "HOMEBOX_STATE",
        "HOMEBOX_PAGER",
        "HOMEBOX_PROFILE",
        "HOMEBOX_TOKEN",
        "HOMEBOX_TOKEN_FILE",
        "HOMEBOX_BILLING_ADMINISTRATOR_IDS",
        "HOMEBOX_BILLING_LOGIN_URL",
        "HOMEBOX_BILLING_PASSWORD",
        "HOMEBOX_BILLING_PASSWORD_FILE",
        "HOMEBOX_BILLING_TOKEN",
        "HOMEBOX_BILLING_TOKEN_FILE",
        "HOMEBOX_BILLING_URL",
        "HOMEBOX_BILLING_USERNAME",
        "HOMEBOX_BILLING_USERNAME_FILE",
    }
)
_PROXIES: Final = ("https_proxy", "all_proxy", "http_proxy", "no_proxy")


def checks() -> dict[str, Callable[[Setup], Finding]]:
    """Return the checks by their names, in order."""
    return {
        "versions": versions,
        "config file": config_file,
        "environment": environment,
        "server": server,
        "token": token,
        "keyring": keyring_state,
        "billing": billing,
        "proxy": proxy,
        "terminal": terminal_state,
        "event loop": event_loop,
    }


_NOT_FOR_USERS = {"bench", "dev", "docs"}


def versions(setup: Setup) -> Finding:
    """Tell the versions of the package, of Python and of what it depends on."""
    ours = f"homebox-async {own_version()}"
    told = [ours, f"{platform.python_implementation()} {platform.python_version()}"]
    missing, old = [], []
    extras: dict[str, bool] = {}
    for line in _requirements():
        found = re.match(r"([\w.-]+)(?:\[[^]]*\])?(?:>=([\d.]+))?[^;]*(.*)", line)
        assert found is not None
        name, least, marker = found.groups()
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
        if extra and extra[1] in _NOT_FOR_USERS:
            continue
        version = _version(name)
        if extra:
            extras[extra[1]] = extras.get(extra[1], True) and version is not None
        if version is None:
            missing += [] if extra else [name]
            continue
        told.append(f"{name} {version}")
        if least and _numbers(version) < _numbers(least):
            old.append(f"{name} {version} is older than {least}")
    told.append("extras: " + (", ".join(name for name, there in extras.items() if there) or "none"))
    if missing or old:
        wrong = [f"{name} is missing" for name in missing] + old
        return Finding(
            "versions",
            "failed",
            f"{'; '.join(wrong)} ({', '.join(told)})",
            "run: pip install --upgrade homebox-async",
        )
    return Finding("versions", "ok", ", ".join(told))


def _requirements() -> list[str]:
    try:
        return metadata.requires("homebox-async") or []
    except metadata.PackageNotFoundError:  # frozen into a program
        return []


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def config_file(setup: Setup) -> Finding:
    """Tell whether the config file can be used, and which profile is."""
    check = "config file"
    path = config.config_path()
    if setup.wrong:
        return refused(check, ConfigurationError(setup.wrong))
    if not path.exists():
        return Finding(check, "ok", f"none at {path}, and none is needed")
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding(
            check,
            "warning",
            f"{path}: others may change it (mode {stat.S_IMODE(mode):04o}), and with it the server",
            f"run: chmod go-w {path}",
        )
    used = f"profile {setup.profile.name}" if setup.profile.name else "no profile in use"
    return Finding(check, "ok", f"{path}, {used}")


def environment(setup: Setup) -> Finding:
    """Tell which variables of ours are set, by name; a misspelt one does nothing in silence."""
    ours = sorted(name for name in os.environ if name.startswith("HOMEBOX_"))
    strange = [name for name in ours if name not in VARIABLES]
    if strange:
        hints = [
            f"{name} means nothing"
            + "".join(f", did you mean {close}?" for close in _close(name, VARIABLES))
            for name in strange
        ]
        return Finding("environment", "warning", "; ".join(hints), "correct or unset it")
    return Finding("environment", "ok", ", ".join(ours) or "no variable of ours is set")


def _close(name: str, known: frozenset[str]) -> list[str]:
    return difflib.get_close_matches(name, sorted(known), 1)


def server(setup: Setup) -> Finding:
    """Tell where requests go, and say so where that is not the vendor."""
    if setup.emulator:
        return Finding("server", "ok", "an emulator inside this process")
    if setup.base_url is not None:
        by = "--base-url"
    elif setup.environment is not None:
        by = "--environment"
    elif os.environ.get("HOMEBOX_BASE_URL"):
        by = "HOMEBOX_BASE_URL"
    else:
        by = f"profile {setup.profile.name}" if setup.profile.name else "the default"
    origin = checked_origin(setup.origin)
    known = {url: name for name, url in ENVIRONMENTS.items()}
    if origin in known:
        return Finding("server", "ok", f"{known[origin]}, {origin} ({by})")
    host = URL(origin).host or ""
    where = "this machine, such as an emulator" if is_loopback(host) else "no server of the vendor"
    return Finding(
        "server",
        "warning",
        f"{origin} ({by}) is {where}",
        f"if that is not meant, take {by} away or correct it",
    )


def token(setup: Setup) -> Finding:
    """Tell where the token comes from, and whether it can be one; never what it is."""
    if setup.emulator:
        return Finding("token", "ok", "that of the emulator")
    found = tokens.find(checked_origin(setup.origin), setup.token_file, setup.profile)
    if found is None:
        return Finding(
            "token",
            "failed",
            "there is none for this server",
            "set HOMEBOX_TOKEN, or run: homebox auth login",
        )
    if not is_token(found.secret.strip()):
        return Finding(
            "token",
            "failed",
            f"{found.source} holds a space, a line break or a character that no token has",
            "copy it anew",
        )
    return Finding("token", "ok", found.source + _mode(found.path))


def _mode(path: Path | None) -> str:
    if path is None or os.name != "posix":
        return ""
    return f", mode {stat.S_IMODE(path.stat().st_mode):04o}"


def keyring_state(setup: Setup) -> Finding:
    """Tell which keyring there is; it is needed only where the token shall be in it."""
    try:
        # Asked for an entry: one that is locked or missing has a name all the same.
        keyring.read("doctor")
        return Finding("keyring", "ok", keyring.backend())
    except keyring.KeyringUnusable as error:
        detail, _, _ = str(error).partition("; ")
        return Finding("keyring", "skipped", f"{detail} (only needed to keep tokens in it)")


def billing(setup: Setup) -> Finding:
    """Tell where the credentials of the Billing API come from."""
    try:
        found = list(tokens.find_billing(setup.profile))
    except keyring.KeyringUnusable:
        found = list(tokens.exported_billing())
    if not found:
        return Finding("billing", "skipped", "not set up (only `homebox billing` needs it)")
    url, _ = tokens.billing_urls(setup.profile, None)
    at = f", for {url}" if url else ""
    return Finding("billing", "ok", ", ".join(one.source for one in found) + at)


def proxy(setup: Setup) -> Finding:
    """Tell which proxy requests go through, without its password."""
    if setup.emulator:
        return Finding("proxy", "ok", "none, for the emulator is in this process")
    origin = checked_origin(setup.origin)
    url = checked_proxy(proxy_for(origin))
    named = ", ".join(sorted(_proxy_variables())) or "no variable names one"
    if url is None:
        return Finding("proxy", "ok", f"none for {origin} ({named})")
    shown = url.with_user(None).origin()
    return Finding("proxy", "ok", f"{shown} ({named})")


def _proxy_variables() -> Iterator[str]:
    for name in os.environ:
        if name.lower() in _PROXIES and os.environ[name]:
            # What NO_PROXY holds explains a proxy that is not taken; others may hold a password.
            yield f"{name}={os.environ[name]}" if name.lower() == "no_proxy" else name


def terminal_state(setup: Setup) -> Finding:
    """Tell how results are shown here."""
    encoding = (sys.stdout.encoding or "none").lower()
    size = shutil.get_terminal_size()
    screen = terminal.console()
    told = [
        f"a terminal of {size.columns} x {size.lines}" if sys.stdout.isatty() else "no terminal",
        f"TERM={os.environ.get('TERM', '')}",
        encoding,
        f"colours {'off' if screen.no_color or screen.color_system is None else 'on'}",
        f"pager {terminal.pager() or 'none'}",
    ]
    status: Status = "ok"
    fix = ""
    if encoding.replace("-", "") not in ("utf8", "utf8sig"):
        status, fix = "warning", "set PYTHONUTF8=1, or a locale of UTF-8: names lack letters else"
    command = terminal.pager()
    if not fix and command and shutil.which(shlex.split(command)[0]) is None:
        told[-1] += " (not installed: long tables are printed)"
    return Finding("terminal", status, ", ".join(told), fix)


def event_loop(setup: Setup) -> Finding:
    """Tell which event loop the command line runs on."""
    if loop_factory() is None:
        return Finding("event loop", "ok", "asyncio (the extra speed brings a faster one)")
    return Finding("event loop", "ok", f"uvloop {metadata.version('uvloop')}")
