"""Exit codes, and every failure as one line on stderr."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Callable, Iterator

import click

from .text import one_line, say


class Exit(enum.IntEnum):
    """What the exit code of `homebox` says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    BROKEN = 4
    INTERRUPTED = 130


EXIT_CODES = """

\b
Exit codes:
  0    all done
  1    some rows were rejected, unknown or not sent, or a request failed
  2    usage, or an input that cannot be used; nothing was sent
  3    stopped by authentication: the server answered 401 or 403
  4    rows were sent, then something on this machine failed: its disk, the journal, the input
  130  interrupted
"""


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; what goes wrong is told in one line."""
    try:
        code = command()
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.format_message(), err=True)
        return Exit.USAGE
    except click.ClickException as refused:
        return _tell(_worded(refused), refused.exit_code)
    except (click.Abort, KeyboardInterrupt) as interrupt:
        return _tell("; ".join(["interrupted", *_notes(interrupt)]), Exit.INTERRUPTED)
    except Exception as error:
        told = explained(error)
        if told is None:
            raise
        if isinstance(error, OSError):
            silence()
        return _tell(*told)
    return code if isinstance(code, int) else Exit.DONE


def explained(error: Exception) -> tuple[str, Exit] | None:
    """Return the line and the exit code for an error of ours or the system's, None for a bug."""
    # Here, because `homebox --help` must not wait for the client to be imported.
    from .. import errors
    from ..importer import ResultsError

    if isinstance(error, errors.RequestError):
        return f"{error}{_hint(error)}", exit_code(error)
    if isinstance(error, errors.HomeboxError):
        # Files that cannot be written undo nothing of what was sent.
        return str(error), Exit.FAILED if isinstance(error, ResultsError) else Exit.USAGE
    if isinstance(error, OSError):
        where = error.filename or "input or output failed"
        return f"{where}: {error.strerror or error}", Exit.FAILED
    return None


def exit_code(error: Exception | None) -> Exit:
    """Return the exit code for a request that failed."""
    from ..errors import AuthenticationFailed, PermissionDenied

    denied = isinstance(error, (AuthenticationFailed, PermissionDenied))
    return Exit.DENIED if denied else Exit.FAILED


def silence() -> None:
    """Send what is left in stdout nowhere, so that leaving Python does not fail on it again."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return  # it has no descriptor: nothing is flushed to a pipe


_HINTS = {
    "AuthenticationFailed": "check the token in HOMEBOX_TOKEN or --token-file",
    "PermissionDenied": "use the token of an account that may do this",
    "ConnectionFailed": "check the network, and --base-url or HOMEBOX_BASE_URL if you use it;"
    " `homebox doctor` looks closer",
    "AttemptTimeout": "give it longer with --timeout, or try again later",
    "DeadlineExceeded": "try again later",
    "NotFound": "check the id",
    "RateLimited": "try again later",
    "ServerError": "try again later",
    "OutcomeUnknown": "look whether it is there before you send it again",
}


def _hint(error: Exception) -> str:
    hint = _HINTS.get(type(error).__name__, "")
    return f"; {hint}" if hint else ""


def _worded(refused: click.ClickException) -> str:
    message = refused.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    if isinstance(refused, click.UsageError) and refused.ctx is not None:
        message += f" (see {refused.ctx.command_path} --help)"
    return message


def _notes(error: BaseException | None) -> Iterator[str]:
    """Give what the cancelled call told of its outcome."""
    while error is not None:
        yield from getattr(error, "__notes__", ())
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _tell(message: str, code: int) -> int:
    say(f"error: {one_line(message)}", err=True)
    return code
