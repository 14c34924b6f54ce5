"""What the fault proxy does to a connection: frozen plans, and a seeded maker of them."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator, Mapping

import attrs


class Way(enum.Enum):
    """A direction of a connection."""

    UP = "up"
    """From the client to the server."""
    DOWN = "down"
    """From the server to the client."""


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong on a connection, at an exact byte.

    `way`, `exchange` and `at`: once `at` bytes of the exchange have passed in this direction.
    `at` 0 strikes when the exchange's first byte in this direction has arrived, before it
    passes. Exchanges (a request and its answer) count from 1 for each connection; exchange 0 is
    the moment when the connection is accepted, where `way` and `at` say nothing.
    """

    way: Way = Way.UP
    at: int = 0
    exchange: int = 1


@attrs.frozen(kw_only=True)
class Reset(Fault):
    """Both sides get a TCP reset."""


@attrs.frozen(kw_only=True)
class Truncate(Fault):
    """Both sides see an orderly end; what comes later is thrown away."""


@attrs.frozen(kw_only=True)
class HalfClose(Fault):
    """The receiver sees an orderly end of this direction; the other one goes on."""

    exchange: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.frozen(kw_only=True)
class Hold(Fault):
    """Nothing more passes in this direction, and nobody is told."""


@attrs.frozen(kw_only=True)
class Delay(Fault):
    """What comes next passes `seconds` late, also when its sender has left meanwhile."""

    seconds: float = 0.01


@attrs.frozen(kw_only=True)
class Throttle(Fault):
    """From here on `rate` bytes pass in a second."""

    rate: float = 1000.0


@attrs.frozen(kw_only=True)
class Corrupt(Fault):
    """The next `length` bytes arrive with the bits of `mask` turned over."""

    length: int = 1
    mask: int = 0xFF


@attrs.frozen(kw_only=True)
class Refuse(Fault):
    """Both sides get a TCP reset, and new connections are refused for `seconds`."""

    seconds: float = 0.01


@attrs.frozen
class Plan:
    """What happens to one connection."""

    faults: tuple[Fault, ...] = ()


CLEAN = Plan()

# How often each kind is drawn, relative to the others.
WEIGHTS: Mapping[type[Fault], float] = {
    Reset: 4,
    Truncate: 2,
    HalfClose: 1,
    Hold: 1,
    Delay: 2,
    Throttle: 1,
    Corrupt: 2,
    Refuse: 1,
}


def seeded(
    seed: int,
    *,
    share: float = 0.3,
    weights: Mapping[type[Fault], float] = WEIGHTS,
    exchanges: int = 4,
    up: int = 600,
    down: int = 400,
) -> Iterator[Plan]:
    """Yield plans for ever, the same ones for the same arguments.

    `share` of the connections have a fault, of a kind drawn by `weights`, at one of the
    first `exchanges`, after as many as `up` or `down` bytes. The shares of first bytes and of
    the moment of accepting are raised: that is where clients err.
    """
    chance = random.Random(seed)
    kinds, odds = [*weights], [*weights.values()]
    while True:
        if chance.random() >= share:
            yield CLEAN
            continue
        kind = chance.choices(kinds, odds)[0]
        way = chance.choice([*Way])
        at = 0 if chance.random() < 0.3 else chance.randint(1, up if way is Way.UP else down)
        first = 0 if kind in {Reset, Truncate, Hold, Delay, Refuse} else 1
        yield Plan((kind(way=way, at=at, exchange=chance.randint(first, exchanges)),))
