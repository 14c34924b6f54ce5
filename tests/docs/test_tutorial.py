"""What the tutorial shows is what one sees, and its variables are those that there are."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .blocks import DOCS, blocks_of, snippet
from .runner import Runner
from .test_blocks import write_files

TUTORIAL = DOCS / "tutorial.md"


@pytest.fixture
def served(folder: Path) -> Iterator[list[str]]:
    """Run the tutorial's emulator, on a free port, and return the two lines that it prints."""
    words = shlex.split(snippet("docs/tutorial.md", "tutorial-serve"))
    with subprocess.Popen([*words, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield [process.stdout.readline().strip() for _ in range(2)]
        process.terminate()


def test_environment_of_the_emulator(served: list[str]) -> None:
    """The lines to be exported are those that the emulator prints, but for the port."""
    exported = snippet("docs/tutorial.md", "tutorial-environment")

    lines = [line.removeprefix("export ") for line in exported.splitlines()]

    assert [re.sub(r":\d+$", ":8642", line) for line in served] == lines


@pytest.mark.parametrize(
    ("page", "name"),
    [("tutorial.md", "tutorial-sandbox"), ("how-to/billing.md", "billing-environment")],
)
def test_variables_are_documented(page: str, name: str) -> None:
    """Each variable that a block sets is one of the reference."""
    code = snippet(f"docs/{page}", name)
    variables = re.findall(r"(?m)^(?:export|unset) (\w+)", code)
    configuration = (DOCS / "reference/configuration.md").read_text()

    assert variables
    assert [] == [each for each in variables if f"`{each}`" not in configuration]


def test_shown_output(folder: Path, runner: Runner) -> None:
    """The reports, the rejects and the list that the tutorial shows are those that come."""
    write_files(TUTORIAL, folder)
    blocks = blocks_of(TUTORIAL)
    commands = [
        line.partition("  #")[0]
        for block in blocks
        if block.kind == "sh" and not block.use
        for line in block.code.splitlines()
        if line.startswith("homebox")
    ]
    check, report, rejects, listed = (block.code for block in blocks if block.kind == "text")

    first, second, _, after = (runner.command(shlex.split(line), folder) for line in commands[:4])

    assert check == first.stdout
    assert _timeless(report) == _timeless(second.stdout)
    assert rejects == (folder / "portfolio.rejects.csv").read_text(encoding="utf-8-sig")
    assert [re.split(r"  +", line) for line in listed.splitlines()] == [
        line.split("\t") for line in after.stdout.splitlines()
    ]


def _timeless(report: str) -> str:
    return re.sub(r"(?m)^time: .*$", "", report)
