"""JSON that is none, lies or is built to hurt: our own error or a documented reading."""

import contextlib
import io
import json
import logging
import time
from typing import Any

import pytest

from homebox_async import (
    AnswerUnusable,
    AsyncHomebox,
    ConnectionFailed,
    NotFound,
    OutcomeUnknown,
    Retry,
    UnprocessableEntity,
)
from homebox_async.billing import AsyncBilling
from homebox_async.models import Unreadable

ONCE = Retry(attempts=1)
TEXT = '{"data": {"name": "Zoë £5"}}'


@pytest.mark.parametrize(
    "kind",
    ["text/html", "text/plain", "application/octet-stream", "image/png", "nonsense", "", "a/b;;=;"],
)
async def test_content_types(server: Any, client: Any, kind: str) -> None:
    """JSON is read whatever its type says: the content decides."""
    server.default = server.say(200, TEXT.encode(), content_type=kind)
    assert "Zoë £5" == (await client.account.get()).name


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        ("utf-8-sig", ""),
        ("utf-8", "latin-1"),
        ("utf-8", "no-such-charset"),
        ("utf-8", "punycode"),
        ("utf-8", "x" * 5000),
        ("latin-1", ""),
        ("latin-1", "iso-8859-1"),
        ("latin-1", "windows-1252"),
        ("latin-1", "punycode"),
        ("latin-1", "unicode_escape"),
        ("latin-1", "zlib"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
    ],
)
async def test_charsets(server: Any, client: Any, encoding: str, charset: str) -> None:
    """UTF-8 is tried first, then what the server names if that is a charset, then cp1252."""
    kind = f"application/json; charset={charset}" if charset else "application/json"
    server.default = server.say(200, TEXT.encode(encoding), content_type=kind)
    assert "Zoë £5" == (await client.account.get()).name


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "cp500"])
async def test_charsets_that_nobody_names(server: Any, connect: Any, encoding: str) -> None:
    """What is neither UTF-8 nor named is no JSON, and our own error."""
    server.default = server.say(200, TEXT.encode(encoding))
    with pytest.raises(AnswerUnusable, match="is not JSON"):
        await connect(retry=ONCE).account.get()


async def test_a_codec_of_square_time(server: Any, connect: Any) -> None:
    """A charset cannot name a codec that takes minutes."""
    body = b'{"data": {"name": "' + b"\xe9a" * 500_000 + b'"}}'
    server.default = server.say(200, body, content_type="application/json; charset=punycode")
    began = time.monotonic()
    await connect(retry=ONCE).account.get()
    assert time.monotonic() - began < 15


# --- 200 with something else inside

FAILURES = [
    b'{"message": "Server Error"}',
    b'{"error": "Server Error"}',
    b'{"errors": {"x": ["Server Error"]}, "message": "Server Error"}',
    b'{"data": {"error": "x"}, "message": "Server Error"}',
    b'{"success": false, "message": "Server Error"}',
    b'{"exception": "E", "trace": [], "message": "Server Error"}',
]
PAGES = [b"<html>Please log in</html>", b"", b"null", b"[]x", b"OK", b"0", b'"x"', b"{", b"[[1]]"]


@pytest.mark.parametrize("body", FAILURES, ids=repr)
async def test_errors_with_status_200(server: Any, connect: Any, body: bytes) -> None:
    """An error that comes as 200 is an error with its words, for reads, writes and deletes."""
    server.default = server.say(200, body)
    client = connect(retry=ONCE)
    with pytest.raises(AnswerUnusable, match=r"answered 200, but its answer .*: Server Error"):
        await client.account.get()
    with pytest.raises(OutcomeUnknown, match="Server Error"):
        await client.account.update(name="x")
    if b'"error' in body or b"false" in body or b"exception" in body:
        with pytest.raises((AnswerUnusable, OutcomeUnknown), match="failure"):
            await client.bill_payers.delete(1, 2)


@pytest.mark.parametrize("body", PAGES, ids=repr)
async def test_no_answer_with_status_200(server: Any, connect: Any, body: bytes) -> None:
    """A page, nothing, or JSON of another shape is our own error; no object is made up."""
    server.default = server.say(200, body, content_type="text/html")
    client = connect(retry=ONCE)
    with pytest.raises(AnswerUnusable):
        await client.account.get()
    async with AsyncBilling("t", base_url=server.url, retry=ONCE, proxy="") as billing:
        with pytest.raises(AnswerUnusable):
            await billing.headers("0" * 32)


@pytest.mark.parametrize(
    "body", [b"<html></html>", b'{"token":"x"}', b"a" * 20_000, b"a,b", b"\xff\xfe", b'{"a":"pw"}']
)
async def test_no_token_with_status_200(server: Any, body: bytes) -> None:
    """What a login page or an error shows is never sent as a token, nor repeated."""
    server.default = server.say(200, body)
    login = {"username": "jane", "password": "pw", "login_url": server.url}
    async with AsyncBilling(base_url=server.url, retry=ONCE, proxy="", **login) as billing:
        with pytest.raises(AnswerUnusable, match="holds no token") as caught:
            await billing.get(1)
    assert '"a"' not in str(caught.value)
    assert 1 == len(server.seen)


# --- JSON that is built to hurt


async def use(client: AsyncHomebox) -> None:
    """Look at all that an answer gives."""
    account = await client.account.get()
    for part in (account.raw, account.extra, account.answer, repr(account)):
        assert part is not None


@pytest.mark.parametrize("depth", [100, 500, 900, 960, 970, 975, 980, 1000, 5000, 100_000])
@pytest.mark.parametrize(
    "pair", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":[', b"]}]")], ids=["[", "{", "mixed"]
)
@pytest.mark.parametrize(
    "place", [b"%s", b'{"data": {"name": "x", "new": %s}}', b'{"data": {"name": %s}}']
)
async def test_deep(
    server: Any, connect: Any, depth: int, pair: tuple[bytes, bytes], place: bytes
) -> None:
    """Nesting of any depth is read or refused by an error of ours, wherever it stands."""
    deep = pair[0] * depth + b"1" + pair[1] * depth
    server.default = server.say(200, place % deep)
    client = connect(retry=ONCE)
    with contextlib.suppress(AnswerUnusable, Unreadable):
        await use(client)
    with contextlib.suppress(AnswerUnusable):
        await client.request("GET", "x")
    server.default = server.say(200, b'{"data": [{"new": %s}]}' % deep)
    with contextlib.suppress(AnswerUnusable, Unreadable):
        assert 1 == len(await client.leads.list().collect())
    for errors in (b"%s", b'{"errors": {"a": [%s]}}', b'{"message": %s}'):
        server.default = server.say(404, errors % deep)
        with pytest.raises(NotFound):
            await client.account.get()


@pytest.mark.parametrize(
    "number",
    [
        *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e999999999999", "0." + "1" * 9999),
        *("1" * 4300, "1" * 4301, "1" * 1_000_000, "-" + "9" * 5000, "1e-999999999", "1E+9999"),
    ],
    ids=lambda text: text[:20] + str(len(text)),
)
async def test_numbers(server: Any, connect: Any, number: str) -> None:
    """A number that nothing can hold is text in `extra`, or no JSON; it takes no time."""
    text = '{"data": {"name": "x", "management_fee": %s, "id": %s, "new": [%s]}}'
    server.default = server.say(200, (text % (number, number, number)).encode())
    client = connect(retry=ONCE)
    began = time.monotonic()
    if "N" in number or "I" in number:
        with pytest.raises(AnswerUnusable, match="is not JSON"):
            await client.account.get()
    else:
        await use(client)
        account = await client.account.get()
        fee = account.management_fee
        assert fee is None or fee.is_finite()
    server.default = server.say(200, f'{{"data": [{{"id": {number}}}]}}'.encode())
    with contextlib.suppress(AnswerUnusable):
        await client.leads.list().collect(max_items=5)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (rb'{"data": {"name": "a\ud800b"}}', "a\ufffdb"),
        (rb'{"data": {"name": "a\udc00\ud800b"}}', "a\ufffd\ufffdb"),
        (rb'{"data": {"name": "a\ud83d\ude00b"}}', "a\U0001f600b"),
        (rb'{"data": {"name": "a\\ud800b"}}', r"a\ud800b"),
        (rb'{"data": {"name": "a\u0000b"}}', "a\0b"),
        (b'{"data": {"name": "a\xed\xa0\x80b"}}', "a\xed\xa0\x80b"),
        (rb'{"data": {"name": "first", "name": "last"}}', "last"),
        (rb'{"data": {"name": "first"}, "data": {"name": "last"}}', "last"),
    ],
)
async def test_texts(server: Any, client: Any, body: bytes, name: str) -> None:
    """Half a surrogate pair becomes U+FFFD, so that any text can be written; the last key wins."""
    server.default = server.say(200, body)
    account = await client.account.get()
    got = account.name
    if b"\xed" in body:  # neither UTF-8 nor a charset: read as what cp1252 or latin-1 makes of it
        assert got[0] + got[-1] == "ab"
    else:
        assert (name, name) == (got, account.raw["name"])
    got.encode()


@pytest.mark.parametrize("name", ["5", "[]", "{}", '["x"]', '{"a": 1}', "true", "[[[1]]]", "null"])
@pytest.mark.parametrize("place", ['{"data": %s}', "%s", "[%s]", '{"data": [%s, %s]}'])
async def test_other_shapes(server: Any, connect: Any, name: str, place: str) -> None:
    """A list for an object, an object for a list, a scalar for either: read or our own error."""
    client = connect(retry=ONCE)
    body = place.replace("%s", f'{{"name": {name}}}')
    for text in (place.replace("%s", name), body):
        server.default = server.say(200, text.encode())
        for call in (
            client.account.get(),
            client.leads.list().collect(),
            client.orders.get(1),
            client.addresses.find("LS1 1AA"),
            client.mandates.get(1, 2),
        ):
            with contextlib.suppress(AnswerUnusable):
                await call


# --- the server's words

NASTY = 'a\x1b[2J\x07\r\n2026 ERROR forged\u202e\u200b\ud800 {"x": 1}\x9b31m'


async def test_words_that_drive_a_terminal(server: Any, connect: Any) -> None:
    """The server's words cannot move a cursor, forge a line of a log, or break its writing."""
    body = json.dumps({"message": NASTY, "errors": {NASTY: [NASTY, {NASTY: NASTY}]}}).encode()
    server.default = server.say(422, body)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("homebox_async")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with pytest.raises(UnprocessableEntity) as caught:
            await connect().account.get()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    error = caught.value
    for text in (str(error), error.server_message, *error.errors, *sum(error.errors.values(), ())):
        assert text.isprintable()
    stream.flush()
    written = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert 1 == written.count("\n")
    assert written.rstrip("\n").isprintable()


async def test_a_flood_of_words(server: Any, connect: Any) -> None:
    """Of endless words only so many are kept, and they take no time."""
    many = {f"field{n}": ["no " * 500] * 100 for n in range(600)}
    began = time.monotonic()
    for errors in (many, {"a": ["x"] * 150_000}, {str(n): "x" for n in range(60_000)}):
        server.default = server.say(422, json.dumps({"errors": errors}).encode())
        with pytest.raises(UnprocessableEntity) as caught:
            await connect().account.get()
        assert len(caught.value.errors) <= 200
        assert sum(map(len, caught.value.errors.values())) <= 4000
        assert len(str(caught.value)) < 20_000
    assert time.monotonic() - began < 30


async def test_not_even_half_of_an_answer(server: Any, connect: Any) -> None:
    """An answer that is cut off is never read as far as it goes."""
    body = b'{"data": {"name": "x"}}'
    for end in range(len(body)):
        server.default = server.say(200, body[:end])
        with pytest.raises(AnswerUnusable):
            await connect(retry=ONCE).account.get()
        server.default = server.say(200, body[:end], length=len(body))
        server.acts = [server.truncate]
        with pytest.raises(ConnectionFailed):
            await connect(retry=ONCE).account.get()
