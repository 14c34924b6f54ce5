"""What callers give: nothing of it leaves its place in a request, or is sent as another value."""

import math
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

import pytest

from homebox_async import (
    Address,
    AsyncHomebox,
    ConfigurationError,
    NewTenant,
    Upload,
    ValidationError,
)

NAN = float("nan")


async def problems(server: Any, call: Any) -> list[str]:
    """Return what is wrong with a call, which sends nothing."""
    with pytest.raises(ValidationError) as caught:
        await call
    assert [] == server.seen
    assert all(str(problem).isprintable() for problem in caught.value.problems)
    return [f"{problem.field} {problem.problem}" for problem in caught.value.problems]


@pytest.mark.parametrize("number", [NAN, math.inf, -math.inf, Decimal("NaN"), Decimal("-Infinity")])
async def test_no_number(server: Any, client: Any, number: Any) -> None:
    """NaN and Infinity are refused, at any depth: JSON would make null or text of them."""
    for value in (number, [number], {"a": [{"b": number}]}, ({"x": None}, number)):
        call = client.request("POST", "x", json={"rent": value, "fine": None, "word": "NaN"})
        assert ["rent is or holds NaN or Infinity"] == await problems(server, call)
    assert ["q is not a finite number"] == await problems(
        server, client.request("GET", "x", query={"q": number})
    )
    assert ["q is not a finite number"] == await problems(
        server, client.request("POST", "x", form={"q": number})
    )


async def test_null_and_words_are_fine(server: Any, client: Any) -> None:
    """None is null, and words are words."""
    deep: Any = None
    for _ in range(300):
        deep = [deep]
    await client.request("POST", "x", json={"a": None, "b": "NaN Infinity null", "c": deep})
    assert b'{"a":null,"b":"NaN Infinity null","c":[' == server.seen[0].body[:39]


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", 10**5000], ids=["high", "low", "digits"])
@pytest.mark.parametrize("where", ["query", "form", "params", "json"])
async def test_no_text(server: Any, client: Any, where: str, value: Any) -> None:
    """What has no bytes is refused before anything is sent, not told as a broken connection."""
    if where == "params":
        call = client.request("GET", "x/{p}", params={"p": value})
    else:
        call = client.request("GET" if where == "query" else "POST", "x", **{where: {"p": value}})
    assert 1 == len(await problems(server, call))


@pytest.mark.parametrize("text", ["a\r\nHost: evil", "a\nb", "a\0b", "&a=b", "%0d%0a", "\u202ex"])
async def test_queries_stay_queries(server: Any, client: Any, text: str) -> None:
    """A value of a query is one value, whatever it holds."""
    await client.request("GET", "x", query={"q": text, "r": "1"})
    (seen,) = server.seen
    query = seen.target.partition("?")[2].split("&")
    assert ["q", "r"] == [part.partition("=")[0] for part in query]
    assert text == unquote_plus(query[0].partition("=")[2])
    assert "evil" not in seen.headers.get("host", "")


@pytest.mark.parametrize("text", ["a\r\nX: y\r\n\r\n--b", "a\0b", '"; filename="x'])
async def test_forms_stay_forms(server: Any, client: Any, text: str) -> None:
    """A value of a form is one part, whatever it holds; a name cannot break out of its header."""
    await client.request("POST", "x", form={"q": text})
    (seen,) = server.seen
    boundary = seen.headers["content-type"].partition("boundary=")[2].encode()
    assert 2 == seen.body.count(b"--" + boundary)
    assert text.encode() in seen.body
    server.seen.clear()
    if not text.isprintable():
        call = client.request("POST", "x", form={text: "v"})
        (problem,) = await problems(server, call)
        assert problem.endswith(" is a name with a control character")


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1\r\n\r\n", "a\0", "gnp.\u202eexe", "a" * 256])
async def test_files_stay_files(server: Any, client: Any, name: str) -> None:
    """A file's name and type stay within their header, in every way a file can be given."""
    for upload in (Upload(b"x", name), Upload(b"x", "a.png", name)):
        assert 1 == len(await problems(server, client.request("POST", "x", form={"f": upload})))
        call = client.postal_bills.create(1, file=upload)
        assert 1 == len(await problems(server, call))


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x", 'a"; b="c', "CON", "é.png", "%00"])
async def test_names_of_files_are_quoted(server: Any, client: Any, name: str) -> None:
    """A printable name is told to the server as one value."""
    await client.request("POST", "x", form={"f": Upload(b"content", name)})
    head = server.seen[0].body.partition(b"\r\n\r\n")[0]
    assert 3 >= head.count(b"\r\n")
    assert 1 == head.count(b"filename=")
    assert head.split(b"filename=")[1].startswith(b'"')


@pytest.mark.parametrize("path", ["a/{p.__class__}", "a/{p[0]}", "a/{p!r}", "a/{p:>9}", "a/{{p}}"])
async def test_paths_take_names_alone(server: Any, client: Any, path: str) -> None:
    """A template cannot reach into a value, past its percent-encoding."""
    found = await problems(server, client.request("GET", path, params={"p": "x/../y"}))
    assert 1 == len(found)


@pytest.mark.parametrize("token", ["a\r\nX: y", "a\nb", "a\0b", "a b", "é", "\ud800"], ids=ascii)
def test_tokens(token: str) -> None:
    """A token cannot break out of its header."""
    with pytest.raises(ConfigurationError, match="no token has") as caught:
        AsyncHomebox(token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\0b", "holds a control character"),
        ("a\x1b[2Jb", "holds a control character"),
        ("a\rb", "holds a control character"),
        ("a\x85b", "holds a control character"),
        ("a\ud800b", "holds a control character"),
        ("a\ue000b", "holds a control character"),
        ("a\u202eb", "holds the invisible character U+202E"),
        ("a\u2066b", "holds the invisible character U+2066"),
        ("a\u200bb", "holds the invisible character U+200B"),
        ("a\u200fb", "holds the invisible character U+200F"),
        ("\ufeffa", "holds the invisible character U+FEFF"),
        ("a\u00adb", "holds the invisible character U+00AD"),
        ("a\U000e0041", "holds the invisible character U+E0041"),
        ("x" * 1_000_000, "has 1000000 characters"),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_texts_that_are_refused(text: str, problem: str) -> None:
    """Control, bidirectional and invisible characters are refused by name, in any field."""
    home = Address(line1=text, city="Leeds", postcode="LS1 1AA")
    assert [problem] == [found.problem for found in home.problems()]
    tenant = NewTenant(
        first_name=text, last_name="b", phone_number="+441234567890", email_address="a@b.uk"
    )
    assert [problem] == [found.problem for found in tenant.problems()]


@pytest.mark.parametrize(
    "text",
    [
        "דוד",
        "محمد",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "Zoë",
        "O'Neill",
        "=1",
        "👩\u200d🔧",
        "a\u00a0b",
    ],
)
def test_texts_that_are_fine(text: str) -> None:
    """Letters of any script are fine, right to left ones too, with what joins them."""
    assert [] == Address(line1=text, city="Leeds", postcode="LS1 1AA").problems()
