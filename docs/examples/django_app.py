"""Homebox in Django, a whole project in one file.

`python django_app.py runserver` and `gunicorn django_app:wsgi` serve the sync views,
`uvicorn django_app:application` serves all of them.
"""

import asyncio
import atexit
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

from homebox_async import AsyncHomebox, Homebox, NotFound, Page, Property, RequestError

logger = logging.getLogger(__name__)

# --- settings.py

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=[f"{__name__}.HomeboxErrors"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "for this example only"),
)

# --- views.py

# For sync views: one client for the process, shared by its threads. It starts nothing before its
# first call, so each process that a server forks opens connections of its own.
homebox = Homebox(deadline=20)
atexit.register(homebox.close)


def show(request: HttpRequest, property_id: int) -> HttpResponse:
    """A sync view works under WSGI and ASGI; a visitor who leaves does not break it off."""
    return JsonResponse(summary(homebox.properties.get(property_id)))


async def show_async(request: HttpRequest, property_id: int) -> HttpResponse:
    """Django cancels an async view when its visitor leaves, and with it the call.

    That is good for reads. Leave writes to sync views, or shield them.
    """
    client: AsyncHomebox = request.scope["state"]["homebox"]
    try:
        return JsonResponse(summary(await client.properties.get(property_id)))
    except asyncio.CancelledError as cancelled:
        logger.warning("the visitor left: %s", "; ".join(getattr(cancelled, "__notes__", ())))
        raise


async def export(request: HttpRequest) -> StreamingHttpResponse:
    client: AsyncHomebox = request.scope["state"]["homebox"]
    pages = client.properties.list(prefetch=1).pages()
    first = await anext(pages, None)  # a failure up to here still has a status of its own
    return StreamingHttpResponse(lines(first, pages), content_type="application/x-ndjson")


async def lines(page: Page[Property] | None, pages: Any) -> AsyncIterator[str]:
    """Yield a page as soon as it is there; no more than two of them are in memory."""
    async with aclosing(pages):  # what is read ahead ends when the visitor leaves
        while page is not None:
            yield "".join(json.dumps(summary(item)) + "\n" for item in page.items)
            page = await anext(pages, None)


def summary(home: Property) -> dict[str, Any]:
    return {"id": home.id, "line1": home.address_line1, "postcode": home.address_postcode}


# --- middleware.py


class HomeboxErrors(MiddlewareMixin):
    """Tells of failed calls in HTTP's words; sync and async views alike."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, RequestError):
            return None
        status = 404 if isinstance(error, NotFound) else 502
        return JsonResponse({"outcome": error.outcome.value}, status=status)


# --- urls.py

urlpatterns = [
    path("properties", export),
    path("properties/<int:property_id>", show),
    path("async/properties/<int:property_id>", show_async),
]

# --- wsgi.py and asgi.py

wsgi = get_wsgi_application()
django = get_asgi_application()


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Handle the ASGI lifespan, which Django does not, and leave the rest to Django.

    An `AsyncHomebox` belongs to the loop that it is used on. The server's loop is that of all
    async views, and the lifespan is the one place that sees it begin and end. (Under WSGI, each
    request to an async view has a loop of its own: use the sync client there.)
    """
    if scope["type"] != "lifespan":
        await django(scope, receive, send)
        return
    await receive()  # lifespan.startup
    async with AsyncHomebox(deadline=20) as client:
        scope["state"]["homebox"] = client
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
    homebox.close()
    await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    execute_from_command_line(sys.argv)
