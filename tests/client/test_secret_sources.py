"""Where the library takes its secrets from: an argument, the environment, a file that it names."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from homebox_async import AsyncBilling, AsyncHomebox, ConfigurationError

SECRET = "zqToken8f3aCanary"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a secret's file that only its owner may read."""
    for name in list(os.environ):
        if name.startswith("HOMEBOX_"):
            monkeypatch.delenv(name)

    def file(content: bytes = SECRET.encode(), mode: int = 0o600) -> Path:
        path = tmp_path / "secret"
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return file


def token_of(client: AsyncHomebox | AsyncBilling) -> str:
    """Return the token that a client sends."""
    return str(client._transport._headers["Authorization"]).removeprefix("Bearer ")


@pytest.mark.parametrize(
    "content",
    [
        SECRET.encode(),
        f"{SECRET}\n".encode(),
        f" \r\n{SECRET}\r\n".encode(),
        b"\xef\xbb\xbf" + b"x",
    ],
    ids=["bare", "line", "space", "bom"],
)
def test_file(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """HOMEBOX_TOKEN_FILE names a file with the token; the space around it does not count."""
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", str(write(content)))
    assert content.decode("utf-8-sig").strip() == token_of(AsyncHomebox())


def test_precedence(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is passed goes before the environment, and that before the file."""
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", str(write(b"file")))
    found = [token_of(AsyncHomebox())]
    monkeypatch.setenv("HOMEBOX_TOKEN", "env")
    found += [token_of(AsyncHomebox()), token_of(AsyncHomebox("given"))]
    monkeypatch.setenv("HOMEBOX_TOKEN", " ")  # as good as unset
    assert ["file", "env", "given", "file"] == [*found, token_of(AsyncHomebox())]


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (b"", 0o600, "is empty; put the secret into it"),
        (b" \n", 0o600, "is empty"),
        (b"\xff\xfe\x00", 0o600, "cannot be read (it is not text)"),
        (b"x" * 70_000, 0o600, "is too large for a secret"),
        (SECRET.encode(), 0o644, "others may read it (mode 0644); run: chmod 600 "),
        (SECRET.encode(), 0o620, "others may read it (mode 0620)"),
    ],
    ids=["empty", "space", "binary", "large", "all", "group"],
)
def test_bad_file(
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    mode: int,
    told: str,
) -> None:
    """A file that cannot be used is refused by its name, and its content is not repeated."""
    path = write(content, mode)
    _as_owner(path, monkeypatch)
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", str(path))
    with pytest.raises(ConfigurationError) as refused:
        AsyncHomebox()
    assert f"HOMEBOX_TOKEN_FILE {path}: {told}" in str(refused.value)
    assert SECRET not in str(refused.value)


def _as_owner(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own a file as somebody who is not root."""
    if os.getuid() == 0:
        os.chown(path, 4711, 4711)
        monkeypatch.setattr(os, "getuid", lambda: 4711)


def test_missing_file(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not there is an error, and no reason to look further."""
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", "/no/where")
    with pytest.raises(ConfigurationError, match=r"HOMEBOX_TOKEN_FILE /no/where: cannot be read"):
        AsyncHomebox()


def test_foreign_file(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is mounted for all to read, as Docker does, is taken."""
    path = write(mode=0o444)
    uid = path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", str(path))
    assert SECRET == token_of(AsyncHomebox())


def test_pipe(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe will do: HOMEBOX_TOKEN_FILE=<(pass show homebox)."""
    reader, writer = os.pipe()
    os.write(writer, SECRET.encode())
    os.close(writer)
    monkeypatch.setenv("HOMEBOX_TOKEN_FILE", f"/dev/fd/{reader}")
    assert SECRET == token_of(AsyncHomebox())
    os.close(reader)


def test_billing_files(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the Billing credentials may stand in a file."""
    monkeypatch.setenv("HOMEBOX_BILLING_USERNAME", "jane")
    monkeypatch.setenv("HOMEBOX_BILLING_PASSWORD_FILE", str(write()))
    login = AsyncBilling()._login
    assert ("jane", SECRET) == (login._username, login._password)  # type: ignore[union-attr]
    monkeypatch.setenv("HOMEBOX_BILLING_TOKEN_FILE", str(write()))
    assert SECRET == token_of(AsyncBilling())
