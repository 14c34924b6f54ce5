"""Request ids: yours on the way to the server, and the server's on the way back.

Both travel in `X-Request-Id`. An id is an id and no words, so that it can neither add a header
nor forge a line of a log.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

from multidict import istr

from .errors import Problem, ValidationError

HEADER: Final = istr("X-Request-Id")  # looked up for each answer, and so at half the price

passed_id: ContextVar[str | None] = ContextVar("homebox_request_id", default=None)
"""The id that calls made here carry."""


@contextlib.contextmanager
def request_id(value: str) -> Iterator[None]:
    """Send an id of yours with every request that is made inside, as `X-Request-Id`.

    ::

        with request_id("job-42"):
            await client.properties.create(address, property_reference="A1")

    It goes with each attempt and each page, and into the tasks that are started inside; events,
    log lines and spans tell it. Give nothing personal: the server keeps it.
    Raises ValidationError for what is no id: 1 to 128 ASCII letters, digits and . _ : / + = -
    """
    if not isinstance(value, str) or as_id(value) is None:
        fix = "give 1 to 128 ASCII letters, digits and . _ : / + = -"
        raise ValidationError([Problem("request_id", "is not an id", fix)])
    token = passed_id.set(value)
    try:
        yield
    finally:
        passed_id.reset(token)


def as_id(text: str | None) -> str | None:
    """Return a text that is an id, None for any other one."""
    found = re.fullmatch(r"[\w.:/+=-]{1,128}", text or "", re.ASCII)
    return found and found[0]
