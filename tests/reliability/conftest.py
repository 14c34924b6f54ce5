"""What the reliability suite shares."""

from collections.abc import Iterator

import pytest

from .world import World, world


@pytest.fixture(name="world")
def _world() -> Iterator[World]:
    """Return a recording server behind the fault proxy, where no wait takes time."""
    with world() as made:
        yield made
