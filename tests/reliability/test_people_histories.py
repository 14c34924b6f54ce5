"""Imports that reach people, under faults and kills: nobody is told twice, nobody is left out.

Like the histories of properties (`import_history`), with what differs: leads can be looked up, so
each ends up there once; voids cannot, so each is there once, or is unknown and there at most once.
"""

import asyncio
import contextlib
import csv
import datetime as dt
import json
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Address, Assumed, Emulator, Faults
from homebox_async.importer import State

from .disturbances import LAG, RATES, SETTLE, TIMEOUT, network
from .import_history import Zygote
from .proxy import Proxy

pytestmark = pytest.mark.slow

ROWS = 60
SOON = dt.date.today() + dt.timedelta(days=7)
PERSON = "Zqann,Zqlee,+447911{0:06},zq{0}@example.com"


@attrs.define
class People:
    """One import of a kind, run again and again."""

    kind: str
    folder: Path
    emulator: Emulator
    proxy: Proxy
    zygote: Zygote
    chance: random.Random
    options: dict[str, Any]

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls, kind: str, seed: int, folder: Path, lines: list[str], options: dict[str, Any]
    ) -> AsyncIterator["People"]:
        """Make a server, a network and a zygote for an import of some lines."""
        (folder / "in.csv").write_text("\n".join([*lines, ""]))
        chance = random.Random(seed)
        faults = Faults(RATES, seed=seed, methods=None, paths=kind.removesuffix("s"))
        order: Any = "newest-first" if seed % 2 else "oldest-first"
        emulator = Emulator(faults=faults, assumed=Assumed(list_lag=LAG, list_order=order))
        async with (
            emulator,
            Proxy(emulator.url, network(chance)) as proxy,
            Zygote.started(folder) as zygote,
        ):
            for n in range(ROWS):
                home = Address(f"{n} High St", None, "Leeds", None, "LS1 1AA", None)
                emulator.store.add_property(home, f"P{n}")
            yield cls(kind, folder, emulator, proxy, zygote, chance, options)

    async def run(self, *, kill: bool) -> dict[str, Any] | None:
        """Run once; return the report if it came to one."""
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        process = await self.zygote.fork(
            {
                "kind": self.kind,
                "url": self.proxy.url,
                "token": self.emulator.token,
                "source": str(self.folder / "in.csv"),
                "results": str(self.folder),
                "timeout": TIMEOUT,
                "options": self.options,
                "told": str(told),
                "sabotage": False,
                "clock": 0,
            }
        )
        ended = asyncio.ensure_future(self.zygote.ended())
        if kill:
            posts = self.posts + self.chance.randint(1, ROWS // 3)
            while not ended.done() and self.posts < posts:
                await asyncio.sleep(0.001)
            if not ended.done():
                os.kill(process, signal.SIGKILL)
        if await ended < 0:
            return None
        answer: dict[str, Any] = json.loads(told.read_text())
        assert "broke" not in answer, answer
        return answer.get("report")

    @property
    def posts(self) -> int:
        """How many requests to create something came in."""
        one = self.kind.removesuffix("s")
        return self.emulator.counts.requests[f"POST /api/partner/{one}"]

    async def until(self, states: set[State]) -> dict[str, Any]:
        """Kill it twice, and run it until every row is in one of these states."""
        for number in range(40):
            report = await self.run(kill=number < 2)
            if report is not None and {state for state, *_ in self.journal()} <= states:
                return report
        raise AssertionError(f"it does not come to an end: {Counter(self.journal())}")

    def journal(self) -> list[tuple[State, str, int | None]]:
        """Return state, reference and id of each row."""
        with contextlib.closing(sqlite3.connect(self.folder / "in.journal")) as connection:
            found = connection.execute("SELECT state, reference, property_id FROM rows")
            return [(State(state), *rest) for state, *rest in found]

    def created(self, column: str) -> dict[str, int]:
        """Return the ids in the file of created rows, by reference."""
        with (self.folder / "in.created.csv").open(newline="") as file:
            return {row["property_reference"]: int(row[column]) for row in csv.DictReader(file)}

    def check_quiet(self) -> None:
        """Check that no run has printed anything."""
        assert "" == (self.folder / "stderr").read_text()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, 2])
async def test_leads(seed: int, tmp_path: Path) -> None:
    """Every tenancy has one lead, and every tenant one text message, whatever happens."""
    header = "property_reference,line1,city,postcode,tenancy_start,tenancy_end,first_name,surname"
    lines = [
        f"L{n},{n} High St,Leeds,LS1 1AA,{SOON},2060-01-01,{PERSON.format(n)}" for n in range(ROWS)
    ]
    options = {"settle": SETTLE, "confirm": 3 * ROWS}
    lines.insert(0, f"{header},mobile,email")
    async with People.of("leads", seed, tmp_path, lines, options) as people:
        await people.until({State.CREATED, State.ADOPTED})
        there = {lead.reference: lead.id for lead in people.emulator.store.leads}
        assert ROWS == len(there) == len(people.emulator.store.leads)
        assert there == people.created("lead_id")
        assert there == {reference: found for _, reference, found in people.journal()}
        for kind in ("sms", "email", "supplier"):
            told = Counter(one.to for one in people.emulator.outbox if one.kind == kind)
            assert (ROWS, {1}) == (len(told), set(told.values())), kind
        before = people.posts
        report = None
        while report is None:
            report = await people.run(kill=False)
        assert (before, 0) == (people.posts, report["sent"])
        people.check_quiet()


@pytest.mark.timeout(180)
async def test_voids(tmp_path: Path) -> None:
    """Every void is there once, or unknown and there at most once; none is sent twice."""
    responsible = ",".join(
        f"responsible_{part}"
        for part in [
            "first_name",
            "last_name",
            "phone_number",
            "email_address",
            "line1",
            "city",
            "postcode",
        ]
    )
    lines = [
        f"property_reference,property_id,tenancy_start,property_empty,is_premium,{responsible}",
        *(
            f"V{n},{n + 1},2026-01-01,yes,yes,{PERSON.format(n)},9 Mill Lane,Leeds,LS1 1AB"
            for n in range(ROWS)
        ),
    ]
    async with People.of("voids", 3, tmp_path, lines, {"confirm": 2 * ROWS}) as people:
        await people.until({State.CREATED, State.UNKNOWN})
        there = Counter(row.property_id for row in people.emulator.store.tenancies)
        assert {1} == set(there.values())
        ids = {row.id: f"V{row.property_id - 1}" for row in people.emulator.store.tenancies}
        rows = people.journal()
        created = {reference: found for state, reference, found in rows if state is State.CREATED}
        unknown = {reference for state, reference, _ in rows if state is State.UNKNOWN}
        assert created == people.created("tenancy_id")
        assert created == {name: number for number, name in ids.items() if name not in unknown}
        assert 0 < len(unknown) < ROWS / 2
        people.check_quiet()
