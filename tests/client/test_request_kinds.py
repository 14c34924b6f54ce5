"""What `request` and uploads put on the wire, whatever kind of value they are given."""

import datetime as dt
import enum
import json
import uuid
from decimal import Decimal
from typing import Any

import numpy
import pytest
from markupsafe import Markup

from homebox_async import UNSET, AsyncHomebox, OutcomeUnknown, Upload, ValidationError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


class Word(enum.Enum):
    """A word that code has a name for."""

    ONE = "one"


def deep(depth: int) -> list[Any]:
    """Return lists in lists."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({"v": [1, 2]}, "v%5B%5D=1&v%5B%5D=2"),
        (
            {"v": ("a b", True, dt.date(2026, 1, 2))},
            "v%5B%5D=a%20b&v%5B%5D=true&v%5B%5D=2026-01-02",
        ),
        ({"v": []}, ""),
        ({"v": Markup("<b>")}, "v=%3Cb%3E"),
        ({"v": Word.ONE, "w": numpy.int64(3), "x": numpy.float64(0.5)}, "v=one&w=3&x=0.5"),
        ({"v": [Word.ONE, numpy.bool_(True)]}, "v%5B%5D=one&v%5B%5D=true"),
        ({"v": Decimal("1.50"), "w": uuid.UUID(int=1)}, f"v=1.50&w={uuid.UUID(int=1)}"),
        ({"v": UNSET, "w": None, "x": 1}, "x=1"),
    ],
    ids=str,
)
async def test_queries(server: Any, client: AsyncHomebox, query: Any, target: str) -> None:
    """Values of a query are what they are; a list goes out as PHP reads it."""
    await client.request("GET", "x", query=query)
    assert f"/api/partner/x?{target}".rstrip("?") == server.seen[0].target


@pytest.mark.parametrize(
    ("options", "field"),
    [
        *[
            ({name: value}, name)
            for name in ("params", "query", "json", "form")
            for value in ([1], "a=1", 5, b"x", {1: 2}, object())
        ],
        ({"query": {"v": {"a": 1}}}, "v"),
        ({"query": {"v": [[1]]}}, "v.0"),
        ({"query": {"v": b"x"}}, "v"),
        ({"form": {"v": object()}}, "v"),
        ({"form": {"v": [float("nan")]}}, "v.0"),
        ({"json": {"v": deep(100_000)}}, "v"),
        ({"json": {"v": deep(500), "w": deep(100_000)}}, "w"),
        ({"json": {"v": [deep(2_000), {"a": deep(3)}]}}, "v"),
        ({"json": {"v": deep(512)}}, "v"),
        ({"json": {"v": 10**5000}}, "v"),
        *[
            ({"json": {"v": value}}, "v")
            for value in (1 << 63, -(1 << 63) - 1, [1, [1 << 70]], {"a": {"b": 1 << 64}})
        ],
        ({"json": {"v": [float("inf")]}}, "v"),
        ({"json": {"v": numpy.float64("nan")}}, "v"),
        ({"json": {"v": object()}}, "v"),
        ({"into": dict}, "into"),
        ({"into": "Lead"}, "into"),
    ],
    ids=range(43),
)
async def test_kinds_refused(
    server: Any, client: AsyncHomebox, options: dict[str, Any], field: str
) -> None:
    """What cannot be sent is our own error that names it, and nothing is sent."""
    with pytest.raises(ValidationError) as caught:
        await client.request("POST", "x", **options)
    assert [field] == [problem.field for problem in caught.value.problems]
    assert [] == server.seen


@pytest.mark.parametrize(
    "value",
    [deep(500), "[" * 2_000, [[]] * 2_000, {"a": [{"b": [n]} for n in range(2_000)]}],
    ids=["deep", "text", "wide", "rows"],
)
async def test_deep_enough(server: Any, client: AsyncHomebox, value: Any) -> None:
    """What is wide, or as deep as a server reads, goes out."""
    await client.request("POST", "x", json={"v": value})
    assert {"v": value} == json.loads(server.seen[0].body)


@pytest.mark.parametrize(("method", "path"), [(5, "x"), (None, "x"), ("GET", b"x"), ("GET", 5)])
async def test_method_and_path(client: AsyncHomebox, method: Any, path: Any) -> None:
    """A method or path that is no text is refused."""
    with pytest.raises(ValidationError, match="not text"):
        await client.request(method, path)


async def test_the_largest_numbers(server: Any, client: AsyncHomebox) -> None:
    """Whole numbers of 64 bits, and longer ones as text, go out as they are."""
    given = {"a": (1 << 63) - 1, "b": [-(1 << 63)], "c": str(1 << 70)}
    await client.request("POST", "x", json=given)
    assert given == json.loads(server.seen[0].body)


async def test_json_of_subclasses(server: Any, client: AsyncHomebox) -> None:
    """Texts and numbers of subclasses go out as what they are, at any depth."""
    given = {"a": Markup("<b>"), "b": [{"c": numpy.int64(1)}, numpy.str_("x")], "d": Word.ONE}
    await client.request("POST", "x", json=given)
    assert {"a": "<b>", "b": [{"c": 1}, "x"], "d": "one"} == json.loads(server.seen[0].body)


@pytest.mark.parametrize(
    ("filename", "written"),
    [
        ("März 2026.png", "März 2026.png"),
        ('a "b".png', "a %22b%22.png"),
        ("C:\\photos\\gas.png", "C:\\photos\\gas.png"),
        ("100%25 & more;x=y.png", "100%25 & more;x=y.png"),
        ("写真.png", "写真.png"),
    ],
)
async def test_names_of_files(
    server: Any, client: AsyncHomebox, filename: str, written: str
) -> None:
    """A file's name goes out as the HTML standard writes it: UTF-8, only quotes escaped."""
    await client.request("POST", "x", form={"image": Upload(PNG, filename, "image/png"), "a": "ü"})
    body = server.seen[0].body.decode("utf-8", "surrogateescape")
    assert f'Content-Disposition: form-data; name="image"; filename="{written}"\r\n' in body
    assert 'Content-Disposition: form-data; name="a"\r\n' in body


@pytest.mark.parametrize("type", ["gas", "Gas", "GAS", "Electric", "Water"])
async def test_what_came_back_goes_out(server: Any, client: AsyncHomebox, type: str) -> None:
    """A reading's type as answers write it ("Gas") is accepted, and goes out as requests do."""
    with pytest.raises(OutcomeUnknown):  # this server shows no record
        await client.readings.create_for_order(
            1, type=type, reading=5, date_of_reading=dt.date(2026, 11, 1)
        )
    assert f"\r\n{type.lower()}\r\n".encode() in server.seen[0].body
