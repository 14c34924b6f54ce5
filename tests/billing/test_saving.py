"""Documents on the disk: whole or not at all, and nowhere else."""

import asyncio
import contextlib
import gzip
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from homebox_async import (
    AnswerUnusable,
    ConnectionFailed,
    Retry,
)
from homebox_async.billing import AsyncBilling

REFERENCE = "BE00000001"
MISSPELT, SPELT = f"/BillingDoculment/{REFERENCE}", f"/BillingDocument/{REFERENCE}"


def _slots(client: AsyncBilling) -> int:
    return client._transport._slots._value


async def test_save(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A document is saved under its reference in a folder that exists."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
    told: list[tuple[int, int | None]] = []

    saved = await ready.document(REFERENCE).save(
        folder, progress=lambda size, total: told.append((size, total))
    )

    assert (folder / "BE00000001.pdf", vendor.pdf) == (saved, saved.read_bytes())
    assert ["BE00000001.pdf"] == [path.name for path in folder.iterdir()]
    assert (len(vendor.pdf), len(vendor.pdf)) == told[-1]
    assert sorted(told) == told
    assert vendor.seen[0].headers["Accept"].startswith("application/pdf")
    assert "Bearer ready-token" == vendor.seen[0].headers["Authorization"]
    assert 100 == _slots(ready)


async def test_save_to_a_file(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A path that is no folder is the file itself, made as any other file is."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
    (folder / "other").touch()

    saved = await ready.document(REFERENCE).save(str(folder / "bill.pdf"))

    assert (folder / "bill.pdf", vendor.pdf) == (saved, saved.read_bytes())
    assert (folder / "other").stat().st_mode == saved.stat().st_mode


async def test_existing_file(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A file that exists is refused before anything is sent, and replaced only on demand."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
    target = folder / "BE00000001.pdf"
    target.write_text("mine")

    with pytest.raises(FileExistsError, match="overwrite=True"):
        await ready.document(REFERENCE).save(folder)
    assert ("mine", []) == (target.read_text(), vendor.seen)
    await ready.document(REFERENCE).save(folder, overwrite=True)

    assert vendor.pdf == target.read_bytes()


async def test_file_that_appears(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A file that somebody else makes meanwhile is not replaced either."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
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
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    saved = await ready.document(REFERENCE).save(folder)

    assert vendor.pdf == saved.read_bytes()


async def test_symbolic_link(ready: AsyncBilling, vendor: Any, tmp_path: Path) -> None:
    """A link is neither followed out of its folder nor replaced."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")
    inside, outside = tmp_path / "in", tmp_path / "outside.pdf"
    inside.mkdir()
    outside.write_text("mine")
    (inside / "BE00000001.pdf").symlink_to(outside)

    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="is a symbolic link"):
            await ready.document(REFERENCE).save(inside, overwrite=overwrite)
    assert "mine" == outside.read_text()


async def test_no_such_folder(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A folder that is not there fails before anything is sent."""
    with pytest.raises(FileNotFoundError):
        await ready.document(REFERENCE).save(folder / "no" / "bill.pdf")

    assert [] == vendor.seen


async def test_broken_off(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A download that breaks off begins again from the first byte; nothing is appended."""
    arrived = asyncio.Event()
    vendor.routes[MISSPELT] = vendor.cut(2, arrived=arrived)
    attempts = set()

    def progress(size: int, total: int | None) -> None:
        attempts.add(len(vendor.seen))
        arrived.set()

    saved = await ready.document(REFERENCE).save(folder, progress=progress)

    assert (vendor.pdf, 3) == (saved.read_bytes(), len(vendor.seen))
    assert {1, 2, 3} == attempts


async def test_broken_off_for_good(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A download that never succeeds leaves nothing behind, not even over an older file."""
    vendor.routes[MISSPELT] = vendor.cut(9)
    (folder / "BE00000001.pdf").write_text("old")

    with pytest.raises(ConnectionFailed, match="after a status of 200") as failed:
        await ready.document(REFERENCE).save(folder, overwrite=True)

    assert (3, 100) == (failed.value.attempts, _slots(ready))
    assert ["BE00000001.pdf"] == [path.name for path in folder.iterdir()]
    assert "old" == (folder / "BE00000001.pdf").read_text()


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

    assert ([], 100) == ([path.name for path in folder.iterdir()], _slots(ready))


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
async def test_size_cap(vendor: Any, folder: Path, told: bool, packed: bool) -> None:
    """A document larger than `max_document` once unpacked is given up, and nothing is kept."""
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
        "t", base_url=vendor.url, max_document=1_000_000, retry=Retry(attempts=1), proxy=""
    ) as client:
        with pytest.raises(AnswerUnusable, match="larger than 1000000 bytes"):
            await client.document(REFERENCE).save(folder)
        assert 100 == _slots(client)

    assert [] == [path.name for path in folder.iterdir()]


async def test_unpacked(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A compressed document is saved unpacked; its size is not told in advance."""
    told: list[int | None] = []

    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(vendor.pdf), headers={"Content-Encoding": "gzip"})

    vendor.routes[MISSPELT] = packed
    saved = await ready.document(REFERENCE).save(folder, progress=lambda _, n: told.append(n))

    assert (vendor.pdf, {None}) == (saved.read_bytes(), set(told))


async def test_cancelled(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """A cancelled download leaves nothing behind and says what it did."""
    gate, begun = asyncio.Event(), asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(vendor.pdf[:1000])
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

    assert ([], 100) == ([path.name for path in folder.iterdir()], _slots(ready))
    assert any("cancelled" in note for note in cancelled.value.__notes__)


async def test_failing_progress(ready: AsyncBilling, vendor: Any, folder: Path) -> None:
    """An exception of the caller's own comes out as it is, and nothing is left."""
    vendor.route(MISSPELT, vendor.pdf, "application/pdf")

    def stop(*_: object) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await ready.document(REFERENCE).save(folder, progress=stop)

    assert ([], 100) == ([path.name for path in folder.iterdir()], _slots(ready))
