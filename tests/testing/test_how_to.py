"""The how-to page on testing: its test files pass as they are printed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/how-to/testing.md").read_text()
SNIPPETS = re.findall(r"<!-- snippet: (\w+) -->\n```(python|toml)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page(pytester: pytest.Pytester, run_tests: Callable[..., pytest.RunResult]) -> None:
    """Each test of the page passes, in parallel and with the guard on; workers share nothing."""
    pytester.makepyfile(
        test_empty="""
        import pytest

        @pytest.mark.parametrize("number", range(20))
        def test_empty(homebox, homebox_emulator, number):
            homebox.properties.create(homebox_emulator.seed.address())
            assert [1] == [home.id for home in homebox.properties.list()]
        """
    )
    for name, language, text in SNIPPETS:
        suffix = {"python": "py", "toml": "toml"}[language]
        (pytester.path / f"{name}.{suffix}").write_text(text)

    done = run_tests("-n", "2", apart=True)

    done.assert_outcomes(passed=20 + sum(text.count("def test_") for _, _, text in SNIPPETS))


def test_all_blocks_are_taken() -> None:
    """No block of the page goes unnoticed but the installation and the failure that it shows."""
    assert len(SNIPPETS) + 2 == PAGE.count("```") // 2
