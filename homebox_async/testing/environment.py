"""The environment variables that lead clients to an emulator."""

from collections.abc import Mapping
from typing import Final

# Those of `Emulator`, which need not be loaded to know them.
TOKEN: Final = "emulator-token"  # noqa: S105  # it guards nothing
BILLING_LOGIN: Final = ("emulator", "emulator-password")


def environment(
    url: str,
    billing_url: str,
    token: str = TOKEN,
    billing_login: tuple[str, str] = BILLING_LOGIN,
) -> Mapping[str, str]:
    """Return what makes every client without `base_url` talk to this emulator.

    The empty ones count as not set, but hide what is set around the tests: a Billing token would
    win over the user name.
    """
    username, password = billing_login
    return {
        "HOMEBOX_BASE_URL": url,
        "HOMEBOX_TOKEN": token,
        "HOMEBOX_BILLING_URL": billing_url,
        "HOMEBOX_BILLING_LOGIN_URL": billing_url,
        "HOMEBOX_BILLING_USERNAME": username,
        "HOMEBOX_BILLING_PASSWORD": password,
        "HOMEBOX_BILLING_ADMINISTRATOR_IDS": "1",
        "HOMEBOX_BILLING_TOKEN": "",
        "HOMEBOX_BILLING_TOKEN_FILE": "",
    }
