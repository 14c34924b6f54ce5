"""uvloop (the extra `speed`) beside asyncio's own loop, over http and over https."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import Effort, Samples, alternate, in_flight
from benchmarks.neutral import neutral
from benchmarks.payloads import PROPERTY
from benchmarks.process import in_process
from benchmarks.report import Figures
from benchmarks.typed_calls import HEADERS, IN_FLIGHT

NAME = "uvloop"
TITLE = "uvloop beside asyncio"


def measure(figures: Figures, effort: Effort) -> None:
    """Measure typed and bare calls on both loops; a process for each scheme."""
    with certificates() as (pem, trusted):
        for scheme, own in (("http", None), ("https", pem)):
            with neutral(pem=own) as url:
                found = in_process(
                    __name__,
                    "case",
                    url=url,
                    trusted=str(trusted) if own else "",
                    rounds=effort.rounds,
                    count=effort.count(3_000, least=40),
                )
            for what, name in (("typed GET", "ours"), ("bare aiohttp", "bare")):
                figures.ratio(
                    f"{what} on uvloop over asyncio, {scheme}",
                    found[f"{name} uvloop"]["cpu"],
                    found[f"{name} asyncio"]["cpu"],
                )


@contextlib.contextmanager
def certificates() -> Iterator[tuple[Path, Path]]:
    """Make a key with its certificate for loopback, and the authority to trust."""
    import trustme

    with tempfile.TemporaryDirectory(prefix="homebox-bench-tls-") as folder:
        authority = trustme.CA()
        pem, trusted = Path(folder) / "server.pem", Path(folder) / "authority.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
        authority.cert_pem.write_to_path(trusted)
        yield pem, trusted


def case(url: str, trusted: str, rounds: int, count: int) -> Samples:
    """Measure both loops in this process, in turn."""
    import os

    import uvloop

    if trusted:
        os.environ["SSL_CERT_FILE"] = trusted
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop,
        "uvloop": uvloop.new_event_loop,
    }
    with contextlib.ExitStack() as stack:
        contestants: dict[str, Callable[[int], object]] = {}
        for name, factory in factories.items():
            runner = stack.enter_context(asyncio.Runner(loop_factory=factory))
            clients = _Clients(url)
            runner.run(clients.open())
            stack.callback(lambda run=runner.run, close=clients.aclose: run(close()))
            for kind, call in (("ours", clients.ours), ("bare", clients.bare)):
                contestants[f"{kind} {name}"] = _on(runner, in_flight(call, IN_FLIGHT))
        return alternate(contestants, rounds=rounds, count=count)


def _on(runner: asyncio.Runner, contest: Callable[[int], Any]) -> Callable[[int], object]:
    return lambda count: runner.run(contest(count))


class _Clients:
    """A typed client and a bare session on one loop."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> None:
        import aiohttp

        from homebox_async import AsyncHomebox

        self._client = AsyncHomebox("bench", base_url=self._url)
        self._session = aiohttp.ClientSession(headers=HEADERS)

    async def ours(self) -> Any:
        return await self._client.properties.get(1)

    async def bare(self) -> bytes:
        async with self._session.get(f"{self._url}{PROPERTY}/1") as answer:
            return await answer.read()

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._session.close()
