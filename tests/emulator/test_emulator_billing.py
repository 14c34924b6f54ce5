"""The Billing API: login, headers, billings and documents."""

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import aiohttp
import pytest

from homebox_async.emulator import Assumed, Emulator

NOW = 1_688_421_600.0
UUID = "2eff1042c50c1eda889e61573e3c194c"
LOGIN = {"username": "emulator", "password": "emulator-password"}


async def log_in(emulator: Emulator) -> dict[str, str]:
    """Return the headers of a user who has logged in."""
    url = f"{emulator.billing_url}/users/authenticate"
    async with aiohttp.ClientSession() as session, session.post(url, json=LOGIN) as response:
        assert 200 == response.status
        token = await response.json()
    return {"Authorization": f"Bearer {token}", "istaAdministratorIds": "1;2;3"}


@pytest.fixture
async def billing(emulator: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session that is logged in."""
    emulator.store.clock = lambda: NOW
    headers = await log_in(emulator)
    async with aiohttp.ClientSession(f"{emulator.billing_url}/", headers=headers) as session:
        yield session


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"username": "emulator", "password": "x"}', 401),
        (b'{"username": "emulator"}', 401),
        (b'{"username": "\\ud800", "password": 3}', 401),
        (b"[]", 400),
        (b"{", 400),
    ],
)
async def test_wrong_login(billing: aiohttp.ClientSession, body: bytes, expected: int) -> None:
    """A wrong login is refused in ASP.NET's words."""
    async with billing.post("users/authenticate", data=body) as response:
        actual = response.status, response.content_type, (await response.json())["status"]
    assert (expected, "application/problem+json", expected) == actual


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [385619, 388568, 158567]),
        ("?StartDate=2019-10-01", [388568, 158567]),
        ("?EndDate=2020-09-30", [385619, 388568]),
        ("?StartDate=2019-10-01&EndDate=2020-09-30", [388568]),
        ("?LastUpdate=2023-07-04", []),
    ],
)
async def test_headers(billing: aiohttp.ClientSession, query: str, expected: list[int]) -> None:
    """The printed example is there, and can be narrowed down by dates."""
    async with billing.get(f"BillingHeaders/{UUID}{query}") as response:
        answer = await response.json()
    rows = answer["billingHeaders"]
    assert (expected, len(expected)) == ([row["id"] for row in rows], answer["count"])
    if not query:
        assert {
            "id": 385619,
            "propertyUUId": UUID,
            "startDate": "2018-10-01T00:00:00",
            "endDate": "2019-09-30T00:00:00",
            "updateTimeStamp": "2023-07-03T22:00:26.16",
        } == rows[0]


async def test_seeded(emulator: Emulator, billing: aiohttp.ClientSession) -> None:
    """A billing can be added, and found by its building."""
    row = emulator.seed_billing("A" * 32, date(2022, 1, 1), date(2022, 12, 31))
    async with billing.get(f"BillingHeaders/{'a' * 32}") as response:
        (header,) = (await response.json())["billingHeaders"]
    assert (row.id, "2022-01-01T00:00:00", "2023-07-03T22:00:00") == (
        header["id"],
        header["startDate"],
        header["updateTimeStamp"],
    )


@pytest.mark.parametrize("flag", ["", "?includeDeviceConsumptions=True"], ids=["plain", "devices"])
async def test_billing(billing: aiohttp.ClientSession, flag: str) -> None:
    """A billing names its documents, and device consumptions when asked."""
    async with billing.get(f"Billing/385619{flag}") as response:
        answer = await response.json()
    first, second = answer["individualBillings"]
    assert ["BE03856190", "BE03856191", "BE03856192"] == [
        each["document"] for each in (answer, first, second)
    ]
    assert bool(flag) == ("deviceConsumptions" in first)


async def test_document(billing: aiohttp.ClientSession) -> None:
    """A document is a PDF whose cross-reference table is right."""
    async with billing.get("BillingDoculment/BE03856192") as response:
        content = await response.read()
        actual = response.status, response.content_type, response.headers["Content-Disposition"]
    disposition = 'attachment; filename="BE03856192.pdf"'
    assert (200, "application/pdf", disposition) == actual
    table = int(re.findall(rb"startxref\n(\d+)\n", content)[0])
    assert content[table:].startswith(b"xref\n0 6\n")
    offsets = [int(each) for each in re.findall(rb"(\d{10}) 00000 n ", content)]
    assert [b"%d 0 obj" % number for number in range(1, 6)] == [
        content[offset : offset + 7] for offset in offsets
    ]
    length = int(re.findall(rb"/Length (\d+)", content)[0])
    assert length == len(content.partition(b"stream\n")[2].partition(b"\nendstream")[0])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Billing/1", 404),
        ("Billing/x", 404),
        ("Billing/385619?includeDeviceConsumptions=maybe", 400),
        ("BillingHeaders/x", 400),
        (f"BillingHeaders/{UUID}?StartDate=2019-1-1", 400),
        (f"BillingHeaders/{UUID}?EndDate=20190101", 400),
        ("BillingDoculment/BE03856193", 404),
        ("BillingDoculment/BE00000000", 404),
        ("BillingDoculment/x", 404),
        ("BillingDocument/BE03856190", 404),
    ],
)
async def test_refused(billing: aiohttp.ClientSession, path: str, expected: int) -> None:
    """What is not there or not valid is refused in ASP.NET's words."""
    async with billing.get(path) as response:
        actual = response.status, (await response.json())["status"]
    assert (expected, expected) == actual


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("BillingDoculment", (200, 404)),
        ("BillingDocument", (404, 200)),
        ("both", (200, 200)),
    ],
)
async def test_spelling(serve: Any, spelling: Any, expected: tuple[int, int]) -> None:
    """Documents are where they are assumed to be."""
    emulator, _ = await serve(assumed=Assumed(billing_document_path=spelling))
    actual = []
    async with aiohttp.ClientSession(headers=await log_in(emulator)) as session:
        for path in ("BillingDoculment", "BillingDocument"):
            async with session.get(f"{emulator.billing_url}/{path}/BE03856190") as response:
                actual.append(response.status)
    assert expected == tuple(actual)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer x", "Bearer a.b.c", "Bearer emulator-token", "Bearer é.é.é", "partner"],
)
async def test_foreign_token(
    emulator: Emulator, billing: aiohttp.ClientSession, authorization: str
) -> None:
    """Only a token of the login counts, and it is worth nothing to the Partner API."""
    if authorization == "partner":
        url = f"{emulator.url}/api/partner/account"
        async with billing.get(url) as response:
            assert 401 == response.status
        return
    headers = {"Authorization": authorization}
    async with billing.get("Billing/385619", headers=headers) as response:
        assert (401, "Bearer") == (response.status, response.headers["WWW-Authenticate"])


async def test_token_expires(emulator: Emulator, billing: aiohttp.ClientSession) -> None:
    """A token is valid for five minutes."""
    actual = []
    for seconds in (299, 300):
        emulator.store.clock = lambda now=NOW + seconds: now
        async with billing.get("Billing/385619") as response:
            actual.append(response.status)
    assert [200, 401] == actual


@pytest.mark.parametrize("administrators", ["", "x", "1;", "1,2"])
async def test_administrators(billing: aiohttp.ClientSession, administrators: str) -> None:
    """The administrators must be named, as numbers."""
    headers = {"istaAdministratorIds": administrators}
    async with billing.get("Billing/385619", headers=headers) as response:
        assert 403 == response.status


async def test_no_administrators(serve: Any) -> None:
    """They need not be named where that is assumed."""
    emulator, _ = await serve(assumed=Assumed(billing_needs_administrators=False))
    headers = await log_in(emulator)
    del headers["istaAdministratorIds"]
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{emulator.billing_url}/Billing/385619") as response,
    ):
        assert 200 == response.status
