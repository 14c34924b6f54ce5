"""Homebox in aiohttp.web: `python aiohttp_app.py`."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from homebox_async import (
    Address,
    AsyncHomebox,
    HomeboxError,
    NotFound,
    Property,
    RequestError,
    ValidationError,
)

T = TypeVar("T")
HOMEBOX = web.AppKey("homebox", AsyncHomebox)
WRITES = web.AppKey("writes", set[asyncio.Task[Any]])
logger = logging.getLogger(__name__)
routes = web.RouteTableDef()


async def homebox(app: web.Application) -> AsyncIterator[None]:
    # One client for the process; its deadline is below that of a proxy in front.
    async with AsyncHomebox(deadline=20) as client:
        app[HOMEBOX] = client
        yield


@routes.get(r"/properties/{id:\d+}")
async def show(request: web.Request) -> web.Response:
    home = await request.app[HOMEBOX].properties.get(int(request.match_info["id"]))
    return web.json_response(summary(home))


@routes.get("/properties")
async def export(request: web.Request) -> web.StreamResponse:
    pages = request.app[HOMEBOX].properties.list().pages()
    page = await anext(pages, None)  # a failure up to here still has a status of its own
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    try:
        while page is not None:
            lines = "".join(json.dumps(summary(home)) + "\n" for home in page.items)
            await response.write(lines.encode())
            page = await anext(pages, None)
    except HomeboxError as error:
        # The status is out: break the answer off, so that nobody takes half of it for the whole.
        logger.error("the list ends early: %s", error)
        if request.transport is not None:
            request.transport.close()
    return response


@routes.post("/properties")
async def add(request: web.Request) -> web.Response:
    sent = await request.json()
    address = Address(line1=sent["line1"], city=sent["city"], postcode=sent["postcode"])
    create = request.app[HOMEBOX].properties.create(address, property_reference=sent["reference"])
    home = await to_the_end(request.app, create)
    return web.json_response({"id": home.id}, status=201)


async def to_the_end(app: web.Application, call: Coroutine[Any, Any, T]) -> T:
    """Await a write that goes on if its visitor leaves: cancelled, it may have happened."""
    writing = asyncio.create_task(call)
    app[WRITES].add(writing)
    writing.add_done_callback(app[WRITES].discard)
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        writing.add_done_callback(log_end)
        raise


def log_end(writing: asyncio.Task[Any]) -> None:
    if writing.cancelled():
        return  # the client has logged it
    if (error := writing.exception()) is not None:
        logger.error("after its visitor left: %s", error)
    else:
        logger.info("after its visitor left: %s is done", writing.result())


async def writes(app: web.Application) -> AsyncIterator[None]:
    app[WRITES] = set()
    yield
    await asyncio.gather(*app[WRITES], return_exceptions=True)


def summary(home: Property) -> dict[str, Any]:
    return {"id": home.id, "line1": home.address_line1, "postcode": home.address_postcode}


@web.middleware
async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as error:
        return web.json_response({"problems": [str(each) for each in error.problems]}, status=422)
    except RequestError as error:
        status = 404 if isinstance(error, NotFound) else 502
        return web.json_response({"outcome": error.outcome.value}, status=status)
    except asyncio.CancelledError as cancelled:
        notes = getattr(cancelled, "__notes__", ["no call was cancelled"])
        logger.info("the visitor left: %s", "; ".join(notes))
        raise


def make_app() -> web.Application:
    app = web.Application(middlewares=[told])
    app.cleanup_ctx.extend([homebox, writes])  # ended in reverse: the writes before the client
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    port = int(os.environ.get("PORT", "8080"))
    # `handler_cancellation`: a visitor who leaves cancels the handler, and with it the call.
    web.run_app(make_app(), host="127.0.0.1", port=port, handler_cancellation=True)
