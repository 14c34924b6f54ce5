"""Rows from memory as sources."""

import datetime as dt
import decimal
import functools
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from homebox_async.importer import json_rows
from homebox_async.importer.sources import SourceError, open_source, spool

from .reading import cells, faults

MEMORY: list[Mapping[str, Any]] = [
    {"a": decimal.Decimal("1.50"), "b": dt.date(2024, 2, 29), "c": {"d": True}},
    MappingProxyType({"a": 7, "b": None, "c": MappingProxyType({"d": "x"})}),
]
MEMORY_CELLS = [["1.50", "2024-02-29", "true"], ["7", "", "x"]]


def test_open_iterable() -> None:
    """Any iterable of mappings is a source that can be read again."""
    source = open_source(iter(MEMORY))
    assert ("a", "b", "c.d") == source.columns
    assert "rows" == source.name
    assert source.path is None
    assert 2 == len(list(source.rows()))
    assert MEMORY_CELLS == cells(source)


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "sync"])
async def test_spool(asynchronous: bool) -> None:
    """An async iterable, and a plain one, can be spooled from within the loop."""

    async def rows() -> AsyncIterator[Mapping[str, Any]]:
        for row in MEMORY:
            yield row

    source = await spool(rows() if asynchronous else MEMORY, name="portfolio")
    assert "portfolio" == source.name
    assert MEMORY_CELLS == cells(source)


async def test_spool_list_value() -> None:
    """A list in a row is a fault of that row alone."""
    assert [2] == list(faults(await spool([{"a": 1}, {"a": [1]}, {"a": 2}])))


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], "there are no rows; give at least one"),
        ([{"a": 1}, "b"], "row 2 is str, not a mapping"),
        ([{"a": object()}], r"row 1 holds a value that is not plain \(object\); give texts"),
        ([{(1, 2): 1}], "row 1 holds a value that is not plain"),
    ],
    ids=["none", "not-a-mapping", "object", "key"],
)
async def test_bad_iterable(rows: list[Any], error: str) -> None:
    """Rows that no file could hold are told before anything is sent."""
    with pytest.raises(SourceError, match=error):
        await spool(rows)
    with pytest.raises(SourceError, match=error):
        open_source(rows)


async def test_iterable_that_fails() -> None:
    """What an iterable raises is raised as it is."""

    def rows() -> Iterator[Mapping[str, Any]]:
        yield {"a": 1}
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await spool(rows())


@pytest.mark.parametrize("rows", [1, 100_000], ids=["at-the-end", "between"])
async def test_spool_disk_full(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """A full temporary folder is named with the fix."""
    full = functools.partial(open, "/dev/full", "wb")
    monkeypatch.setattr(json_rows.tempfile, "TemporaryFile", lambda **_: full())
    with pytest.raises(SourceError, match=r"cannot be kept in .* \(No space left.*TMPDIR"):
        await spool({"a": "x" * 20} for _ in range(rows))


async def test_spool_without_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A temporary folder that is gone is told as a full one."""
    monkeypatch.setattr(json_rows.tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="cannot be kept in"):
        await spool([{"a": 1}])
