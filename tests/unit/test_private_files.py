"""Files that are safe to use: ours, regular, for our eyes only, and never another's."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homebox_async import AsyncHomebox, ConfigurationError
from homebox_async.cli import config
from homebox_async.credentials import read_secret
from homebox_async.emulator import Emulator, StateError
from homebox_async.export import ExportError, export
from homebox_async.importer import JournalError, SourceError, import_properties
from homebox_async.importer.photos import Photos
from homebox_async.private_files import (
    UnsafeFile,
    check_own,
    check_target,
    create_draft,
    narrow,
    open_private,
    read_bounded,
)

ROWS = "line1,city,postcode,reference\n1 High St,Leeds,LS1 1AA,A1\n2 High St,Leeds,LS1,A2\n"
SECRET = "sk-live-0123456789"


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Let files be readable for a group, unless they are made otherwise."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def special(kind: str, path: Path) -> Path:
    """Make something that is no file."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.with_name("elsewhere").write_text("mine")
        path.symlink_to("elsewhere")
    elif kind == "dead link":
        path.symlink_to("nowhere")
    else:
        return Path(kind)
    return path


SPECIAL = ["pipe", "socket", "folder", "/dev/null", "/dev/zero"]
LINKS = ["link", "dead link"]


def mode_of(path: Path) -> int:
    """Return who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


def trace(folder: Path) -> dict[str, Any]:
    """Return all that there is in a folder, with modes and contents."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes(),
        )
        for path in sorted(folder.rglob("*"))
    }


# --- the module itself


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", SPECIAL)
def test_only_files_are_opened(tmp_path: Path, kind: str, named: bool) -> None:
    """Pipes, sockets, folders and devices are refused at once, and are what they were."""
    path = special(kind, tmp_path / "x")
    before = path.lstat().st_mode
    with pytest.raises(UnsafeFile, match=r"is a (pipe|socket|folder|device); give the path"):
        open_private(path, named=named)
    with pytest.raises(UnsafeFile):
        check_target(path)
    assert before == path.lstat().st_mode


@pytest.mark.parametrize("kind", LINKS)
def test_links_that_no_one_named(tmp_path: Path, kind: str) -> None:
    """A link in a place that can be guessed is refused, and nothing is made where it leads."""
    path = special(kind, tmp_path / "x")
    before = trace(tmp_path)
    for use in (lambda: open_private(path, named=False), lambda: check_own(path)):
        with pytest.raises(UnsafeFile, match="symbolic link"):
            use()
    assert before == trace(tmp_path)


def test_a_named_link(tmp_path: Path) -> None:
    """A link that the user named is followed to a file; one that leads nowhere is refused."""
    descriptor, is_new = open_private(special("link", tmp_path / "x"), named=True)
    assert (b"mine", False) == (os.read(descriptor, 9), is_new)
    os.close(descriptor)
    with pytest.raises(UnsafeFile, match="leads nowhere"):
        open_private(special("dead link", tmp_path / "y"), named=True)
    assert not (tmp_path / "nowhere").exists()


def test_new_and_old(tmp_path: Path) -> None:
    """A new file is private; an old one is left alone until it is narrowed."""
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("mine")
    old.chmod(0o666)
    made, is_new = open_private(new, named=False)
    found, is_old = open_private(old, named=False)
    assert (True, False, 0o600, 0o666) == (is_new, is_old, mode_of(new), mode_of(old))
    narrow(found)
    assert (0o600, "mine") == (mode_of(old), old.read_text())
    os.close(made)
    os.close(found)


def test_another_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's file is refused, but for a warning where the user named it; never narrowed."""
    path = tmp_path / "x"
    path.write_text("theirs")
    path.chmod(0o666)
    uid = path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    for use in (lambda: open_private(path, named=False), lambda: check_own(path)):
        with pytest.raises(UnsafeFile, match="belongs to another user"):
            use()
    with pytest.warns(UserWarning, match="belongs to another user, who may read it"):
        descriptor, _ = open_private(path, named=True)
    narrow(descriptor)
    assert 0o666 == mode_of(path)
    os.close(descriptor)


def test_drafts(tmp_path: Path) -> None:
    """A draft has a random name and a mode of the umask, or a private one."""
    target = tmp_path / ("n" * 255)
    drafts = [create_draft(target, private=private) for private in (False, False, True)]
    assert 3 == len({path for path, _ in drafts})
    assert [0o640, 0o640, 0o600] == [mode_of(path) for path, _ in drafts]
    for _, descriptor in drafts:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["socket", "folder", "/dev/null", "/dev/zero"])
def test_reading_what_is_no_file(tmp_path: Path, kind: str) -> None:
    """Devices, sockets and folders are not read."""
    with pytest.raises(UnsafeFile, match="it is a"):
        read_bounded(special(kind, tmp_path / "x"), 10)


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read than was asked for, and a silent pipe is not waited for without end."""
    path = tmp_path / "x"
    path.write_bytes(b"x" * 1000)
    assert 11 == len(read_bounded(path, 10)[1])
    monkeypatch.setattr("homebox_async.private_files._PATIENCE", 0.05)
    with pytest.raises(UnsafeFile, match=r"a pipe into which nothing came for 0\.05 s"):
        read_bounded(special("pipe", tmp_path / "fifo"), 10)


# --- those who use it


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "/dev/zero", "huge", "a\0b"])
def test_secrets_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A token file or a config that is no file, or endless, is one line and no wait."""
    monkeypatch.setattr("homebox_async.private_files._PATIENCE", 0.05)
    path = tmp_path / "huge" if kind in ("huge", "a\0b") else special(kind, tmp_path / "x")
    if kind == "huge":
        path.write_bytes(b"#" * (2 << 20))
        path.chmod(0o600)
    if kind == "a\0b":
        path = Path(kind)
    for read in (lambda: read_secret(path, "--token-file"), config.read):
        monkeypatch.setattr(config, "config_path", lambda: path)
        with pytest.raises(ConfigurationError, match=r"cannot be read|is too large") as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_config_that_others_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """It names the server that the token goes to, so it is refused."""
    path = tmp_path / "config.toml"
    path.write_text("[profiles.a]\n")
    path.chmod(mode)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid or 1)  # root is never refused
    monkeypatch.setattr(config, "config_path", lambda: path)
    with pytest.raises(ConfigurationError, match=r"others may write to it .*chmod go-w"):
        config.read()


STRANGERS = {
    "a token": SECRET,
    "a token with a line": SECRET + "\n",
    "a key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    "JSON": '{"a": 1}',
    "a list": "[[1, 2]]",
    "nested": "[" * 100_000,
    "another log": '[["nothing", [1]]]\n',
    "odd rows": '[["property", [[], {}, null]]]\n',
    "bytes": "\x00\udcff\udcfe",
}


@pytest.mark.parametrize("text", STRANGERS.values(), ids=STRANGERS)
async def test_an_emulator_on_a_file_of_others(tmp_path: Path, text: str) -> None:
    """What is no state of an emulator is neither cut nor narrowed, and is a StateError."""
    path = tmp_path / "live.token"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(0o640)
    before = trace(tmp_path)
    with pytest.raises(StateError, match=r"live\.token: .*give another file"):
        await Emulator(state=path).start()
    assert before == trace(tmp_path)


async def test_a_state_that_was_open_to_others(tmp_path: Path) -> None:
    """The emulator's own state is narrowed once it is known to be that."""
    path = tmp_path / "state"
    async with Emulator(state=path):
        pass
    path.chmod(0o644)
    async with Emulator(state=path):
        assert 0o600 == mode_of(path)
    path.write_bytes(path.read_bytes()[:20])  # the first line was cut off by a crash
    async with Emulator(state=path):
        assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("kind", [*SPECIAL[:3], *LINKS])
async def test_a_journal_in_a_place_that_can_be_guessed(
    tmp_path: Path, emulator_client: AsyncHomebox, kind: str
) -> None:
    """What stands where a journal goes by itself is refused and left alone; nothing is sent."""
    source = tmp_path / "in.csv"
    source.write_text(ROWS)
    special(kind, tmp_path / "in.journal")
    before = trace(tmp_path)
    with pytest.raises(JournalError, match=r"in\.journal: "):
        await import_properties(emulator_client, source, results=tmp_path)
    assert before == trace(tmp_path)


async def test_a_journal_that_was_open_to_others(
    tmp_path: Path, emulator_client: AsyncHomebox
) -> None:
    """A journal is narrowed; the results follow the umask."""
    source = tmp_path / "in.csv"
    source.write_text(ROWS)
    journal = tmp_path / "in.journal"
    await import_properties(emulator_client, source, results=tmp_path)
    journal.chmod(0o644)
    await import_properties(emulator_client, source, results=tmp_path)
    assert 0o600 == mode_of(journal)
    assert 0o640 == mode_of(tmp_path / "in.created.csv")


@pytest.mark.parametrize("name", ["in.created.csv", "in.rejects.csv", "in.unknown.csv"])
@pytest.mark.parametrize("kind", [*SPECIAL[:3], "link"])
async def test_results_in_place_of_something_else(
    tmp_path: Path, emulator_client: AsyncHomebox, kind: str, name: str
) -> None:
    """A result file replaces files only."""
    source = tmp_path / "in.csv"
    source.write_text(ROWS)
    path = special(kind, tmp_path / name)
    before = path.lstat()
    try:
        await import_properties(emulator_client, source, results=tmp_path)
    except Exception as error:
        assert "is a" in str(error)  # noqa: PT017
    assert (before.st_mode, before.st_ino) == (path.lstat().st_mode, path.lstat().st_ino)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", [*SPECIAL[:4], "link"])
async def test_an_export_in_place_of_something_else(
    tmp_path: Path, emulator_client: AsyncHomebox, kind: str, overwrite: bool
) -> None:
    """An export replaces files only, and asks before it does."""
    path = special(kind, tmp_path / "x.csv")
    before = trace(tmp_path)
    with pytest.raises(ExportError, match="is a"):
        await export(emulator_client, "properties", path, overwrite=overwrite)
    assert before == trace(tmp_path)


async def test_an_export_over_a_file(tmp_path: Path, emulator_client: AsyncHomebox) -> None:
    """An older file is replaced with `overwrite` only; the new one has the mode of the umask."""
    path = tmp_path / "x.csv"
    path.write_text("old")
    with pytest.raises(ExportError, match=r"is there already; give --overwrite"):
        await export(emulator_client, "properties", path)
    assert "old" == path.read_text()
    await export(emulator_client, "properties", path, overwrite=True)
    assert (0o640, ["x.csv"]) == (mode_of(path), [one.name for one in tmp_path.iterdir()])


@pytest.mark.parametrize("name", ["x.csv.part", "x.csv.part.json"])
@pytest.mark.parametrize("kind", [*SPECIAL[:3], *LINKS])
async def test_an_export_with_something_in_its_way(
    tmp_path: Path, emulator_client: AsyncHomebox, kind: str, name: str
) -> None:
    """Nothing is written through what stands where the part or its state go."""
    special(kind, tmp_path / name)
    before = trace(tmp_path)
    with pytest.raises(OSError, match=r"x\.csv\.part"):
        await export(emulator_client, "properties", tmp_path / "x.csv")
    assert before.items() <= trace(tmp_path).items()


STATES: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "nested": lambda text: "[" * 100_000,
    "no number": lambda text: text.replace('"rows": 0', '"rows": "x"'),
    "no list": lambda text: text.replace('"empty": []', '"empty": {"a": 1}'),
    "bytes below 0": lambda text: text.replace('"bytes": 0', '"bytes": -5'),
    "what a list": lambda text: '{"what": [], "state": {}}',
    "cut": lambda text: text[: len(text) // 2],
}


@pytest.mark.parametrize("damage", STATES.values(), ids=STATES)
async def test_a_damaged_state_of_an_export(
    tmp_path: Path,
    emulator_client: AsyncHomebox,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[str], str],
) -> None:
    """The state of an export that cannot be used is an ExportError, and the part is not cut."""
    path, state = tmp_path / "x.csv", tmp_path / "x.csv.part.json"

    async def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("homebox_async.export.run.Export._read", fail)
        with pytest.raises(RuntimeError):
            await export(emulator_client, "properties", path)
    (tmp_path / "x.csv.part").write_text("id\n1\n")
    state.write_text(damage(state.read_text()))
    with pytest.raises(ExportError, match=r"restart|--overwrite"):
        await export(emulator_client, "properties", path)
    assert "id\n1\n" == (tmp_path / "x.csv.part").read_text()


@pytest.fixture
async def emulator_client() -> Any:
    """Return a client of an emulator that has one property."""
    async with (
        Emulator() as emulator,
        AsyncHomebox(emulator.token, base_url=emulator.url) as client,
    ):
        yield client


def test_links_among_photos(tmp_path: Path) -> None:
    """A link that leads out of the folder of the photos is refused; one within it is a name."""
    folder, outside = tmp_path / "photos", tmp_path / "id_ed25519"
    folder.mkdir()
    outside.write_text("secret")
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "b.png").symlink_to("a.png")
    assert Photos(folder).get("b.png", "") is not None
    for target in (outside, Path("../id_ed25519"), Path("/etc/passwd")):
        link = folder / "c.png"
        link.symlink_to(target)
        with pytest.raises(SourceError, match=r"c\.png is a link that leads out of the folder"):
            Photos(folder)
        link.unlink()
