"""Colours and the pager, on a terminal."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async.cli.root import homebox
from homebox_async.cli.terminal import console, show

from .terminals import on_a_terminal, own_terminal, shown_on_a_terminal

Run = Callable[..., Result]
Write = Callable[..., Path]

LIST = [sys.executable, "-m", "homebox_async.cli", "properties", "list", "--emulator"]
PRINT = """
import sys
from rich.text import Text
from homebox_async.cli.terminal import show
lines = [f"{n} High Street" for n in range(1, int(sys.argv[1]) + 1)]
show(Text("\\n".join(lines)), paged=True)
"""
SHOW = [sys.executable, "-c", PRINT]
RED = "from homebox_async.cli.terminal import console; console().print('[red]x[/] [bold]y[/]')"


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "1"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR": "0", "FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
    ],
    ids=str,
)
def test_colours(env: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says whether there are colours, NO_COLOR before all else."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    code, shown = shown_on_a_terminal([sys.executable, "-c", RED], {})
    assert (0, coloured) == (code, "\x1b[31mx" in shown)


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"CLICOLOR_FORCE": "1"}, True)],
    ids=str,
)
def test_colours_elsewhere(run: Run, env: dict[str, str], coloured: bool) -> None:
    """Where there is no terminal, colours have to be asked for."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        screen = console()
        with screen.capture() as captured:
            screen.print("[red]x[/]")
    assert coloured == ("\x1b[31mx" in captured.get())


@pytest.mark.parametrize(
    ("lines", "env", "is_paged"),
    [
        (40, {"PAGER": "tee paged"}, True),
        (40, {"PAGER": "cat", "HOMEBOX_PAGER": "tee paged"}, True),
        (40, {"PAGER": "tee paged", "HOMEBOX_PAGER": "cat"}, False),
        (40, {"PAGER": "tee paged", "HOMEBOX_PAGER": ""}, False),
        (29, {"PAGER": "tee paged"}, False),
        (30, {"PAGER": "tee paged"}, True),
        (40, {"PAGER": "tee paged", "TERM": "dumb"}, False),
        (40, {"PAGER": "no-such-pager"}, False),
        (40, {"PAGER": "tee 'paged"}, False),
    ],
    ids=["long", "ours", "not-ours", "none", "short", "just-long", "dumb", "missing", "quote"],
)
def test_pager(
    lines: int,
    env: dict[str, str],
    is_paged: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is longer than the screen goes into the pager; nothing is lost where there is none."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    code, shown = on_a_terminal([*SHOW, str(lines)], {})
    assert (0, is_paged) == (code, (folder / "paged").exists()), shown
    assert f"{lines} High Street" in shown
    if is_paged:
        assert f"{lines} High Street" in (folder / "paged").read_text()


def test_closed_pager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pager that is closed early ends the command well."""
    monkeypatch.setenv("PAGER", "head -2")
    code, shown = on_a_terminal([*SHOW, "9000"], {})
    assert (0, False) == (code, "90 High Street" in shown)
    assert "Traceback" not in shown


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_less() -> None:
    """less shows the first screen; Ctrl-C does not end it, and q leaves it well."""
    replies = {"11 High Street": "\x03", "12 High Street": "q"}
    code, shown = on_a_terminal([*SHOW, "90"], replies)
    assert (0, {}) == (code, replies)
    assert "90 High Street" not in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("args", [[], ["--no-pager"]], ids=["paged", "option"])
def test_list_in_a_pager(
    args: list[str], run: Run, write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list goes into the pager, unless it shall not or is none for people."""
    write(40)
    assert 0 == run("import", "properties", "in.csv", "--emulator").exit_code
    monkeypatch.setenv("PAGER", "tee paged")
    code, shown = on_a_terminal([*LIST, *args], {})
    assert (0, not args) == (code, (folder / "paged").exists()), shown
    assert "40 High Street" in shown


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["doctor", "--emulator"], "ok      versions: homebox-async"),
        (["doctor", "--token-file", "missing", "--base-url", "http://127.0.0.1:9"], "to do: check"),
        (["profiles", "list"], "sandbox   yes       sandbox"),
        (["completion", "zsh"], "#compdef homebox"),
    ],
    ids=["doctor", "doctor-fix", "profiles", "completion"],
)
def test_in_this_process(
    args: list[str], text: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made for people looks so on a terminal."""
    assert 0 == run("profiles", "init").exit_code
    with own_terminal(monkeypatch) as shown, pytest.raises(SystemExit):
        homebox.main(args)
    assert text in shown[0]


@pytest.mark.parametrize(("lines", "is_paged"), [(20, False), (40, True)], ids=["short", "long"])
def test_pager_of_this_process(
    lines: int, is_paged: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits the screen is printed, what does not goes into the pager."""
    monkeypatch.setenv("PAGER", "sh -c 'env > paged'")
    text = "\n".join(f"{n} High Street" for n in range(1, lines + 1))
    with own_terminal(monkeypatch) as shown:
        show(text, paged=True)
    assert is_paged == (folder / "paged").exists()
    assert is_paged == (f"{lines} High Street" not in shown[0])
    if is_paged:
        assert "LESS=FRX\n" in (folder / "paged").read_text()
    assert ("LESS" not in os.environ, "sh -c 'env > paged'") == (True, os.environ["PAGER"])


def test_colours_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wishes of the environment reach rich."""
    for env, coloured in (({"NO_COLOR": "1"}, False), ({"CLICOLOR": "0"}, False), ({}, True)):
        with own_terminal(monkeypatch), monkeypatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            assert coloured is not console().no_color
