"""The checker: journal, result files, report and the emulator's own log must tell one story.

It reads the files with nothing of the importer but the numbers of the states.
"""

from __future__ import annotations

import csv
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from homebox_async.emulator import Emulator
from homebox_async.importer import State

_COLUMNS = ("line1", "city", "postcode", "ref")
_LAST = {"created": {State.CREATED, State.ADOPTED}, "rejects": {State.REJECTED}}
_OPEN = {State.UNKNOWN, State.INFLIGHT}


@attrs.frozen
class Portfolio:
    """The input: `rows` by number; every first line is there once, so it tells a home.

    Some rows are bad: `rejected` are their numbers. In every fifth portfolio the references are
    left to the importer.
    """

    path: Path
    rows: Mapping[int, tuple[str, ...]]
    rejected: frozenset[int]
    options: dict[str, Any]

    @classmethod
    def drawn(cls, path: Path, count: int, seed: int) -> Portfolio:
        """Write a portfolio; postcodes and towns repeat, as they do."""
        chance = random.Random(f"{seed} rows")
        generated = seed % 5 == 0
        rows, rejected = {}, set()
        for n in range(1, count + 1):
            postcode = f"{chance.choice(['LS', 'M', 'YO'])}{n % 40 + 1} {n % 7}AB"
            if chance.random() < 0.01:
                rejected.add(n)
            city = "" if n in rejected else "Leeds"
            rows[n] = (f"{n} Station Road", city, postcode, "" if generated else f"H-{n:05}")
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([_COLUMNS, *rows.values()])
        return cls(path, rows, frozenset(rejected), {"generate_references": generated})

    @property
    def homes(self) -> dict[str, int]:
        """The rows that are to be created, by first line."""
        return {row[0]: n for n, row in self.rows.items() if n not in self.rejected}

    @property
    def journal(self) -> Path:
        """The journal beside it."""
        return self.path.with_name(f"{self.path.stem}.journal")

    def result(self, kind: str) -> Path:
        """Return a result file beside it."""
        return self.path.with_name(f"{self.path.stem}.{kind}.csv")


@attrs.frozen
class Noted:
    """What the journal has of a row."""

    state: State
    reference: str
    property_id: int | None


@attrs.define
class Findings:
    """What the checker found: numbers of rows, and whatever else is wrong in a line each."""

    missing: list[int] = attrs.field(factory=list)
    duplicates: list[int] = attrs.field(factory=list)
    wrong: list[str] = attrs.field(factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.duplicates or self.wrong)

    def expect(self, what: str, expected: object, actual: object) -> None:
        """Note what is not as it should be."""
        if expected != actual:
            self.wrong.append(f"{what}: expected {_short(expected)}, found {_short(actual)}")


def check(
    portfolio: Portfolio, folder: Path, emulator: Emulator, report: Mapping[str, Any]
) -> Findings:
    """Compare all that is told of an import that is done."""
    found = Findings()
    held = {home.id: home for home in emulator.store.properties}
    times = Counter(home.line1 for home in held.values())
    homes = portfolio.homes
    found.missing = [n for line1, n in homes.items() if not times[line1]]
    found.duplicates = [n for line1, n in homes.items() if times[line1] > 1]
    found.expect("homes that nobody sent", [], sorted(set(times) - set(homes)))
    received = Counter(
        json.loads(seen.body)["address"]["line1"] for seen in emulator.received if seen.committed
    )
    found.expect("what was committed is what is held", times, received)
    journal = noted(portfolio.journal)
    found.expect("rows in the journal", [*portfolio.rows], [*journal])
    for n, row in journal.items():
        if n in portfolio.rejected:
            found.expect(f"row {n} in the journal", State.REJECTED, row.state)
            continue
        home = held.get(row.property_id or 0)
        at = None if home is None else (home.line1, home.reference)
        reference = portfolio.rows[n][3] or row.reference
        found.expect(f"home of row {n}", (portfolio.rows[n][0], reference), at)
        found.expect(f"row {n} is done", True, row.state in _LAST["created"])
    found.wrong += check_files(portfolio, folder, report)
    return found


def check_files(portfolio: Portfolio, folder: Path, report: Mapping[str, Any]) -> list[str]:
    """Compare journal, result files and report after any run that came to a report."""
    found = Findings()
    journal = noted(portfolio.journal)
    states = Counter(row.state for row in journal.values())
    told = ("rows", "created", "adopted", "rejected", "unknown", "pending")
    found.expect("rows in the report", len(portfolio.rows), report["rows"])
    found.expect(
        "the report",
        [
            len(journal),
            *(states[state] for state in (State.CREATED, State.ADOPTED, State.REJECTED)),
            states[State.UNKNOWN] + states[State.INFLIGHT],
            states[State.PENDING],
        ],
        [report[name] for name in told],
    )
    for kind, wanted in {**_LAST, "unknown": _OPEN}.items():
        rows = {n: row for n, row in journal.items() if row.state in wanted}
        found.expect(f"rows in {kind}", [*rows], _check_file(found, portfolio, kind, rows))
    left = {path.name for path in folder.iterdir() if path.suffix not in {".tmp", ""}}
    known = {portfolio.path, portfolio.journal, *map(portfolio.result, [*_LAST, "unknown"])}
    found.expect("files left over", set(), left - {path.name for path in known})
    return found.wrong


def _check_file(
    found: Findings, portfolio: Portfolio, kind: str, rows: Mapping[int, Noted]
) -> list[int]:
    """Check what a result file tells of each row; return the numbers of its rows."""
    path = portfolio.result(kind)
    if not path.exists():
        return []
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        n = int(line["row"])
        if n not in rows:
            continue
        found.expect(
            f"cells of row {n} in {kind}",
            portfolio.rows[n],
            tuple(line[column] for column in _COLUMNS),
        )
        if kind == "created":
            row = rows[n]
            found.expect(
                f"row {n} in {kind}",
                (str(row.property_id), row.state.name.lower()),
                (line["property_id"], line["how"]),
            )
    return [int(line["row"]) for line in lines]


def noted(path: Path) -> dict[int, Noted]:
    """Return what a journal has, by row number."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute(
            "SELECT number, state, reference, property_id FROM rows ORDER BY number"
        )
        return {n: Noted(State(state), *rest) for n, state, *rest in found}
    finally:
        connection.close()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."
