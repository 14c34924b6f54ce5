"""Credentials: where they come from, where they go, and that nobody else sees them."""

import asyncio
import logging
import pickle
import traceback
import warnings
from typing import Any

import pytest
from aiohttp import web

from homebox_async import (
    AsyncHomebox,
    BadRequest,
    ConfigurationError,
    Request,
    Response,
    ServerError,
)
from homebox_async.billing import AsyncBilling


async def test_tokens_stay_at_home(
    billing: AsyncBilling, homebox: tuple[AsyncHomebox, list[web.Request]], vendor: Any
) -> None:
    """A Partner token never reaches the Billing hosts, nor the reverse."""
    partner, seen = homebox
    vendor.route("/Billing/1", {})

    await asyncio.gather(
        *(call for _ in range(5) for call in (billing.get(1), partner.account.get()))
    )

    assert {"Bearer partner-token"} == {r.headers["Authorization"] for r in seen}
    assert not any("partner-token" in str(r.headers) for r in vendor.seen)
    assert not any("partner-token" in str(headers) for headers in vendor.login_headers)
    assert not any("istaAdministratorIds" in r.headers for r in seen)
    hosts = {partner._transport.origin, *(t.origin for t in billing._transports())}
    assert 3 == len(hosts)
    sessions = {id(t._session) for t in (partner._transport, *billing._transports())}
    assert 3 == len(sessions)


async def test_secrets_are_never_shown(
    billing: AsyncBilling, vendor: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """No repr, log line or exception holds the password or the JWT, not even one with locals."""
    caplog.set_level(logging.DEBUG)
    token = vendor.jwt(1, issued=vendor.clock(), ends=vendor.clock() + 300)

    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"message": request.headers["Authorization"]}, status=400)

    vendor.routes["/Billing/1"] = echo
    with pytest.raises(BadRequest) as failed:
        await billing.get(1)

    vendor.login_answer = lambda _: web.Response(status=500, text="hunter2")
    vendor.clock.time += 1000
    with pytest.raises(ServerError) as no_login:
        await billing.get(1)

    shown = repr(billing) + repr(billing._login) + caplog.text
    for error in (failed.value, no_login.value):
        trace = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in trace.stack if frame.filename != __file__]
        shown += f"{error}{pickle.loads(pickle.dumps(error)).__dict__}"
        shown += "".join(str(frame.locals) for frame in ours)
    assert "Bearer [token]" in failed.value.server_message
    assert ("hunter2" not in shown, token not in shown) == (True, True)


async def test_middlewares_do_not_see_the_token(vendor: Any) -> None:
    """The user's middlewares run outside of the credentials."""
    vendor.route("/Billing/1", {})
    seen: list[Any] = []

    async def spy(request: Request, handler: Any) -> Response:
        seen.append(request.headers)
        response: Response = await handler(request)
        return response

    async with AsyncBilling(
        "secret", base_url=vendor.url, proxy="", middlewares=[spy], attempt_middlewares=[spy]
    ) as client:
        await client.get(1)

    assert [None, None] == seen


@pytest.mark.parametrize(
    ("given", "environment", "words"),
    [
        pytest.param({}, {}, "no credentials", id="nothing"),
        pytest.param({"username": "jane"}, {}, "no credentials", id="no password"),
        pytest.param({"token": "a", "username": "b"}, {}, "one of them", id="both"),
        pytest.param({"token": ""}, {}, "empty", id="empty token"),
        pytest.param({"token": "a b"}, {}, "space", id="token with a space"),
        pytest.param({}, {"HOMEBOX_BILLING_USERNAME": "jane"}, "no credentials", id="half of it"),
        pytest.param({"token": "a", "administrator_ids": ["1;2"]}, {}, "no id", id="no id"),
        pytest.param(
            {"token": "a", "base_url": "http://example.com/api"}, {}, "https", id="plain http"
        ),
        pytest.param(
            {"username": "a", "password": "b", "login_url": "http://example.com"},
            {},
            "https",
            id="login by plain http",
        ),
        pytest.param({"token": "a", "base_url": "nowhere"}, {}, "not a URL", id="no URL"),
        pytest.param({"token": "a", "base_url": "http://["}, {}, "not a URL", id="broken URL"),
        pytest.param(
            {"token": "a", "base_url": "https://x/api?key=1"}, {}, "host and port", id="query"
        ),
        pytest.param({"token": "a", "timeout": 0}, {}, "above 0", id="no time"),
    ],
)
def test_refused_configuration(
    monkeypatch: pytest.MonkeyPatch, given: Any, environment: dict[str, str], words: str
) -> None:
    """A client that cannot work is refused when it is made."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigurationError, match=words):
            AsyncBilling(**given)


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        pytest.param({}, {"HOMEBOX_BILLING_TOKEN": "env"}, "Bearer env", id="token"),
        pytest.param(
            {"token": "given"}, {"HOMEBOX_BILLING_TOKEN": "env"}, "Bearer given", id="passed wins"
        ),
        pytest.param(
            {},
            {"HOMEBOX_BILLING_USERNAME": "jane", "HOMEBOX_BILLING_PASSWORD": "pw"},
            {"username": "jane", "password": "pw"},
            id="username and password",
        ),
        pytest.param(
            {"username": "joe", "password": "x"},
            {"HOMEBOX_BILLING_TOKEN": "env"},
            {"username": "joe", "password": "x"},
            id="passed username wins over a token",
        ),
    ],
)
async def test_environment(
    monkeypatch: pytest.MonkeyPatch,
    vendor: Any,
    given: Any,
    environment: dict[str, str],
    expected: Any,
) -> None:
    """What is not passed comes from the environment, addresses and administrators too."""
    vendor.route("/Billing/1", {})
    monkeypatch.setenv("HOMEBOX_BILLING_URL", vendor.url)
    monkeypatch.setenv("HOMEBOX_BILLING_LOGIN_URL", vendor.login_url)
    monkeypatch.setenv("HOMEBOX_BILLING_ADMINISTRATOR_IDS", " 4; 5")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async with AsyncBilling(**given) as client:
        await client.get(1)

    assert expected in (*vendor.tokens, *vendor.logins)
    assert ["4;5"] == [r.headers["istaAdministratorIds"] for r in vendor.seen]
