"""Text from files and servers, made fit for a line on a terminal."""

from __future__ import annotations

import click


def one_line(text: str) -> str:
    """Return a text as one line that cannot drive the terminal: no line breaks, no escapes."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shown(text: str) -> str:
    """Return a text that cannot drive the terminal, with its spaces and tabs as they are."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else " " for c in text)


def say(*lines: object, err: bool = False) -> None:
    """Print lines, each of which stays one and moves no cursor, whatever it repeats."""
    for line in lines:
        click.echo(shown(str(line)), err=err)


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Return a number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def duration(seconds: float) -> str:
    """Return a time span: "12.3 s", "1:02:03"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def examples(*lines: str) -> str:
    """Return the section of examples at the end of a command's help."""
    # \b keeps click from wrapping the lines.
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
