"""The fixtures of the kit, for its own tests, and pytest runs of their own."""

from collections.abc import Callable

import pytest

from homebox_async.testing.fixtures import async_homebox, homebox, homebox_emulator

__all__ = ["async_homebox", "homebox", "homebox_emulator"]

RunTests = Callable[..., pytest.RunResult]

# These take seconds to load, and no suite here needs them.
_HEAVY = ("schemathesis", "hypothesispytest")


@pytest.fixture
def run_tests(pytester: pytest.Pytester) -> RunTests:
    """Run pytest as a user would: the plugins that are installed, warnings as errors.

    In this process, or in another one with `apart`.
    """

    def run(*args: str, apart: bool = False) -> pytest.RunResult:
        options = [word for name in _HEAVY for word in ("-p", f"no:{name}")]
        if "no:asyncio" not in args:
            options += ["-o", "asyncio_default_fixture_loop_scope=function"]
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start("-W", "error", *options, *args)

    return run
