"""What the tests of whole imports share: an emulator, clients of it, and inputs."""

import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, Retry
from homebox_async.emulator import Emulator
from homebox_async.importer import Import, Report, engine, import_properties, patience
from homebox_async.importer.journal import Journal

from .journals import FACTS, planned

CREATE = ("POST", "/api/partner/property")
LIST = ("GET", "/api/partner/property")
HEADER = "line1,city,postcode,ref"


class Bench:
    """An emulator, and imports into it; `settle` is short and retries do not wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "portfolio.csv"
        self.emulator: Emulator
        self.clients: list[AsyncHomebox] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    async def serve(self, **options: Any) -> Emulator:
        """Start the emulator, on a port that it keeps over restarts."""
        self.emulator = Emulator(port=self.port, **options)
        return await self.emulator.start()

    def write(self, count: int = 0, lines: Iterable[str] = (), header: str = HEADER) -> Path:
        """Write an input of so many rows, and of the lines."""
        made = [f"{n} High Street,Leeds,LS{n % 90 + 1} {n % 9}AA,R{n}" for n in range(1, count + 1)]
        self.path.write_text("\n".join([header, *made, *lines, ""]))
        return self.path

    def client(self, **options: Any) -> AsyncHomebox:
        """Return a client of the emulator, closed in the end."""
        options = {"retry": Retry(backoff=0.0), "base_url": self.emulator.url, **options}
        client = AsyncHomebox(options.pop("token", self.emulator.token), **options)
        self.clients.append(client)
        return client

    def start(
        self, source: Any = None, client: AsyncHomebox | None = None, **options: Any
    ) -> Import:
        """Return a run of the input, not started yet."""
        options = {"settle": 0.05, "results": self.folder, "patience": 3.0, **options}
        return import_properties(
            client or self.client(), self.path if source is None else source, **options
        )

    async def report(self, *args: Any, **options: Any) -> Report:
        """Run an import to its end."""
        return await self.start(*args, **options)

    def script(self, *faults: Any, on: tuple[str, str] = CREATE) -> None:
        """Let the next requests have these faults; None is no fault."""
        self.emulator.script(*on, faults)

    @property
    def references(self) -> Counter[str | None]:
        """How many properties the emulator has of each reference."""
        return Counter(home.reference for home in self.emulator.store.properties)

    @property
    def posts(self) -> int:
        """How many requests to create a property came in."""
        return self.emulator.counts.requests["POST /api/partner/property"]

    def expected(self, count: int) -> Counter[str | None]:
        """Return what `references` is when each row is there once."""
        return Counter(f"R{n}" for n in range(1, count + 1))


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Return a bench with a running emulator, where the engine's own pauses are short."""
    monkeypatch.setattr(patience, "_PAUSE", 0.001)
    monkeypatch.setattr(patience, "_LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(engine, "_PATIENT", Retry(attempts=8, backoff=0.0))
    bench = Bench(tmp_path)
    await bench.serve()
    yield bench
    for client in bench.clients:
        await client.aclose()
    await bench.emulator.aclose()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file into a fresh folder."""

    def write(content: str | bytes, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Return a journal of ten rows."""
    async with await Journal.open(tmp_path / "j", **FACTS) as journal:
        await journal.plan(planned(journal, 10))
        yield journal
