"""The neutral server of a comparison: nginx where it is installed, the plain server otherwise.

nginx runs as one worker on the first core, from a configuration in a temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.payloads import NUMBER, routes
from benchmarks.process import server_core
from benchmarks.server import server

_LONGEST = 3500  # bytes of an answer that may stand in the configuration itself
_CONFIG = """
daemon off;
{user}
worker_processes 1;
{affinity}
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    default_type application/json;
    types {{ }}
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024{tls};
        {certificate}
        {locations}
    }}
}}
"""


def name() -> str:
    """Return the name and version of the neutral server."""
    nginx = _nginx()
    if nginx is None:
        return "a plain asyncio server"
    told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return told.strip().rpartition(" ")[2]


@contextlib.contextmanager
def neutral(answers: dict[str, bytes] | None = None, *, pem: Path | None = None) -> Iterator[str]:
    """Run the neutral server while the block runs; gives its URL. See `server` for both."""
    nginx = _nginx()
    if nginx is None:
        with server(answers, pem=pem) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="homebox-bench-nginx-") as folder:
        port = _free_port()
        config = Path(folder) / "nginx.conf"
        config.write_text(_configuration(Path(folder), port, answers or routes(), pem))
        process = subprocess.Popen([nginx, "-p", folder, "-c", config, "-e", "error.log"])
        try:
            _await(port, process)
            yield f"{'http' if pem is None else 'https'}://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _configuration(folder: Path, port: int, answers: dict[str, bytes], pem: Path | None) -> str:
    paths: dict[str, dict[str, bytes]] = {}
    for line, body in answers.items():
        method, path = line.split(" ", 1)
        paths.setdefault(path, {})[method] = body
    core = server_core()
    return _CONFIG.format(
        folder=folder,
        port=port,
        user="user root;" if os.geteuid() == 0 else "",
        affinity="" if core is None else f"worker_cpu_affinity {1 << core:b};",
        tls="" if pem is None else " ssl",
        certificate="" if pem is None else f"ssl_certificate {pem}; ssl_certificate_key {pem};",
        locations="\n".join(
            _location(folder, path, methods) for path, methods in sorted(paths.items())
        ),
    )


def _location(folder: Path, path: str, methods: dict[str, bytes]) -> str:
    parts = []
    for method, body in sorted(methods.items(), reverse=True):  # POST first
        if len(body) > _LONGEST:
            assert method == "GET", "nginx sends a file for GET only"
            file = folder / f"{len(list(folder.iterdir()))}.json"
            file.write_bytes(body)
            parts.append(f"alias {file};")
            continue
        assert b"'" not in body
        assert b"$" not in body
        # Digits that no other answer of this run has: a request's number never starts with 0.
        text = body.replace(NUMBER, b"${connection}000$connection_requests").decode()
        answer = f"return 200 '{text}';"
        parts.append(
            f"if ($request_method = {method}) {{ {answer} }}" if method != "GET" else answer
        )
    return f"location = {path} {{ {' '.join(parts)} }}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")
