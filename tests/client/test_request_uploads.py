"""Files in requests: sent whole, sent again whole, or refused."""

import datetime as dt
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, OutcomeUnknown, Upload, ValidationError

from .examples import parts

CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400


def as_bytes(_: Path) -> Any:
    """Give the content."""
    return CONTENT


def as_path(folder: Path) -> Any:
    """Give a file's path."""
    path = folder / "meter.png"
    path.write_bytes(CONTENT)
    return path


def as_file(folder: Path) -> Any:
    """Give an open file that stands after a header."""
    path = folder / "meter.bin"
    path.write_bytes(b"skip" + CONTENT)
    file = path.open("rb")
    file.seek(4)
    return file


def as_memory(_: Path) -> Any:
    """Give a file in memory."""
    return io.BytesIO(CONTENT)


def as_upload(folder: Path) -> Any:
    """Give an upload with its own name and type."""
    return Upload(as_path(folder), 'my "meter".png', "image/x-own")


@pytest.mark.parametrize("make", [as_bytes, as_path, as_file, as_memory, as_upload])
async def test_uploads_are_sent_again_whole(
    server: Any, client: AsyncHomebox, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    """A file is sent whole with each attempt and stays open."""
    image = make(tmp_path)
    busy = server.say(429, b"", [("Retry-After", "0")])
    server.acts = [busy, busy, server.say(201, b'{"id": 1}')]
    await client.readings.create_for_order(
        1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=image
    )
    assert [CONTENT] * 3 == [parts(seen)["image"][2] for seen in server.seen]
    kind = "image/x-own" if make is as_upload else "image/png"
    assert kind == parts(server.seen[0])["image"][1]
    if hasattr(image, "close"):
        assert not image.closed
        image.close()


async def test_a_file_that_vanishes(server: Any, connect: Any, tmp_path: Path) -> None:
    """A file that is gone when it is to be sent is the caller's problem and was not sent."""
    path = as_path(tmp_path)

    async def remove(request: Any, handler: Any) -> Any:
        path.unlink(missing_ok=True)
        return await handler(request)

    client = connect(middlewares=[remove])
    with pytest.raises(ValidationError, match="cannot be read any more"):
        await client.readings.create_for_order(
            1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=path
        )
    assert [] == server.seen


async def test_a_file_that_breaks(server: Any, client: AsyncHomebox) -> None:
    """A file that fails while it is sent leaves the outcome open."""

    class Broken(io.BytesIO):
        looked_at = False  # to tell its type, before anything is sent

        def read(self, size: int | None = -1) -> bytes:
            if self.looked_at:
                raise OSError("disk")
            self.looked_at = True
            return super().read(size)

    with pytest.raises(OutcomeUnknown):
        await client.readings.create_for_order(
            1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=Broken(CONTENT)
        )


def pipe() -> Any:
    """Return the reading end of a pipe."""
    read, write = os.pipe()
    os.close(write)
    return os.fdopen(read, "rb")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _: "meter.png", "is str"),
        (lambda _: None, "is NoneType"),
        (lambda folder: folder / "none.png", "is not a file"),
        (lambda folder: Upload(folder / "none.png"), "is not a file"),
        (lambda _: io.StringIO("x"), "is open as text"),
        (lambda _: pipe(), "cannot be read more than once"),
        (lambda _: b"text", "is not an image"),
        (lambda _: Upload(b"", "a\r\nb"), "has a control character in its filename or type"),
        (lambda _: Upload(b"", "a", "b\n"), "has a control character in its filename or type"),
    ],
    ids=[
        "text",
        "None",
        "no file",
        "upload of no file",
        "text file",
        "pipe",
        "no image",
        "filename",
        "type",
    ],
)
async def test_unusable_uploads(
    client: AsyncHomebox, tmp_path: Path, make: Callable[[Path], Any], problem: str
) -> None:
    """What cannot be sent, or not twice, is refused at once."""
    image = make(tmp_path)
    with pytest.raises(ValidationError) as caught:
        await client.readings.create_for_order(
            1, type="gas", reading=2, date_of_reading=dt.date(2021, 6, 20), image=image
        )
    assert [("image", problem)] == [(p.field, p.problem) for p in caught.value.problems]
    if hasattr(image, "close"):
        image.close()
