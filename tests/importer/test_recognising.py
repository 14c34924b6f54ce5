"""One ledger for all imports of an account: other files, folders, journals and processes."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Address, Assumed, Fault
from homebox_async.identity import target_of
from homebox_async.importer import LedgerError, State, import_history, ledger_claims, resolve_row
from homebox_async.importer.ledger import Claim, Ledger, Said, Ticket

from .tenancies import VOID, VOIDS, posts, void, voids, write


@pytest.mark.parametrize("lag", [0.0, 0.4], ids=["listed", "lagging"])
async def test_another_journal(bench: Any, lag: float) -> None:
    """The same rows with another journal are recognised, also while the list lags behind."""
    bench.emulator.assumed = bench.emulator.store._assumed = Assumed(list_lag=lag)
    bench.write(20)
    assert (await bench.report(settle=2 * lag)).done
    again = await bench.report(settle=2 * lag, journal=bench.folder / "b.journal")
    assert (20, 0, True) == (again.adopted, again.sent, again.done)
    assert bench.expected(20) == bench.references


async def test_corrected_copy(bench: Any) -> None:
    """A copy with a row corrected and rows added continues: only these are sent."""
    lines = ["1 High Street,Leeds,LS1 1AA,R1", ",Leeds,LS1 1AA,R2"]
    bench.write(0, lines)
    assert 1 == (await bench.report()).created
    lines[1] = "2 High Street,Leeds,LS1 1AA,R2"
    bench.write(0, [*lines, "3 High Street,Leeds,LS1 1AA,R3"])
    report = await bench.report(journal=bench.folder / "b.journal")
    assert (1, 2, 2) == (report.adopted, report.created, report.sent)
    assert bench.expected(3) == bench.references


async def test_two_at_once(bench: Any) -> None:
    """Two imports of the same rows at once, with journals of their own, share the work."""
    bench.write(60)
    bench.script(*[None, Fault.named("drop-after"), Fault.named("drop-before")] * 20)
    journals = [bench.folder / f"{name}.journal" for name in "ab"]
    runs = [bench.start(settle=0.5, journal=journal) for journal in journals]
    for report in await asyncio.gather(*(run.wait() for run in runs)):
        assert (report.created + report.adopted, report.done) == (60, True)
    assert bench.expected(60) == bench.references


async def test_taken_over(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row whose claim stands no more when its request is to leave is looked up, not sent."""
    bench.write(1)
    asked: list[int] = []

    def holds(ledger: Ledger, ticket: Any) -> bool:
        asked.append(ticket.item)
        return len(asked) > 1

    monkeypatch.setattr(Ledger, "holds", holds)
    assert (await bench.report()).done
    assert (2, 1) == (len(asked), bench.posts)


async def test_sent_after_the_look_up(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that another import sends after this one has looked it up is not sent by this one.

    A claim may wait for its turn for long, so it is taken over before the look-up that counts.
    """
    bench.write(1)
    target = await target_of(bench.client())
    other = await Ledger.open(target.name, emulator=target.emulator)
    said = Said(keys=("ref R1",), home="h")
    [ticket] = await other.claim("properties", "other.journal", [Claim(1, said)])
    assert isinstance(ticket, Ticket)
    claim = ledger_claims.LedgerClaims.claim
    home = Address("1 High Street", None, "Leeds", None, "LS2 1AA")

    async def claimed(self: Any, items: Any) -> Any:
        if other.holds(ticket):
            bench.emulator.store.add_property(home, "R1")
        return await claim(self, items)

    monkeypatch.setattr(ledger_claims.LedgerClaims, "claim", claimed)
    report = await bench.report(settle=0.2)
    await other.close()
    assert (1, 0, True) == (report.adopted, bench.posts, report.done)
    assert bench.expected(1) == bench.references


async def test_never_sent_by_the_other(bench: Any) -> None:
    """A row that an import claimed which then died is sent by the next one, once."""
    bench.write(3)
    target = await target_of(bench.client())
    other = await Ledger.open(target.name, emulator=target.emulator)
    said = [Said(keys=(f"ref R{n}",), home="h") for n in (1, 2)]
    await other.claim("properties", "dead.journal", [Claim(n, one) for n, one in enumerate(said)])
    await other.close()
    report = await bench.report(settle=0.2)
    assert (3, 3, True) == (report.created, bench.posts, report.done)


async def test_new_ledger_waits(bench: Any) -> None:
    """Two that have no ledger in common: the second waits until the first one's rows show."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(list_lag=0.3, shows_instance=False))
    bench.write(9)
    assert (await bench.report(settle=0.4)).done
    elsewhere = {"ledger": bench.folder / "elsewhere", "journal": bench.folder / "b.journal"}
    run = bench.start(settle=0.6, **elsewhere)
    report = await run.wait()
    [said] = run.said
    assert said.startswith("the ledger of this account is new here")
    assert (9, 0) == (report.adopted, report.sent)
    again = bench.start(settle=60.0, **{**elsewhere, "journal": bench.folder / "c.journal"})
    assert (await again.wait()).done  # the ledger is not new any more


async def test_no_ledger(
    bench: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the platform's folder cannot be used, that is said; a named one is an error."""
    (tmp_path / "file").touch()
    bench.write(2)
    monkeypatch.delenv("HOMEBOX_STATE")
    monkeypatch.setattr("homebox_async.importer.ledger.default_folder", lambda: tmp_path / "file")
    with caplog.at_level(logging.WARNING, "homebox_async"):
        assert (await bench.report()).done
    assert "no ledger is kept" in caplog.text
    with pytest.raises(LedgerError, match="no ledger can be kept there"):
        await bench.report(ledger=tmp_path / "file", journal=bench.folder / "b.journal")


async def test_moved_journal(bench: Any) -> None:
    """A person's decision reaches the ledger from a journal that was moved."""
    address = Address("1 High Street", None, "Leeds", None, "LS1 1AA")
    bench.emulator.store.add_property(address, "R1")
    write(bench, [void(1, home=1)], VOIDS)
    bench.script(Fault.named("drop-before"), on=VOID)
    report = await voids(bench)
    moved = report.journal.rename(bench.folder / "moved.journal")
    async_client = bench.client()
    state = await resolve_row(async_client, moved, 1, not_there=True, confirm=1)
    assert State.PENDING is state
    assert (await voids(bench, journal=moved)).done
    assert 2 == posts(bench, VOID)
    [sent] = await import_history(async_client)
    assert ["created"] == [state.name.lower() for state in sent.counts]


async def test_same_lead_with_other_details(bench: Any) -> None:
    """What shares a key and says otherwise is never sent by itself once it was sent before."""
    bench.write(0, ["1 High Street,Leeds,LS1 1AA,R1"])
    assert (await bench.report()).done
    bench.write(0, ["2 Low Road,York,YO1 1AA,R1"])
    report = await bench.report(journal=bench.folder / "b.journal", adopt_existing=False)
    assert (0, 1, 1) == (report.created, report.unknown, bench.posts)


def test_words() -> None:
    """What stands against a row says when and from where it was sent."""
    from homebox_async.importer.ledger import Known, Standing

    known = Known(1, "leads", Standing.CLAIMED, 1, True, None, None, "/x/a.journal", 7, 0.0, 0.0)
    assert "as row 7 of /x/a.journal" in ledger_claims.why_held(known, "lead")


async def test_account_without_a_name(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Where the server does not say which account it is, no ledger is shared with others."""
    bench.write(2)
    bench.script(Fault.named("404"), on=("GET", "/api/partner/account"))
    with caplog.at_level(logging.WARNING, "homebox_async"):
        report = await bench.report()
    assert report.created == 2
    assert "does not say which account this is" in caplog.text


@pytest.mark.parametrize("offset", [0, 700], ids=["same", "apart"])
async def test_tenancy_of_a_void(bench: Any, offset: int) -> None:
    """The ledger has both ids of a void: its own, and that of the tenancy inside of it."""
    bench.emulator.assumed = Assumed(inner_tenancy_id_offset=offset)
    bench.emulator.store.add_property(Address("1 High Street", None, "Leeds", None, "LS1 1AA"), "R")
    write(bench, [void(1, home=1)], VOIDS)
    assert (await voids(bench)).done
    target = await target_of(bench.client())
    ledger = await Ledger.open(target.name, emulator=target.emulator)
    [known] = await ledger.run(lambda store: store.done("voids"))
    await ledger.close()
    row = next(iter(bench.emulator.store.tenancies))
    assert (row.id, row.id + offset) == (known.id, known.tenancy_id)


@pytest.mark.parametrize("how", ["deleted", "replaced", "emptied"])
async def test_ledger_that_goes_away(bench: Any, how: str) -> None:
    """Without the ledger that others see, nothing more is sent; the next run ends well."""
    bench.write(40)
    target = await target_of(bench.client())
    async with await Ledger.open(target.name, emulator=target.emulator) as ledger:
        path = ledger.path

    def move_away() -> None:
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()

    def go() -> None:
        if how == "emptied":
            path.write_bytes(b"")
            return
        move_away()
        if how == "replaced":
            path.touch()

    run = bench.start(settle=0.3, concurrency=1, adopt_existing=False)

    async def disturbed() -> None:
        async with run:
            async for _ in run:
                go()
                await run.wait()

    with pytest.raises(LedgerError, match=r"the ledger (was deleted or replaced|is damaged)"):
        await disturbed()
    assert run.report is not None
    assert bench.posts < 40
    move_away()
    assert (await bench.report(settle=0.3)).done
    assert bench.expected(40) == bench.references
