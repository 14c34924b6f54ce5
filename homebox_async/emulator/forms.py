"""Reading forms, multipart and urlencoded, as PHP does."""

from email import message_from_string
from email.message import Message
from urllib.parse import parse_qsl

from .uploads import Upload


def form_fields(body: bytes, content_type: str) -> dict[str, object]:
    """Return the fields of a form as they were sent; none for any other type of body."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _multipart(body, content_type)
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return {}


def _multipart(body: bytes, content_type: str) -> dict[str, object]:
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
            fields[str(name)] = content.decode("utf-8", "replace")
    return fields
