"""Where a row stands, in words: the line that a spreadsheet shows, or the row of an iterable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

SHOWN = 5
"""How many rows a message names; of more, it gives the number."""

Places = Callable[..., str]
"""`name_rows`, or what names rows by their lines: row numbers, and of how many in all."""


def name_rows(numbers: Sequence[int], total: int = 0) -> str:
    """Return rows by their numbers: ``row 3``, ``rows 3 and 4``, ``rows 1, 2 and 70 more``.

    `total`: how many rows there are, where `numbers` are the first of them.
    """
    return named("row", numbers, total)


def named(word: str, numbers: Sequence[int], total: int = 0) -> str:
    """Return numbers after a word, the first few of many."""
    shown = list(map(str, numbers[:SHOWN]))
    more = max(total, len(numbers)) - len(shown)
    last = f"{more:,} more" if more else shown.pop()
    if not shown:
        return f"{word} {last}"
    return f"{word}s {', '.join(shown)} and {last}"
