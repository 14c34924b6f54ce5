"""A server whose answers are not those of the documents, for `homebox doctor`."""

import contextlib
import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from typing import Any


class Vendor(http.server.ThreadingHTTPServer):
    """Answers GET with the JSON of a path, {"data": []} by default; notes what it was asked.

    `slow`: seconds by which its clock is behind; `date`: what it tells instead of a time.
    `status`: what it answers everything with.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.headers: dict[str, str] = {}
        self.status = 200
        self.slow = 0.0
        self.date = ""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of those who leave."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Vendor
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/api/partner/")
        self.server.asked.append(path)
        body = json.dumps(self.server.answers.get(path, {"data": []})).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.date or formatdate(time.time() - self.server.slow, usegmt=True)

    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def serving(answers: Mapping[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[Vendor]:
    """Serve from a thread."""
    server = Vendor(answers)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
