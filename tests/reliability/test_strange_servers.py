"""Imports into servers that no document describes: a few of `strange_histories`.

The long run: ``python -m tests.reliability.strange_histories --seeds 120``.
"""

from pathlib import Path
from typing import Any

import pytest

from . import strange_histories
from .strange_histories import StrangeHistory, campaign, main
from .strange_server import ALONE

# What each server differs in; numbers are servers that differ in several things.
SERVERS: dict[str, tuple[Any, ...]] = {
    "property": (
        *(("envelope", "keyed"), ("q", "without postcodes"), ("reference", "shortened")),
        *(("address", "corrected"), ("capped", True), ("other_id", 0.1), 53, 59),
    ),
    "lead": (
        *(("order", "ties move"), ("reference", "lower case"), ("dates", "london")),
        *(("other_id", 0.1), ("created", "empty"), 59),
    ),
    "void": (("dates", "london"), ("created", "without id"), 60),
    "reading": (
        *(("readings", "decimals"), ("dates", "london"), ("capped", True)),
        *(("other_id", 0.1), ("ids", "text"), 56),
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", SERVERS)
async def test_servers(tmp_path: Path, kind: str) -> None:
    """The server's own log agrees with every report: none twice, and none missing with exit 0."""
    seeds = [one if isinstance(one, int) else ALONE.index(one) for one in SERVERS[kind]]
    for verdict in await campaign([kind], seeds, tmp_path):
        assert () == verdict.wrong, str(verdict)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_comparison_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are taken for others, on purpose, disagree with the report."""
    number = StrangeHistory._number
    monkeypatch.setattr(StrangeHistory, "_number", lambda self, item: max(2, number(self, item)))
    [verdict] = await campaign(["property"], [0], tmp_path)
    assert any("there 2 times" in wrong for wrong in verdict.wrong), str(verdict)


def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the totals, and says that all agree where they do."""

    async def nothing(*args: Any) -> list[Any]:
        return []

    monkeypatch.setattr(strange_histories, "campaign", nothing)
    assert 0 == main(["--seeds", "0"])
    assert "0 histories, 0 kills, {}\nall reports agree" in capsys.readouterr().out
