"""The help: complete, with examples, without waiting for the client, and in the reference."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from homebox_async import cli
from homebox_async.cli.reference import commands, reference
from homebox_async.cli.root import COMMANDS, homebox

Run = Callable[..., Result]

PATHS = [path.split()[1:] for path, _ in commands()]
ROOT = Path(__file__).parents[2]

# Runs with a bare package in the place of homebox_async, whose own imports are not ours.
LOOK = """
import sys, types
package = types.ModuleType("homebox_async")
package.__path__ = [sys.argv.pop(1)]
sys.modules["homebox_async"] = package
from homebox_async.cli import main
try:
    main()
except SystemExit as left:
    heavy = {"aiohttp", "anyio", "attr", "cattrs", "msgspec", "rich", "sqlite3", "tenacity"}
    print(left.code, sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(run: Run, path: list[str], option: str) -> None:
    """Every command has a help with examples, all of which start with its own name."""
    result = run(*path, option)
    assert (0, "") == (result.exit_code, result.stderr)
    _, _, examples = result.stdout.partition("  Examples:\n")
    assert examples.strip().startswith(" ".join(["homebox", *path]))


@pytest.mark.parametrize("name", COMMANDS)
def test_lazy_help(name: str) -> None:
    """The help that is shown without loading a command is the command's own."""
    command = homebox.get_command(click.Context(homebox), name)
    assert command is not None
    assert (command.help or "").partition("\n\n")[0] == COMMANDS[name][1]


@pytest.mark.parametrize(
    "args",
    [["--help"], ["--version"], ["nonsense"], ["leads", "create", "-h"], ["completion", "zsh"]],
    ids=" ".join,
)
def test_nothing_heavy(args: list[str]) -> None:
    """What needs no client does not wait for it."""
    package = Path(cli.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(package), *args], capture_output=True, text=True
    )
    expected = "2 []" if args == ["nonsense"] else "0 []"
    assert expected == done.stdout.splitlines()[-1], done.stderr


def test_version(run: Run) -> None:
    """--version tells the version."""
    assert run("--version").stdout.startswith("homebox, version ")


def test_exit_codes(run: Run) -> None:
    """The exit codes are in the help."""
    text = run("--help").stdout
    assert ["0", "1", "2", "3", "4", "130"] == [
        line.split()[0] for line in text.partition("Exit codes:\n")[2].splitlines()
    ]


@pytest.mark.parametrize("path", [path for path in PATHS if path == ["leads"] or not path])
def test_bare(run: Run, path: list[str]) -> None:
    """A group without a command shows its help and fails."""
    result = run(*path)
    assert 2 == result.exit_code
    assert result.stderr.startswith("Usage: homebox")


@pytest.mark.parametrize(
    ("name", "args"),
    [("click", ["--help"]), ("click", ["leads", "--help"])],
    ids=["click", "outline"],
)
def test_not_installed(name: str, args: list[str]) -> None:
    """Without its extra, the command line says in one line how to install it."""
    code = "import sys; sys.modules[sys.argv.pop(1)] = None; from homebox_async.cli import main"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; main()", name, *args], capture_output=True, text=True
    )
    assert (2, "") == (done.returncode, done.stdout)
    assert (
        "error: the command line needs click and rich; run: pip install 'homebox-async[cli]'\n"
    ) == done.stderr


def test_another_module_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the system's that is missing is not taken for the extra."""
    monkeypatch.setattr(sys, "argv", ["homebox", "leads", "--help"])
    monkeypatch.setitem(sys.modules, "homebox_async.cli.outline", None)
    with pytest.raises(ModuleNotFoundError, match="outline"):
        cli.main()


def test_module() -> None:
    """`python -m homebox_async.cli` is the command line, too."""
    done = subprocess.run(
        [sys.executable, "-m", "homebox_async.cli", "--version"], capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The entry point runs what was typed and leaves with its exit code."""
    monkeypatch.setattr(sys, "argv", ["homebox", "account", "show", "--nonsense"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert 2 == left.value.code
    assert "error: no such option" in capsys.readouterr().err


def test_reference_is_current() -> None:
    """docs/cli.md is what the commands say now."""
    assert (ROOT / "docs" / "cli.md").read_text() == reference(), (
        "run: python -m homebox_async.cli.reference > docs/cli.md"
    )


def test_every_command_is_documented() -> None:
    """Every command has a heading in the reference."""
    headings = {
        line.lstrip("# ")
        for line in (ROOT / "docs" / "cli.md").read_text().splitlines()
        if line.startswith("##")
    }
    assert {" ".join(["homebox", *path]) for path in PATHS} == headings


def test_every_command_is_tested() -> None:
    """Every command that does something is run by a test."""
    words = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    does = [path for path in PATHS if len(path) == 2]
    quoted = ['"' + '", "'.join(path) + '"' for path in does]
    assert [] == [path for path in quoted if path not in words]


def test_reference_as_a_program() -> None:
    """The module writes the reference to stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "homebox_async.cli.reference"], capture_output=True, text=True
    )
    assert (0, "", reference()) == (done.returncode, done.stderr, done.stdout)
