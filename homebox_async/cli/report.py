"""The report of an import, for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..importer import Report
from ..importer.words import WORDS
from .errors import explained
from .text import counted, duration, one_line

_SENT = ("created", "unknown")


def lines(report: Report, resume: str) -> Iterator[str]:
    """Give the lines of a report; `resume` is the command that resumes the import."""
    if report.dry_run:
        yield from _dry(report)
        return
    yield "all done" if report.done and not report.stopped else "not everything is done"
    found = (
        (report.reconciled, "found after a lost answer"),
        (report.by_address, "matched by address"),
    )
    adopted = ", ".join(f"{number:,} of them {how}" for number, how in found if number)
    for name, number, more in (
        ("rows", report.rows, ""),
        ("created", report.created, ""),
        ("adopted", report.adopted, f"   {adopted}" if adopted else ""),
        ("rejected", report.rejected, ""),
        ("unknown", report.unknown, f"   {WORDS[report.kind].unknown}"),
        ("not sent", report.pending, ""),
    ):
        yield f"  {name:<9} {number:>9,}{more if number else ''}"
    yield from _noted(report)
    yield f"time: {duration(report.seconds)}, {report.rate:,.1f} requests a second"
    for kind, path in report.files.items():
        yield f"{kind}: {path}"
    yield f"journal: {report.journal}"
    if report.stopped:
        told = None if report.error is None else explained(report.error)
        yield f"stopped: {one_line(told[0] if told else report.stopped)}"
    if report.unknown:
        journal = shlex.quote(str(report.journal))
        yield f"to settle unknown rows yourself: homebox import status {journal}"
    if report.pending or report.unknown or report.stopped:
        yield next_step(report, resume)
    elif "rejects" in report.files:
        yield f"to do: correct {report.files['rejects']} and import that file"


def next_step(report: Report, resume: str) -> str:
    """Say what to do with rows that have no end yet."""
    if report.kind == "voids" and not report.journal.exists():
        sent = " and ".join(str(report.files[kind]) for kind in _SENT if kind in report.files)
        return f"to do: take the rows of {sent} out of the input, which are sent; then: {resume}"
    if report.kind == "voids" and not report.pending and "unknown" in report.files:
        return f"to do: ask Homebox whether the voids of {report.files['unknown']} are there"
    return f"to go on: {resume}"


def _dry(report: Report) -> Iterator[str]:
    yield (
        f"dry run: {counted(report.rows, 'row')}; {report.pending:,} can be sent,"
        f" {report.rejected:,} would be rejected; nothing was sent"
    )
    yield from _noted(report)
    if report.preview is not None and report.preview.rows:
        yield from report.preview.lines()
        if report.kind != "readings":
            yield f"to confirm: --yes {report.preview.number}"


def _noted(report: Report) -> Iterator[str]:
    yield from map(one_line, report.notes)
    yield from _repeated(report)


def _repeated(report: Report) -> Iterator[str]:
    if report.repeated_addresses:
        groups = "; ".join(report.repeated_at[:3])
        rows = counted(report.repeated_addresses, "row repeats", "rows repeat")
        yield f"repeated addresses: {rows} the address of an earlier one ({groups})"
