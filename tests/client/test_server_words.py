"""What a server says of a refusal survives, in whichever shape; what was sent in it is masked."""

import json
import pickle
from typing import Any

import pytest

from homebox_async import RequestError, StatusError

SHAPES: dict[str, tuple[str, Any, str, dict[str, tuple[str, ...]]]] = {
    "plain text": (
        "text/plain; charset=utf-8",
        "The postcode is wrong.",
        "The postcode is wrong.",
        {},
    ),
    "JSON string": ("application/json", '"Not on a Sunday"', "Not on a Sunday", {}),
    "message": ("application/json", {"message": "No"}, "No", {}),
    "error of words": ("application/json", {"error": {"message": "No", "code": 7}}, "No", {}),
    "Laravel": ("application/json", {"errors": {"a.0": ["x", "y"]}}, "", {"a.0": ("x", "y")}),
    "errors as text": ("application/json", {"errors": "too many"}, "too many", {}),
    "errors as texts": ("application/json", {"errors": ["one", "two"]}, "one; two", {}),
    "errors of fields": (
        "application/json",
        {"errors": [{"field": "a", "message": "x"}, {"name": "b", "reason": "y"}, {"detail": "z"}]},
        "z",
        {"a": ("x",), "b": ("y",)},
    ),
    "JSON:API": (
        "application/vnd.api+json",
        {"errors": [{"detail": "is short", "source": {"pointer": "/data/name"}}]},
        "",
        {"/data/name": ("is short",)},
    ),
    "FastAPI": (
        "application/json",
        {"errors": [{"loc": ["body", "a"], "path": ["body", "a"], "message": "missing"}]},
        "",
        {"body.a": ("missing",)},
    ),
    "a list alone": (
        "application/json",
        ["one", {"field": "a", "message": "x"}],
        "one",
        {"a": ("x",)},
    ),
    "problem details": (
        "application/problem+json",
        {"type": "about:blank", "title": "Conflict", "detail": "It is let.", "status": 409},
        "Conflict; It is let.",
        {},
    ),
    "violations": (
        "application/problem+json",
        {"title": "Bad", "violations": [{"field": "a", "message": "x"}]},
        "Bad",
        {"a": ("x",)},
    ),
    "OAuth": ("application/json", {"error": "no", "error_description": "Why"}, "no; Why", {}),
}


async def failing(client: Any, **given: Any) -> StatusError:
    """Return the error of a call that the server refuses."""
    with pytest.raises(RequestError) as caught:
        await client.request("POST", "x", json=given or None)
    error = getattr(caught.value, "reason", caught.value)
    assert isinstance(error, StatusError)
    return error


@pytest.mark.parametrize("status", [400, 409, 422, 500])
@pytest.mark.parametrize(("kind", "body", "said", "fields"), SHAPES.values(), ids=SHAPES)
async def test_shapes(
    server: Any, client: Any, status: int, kind: str, body: Any, said: str, fields: Any
) -> None:
    """The words are on the error and in its text, whatever the status."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = [("X-Request-Id", "srv-7"), ("Retry-After", "3")]
    server.default = server.say(status, text.encode(), headers, content_type=kind)
    error = await failing(client)
    assert (said, fields) == (error.server_message, error.errors)
    assert all(part in str(error) for part in (said, *fields))
    assert " ".join(text.split()) == error.body
    assert ("srv-7", 3.0) == (error.request_id, error.retry_after)


@pytest.mark.parametrize("text", ["<html><b>No</b></html>", "No", '{"a": "No"}'])
async def test_a_body_of_any_kind_is_kept(server: Any, client: Any, text: str) -> None:
    """Also a page, or JSON in which nothing is known, is there to be looked at."""
    server.default = server.say(422, text.encode(), content_type="text/html")
    error = await failing(client)
    assert text == error.body
    assert text == pickle.loads(pickle.dumps(error)).body


async def test_the_body_is_masked_and_bounded(server: Any, client: Any) -> None:
    """What was sent, the token and what looks personal does not stand in it."""
    said = "Jane Bloggs, jane@example.com, +44 7700 900123, test-token-1: " + "no " * 5000
    server.default = server.say(422, said.encode(), content_type="text/plain")
    error = await failing(client, name="Jane Bloggs")
    assert error.body.startswith("[name], [email], [number], [token]: no no")
    assert len(error.body) <= 2001
    assert len(error.server_message) <= 301
    assert "no no no" * 200 not in str(error)


@pytest.mark.parametrize(
    "body", [b"", b"\0\1\2" * 99, b"x" * (2 << 20)], ids=["none", "binary", "huge"]
)
async def test_what_is_no_text_is_not_kept(server: Any, client: Any, body: bytes) -> None:
    """Nothing, bytes and megabytes leave the body empty."""
    server.default = server.say(422, body, content_type="application/octet-stream")
    assert "" == (await failing(client)).body


async def test_wide_text(server: Any, client: Any) -> None:
    """JSON may come in UTF-16."""
    server.default = server.say(422, '{"message": "N\u00f6"}'.encode("utf-16"))
    error = await failing(client)
    assert ("N\u00f6", '{"message": "N\u00f6"}') == (error.server_message, error.body)
