"""Imports into servers that differ in what no document says, compared with the server's own log.

``python -m tests.reliability.strange_histories --seeds 120`` runs many and prints a line for each.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import datetime as dt
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from homebox_async.importer import State

from .import_history import Zygote
from .strange_server import TOKEN, Item, Quirks, StrangeServer, drawn

ROWS = 12
SETTLE = 1.5
TIMEOUT = 0.5
_RUNS = 5
_NO_REPORT = 9  # as exit code: the run was killed
_ENDED = (State.CREATED, State.ADOPTED)

PLURALS = {"property": "properties", "lead": "leads", "void": "voids", "reading": "readings"}


@attrs.frozen
class Verdict:
    """What one history came to; `wrong` lists where the report and the server's log disagree."""

    kind: str
    seed: int
    quirks: Quirks
    states: Counter[str]
    exits: tuple[int, ...]
    wrong: tuple[str, ...]
    kills: int

    def __str__(self) -> str:
        states = ", ".join(f"{name} {count}" for name, count in sorted(self.states.items()))
        line = f"{self.kind} {self.seed} [{self.quirks.told}]: {states}, exits {self.exits}"
        return "\n  WRONG: ".join((line, *self.wrong))


@attrs.define(eq=False)
class StrangeHistory:
    """One file, imported into one server until nothing changes any more."""

    kind: str
    seed: int
    folder: Path
    server: StrangeServer
    zygote: Zygote
    chance: random.Random
    kills: int = 0

    async def run(self) -> Verdict:
        """Run it, killed at times, and compare the journal with the server's log each time."""
        before = self._prepare()
        exits, wrong = list[int](), list[str]()
        for number in range(_RUNS):
            # The last two runs are undisturbed: what can be settled is settled by then.
            self.server.calm = number >= _RUNS - 2
            report = await self._once(kill=number == 0 and self.seed % 2 == 0)
            code = _exit_code(report)
            exits.append(code)
            if "broke" in report:
                wrong.append(f"run {number + 1} broke: {report['broke']}")
                break
            wrong += [f"run {number + 1}: {text}" for text in self._audit(before, code)]
            if code == 0:
                break
        states = Counter(state.name.lower() for state, _ in self._journal().values())
        errors = (self.folder / "stderr").read_text()
        if errors:
            wrong.append(f"on standard error: {errors}")
        quirks = self.server.quirks
        return Verdict(
            *(self.kind, self.seed, quirks, states, tuple(exits)),
            tuple(dict.fromkeys(wrong)),
            self.kills,
        )

    # --- the file, and what is there before

    def _prepare(self) -> dict[int, list[Item]]:
        """Write the file, hold what others have made, and return that by row number."""
        rows = [self._row(number) for number in range(1, ROWS + 1)]
        with (self.folder / "in.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        if self.kind in ("void", "reading"):
            for number in range(1, ROWS + 1):
                item = self.server.hold("property", {"address": _address(number)})
                item.id = number
        there: dict[int, list[Item]] = {number: [] for number in range(1, ROWS + 1)}
        sent = self._sent(rows[-1])
        if sent is not None:
            there[ROWS].append(self.server.hold(self.kind, sent))
        return there

    def _row(self, number: int) -> dict[str, Any]:
        row: dict[str, Any]
        if self.kind == "property":
            return {**_address(number), "property_reference": f"H-{number}"}
        start = dt.date.today() + dt.timedelta(days=7)
        if self.kind == "lead":
            return {
                **_address(number),
                "property_reference": f"H-{number}",
                "tenancy_start": start,
                "tenancy_end": start.replace(year=start.year + 1, day=1),
                "first_name": "Zq",
                "last_name": f"Lee{number}",
                "phone_number": f"+4479110000{number:02}",
                "email_address": f"zq{number}@example.com",
            }
        if self.kind == "void":
            person = {"first_name": "Zq", "last_name": "Lee", "phone_number": "+447911000001"}
            person["email_address"] = "zq@example.com"
            row = {"property_reference": f"H-{number}", "property_id": number}
            row |= {"tenancy_start": "2026-07-01", "property_empty": "yes"}
            row |= {f"responsible_{name}": value for name, value in person.items()}
            return row | {f"responsible_{name}": text for name, text in _address(1).items()}
        home, turn = divmod(number - 1, 3)
        day = dt.date(2026, 5, 1) + dt.timedelta(days=30 * turn)
        row = {"property_id": home + 1, "type": "gas", "reading": 1000 + 10 * turn}
        return row | {"date_of_reading": day}

    def _sent(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """Return what an earlier request sent of a row; None where it could not be listed."""
        if self.kind == "void":
            return None
        if self.kind == "reading":
            return {name: str(value) for name, value in row.items()}
        address = {name: row[name] for name in ("line1", "city", "postcode")}
        sent = {"address": address, "property_reference": row["property_reference"]}
        if self.kind == "property":
            return sent
        names = ("first_name", "last_name", "phone_number", "email_address")
        sent["tenants"] = [{name: row[name] for name in names}]
        for name in ("tenancy_start", "tenancy_end"):
            sent[name] = row[name].strftime("%d/%m/%y")
        return sent

    # --- a run

    async def _once(self, *, kill: bool) -> dict[str, Any]:
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        job = {
            "kind": PLURALS[self.kind],
            "url": self.server.url,
            "token": TOKEN,
            "source": str(self.folder / "in.csv"),
            "results": str(self.folder),
            "timeout": TIMEOUT,
            "options": {},
            "confirmed": self.kind in ("lead", "void"),
            "told": str(told),
            "sabotage": False,
            "clock": 0,
            "environment": {"HOMEBOX_STATE": str(self.folder / "state")},
        }
        if self.kind != "void":
            job["settle"] = SETTLE
        process = await self.zygote.fork(job)
        ended = asyncio.ensure_future(self.zygote.ended())
        if kill:
            posts = self.server.posts + self.chance.randint(1, ROWS - 2)
            while not ended.done() and self.server.posts < posts:
                await asyncio.sleep(0.001)
            if not ended.done():
                os.kill(process, signal.SIGKILL)
                self.kills += 1
        await ended
        answer: dict[str, Any] = json.loads(told.read_text()) if told.exists() else {}
        if "broke" in answer:
            return {"broke": answer["broke"]}
        report: dict[str, Any] = answer.get("report") or {}
        return report

    # --- the comparison

    def _journal(self) -> dict[int, tuple[State, int | None]]:
        path = self.folder / "in.journal"
        connection = sqlite3.connect(path)
        try:
            found = connection.execute("SELECT number, state, property_id FROM rows").fetchall()
        except sqlite3.OperationalError:
            return {}  # killed before there was a table
        finally:
            connection.close()
        return {number: (State(state), identity) for number, state, identity in found}

    def _audit(self, before: dict[int, list[Item]], code: int) -> list[str]:
        """Return where the journal, the exit code and the server's log disagree."""
        there = {number: list(items) for number, items in before.items()}
        wrong = list[str]()
        for kind, item in self.server.commits:
            if kind == self.kind:
                there[self._number(item)].append(item)
        journal = self._journal()
        for number, items in there.items():
            state, identity = journal.get(number, (State.PENDING, None))
            ids = [item.id for item in items]
            if len(ids) > 1:
                wrong.append(f"row {number} is there {len(ids)} times, as {ids}")
            # A void cannot be looked up: an id of another one that is unknown cannot be noticed.
            # A run that was killed reports nothing; the next one looks up what it left.
            noticed = self.kind != "void" and code != _NO_REPORT
            if state in _ENDED and identity not in ids and noticed:
                wrong.append(f"row {number} is {state.name} as {identity}, and there as {ids}")
            # What others made may contradict the row, and is then for a person to look at. What
            # the server refused, in words, after it had committed it, is found by the import of
            # the rejects file.
            lied = any(name == "422" for name, _ in self.server.quirks.after_commit)
            if state is State.REJECTED and len(ids) > len(before[number]) and not lied:
                wrong.append(f"row {number} is REJECTED, and there as {ids}")
            if code == 0 and (state not in _ENDED or len(ids) != 1):
                wrong.append(f"exit 0, but row {number} is {state.name} and there as {ids}")
        return wrong

    def _number(self, item: Item) -> int:
        sent = item.sent
        if self.kind == "reading":
            months = (dt.date.fromisoformat(sent["date_of_reading"]) - dt.date(2026, 5, 1)).days
            return 3 * (int(sent["property_id"]) - 1) + months // 30 + 1
        return int(sent["property_reference"].removeprefix("H-"))


def _address(number: int) -> dict[str, str]:
    # Numbers that run together without their boundaries: Flat 1, 12 and Flat 11, 2.
    line1 = f"Flat {number}, {20 + number // 2} High St"
    return {"line1": line1, "city": "Leeds", "postcode": f"LS{1 + number % 3} 1AA"}


def _exit_code(report: dict[str, Any]) -> int:
    """Return what the command would end with: 0, 1 for rows that need a look, 9 for no report."""
    if "done" not in report:
        return _NO_REPORT
    return 0 if report["done"] and not report["stopped"] else 1


async def history(kind: str, seed: int, folder: Path) -> Verdict:
    """Run one history in a folder."""
    folder.mkdir(parents=True)
    async with (
        StrangeServer(drawn(seed), seed).running() as server,
        Zygote.started(folder) as zygote,
    ):
        return await StrangeHistory(kind, seed, folder, server, zygote, random.Random(seed)).run()


async def campaign(
    kinds: Sequence[str], seeds: Sequence[int], folder: Path, at_once: int = 8
) -> list[Verdict]:
    """Run the histories of some kinds and seeds, so many at a time, and print each."""
    turn = asyncio.Semaphore(at_once)

    async def one(kind: str, seed: int) -> Verdict:
        async with turn:
            verdict = await history(kind, seed, folder / f"{kind}-{seed}")
        print(verdict, flush=True)
        return verdict

    return await asyncio.gather(*(one(kind, seed) for seed in seeds for kind in kinds))


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; return 1 if anything disagreed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=120, help="how many servers")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kinds", default=",".join(PLURALS), help="such as property,lead")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    folder = Path(tempfile.mkdtemp(prefix="strange-"))
    done = asyncio.run(campaign(options.kinds.split(","), seeds, folder))
    bad = [verdict for verdict in done if verdict.wrong]
    totals = sum((verdict.states for verdict in done), Counter[str]())
    print(f"\n{len(done)} histories, {sum(v.kills for v in done)} kills, {dict(totals)}")
    print(f"{len(bad)} disagree" if bad else "all reports agree with the servers")
    if bad:
        print(f"files: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
