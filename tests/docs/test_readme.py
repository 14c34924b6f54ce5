"""The README's commands work on a bare machine; its other blocks are run by test_blocks.py."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import ROOT, blocks_of


def _command(name: str) -> str:
    blocks = blocks_of(ROOT / "README.md")
    [code] = [block.code for block in blocks if (block.use, block.name) == ("command", name)]
    return code.strip()


def test_main_command(folder: Path) -> None:
    """The first command imports the sample; a second run of it sends nothing."""
    last = shlex.split(_command("main").split("&&")[-1])
    homebox = Path(sys.executable).with_name("homebox")
    assert ".venv/bin/homebox" == last[0]

    first, second = (
        subprocess.run([homebox, *last[1:]], capture_output=True, text=True, timeout=50)
        for _ in range(2)
    )

    assert [0, 0] == [first.returncode, second.returncode], (first, second)
    assert 1001 == len((folder / "land-registry-sample.created.csv").read_text().splitlines())
    assert ", 0.0 requests a second" in second.stdout


@pytest.mark.parametrize("name", ["main", "test"])
def test_commands_set_up_first(name: str) -> None:
    """Both commands make an environment of their own and install the package into it."""
    first, second, _ = _command(name).split(" && ")

    assert "python3 -m venv .venv" == first
    assert second.startswith(".venv/bin/pip install -q -e ")
