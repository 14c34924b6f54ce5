"""What type checkers see of the imports; checked by mypy and pyright, never run."""

import asyncio
from typing import assert_type

from homebox_async import AsyncHomebox, Homebox
from homebox_async.importer import (
    BlockingImport,
    Import,
    Preview,
    Report,
    RowResult,
    import_leads,
    import_leads_sync,
    import_properties,
    import_readings,
    import_readings_sync,
    import_voids,
    import_voids_sync,
)


async def ask(preview: Preview) -> bool:
    """Ask somebody."""
    await asyncio.sleep(0)
    return assert_type(preview.number, int) < 9


async def async_imports(client: AsyncHomebox) -> None:
    """Check the async functions."""
    assert_type(import_leads(client, "a.csv", confirm=7), Import)
    assert_type(await import_leads(client, [{"a": 1}], confirm=ask, dates="dmy"), Report)
    assert_type(await import_voids(client, "a.csv", confirm=lambda preview: True), Report)
    assert_type(await import_readings(client, "a.csv", photos="photos"), Report)
    async with import_properties(client, "a.csv") as run:
        async for row in run:
            assert_type(row, RowResult)
            assert_type(row.id, int | None)
            assert_type(row.property_id, int | None)
    assert_type(run.preview, Preview | None)


def sync_imports(client: Homebox) -> None:
    """Check their sync twins."""
    assert_type(import_leads_sync(client, "a.csv", confirm=7), BlockingImport)
    assert_type(import_voids_sync(client, "a.csv", confirm=7).run(), Report)
    for row in import_readings_sync(client, "a.csv", photos="photos"):
        assert_type(row, RowResult)


def refused(client: Homebox) -> None:
    """Check what has to be refused."""
    import_leads_sync(client, "a.csv", confirm="7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    import_leads_sync(client, "a.csv", dates="us")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    import_leads_sync(client, "a.csv", photos="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
