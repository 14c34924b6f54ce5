"""The plugin in test suites of every kind; none of them needs patching or closing."""

import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

import homebox_async.testing

RunTests = Callable[..., pytest.RunResult]

# Two connections that are open when the test ends, and a seed that tells one test from another.
USE = """
    home = homebox_emulator.seed.property()
    assert 1 == home.id == (await async_homebox.properties.get(1)).id
    await asyncio.gather(*[async_homebox.properties.get(1) for _ in range(2)])
"""


def suite(text: str) -> str:
    """Return a test module; USE stands for a body that uses an async client."""
    return "import asyncio\nimport pytest\n" + textwrap.dedent(text).replace("    USE\n", USE)


def test_auto_mode(pytester: pytest.Pytester, run_tests: RunTests) -> None:
    """Under pytest-asyncio's auto mode, tests and async fixtures share the client."""
    pytester.makepyfile(
        suite("""
        @pytest.fixture
        async def home(async_homebox, homebox_emulator):
            return await async_homebox.properties.create(homebox_emulator.seed.address())

        async def test_fixture(home, async_homebox):
            assert home.id == (await async_homebox.properties.get(home.id)).id

        async def test_fresh(async_homebox, homebox_emulator):
            USE

        async def test_both(async_homebox, homebox):
            assert (await async_homebox.account.get()).name == homebox.account.get().name
        """)
    )

    run_tests("-o", "asyncio_mode=auto").assert_outcomes(passed=3)


def test_strict_mode(pytester: pytest.Pytester, run_tests: RunTests) -> None:
    """Under its strict mode, on a loop for each test or one for the session."""
    pytester.makepyfile(
        suite("""
        @pytest.mark.asyncio
        async def test_own_loop(async_homebox, homebox_emulator):
            USE

        @pytest.mark.asyncio(loop_scope="session")
        async def test_shared_loop(async_homebox, homebox_emulator):
            USE

        @pytest.mark.asyncio(loop_scope="session")
        async def test_shared_loop_again(async_homebox, homebox_emulator):
            USE

        def test_sync(homebox_emulator, homebox):
            assert [] == list(homebox.properties.list())
        """)
    )

    run_tests("-o", "asyncio_mode=strict").assert_outcomes(passed=4)


def test_anyio(pytester: pytest.Pytester, run_tests: RunTests) -> None:
    """Under anyio's plugin alone, on asyncio; on trio, the client says what to do."""
    pytester.makepyfile(
        suite("""
        pytestmark = pytest.mark.anyio

        @pytest.fixture
        async def account(async_homebox):
            return await async_homebox.account.get()

        async def test_on(async_homebox, homebox_emulator):
            USE

        async def test_fixture(account, async_homebox):
            assert account.name == (await async_homebox.account.get()).name
        """)
    )

    done = run_tests("-p", "no:asyncio")

    done.assert_outcomes(passed=2, failed=1, errors=1)
    words = "E *ConfigurationError: async_homebox is a client for asyncio, and this test runs on *"
    done.stdout.fnmatch_lines([words, words])


def test_classes(pytester: pytest.Pytester, run_tests: RunTests) -> None:
    """Classes of unittest use the emulator by its mark and the environment."""
    pytester.makepyfile("""
        import unittest
        import pytest
        from homebox_async import AsyncHomebox, Homebox

        @pytest.mark.usefixtures("homebox_emulator")
        class SyncTest(unittest.TestCase):
            def test_account(self):
                with Homebox() as client:
                    assert client.account.get().name

        @pytest.mark.usefixtures("homebox_emulator")
        class AsyncTest(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def client(self, async_homebox):
                self.homebox = async_homebox

            async def test_account(self):
                assert (await self.homebox.account.get()).name
        """)

    run_tests().assert_outcomes(passed=2)


def test_guard(
    pytester: pytest.Pytester, run_tests: RunTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients made on import reach each test's emulator, and without one they reach nothing."""
    monkeypatch.setenv("HOMEBOX_BASE_URL", "https://accounts.billingbetter.co.uk")
    monkeypatch.setenv("HOMEBOX_TOKEN", "a-real-one")
    pytester.makeini("[pytest]\nhomebox_guard = true")
    pytester.makepyfile(
        app="""
        from homebox_async import Billing, Homebox, Retry

        CLIENT = Homebox(retry=Retry(attempts=1))
        BILLING = Billing()
        """,
        test_app="""
        import pytest
        from app import BILLING, CLIENT

        @pytest.fixture(scope="module", autouse=True)
        def closed():
            yield
            CLIENT.close()
            BILLING.close()

        @pytest.mark.parametrize("number", range(2))
        def test_emulator(homebox_emulator, number):
            assert [] == list(CLIENT.properties.list())
            CLIENT.properties.create(homebox_emulator.seed.address())
            assert 3 == len(BILLING.headers("2eff1042c50c1eda889e61573e3c194c").headers)
            homebox_emulator.assert_received("POST", "/property", times=1)

        def test_nothing():
            CLIENT.account.get()

        def test_wrong(homebox_emulator):
            homebox_emulator.drop("GET", "/account", committed=False)
            CLIENT.account.get()

        def test_other():
            assert False
        """,
    )

    done = run_tests()

    done.assert_outcomes(passed=2, failed=3)
    done.stdout.fnmatch_lines(
        [
            "E *ConnectionFailed: GET account: no connection to 127.0.0.1:*",
            "E *homebox_guard is on*",
        ]
    )
    told = [line for line in done.stdout.lines if line.startswith("E ")]
    assert 1 == sum("homebox_guard is on:" in line for line in told)


def test_no_guard(pytester: pytest.Pytester, run_tests: RunTests) -> None:
    """Without the guard, tests that ask for no fixture have the environment as it is."""
    pytester.makepyfile("""
        import os

        def test_emulator(homebox_emulator):
            assert homebox_emulator.url == os.environ["HOMEBOX_BASE_URL"]

        def test_none():
            assert "HOMEBOX_BASE_URL" not in os.environ
        """)

    run_tests().assert_outcomes(passed=2)


def test_help(pytester: pytest.Pytester, run_tests: RunTests) -> None:
    """pytest lists the fixtures and the option, each with its words."""
    run_tests("--fixtures").stdout.fnmatch_lines(
        ["homebox_emulator *", "*A local, empty Homebox*", "homebox *", "async_homebox *"]
    )
    run_tests("--help").stdout.fnmatch_lines(["*homebox_guard (bool):*"])


def test_a_name_that_is_not_there() -> None:
    """A wrong name is an AttributeError as for any module."""
    with pytest.raises(AttributeError, match=r"'homebox_async\.testing' has no attribute 'Sed'"):
        homebox_async.testing.Sed  # noqa: B018
    assert all(hasattr(homebox_async.testing, name) for name in homebox_async.testing.__all__)


def test_suites_without_homebox_load_nothing(pytester: pytest.Pytester) -> None:
    """The plugin loads itself and its small modules, and neither a client nor a server."""
    pytester.makepyfile("""
        import sys

        def test_modules():
            ours = {name for name in sys.modules if name.startswith("homebox_async")}
            inside = ("environment", "fixtures", "guard", "plugin")
            testing = {"homebox_async.testing", *(f"homebox_async.testing.{n}" for n in inside)}
            assert {"homebox_async"} | testing == ours
            assert not {"aiohttp", "anyio", "attrs", "multidict"} & {*sys.modules}
        """)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-p", "homebox_async.testing.plugin"],
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
