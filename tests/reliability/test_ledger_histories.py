"""Two processes, two folders, two files, two journals, one ledger: nothing is there twice.

The long run: ``python -m tests.reliability.ledger_histories --histories 50``.
"""

from pathlib import Path

import pytest

from .ledger_histories import KINDS, history, main


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", KINDS)
async def test_histories(tmp_path: Path, kind: str) -> None:
    """Whatever happens on the way, in the end each row is there once, or reported unknown."""
    told = await history(kind, 3, tmp_path / "history")
    assert () == told.wrong, told


@pytest.mark.timeout(240)
async def test_without_a_ledger_in_common(tmp_path: Path) -> None:
    """Two that do not know of each other send voids twice: the comparison would see it."""
    found = [await history("voids", seed, tmp_path / str(seed), ledgers=False) for seed in range(2)]
    assert any("there twice" in wrong for told in found for wrong in told.wrong)


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the totals, and says 0 where nothing is wrong."""
    assert 0 == main(["--histories", "0"])
    assert "0 histories, 0 kills, 0 faults, 0 wrong" in capsys.readouterr().out
