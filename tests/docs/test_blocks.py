"""The documentation does what it says: every code block of every page is run."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from homebox_async.emulator import Emulator

from .blocks import ROOT, Block, blocks_of, pages
from .runner import Done, Runner

BLOCKS = [block for page in pages() for block in blocks_of(page)]
PYTHON = [block for block in BLOCKS if block.kind == "python" and not block.use]
SHELL = [page for page in pages() if any(b.kind == "sh" and not b.use for b in blocks_of(page))]

_NOT_RUN = re.compile(r"(?:pip|uv|pipx|python3? -m (?:pip|venv)|source|\.) .*")
_EXPORT = re.compile(r"export (\w+)=(\S*)")
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
_FOR_A_SHELL = re.compile(r"[|<>&;$`]|^\w+=")


def write_files(page: Path, folder: Path) -> None:
    """Write the files that the blocks of a page read."""
    for block in blocks_of(page):
        if block.use == "file":
            path = folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code)


@pytest.mark.parametrize("block", PYTHON, ids=[block.id for block in PYTHON])
def test_python(block: Block, emulator: Emulator, folder: Path, runner: Runner) -> None:
    """Each Python block runs as it stands, alone, and says nothing on standard error."""
    write_files(block.page, folder)

    done = runner.python(block.code, folder)

    assert ("", 0) == (done.stderr, done.code)


def commands_of(page: Path) -> Iterator[tuple[int, str]]:
    """Give the commands of a page, with the line of their block; lines that go on are joined."""
    for block in blocks_of(page):
        if block.kind == "sh" and not block.use:
            for line in block.code.replace("\\\n", " ").splitlines():
                if line.strip() and not line.startswith("#"):
                    yield block.line, line


@pytest.mark.parametrize("page", SHELL, ids=[str(page.relative_to(ROOT)) for page in SHELL])
def test_shell(
    page: Path, emulator: Emulator, folder: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of a page run in their order, in one folder and against one emulator.

    They exit with 0, or with the code that a comment at the end of the line tells.
    """
    write_files(page, folder)

    for line, command in commands_of(page):
        if export := _EXPORT.fullmatch(command):
            monkeypatch.setenv(*export.groups())
        elif not _NOT_RUN.fullmatch(command):
            done = run(command, folder, runner)
            told = _EXIT_CODE.search(command)
            expected = int(told[1]) if told else 0
            assert expected == done.code, f"{page}:{line}: {command}\n{done.stdout}{done.stderr}"


def run(command: str, folder: Path, runner: Runner) -> Done:
    """Run one line of a shell block."""
    words = shlex.split(command, comments=True)
    first = next(word for word in words if not re.match(r"\w+=", word))
    assert "homebox" == first, f"{command}: mark the block, and run it in a test of its own"
    if not _FOR_A_SHELL.search(command):
        return runner.command(words, folder)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=50
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_uses() -> None:
    """Each mark is one that is known, and each block says what it is."""
    kinds = {"python", "sh", "text", "csv", "json", "toml", "yaml", "ini", "http"}

    assert [] == [b.id for b in BLOCKS if b.use not in {"", "file", "snippet", "command"}]
    assert [] == [b.id for b in BLOCKS if b.kind not in kinds and b.use != "file"]
    assert [] == [b.id for b in BLOCKS if b.use == "command" and b.page.name != "README.md"]


def test_snippets_are_claimed() -> None:
    """What is marked to be run in another way is named by a test, or its whole page is."""
    said = [
        node.value
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    words = {word for text in said for word in re.findall(r"[\w.-]+", text)}
    pages_read = {page for page in pages() if str(page.relative_to(ROOT)) in said}

    marked = [block for block in BLOCKS if block.use in {"snippet", "command"}]
    assert [] == [b.id for b in marked if b.name not in words and b.page not in pages_read]


def test_no_block_is_overlooked() -> None:
    """Nothing of a page escapes the parser: it finds as many blocks as there are fences."""
    for page in pages():
        fences = re.findall(r"(?m)^ *```", page.read_text())
        assert len(fences) == 2 * len(blocks_of(page)), page


@pytest.mark.parametrize(
    ("code", "stderr"),
    [
        ("import sys\nsys.exit(3)", ""),
        ("import warnings\nwarnings.warn('old')", "UserWarning"),
        ("from homebox_async import Homebox\nHomebox().account.get()", "ResourceWarning"),
        ("import threading\nthreading.Thread(target=lambda: 1 / 0).start()", "ZeroDivisionError"),
    ],
    ids=["exit", "warning", "unclosed", "thread"],
)
def test_a_bad_block(
    code: str, stderr: str, emulator: Emulator, folder: Path, runner: Runner
) -> None:
    """A block that fails, warns or leaves something open is told; the next one is not harmed."""
    bad = runner.python(code, folder)
    good = runner.python("import sys\nprint('good', __name__, sys.argv)", folder)

    assert bad.code or bad.stderr
    assert stderr in bad.stderr
    assert Done(0, "good __main__ ['-c']\n", "") == good
