"""What the tests of the journal share."""

from collections.abc import Iterator

from homebox_async.importer.journal import Journal, Planned, State

FACTS = {"kind": "properties", "fingerprint": "f1", "target": "https://example.test a1"}


def planned(journal: Journal, count: int, start: int = 1) -> Iterator[Planned]:
    """Make rows with a reference and an address of their own."""
    for number in range(start, start + count):
        digest = journal.digest({"ref": f"R{number}"})
        yield Planned(number, digest, f"R{number}", f"{number}|x")


def counted(**counts: int) -> dict[State, int]:
    """Return counts with zeros for the states that are not named."""
    return dict.fromkeys(State, 0) | {State[name]: count for name, count in counts.items()}
