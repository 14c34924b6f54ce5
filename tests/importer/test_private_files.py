"""The files that an import leaves are for who ran it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from homebox_async import AsyncHomebox
from homebox_async.emulator import Emulator
from homebox_async.importer import import_properties


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Let files be readable for all, unless they are made otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    """Journal and the emulator's state: they hold or name real homes."""
    source = tmp_path / "in.csv"
    source.write_text(
        "line1,city,postcode,reference\n1 High St,Leeds,LS1 1AA,A1\n2 High St,Leeds,LS1,A2\n"
    )
    async with (
        Emulator(state=tmp_path / "state.jsonl") as emulator,
        AsyncHomebox(emulator.token, base_url=emulator.url) as client,
    ):
        await import_properties(client, source, results=tmp_path)

    made = {path.name: path.stat().st_mode for path in tmp_path.iterdir() if path != source}
    assert {"in.created.csv", "in.rejects.csv", "in.journal", "state.jsonl"} == set(made)
    private = {name: stat.S_IMODE(made[name]) for name in ("in.journal", "state.jsonl")}
    assert {0o600} == {*private.values()}
