"""Files: what they are is told by their content, and they can be sent again."""

import datetime as dt
import io
import os
from pathlib import Path
from typing import Any

import pytest

from homebox_async import Upload, ValidationError

READING = {"type": "gas", "reading": 299, "date_of_reading": dt.date(2021, 6, 20)}


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_postal_bill(
    server: Any, exchange: Any, printed: dict[str, Any], kind: str, png: bytes
) -> None:
    """A postal bill goes as a form of notes and file, with a type and a suffix by content."""
    server.answer(printed["Create Postal Bill"])
    made = await exchange(
        kind, lambda c: c.postal_bills.create(1, file=png, tenant_notes="Tenant\nnote")
    )
    (sent,) = server.sent
    assert ("POST", "/api/partner/order/1/postal-bills") == (sent.method, sent.path)
    assert b"Tenant\nnote" == sent.parts["tenant_notes"][2]
    assert ("file.png", "image/png", png) == sent.parts["file"]
    assert 3 == made.id


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_branch(
    server: Any, exchange: Any, printed: dict[str, Any], kind: str, png: bytes
) -> None:
    """A branch goes as a form with its logo, and its id and the server's words come back."""
    server.answer(printed["Create Branch Accounts"])
    made = await exchange(
        kind,
        lambda c: c.branches.create(
            name="Child Partner",
            theme_color_primary="#000000",
            email="child.partner1@example.com",
            reference_number="123456789",
            image_path=png,
        ),
    )
    (sent,) = server.sent
    assert ("POST", "/api/partner/child/store") == (sent.method, sent.path)
    texts = {name: part[2].decode() for name, part in sent.parts.items() if part[0] is None}
    expected = {
        "name": "Child Partner",
        "theme_color_primary": "#000000",
        "email": "child.partner1@example.com",
        "reference_number": "123456789",
    }
    assert expected == texts
    assert ("image_path.png", "image/png", png) == sent.parts["image_path"]
    assert (1, "Child partner has been successfully created.") == (made.id, made.message)


@pytest.mark.parametrize("of", ["order", "property"])
async def test_reading(
    server: Any, client: Any, printed: dict[str, Any], of: str, png: bytes
) -> None:
    """A reading goes as a form with its date as YYYY-MM-DD and its photo."""
    server.answer(printed["Create Meter Reading for an Order"])
    await getattr(client.readings, f"create_for_{of}")(1, **READING, image=png)
    (sent,) = server.sent
    assert ("POST", f"/api/partner/{of}/1/readings") == (sent.method, sent.path)
    texts = {name: part[2].decode() for name, part in sent.parts.items() if part[0] is None}
    assert {"date_of_reading": "2021-06-20", "reading": "299", "type": "gas"} == texts
    assert ("image.png", "image/png", png) == sent.parts["image"]


def _open(path: Path) -> Any:
    file = path.open("rb")
    file.read(3)  # it is sent from where it stands, which here still tells what it is
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("make", "filename"),
    [
        pytest.param(lambda path: path.read_bytes(), "file.pdf", id="bytes"),
        pytest.param(lambda path: path, "letter.pdf", id="path"),
        pytest.param(_open, "letter.pdf", id="file"),
        pytest.param(lambda path: io.BytesIO(path.read_bytes()), "file.pdf", id="memory"),
        pytest.param(lambda path: Upload(path, "a.bin", "application/pdf"), "a.bin", id="upload"),
    ],
)
async def test_sent_again_whole(
    server: Any,
    client: Any,
    printed: dict[str, Any],
    tmp_path: Path,
    pdf: bytes,
    make: Any,
    filename: str,
) -> None:
    """A file that is refused for the moment is sent a second time, whole."""
    path = tmp_path / "letter.pdf"
    path.write_bytes(pdf)
    server.answer({"message": "Too Many Attempts."}, status=429)
    server.answer(printed["Create Postal Bill"])
    file = make(path)
    try:
        await client.postal_bills.create(1, file=file)
    finally:
        if isinstance(file, io.IOBase):
            file.close()
    expected = (filename, "application/pdf", pdf)
    assert [expected, expected] == [sent.parts["file"] for sent in server.sent]


async def test_suffix_is_added(
    server: Any, client: Any, printed: dict[str, Any], tmp_path: Path, png: bytes
) -> None:
    """A path without a suffix gets that of its content."""
    path = tmp_path / "scan"
    path.write_bytes(png)
    server.answer(printed["Create Postal Bill"])
    await client.postal_bills.create(1, file=path)
    assert "scan.png" == server.sent[0].parts["file"][0]


@pytest.fixture
def pipe() -> Any:
    """Return the reading end of a pipe, which cannot be read a second time."""
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as file:
        yield file


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"hello", "is not an image or a PDF", id="text"),
        pytest.param(Path("/nowhere.pdf"), "is not a file", id="no-such-path"),
        pytest.param(io.StringIO("text"), "is open as text", id="text-mode"),
        pytest.param("letter.pdf", "is str", id="str"),
    ],
)
async def test_refused(client: Any, file: Any, problem: str) -> None:
    """What is not an image or a PDF is refused before anything is sent."""
    with pytest.raises(ValidationError) as refused:
        await client.postal_bills.create(1, file=file)
    assert [("file", problem)] == [(p.field, p.problem) for p in refused.value.problems]


async def test_pipe_is_refused(client: Any, pipe: Any) -> None:
    """What cannot be read a second time is refused: a retry would send nothing."""
    with pytest.raises(ValidationError, match="cannot be read more than once"):
        await client.postal_bills.create(1, file=pipe)


async def test_unreadable_path_is_refused(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be read is a problem of the input."""
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF-1.7")

    def refuse(*_: object) -> Any:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValidationError, match="cannot be read; check who may read it"):
        await client.postal_bills.create(1, file=path)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            lambda c, pdf: c.readings.create_for_order(1, **READING, image=pdf), id="reading"
        ),
        pytest.param(
            lambda c, pdf: c.branches.create(name="A", email="a@example.com", image_path=pdf),
            id="logo",
        ),
    ],
)
async def test_pdf_is_no_image(client: Any, pdf: bytes, call: Any) -> None:
    """A photo of a meter and a logo have to be images."""
    with pytest.raises(ValidationError, match="is not an image"):
        await call(client, pdf)
