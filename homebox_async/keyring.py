"""Secrets in the system's keyring (extra `keyring`), which is asked for them and never by itself.

::

    AsyncHomebox(stored_token("sandbox"))
    AsyncBilling(**stored_billing())

`homebox auth login` puts them there, and the other commands of the shell ask for them where
neither an option nor the environment gives one. The service is "homebox"; an entry is named
after the server it is for, so that no other one is ever sent it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from .billing import BASE_URL, LOGIN_URL
from .client import ENVIRONMENTS, Environment
from .credentials import masked
from .errors import ConfigurationError
from .origin import checked_origin, split_base
from .tracebacks import clean
from .wire import Secret

SERVICE: Final = "homebox"

T = TypeVar("T")


class KeyringUnusable(ConfigurationError):
    """There is no keyring, or it refuses to be asked."""


def partner_entry(environment: Environment = "production", base_url: str | None = None) -> str:
    """Return the name of the entry for a server of the Partner API."""
    origin = checked_origin(base_url or ENVIRONMENTS[environment])
    known = {url: name for name, url in ENVIRONMENTS.items()}
    return known.get(origin, origin)


def billing_entry(base_url: str | None = None, login_url: str | None = None) -> str:
    """Return the name of the entry for a server of the Billing API, and the one to log in at."""
    given = [
        checked_origin(split_base(url)[0]) for url in (base_url or BASE_URL, login_url or LOGIN_URL)
    ]
    known = [checked_origin(split_base(url)[0]) for url in (BASE_URL, LOGIN_URL)]
    return "billing" if given == known else " ".join(["billing", *given])


def stored_token(environment: Environment = "production", *, base_url: str | None = None) -> Secret:
    """Return the token that the keyring has for a server.

    Raises ConfigurationError where it has none, or cannot be asked.
    """
    entry = partner_entry(environment, base_url)
    token = read(entry)
    if token is None:
        raise ConfigurationError(f"the keyring has no token for {entry}; run: homebox auth login")
    return token


def stored_billing(
    *, base_url: str | None = None, login_url: str | None = None
) -> dict[str, Secret]:
    """Return what the keyring has for the Billing API: a token, or username and password.

    They are the arguments of `AsyncBilling`. Raises ConfigurationError as `stored_token` does.
    """
    entry = billing_entry(base_url, login_url)
    found = read(entry)
    if found is None:
        raise ConfigurationError(
            f"the keyring has nothing for {entry}; run: homebox auth login --billing"
        )
    return unpacked(found)


@clean
def packed(credentials: Mapping[str, str]) -> Secret:
    """Return credentials of the Billing API as one secret."""
    return Secret(json.dumps({name: str(value) for name, value in credentials.items()}))


@clean
def unpacked(secret: Secret) -> dict[str, Secret]:
    """Return the credentials that `packed` made one secret of."""
    try:
        tree = json.loads(secret)
        return {
            name: Secret(tree[name]) for name in ("token", "username", "password") if name in tree
        }
    except (ValueError, TypeError):
        raise ConfigurationError(
            "the keyring's entry is not one of ours; run: homebox auth login --billing"
        ) from None


def read(entry: str) -> Secret | None:
    """Return the secret of an entry, None where there is none."""
    return masked(_asked(lambda keyring: keyring.get_password(SERVICE, entry)))


@clean
def write(entry: str, secret: Secret) -> None:
    """Keep a secret."""
    _asked(lambda keyring: keyring.set_password(SERVICE, entry, str(secret)))


def delete(entry: str) -> bool:
    """Forget a secret; False where there was none."""
    if read(entry) is None:
        return False
    _asked(lambda keyring: keyring.delete_password(SERVICE, entry))
    return True


def backend() -> str:
    """Return what the keyring is called."""
    return _asked(lambda keyring: str(keyring.get_keyring().name))


@clean
def _asked(question: Callable[[Any], T]) -> T:
    try:
        import keyring  # 100 ms and more: only who asks for it shall pay for it
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        raise KeyringUnusable(
            "the keyring needs an extra; run: pip install 'homebox-async[keyring]'"
        ) from None
    try:
        return question(keyring)
    except NoKeyringError:
        why = "there is none on this system; use HOMEBOX_TOKEN or HOMEBOX_TOKEN_FILE"
    except KeyringError as error:
        # Its own words may hold anything.
        why = f"it refused ({type(error).__name__}); unlock it and try again"
    raise KeyringUnusable(f"the keyring cannot be used: {why}")
