"""The login: when a token is fetched and renewed, and what becomes of the calls that wait."""

import asyncio
import gc
from typing import Any

import pytest
from aiohttp import web

from homebox_async import (
    AnswerUnusable,
    AuthenticationFailed,
    BadRequest,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Outcome,
    Retry,
)
from homebox_async.billing import AsyncBilling, Billing


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

    assert ("Billing/{billing_id}", Outcome.REJECTED) == (refused.value.path, refused.value.outcome)
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

    assert (Outcome.NOT_SENT, "Billing/{billing_id}") == (late.value.outcome, late.value.path)


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
    held = [
        AsyncBilling(
            username="a", password="b", base_url=vendor.url, login_url=vendor.login_url, proxy=""
        )
    ]
    await held[0].get(1)
    sessions = [transport._session for transport in held[0]._transports()]

    def forget() -> None:
        held.clear()
        gc.collect()

    with pytest.warns(ResourceWarning, match="was not closed") as warned:
        forget()

    assert 1 == len(warned)
    assert vendor.url.startswith(str(warned[0].message).split()[3])
    assert [True, True] == [session is not None and session.closed for session in sessions]
