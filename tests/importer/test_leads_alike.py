"""Leads that are alike: shared houses, joint tenants, the same tenant twice, overlapping stays."""

import csv
from pathlib import Path
from typing import Any

import pytest

from homebox_async.emulator import Assumed, Fault
from homebox_async.importer import NotConfirmed, SourceError
from homebox_async.importer.lead_matching import phone_digits

from .tenancies import LATER, LEAD, lead, leads, posts, texted, write

HMO = (
    "property_reference,line1,line2,city,postcode,first_name,last_name,email,phone,"
    "tenancy_start,tenancy_end"
)
ANN = "HMO-5,{},5 College Road,Leeds,LS6 1AB,Ann,Example,ann@example.com,{},2026-12-01,2027-06-30"
BO = "HMO-5,{},5 College Road,Leeds,LS6 1AB,Bo,Example,bo@example.com,{},2026-12-01,{}"


def ann(room: str = "Room 1", phone: str = "+447700900123") -> str:
    """Return the row of a tenant."""
    return ANN.format(room, phone)


def bo(room: str = "Room 2", phone: str = "+447700900124", end: str = "2027-06-30") -> str:
    """Return the row of another tenant."""
    return BO.format(room, phone, end)


def afresh(bench: Any) -> dict[str, Any]:
    """Return the options of an import that knows of no earlier one."""
    return {"journal": bench.folder / "b.journal", "ledger": bench.folder / "b"}


def told(path: Path) -> list[dict[str, str]]:
    """Return the rows of a result file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("fault", [None, "drop-after", "drop-before"])
async def test_rooms_of_a_house(bench: Any, fault: str | None) -> None:
    """Two rooms with one reference are two leads, whatever answers are lost."""
    write(bench, [ann(), bo()], header=HMO)
    if fault:
        bench.script(*[Fault.named(fault)] * 2, on=LEAD)
    report = await leads(bench)
    assert (2, True) == (report.created + report.adopted, report.done)
    assert 2 == len({row["lead_id"] for row in told(report.files["created"])})


async def test_rooms_of_the_file(bench: Any) -> None:
    """The two rooms of the file are two leads, and both tenants are texted at most once."""
    source = Path(__file__).parents[1] / "data" / "cases" / "people" / "hmo-same-reference.csv"
    report = await leads(bench, source=source)
    assert (2, True, 2) == (report.created, report.done, posts(bench))


async def test_rooms_in_two_files(bench: Any) -> None:
    """The second room's tenant is sent, though the first has a lead of the same reference."""
    write(bench, [ann()], header=HMO)
    await leads(bench)
    write(bench, [bo()], header=HMO)
    report = await leads(bench, **afresh(bench))
    assert (1, 0, 2) == (report.created, report.adopted, posts(bench))


async def test_one_question(bench: Any) -> None:
    """Different tenants of one home from one day are joint or separate: nothing is guessed."""
    write(bench, [ann("Room 1"), bo("room 1"), ann("Room 3")], header=HMO)
    with pytest.raises(SourceError, match=r"lines 2 and 3 have the same home .* --tenants joint"):
        await leads(bench)
    assert 0 == posts(bench)


@pytest.mark.parametrize("fault", [None, "drop-after", "drop-before", "500-after"])
async def test_joint_tenants(bench: Any, fault: str | None) -> None:
    """Rows of joint tenants become one lead; each row has its id, in every run."""
    write(bench, [ann("Room 1"), lead_of_another(), bo("Room 1")], header=HMO)
    bench.script(fault and Fault.named(fault), on=LEAD)
    report = await leads(bench, tenants="joint", concurrency=1)
    assert (3, True) == (report.created + report.adopted, report.done)
    assert [1, 2] == sorted(len(one.tenants) for one in bench.emulator.store.leads)
    rows = {row["row"]: row["lead_id"] for row in told(report.files["created"])}
    assert rows["1"] == rows["3"] != rows["2"]
    again = await leads(bench, tenants="joint", **afresh(bench))
    assert (3, 0, True) == (again.adopted, again.sent, again.done)


def lead_of_another() -> str:
    """Return a row of another house."""
    return ann().replace("HMO-5", "HMO-6").replace("5 College", "6 College").replace("ann@", "al@")


async def test_joint_tenants_resumed(bench: Any) -> None:
    """An import of joint tenants that was stopped resumes with all of them."""
    write(bench, [ann("Room 1"), bo("Room 1")], header=HMO)
    bench.script(Fault.named("401"), on=LEAD)
    stopped = await leads(bench, tenants="joint")
    assert (2, 0) == (stopped.pending, stopped.created)
    report = await leads(bench, tenants="joint")
    assert (2, True, 2) == (report.created, report.done, len(texted(bench)) or 2)
    assert [2] == [len(one.tenants) for one in bench.emulator.store.leads]


async def test_joint_tenants_refused(bench: Any) -> None:
    """Where the server refuses a joint lead, each of its rows is rejected with the reason."""
    write(bench, [ann("Room 1"), bo("Room 1")], header=HMO)
    bench.script(Fault.named("422"), on=LEAD)
    report = await leads(bench, tenants="joint")
    assert 2 == report.rejected
    one, other = told(report.files["rejects"])
    assert one["error"] == other["error"]


async def test_joint_tenants_that_differ(bench: Any) -> None:
    """Joint tenants share the end of the tenancy: a row that differs is rejected."""
    write(bench, [ann("Room 1"), bo("Room 1", end="2027-07-31")], header=HMO)
    report = await leads(bench, tenants="joint")
    assert (1, 1) == (report.created, report.rejected)
    row = told(report.files["rejects"])[0]
    assert "is of the same tenancy as line 2, with another tenancy_end" == row["error"]


@pytest.mark.parametrize("fault", [None, "drop-after", "drop-before"])
async def test_separate_tenants(bench: Any, fault: str | None) -> None:
    """Separate tenants of one address get a lead each, and are told apart by who they are."""
    write(bench, [ann("Room 1"), bo("Room 1")], header=HMO)
    if fault:
        bench.script(*[Fault.named(fault)] * 2, on=LEAD)
    report = await leads(bench, tenants="separate")
    assert (2, True) == (report.created + report.adopted, report.done)
    assert [1, 1] == [len(one.tenants) for one in bench.emulator.store.leads]
    again = await leads(bench, tenants="separate", **afresh(bench))
    assert (2, 0) == (again.adopted, again.sent)


@pytest.mark.parametrize("way", ["lower-case", "shortened"])
async def test_altered_reference(bench: Any, way: Any) -> None:
    """A lead whose reference comes back otherwise is a doubt: its tenant is not texted twice."""
    bench.emulator.assumed = Assumed(references_come_back=way)
    write(bench, [lead(1, ref="PORTFOLIO-1")])
    bench.script(Fault.named("drop-after"), on=LEAD)
    report = await leads(bench)
    assert (1, 1) == (report.unknown, posts(bench))
    assert "lead 1 may be it" in told(report.files["unknown"])[0]["error"]
    again = await leads(bench, **afresh(bench))
    assert (1, 1) == (again.unknown, posts(bench))
    assert {1} == set(texted(bench).values())


@pytest.mark.parametrize("way", ["upper-case", "spelt-out", "four-lines", "respaced"])
async def test_rewritten_addresses(bench: Any, way: Any) -> None:
    """A server that spells addresses otherwise leaves no row unknown."""
    bench.emulator.assumed = Assumed(addresses_come_back=way)
    lines = [lead(1, line1="Flat 2 17 High St"), lead(2, ref="", line1="Rose Cottage Mill Ln")]
    write(bench, lines)
    bench.script(Fault.named("drop-after"), on=LEAD)
    assert (await leads(bench)).done
    again = await leads(bench, **afresh(bench))
    assert (2, 0, True) == (again.adopted, again.sent, again.done)


async def test_one_tenant_of_two_homes(bench: Any) -> None:
    """A tenant who takes two homes on one day is not lost when both answers are."""
    write(bench, [lead(1), lead(1, ref="L9", line1="9 Low Road")])
    bench.script(*[Fault.named("drop-after")] * 2, on=LEAD)
    report = await leads(bench)
    assert (2, True, 2) == (report.adopted, report.done, posts(bench))


async def test_overlap_is_a_warning(bench: Any) -> None:
    """A tenancy that overlaps an earlier one is sent, and named in the preview."""
    write(bench, [lead(1)])
    await leads(bench)
    write(bench, [lead(2), lead(9, ref="L1", line1="1 High Street", start=LATER)])
    with pytest.raises(NotConfirmed, match=r"1 of them overlap an earlier .*\(line 3\)"):
        await leads(bench, confirm=None, **afresh(bench))
    report = await leads(bench, **afresh(bench))
    assert (2, 0) == (report.created, report.rejected)
    assert report.preview is not None
    assert (2,) == report.preview.overlaps


@pytest.mark.parametrize(
    "phone",
    ["+447700900123", "07700 900123", "0044 7700 900123", "+44 (0)7700-900123", "7700900123"],
)
def test_phone_digits(phone: str) -> None:
    """A British number is the same in every spelling."""
    assert "07700900123" == phone_digits(phone)


async def test_id_of_a_lead_whose_address_was_corrected(bench: Any) -> None:
    """A lead that the server gave as another row's, and shows otherwise, is not sent again."""
    await bench.emulator.aclose()
    await bench.serve(assumed=Assumed(addresses_come_back="corrected"))
    write(bench, [ann(), bo().replace("HMO-5", "HMO-6")], header=HMO)
    bench.script(Fault("drop-after"), Fault("other-id"), on=LEAD)
    report = await leads(bench, concurrency=1)
    assert (2, 0, 2) == (posts(bench), report.created, report.unknown)
    report = await leads(bench)
    assert 2 == posts(bench)
    assert ["lead 1 may be it", "lead 2 may be it"] == [
        row["error"].partition(":")[0] for row in told(report.files["unknown"])
    ]


def test_phone_digits_of_others() -> None:
    """Numbers of other countries keep their code."""
    assert "353861234567" == phone_digits("+353 86 123 4567")
    assert "" == phone_digits("none")
