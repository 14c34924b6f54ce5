"""Answers of 200 that show no record: never created without evidence, whatever is imported."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from homebox_async.emulator import Address, Fault, misbehave
from homebox_async.emulator.routing import json_answer
from homebox_async.importer import import_readings

from .tenancies import LEAD, VOID, VOIDS, lead, leads, posts, void, voids, write

CREATE = ("POST", "/api/partner/property")
READ = ("POST", "/api/partner/property/{property_id}/readings")


@attrs.frozen
class Kind:
    """What is imported, how it is created, and how many records there are."""

    to: tuple[str, str]
    run: Callable[[Any], Any]
    there: Callable[[Any], int]
    listed: bool = True


def _properties(bench: Any) -> Any:
    bench.write(2)
    return bench.start(concurrency=1)


def _leads(bench: Any) -> Any:
    write(bench, [lead(1), lead(2)])
    return leads(bench, concurrency=1)


def _voids(bench: Any) -> Any:
    write(bench, [void(1, home=1), void(2, home=2)], VOIDS)
    return voids(bench, confirm=2, concurrency=1)


def _readings(bench: Any) -> Any:
    bench.write(lines=["1,gas,1,2026-11-01", "1,gas,2,2026-11-02"], header=READINGS)
    return import_readings(
        bench.client(), bench.path, settle=0.05, results=bench.folder, concurrency=1
    )


READINGS = "property_id,utility,reading,date"
KINDS = {
    "properties": Kind(
        CREATE, _properties, lambda bench: sum(bench.references[f"R{n}"] for n in (1, 2))
    ),
    "leads": Kind(LEAD, _leads, lambda bench: len(list(bench.emulator.store.leads))),
    "voids": Kind(VOID, _voids, lambda bench: 0, listed=False),
    "readings": Kind(READ, _readings, lambda bench: len(list(bench.emulator.store.readings))),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest, bench: Any) -> Kind:
    """Return a kind; the emulator has what voids and readings are of."""
    chosen: Kind = request.param
    if chosen.to in {VOID, READ}:
        for n in range(1, 3):
            home = Address(f"{n} Home Street", None, "Leeds", None, "LS1 1AA", None)
            bench.emulator.store.add_property(home, f"H{n}")
    return chosen


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not-done"])
@pytest.mark.parametrize(
    "body",
    [{}, [], {"data": {}}, {"data": []}, {"data": {"id": None}}, {"success": False}],
    ids=["object", "list", "data", "no-data", "null", "failure"],
)
async def test_no_record(
    bench: Any, kind: Kind, body: Any, is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is looked up: found, or unknown, or sent again where the server said no."""

    async def answer(exchange: Any) -> Any:
        if is_done:
            exchange.process()
        return json_answer(200, body)

    monkeypatch.setitem(misbehave._ACTS, "garbage", answer)  # type: ignore[arg-type]
    bench.script(None, Fault("garbage"), on=kind.to)
    report = await kind.run(bench)
    counts = (report.created, report.adopted, report.unknown)
    if not kind.listed:
        assert ((1, 0, 1), 2) == (counts, posts(bench, kind.to))
        return
    if is_done:
        assert ((1, 1, 0), 2) == (counts, posts(bench, kind.to))
    elif body == {"success": False}:
        assert ((2, 0, 0), 3) == (counts, posts(bench, kind.to))
    else:
        assert ((1, 0, 1), 2) == (counts, posts(bench, kind.to))
    assert report.created + report.adopted == kind.there(bench)
