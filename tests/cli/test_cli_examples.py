"""The examples of every help do what they show."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
from click.testing import Result
from keyrings.alt.file import PlaintextKeyring

from homebox_async.client import ENVIRONMENTS
from homebox_async.emulator import Emulator, Fault

from .examples import FILES, examples, fill, write_files

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]

EXAMPLES = examples()
SERVE = [line for line in EXAMPLES if line.startswith("homebox emulator serve")]
PIPES = [line for line in EXAMPLES if "|" in line]
PLAIN = [line for line in EXAMPLES if line not in SERVE + PIPES]
# A shell for lines with pipes finds `homebox` here.
SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def world(
    line: str, run: Run, served: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Emulator:
    """Return an emulator that holds what the example names, which passes for the sandbox too."""
    write_files(line, folder)
    if line.startswith(("homebox import status", "homebox import resolve")):
        import_first(line, run, served, folder)
    fill(served, line)
    username, password = served.billing_login
    for name, value in {
        "URL": served.billing_url,
        "LOGIN_URL": served.billing_url,
        "USERNAME": username,
        "PASSWORD": password,
        "ADMINISTRATOR_IDS": "1",
    }.items():
        monkeypatch.setenv(f"HOMEBOX_BILLING_{name}", value)
    monkeypatch.setitem(ENVIRONMENTS, "sandbox", served.url)  # type: ignore[arg-type]
    return served


def import_first(line: str, run: Run, served: Emulator, folder: Path) -> None:
    """Run the import that an example asks about; the rows that it settles are unknown."""
    kind, name = ("leads", "tenancies") if "tenancies" in line else ("properties", "portfolio")
    header, row = FILES[f"{name}.csv"].splitlines()
    rows = [
        re.sub(r"\b([AT])1\b", rf"\g<1>{n}", row.replace("1 High", f"{n} High"))
        for n in range(1, 8)
    ]
    (folder / f"{name}.csv").write_text("\n".join([header, *rows, ""]))
    if "resolve" in line:
        path = "lead" if kind == "leads" else "property"
        served.script("POST", f"/api/partner/{path}", [Fault.named("drop-before")] * 40)
    result = run("import", kind, f"{name}.csv", "--settle", "0")
    assert ("resolve" in line) == result.exit_code, result.output


@pytest.fixture
def _file_keyring(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keep what is kept in a file of this test."""
    monkeypatch.setattr(PlaintextKeyring, "file_path", str(folder / "keyring.cfg"))
    before = keyring.get_keyring()
    keyring.set_keyring(PlaintextKeyring())
    yield
    keyring.set_keyring(before)


def redirected(line: str) -> tuple[list[str], str]:
    """Return the words of a line, and the file that it reads from; what it writes is not kept."""
    words, files = shlex.split(line), {"<": "", ">": ""}
    for sign in files:
        if sign in words:
            at = words.index(sign)
            files[sign] = words[at + 1]
            del words[at : at + 2]
    return words[1:], files["<"]


def test_examples_are_found() -> None:
    """Each kind of example is among those that are run."""
    assert len(EXAMPLES) >= 100
    assert (3, 3) == (len(SERVE), len(PIPES))
    assert all("homebox " in line for line in EXAMPLES)


@pytest.mark.usefixtures("_file_keyring")
@pytest.mark.parametrize("line", PLAIN)
def test_example(line: str, run: Run, world: Emulator, folder: Path) -> None:
    """The example succeeds."""
    words, source = redirected(line)
    given = "y\n" if "forget" in words else "a-token\n"
    if source:
        given = (folder / source).read_text()
    result = run(*words, input=given)
    assert 0 == result.exit_code, result.stderr


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("line", PIPES)
def test_example_with_a_pipe(line: str, world: Emulator, folder: Path) -> None:
    """The example succeeds in a shell, with all its programs."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{SCRIPTS}:{os.environ['PATH']}"},
    )
    assert (0, "") == (done.returncode, done.stderr if "error" in done.stderr else "")
    assert done.stdout


@pytest.mark.parametrize("line", SERVE)
def test_example_that_serves(line: str, start: Start) -> None:
    """The example serves until it is stopped; where it names no port, the test takes a free one."""
    words = shlex.split(line)[1:]
    process = start(*words, *(() if "--port" in words else ("--port", "0")))
    assert process.stdout is not None
    assert process.stdout.readline().startswith("HOMEBOX_BASE_URL=http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert 0 == process.returncode
