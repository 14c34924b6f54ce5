"""What a client keeps to itself: secrets and personal data."""

import asyncio
import datetime as dt
import logging
import pickle
import traceback
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Homebox, HomeboxError, NewTenant, Retry
from homebox_async.wire import Secret

CANARY = "canary-3f9a1"
PHONE = "+447700900123"


async def leaks(call: Any) -> str:
    """Return all that an error shows: text, repr, traceback with locals, pickled state."""
    try:
        await call
    except BaseException as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        chain: list[str] = []
        link: BaseException | None = error
        while link is not None:
            chain += [repr(link), str(link), repr(link.__dict__), repr(link.args)]
            link = link.__cause__ or link.__context__
        again = pickle.dumps(error) if isinstance(error, HomeboxError) else b""
        return "".join(shown.format()) + " ".join(chain) + again.decode("latin-1")
    return "no error"


@pytest.mark.parametrize(
    "act", ["reset", "close", "truncate", "hang", "garbage", "422", "500", "302", "huge", "refused"]
)
async def test_canaries(server: Any, act: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither token nor personal data is in logs, reprs, errors or tracebacks with locals."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    echo = f'{{"message": "no {CANARY}@example.com {PHONE}"}}'.encode()
    server.default = {
        "garbage": server.say(200, b"<" + CANARY.encode()),
        "422": server.say(422, echo),
        "500": server.say(500, echo),
        "302": server.say(302, b"", [("Location", "/login")]),
        "huge": server.say(200, CANARY.encode() * 9000),
        "refused": server.reset,
    }.get(act) or getattr(server, act)
    client = AsyncHomebox(
        f"token-{CANARY}",
        base_url="http://127.0.0.1:9" if act == "refused" else server.url,
        timeout=0.05,
        max_body=50_000,
        retry=Retry(backoff=0.0, attempts=2),
    )
    tenant = NewTenant(
        first_name=CANARY,
        last_name=CANARY,
        phone_number=PHONE,
        email_address=f"{CANARY}@example.com",
    )
    shown = await leaks(
        client.leads.create(
            tenancy_start=dt.date(2026, 1, 1),
            tenancy_end=dt.date(2027, 1, 1),
            tenants=[tenant],
            notifications=False,
        )
    )
    shown += await leaks(client.account.get())
    shown += repr(client) + repr(client._transport) + repr(tenant) + repr(vars(client))
    shown += repr(vars(client._transport)) + repr(client._transport._session)
    shown += repr(getattr(client._transport._session, "headers", ""))
    await client.aclose()
    asyncio.get_running_loop().set_debug(False)
    assert "no error" not in shown
    for text in (shown, caplog.text):
        assert CANARY not in text
        assert PHONE not in text


@pytest.mark.parametrize("make", [AsyncHomebox, Homebox])
@pytest.mark.parametrize(
    "options", [{"base_url": "nonsense"}, {"environment": "x"}, {"timeout": -1}], ids=str
)
async def test_canaries_of_the_set_up(make: Any, options: dict[str, Any]) -> None:
    """A client that cannot be made does not show its token in the traceback."""

    async def call() -> None:
        make(CANARY[::-1][::-1], **options)

    shown = await leaks(call())
    ours = shown[shown.index("homebox_async") :]
    assert "ConfigurationError" in ours
    assert CANARY not in ours


def test_secrets() -> None:
    """A secret is its text, and shows itself masked."""
    secret = Secret("abc")
    assert "abc" == secret
    assert "'***'" == repr(secret)
    assert "['***']" == str([secret])


async def test_the_log(server: Any, client: Any, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG there is one line per call, with the operation and what came of it."""
    caplog.set_level(logging.DEBUG, "homebox_async")
    await client.request("GET", "a/{id}", params={"id": "private"})
    server.default = server.say(404)
    with pytest.raises(HomeboxError):
        await client.request("GET", "a/{id}", params={"id": "private"})
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("GET a/{id}: 200, 2 bytes, ")
    assert second.startswith("GET a/{id}: the server answered 404: ")
