"""What people ask and decide: where imports stand, what was sent before, what a row really is."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import attrs

from ..client import AsyncHomebox
from ..errors import ConfigurationError, NotFound
from ..evidence import IdSet, is_id
from ..identity import target_of
from ..models import Model
from ..pages import Pages
from .journal import Entry, Journal, JournalError, State
from .ledger import Known, Ledger, LedgerError, Standing, open_ledger
from .ledger_claims import mark_of
from .ledger_store import LedgerStore
from .opening import read_facts
from .options import ImportOptions
from .readings import Readings
from .results import fix_of, result_paths, write_results
from .sources import Source, SourceError, open_source
from .whole_lists import read_whole

INPUT = "input"
"""The name under which a journal keeps what it is the journal of, and how that is read."""

_SETTLED_BY_PEOPLE: tuple[State, ...] = (State.UNKNOWN, State.REJECTED, State.PENDING)
_AT_ONCE = 1_000


@attrs.frozen(kw_only=True)
class JournalStatus:
    """Where one import stands: rows by state, the unknown ones, and its result files.

    `note`: why the result files were not written, "" if they were.
    """

    journal: Path
    kind: str
    account: str
    counts: Mapping[State, int]
    unknown: tuple[Entry, ...]
    files: Mapping[str, Path]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return {
            "journal": str(self.journal),
            "kind": self.kind,
            "account": self.account,
            **{state.name.lower(): number for state, number in self.counts.items()},
            "rows": [
                {"row": one.number, "error": one.error, "fix": one.fix} for one in self.unknown
            ],
            "files": {kind: str(path) for kind, path in self.files.items()},
            "note": self.note,
        }


@attrs.frozen(kw_only=True)
class Sent:
    """What one journal has sent to an account: items by what is known of them."""

    kind: str
    journal: str
    first: float
    last: float
    counts: Mapping[Standing, int]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        counts = {state.name.lower(): number for state, number in self.counts.items()}
        return {**attrs.asdict(self, recurse=False), "counts": counts}


async def import_status(journal: str | PathLike[str]) -> JournalStatus:
    """Return where an import stands, and write its result files; nothing is sent.

    Raises JournalError where the journal cannot be read, or an import is using it.
    """
    path = Path(journal)
    async with reopened(path) as (opened, facts):
        counts = await opened.counts()
        unknown = await opened.page([State.UNKNOWN], after=0, size=_AT_ONCE)
        files, note = await _written(opened, facts["kind"])
    return JournalStatus(
        journal=path,
        kind=facts["kind"],
        account=facts["target"],
        counts=counts,
        unknown=tuple(one._replace(fix=fix_of(one, opened)) for one in unknown),
        files=files,
        note=note,
    )


async def import_history(
    client: AsyncHomebox, *, ledger: str | PathLike[str] | None = None
) -> list[Sent]:
    """Return what was sent to the client's account from here, by kind and journal."""
    async with _ledger_of(client, ledger) as opened:
        return [Sent(**line) for line in await opened.run(lambda store: store.journals())]


async def resolve_row(
    client: AsyncHomebox,
    journal: str | PathLike[str],
    row: int,
    *,
    id: int | None = None,
    not_there: bool = False,
    confirm: int | None = None,
    ledger: str | PathLike[str] | None = None,
) -> State:
    """Enter what a person has found out of a row; return the state that it has now.

    `id`: what it is at Homebox; where Homebox can be asked for one by its id, it is.
    `not_there`: Homebox does not have it, so that the next run sends it. `confirm`: the number of
    the row, repeated: needed for leads and voids with `not_there`, which reach people.
    Raises ConfigurationError for what makes no sense, NotFound where there is no such id.
    """
    if (id is None) is not not_there:
        raise ConfigurationError("give the id of the row at Homebox, or not_there, and not both")
    if id is not None and not is_id(id):
        raise ConfigurationError(f"{id} is no id; give that of the row at Homebox")
    async with reopened(Path(journal)) as (opened, facts), _ledger_of(client, ledger) as known:
        target = (await target_of(client)).name
        if facts["target"] != target:
            raise JournalError(
                f"{journal}: is the journal of an import into {facts['target']}, not {target};"
                " use that one's API key and address"
            )
        entry = await _entry(opened, row)
        kind = facts["kind"]
        allowed = _SETTLED_BY_PEOPLE
        if kind == "voids" and not_there:
            allowed = (*allowed, State.ADOPTED)  # sent before; a person wants it again
        if entry.state not in allowed:
            raise JournalError(
                f"{journal}: row {row} is {entry.state.name.lower()}; there is nothing to settle"
            )
        if id is not None:
            await _check_id(client, opened, kind, row, id)
        elif kind in ("leads", "voids") and confirm != row:
            raise ConfigurationError(
                "if Homebox has it after all, people are contacted twice; to confirm, repeat the"
                f" number of the row: {row}"
            )
        state = State.PENDING if id is None else State.ADOPTED
        # First the ledger: a row that the journal would send must not be held there.
        standing = Standing.NOT_SENT if id is None else Standing.MATCHED
        mark = mark_of(opened)
        await known.run(lambda store: store.decide(mark, row, standing, id))
        await opened.take(lambda reader: reader.decide(row, state, id))
        return state


async def find_missing(
    client: AsyncHomebox, *, ledger: str | PathLike[str] | None = None
) -> list[Known]:
    """Return what was sent from here, and Homebox's complete lists do not show.

    Raises LedgerError where a list could not be read completely.
    """
    missing: list[Known] = []
    lists: Mapping[str, Any] = {"properties": client.properties, "leads": client.leads}
    async with _ledger_of(client, ledger) as opened:
        for kind, resource in lists.items():
            done = await opened.run(functools.partial(LedgerStore.done, kind=kind))
            if done:
                seen = await _ids(kind, resource.list)
                missing += [known for known in done if known.id is None or known.id not in seen]
        if missing:
            # What was sent for a home that is gone is gone with it: no list shows it.
            missing += await opened.run(lambda store: store.unlisted(lists, missing))
    return missing


async def forget_sent(
    client: AsyncHomebox,
    items: list[Known] | None = None,
    *,
    ledger: str | PathLike[str] | None = None,
) -> int:
    """Forget what was sent from here, all of it or some items; return how many.

    What is forgotten and still there is found in Homebox's lists, voids excepted.
    """
    numbers = None if items is None else [known.item for known in items]
    async with _ledger_of(client, ledger) as opened:
        return await opened.run(lambda store: store.forget(numbers))


@contextlib.asynccontextmanager
async def reopened(path: Path) -> AsyncIterator[tuple[Journal, Mapping[str, str]]]:
    """Open a journal that is there, whatever it is of."""
    facts = await asyncio.to_thread(read_facts, path)
    async with await Journal.open(
        path, kind=facts["kind"], fingerprint=facts["fingerprint"], target=facts["target"]
    ) as journal:
        yield journal, facts


async def _entry(journal: Journal, row: int) -> Entry:
    [*found] = await journal.page(list(State), after=row - 1, size=1)
    if not found or found[0].number != row:
        raise JournalError(f"{journal.path}: has no row {row}")
    return found[0]


async def _check_id(client: AsyncHomebox, journal: Journal, kind: str, row: int, id: int) -> None:
    others = await journal.take(lambda reader: reader.with_id(id))
    if others := [number for number in others if number != row]:
        raise JournalError(f"{journal.path}: {id} is the id of row {others[0]} already")
    get: Any = {"properties": client.properties.get, "leads": client.leads.get}.get(kind)
    if get is not None:
        try:
            await get(id)
        except NotFound:
            raise JournalError(
                f"{journal.words.one} {id} is not among those of this account; look again"
            ) from None


async def _written(journal: Journal, kind: str) -> tuple[Mapping[str, Path], str]:
    """Write the result files of a journal, if its input is where it was."""
    kept = await journal.kept(INPUT)
    if kept is None:
        return {}, "its input was no file; what it has is in the journal only"
    try:
        source = await asyncio.to_thread(_input, kept, kind)
    except SourceError as error:
        return _there(Path(kept["stem"])), f"the result files were not written: {error}"
    journal.account_options = kept["account_options"]
    with contextlib.closing(source):
        files = await write_results(journal, source, Path(kept["stem"]), leniently=True)
    return files, ""


def _input(kept: Mapping[str, Any], kind: str) -> Source:
    """Open the input of a journal as its import has read it."""
    source = open_source(
        kept["path"],
        delimiter=kept["delimiter"],
        encoding=kept["encoding"],
        sheet=kept.get("sheet"),  # journals of before have none
        names=kept["names"],
    )
    if kind != Readings.name:
        return source
    try:
        return Readings().arranged(source, ImportOptions(mapping=kept.get("mapping", {})))
    except BaseException:
        source.close()
        raise


def _there(stem: Path) -> Mapping[str, Path]:
    places = [*result_paths(stem).items(), *result_paths(stem, workbooks=True).items()]
    return {kind: path for kind, path in places if path.exists()}


async def _ids(kind: str, make: Any) -> IdSet:
    seen = IdSet()

    async def add(page: Any) -> None:
        for one in page:
            if isinstance(one, Model) and isinstance(identity := getattr(one, "id", None), int):
                seen.add(identity)

    def pages() -> Pages[Any]:
        made: Pages[Any] = make()
        return made

    complete = await read_whole(pages, add)
    if not complete.complete:
        raise LedgerError(
            f"the list of {kind} could not be read completely ({complete.reason}), so that nothing"
            " is forgotten; try again"
        )
    return seen


@contextlib.asynccontextmanager
async def _ledger_of(
    client: AsyncHomebox, folder: str | PathLike[str] | None
) -> AsyncIterator[Ledger]:
    target = await target_of(client)
    named = None if folder is None else Path(folder)
    ledger = await open_ledger(target, named)
    if ledger is None:
        raise LedgerError("no ledger can be kept here; name a folder, with --ledger")
    try:
        yield ledger
    finally:
        await ledger.close()
