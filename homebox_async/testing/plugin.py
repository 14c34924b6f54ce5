"""The pytest plugin. Every pytest run of an environment with this package loads it.

So it is small: the fixtures come in when pytest is configured, and what they need when a test
uses one.
"""

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of the configuration file."""
    parser.addini(
        "homebox_guard",
        "Lead every Homebox client without base_url to the test's homebox_emulator, or nowhere.",
        type="bool",
        default=False,
    )


# Before the plugins that load an application's settings, and those take them from the environment.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Begin the guard if it is wanted."""
    if early_config.getini("homebox_guard"):
        from . import guard

        guard.begin(early_config)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures."""
    from . import fixtures

    config.pluginmanager.register(fixtures, "homebox-fixtures")
