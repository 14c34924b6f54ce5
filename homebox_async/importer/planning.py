"""Before anything is sent: every row is checked, and what is there already is adopted."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from ..client import AsyncHomebox
from ..errors import RequestError
from .columns import Columns, PropertyRow
from .course import Course
from .journal import Journal, Planned, State
from .reconcile import identity_of, sweep
from .report import Emit, RowResult
from .sources import Source, SourceError

_GENERATED = "hbx-"  # how `Columns` begins the references that it makes
_ADOPT_CHUNK = 1_000


async def plan(
    source: Source,
    columns: Columns,
    journal: Journal,
    partition: tuple[int, int],
    progress: Callable[[int], None],
) -> bool:
    """Check every row and write all of them to the journal, before anything is sent.

    Returns whether the rows were planned now, and not in an earlier run.
    """
    now = not journal.planned
    if now:
        await journal.plan(_planned(source, columns, journal, partition), progress)
    generates = columns.generate_references
    repeated = await journal.duplicate_references(limit=-1, but=_GENERATED if generates else "")
    if repeated:
        reference, numbers = repeated[0]
        more = f" (and {len(repeated) - 1} references more)" if len(repeated) > 1 else ""
        listed = ", ".join(map(str, numbers[:5]))
        raise SourceError(
            f"{source.name}: rows {listed} have the same reference {reference!r}{more}; "
            "make each reference unique, or import with --generate-references and without"
            " these (--map property_reference=)"
        )
    if generates:
        await journal.reject_repeats(_GENERATED)
    return now


def _planned(
    source: Source, columns: Columns, journal: Journal, partition: tuple[int, int]
) -> Iterator[Planned]:
    part, parts = partition
    for row in source.rows():
        made = columns.read(row)
        if isinstance(made, PropertyRow):
            if parts == 1 or _partition(made.property_reference, parts) == part:
                digest = journal.digest(row.cells)
                yield Planned(row.number, digest, made.property_reference, made.key)
        elif row.number % parts == part:
            yield Planned(row.number, journal.digest(row.cells), "", "", made)


def _partition(reference: str, parts: int) -> int:
    """Say which partition a reference falls into: the same one anywhere, in any run."""
    return zlib.crc32(reference.encode()) % parts


async def adopt(lists: AsyncHomebox, journal: Journal, course: Course, emit: Emit) -> None:
    """Take over the properties that carry a reference of the input already.

    So a portfolio can be imported again after its file was changed or its journal lost.
    It is done once, before anything is sent: afterwards, the journal knows what is there.
    """
    if journal.compared and await journal.touched():
        return
    course.phase = "comparing"
    try:
        compared = await course.unless_drained(_compare(lists, journal))
    except RequestError as error:
        course.fail(error)
        return
    if not compared:
        return
    last = 0
    while entries := await journal.matched(after=last, size=_ADOPT_CHUNK):
        last = entries[-1].number
        for entry in entries:
            number, found = entry.number, entry.property_id
            journal.record(number, State.ADOPTED, property_id=found)
            await emit(RowResult(number, State.ADOPTED, entry.reference, found or None))
    await journal.set_compared()


async def _compare(lists: AsyncHomebox, journal: Journal) -> bool:
    async for page in sweep(lists):
        await journal.match(
            [(one, identity_of(found)) for found in page for one in found.references]
        )
    return True
