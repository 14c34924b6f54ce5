"""Middlewares of one's own go around calls and attempts."""

from collections.abc import Mapping
from typing import Any

from homebox_async import Request, Response


def tracer(name: str, trail: list[str]) -> Any:
    """Return a middleware that leaves its name on the way in and out."""

    async def trace(request: Request, handler: Any) -> Response:
        trail.append(f"{name}>")
        try:
            return await handler(request)
        finally:
            trail.append(f"<{name}")

    return trace


async def test_the_order_of_middlewares(server: Any, connect: Any) -> None:
    """A user's middlewares run in order, once per call or once per attempt; a view adds more."""
    trail: list[str] = []
    server.acts = [server.reset]
    client = connect(
        middlewares=[tracer("a", trail), tracer("b", trail)],
        attempt_middlewares=[tracer("x", trail)],
    )
    await client.request("GET", "x")
    assert ["a>", "b>", "x>", "<x", "x>", "<x", "<b", "<a"] == trail
    trail.clear()
    view = client.with_options(
        middlewares=[tracer("c", trail)], attempt_middlewares=[tracer("y", trail)]
    )
    await view.request("GET", "x")
    assert ["a>", "b>", "c>", "x>", "y>", "<y", "<x", "<c", "<b", "<a"] == trail


async def test_a_middleware_may_answer_itself(server: Any, connect: Any) -> None:
    """A middleware may answer without the server, and see the typed result of others."""
    seen: list[Any] = []

    async def cache(request: Request, handler: Any) -> Response:
        if request.path == "cached":
            return Response(200, {}, b"", result="mine")
        response = await handler(request)
        seen.append(response.result)
        return response

    client = connect(middlewares=[cache])
    assert "mine" == await client.request("GET", "cached")
    assert {} == await client.request("GET", "x")
    assert ([{}], 1) == (seen, len(server.seen))


async def test_middlewares_never_see_the_token(server: Any, connect: Any) -> None:
    """Nothing that a middleware of the user's is handed holds the token, in no depth."""
    found: list[str] = []

    def look(value: Any, path: str, depth: int = 0) -> None:
        if isinstance(value, (str, bytes)):
            if "test-token-1" in str(value):
                found.append(path)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                look(inner, f"{path}[{key}]", depth + 1)
        elif depth < 5:
            for name in dir(value):
                if not name.startswith("__") and not callable(inner := getattr(value, name, None)):
                    look(inner, f"{path}.{name}", depth + 1)

    async def mine(request: Any, handler: Any) -> Any:
        look(request, "request")
        response = await handler(request)
        look(response, "response")
        assert "server-1" == response.request_id
        return response

    server.default = server.say(200, b'{"data": {"id": 1}}', [("X-Request-Id", "server-1")])
    async with connect(middlewares=[mine], attempt_middlewares=[mine]) as client:
        await client.account.get()
        await client.bill_payers.delete(1, 2)
    assert [] == found
