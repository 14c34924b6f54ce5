"""A few short histories, and proof that the checker would see what it is there to see.

The long run: ``python -m tests.reliability --seeds 200 --rows 1500 --budget 45m``.
"""

import asyncio
import csv
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Assumed, Emulator, Faults
from homebox_async.emulator.addresses import Address
from homebox_async.emulator.records import Property

from . import campaign
from .checker import Portfolio, check
from .disturbances import Climate
from .import_history import history
from .stand import Stand

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
async def test_histories(tmp_path: Path) -> None:
    """Whatever happens on the way, in the end every row is there exactly once."""
    done = await asyncio.gather(*(_history(seed, tmp_path) for seed in (1, 2, 5)))
    assert [] == [str(told) for told in done if told.wrong]
    assert all(told.counts["kills"] or told.counts["drains"] for told in done)
    assert all(campaign.faults(told.counts) for told in done)


async def _history(seed: int, folder: Path) -> campaign.Told:
    place = folder / str(seed)
    place.mkdir()
    return await campaign.told(seed, 100, place)


# --- the checker is checked


async def _sabotaged(folder: Path, climate: Climate) -> list[int]:
    """Return the rows that the checker finds twice in the first histories that have any."""
    for seed in range(1, 6):
        place = folder / str(seed)
        place.mkdir()
        async with history(seed, 120, place, climate=climate, sabotage=True) as made:
            found = await made.run()
        if found.duplicates:
            return found.duplicates
    return []


@pytest.mark.timeout(300)
async def test_unknown_taken_for_pending(tmp_path: Path) -> None:
    """An importer that sends again what it knows nothing of is found out."""
    climate = Climate(Faults({"drop-after": 0.2}), Assumed(), settle=0.0)
    assert [] != await _sabotaged(tmp_path, climate)


async def test_no_settle_time(tmp_path: Path) -> None:
    """An importer that is told not to wait for a list that lags stops, and sends nothing twice."""
    lost = Faults({"drop-after": 0.2})
    async with Stand.at(tmp_path, 120, faults=lost, assumed=Assumed(list_lag=0.4)) as stand:
        for _ in range(4):  # a row is sent 5 times at the most
            report = (await stand.run(settle=0.0))["report"]
            assert "give a longer --settle" in report["stopped"]
        # This finds rows that are there twice, too.
        await stand.finish(settle=1.0)


@attrs.define
class Done:
    """An import that is done and right, to be tampered with."""

    portfolio: Portfolio
    folder: Path
    emulator: Emulator
    report: dict[str, Any]

    def journal(self, statement: str) -> None:
        """Change the journal."""
        with sqlite3.connect(self.portfolio.journal) as connection:
            connection.execute(statement)
        connection.close()

    def lines(self, kind: str, change: Callable[[list[list[str]]], object]) -> None:
        """Change the lines of a result file."""
        path = self.portfolio.result(kind)
        with path.open(newline="") as file:
            lines = list(csv.reader(file))
        change(lines)
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(lines)

    def home(self, number: int, **changes: Any) -> None:
        """Change a property that the emulator holds."""
        rows = self.emulator.store.properties._rows
        rows[number] = attrs.evolve(rows[number], **changes)


def _add(done: Done, line1: str) -> Property:
    return done.emulator.store.add_property(Address(line1, None, "Leeds", None, "LS1 1AB"))


def _swap(lines: list[list[str]]) -> None:
    lines[1][-2], lines[2][-2] = lines[2][-2], lines[1][-2]


TAMPERED: dict[str, tuple[Callable[[Done], object], str]] = {
    "missing": (lambda d: d.emulator.store.properties._rows.pop(), "missing=[30]"),
    "twice": (lambda d: _add(d, "7 Station Road"), "duplicates=[7]"),
    "stranger": (lambda d: _add(d, "99 Nowhere"), "homes that nobody sent"),
    "uncommitted": (lambda d: d.emulator.received.clear(), "what was committed"),
    "reference": (lambda d: d.home(3, reference="H-99999"), "home of row"),
    "journal-id": (
        lambda d: d.journal("UPDATE rows SET property_id = 4 WHERE number = 3"),
        "home of row 3",
    ),
    "journal-open": (
        lambda d: d.journal("UPDATE rows SET state = 5 WHERE number = 3"),
        "row 3 is done",
    ),
    "journal-short": (
        lambda d: d.journal("DELETE FROM rows WHERE number = 9"),
        "rows in the journal",
    ),
    "report": (lambda d: d.report.update(created=1), "the report"),
    "created-short": (lambda d: d.lines("created", list.pop), "rows in created"),
    "created-double": (
        lambda d: d.lines("created", lambda it: it.append(it[-1])),
        "rows in created",
    ),
    "created-swapped": (lambda d: d.lines("created", _swap), "row 1 in created"),
    "created-cell": (
        lambda d: d.lines("created", lambda it: it[1].__setitem__(1, "York")),
        "cells of row 1 in created",
    ),
    "rejects-gone": (lambda d: d.portfolio.result("rejects").unlink(), "rows in rejects"),
    "unknown-left": (
        lambda d: d.portfolio.result("unknown").write_bytes(
            d.portfolio.result("rejects").read_bytes()
        ),
        "rows in unknown",
    ),
    "stray": (lambda d: (d.folder / "x.csv").touch(), "files left over"),
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_checker_sees(name: str, done: Done) -> None:
    """Whatever is changed after an import that was right, the checker names it."""
    tamper, told = TAMPERED[name]
    assert not check(done.portfolio, done.folder, done.emulator, done.report)
    tamper(done)
    found = check(done.portfolio, done.folder, done.emulator, done.report)
    assert found
    assert told in str(found)


@pytest.fixture
async def done(tmp_path: Path) -> Any:
    """Return an import of 30 rows, the second of them bad, that was not disturbed."""
    from homebox_async import AsyncHomebox
    from homebox_async.importer import import_properties

    portfolio = Portfolio.drawn(tmp_path / "portfolio.csv", 30, 1)
    assert not portfolio.rejected
    async with (
        Emulator() as emulator,
        AsyncHomebox(emulator.token, base_url=emulator.url) as client,
    ):
        lines = portfolio.path.read_text().splitlines()
        lines[2] = lines[2].replace("Leeds", "")
        portfolio.path.write_text("\n".join([*lines, ""]))
        row = portfolio.rows[2]
        portfolio = attrs.evolve(
            portfolio,
            rejected=frozenset({2}),
            rows={**portfolio.rows, 2: (row[0], "", *row[2:])},
        )
        report = await import_properties(client, portfolio.path, results=tmp_path, concurrency=1)
        yield Done(portfolio, tmp_path, emulator, report.as_dict())


# --- the long run's command


@pytest.mark.timeout(300)
def test_command(tmp_path: Path) -> None:
    """The documented command prints each history and the totals, writes the table and says 0."""
    page = (ROOT / "docs/reliability.md").read_text()
    [command] = re.findall(r"<!-- snippet: long-run -->\n```sh\n(.*)\n```", page)
    words = shlex.split(command)
    assert ["python", "-m", "tests.reliability"] == words[:3]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert {"--seeds", "--rows", "--budget", "--figures"} == set(given)
    figures = tmp_path / "page.md"
    figures.write_text(page)
    small = {**given, "--seeds": "1", "--rows": "10", "--first": "7", "--figures": str(figures)}
    done = subprocess.run(
        [sys.executable, *words[1:3], *(word for pair in small.items() for word in pair)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ("", 0) == (done.stderr, done.returncode), done.stdout
    assert done.stdout.startswith("seed 7: rows 10, ")
    changed = figures.read_text()
    before, after = campaign.figures_of(page), campaign.figures_of(changed)
    assert after in done.stdout
    assert page.replace(before, after) == changed
    assert "| Histories | 1 of 1, seeds 7 to 7 |" in after
    assert "| **Rows missing** | **0** |" in after


def test_budget_that_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Histories that the budget leaves no time for are not begun, and that is told."""
    from .__main__ import main

    assert 3 == main(["--seeds", "3", "--budget", "0s"])
    assert "| Histories | 0 of 3, seeds 1 to 3 |" in capsys.readouterr().out


def test_history_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history in which something disagrees is told with its seed, and its files are kept."""

    async def wrong(seed: int, rows: int, folder: Path) -> campaign.Told:
        return campaign.Told(seed, {"duplicates": 1}, 1.0, 0.0, "duplicates=[5]")

    monkeypatch.setattr(campaign, "told", wrong)
    one = campaign.one(12, 5)
    Path(one.wrong.rpartition(" ")[2]).rmdir()  # it is there
    assert "seed 12: " in str(one)
    assert "WRONG: duplicates=[5]" in str(one)
    assert "| **Rows created twice** | **1** |" in campaign.summary([one], [12], 5, "x")
