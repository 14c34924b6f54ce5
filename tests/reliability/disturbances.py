"""What goes wrong in a history, all of it drawn from the history's seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import attrs

from homebox_async.emulator import Assumed, Fault, Faults

from .plans import (
    CLEAN,
    Corrupt,
    Delay,
    HalfClose,
    Hold,
    Plan,
    Refuse,
    Reset,
    Throttle,
    Truncate,
    Way,
)
from .plans import Fault as Break

TIMEOUT = 0.5  # of one attempt
SLOW = 0.7  # so an answer to this comes after the client has left: it commits behind its back
LAG = 0.1  # of the list
# The longest that a request can be on its way and at the server, and then stay out of the list,
# is about 1.2 s: SLOW + LAG, and DELAY and a slow line before. The rest is for a busy machine.
SETTLE = 1.8
DELAY = 0.15
RATE = 4_000.0  # bytes a second on a slow line: 0.1 s for a request

# Of each request: what the server does.
RATES = {
    "drop-after": 0.02,
    "drop-before": 0.02,
    "503": 0.03,
    "html500": 0.01,
    "500-after": 0.01,
    "503-after": 0.01,
    "truncate": 0.01,
    "garbage": 0.01,
    "empty": 0.01,
    f"slow:{SLOW}": 0.002,
    f"hang-after:{SLOW}": 0.002,
    "429:1": 0.0005,
}
# Of each connection that is broken: what the network does, at some byte of some exchange.
_KINDS = {Reset: 6, Truncate: 3, Corrupt: 3, HalfClose: 1, Hold: 1, Delay: 2, Throttle: 1}
_BROKEN = 0.7
_EXCHANGES = 12
_UP, _DOWN = 600, 1_200  # bytes of a request, and of an answer


@attrs.frozen
class Climate:
    """Where a history takes place: what the server is like, and how often it fails."""

    faults: Faults | None
    assumed: Assumed
    settle: float = SETTLE

    @classmethod
    def of(cls, seed: int) -> Climate:
        """Return the climate of a seed: lists lag or not, and begin with the newest or not."""
        return cls(
            Faults(RATES, seed=seed, methods=None, paths="property"),
            Assumed(
                list_lag=LAG * (seed % 2),
                list_order="newest-first" if seed // 2 % 2 else "oldest-first",
            ),
        )


def storm(chance: random.Random, rows: int) -> list[Fault | None]:
    """Return what the next requests get when the server throttles for a while."""
    return [Fault.named("429:1")] * chance.randint(3, 5 + rows // 60)


def network(chance: random.Random) -> Iterator[Plan]:
    """Yield what happens to each connection, for ever.

    Bytes are turned over on the way to the client only: those of a request would make another
    request, which no client can help, and which is what TLS is for.
    """
    kinds, odds = [*_KINDS], [*_KINDS.values()]
    while True:
        if chance.random() >= _BROKEN:
            yield CLEAN
        elif chance.random() < 0.1:
            yield Plan((Refuse(exchange=0, seconds=chance.uniform(0.0, 0.1)),))
        else:
            yield Plan((_broken(chance, chance.choices(kinds, odds)[0]),))


def _broken(chance: random.Random, kind: type[Break]) -> Break:
    exchange = chance.randint(1, _EXCHANGES)
    if kind is Corrupt:
        # The top bit: what was text is none any more. Other bits would make other digits.
        at = chance.randint(0, _DOWN)
        return Corrupt(way=Way.DOWN, at=at, exchange=exchange, length=3, mask=0x80)
    way = chance.choice([*Way])
    at = 0 if chance.random() < 0.3 else chance.randint(1, _UP if way is Way.UP else _DOWN)
    if kind is Delay:
        return Delay(way=way, at=at, exchange=exchange, seconds=chance.uniform(0.0, DELAY))
    if kind is Throttle:
        return Throttle(way=way, at=at, exchange=exchange, rate=RATE)
    return kind(way=way, at=at, exchange=exchange)
