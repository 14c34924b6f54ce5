"""How the commands of `homebox import` check, confirm, run and report."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import click

from ..client import AsyncHomebox
from ..errors import HomeboxError
from ..importer import Import, NotConfirmed, Preview, Report
from ..importer.sources import STDIN
from ..importer.streams import copied
from .confirm import check_can_ask, confirm, confirm_number
from .decisions import account_options
from .errors import Exit, exit_code, explained
from .interrupts import Interrupts, handled
from .output import Output
from .progress import Moment, View, followed, view_of
from .report import lines, next_step
from .root import typed
from .session import Connection
from .text import counted, one_line, say


@attrs.frozen
class _End:
    """How a run ended: with a report, perhaps after an interrupt, or a failure of this machine."""

    report: Report
    interrupted: bool
    failure: Exception | None = None


def _stdin(file: Path) -> BinaryIO | None:
    """Keep what stdin gives, where it is the input, as it is read more than once."""
    if str(file) != "-":
        return None
    if sys.stdin is None:
        raise click.UsageError("stdin (-) is closed; name a file")
    kept = copied(sys.stdin.buffer, STDIN)
    click.get_current_context().call_on_close(kept.close)
    return kept


@attrs.frozen(kw_only=True)
class Command:
    """An import as it was typed: `make`, the importer's function, and what it takes."""

    make: Callable[..., Import]
    connection: Connection
    output: Output
    file: Path
    options: dict[str, Any]
    resume: str = attrs.field(factory=lambda: typed(click.get_current_context()))
    account: str = attrs.field(factory=lambda: account_options(click.get_current_context()))
    stdin: BinaryIO | None = attrs.field(
        default=attrs.Factory(lambda self: _stdin(self.file), takes_self=True)
    )

    @property
    def source(self) -> Path | BinaryIO:
        """The input, from its start."""
        if self.stdin is None:
            return self.file
        self.stdin.seek(0)
        return self.stdin

    @property
    def name(self) -> str:
        """What the input is called."""
        return STDIN if self.stdin is not None else self.file.name

    def dry(self) -> Report:
        """Make a dry run; Ctrl-C simply ends it."""

        async def check(client: AsyncHomebox) -> Report:
            run = self.make(client, self.source, dry_run=True, **self.options)
            async with followed(run, view_of(self.output)):
                return await run

        return self.connection.run_offline(check)

    def check(self) -> Exit:
        """Make a dry run and show what it found."""
        report = self.dry()
        self._show(report)
        return Exit.FAILED if report.rejected else Exit.DONE

    def run_by_number(self, yes: int | None) -> Exit:
        """Run what reaches people once somebody has typed the number that says how many."""
        self._make_folder()
        if yes is not None:
            return self._ended(self._run(lambda view: {"confirm": yes}))
        if not self.connection.is_real:
            return self._ended(self._run_with(True))
        check_can_ask(self.connection, False, "--yes N")
        try:
            return self._ended(self._run_with(False))
        except NotConfirmed as asked:
            number = asked.preview.number
            confirm_number(self.connection, self._what(asked.preview), number)
        return self._ended(self._run(lambda view: {"confirm": number}))

    def run_by_word(self, yes: bool) -> Exit:
        """Run what only writes once somebody has said yes to what it was found to be."""
        self._make_folder()
        if yes or not self.connection.is_real:
            return self._ended(self._run_with(True))
        check_can_ask(self.connection, False)
        try:
            return self._ended(self._run_with(False))
        except NotConfirmed as asked:
            number = asked.preview.number
            confirm(self.connection, self._what(asked.preview), False)
        return self._ended(self._run(lambda view: {"confirm": number}))

    # --- how

    def _what(self, preview: Preview) -> str:
        return f"import {counted(preview.rows, 'row')} of {self.name}"

    def _run_with(self, answer: bool) -> _End:
        """Tell the preview, and go on or not; what was confirmed before needs no answer."""

        def confirm(view: View) -> dict[str, Any]:
            def tell(preview: Preview) -> bool:
                for line in preview.lines():
                    view.say(line)
                return answer

            return {"confirm": tell}

        return self._run(confirm)

    def _run(self, more: Callable[[View], dict[str, Any]]) -> _End:
        """Run to the report."""
        return self.connection.run(lambda client: self._import(client, more))

    async def _import(self, client: AsyncHomebox, more: Callable[[View], dict[str, Any]]) -> _End:
        view = view_of(self.output)
        run = self.make(client, self.source, **more(view), **self.options)
        run.account_options = self.account

        async def report() -> Report:
            return await run

        task = asyncio.create_task(report())
        interrupts = Interrupts(run, task, view.say)
        try:
            with handled(interrupts):
                async with followed(run, view):
                    return _End(await task, interrupts.count > 0)
        except NotConfirmed:
            view.say(f"checked {counted(run.rows, 'row')}: {Moment.of(run).counts or 'all good'}")
            raise
        except asyncio.CancelledError:
            if interrupts.count < 2:
                raise
            view.say(f"left at once; to go on: {self.resume}")
            raise click.Abort from None
        except (HomeboxError, OSError) as failure:
            if run.report is None or not run.report.sent:
                raise
            return _End(run.report, interrupts.count > 0, failure)

    def _ended(self, end: _End) -> Exit:
        report = end.report
        self._show(report)
        if end.failure is not None:
            told = explained(end.failure)
            say(f"error: {one_line(told[0] if told else str(end.failure))}", err=True)
            return Exit.BROKEN
        if end.interrupted:
            return Exit.INTERRUPTED
        return Exit.DONE if report.done and not report.stopped else exit_code(report.error)

    def _show(self, report: Report) -> None:
        # Whoever reads the report may have left; the exit code is still that of the import.
        with contextlib.suppress(BrokenPipeError):
            if not self.output.json:
                say(*lines(report, self.resume))
                return
            self.output.plain(report.as_dict())
        if not report.dry_run and (report.pending or report.unknown or report.stopped):
            say(next_step(report, self.resume), err=True)

    def _make_folder(self) -> None:
        results = self.options.get("results")
        try:
            if results is not None:
                results.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(
                f"--results {results}: no such folder can be made ({error.strerror}); name another"
            ) from None
