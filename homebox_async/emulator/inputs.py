"""Reading a request's body into fields: JSON, multipart and urlencoded, as PHP does."""

import json
from email import message_from_string
from email.message import Message
from urllib.parse import parse_qsl

from .laravel import Refusal
from .routing import Call
from .uploads import Upload


def read_fields(call: Call) -> dict[str, object]:
    """Return the fields of the body; a type of body that PHP does not read has none.

    Raises a refusal when the body says that it is JSON and is not a JSON object.
    """
    received = call.received
    content_type = received.headers.get("Content-Type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json_fields(received.body, call.assumed.malformed_json_status)
    if kind == "multipart/form-data":
        return _form_fields(received.body, content_type)
    if kind == "application/x-www-form-urlencoded":
        text = received.body.decode("utf-8", "replace")
        return {name: _clean(value) for name, value in parse_qsl(text, keep_blank_values=True)}
    return {}


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


def _form_fields(body: bytes, content_type: str) -> dict[str, object]:
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    fields: dict[str, object] = {}
    if not boundary:
        return fields
    # What precedes the first boundary and follows the last one is no part of the form.
    for part in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        headers = message_from_string(head.decode("utf-8", "replace"))
        name = headers.get_param("name", header="content-disposition")
        filename = headers.get_filename()
        if filename is not None:
            fields[str(name)] = Upload(filename, content)
        else:
            fields[str(name)] = _clean(content.decode("utf-8", "replace"))
    return fields


def _clean(value: object) -> object:
    # Laravel trims all texts of a request and turns empty ones into null.
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items()}
    return value
