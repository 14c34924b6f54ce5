"""Homebox in Starlette: `uvicorn starlette_app:app`."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from homebox_async import AsyncHomebox, NotFound, Page, Property, RequestError


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, AsyncHomebox]]:
    # One client for the process; its deadline is below that of a proxy in front.
    async with AsyncHomebox(deadline=20) as client:
        yield {"homebox": client}  # each request finds it in its `state`


async def show(request: Request) -> Response:
    client: AsyncHomebox = request.state.homebox
    return JSONResponse(summary(await client.properties.get(request.path_params["id"])))


async def export(request: Request) -> Response:
    client: AsyncHomebox = request.state.homebox
    pages = client.properties.list(prefetch=1).pages()
    first = await anext(pages, None)  # a failure up to here still has a status of its own
    return StreamingResponse(lines(first, pages), media_type="application/x-ndjson")


async def lines(page: Page[Property] | None, pages: Any) -> AsyncIterator[str]:
    """Yield a page as soon as it is there; no more than two of them are in memory."""
    async with aclosing(pages):  # what is read ahead ends when the visitor leaves
        while page is not None:
            yield "".join(json.dumps(summary(item)) + "\n" for item in page.items)
            page = await anext(pages, None)


def summary(home: Property) -> dict[str, Any]:
    return {"id": home.id, "line1": home.address_line1, "postcode": home.address_postcode}


async def failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    status = 404 if isinstance(error, NotFound) else 502
    return JSONResponse({"outcome": error.outcome.value}, status)


app = Starlette(
    routes=[Route("/properties", export), Route("/properties/{id:int}", show)],
    lifespan=lifespan,
    exception_handlers={RequestError: failed},
)
