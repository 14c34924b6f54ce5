"""Where the command line finds its secrets: an option, the environment, a file, the keyring."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import attrs
import click

from .. import keyring
from ..credentials import from_environment, read_secret
from ..wire import Secret

_BILLING = ("HOMEBOX_BILLING_TOKEN", "HOMEBOX_BILLING_USERNAME", "HOMEBOX_BILLING_PASSWORD")


@attrs.frozen
class Found:
    """A secret, and in words where it comes from."""

    secret: Secret
    source: str


def needed(origin: str, token_file: Path | None) -> Secret:
    """Return the token for a server, or refuse the command."""
    try:
        found, why = find(origin, token_file), ""
    except keyring.KeyringUnusable as unusable:
        found, why = None, f" ({unusable})"
    if found is None:
        raise click.UsageError(
            "no API token; set HOMEBOX_TOKEN or give --token-file PATH, or store it with"
            " `homebox auth login`, or try the command with --emulator, which needs none" + why
        )
    return found.secret


def find(origin: str, token_file: Path | None = None) -> Found | None:
    """Return the token for a server; raises ConfigurationError where a source cannot be used."""
    if token_file is not None:
        return Found(read_secret(token_file, "--token-file"), f"file {token_file}")
    return _exported("HOMEBOX_TOKEN") or _kept(keyring.partner_entry(base_url=origin))


def find_billing(base_url: str | None = None) -> Iterator[Found]:
    """Give the credentials of the Billing API; those of the keyring are one secret."""
    exported = list(exported_billing())
    if exported:
        yield from exported
        return
    kept = _kept(billing_entry(base_url))
    if kept is not None:
        yield kept


def exported_billing() -> Iterator[Found]:
    """Give the credentials of the Billing API that the environment has or names."""
    yield from filter(None, map(_exported, _BILLING))


def stored_billing(base_url: str | None) -> dict[str, Secret]:
    """Return what the keyring has for the Billing API, if nothing else has anything."""
    try:
        found = list(find_billing(base_url))
    except keyring.KeyringUnusable:
        return {}  # the client says what is missing
    if not found or not found[0].source.startswith("keyring"):
        return {}
    return keyring.unpacked(found[0].secret)


def billing_entry(base_url: str | None = None) -> str:
    """Return the name of the keyring's entry for the Billing API as it is set up."""
    env = os.environ.get
    return keyring.billing_entry(
        base_url or env("HOMEBOX_BILLING_URL"), env("HOMEBOX_BILLING_LOGIN_URL")
    )


def _exported(variable: str) -> Found | None:
    secret = from_environment(variable)
    if secret is None:
        return None
    if os.environ.get(variable, "").strip():
        return Found(secret, f"environment {variable}")
    name = f"{variable}_FILE"
    return Found(secret, f"file {os.environ[name]} ({name})")


def _kept(entry: str) -> Found | None:
    secret = keyring.read(entry)
    return None if secret is None else Found(secret, f"keyring ({keyring.backend()}), {entry}")
