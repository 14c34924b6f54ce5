"""Where the command line finds its secrets: option, environment, file, profile, keyring."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import attrs
import click

from .. import keyring
from ..credentials import from_environment, read_secret
from ..wire import Secret
from .config import Profile

_BILLING = ("HOMEBOX_BILLING_TOKEN", "HOMEBOX_BILLING_USERNAME", "HOMEBOX_BILLING_PASSWORD")


@attrs.frozen
class Found:
    """A secret, and in words where it comes from."""

    secret: Secret
    source: str
    path: Path | None = None


def needed(origin: str, token_file: Path | None, profile: Profile) -> Secret:
    """Return the token for a server, or refuse the command."""
    try:
        found, why = find(origin, token_file, profile), ""
    except keyring.KeyringUnusable as unusable:
        found, why = None, f" ({unusable})"
    if found is None:
        if profile.token_file is not None:
            why = f" (that of profile {profile.name} is for its own server only)"
        raise click.UsageError(
            "no API token; set HOMEBOX_TOKEN or give --token-file PATH, or store it with"
            " `homebox auth login`, or try the command with --emulator, which needs none" + why
        )
    return found.secret


def find(
    origin: str,
    token_file: Path | None = None,
    profile: Profile = Profile(),  # noqa: B008  # frozen
) -> Found | None:
    """Return the token for a server; raises ConfigurationError where a source cannot be used."""
    if token_file is not None:
        return Found(read_secret(token_file, "--token-file"), f"file {token_file}", token_file)
    exported = _exported("HOMEBOX_TOKEN")
    if exported is not None:
        return exported
    if profile.token_file is not None and _is_of(profile, origin):
        return _in_file(profile.token_file, f"profiles.{profile.name}.token_file")
    return _kept(partner_entry(origin, profile))


def find_billing(profile: Profile, base_url: str | None = None) -> Iterator[Found]:
    """Give the credentials of the Billing API; those of the keyring are one secret."""
    exported = list(exported_billing())
    if exported:
        yield from exported
        return
    kept = _of_profile(profile, base_url) or _kept(billing_entry(profile, base_url))
    if kept is not None:
        yield kept


def exported_billing() -> Iterator[Found]:
    """Give the credentials of the Billing API that the environment has or names."""
    yield from filter(None, map(_exported, _BILLING))


def stored_billing(profile: Profile, base_url: str | None) -> dict[str, Secret]:
    """Return what the profile or the keyring has for the Billing API, if nothing else has any."""
    if any(exported_billing()):
        return {}
    try:
        kept = _of_profile(profile, base_url)
        if kept is not None:
            return {"token": kept.secret}
        kept = _kept(billing_entry(profile, base_url))
    except keyring.KeyringUnusable:
        return {}  # the client says what is missing
    return {} if kept is None else keyring.unpacked(kept.secret)


def partner_entry(origin: str, profile: Profile) -> str:
    """Return the name of the keyring's entry for a server, the profile's own if it is its own."""
    entry = keyring.partner_entry(base_url=origin)
    return f"{entry} {profile.keyring}" if profile.keyring and _is_of(profile, origin) else entry


def billing_urls(profile: Profile, base_url: str | None) -> tuple[str | None, str | None]:
    """Return the server of the Billing API and the one to log in at, None for the vendor's."""
    env, billing = os.environ.get, profile.billing
    return (
        base_url or env("HOMEBOX_BILLING_URL") or billing.base_url,
        env("HOMEBOX_BILLING_LOGIN_URL") or billing.login_url,
    )


def billing_entry(profile: Profile, base_url: str | None = None) -> str:
    """Return the name of the keyring's entry for the Billing API as it is set up."""
    entry = keyring.billing_entry(*billing_urls(profile, base_url))
    mine = profile.keyring and _is_billing_of(profile, base_url)
    return f"{entry} {profile.keyring}" if mine else entry


def _is_of(profile: Profile, origin: str) -> bool:
    """Tell whether a server is the one that the profile names: no other gets its token."""
    own = keyring.partner_entry(profile.environment or "production", profile.base_url)
    return keyring.partner_entry(base_url=origin) == own


def _is_billing_of(profile: Profile, base_url: str | None) -> bool:
    billing = profile.billing
    own = keyring.billing_entry(billing.base_url, billing.login_url)
    return keyring.billing_entry(*billing_urls(profile, base_url)) == own


def _of_profile(profile: Profile, base_url: str | None) -> Found | None:
    path = profile.billing.token_file
    if path is None or not _is_billing_of(profile, base_url):
        return None
    return _in_file(path, f"profiles.{profile.name}.billing.token_file")


def _in_file(path: Path, named_by: str) -> Found:
    return Found(read_secret(path, named_by), f"file {path} ({named_by})", path)


def _exported(variable: str) -> Found | None:
    secret = from_environment(variable)
    if secret is None:
        return None
    if os.environ.get(variable, "").strip():
        return Found(secret, f"environment {variable}")
    name = f"{variable}_FILE"
    return Found(secret, f"file {os.environ[name]} ({name})", Path(os.environ[name]))


def _kept(entry: str) -> Found | None:
    secret = keyring.read(entry)
    return None if secret is None else Found(secret, f"keyring ({keyring.backend()}), {entry}")
