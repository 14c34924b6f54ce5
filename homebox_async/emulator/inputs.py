"""Reading a request's body into fields: JSON, multipart and urlencoded, as PHP does."""

import json

from .laravel import Refusal
from .routing import Call


def read_fields(call: Call) -> dict[str, object]:
    """Return the fields of the body; a type of body that PHP does not read has none.

    Raises a refusal when the body says that it is JSON and is not a JSON object.
    """
    received = call.received
    content_type = received.headers.get("Content-Type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json_fields(received.body, call.assumed.malformed_json_status)
    return {name: _clean(value) for name, value in received.form.items()}


def read_query(call: Call) -> dict[str, object]:
    """Return the fields of the query; "true" and "false" are the booleans they mean."""
    words: dict[str, object] = {"true": True, "false": False}
    return {name: words.get(text, _clean(text)) for name, text in call.received.query.items()}


def _json_fields(body: bytes, malformed_status: int) -> dict[str, object]:
    try:
        fields = json.loads(body.decode())
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict):
        return {name: _clean(value) for name, value in fields.items()}
    if malformed_status == 422:
        # Laravel reads such a body as if it held no field, and then misses the required ones.
        return {}
    raise Refusal(malformed_status, "The request body is not a JSON object.")


def _clean(value: object) -> object:
    # Laravel trims all texts of a request and turns empty ones into null.
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items()}
    return value
