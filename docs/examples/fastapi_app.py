"""Homebox in FastAPI: `uvicorn fastapi_app:app`."""

import asyncio
import datetime as dt
import json
import logging
import math
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from homebox_async import (
    UNSET,
    Address,
    AsyncHomebox,
    AttemptTimeout,
    DeadlineExceeded,
    NewTenant,
    NotFound,
    Outcome,
    Page,
    Property,
    RateLimited,
    RequestError,
    UnprocessableEntity,
    ValidationError,
)

T = TypeVar("T")

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, AsyncHomebox]]:
    # One client for the process: all requests share its connections, its quota and its pauses.
    # Its deadline is below the 30 to 60 s after which a proxy in front gives up.
    async with AsyncHomebox(deadline=20) as client:
        yield {"homebox": client}  # each request finds it in its `state`


app = FastAPI(lifespan=lifespan)


def homebox(request: Request) -> AsyncHomebox:
    client: AsyncHomebox = request.state.homebox
    return client


Homebox = Annotated[AsyncHomebox, Depends(homebox)]


# --- errors: what the call did at Homebox, told in HTTP's words


@app.exception_handler(ValidationError)
async def refused(request: Request, error: ValidationError) -> JSONResponse:
    """Nothing was sent: say what to correct, field by field."""
    problems = [{"field": p.field, "problem": p.problem, "fix": p.fix} for p in error.problems]
    return JSONResponse({"problems": problems}, 422)


@app.exception_handler(RequestError)
async def failed(request: Request, error: RequestError) -> JSONResponse:
    match error:
        case NotFound():
            status = 404
        case UnprocessableEntity():
            status = 422
        case RateLimited() | DeadlineExceeded(outcome=Outcome.NOT_SENT):
            status = 503  # Homebox has asked all calls of this client to wait
        case AttemptTimeout() | DeadlineExceeded():
            status = 504
        case _:  # a wrong API key, too: it is ours, and no visitor can log in to help it
            status = 502
    # The log has the whole of it; a visitor learns what may have happened, and when to come back.
    if status >= 500:
        logger.warning("%s", error)
    later = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after else None
    return JSONResponse({"outcome": error.outcome.value}, status, later)


# --- reads


@app.get("/properties/{property_id}")
async def show(property_id: int, request: Request, client: Homebox) -> dict[str, Any]:
    return summary(await while_connected(request, client.properties.get(property_id)))


@app.get("/properties")
async def export(client: Homebox, q: str = "") -> StreamingResponse:
    pages = client.properties.list(q=q or UNSET, prefetch=1).pages()
    first = await anext(pages, None)  # a failure up to here still has a status of its own
    return StreamingResponse(lines(first, pages), media_type="application/x-ndjson")


async def lines(page: Page[Property] | None, pages: Any) -> AsyncIterator[str]:
    """Yield a page as soon as it is there; no more than two of them are in memory.

    A page that fails breaks the answer off: nobody takes half of a list for the whole.
    """
    async with aclosing(pages):  # what is read ahead ends when the visitor leaves
        while page is not None:
            yield "".join(json.dumps(summary(item)) + "\n" for item in page.items)
            page = await anext(pages, None)


def summary(home: Property) -> dict[str, Any]:
    return {"id": home.id, "line1": home.address_line1, "postcode": home.address_postcode}


async def while_connected(request: Request, call: Coroutine[Any, Any, T]) -> T:
    """Await a read, and cancel it when the visitor leaves; FastAPI itself would go on with it.

    For reads only: a write that is cancelled may have happened.
    """

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    reading, leaving = asyncio.create_task(call), asyncio.create_task(gone())
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        reading.cancel()  # does nothing to one that has ended
    try:
        return await reading
    except asyncio.CancelledError as cancelled:
        logger.info("the visitor left: %s", "; ".join(getattr(cancelled, "__notes__", ())))
        raise HTTPException(499) from None


# --- a write in the background: answered at once, sent once


class Tenant(BaseModel):
    first_name: str
    last_name: str
    phone_number: str
    email_address: str


class Home(BaseModel):
    line1: str
    city: str
    postcode: str


class Invitation(BaseModel):
    tenant: Tenant
    home: Home
    start: dt.date
    end: dt.date


# This stands for a table of your database with a unique key: a process forgets, and has siblings.
leads: dict[str, str] = {}


@app.put("/leads/{reference}", status_code=202)
async def invite(
    reference: str, new: Invitation, client: Homebox, background: BackgroundTasks
) -> dict[str, str]:
    """Invite a tenant once, however often it is asked for under the same reference."""
    if leads.get(reference) in (None, Outcome.NOT_SENT.value, Outcome.REJECTED.value):
        leads[reference] = "sending"
        background.add_task(create_lead, client, reference, new)
    return {"reference": reference, "state": leads[reference]}


async def create_lead(client: AsyncHomebox, reference: str, new: Invitation) -> None:
    # It runs after the answer, whether the visitor is still there or not, and a server that is
    # told to stop waits for it. (Not `asyncio.create_task`: nothing would wait for that.)
    try:
        lead = await client.leads.create(
            tenancy_start=new.start,
            tenancy_end=new.end,
            tenants=[NewTenant(**new.tenant.model_dump())],
            address=Address(**new.home.model_dump()),
            property_reference=reference,
        )
        leads[reference] = f"created as {lead.id}"
    except (ValidationError, RequestError) as error:
        # "unknown" stays: the tenant may have got the text message. Look before sending again.
        leads[reference] = error.outcome.value
        logger.error("lead %s: %s", reference, error)
