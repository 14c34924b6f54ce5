"""Middlewares of one's own go around calls and attempts."""

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
