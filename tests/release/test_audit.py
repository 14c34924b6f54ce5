"""`.ci/audit` tells clean, vulnerable and "could not run" apart, by a server like OSV's."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import attrs
import pytest

pytestmark = [pytest.mark.release, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
ADVICE = {
    "id": "TEST-1",
    "summary": "an advisory of this test",
    "affected": [
        {
            "package": {"name": "aiohttp", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


@attrs.define
class Advisories:
    """A server on loopback that answers OSV's queries."""

    url: str = ""
    vulnerable: frozenset[str] = frozenset()
    asked: list[str] = attrs.field(factory=list)


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    """Serve what is known of each package: nothing, if the test does not say otherwise."""
    known = Advisories()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            known.asked.append(name)
            body = json.dumps({"vulns": [ADVICE]} if name in known.vulnerable else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}/v1/query"
    Thread(target=server.serve_forever, daemon=True).start()
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed_url() -> str:
    """Return an address that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1/query"


def audit(url: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command against a server; nothing is kept from an earlier run."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [
            *(sys.executable, ROOT / ".ci/audit", "-s", "osv", "--osv-url", url),
            *("--cache-dir", folder / "cache"),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
    )


def test_clean(advisories: Advisories, requirements: Any, tmp_path: Path) -> None:
    """Where nothing is known, every dependency was asked about, at its newest and its oldest."""
    done = audit(advisories.url, tmp_path)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert done.stdout.endswith("clean: no known vulnerabilities\n")
    assert set() == {r.name for r in requirements} - set(advisories.asked)
    assert 2 == advisories.asked.count("aiohttp")


def test_vulnerable(advisories: Advisories, tmp_path: Path) -> None:
    """A known vulnerability is told with the package, and fails the command."""
    advisories.vulnerable = frozenset({"aiohttp"})
    done = audit(advisories.url, tmp_path)

    assert 1 == done.returncode, done.stdout + done.stderr
    assert "VULNERABLE: " in done.stdout
    assert "highest: aiohttp " in done.stdout
    assert "lowest-direct: aiohttp " in done.stdout
    assert ": TEST-1 (fixed in 99.0)\n" in done.stdout


def test_could_not_run(closed_url: str, tmp_path: Path) -> None:
    """Without a service that answers, nothing is called clean."""
    done = audit(closed_url, tmp_path)

    assert 3 == done.returncode
    assert done.stdout.startswith("COULD NOT RUN: highest: pip-audit failed: ")
    assert 1 == len(done.stdout.splitlines())
