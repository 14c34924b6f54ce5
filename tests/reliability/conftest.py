"""What the reliability suite shares: a world, and how thoroughly hypothesis goes about it."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from .world import World, world

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
# Not the one that explains failures: it traces every line, which takes several times as long.
_PHASES = (Phase.explicit, Phase.generate, Phase.shrink)

# Taken by name, never loaded: that would change the tests of other folders.
settings.register_profile(
    "short",
    max_examples=120,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    phases=_PHASES,
    suppress_health_check=_SLOW,
)
settings.register_profile(
    "long",
    max_examples=10_000,
    stateful_step_count=15,
    deadline=None,
    print_blob=True,
    database=None,
    phases=_PHASES,
    suppress_health_check=_SLOW,
)


@pytest.fixture(name="world")
def _world() -> Iterator[World]:
    """Return a recording server behind the fault proxy, where no wait takes time."""
    with world() as made:
        yield made
