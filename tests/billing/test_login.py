"""Credentials: which token goes where, when it is renewed, and that nobody else sees it."""

import asyncio
import logging
import pickle
import traceback
import warnings
from typing import Any

import pytest
from aiohttp import web

from homebox_async import (
    AnswerUnusable,
    AsyncHomebox,
    AuthenticationFailed,
    BadRequest,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Outcome,
    Request,
    Response,
    Retry,
    ServerError,
)
from homebox_async.billing import AsyncBilling, Billing

ENVIRONMENT = (
    "HOMEBOX_BILLING_TOKEN",
    "HOMEBOX_BILLING_USERNAME",
    "HOMEBOX_BILLING_PASSWORD",
    "HOMEBOX_BILLING_ADMINISTRATOR_IDS",
    "HOMEBOX_BILLING_URL",
    "HOMEBOX_BILLING_LOGIN_URL",
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


async def test_login(billing: AsyncBilling, vendor: Any) -> None:
    """The first call logs in, and every call carries the JWT and the administrators."""
    vendor.route("/Billing/1", {})

    await billing.get(1)
    await billing.get(1)

    assert [{"username": "jane", "password": "hunter2"}] == vendor.logins
    assert "Authorization" not in vendor.login_headers[0]
    assert "istaAdministratorIds" not in vendor.login_headers[0]
    jwt = vendor.jwt(1, issued=vendor.clock(), ends=vendor.clock() + 300)
    assert [f"Bearer {jwt}"] * 2 == vendor.tokens
    assert ["1;2;3"] * 2 == [r.headers["istaAdministratorIds"] for r in vendor.seen]


async def test_ready_token(ready: AsyncBilling, vendor: Any) -> None:
    """A ready token is used as it is, and no administrators are named unless they were given."""
    vendor.route("/Billing/1", {})

    await ready.get(1)

    assert (["Bearer ready-token"], []) == (vendor.tokens, vendor.logins)
    assert "istaAdministratorIds" not in vendor.seen[0].headers


@pytest.mark.parametrize(
    ("life", "later", "logins"),
    [
        pytest.param(300, 269, 1, id="good for long"),
        pytest.param(300, 270, 2, id="within the margin"),
        pytest.param(300, 10_000, 2, id="ended"),
        pytest.param(20, 9, 1, id="short life, first half"),
        pytest.param(20, 11, 2, id="short life, second half"),
    ],
)
async def test_renewal(
    billing: AsyncBilling, vendor: Any, life: float, later: float, logins: int
) -> None:
    """A JWT is renewed before it ends, by its own life and not by the server's clock."""
    vendor.route("/Billing/1", {})
    vendor.life = life

    await billing.get(1)
    vendor.clock.time += later
    await billing.get(1)

    assert logins == len(vendor.logins)
    assert logins == len(set(vendor.tokens))


@pytest.mark.parametrize(
    ("issued", "ends", "logins"),
    [
        pytest.param(5.0, 305.0, 1, id="the server's clock is far behind"),
        pytest.param(None, 1_000_300.0, 1, id="no time of issue"),
        pytest.param(None, 1_000_100.0, 2, id="no time of issue, short"),
        pytest.param(None, None, 1, id="no end"),
        pytest.param(None, 10**400, 1, id="an end beyond all numbers"),
        pytest.param(None, "soon", 1, id="an end that is no number"),
    ],
)
async def test_claims(
    billing: AsyncBilling, vendor: Any, issued: Any, ends: Any, logins: int
) -> None:
    """The claims are read where they can be; without an end, a token is good until refused."""
    vendor.route("/Billing/1", {})
    vendor.login_answer = lambda number: web.Response(
        text=vendor.jwt(number, issued=issued, ends=ends)
    )

    await billing.get(1)
    vendor.clock.time += 200
    await billing.get(1)

    assert logins == len(vendor.logins)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('"abc.def.ghi"', id="as a JSON text"),
        pytest.param("abc.def.ghi\n", id="with a line break"),
        pytest.param("\ufeffabc.def.ghi", id="with a BOM"),
        pytest.param("abc.def.ghi", id="no JWT inside"),
    ],
)
async def test_token_forms(billing: AsyncBilling, vendor: Any, body: str) -> None:
    """The token is taken bare or quoted; one that is no JWT is as good."""
    vendor.route("/Billing/1", {})
    vendor.login_answer = lambda _: web.Response(text=body)

    await billing.get(1)

    assert ["Bearer abc.def.ghi"] == vendor.tokens


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("<html> log in </html>", id="a page"),
        pytest.param("a\nb", id="two lines"),
        pytest.param("tök.en.x", id="not ASCII"),
    ],
)
async def test_unusable_token(billing: AsyncBilling, vendor: Any, body: str) -> None:
    """An answer that holds no token fails the call, tried again, without a word of it."""
    vendor.login_answer = lambda _: web.Response(text=body)

    with pytest.raises(AnswerUnusable, match="holds no token") as failed:
        await billing.get(1)

    assert (3, "users/authenticate") == (failed.value.attempts, failed.value.path)
    assert [] == vendor.seen


async def test_one_renewal_for_all(billing: AsyncBilling, vendor: Any) -> None:
    """However many calls wait for a token, it is fetched once."""
    vendor.route("/Billing/1", {})
    vendor.login_gate.clear()

    calls = [asyncio.create_task(billing.get(1)) for _ in range(50)]
    while not vendor.logins:
        await asyncio.sleep(0.001)
    vendor.login_gate.set()
    await asyncio.gather(*calls)

    assert (1, 50, 1) == (len(vendor.logins), len(vendor.seen), len(set(vendor.tokens)))


async def test_a_caller_who_leaves(billing: AsyncBilling, vendor: Any) -> None:
    """A caller that is cancelled while it waits does not take the login from the others."""
    vendor.route("/Billing/1", {})
    vendor.login_gate.clear()
    first, second = (asyncio.create_task(billing.get(1)) for _ in range(2))
    while not vendor.logins:
        await asyncio.sleep(0.001)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    vendor.login_gate.set()
    await second

    assert (1, 1) == (len(vendor.logins), len(vendor.seen))


async def test_a_refused_token_is_renewed_once(billing: AsyncBilling, vendor: Any) -> None:
    """401 renews the token and sends the call again, all calls with the same new token."""
    vendor.route("/Billing/1", {})
    await billing.get(1)
    vendor.refused.add(vendor.tokens[0])

    await asyncio.gather(*(billing.get(1) for _ in range(20)))

    assert (2, 2) == (len(vendor.logins), len(set(vendor.tokens)))


async def test_refused_again(billing: AsyncBilling, vendor: Any) -> None:
    """A second 401 comes out: nobody is asked for ever."""

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"message": "no"}, status=401)

    vendor.routes["/Billing/1"] = refuse

    with pytest.raises(AuthenticationFailed) as refused:
        await billing.get(1)

    assert ("Billing/{id}", Outcome.REJECTED) == (refused.value.path, refused.value.outcome)
    assert (2, 2) == (len(vendor.logins), len(vendor.seen))


async def test_ready_token_refused(ready: AsyncBilling, vendor: Any) -> None:
    """A ready token that is refused cannot be renewed."""
    vendor.refused.add("Bearer ready-token")

    with pytest.raises(AuthenticationFailed):
        await ready.get(1)

    assert (1, 0) == (len(vendor.seen), len(vendor.logins))


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        pytest.param(401, AuthenticationFailed, 1, id="wrong password"),
        pytest.param(400, BadRequest, 1, id="bad request"),
    ],
)
async def test_login_refused(
    billing: AsyncBilling, vendor: Any, status: int, error: Any, attempts: int
) -> None:
    """A refused login fails every waiting call and is not tried again."""
    vendor.login_answer = lambda _: web.json_response({"message": "'hunter2'?"}, status=status)

    failed = await asyncio.gather(*(billing.get(1) for _ in range(3)), return_exceptions=True)

    assert [error] * 3 == [type(one) for one in failed]
    assert 3 == len({id(one) for one in failed})
    assert [attempts] * 3 == [one.attempts for one in failed]  # type: ignore[union-attr]
    assert (1, []) == (len(vendor.logins), vendor.seen)
    assert not any("hunter2" in str(one) for one in failed)


async def test_login_recovers(billing: AsyncBilling, vendor: Any) -> None:
    """A login host that fails once is asked again by the call's own retry."""
    vendor.route("/Billing/1", {})
    vendor.login_answer = lambda number: web.Response(
        status=503 if number == 1 else 200, text="a.b.c"
    )

    await billing.get(1)

    assert (2, ["Bearer a.b.c"]) == (len(vendor.logins), vendor.tokens)


async def test_login_host_down(vendor: Any) -> None:
    """No login means that the call itself was not sent."""
    async with AsyncBilling(
        username="jane",
        password="hunter2",
        base_url=vendor.url,
        login_url="http://127.0.0.1:9",
        retry=Retry(attempts=1),
        proxy="",
    ) as client:
        with pytest.raises(ConnectionFailed) as failed:
            await client.get(1)

    assert (Outcome.NOT_SENT, []) == (failed.value.outcome, vendor.seen)


async def test_login_beyond_the_deadline(billing: AsyncBilling, vendor: Any) -> None:
    """A call waits for the login no longer than its deadline."""
    vendor.login_gate.clear()

    with pytest.raises(DeadlineExceeded) as late:
        await billing.with_options(deadline=0.05).get(1)

    assert (Outcome.NOT_SENT, "Billing/{id}") == (late.value.outcome, late.value.path)


async def test_close_during_login(billing: AsyncBilling, vendor: Any) -> None:
    """Closing the client ends the calls that wait for a login with a word about it."""
    vendor.login_gate.clear()
    call = asyncio.create_task(billing.get(1))
    while not vendor.logins:
        await asyncio.sleep(0.001)

    await billing.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await call
    with pytest.raises(ConfigurationError, match="closed"):
        await billing.get(1)


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

    shown = repr(billing) + repr(billing._credentials) + caplog.text
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


async def test_views_share_the_login(billing: AsyncBilling, vendor: Any) -> None:
    """A view has its own options and the same token; dropping it closes nothing."""
    vendor.route("/Billing/1", {})

    await billing.get(1)
    await billing.with_options(deadline=5.0).get(1)
    await billing.get(1)

    assert (1, 3) == (len(vendor.logins), len(vendor.seen))


async def test_sync(vendor: Any) -> None:
    """The sync client logs in and calls as the async one does."""
    vendor.route("/Billing/1", {"a": 1})

    def work() -> Any:
        with Billing(
            username="jane",
            password="hunter2",
            base_url=vendor.url,
            login_url=vendor.login_url,
            proxy="",
            now=vendor.clock,
        ) as client:
            assert "<Billing http://127.0.0.1" in repr(client)
            return [client.get(1).raw, client.with_options(deadline=5.0).get(1).raw]

    assert [{"a": 1}, {"a": 1}] == await asyncio.to_thread(work)
    assert 1 == len(vendor.logins)


async def test_unclosed(vendor: Any) -> None:
    """A client that nobody closed gives its sockets back and says so, once."""
    vendor.route("/Billing/1", {})
    client = AsyncBilling(
        username="a", password="b", base_url=vendor.url, login_url=vendor.login_url, proxy=""
    )
    await client.get(1)

    with pytest.warns(ResourceWarning, match="was not closed") as warned:
        client.__del__()

    assert 1 == len(warned)
    assert [False, False] == [transport.unclosed for transport in client._transports()]
