"""Documents: streamed, checked, saved whole or not at all."""

import asyncio
import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from homebox_async import (
    AnswerUnusable,
    AttemptTimeout,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    Retry,
    ServerError,
    ValidationError,
)
from homebox_async.billing import AsyncBilling, Billing

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4000 + b"\n%%EOF\n"
REFERENCE = "BE00000001"
MISSPELT, SPELT = f"/BillingDoculment/{REFERENCE}", f"/BillingDocument/{REFERENCE}"


def _slots(client: AsyncBilling) -> int:
    return client._transport._slots._value


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return an empty folder; at the end it holds no half-written file."""
    yield tmp_path
    assert [] == [name for name in _names(tmp_path) if name.endswith(".part")]


def _cut(times: int, *, after: int = 300_000, arrived: asyncio.Event | None = None) -> Any:
    """Return a handler that breaks off so many times and then answers whole.

    `arrived`: set by the test when it has something in hand; only then it breaks off.
    """
    made = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal made
        made += 1
        if made > times:
            return web.Response(body=PDF, content_type="application/pdf")
        answer = web.StreamResponse(headers={"Content-Length": str(len(PDF))})
        if arrived is not None:
            arrived.clear()
        await answer.prepare(request)
        await answer.write(PDF[:after])
        if arrived is not None:
            await arrived.wait()
        assert request.transport is not None
        request.transport.close()
        return answer

    return handle


async def test_save(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A document is saved under its reference in a folder that exists."""
    vendor.route(MISSPELT, PDF, "application/pdf")
    told: list[tuple[int, int | None]] = []

    saved = await ready.document(REFERENCE).save(
        folder, progress=lambda size, total: told.append((size, total))
    )

    assert (folder / "BE00000001.pdf", PDF) == (saved, saved.read_bytes())
    assert ["BE00000001.pdf"] == _names(folder)
    assert (len(PDF), len(PDF)) == told[-1]
    assert sorted(told) == told
    assert vendor.seen[0].headers["Accept"].startswith("application/pdf")
    assert "Bearer ready-token" == vendor.seen[0].headers["Authorization"]
    assert 100 == _slots(ready)


async def test_save_to_a_file(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A path that is no folder is the file itself, made as any other file is."""
    vendor.route(MISSPELT, PDF, "application/pdf")
    (folder / "other").touch()

    saved = await ready.document(REFERENCE).save(str(folder / "bill.pdf"))

    assert (folder / "bill.pdf", PDF) == (saved, saved.read_bytes())
    assert (folder / "other").stat().st_mode == saved.stat().st_mode


async def test_iterate(ready: AsyncBilling, vendor: Any) -> None:
    """The chunks add up to the document, and the connection serves the next one."""
    vendor.route(MISSPELT, PDF, "application/pdf")
    document = ready.document(REFERENCE)

    twice = [b"".join([chunk async for chunk in document]) for _ in range(2)]

    assert [PDF, PDF] == twice
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


async def test_second_spelling(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """Where the documented path is not found, the likely one is tried once and remembered."""
    vendor.route(SPELT, PDF, "application/pdf")
    vendor.route(SPELT[:-1] + "2", PDF, "application/pdf")

    await ready.document(REFERENCE).save(folder)
    await ready.document("BE00000002").save(folder)
    with pytest.raises(NotFound):
        await ready.document("BE00000003").save(folder)

    assert [MISSPELT, SPELT, SPELT[:-1] + "2", SPELT[:-1] + "3"] == vendor.paths


async def test_first_spelling_is_remembered(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """Where the documented path works, a missing document is asked for once only."""
    vendor.route(MISSPELT, PDF, "application/pdf")

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
    assert [] == _names(folder)


async def test_existing_file(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A file that exists is refused before anything is sent, and replaced only on demand."""
    vendor.route(MISSPELT, PDF, "application/pdf")
    target = folder / "BE00000001.pdf"
    target.write_text("mine")

    with pytest.raises(FileExistsError, match="overwrite=True"):
        await ready.document(REFERENCE).save(folder)
    assert ("mine", []) == (target.read_text(), vendor.seen)
    await ready.document(REFERENCE).save(folder, overwrite=True)

    assert PDF == target.read_bytes()


async def test_file_that_appears(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A file that somebody else makes meanwhile is not replaced either."""
    vendor.route(MISSPELT, PDF, "application/pdf")
    target = folder / "bill.pdf"

    with pytest.raises(FileExistsError):
        await ready.document(REFERENCE).save(
            target, progress=lambda *_: target.write_text("theirs") and None
        )

    assert "theirs" == target.read_text()


async def test_no_links(
    ready: AsyncBilling, vendor: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links the file is moved."""
    vendor.route(MISSPELT, PDF, "application/pdf")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    saved = await ready.document(REFERENCE).save(folder)

    assert PDF == saved.read_bytes()


async def test_symbolic_link(ready: AsyncBilling, vendor: Any, tmp_path: Path) -> None:
    """A link is replaced, not followed out of its folder."""
    vendor.route(MISSPELT, PDF, "application/pdf")
    inside, outside = tmp_path / "in", tmp_path / "outside.pdf"
    inside.mkdir()
    outside.write_text("mine")
    (inside / "BE00000001.pdf").symlink_to(outside)

    with pytest.raises(FileExistsError):
        await ready.document(REFERENCE).save(inside)
    saved = await ready.document(REFERENCE).save(inside, overwrite=True)

    assert (False, PDF, "mine") == (saved.is_symlink(), saved.read_bytes(), outside.read_text())


async def test_no_such_folder(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A folder that is not there fails before anything is sent."""
    with pytest.raises(FileNotFoundError):
        await ready.document(REFERENCE).save(folder / "no" / "bill.pdf")

    assert [] == vendor.seen


async def test_broken_off(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A download that breaks off begins again from the first byte; nothing is appended."""
    arrived = asyncio.Event()
    vendor.routes[MISSPELT] = _cut(2, arrived=arrived)
    attempts = set()

    def progress(size: int, total: int | None) -> None:
        attempts.add(len(vendor.seen))
        arrived.set()

    saved = await ready.document(REFERENCE).save(folder, progress=progress)

    assert (PDF, 3) == (saved.read_bytes(), len(vendor.seen))
    assert {1, 2, 3} == attempts


async def test_broken_off_for_good(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A download that never succeeds leaves nothing behind, not even over an older file."""
    vendor.routes[MISSPELT] = _cut(9)
    (folder / "BE00000001.pdf").write_text("old")

    with pytest.raises(ConnectionFailed, match="after a status of 200") as failed:
        await ready.document(REFERENCE).save(folder, overwrite=True)

    assert (3, 100) == (failed.value.attempts, _slots(ready))
    assert ["BE00000001.pdf"] == _names(folder)
    assert "old" == (folder / "BE00000001.pdf").read_text()


async def test_iteration_broken_off(ready: AsyncBilling, vendor: Any) -> None:
    """Once a chunk was handed out, a failure comes out and nothing is sent again."""
    arrived = asyncio.Event()
    vendor.routes[MISSPELT] = _cut(9, arrived=arrived)
    got = b""

    async def take() -> None:
        nonlocal got
        async for chunk in ready.document(REFERENCE):
            got += chunk
            arrived.set()

    with pytest.raises(ConnectionFailed):
        await take()

    assert PDF.startswith(got)
    assert (1, 100) == (len(vendor.seen), _slots(ready))


async def test_iteration_is_tried_again_before_its_first_chunk(
    ready: AsyncBilling, vendor: Any
) -> None:
    """A failure before the first chunk is tried again."""
    vendor.routes[MISSPELT] = _cut(2, after=3)

    got = b"".join([chunk async for chunk in ready.document(REFERENCE)])

    assert (PDF, 3) == (got, len(vendor.seen))


async def test_iteration_left_early(ready: AsyncBilling, vendor: Any) -> None:
    """Who stops early gives the connection back."""
    vendor.route(MISSPELT, PDF, "application/pdf")

    async with contextlib.aclosing(aiter(ready.document(REFERENCE))) as chunks:
        async for _ in chunks:
            break

    assert 100 == _slots(ready)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"<html>please log in</html>", "not a PDF", id="a page"),
        pytest.param(b" %PDF-1.7", "not a PDF", id="something before it"),
        pytest.param(b"%PD", "not a PDF", id="too short"),
        pytest.param(b"", "is empty", id="empty"),
    ],
)
async def test_no_document(
    ready: AsyncBilling, vendor: Any, folder: Path, body: bytes, words: str
) -> None:
    """What does not begin as a PDF is neither saved nor handed out."""
    vendor.route(MISSPELT, body, "application/pdf")

    with pytest.raises(AnswerUnusable, match=words):
        await ready.document(REFERENCE).save(folder)
    with pytest.raises(AnswerUnusable, match=words):
        await anext(aiter(ready.document(REFERENCE)))

    assert ([], 100) == (_names(folder), _slots(ready))


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
async def test_size_cap(vendor: Any, folder: Path, told: bool, packed: bool) -> None:
    """A document larger than `max_body` once unpacked is given up, and nothing is kept."""
    body = b"%PDF-" + b"0" * 2_000_000

    async def large(request: web.Request) -> web.StreamResponse:
        data = gzip.compress(body) if packed else body
        headers = {"Content-Encoding": "gzip"} if packed else {}
        if told:
            return web.Response(body=data, headers=headers)
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(request)
        with contextlib.suppress(ConnectionResetError):
            await answer.write(data)
        return answer

    vendor.routes[MISSPELT] = large
    async with AsyncBilling(
        "t", base_url=vendor.url, max_body=1_000_000, retry=Retry(attempts=1), proxy=""
    ) as client:
        with pytest.raises(AnswerUnusable, match="larger than 1000000 bytes"):
            await client.document(REFERENCE).save(folder)
        assert 100 == _slots(client)

    assert [] == _names(folder)


async def test_unpacked(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A compressed document is saved unpacked; its size is not told in advance."""
    told: list[int | None] = []

    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(PDF), headers={"Content-Encoding": "gzip"})

    vendor.routes[MISSPELT] = packed
    saved = await ready.document(REFERENCE).save(folder, progress=lambda _, n: told.append(n))

    assert (PDF, {None}) == (saved.read_bytes(), set(told))


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
            await answer.write(PDF[:100])
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

    assert [] == _names(folder)


async def test_cancelled(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A cancelled download leaves nothing behind and says what it did."""
    gate, begun = asyncio.Event(), asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(PDF[:1000])
        await gate.wait()
        return answer

    vendor.routes[MISSPELT] = stall
    saving = asyncio.create_task(
        ready.document(REFERENCE).save(folder, progress=lambda *_: begun.set())
    )
    await begun.wait()
    saving.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await saving
    gate.set()

    assert ([], 100) == (_names(folder), _slots(ready))
    assert any("cancelled" in note for note in cancelled.value.__notes__)


async def test_failing_progress(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """An exception of the caller's own comes out as it is, and nothing is left."""
    vendor.route(MISSPELT, PDF, "application/pdf")

    def stop(*_: object) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await ready.document(REFERENCE).save(folder, progress=stop)

    assert ([], 100) == (_names(folder), _slots(ready))


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
    vendor.route(MISSPELT, PDF, "application/pdf")
    await billing.document(REFERENCE).save(folder)
    vendor.refused.add(vendor.tokens[0])

    await billing.document(REFERENCE).save(folder, overwrite=True)

    assert 2 == len(vendor.logins)


async def test_sync(vendor: Any, folder: Path) -> None:
    """The sync client saves, iterates, and can be left in the middle."""
    vendor.route(MISSPELT, PDF, "application/pdf")

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

    assert (folder / "BE00000001.pdf", PDF, PDF, len(PDF)) == (
        saved,
        saved.read_bytes(),
        whole,
        again,
    )
    assert PDF.startswith(chunk)
