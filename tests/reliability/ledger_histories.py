"""Imports of the same rows by two processes at once, with one ledger, held against the server.

``python -m tests.reliability.ledger_histories --histories 52 --lag 3`` prints a line for each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from homebox_async.emulator import Address, Assumed, Emulator, Faults

from .import_history import Zygote

ROWS = 12
SETTLE = 0.6
KINDS = ("properties", "leads", "voids", "readings")
_CALM_RUNS = 4
_START = dt.date(2026, 7, 1)


@attrs.frozen
class Told:
    """What one history came to; `wrong` is empty if nothing was."""

    kind: str
    seed: int
    kills: int
    faults: int
    unknown: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        line = (
            f"{self.kind} {self.seed}: {self.kills} kills, {self.faults} faults,"
            f" {self.unknown} rows unknown"
        )
        return "\n  WRONG: ".join((line, *self.wrong))


@attrs.define(eq=False)
class Importer:
    """One of the two: its process, its folder, its file and its journal."""

    zygote: Zygote
    folder: Path
    job: dict[str, Any]
    pid: int = 0

    async def run(self) -> dict[str, Any]:
        """Run the import to its end; {} if it was killed."""
        told = Path(self.job["told"])
        told.unlink(missing_ok=True)
        self.pid = await self.zygote.fork(self.job)
        await self.zygote.ended()
        self.pid = 0
        answer: dict[str, Any] = json.loads(told.read_text()) if told.exists() else {}
        return answer


async def history(kind: str, seed: int, folder: Path, *, ledgers: bool = True) -> Told:
    """Run one history in a folder; without `ledgers`, each import has one of its own."""
    folder.mkdir(parents=True)
    chance = random.Random(f"{kind} {seed}")
    assumed = Assumed(list_lag=chance.choice((0.0, 0.2)), shows_instance=chance.random() < 0.5)
    emulator = Emulator(assumed=assumed, faults=_faults(chance, seed))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(emulator)
        for number in range(1, ROWS + 1 if kind in ("voids", "readings") else 1):
            emulator.store.add_property(
                Address(f"{number} High St", None, "Leeds", None, "LS1 1AA"), f"H-{number}"
            )
        importers = []
        for name in ("a", "b"):
            place = folder / name
            place.mkdir()
            zygote = await stack.enter_async_context(Zygote.started(place))
            state = folder / ("state" if ledgers else f"state-{name}")
            importers.append(_importer(kind, zygote, place, emulator, state, chance))
        kills = await _disturbed(importers, emulator, chance)
        emulator.faults = None
        wrong, unknown = await _calm(kind, importers, emulator)
    faults = sum(emulator.counts.faults.values())
    return Told(kind, seed, kills, faults, unknown, tuple(wrong))


async def strangers(kind: str, folder: Path, lag: float) -> Told:
    """Run two imports of the same rows, one after the other, that have no ledger in common.

    The list shows what the first one has sent once the second has begun.
    """
    folder.mkdir(parents=True)
    chance = random.Random(kind)
    async with contextlib.AsyncExitStack() as stack:
        emulator = Emulator(assumed=Assumed(list_lag=lag, shows_instance=False))
        await stack.enter_async_context(emulator)
        answers = []
        for name in ("a", "b"):
            place = folder / name
            place.mkdir()
            zygote = await stack.enter_async_context(Zygote.started(place))
            one = _importer(kind, zygote, place, emulator, folder / f"state-{name}", chance)
            one.job["settle"] = lag + 1
            answers.append(await one.run())
        there = _there(kind, emulator)
    wrong = [f"there {count} times: {key}" for key, count in there.items() if count > 1]
    wrong += [f"not done: {answer}" for answer in answers if not answer["report"]["done"]]
    return Told(f"{kind} with a lag of {lag:g} s", 0, 0, 0, 0, tuple(wrong))


def _faults(chance: random.Random, seed: int) -> Faults:
    names = ("drop-before", "drop-after", "502", "503-after", "429:0", "garbage")
    return Faults({name: chance.choice((0.0, 0.08)) for name in names}, seed)


def _importer(
    kind: str, zygote: Zygote, place: Path, emulator: Emulator, state: Path, chance: random.Random
) -> Importer:
    rows = [_row(kind, number) for number in range(1, ROWS + 1)]
    chance.shuffle(rows)
    source = place / f"{kind}-{place.name}.csv"
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    source.write_text("\n".join([*lines, ""]))
    options = {} if chance.random() < 0.5 else {"journal": str(place / "own.journal")}
    job: dict[str, Any] = {
        "kind": kind,
        "url": emulator.url,
        "token": emulator.token,
        "source": str(source),
        "results": str(place),
        "timeout": 2.0,
        "options": options,
        "confirmed": kind in ("leads", "voids"),
        "told": str(place / "told"),
        "sabotage": False,
        "clock": 0,
        "environment": {"HOMEBOX_STATE": str(state)},
    }
    if kind != "voids":
        job["settle"] = SETTLE
    return Importer(zygote, place, job)


def _row(kind: str, number: int) -> dict[str, Any]:
    address = {"line1": f"{number} High St", "city": "Leeds", "postcode": "LS1 1AA"}
    person = {"first_name": "Zq", "last_name": "Lee"}
    person |= {"phone_number": f"+4479110000{number:02}", "email_address": f"zq{number}@x.uk"}
    if kind == "properties":
        return {**address, "property_reference": f"H-{number}"}
    if kind == "leads":
        dates = {"tenancy_start": _START, "tenancy_end": _START.replace(year=2027)}
        return {**address, "property_reference": f"H-{number}", **dates, **person}
    if kind == "voids":
        told = {f"responsible_{name}": text for name, text in (person | address).items()}
        return {"property_id": number, "tenancy_start": _START, "property_empty": "yes", **told}
    return {"property_id": number, "type": "gas", "reading": 100, "date_of_reading": _START}


async def _disturbed(
    importers: Sequence[Importer], emulator: Emulator, chance: random.Random
) -> int:
    """Run both at once, and kill or stop one of them at some moment."""
    runs = [asyncio.ensure_future(one.run()) for one in importers]
    kills = 0
    if chance.random() < 0.8:
        victim, moment = chance.choice(importers), chance.randint(1, ROWS)
        while _posts(emulator) < moment and not all(run.done() for run in runs):
            await asyncio.sleep(0.001)
        if victim.pid:
            if chance.random() < 0.7:
                os.kill(victim.pid, signal.SIGKILL)
                kills += 1
            else:
                # Long enough for the other one to look up what this one has claimed.
                os.kill(victim.pid, signal.SIGSTOP)
                await asyncio.sleep(2 * SETTLE)
                os.kill(victim.pid, signal.SIGCONT)
    await asyncio.gather(*runs)
    return kills


def _posts(emulator: Emulator) -> int:
    requests = emulator.counts.requests.items()
    return sum(count for label, count in requests if label.startswith("POST"))


async def _calm(
    kind: str, importers: Sequence[Importer], emulator: Emulator
) -> tuple[list[str], int]:
    """Run both again without faults until nothing changes; compare with the server."""
    unknown = 0
    wrong: list[str] = []
    for number in range(_CALM_RUNS):
        answers = [await one.run() for one in importers]
        reports = [answer.get("report", {}) for answer in answers]
        wrong += [str(answer["broke"]) for answer in answers if "broke" in answer]
        there = _there(kind, emulator)
        twice = sorted(key for key, count in there.items() if count > 1)
        if twice:
            wrong.append(f"run {number + 1}: there twice: {twice}")
            break
        for report in reports:
            if report.get("done") and len(there) != ROWS:
                wrong.append(f"all done, and {ROWS - len(there)} are missing")
        if all(report.get("done") for report in reports):
            return wrong, 0
        unknown = max((report.get("unknown", 0) for report in reports), default=0)
    if kind != "voids":
        wrong.append(f"{unknown} rows stay unknown: {reports}")
    elif len(there) + unknown < ROWS:
        wrong.append(f"{ROWS - len(there) - unknown} voids are missing, and not reported")
    for one in importers:
        errors = (one.folder / "stderr").read_text()
        if errors:
            wrong.append(errors)
    return wrong, unknown


def _there(kind: str, emulator: Emulator) -> Counter[str]:
    store = emulator.store
    if kind == "properties":
        return Counter(str(one.reference) for one in store.properties)
    if kind == "leads":
        return Counter(str(one.reference) for one in store.leads)
    if kind == "readings":
        return Counter(f"property {one.property_id}" for one in store.readings)
    # Each premium or plain void is a request that was carried out.
    done = [one for one in emulator.received if one.path.endswith("/void") and one.committed]
    return Counter(str(json.loads(one.body)["property_id"]) for one in done)


async def campaign(kinds: Sequence[str], seeds: Sequence[int], folder: Path) -> list[Told]:
    """Run the histories of some kinds and seeds, a few at a time."""
    turn = asyncio.Semaphore(3)

    async def one(kind: str, seed: int) -> Told:
        async with turn:
            told = await history(kind, seed, folder / f"{kind}-{seed}")
        print(told, flush=True)
        return told

    return await asyncio.gather(*(one(kind, seed) for seed in seeds for kind in kinds))


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=50, help="how many, over all kinds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--lag", type=float, default=0.0, help="of the list, without a ledger")
    options = parser.parse_args(arguments)
    each = -(-options.histories // len(KINDS))
    folder = Path(tempfile.mkdtemp(prefix="ledgers-"))
    seeds = range(options.first, options.first + each)
    done = asyncio.run(campaign(KINDS, seeds, folder))
    if options.lag:
        for kind in ("properties", "leads"):
            done.append(asyncio.run(strangers(kind, folder / f"lag-{kind}", options.lag)))
            print(done[-1], flush=True)
    bad = [told for told in done if told.wrong]
    kills, faults = sum(one.kills for one in done), sum(one.faults for one in done)
    print(f"{len(done)} histories, {kills} kills, {faults} faults, {len(bad)} wrong")
    if bad:
        print(f"files: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
