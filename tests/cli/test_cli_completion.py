"""Completion, as the shells do it: each is started and asked what it completes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from homebox_async import cli

from .terminals import on_a_terminal

Run = Callable[..., Result]

# Where the shells find `homebox`.
SCRIPTS = Path(sys.executable).parent
PROFILES = "[profiles.north]\n[profiles.south]\n"
# What is typed before the tab key, and the word that it becomes.
LINES = {
    "homebox prof": "profiles",
    "homebox bill-payers up": "update",
    "homebox properties list --env": "--environment",
    "homebox properties list --environment san": "sandbox",
    "homebox import properties in.csv --preset la": "land-registry",
    "homebox leads list --profile nor": "north",
    "homebox doctor --profile sou": "south",
    "homebox completion zs": "zsh",
    "homebox import properties portf": "portfolio.csv",
}
AT_THE_PROMPT = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
}


def program(shell: str) -> str:
    """Return where a shell is, or skip the test."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.fixture
def _home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shells find `homebox`, profiles and a file, and none of their own settings."""
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(folder))
    (folder / "config" / "homebox").mkdir(parents=True)
    (folder / "config" / "homebox" / "config.toml").write_text(PROFILES)
    (folder / "portfolio.csv").touch()


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("shell", AT_THE_PROMPT)
def test_at_the_prompt(shell: str) -> None:
    """At the prompt of a real shell, the tab key completes commands, options, values and files.

    bash takes the script at once, zsh loads it from a folder of its path.
    """
    begin = 'eval "$(homebox completion bash)"; PS1=; echo REA""DY\n'
    if shell == "zsh":
        begin = (
            "unsetopt prompt_sp zle_bracketed_paste; PS1=; homebox 'completion' zsh > _homebox; "
            'fpath=($PWD $fpath); autoload -U compinit; compinit -u; echo REA""DY\n'
        )
    # The first is typed when the shell is there, each other one when the one before is complete.
    replies = {"$" if shell == "bash" else "%": begin}
    seen = "READY"
    for line, word in LINES.items():
        replies[seen] = f"\x15{line}\t"
        seen = f"{line.rpartition(' ')[0]} {word}"
    replies[seen] = "\x15exit\n"
    if not os.getuid():
        replies = {("#" if text in "$%" else text): reply for text, reply in replies.items()}
    code, shown = on_a_terminal([program(shell), *AT_THE_PROMPT[shell]], replies)
    assert ({}, 0) == (replies, code), shown


@pytest.mark.usefixtures("_home")
def test_fish() -> None:
    """fish completes commands, options, values and files."""
    ask = "homebox completion fish | source; for line in $argv; complete --do-complete $line; end"
    done = subprocess.run(
        [program("fish"), "-c", ask, *LINES], capture_output=True, text=True, timeout=50
    )
    # What it is for stands behind a tab.
    answers = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert (list(LINES.values()), "") == (answers, done.stderr)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(run: Run, shell: str) -> None:
    """The script of each shell asks `homebox` itself; its help says where to put it."""
    result = run("completion", shell)
    assert (0, "") == (result.exit_code, result.stderr)
    assert f"_HOMEBOX_COMPLETE={shell}_complete" in result.stdout
    assert f"homebox completion {shell} >" in run("completion", "--help").stdout


def test_on_a_terminal(run: Run) -> None:
    """On a terminal, the command says where the script belongs."""
    code, shown = on_a_terminal(
        [sys.executable, "-m", "homebox_async.cli", "completion", "fish"], {}
    )
    assert 0 == code
    assert "write this to ~/.config/fish/completions/homebox.fish" in shown


def test_unknown_shell(run: Run) -> None:
    """Another shell is refused with those that there are."""
    result = run("completion", "tcsh")
    assert (2, True) == (result.exit_code, "'bash', 'zsh', 'fish'" in result.stderr)


@pytest.mark.parametrize(
    ("line", "answer"),
    [("homebox ", "account"), ("homebox leads create --tenancy-", "--tenancy-start")],
    ids=["commands", "options"],
)
def test_answer(
    line: str, answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shell's question is answered by the command itself."""
    monkeypatch.setenv("_HOMEBOX_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert 0 == left.value.code
    assert f"plain,{answer}" == capsys.readouterr().out.splitlines()[0]


def test_answer_without_the_client() -> None:
    """Neither the client nor attrs is loaded for an answer."""
    code = (
        "import sys; from homebox_async.cli import main\n"
        "try: main()\n"
        "finally: print({'aiohttp', 'attr', 'msgspec', 'rich', 'tomllib'} & set(sys.modules))"
    )
    environment = {
        "_HOMEBOX_COMPLETE": "bash_complete",
        "COMP_WORDS": "homebox leads create --",
        "COMP_CWORD": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | environment
    )
    assert ("set()", "") == (done.stdout.splitlines()[-1], done.stderr)


def test_bad_config_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A config file that cannot be read completes nothing and says nothing."""
    (folder / "bad.toml").write_text("=")
    monkeypatch.setenv("HOMEBOX_CONFIG", "bad.toml")
    monkeypatch.setenv("_HOMEBOX_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "homebox doctor --profile ")
    monkeypatch.setenv("COMP_CWORD", "3")
    for content in ("=", "profiles = 1"):
        (folder / "bad.toml").write_text(content)
        with pytest.raises(SystemExit):
            cli.main()
        assert ("\n", "") == capsys.readouterr()
