"""References that a server may have shortened or recased."""

from __future__ import annotations

import re

_NOT_ALNUM = re.compile(r"[\W_]+")
# A shortened reference says little where no address can be compared.
_ENOUGH = 8


def is_altered(sent: str, shown: str, *, has_address: bool) -> bool:
    """Return True if `shown` may be `sent`, recased, shortened, or without its punctuation.

    `has_address`: the addresses of the two were compared, and do not contradict each other.
    """
    ours = _NOT_ALNUM.sub("", sent.casefold())
    theirs = _NOT_ALNUM.sub("", shown.casefold())
    if ours == theirs:
        return True
    return len(theirs) >= (1 if has_address else _ENOUGH) and ours.startswith(theirs)
