"""The paths of operations as tests write them: "/property" or "/property/{property_id}"."""

from difflib import get_close_matches
from typing import Literal

from ..emulator.routes.billing import PREFIX as BILLING
from ..emulator.server import ROUTER

Method = Literal["GET", "POST", "PATCH", "DELETE"]

_PARTNER = "/api/partner"


def full_path(method: str, path: str) -> str:
    """Return the whole path, or the template of its operation if it has braces.

    The /api/partner in front may be left out; what is between braces is not compared. Raises
    ValueError where the API has no such operation: a test would wait for it in vain.
    """
    whole = path if path.startswith((_PARTNER, BILLING)) else f"{_PARTNER}/{path.lstrip('/')}"
    whole = whole.partition("?")[0].rstrip("/")
    match = ROUTER.match(whole)
    route = match.route(method)
    if route is None:
        known = {label.replace(_PARTNER, "", 1): label for label in ROUTER.labels}
        wanted = f"{method} {whole}".replace(_PARTNER, "", 1)
        close = get_close_matches(wanted, known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(f"Homebox has no operation {wanted}{hint}")
    return route.template if "{" in whole else whole
