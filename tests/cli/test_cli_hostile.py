"""What servers, files and names hold cannot drive the terminal, forge a line or run a formula."""

import contextlib
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from homebox_async.cells import escape, unescape
from homebox_async.cli import config, doctor
from homebox_async.cli.checkup import Finding
from homebox_async.cli.output import Output, print_table
from homebox_async.cli.text import say

NASTY = "a\x1b[2J\x07\r\nforged: line\u202e\u200b\x9b31m[red]b[/red]"


class Terminal(io.TextIOWrapper):
    """A stdout that says that it is a terminal, or not."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True, newline="\n")
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        """Return what it was made as."""
        return self.is_terminal

    @property
    def text(self) -> str:
        """All that was written."""
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def stdout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let stdout be a terminal or a pipe."""
    made = Terminal(request.param)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")
    return made


def check(text: str, lines: int) -> None:
    """Check that a text is so many plain lines."""
    assert lines == len(text.strip("\n").split("\n"))
    assert all(c.isprintable() or c in "\n\t" for c in text), ascii(text)


def test_keys_of_objects(stdout: Terminal) -> None:
    """The keys of what a server sends are as harmless as its values."""
    with contextlib.redirect_stdout(stdout):
        Output(json=False, verbose=False, pager=False).tree({NASTY: NASTY, "b": {NASTY: 1}})
    # A table breaks the long value itself.
    check(stdout.text, 3 if stdout.is_terminal else 2)
    assert "[red]b[/red]" in stdout.text


def test_titles_of_tables(stdout: Terminal) -> None:
    """A column's title is no markup either."""
    with contextlib.redirect_stdout(stdout):
        print_table(["[red]id[/red]", "b"], [("[bold]1", "2")], pager=False)
    assert "[red]id[/red]" in stdout.text
    assert "[bold]1" in stdout.text


def test_json(stdout: Terminal) -> None:
    """JSON for a terminal is escaped where it would drive it; it means the same."""
    tree = {NASTY: [NASTY, "Zoë £5 😀"]}
    with contextlib.redirect_stdout(stdout):
        Output(json=True, verbose=False).tree(tree)
    assert tree == json.loads(stdout.text)
    assert "Zoë £5 😀" in stdout.text
    if stdout.is_terminal:
        check(stdout.text, 1)


def test_lines(stdout: Terminal) -> None:
    """What is said about a path, a profile or an account stays a line."""
    with contextlib.redirect_stdout(stdout):
        say(f"journal: {NASTY}", Path(NASTY))
    check(stdout.text, 2)


def test_findings(stdout: Terminal) -> None:
    """The doctor repeats the names of accounts, files and variables."""
    with contextlib.redirect_stdout(stdout):
        doctor._show(Finding("token", "failed", NASTY, NASTY))
    check(stdout.text, 2 if stdout.is_terminal else 1)


def test_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stdout: Terminal) -> None:
    """The names of profiles come from a file; those that are no words are not completed."""
    path = tmp_path / "config.toml"
    path.write_text(f"[profiles.{json.dumps(NASTY)}]\n[profiles.live]\n")
    monkeypatch.setenv(config.VARIABLE, str(path))
    assert ["live"] == config.completed(None, None, "")
    from homebox_async.cli.root import homebox

    with contextlib.redirect_stdout(stdout), contextlib.suppress(SystemExit):
        homebox.main(["profiles", "list"], standalone_mode=False)
    assert not {"\x07", "\u202e", "\x9b"} & {*stdout.text}
    assert "\x1b[2J" not in stdout.text


FORMULAS = ["hello\n=1+1", "a\r\n@SUM(A1)", "a\n-2+3", "\n=1", "a\n\n+1", "a\r=1", "x\n'=1"]


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_formulas_after_a_line_break(text: str) -> None:
    """A spreadsheet that takes the lines of a cell for cells runs none of them."""
    cell = escape(text)
    file = io.StringIO()
    csv.writer(file).writerow([cell])
    for line in cell.replace("\r", "\n").split("\n"):
        assert line[:1] not in tuple("=+-@"), ascii(cell)
    assert text == unescape(cell)


def test_names_of_photos(tmp_path: Path, run: Any) -> None:
    """A photo's name that would forge a line is told in one."""
    photos = tmp_path / "photos"
    photos.mkdir()
    rows = tmp_path / "in.csv"
    rows.write_text(f'property_id,type,reading,date,photo\n1,gas,5,2021-06-20,"{NASTY}.png"\n')
    result = run("import", "readings", str(rows), "--photos", str(photos), "--emulator")
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@host.example", "https://hunter2@host.example", "http//x:hunter2@y"]
)
@pytest.mark.parametrize("how", ["option", "environment"])
def test_passwords_in_an_address(
    run: Any, monkeypatch: pytest.MonkeyPatch, url: str, how: str
) -> None:
    """A password in the address of the server is not repeated by any command that shows it."""
    given = ("--base-url", url) if how == "option" else ()
    if how == "environment":
        monkeypatch.setenv("HOMEBOX_BASE_URL", url)
    for command in (("auth", "status"), ("auth", "status", "--json"), ("doctor",)):
        result = run(*command, *given)
        assert "hunter2" not in result.stdout + result.stderr
        assert 0 != result.exit_code
