"""Faults: what can go wrong with a request, by script or by chance."""

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal, Self, get_args

import attrs

Kind = Literal[
    "status",
    "drop-before",
    "drop-after",
    "500-after",
    "503-after",
    "html500",
    "hang",
    "hang-after",
    "slow",
    "truncate",
    "garbage",
    "redirect",
    "empty",
    "other-id",
]

KINDS: tuple[str, ...] = get_args(Kind)

_TIMED = ("hang", "hang-after", "slow")


@attrs.frozen
class Fault:
    """One thing that goes wrong with one request.

    `status`        answers `status` with `headers`; nothing is committed
    `drop-before`   the connection ends before processing
    `drop-after`    the request is processed and committed, then the connection ends
    `500-after`     commits, then answers an HTML 500
    `503-after`     commits, then answers an HTML 503 that asks to come back, as a gateway does
    `html500`       an HTML 500; nothing is committed
    `hang`          no answer, or a 504 after `seconds`; nothing is committed
    `hang-after`    commits, then as `hang`
    `slow`          waits for `seconds`, then goes on as usual
    `truncate`      commits, then sends the headers and half of the body
    `garbage`       commits, then answers the true status with a body that is not JSON
    `redirect`      answers 302 to `location`; nothing is committed
    `empty`         commits, then answers the true status with an empty body
    `other-id`      commits, then answers with the id that is one lower

    With `reset` a drop is a TCP reset, otherwise a close.
    """

    kind: Kind = attrs.field(validator=attrs.validators.in_(KINDS))
    status: int = 503
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    seconds: float | None = attrs.field(default=None, kw_only=True)
    location: str = attrs.field(default="/login", kw_only=True)
    reset: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.kind == "slow" and self.seconds is None:
            raise ValueError("a slow fault needs its seconds, as in slow:0.5")

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the fault of this name: `kind` or `kind:argument`.

        A status code is the `status` fault, its argument the seconds of `Retry-After`
        ("429:2"). The argument of `hang`, `hang-after` and `slow` is in seconds ("slow:0.5"),
        that of `redirect` is the location. Raises ValueError for anything else.
        """
        kind, colon, argument = name.partition(":")
        if re.fullmatch(r"[1-5]\d\d", kind, re.ASCII):
            if colon and not (argument.isascii() and argument.isdigit()):
                raise ValueError(f"fault {name!r}: Retry-After must be whole seconds, as in 429:2")
            headers = {"Retry-After": argument} if colon else {}
            return cls("status", int(kind), headers=headers)
        for known in get_args(Kind):
            if known == kind and known != "status":
                return cls._with_argument(known, name, argument if colon else None)
        choices = ", ".join(known for known in KINDS if known != "status")
        raise ValueError(f"unknown fault {name!r}: use a status code such as 503, or {choices}")

    @classmethod
    def _with_argument(cls, kind: Kind, name: str, argument: str | None) -> Self:
        if argument is None:
            return cls(kind)
        if kind == "redirect":
            return cls(kind, location=argument)
        if kind not in _TIMED:
            raise ValueError(f"fault {name!r}: {kind} takes no argument")
        return cls(kind, seconds=_number(argument, f"fault {name!r}: seconds"))

    @property
    def name(self) -> str:
        """The kind, or the code of a `status` fault: the key of `Emulator.counts.faults`."""
        return str(self.status) if self.kind == "status" else self.kind


@attrs.define(eq=False)
class Faults:
    """Random faults, the same ones for the same seed and sequence of requests.

    `rates` maps fault names (see `Fault.named`) to probabilities, which may sum up to at most 1.
    Only requests with one of the `methods` (None: all) whose path contains a match of the
    regular expression `paths` are concerned.
    """

    rates: Mapping[str, float]
    seed: int = 0
    methods: Sequence[str] | None = ("POST",)
    paths: str | None = None
    _steps: list[tuple[float, Fault]] = attrs.field(init=False, repr=False)
    _random: Random = attrs.field(init=False, repr=False)
    _pattern: re.Pattern[str] | None = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        total = 0.0
        self._steps = []
        for name, rate in self.rates.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"fault {name!r}: the rate must be from 0 to 1, not {rate}")
            total += rate
            self._steps.append((total, Fault.named(name)))
        # A little above 1 is the rounding of rates such as 0.1 and 0.9.
        if total > 1 + 1e-9:
            raise ValueError(f"the rates of the faults sum up to {total:g}, which is more than 1")
        self._random = Random(self.seed)
        self._pattern = None if self.paths is None else re.compile(self.paths)

    @classmethod
    def parse(
        cls,
        text: str,
        seed: int = 0,
        methods: Sequence[str] | None = ("POST",),
        paths: str | None = None,
    ) -> Self:
        """Return the faults written as "name=rate,name=rate", e.g. "drop-after=0.02,429:1=0.1".

        Raises ValueError that says what is wrong.
        """
        rates: dict[str, float] = {}
        for item in text.split(","):
            name, equals, rate = (part.strip() for part in item.rpartition("="))
            if not equals or not name:
                raise ValueError(f"fault {item.strip()!r}: write name=rate, e.g. drop-after=0.02")
            if name in rates:
                raise ValueError(f"fault {name!r} is given twice")
            rates[name] = _number(rate, f"fault {name!r}: the rate")
        return cls(rates, seed, methods, paths)

    def draw(self, method: str, path: str) -> Fault | None:
        """Return the fault of the next request, or None; only concerned requests draw."""
        if self.methods is not None and method not in self.methods:
            return None
        if self._pattern is not None and not self._pattern.search(path):
            return None
        number = self._random.random()
        return next((fault for step, fault in self._steps if number < step), None)


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{what} must be a number, not {text!r}") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"{what} must not be negative or endless, not {text!r}")
    return number
