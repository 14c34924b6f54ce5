"""Requests and what they look like on the wire."""

import datetime as dt
from collections.abc import Awaitable
from email.parser import BytesParser
from typing import Any

import pytest

from homebox_async import NewTenant, ValidationError

TENANT = NewTenant(
    first_name="Bill",
    last_name="Appleseed",
    phone_number="+441234567890",
    email_address="bill.appleseed@example.com",
)
DATES = {"tenancy_start": dt.date(2022, 7, 1), "tenancy_end": dt.date(2023, 7, 1)}


def parts(seen: Any) -> dict[str, tuple[str | None, str, bytes]]:
    """Return the parts of a multipart body: name -> filename, type, content."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + seen.body)
    found = {}
    for part in message.get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = (
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
    return found


async def problems(server: Any, call: Awaitable[Any]) -> list[str]:
    """Return what is wrong with a call, as `field problem`."""
    with pytest.raises(ValidationError) as caught:
        await call
    assert [] == server.seen
    assert str(caught.value).endswith("(nothing was sent)")
    return [f"{p.field} {p.problem}" for p in caught.value.problems]
