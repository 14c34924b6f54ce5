"""Documents that are cut off, or named by the server: saved whole under our name, or not at all."""

import gzip
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AnswerUnusable, Billing, ConnectionFailed, Retry, ValidationError
from homebox_async.billing import AsyncBilling

ONCE = Retry(attempts=1)
REFERENCE = "BE00000001"
PDF = b"%PDF-1.7\n" + b"x" * 5000 + b"\n%%EOF\n"
CUT = PDF[:3000]
OPEN = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def whole(body: bytes, headers: bytes = b"") -> bytes:
    """Return an answer whose length is right."""
    return b"HTTP/1.1 200 OK\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def play(server: Any, answer: bytes) -> None:
    """Answer some bytes and close."""

    async def act(wire: Any, _: Any) -> None:
        await wire.write(answer)
        wire.writer.close()

    server.default = act


def client(server: Any) -> AsyncBilling:
    """Return a client of the server that tries once."""
    return AsyncBilling("t", base_url=server.url, retry=ONCE, proxy="")


PACKED = b"Content-Encoding: gzip\r\n"
CASES = {
    "whole, with a length": (whole(PDF), None),
    "whole, in chunks": (CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(PDF), PDF), None),
    "whole, up to the close": (OPEN + PDF, None),
    "whole, more behind its end": (OPEN + PDF + b"\0" * 500, None),
    "whole, packed": (whole(gzip.compress(PDF), PACKED), None),
    "no end, but the length is right": (whole(CUT), None),
    "cut before its length": (whole(PDF)[:-2000], ConnectionFailed),
    "cut between chunks": (CHUNKED + b"%x\r\n%s\r\n" % (len(PDF), PDF), ConnectionFailed),
    "cut within a chunk": (CHUNKED + b"%x\r\n%s" % (len(PDF), CUT), ConnectionFailed),
    "cut, up to the close": (OPEN + CUT, AnswerUnusable),
    "cut after its head": (OPEN + PDF[:9], AnswerUnusable),
    "an end far from the end": (OPEN + PDF + b"x" * 3000, AnswerUnusable),
    "packed, cut before it was framed": (whole(gzip.compress(PDF)[:40], PACKED), AnswerUnusable),
    "no document": (OPEN + b"<html>%PDF-</html>", AnswerUnusable),
}


@pytest.mark.parametrize("case", CASES)
async def test_cut(server: Any, tmp_path: Path, case: str) -> None:
    """A document that may be cut off is neither saved nor iterated to a quiet end."""
    answer, expected = CASES[case]
    play(server, answer)
    async with client(server) as billing:
        document = billing.document(REFERENCE)
        if expected is None:
            saved = (await document.save(tmp_path)).read_bytes()
            assert saved == b"".join([chunk async for chunk in document])
            assert saved.startswith(CUT)
            return
        with pytest.raises(expected):
            await document.save(tmp_path)
        with pytest.raises(expected):
            async for _ in document:
                pass
    assert [] == list(tmp_path.iterdir())


def test_cut_sync(tmp_path: Path) -> None:
    """The sync client says so as well."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(OPEN + CUT)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener, Billing("t", base_url=f"http://127.0.0.1:{port}", retry=ONCE) as billing:
        with pytest.raises(AnswerUnusable, match="is cut off: it does not end as a PDF does"):
            billing.document(REFERENCE).save(tmp_path)
        thread.join()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        'filename="../../evil.pdf"',
        "filename=/etc/cron.d/evil",
        "filename*=UTF-8''..%2f..%2fevil",
        'filename="C:\\\\evil.pdf"',
        'filename="CON"',
        'filename=".bashrc"',
        "filename=" + "a" * 5000,
        'filename="a\\u202efdp.exe"',
    ],
)
async def test_names_of_the_server(server: Any, tmp_path: Path, name: str) -> None:
    """The server never names the file."""
    play(server, whole(PDF, f"Content-Disposition: attachment; {name}\r\n".encode()))
    folder = tmp_path / "in"
    folder.mkdir()
    async with client(server) as billing:
        assert folder / "BE00000001.pdf" == await billing.document(REFERENCE).save(folder)
    assert [folder] == list(tmp_path.iterdir())
    assert ["BE00000001.pdf"] == [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(
    "reference",
    [
        *("../BE00000001", "BE00000001/../../x", "BE00000001\n", "BE00000001\0", "be00000001"),
        *("BE0000000\u0661", "BE00000001.pdf", "CON", "", "BE000000011", " BE00000001"),
    ],
    ids=ascii,
)
async def test_references(server: Any, reference: str) -> None:
    """A reference that could name another file is refused before anything is sent."""
    async with client(server) as billing:
        with pytest.raises(ValidationError):
            billing.document(reference)
    assert [] == server.seen


@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "device"])
async def test_targets_that_are_no_files(server: Any, tmp_path: Path, kind: str) -> None:
    """`overwrite` replaces files and links, and never a device or a pipe."""
    play(server, whole(PDF))
    target = tmp_path / "target"
    if kind == "fifo":
        os.mkfifo(target)
    elif kind == "folder":
        (target / "BE00000001.pdf").mkdir(parents=True)
    elif kind == "device":
        target = Path("/dev/null")
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(target))
    before = target.lstat()
    async with client(server) as billing:
        with pytest.raises(FileExistsError, match="give the path of a file"):
            await billing.document(REFERENCE).save(target, overwrite=True)
    assert (before.st_mode, before.st_ino) == (target.lstat().st_mode, target.lstat().st_ino)
    assert [] == server.seen
