"""docs/how-to/imports.md: the commands that need a folder of photos."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from homebox_async.bridge import Bridge
from homebox_async.cli.root import homebox
from homebox_async.emulator import Address, Emulator

PAGE = (Path(__file__).parents[2] / "docs/how-to/imports.md").read_text()
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + b"\0" * 600


def block(mark: str) -> str:
    """Return the one block of the page with a mark."""
    [code] = re.findall(f"<!-- {mark} -->\n```\\w+\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Run an emulator with two homes in a thread, and point the environment at it."""
    bridge, emulator = Bridge(), Emulator()
    bridge.run(emulator.start)
    for number in (1, 2):
        home = Address(f"{number} Test Lane", None, "London", None, "EC1V 2NX", None)
        emulator.store.add_property(home, f"T-{number}")
    monkeypatch.setenv("HOMEBOX_BASE_URL", emulator.url)
    monkeypatch.setenv("HOMEBOX_TOKEN", emulator.token)
    yield emulator
    bridge.worker.close(emulator.aclose)


def test_readings(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The readings of the page go in with their photos."""
    monkeypatch.chdir(tmp_path)
    Path("readings.csv").write_text(block("file: readings.csv"))
    Path("photos").mkdir()
    (tmp_path / "photos" / "1-gas-2026-11-20.jpg").write_bytes(JPEG)
    for line in block("snippet: readings").splitlines():
        result = CliRunner().invoke(homebox, shlex.split(line)[1:])
        assert 0 == result.exit_code, result.output
    assert {(1, "Gas")} == {
        (row.property_id, row.type) for row in emulator.store.readings if row.source
    }


def test_what_a_dry_run_of_leads_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page shows what the command says."""
    monkeypatch.chdir(tmp_path)
    Path("tenancies.csv").write_text(block("file: tenancies.csv"))
    result = CliRunner().invoke(homebox, ["import", "leads", "tenancies.csv", "--dry-run"])
    assert f"```text\n{result.stdout}```" in PAGE
