"""Imports and commands that meet a hostile server: no row is lost, no traceback is shown."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from homebox_async import AsyncHomebox, Retry
from homebox_async.importer import Report, engine, import_properties

pytestmark = pytest.mark.slow

ROWS = 3
REFERENCES = [f"A{n}" for n in range(1, ROWS + 1)]


class Partner:
    """A server of which each part of the API can answer anything.

    `created`: the answer to each creation, None for that of a server which keeps and lists what
    it creates. `listed`: what stands in the list before that, or the bytes of each of its pages.
    """

    def __init__(self, server: Any) -> None:
        self.account: Any = {"data": {"name": "x", "reference_number": "r"}}
        self.created: Any = None
        self.listed: Any = []
        self.posts = 0
        self._kept: list[Any] = []
        self._server = server
        server.default = self._act

    async def _act(self, wire: Any, seen: Any) -> None:
        url = urlsplit(seen.target)
        if seen.method == "POST":
            self.posts += 1
            answer = self._create(json.loads(seen.body)) if self.created is None else self.created
        elif url.path.endswith("account"):
            answer = self.account
        elif url.path.endswith("property"):
            answer = self._page(int(dict(parse_qsl(url.query)).get("page", "1")))
        else:
            answer = {"data": next(one for one in self._kept if url.path.endswith(f"/{one['id']}"))}
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        await self._server.say(200, body)(wire, seen)

    def _create(self, sent: Any) -> Any:
        entry = {"property_reference": sent["property_reference"]}
        self._kept.append({"id": 100 + self.posts, "partner_properties": [entry]})
        return {"data": self._kept[-1]}

    def _page(self, number: int) -> Any:
        if isinstance(self.listed, bytes):
            return self.listed
        return {"data": [*self.listed, *self._kept] if number == 1 else []}

    async def run(self, folder: Path, **options: Any) -> Report:
        """Import three rows."""
        path = folder / "in.csv"
        lines = [f"{n} High St,Leeds,LS1 1AA,{ref}" for n, ref in enumerate(REFERENCES, 1)]
        path.write_text("\n".join(["line1,city,postcode,ref", *lines, ""]))
        async with AsyncHomebox("t", base_url=self._server.url, retry=Retry(backoff=0)) as client:
            return await import_properties(client, path, results=folder, settle=0, **options)


@pytest.fixture
def partner(server: Any) -> Partner:
    """Return a server of the Partner API."""
    return Partner(server)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"id": 10**30}},
        {"data": {"id": -1}},
        {"data": {"id": 0}},
        {"data": {"id": 1 << 63}},
        {"data": {"id": "9" * 5000}},
        {"data": {"id": "../x"}},
        {"data": {"id": [1]}},
        {"data": {}},
        {"message": "Server Error"},
        {"error": "no"},
        b"<html>",
        b"",
        b'{"data": ' * 100_000,
        b'{"data": {"id": NaN}}',
    ],
    ids=lambda answer: str(answer)[:30],
)
async def test_created_without_an_id(partner: Partner, tmp_path: Path, answer: Any) -> None:
    """A creation that is answered with nonsense is unknown: no row is lost or called created."""
    partner.created = answer
    report = await partner.run(tmp_path)
    # Sent again at most as often as rows are, after a look-up that found nothing.
    assert (ROWS, 0, 0) == (report.unknown, report.created, report.adopted)
    assert ROWS <= partner.posts <= 5 * ROWS
    assert report.files["unknown"].exists()


@pytest.mark.parametrize(
    "identity", [10**30, -7, 0, None, "x", [1], "9" * 5000], ids=lambda one: str(one)[:9]
)
async def test_found_with_an_odd_id(partner: Partner, tmp_path: Path, identity: Any) -> None:
    """What the list shows is there, whatever its id: it is adopted and not sent."""
    owned = [{"property_reference": reference} for reference in REFERENCES]
    found = [{"id": identity, "partner_properties": [one], "n": n} for n, one in enumerate(owned)]
    partner.listed = found
    report = await partner.run(tmp_path)
    assert (ROWS, 0) == (report.adopted, partner.posts)


@pytest.mark.parametrize(
    "name", ["\ud800", "a\0b", "\x1b[2J\u202e", "x" * 1_000_000, "'; DROP TABLE rows; --"]
)
async def test_account_with_an_odd_name(partner: Partner, tmp_path: Path, name: str) -> None:
    """An account may be called anything: its import is finished, and found again."""
    partner.account = {"data": {"name": name, "reference_number": name}}
    assert ROWS == (await partner.run(tmp_path)).created
    assert ROWS == (await partner.run(tmp_path)).created
    assert ROWS == partner.posts


@pytest.mark.parametrize(
    "reference", ["\ud800", "A1\0", "x" * 1_000_000, None, 5, ["A1"], {"a": 1}]
)
async def test_listed_with_odd_references(partner: Partner, tmp_path: Path, reference: Any) -> None:
    """References of others that are no texts of ours match nothing and break nothing."""
    partner.listed = [{"id": 9, "partner_properties": [{"property_reference": reference}]}]
    assert ROWS == (await partner.run(tmp_path)).created


@pytest.mark.parametrize("words", ["\x1b[2J", "\ud800", "=1+1", "a\r\nb", "x" * 1_000_000])
async def test_refused_with_odd_words(
    partner: Partner, server: Any, tmp_path: Path, words: str
) -> None:
    """The server's words reach the journal and the rejects file clean and short."""
    act = server.default

    async def refuse(wire: Any, seen: Any) -> None:
        if seen.method != "POST":
            await act(wire, seen)
            return
        body = json.dumps({"message": words, "errors": {f"address.{words}": [words]}})
        await server.say(422, body.encode())(wire, seen)

    server.default = refuse
    report = await partner.run(tmp_path)
    assert ROWS == report.rejected
    text = report.files["rejects"].read_text()
    assert "\x1b" not in text
    assert ",=" not in text
    assert len(text) < 10_000


@pytest.mark.parametrize("listed", [b"<html>", b'{"error": "x"}', b'{"data": 5}', b"[" * 100_000])
async def test_a_list_that_is_none(
    partner: Partner, tmp_path: Path, listed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the list cannot be read, nothing is sent and the report says why."""
    monkeypatch.setattr(engine, "_PATIENT", Retry(attempts=2, backoff=0.0))  # no half minute
    partner.listed = listed
    report = await partner.run(tmp_path, patience=0.0)
    assert (ROWS, 0) == (report.pending, partner.posts)
    assert report.stopped


# --- commands

ODD = '{"data": {"name": "a\\ud800\\u001b[2J\\u202e=1", "new": %s, "reference_number": "=1+1"}}'


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=["plain", "json", "csv"])
@pytest.mark.parametrize("depth", [1, 975, 100_000])
async def test_commands(server: Any, tmp_path: Path, form: list[str], depth: int) -> None:
    """What a hostile server says is shown harmless, or is one line on stderr."""
    server.default = server.say(200, (ODD % ("[" * depth + "1" + "]" * depth)).encode())
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homebox_async.cli", "account", "show", *form),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={"HOMEBOX_TOKEN": "t", "HOMEBOX_BASE_URL": server.url, "PYTHONIOENCODING": "utf-8"},
    )
    out, err = (part.decode() for part in await child.communicate())
    assert "Traceback" not in err
    if child.returncode:
        assert 1 == child.returncode
        assert err.rstrip("\n").isprintable()
    else:
        assert "\x1b" not in out
    if form == ["--csv"] and not child.returncode:
        assert "'=1+1" in out
