"""A program that calls every operation and refuses imports from the first byte of a request on.

`python late_imports.py async|sync refuse|exhaust`: with `exhaust` there are no file descriptors
either from then on. It prints what was wrong, as JSON.
"""

import asyncio
import contextlib
import gzip
import json
import logging
import mmap
import os
import re
import resource
import signal
import socket
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from homebox_async import (
    AsyncBilling,
    AsyncHomebox,
    Billing,
    Homebox,
    HomeboxError,
    OutcomeUnknown,
    Retry,
)
from homebox_async.exchange import ProbedRequest

sys.path.insert(0, str(Path(__file__).parents[1] / "operations"))
from cases import CASES  # type: ignore[import-not-found]

JSON, HTML = "application/json", "text/html; charset=iso-8859-15"
ODD = {
    "id": "seven",
    "data": {"id": [], "status": 5, "created_at": "soon", "name": {}},
    "property_id": "x",
    "amount": "much",
    "meta": {"last_page": "x"},
    "tenants": "none",
}
ANSWERS: dict[str, tuple[int, str, bytes, str]] = {
    "html 500": (500, HTML, b"<html>\xa4</html>", ""),
    "json 422": (422, JSON, b'{"message": "no", "errors": {"a": ["b"]}}', ""),
    "utf-16 422": (422, JSON, '{"message": "no"}'.encode("utf-16"), ""),
    "utf-32 400": (400, JSON, '{"message": "no"}'.encode("utf-32-be"), ""),
    "429": (429, JSON, b"{}", "Retry-After: 0\r\n"),
    "503": (503, JSON, b"{}", "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
    "302": (302, HTML, b"", "Location: https://xn--bcher-kva.example/\u00e4\r\n"),
    "odd": (200, JSON, json.dumps(ODD).encode(), ""),
    "odd list": (200, JSON, json.dumps({"data": [ODD, ODD]}).encode(), ""),
    "latin": (200, "application/json; charset=iso-8859-1", b'{"data": {"name": "\xe4"}}', ""),
    "koi8": (200, "application/json; charset=koi8-r", b'{"data": {"name": "\xe4"}}', ""),
    "utf-16": (200, "application/json; charset=utf-16", '{"data": {}}'.encode("utf-16"), ""),
    "garbage": (200, JSON, b'{"data": <<', ""),
    "gzip": (200, JSON, gzip.compress(b'{"data": {"id": 7}}'), "Content-Encoding: gzip\r\n"),
    "no gzip": (200, JSON, b'{"data": {"id": 7}}', "Content-Encoding: gzip\r\n"),
    "brotli": (200, JSON, b"\x8b\x03\x80{}\x03", "Content-Encoding: br\r\n"),
    "pdf": (200, "application/pdf", b"%PDF-1.7\n%%EOF", ""),
    "cut": (200, JSON, b"", "cut"),
    "drop": (0, "", b"", ""),
}

# Answers that leave a write unknown.
OPEN = {"html 500", "503", "garbage", "no gzip", "brotli", "cut", "drop"}

armed = False
refused: set[str] = set()
held: list[int] = []
mode = mmap.mmap(-1, 1)  # which of the answers, for the server's process


class Refuse:
    """A finder that finds nothing once a request is on its way."""

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse the import, and note it."""
        if armed:
            refused.add(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def arm() -> None:
    """Refuse from now on."""
    global armed
    armed = True
    if "exhaust" in sys.argv:
        top = os.dup(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (top + 1, HARD))
        held.append(top)
        with contextlib.suppress(OSError):
            while True:
                held.append(os.dup(0))


def disarm() -> None:
    """Let imports and files be as before."""
    global armed
    armed = False
    while held:
        os.close(held.pop())
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, HARD))


SOFT, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
send = ProbedRequest.send


async def sending(self: Any, connection: Any) -> Any:
    """Arm the trap just before the first byte."""
    arm()
    return await send(self, connection)


def serve(listener: socket.socket) -> None:
    """Answer each request on a connection of its own as the mode says."""
    while True:
        link, _ = listener.accept()
        with link:
            got = b""
            while True:
                head, end, body = got.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                whole = b"chunked" not in head.lower() or body.endswith(b"0\r\n\r\n")
                if end and whole and len(body) >= (int(length[1]) if length else 0):
                    break
                more = link.recv(1 << 16)
                if not more:
                    break
                got += more
            if b"/authenticate" in got:
                status, kind, content, more_head = 200, "text/plain", b"a.b.c", ""
            else:
                status, kind, content, more_head = [*ANSWERS.values()][mode[0]]
            if not status:
                continue
            size = len(content)
            if more_head == "cut":
                size, more_head = 99, ""
            answer = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n"
            answer += f"{more_head}Content-Length: {size}\r\n\r\n"
            link.sendall(answer.encode() + content)


def options(name: str, url: str) -> dict[str, Any]:
    """Return the options of the client for an operation."""
    retry = Retry(attempts=2, backoff=0)
    if name.startswith("billing."):
        login = {"username": "u", "password": "p", "administrator_ids": [1], "login_url": url}
        return {**login, "base_url": url, "retry": retry}
    return {"token": "t", "base_url": url, "retry": retry}


async def call_async(name: str, url: str) -> None:
    """Call an operation of the async client."""
    kind: Any = AsyncBilling if name.startswith("billing.") else AsyncHomebox
    async with kind(**options(name, url)) as client:
        await CASES[name].call(client)


def call_sync(name: str, url: str) -> None:
    """Call an operation of the sync client."""
    kind: Any = Billing if name.startswith("billing.") else Homebox
    with kind(**options(name, url)) as client:
        CASES[name].call(client)


def main() -> None:
    """Call every operation with every answer."""
    warnings.simplefilter("ignore")
    logging.disable()
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = os.fork()
    if not server:
        serve(listener)
    ProbedRequest.send = sending  # type: ignore[method-assign]
    sys.meta_path.insert(0, Refuse())  # type: ignore[arg-type]
    wrong: list[str] = []
    calls = 0
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        os.chdir(folder)
        for mode[0], said in enumerate(ANSWERS):
            for name in CASES:
                calls += 1
                try:
                    if "async" in sys.argv:
                        runner.run(call_async(name, url))
                    else:
                        call_sync(name, url)
                    if said in OPEN and CASES[name].method in {"POST", "PATCH"}:
                        wrong.append(f"{name}, {said}: a result")
                except HomeboxError as error:
                    write = CASES[name].method in {"POST", "PATCH"}
                    if said in OPEN and write is not isinstance(error, OutcomeUnknown):
                        wrong.append(f"{name}, {said}: {error!r}")
                except BaseException as error:
                    wrong.append(f"{name}, {said}: {error!r}")
                finally:
                    disarm()
                    for saved in Path().iterdir():
                        saved.unlink()
    os.kill(server, signal.SIGKILL)
    print(json.dumps({"calls": calls, "refused": sorted(refused), "wrong": wrong}))


if __name__ == "__main__":
    main()
