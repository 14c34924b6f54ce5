"""What may change between two runs of one journal, and what is refused with what to do."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, HomeboxError
from homebox_async.emulator import Emulator, Fault
from homebox_async.importer import JournalError, Report, import_properties

CREATE = ("POST", "/api/partner/property")
CHANGED = (
    "the input, or how it is read, changed since this journal was written; to start a new import"
)


def lines(path: Path) -> list[str]:
    """Return the lines of the input."""
    return path.read_text().splitlines()


def write(path: Path, changed: list[str]) -> None:
    """Write the lines of the input."""
    path.write_text("\n".join([*changed, ""]))


def _append(path: Path) -> None:
    write(path, [*lines(path), "99 New Road,Leeds,LS9 9AA,N-99"])


def _drop(path: Path) -> None:
    write(path, lines(path)[:-1])


def _reorder(path: Path) -> None:
    header, *rows = lines(path)
    write(path, [header, *reversed(rows)])


def _space(path: Path) -> None:
    path.write_text(path.read_text().replace("5 High Street,", "5 High Street ,"))


def _line_end(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _blank_line(path: Path) -> None:
    write(path, [*lines(path), ""])


def _reference(path: Path) -> None:
    path.write_text(path.read_text().replace("R5\n", "R5x\n"))


def _column(path: Path) -> None:
    path.write_text(path.read_text().replace("line1,", "Line 1,", 1))


EDITS: list[Callable[[Path], None]] = [
    *(_append, _drop, _reorder, _space, _line_end, _blank_line, _reference, _column)
]
OPTIONS: dict[str, dict[str, Any]] = {
    "mapping": {"mapping": {"line2": "city"}},
    "template": {"mapping": {"line1": "{line1} {city}"}},
    "no-reference": {"mapping": {"property_reference": ""}, "generate_references": True},
}


class Bench:
    """An emulator and an input of 20 rows."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.emulator = emulator
        self.path = folder / "in.csv"
        rows = [f"{n} High Street,Leeds,LS{n} 1AA,R{n}" for n in range(1, 21)]
        write(self.path, ["line1,city,postcode,ref", *rows])

    @property
    def homes(self) -> list[str]:
        """The first lines of what is there."""
        return sorted(home.line1 for home in self.emulator.store.properties)

    async def run(self, **options: Any) -> Report:
        """Import the input."""
        emulator = self.emulator
        async with AsyncHomebox(emulator.token, base_url=emulator.url) as client:
            options = {"results": self.folder, "settle": 0.05, "concurrency": 2, **options}
            return await import_properties(client, self.path, **options)

    async def interrupted(self) -> Report:
        """Import a part of the input: the server takes the token back."""
        self.emulator.script(*CREATE, [None] * 8 + [Fault("status", 401)] * 20)
        report = await self.run()
        self.emulator._scripts.clear()
        assert report.created
        assert report.pending
        return report


@pytest.fixture
async def bench(tmp_path: Path) -> Any:
    """Return a bench with a running emulator."""
    async with Emulator() as emulator:
        yield Bench(tmp_path, emulator)


async def _refused(bench: Bench, **options: Any) -> None:
    """Make sure that a run is refused and sends nothing, and that the first import can go on."""
    before = bench.homes
    with pytest.raises(JournalError, match=CHANGED) as caught:
        await bench.run(**options)
    assert "use another --journal" in str(caught.value)
    assert before == bench.homes


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__[1:])
async def test_edited(edit: Callable[[Path], None], bench: Bench) -> None:
    """An input edited after something was sent is refused; restored, its import goes on."""
    original = bench.path.read_bytes()
    await bench.interrupted()
    edit(bench.path)
    await _refused(bench)
    bench.path.write_bytes(original)
    assert (await bench.run()).done
    assert sorted(f"{n} High Street" for n in range(1, 21)) == bench.homes


@pytest.mark.parametrize("edit", [_append, _reorder, _space, _line_end], ids=lambda e: e.__name__)
async def test_edited_with_another_journal(edit: Callable[[Path], None], bench: Bench) -> None:
    """As the refusal says: with another journal, what is there is adopted, and the rest sent."""
    first = await bench.interrupted()
    edit(bench.path)
    report = await bench.run(journal=bench.folder / "other.journal")
    assert report.done
    assert first.created == report.adopted
    assert len(set(bench.homes)) == len(bench.homes) == report.rows


@pytest.mark.parametrize("name", OPTIONS)
async def test_read_in_another_way(name: str, bench: Bench) -> None:
    """Another mapping makes other rows of the same file: it is refused as an edit is."""
    await bench.interrupted()
    await _refused(bench, **OPTIONS[name])
    assert (await bench.run()).done


async def test_harmless_options(bench: Bench) -> None:
    """Options that change nothing of the rows may change between runs."""
    await bench.interrupted()
    report = await bench.run(concurrency=7, settle=0.1, adopt_existing=False, encoding="utf-8")
    assert report.done
    assert 20 == len(bench.homes)


async def test_renamed(bench: Bench) -> None:
    """The input may get another name and place: its content counts."""
    await bench.interrupted()
    bench.path = bench.path.rename(bench.folder / "renamed.csv")
    report = await bench.run(journal=bench.folder / "in.journal")
    assert report.done
    assert 20 == len(bench.homes)


async def test_another_account(bench: Bench) -> None:
    """A journal is of one account: another server's state is refused, and the first goes on."""
    await bench.interrupted()
    async with Emulator() as other:
        first, bench.emulator = bench.emulator, other
        with pytest.raises(JournalError, match="into another account or server; use that one's"):
            await bench.run()
        assert [] == bench.homes
    bench.emulator = first
    assert (await bench.run()).done
    assert 20 == len(bench.homes)


@pytest.mark.parametrize("seed", range(6))
async def test_garbage(seed: int, bench: Bench) -> None:
    """A journal with garbage in it is refused in one line; whatever happens, none is sent twice.

    SQLite has no checksums of its pages: what garbage makes of a row can be a valid row.
    """
    await bench.interrupted()
    chance = random.Random(seed)
    journal = bench.folder / "in.journal"
    content = bytearray(journal.read_bytes())
    start, size = chance.randrange(len(content)), chance.choice([1, 16, 300, 5000])
    content[start : start + size] = chance.randbytes(min(size, len(content) - start))
    journal.write_bytes(content)
    told = "in."
    try:
        await bench.run()
    except HomeboxError as error:
        told = str(error)
    assert "in." in told
    assert "\n" not in told
    assert len(set(bench.homes)) == len(bench.homes)
