"""The rate limit, as Laravel's throttle does it."""

import math
import time
from collections.abc import Callable

import attrs


def _at_least_one(_: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name} must be at least 1, not {value}")


@attrs.frozen
class RateLimit:
    """How many requests are served in how many seconds."""

    limit: int = attrs.field(default=60, validator=_at_least_one)
    per: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))


class Throttle:
    """Counts requests in fixed windows, each of which starts with its first request."""

    def __init__(self, rate_limit: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_limit = rate_limit
        self._clock = clock
        self._ends = -math.inf
        self._used = 0

    def hit(self) -> tuple[bool, dict[str, str]]:
        """Count one request: return whether it may pass, and the headers of its answer."""
        now = self._clock()
        if now >= self._ends:
            self._ends = now + self._rate_limit.per
            self._used = 0
        allowed = self._used < self._rate_limit.limit
        self._used += allowed
        headers = {
            "X-RateLimit-Limit": str(self._rate_limit.limit),
            "X-RateLimit-Remaining": str(self._rate_limit.limit - self._used),
        }
        if not allowed:
            left = math.ceil(self._ends - now)
            headers["Retry-After"] = str(left)
            headers["X-RateLimit-Reset"] = str(math.ceil(time.time() + self._ends - now))
        return allowed, headers
