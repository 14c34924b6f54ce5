"""Documents: where they are found, how they come in, and how that fails."""

import asyncio
import contextlib
import gc
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from homebox_async import (
    AttemptTimeout,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    Retry,
    ServerError,
    ValidationError,
)
from homebox_async.billing import AsyncBilling, Billing

REFERENCE = "BE00000001"
MISSPELT, SPELT = f"/BillingDoculment/{REFERENCE}", f"/BillingDocument/{REFERENCE}"


def _slots(client: AsyncBilling) -> int:
    return client._transport._slots._value


async def test_iterate(ready: AsyncBilling, vendor: Any) -> None:
    """The chunks add up to the document, and the connection serves the next one."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
    document = ready.document(REFERENCE)

    twice = [b"".join([chunk async for chunk in document]) for _ in range(2)]

    assert [vendor.pdf, vendor.pdf] == twice
    assert 1 == len({request.transport for request in vendor.seen})
    assert 100 == _slots(ready)


async def test_nothing_is_fetched_before(ready: AsyncBilling, vendor: Any) -> None:
    """A document that is only named costs nothing."""
    document = ready.document(REFERENCE)

    assert ("<Download BE00000001.pdf>", []) == (repr(document), vendor.seen)


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("", id="empty"),
        pytest.param("BE1234567", id="7 digits"),
        pytest.param("BE123456789", id="9 digits"),
        pytest.param("be12345678", id="lower case"),
        pytest.param("BE12345678\n", id="line break"),
        pytest.param("../../BE12345678", id="out of the folder"),
        pytest.param("BE\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", id="other digits"),
        pytest.param(12345678, id="number"),
    ],
)
async def test_refused_reference(ready: AsyncBilling, vendor: Any, reference: Any) -> None:
    """Only the documented pattern goes into a path and a file name."""
    with pytest.raises(ValidationError) as refused:
        ready.document(reference)

    assert {"documentId"} == {problem.field for problem in refused.value.problems}


async def test_fact_20_second_spelling(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """Where the documented path is not found, the likely one is tried once and remembered."""
    vendor.route(SPELT, vendor.pdf, "application/pdf")
    vendor.route(SPELT[:-1] + "2", vendor.pdf, "application/pdf")

    await ready.document(REFERENCE).save(folder)
    await ready.document("BE00000002").save(folder)
    with pytest.raises(NotFound):
        await ready.document("BE00000003").save(folder)

    assert [MISSPELT, SPELT, SPELT[:-1] + "2", SPELT[:-1] + "3"] == vendor.paths


async def test_fact_20_first_spelling_is_remembered(
    ready: AsyncBilling, vendor: Any, folder: Path
) -> None:
    """Where the documented path works, a missing document is asked for once only."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")

    await ready.document(REFERENCE).save(folder)
    with pytest.raises(NotFound):
        await ready.document("BE00000002").save(folder)

    assert [MISSPELT, MISSPELT[:-1] + "2"] == vendor.paths


async def test_missing_under_both(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A document that is nowhere is an error about the documented path; nothing is remembered."""
    for _ in range(2):
        with pytest.raises(NotFound) as missing:
            await ready.document(REFERENCE).save(folder)

    assert "BillingDoculment/{documentId}" == missing.value.path
    assert [MISSPELT, SPELT] * 2 == vendor.paths
    assert [] == [path.name for path in folder.iterdir()]


async def test_iteration_broken_off(ready: AsyncBilling, vendor: Any) -> None:
    """Once a chunk was handed out, a failure comes out and nothing is sent again."""
    arrived = asyncio.Event()
    vendor.routes[MISSPELT] = vendor.cut(9, arrived=arrived)
    got = b""

    async def take() -> None:
        nonlocal got
        async for chunk in ready.document(REFERENCE):
            got += chunk
            arrived.set()

    with pytest.raises(ConnectionFailed):
        await take()

    assert vendor.pdf.startswith(got)
    assert (1, 100) == (len(vendor.seen), _slots(ready))


async def test_iteration_is_tried_again_before_its_first_chunk(
    ready: AsyncBilling, vendor: Any
) -> None:
    """A failure before the first chunk is tried again."""
    vendor.routes[MISSPELT] = vendor.cut(2, after=3)

    got = b"".join([chunk async for chunk in ready.document(REFERENCE)])

    assert (vendor.pdf, 3) == (got, len(vendor.seen))


async def test_iteration_left_early(ready: AsyncBilling, vendor: Any) -> None:
    """Who stops early gives the connection back."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")

    async with contextlib.aclosing(aiter(ready.document(REFERENCE))) as chunks:
        async for _ in chunks:
            break

    assert 100 == _slots(ready)


@pytest.mark.parametrize(
    ("timeout", "deadline", "error"),
    [
        pytest.param(0.05, None, AttemptTimeout, id="timeout"),
        pytest.param(5.0, 0.05, DeadlineExceeded, id="deadline"),
    ],
)
@pytest.mark.parametrize("begun", [False, True], ids=["before the head", "in the body"])
async def test_too_slow(
    vendor: Any, folder: Path, timeout: float, deadline: float | None, error: Any, begun: bool
) -> None:
    """A download that stalls ends by `timeout` or by the deadline."""
    gate = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        if begun:
            await answer.prepare(request)
            await answer.write(vendor.pdf[:100])
        await gate.wait()
        return answer

    vendor.routes[MISSPELT] = stall
    async with AsyncBilling(
        "t",
        base_url=vendor.url,
        timeout=timeout,
        deadline=deadline,
        retry=Retry(attempts=1),
        proxy="",
    ) as client:
        with pytest.raises(error):
            await client.document(REFERENCE).save(folder)
        assert 100 == _slots(client)
        gate.set()

    assert [] == [path.name for path in folder.iterdir()]


async def test_status(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A failing status is the same error as anywhere, with the server's words."""

    async def fail(_: web.Request) -> web.Response:
        return web.json_response({"message": "out of order"}, status=500)

    vendor.routes[MISSPELT] = fail

    with pytest.raises(ServerError, match="out of order") as failed:
        await ready.document(REFERENCE).save(folder)

    assert (3, 100) == (failed.value.attempts, _slots(ready))


async def test_login_for_a_document(billing: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A refused token is renewed for documents, too."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
    await billing.document(REFERENCE).save(folder)
    vendor.refused.add(vendor.tokens[0])

    await billing.document(REFERENCE).save(folder, overwrite=True)

    assert 2 == len(vendor.logins)


async def test_sync(vendor: Any, folder: Path) -> None:
    """The sync client saves, iterates, and can be left in the middle."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")

    def work() -> tuple[Path, bytes, bytes, int]:
        with Billing("t", base_url=vendor.url, max_connections=1, proxy="") as client:
            document = client.document(REFERENCE)
            assert "<BlockingDownload BE00000001.pdf>" == repr(document)
            saved = document.save(folder)
            whole = b"".join(document)
            chunk = next(iter(document))
            # The only connection is free again.
            return saved, whole, chunk, len(b"".join(document))

    saved, whole, chunk, again = await asyncio.to_thread(work)

    assert (folder / "BE00000001.pdf", vendor.pdf, vendor.pdf, len(vendor.pdf)) == (
        saved,
        saved.read_bytes(),
        whole,
        again,
    )
    assert vendor.pdf.startswith(chunk)


async def test_sync_pass_that_outlives_its_client(vendor: Any) -> None:
    """A pass left in the middle ends without a word when its client has gone before it."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")

    def work() -> bytes:
        with Billing("t", base_url=vendor.url, proxy="") as client:
            chunks = iter(client.document(REFERENCE))
            first = next(chunks)
        del chunks
        gc.collect()
        return first

    assert vendor.pdf.startswith(await asyncio.to_thread(work))
