"""What differs between the kinds of imports; the engine is the same for all.

A kind is a stateless value: how its columns are read, which request a row becomes, how a row
without an answer is found again, and what sending its rows sets off in the world.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any, ClassVar, Generic

from ..client import AsyncHomebox
from ..evidence import Completeness
from ..wire import Request
from .columns import Columns, R
from .finding import LookUp
from .journal import Journal
from .options import ImportOptions
from .preview import Tally
from .report import RowResult
from .sources import Source

Pending = Callable[[], AsyncIterator[list[R]]]
"""Gives the rows that are not sent yet, some at a time, anew with each call."""

Tell = Callable[[RowResult], Awaitable[None]]
"""Records what became of a row, and tells it."""


BY_ADDRESS = "address"
"""The `field` of a row that was matched by its address."""

OVERLAP = "overlap"
"""The `field` of a pending row whose tenancy overlaps an earlier one of its home."""


class Kind(abc.ABC, Generic[R]):
    """A kind of import.

    `name`: as it stands in the journal; `WORDS` has what it is called. `is_listed`: whether
    Homebox lists them, so that a row without an answer can be looked up. `must_confirm`: whether
    sending them reaches people, so that nothing is sent that nobody has confirmed.
    `tells_repeated_addresses`: whether rows with the same address are worth a line in the report.
    `column_names`: by which its columns are recognised, as `plain` leaves them.
    """

    name: ClassVar[str]
    is_listed: ClassVar[bool] = True
    must_confirm: ClassVar[bool] = False
    tells_repeated_addresses: ClassVar[bool] = False
    column_names: ClassVar[Collection[str]] = ()

    @abc.abstractmethod
    def recognise(self, columns: Sequence[str], options: ImportOptions) -> Columns[R]:
        """Find the fields among the columns of a source."""

    def arranged(self, source: Source, options: ImportOptions) -> Source:
        """Return the source with one row for each request; its own rows may be parts of one.

        It is opened, so this reads files: call it outside of the event loop.
        """
        return source

    async def prepare(self, client: AsyncHomebox, source: Source, columns: Columns[R]) -> None:
        """Look up at Homebox what is needed to read the rows; not for a dry run.

        Raises RequestError if that cannot be read.
        """
        return

    @abc.abstractmethod
    async def check_rows(
        self, source: Source, columns: Columns[R], journal: Journal, pending: Pending[R]
    ) -> None:
        """Refuse or reject what cannot be told from one row alone; all are in the journal."""

    @abc.abstractmethod
    async def compare(
        self, client: AsyncHomebox, journal: Journal, pending: Pending[R], tell: Tell
    ) -> Completeness:
        """Note in the journal which pending rows are at Homebox already, or may be.

        Returns whether that shows that the others are not there.
        """

    @abc.abstractmethod
    def request(self, client: AsyncHomebox, row: R) -> Request:
        """Return the request that a row becomes; its result has an `id`.

        Raises ValidationError if it cannot be made any more.
        """

    def echoed(self, made: Any, row: R) -> str:
        """Say what the server took otherwise than it was sent, "" if nothing.

        It would take all other rows so as well.
        """
        return ""

    def tenancy_of(self, made: Any) -> int | None:
        """Return the id of the tenancy that an answer shows next to its own, if it shows one."""
        return None

    async def peek(self, client: AsyncHomebox) -> None:
        """Read a little of what Homebox has; RequestError if it cannot be read."""
        await client.properties.list().first()

    async def evidence(self, client: AsyncHomebox, row: R) -> str:
        """Say what Homebox shows of a row that no list can show, for a person who decides."""
        return ""

    @abc.abstractmethod
    async def look_up(
        self,
        client: AsyncHomebox,
        rows: Collection[R],
        *,
        witnesses: Collection[int] = (),
        quick: bool = False,
    ) -> LookUp:
        """Return what was found for each row, and whether that shows that all else is absent.

        `witnesses`: ids that are known to be there, as those of other rows. `quick`: presence is
        enough, so that the whole list need not be read.
        Raises RequestError if what is there cannot be read.
        """

    def tally(self, columns: Columns[R]) -> Tally[R] | None:
        """Return what adds up the effects of rows, None where nothing is to be said of them."""
        return None
