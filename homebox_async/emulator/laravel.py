"""Laravel's habits: timestamps, refusals, pagination envelopes."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .routing import Answer, json_answer


@lru_cache(maxsize=4096)
def _second(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))


def timestamp(moment: float) -> str:
    """Return the time as resources show it: "2022-01-06T10:27:12.000000Z"."""
    return f"{_second(int(moment))}.000000Z"


def plain_timestamp(moment: float) -> str:
    """Return the time as raw models show it: "2020-05-01 12:00:00"."""
    return _second(int(moment)).replace("T", " ")


def midnight(iso_date: str, zone: str = "UTC") -> str:
    """Return an ISO date as resources show it: "2022-07-01T00:00:00.000000Z"."""
    if zone == "UTC":
        return f"{iso_date}T00:00:00.000000Z"
    start = dt.datetime.fromisoformat(iso_date).replace(tzinfo=ZoneInfo(zone))
    return f"{start.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.000000Z"


class Refusal(Exception):
    """An answer that is no: raised by handlers and turned into a response by the server."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers


def invalid(errors: Mapping[str, Sequence[str]]) -> Refusal:
    """Return the refusal of fields: 422 with the first message and the count of the others."""
    messages = [message for each in errors.values() for message in each]
    more = len(messages) - 1
    suffix = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
    return Refusal(422, messages[0] + suffix, errors=errors)


def no_such_route(path: str) -> Refusal:
    """Return the refusal of an unknown path."""
    return Refusal(404, f"The route {path.strip('/')} could not be found.")


def no_such_method(method: str, path: str, allowed: Sequence[str]) -> Refusal:
    """Return the refusal of a method that the path does not know."""
    names = ", ".join("GET, HEAD" if name == "GET" else name for name in sorted(allowed))
    return Refusal(
        405,
        f"The {method} method is not supported for route {path.strip('/')}. "
        f"Supported methods: {names}.",
        headers={"Allow": names},
    )


def no_such_row(model: str, row_id: str) -> Refusal:
    """Return the refusal of an id that no row has."""
    return Refusal(404, f"No query results for model [App\\Models\\{model}] {row_id}")


def unauthenticated() -> Refusal:
    """Return the refusal of a missing or wrong token."""
    return Refusal(401, "Unauthenticated.")


def too_many_attempts() -> Refusal:
    """Return the refusal of the rate limit."""
    return Refusal(429, "Too Many Attempts.")


def too_large() -> Refusal:
    """Return the refusal of a body above the server's limit."""
    return Refusal(413, "The POST data is too large.")


def refuse(refusal: Refusal, request_headers: Mapping[str, str]) -> Answer:
    """Return the response for a refusal.

    A client that does not ask for JSON is sent elsewhere (never where it says) when its fields are
    invalid: Laravel takes it for a browser with a form.
    """
    if refusal.errors is None:
        return json_answer(refusal.status, {"message": refusal.message}, refusal.headers)
    if not _wants_json(request_headers.get("Accept", "")):
        return Answer(
            302,
            b"<!DOCTYPE html><html><body>Redirecting</body></html>",
            {"Content-Type": "text/html; charset=utf-8", "Location": "/"},
        )
    return json_answer(
        refusal.status,
        {"message": refusal.message, "errors": refusal.errors},
        refusal.headers,
    )


def _wants_json(accept: str) -> bool:
    first = accept.partition(",")[0]
    return "/json" in first or "+json" in first


def paginated(
    items: Sequence[object], *, url: str, page: int, total: int, per_page: int
) -> dict[str, Any]:
    """Return one page in Laravel's envelope with `links` and `meta`.

    The links lack the other query parameters, as they do where `appends` was not called.
    """
    last = max(1, -(-total // per_page))
    start = (page - 1) * per_page

    def link(number: int) -> str | None:
        return f"{url}?page={number}" if 1 <= number <= last else None

    return {
        "data": items,
        "links": {
            "first": link(1),
            "last": link(last),
            "prev": link(page - 1),
            "next": link(page + 1),
        },
        "meta": {
            "current_page": page,
            "from": start + 1 if items else None,
            "last_page": last,
            "path": url,
            "per_page": per_page,
            "to": start + len(items) if items else None,
            "total": total,
        },
    }
